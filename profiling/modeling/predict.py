"""Predictions: conditional on the levels, at the typical level, or averaged over levels; with intervals.

    conditional      g^-1(x'beta + z'b^), a level not seen in the fit has effect zero
    population       g^-1(x'beta): the typical level, b = 0
    marginal         E g^-1(x'beta + z'b) over b ~ N(0, S): what a population shows (Zeger, Liang & Albert 1988)

Intervals are normal on the scale of the link (see `prediction_variance`) and carried through its inverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special, stats

from profiling.errors import ModelError, Problem
from profiling.frames import frame_of, in_memory
from profiling.modeling.families import Family, family_of
from profiling.modeling.new_rows import new_rows, old_rows
from profiling.modeling.prediction_variance import effect_variance, predictor_variance
from profiling.modeling.simulate import factor_product
from profiling.modeling.threads import threads_for

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

MARGINAL_POINTS = 41


def predict(
    fit: MixedModelResult,
    new_data: Any,
    conditional: bool,
    scale: str,
    marginal: bool,
    interval: float | None,
    offset: Any,
) -> pd.Series | pd.DataFrame:
    """Return the predictions by row; see `MixedModelResult.predict`."""
    if scale not in ("link", "response"):
        raise ModelError(Problem("scale", scale, "link or response"))
    if marginal and scale == "link":
        raise ModelError(Problem("scale", "link with marginal=True", "response", "Averages are taken of the mean"))
    if new_data is not None:
        new_data = frame_of(new_data, fit.formula, offset)
        new_data = in_memory(new_data, set(new_data.columns))
    rows = old_rows(fit) if new_data is None else new_rows(fit, new_data, offset)
    index = pd.RangeIndex(fit.n_observations) if new_data is None else new_data.index
    family = family_of(fit.family, fit.link, fit.dispersion)
    with_effects = conditional and not marginal
    eta = rows.X @ fit.fixed_effects.to_numpy() + rows.offset
    if with_effects:
        for factor, codes, columns in zip(fit.factors, rows.codes, rows.columns, strict=True):
            modes = np.vstack([fit.effects[factor.name].mode, np.zeros(len(factor.terms))])
            eta = eta + factor_product(columns, modes[codes])

    def scaled(predictor: np.ndarray) -> np.ndarray:
        if scale == "link":
            return predictor
        if marginal:
            return marginal_mean(family, predictor, effect_variance(fit, rows))
        return np.asarray(family.inverse_link(predictor))

    if interval is None:
        return pd.Series(scaled(eta), index=index, name="prediction")
    if not 0 < interval < 1:
        raise ModelError(Problem("interval", str(interval), "a share between 0 and 1, such as 0.95"))
    with threads_for(fit.n_observations):
        error = np.sqrt(predictor_variance(fit, rows, with_effects))
    half = stats.norm.ppf(0.5 + interval / 2) * error
    columns_out = {"prediction": scaled(eta), "lower": scaled(eta - half), "upper": scaled(eta + half)}
    return pd.DataFrame({**columns_out, "link_sd": error}, index=index)


def marginal_mean(family: Family, eta: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return E g^-1(eta + b), b ~ N(0, variance): closed for identity, log and probit, else by quadrature."""
    if family.link == "identity":
        return eta
    if family.link == "log":
        return np.asarray(np.exp(eta + variance / 2))
    if family.link == "probit":
        return np.asarray(special.ndtr(eta / np.sqrt(1 + variance)))
    nodes, weights = np.polynomial.hermite_e.hermegauss(MARGINAL_POINTS)
    weights = weights / weights.sum()
    mean = np.zeros(len(eta))
    spread = np.sqrt(variance)
    for node, weight in zip(nodes, weights, strict=True):
        mean += weight * family.inverse_link(eta + node * spread)
    return mean

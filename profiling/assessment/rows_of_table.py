"""Rows of a table of predictions, which brings no model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.options import Family, ProfileOptions
from profiling.assessment.posterior import conditional_modes
from profiling.assessment.rows import ProviderRows, means_by, no_parents, parents, sort_by_provider
from profiling.assessment.standardization import inverse_response, provider_sums
from profiling.errors import ModelError, Problem

LINK = {"binomial": "logit", "poisson": "log", "log_gaussian": "log", "gaussian": "identity"}

POISSON_STEPS = 60


def rows_of_table(table: pd.DataFrame, provider: str, options: ProfileOptions) -> ProviderRows:
    """Rows of a table with the columns `provider`, observed, expected and, if there, expected_marginal.

    Shrunken figures need `options.random_sd` (and `residual_sd` for continuous outcomes): the effects are
    found anew from the expected numbers; without it they are NaN.
    """
    _require(table, (provider, "observed", "expected"))
    labels, codes = np.unique(table[provider].to_numpy(), return_inverse=True)
    order, starts = sort_by_provider(codes.astype(np.int64), len(labels))
    family: Family = options.family or "binomial"
    observed, expected = _column(table, "observed", order), _column(table, "expected", order)
    marginal = _column(table, "expected_marginal", order) if "expected_marginal" in table else expected
    eta = inverse_response(expected, LINK[family])
    noise, variance = _square(options.residual_sd), _square(options.random_sd)
    residual = _residuals(observed, eta, family, noise)
    mode, sd = _modes(observed, eta, residual, starts, family, variance, noise)
    parent, n_parents = _parents(table, options, provider, codes[order].astype(np.int64), order, starts)
    return ProviderRows(
        labels=labels.astype(object),
        order=order,
        starts=starts,
        observed=observed,
        expected=expected,
        expected_marginal=marginal,
        eta=eta,
        residual=residual,
        mode=mode,
        sd=sd,
        sd_full=sd,
        shared_variance=np.zeros(len(labels)),
        parent=parent,
        n_parents=n_parents,
        variance=variance,
        residual_variance=noise,
        family=family,
        link=LINK[family],
        same_base=True,
        single=True,
    )


def _require(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ModelError(
            Problem(
                "table of predictions",
                f"no column {', '.join(missing)}",
                f"columns {', '.join(columns)}",
                "Rename or add the columns",
            )
        )


def _column(table: pd.DataFrame, name: str, order: Integers) -> Floats:
    return table[name].to_numpy(dtype=np.float64)[order]


def _square(sd: float | None) -> float:
    return float("nan") if sd is None else sd**2


def _residuals(observed: Floats, eta: Floats, family: Family, noise: float) -> Floats:
    """Outcome minus expectation on the scale of the model; zeros for events."""
    if family in ("binomial", "poisson"):
        return np.zeros(len(eta))
    return observed - eta if family == "gaussian" else np.log(observed) - (eta - noise / 2.0)


def _modes(
    observed: Floats,
    eta: Floats,
    residual: Floats,
    starts: Integers,
    family: Family,
    variance: float,
    noise: float,
) -> tuple[Floats, Floats]:
    """Mode and sd of each effect b_j ~ N(0, variance); NaN where the variance is not known."""
    count = len(starts) - 1
    if not np.isfinite(variance):
        return np.full(count, np.nan), np.full(count, np.nan)
    if family == "binomial" and variance > 0:
        return conditional_modes(
            eta, provider_sums(observed, starts), starts, float(np.sqrt(variance)), np.zeros(count)
        )
    if variance == 0:
        return np.zeros(count), np.zeros(count)
    if family == "poisson":
        return poisson_modes(provider_sums(observed, starts), provider_sums(np.exp(eta), starts), variance)
    size = np.diff(starts)
    shrinkage = size * variance / (size * variance + noise)
    return shrinkage * means_by(residual, starts), np.sqrt(shrinkage * noise / size)


def poisson_modes(observed: Floats, expected: Floats, variance: float) -> tuple[Floats, Floats]:
    """Mode and curvature sd of each Poisson random intercept b ~ N(0, variance): O − E·exp(b) = b/variance."""
    mode = np.log((observed + 0.5) / (expected + 0.5))
    for _ in range(POISSON_STEPS):
        mean = expected * np.exp(mode)
        step = (observed - mean - mode / variance) / (mean + 1.0 / variance)
        mode = mode + np.clip(step, -1.0, 1.0)
    return mode, 1.0 / np.sqrt(expected * np.exp(mode) + 1.0 / variance)


def _parents(
    table: pd.DataFrame,
    options: ProfileOptions,
    provider: str,
    codes: Integers,
    order: Integers,
    starts: Integers,
) -> tuple[npt.NDArray[np.object_], Integers]:
    """Parents from the column of the outer provider, where the table is profiled by the inner one."""
    if options.outer is None or provider == options.outer or options.outer not in table:
        return no_parents(len(starts) - 1)
    labels, outer = np.unique(table[options.outer].to_numpy(), return_inverse=True)
    return parents(codes, outer.astype(np.int64)[order], labels, starts)

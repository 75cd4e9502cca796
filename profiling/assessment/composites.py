"""Several measures of one provider in one figure, with its uncertainty.

A composite hides which measure drives it: the weights are an opinion and are returned beside the figure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from profiling.assessment.fitted import Floats
from profiling.errors import ModelError, Problem

LEAST_PSI = 1e-8


def weighted_composite(estimate: Floats, standard_error: Floats, weights: Floats, level: float = 0.95) -> pd.DataFrame:
    """estimate, standard_error, lower, upper, measures: Σ w_m θ̂_jm over the measures a provider has, Σ w = 1.

    estimate, standard_error (J, M) on a common scale (log ratios, worse higher), NaN where a measure does not apply;
    measures are taken as independent given the effects.
    """
    _check(estimate, standard_error)
    if (weights < 0).any() or weights.sum() <= 0:
        raise ModelError(Problem("weights", "negative, or all zero", "weights of zero or more"))
    known = np.isfinite(estimate) & np.isfinite(standard_error)
    own = np.where(known, weights, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = own / own.sum(axis=1, keepdims=True)
    centre = np.sum(own * np.where(known, estimate, 0.0), axis=1)
    spread = np.sqrt(np.sum(np.square(own * np.where(known, standard_error, 0.0)), axis=1))
    return _limits(centre, spread, known.sum(axis=1), level)


def opportunity_composite(observed: Floats, expected: Floats, level: float = 0.95) -> pd.DataFrame:
    """observed, expected, ratio, lower, upper: ΣO/ΣE over a provider's measures (J, M), NaN where one does not apply.

    Every opportunity counts alike, so that frequent measures rule (Reeves et al. 2007). Exact Poisson limits.
    """
    total, basis = np.nansum(observed, axis=1), np.nansum(expected, axis=1)
    if (basis <= 0).any():
        raise ModelError(Problem("expected", "providers without any", "at least one measure each"))
    tail = (1.0 - level) / 2.0
    lower = np.where(total > 0, special.gammaincinv(np.maximum(total, 1e-300), tail), 0.0)
    upper = special.gammainccinv(total + 1.0, tail)
    return pd.DataFrame(
        {
            "observed": total,
            "expected": basis,
            "ratio": total / basis,
            "lower": lower / basis,
            "upper": upper / basis,
        }
    )


def composite_of_draws(draws: Floats, weights: Floats, level: float = 0.95) -> pd.DataFrame:
    """mean, sd, lower, upper of Σ w_m θ_jm from posterior draws (draws, J, M), dependence between measures included."""
    if draws.ndim != 3 or draws.shape[2] != len(weights):
        raise ModelError(Problem("draws", f"shape {draws.shape}", f"(draws, providers, {len(weights)})"))
    values = draws @ (weights / weights.sum())
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return pd.DataFrame({"mean": values.mean(axis=0), "sd": values.std(axis=0), "lower": low, "upper": high})


@dataclass(frozen=True)
class LatentComposite:
    """One trait behind several measures: loadings and own variances by measure (M,), the trait by provider."""

    loadings: Floats
    own_variance: Floats
    mean: Floats
    scores: pd.DataFrame
    log_likelihood: float


def latent_composite(estimate: Floats, standard_error: Floats, level: float = 0.95) -> LatentComposite:
    """θ̂_jm = μ_m + λ_m f_j + δ_jm + e_jm, f ~ N(0, 1), δ ~ N(0, ψ_m), e of known variance: by maximum likelihood.

    estimate, standard_error (J, M), NaN where a measure does not apply. scores: the posterior of f_j at the estimates
    (estimate, standard_error, lower, upper, measures). At least three measures (Landrum, Bronskill & Normand 2000).
    """
    _check(estimate, standard_error)
    M = estimate.shape[1]
    if M < 3:
        raise ModelError(Problem("measures", f"{M}", "three or more", "Two measures do not show their loadings"))
    known = np.isfinite(estimate) & np.isfinite(standard_error)
    noise = np.where(known, np.square(standard_error), 1.0)
    y = np.where(known, estimate, 0.0)

    def parts(point: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        mu, load, psi = point[:M], point[M : 2 * M], np.exp(point[2 * M :]) + LEAST_PSI
        weight = np.where(known, 1.0 / (psi + noise), 0.0)
        precision = 1.0 + weight @ np.square(load)
        residual = np.where(known, y - mu, 0.0)
        return residual, weight, precision, (weight * residual) @ load

    def loss(point: Floats) -> float:
        residual, weight, precision, pull = parts(point)
        log_weight = np.where(known, np.log(np.where(known, weight, 1.0)), 0.0).sum()
        square = float(np.sum(weight * np.square(residual))) - float(np.sum(np.square(pull) / precision))
        return 0.5 * (square - float(log_weight) + float(np.log(precision).sum()))

    signal = np.sqrt(np.maximum(np.nanvar(np.where(known, estimate, np.nan), axis=0) / 2.0, 1e-4))
    start = np.concatenate([np.nanmean(np.where(known, estimate, np.nan), axis=0), signal, 2 * np.log(signal)])
    found = optimize.minimize(loss, start, method="L-BFGS-B", options={"maxiter": 2000, "maxfun": 100_000})
    load = found.x[M : 2 * M]
    sign = 1.0 if load.sum() >= 0 else -1.0
    _, _, precision, pull = parts(found.x)
    scores = _limits(sign * pull / precision, 1.0 / np.sqrt(precision), known.sum(axis=1), level)
    value = -float(found.fun) - 0.5 * float(known.sum()) * float(np.log(2 * np.pi))
    return LatentComposite(sign * load, np.exp(found.x[2 * M :]) + LEAST_PSI, found.x[:M], scores, value)


def _check(estimate: Floats, standard_error: Floats) -> None:
    if estimate.shape != standard_error.shape or estimate.ndim != 2:
        raise ModelError(Problem("estimates", f"{estimate.shape} and {standard_error.shape}", "two (J, M) arrays"))
    if not np.isfinite(estimate).any(axis=1).all():
        raise ModelError(Problem("estimates", "providers without any measure", "at least one each"))


def _limits(centre: Floats, spread: Floats, measures: np.ndarray, level: float) -> pd.DataFrame:
    z = float(stats.norm.ppf(0.5 + level / 2))
    columns = {"estimate": centre, "standard_error": spread, "lower": centre - z * spread, "upper": centre + z * spread}
    return pd.DataFrame(columns | {"measures": measures})

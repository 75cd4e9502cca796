"""The outcome's distribution at given means: variance, deviance, distribution function and draws, by family.

`weights` are trials for proportions, precisions for Gaussian outcomes, otherwise multipliers; `shape` is kappa of
NB2 (variance mu + mu^2 / kappa) or the residual sd of a Gaussian outcome (McCullagh & Nelder 1989, table 2.1).
"""

from __future__ import annotations

import numpy as np
from scipy import special, stats


def variance(family: str, mean: np.ndarray, shape: float) -> np.ndarray:
    """Return the variance function at `mean`, for unit weight (1 for Gaussian)."""
    if family == "binomial":
        return np.asarray(mean * (1 - mean))
    if family == "poisson":
        return mean
    if family == "negative_binomial":
        return np.asarray(mean + mean**2 / shape)
    return np.ones_like(mean)


def unit_deviance(family: str, y: np.ndarray, mean: np.ndarray, shape: float) -> np.ndarray:
    """Return twice the distance of the saturated from the fitted log density, for unit weight."""
    if family == "binomial":
        return np.asarray(2 * (special.xlogy(y, y / mean) + special.xlogy(1 - y, (1 - y) / (1 - mean))))
    if family == "poisson":
        return np.asarray(2 * (special.xlogy(y, y / mean) - (y - mean)))
    if family == "negative_binomial":
        return np.asarray(2 * (special.xlogy(y, y / mean) - (y + shape) * np.log((y + shape) / (mean + shape))))
    return np.asarray((y - mean) ** 2)


def cumulative(
    family: str, y: np.ndarray, mean: np.ndarray, weights: np.ndarray, shape: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return P(Y < y) and P(Y <= y); equal for Gaussian outcomes."""
    if family == "binomial":
        trials, successes = np.rint(weights), np.rint(weights * y)
        found = [stats.binom.cdf(successes + step, trials, mean) for step in (-1, 0)]
    elif family == "poisson":
        found = [stats.poisson.cdf(y + step, mean) for step in (-1, 0)]
    elif family == "negative_binomial":
        found = [stats.nbinom.cdf(y + step, shape, shape / (shape + mean)) for step in (-1, 0)]
    else:
        found = [special.ndtr((y - mean) * np.sqrt(weights) / shape)] * 2
    return np.asarray(found[0]), np.asarray(found[1])


def draw(
    family: str, mean: np.ndarray, weights: np.ndarray, shape: float, generator: np.random.Generator
) -> np.ndarray:
    """Return one outcome a row; proportions for binomial outcomes with trials."""
    if family == "binomial":
        trials = np.rint(weights).astype(np.int64)
        successes = generator.binomial(trials, mean)
        return np.asarray(np.divide(successes, trials, out=np.zeros(len(mean)), where=trials > 0))
    if family == "poisson":
        return generator.poisson(mean).astype(float)
    if family == "negative_binomial":
        return generator.negative_binomial(shape, shape / (shape + mean)).astype(float)
    spread = np.divide(shape, np.sqrt(weights), out=np.zeros(len(mean)), where=weights > 0)
    return np.asarray(generator.normal(mean, spread))

"""Rows of an estimating equation: mean, slope and variance by family and link, and the standardized rows.

With mean mu, slope mu' = dmu/deta, variance function v and weight w, a row contributes the standardized covariates
sqrt(w) mu' x / sqrt(v) and the standardized residual sqrt(w) (y - mu) / sqrt(v) (Liang & Zeger 1986, section 2).
A block holds some rows side by side, (p+1, rows): covariate by covariate, the residual last.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.families import CLOGLOG, LOGIT, NEGATIVE_BINOMIAL, POISSON, PROBIT, derivatives

GAUSSIAN = -1
FAST = {"contract", "reassoc", "nsz"}
_SQRT2 = math.sqrt(2.0)
_SQRT_2PI = math.sqrt(2 * math.pi)


@nb.njit(cache=True, inline="always")
def mean_parts(code: float, eta: float) -> tuple[float, float, float]:
    """Return (mu, mu', v); eta is held where mu(1 - mu) still has digits, as every GEE program does."""
    if code == LOGIT:
        e = math.exp(-min(abs(eta), 30.0))
        small, large = e / (1 + e), 1 / (1 + e)
        return (large if eta >= 0 else small), small * large, small * large
    if code == PROBIT:
        x = max(-8.0, min(eta, 8.0))
        below, above = 0.5 * math.erfc(-x / _SQRT2), 0.5 * math.erfc(x / _SQRT2)
        return below, math.exp(-0.5 * x * x) / _SQRT_2PI, below * above
    if code == CLOGLOG:
        t = math.exp(max(-30.0, min(eta, 3.4)))
        mu = -math.expm1(-t)
        return mu, t * math.exp(-t), mu * math.exp(-t)
    if code >= POISSON:
        mu = math.exp(max(-300.0, min(eta, 300.0)))
        return mu, mu, mu + (mu * mu / (code - NEGATIVE_BINOMIAL) if code >= NEGATIVE_BINOMIAL else 0.0)
    return eta, 1.0, 1.0


@nb.njit(cache=True)
def quasi_likelihood(code: float, y: np.ndarray, w: np.ndarray, eta: np.ndarray) -> float:
    """Return the quasi-likelihood of rows at dispersion one (McCullagh & Nelder 1989, table 9.1); empty w is one."""
    total = 0.0
    for i in range(len(eta)):
        weight = w[i] if len(w) else 1.0
        if code == GAUSSIAN:
            total -= 0.5 * weight * (y[i] - eta[i]) ** 2
        else:
            total += derivatives(code, y[i], weight, eta[i])[0]
    return total


@nb.njit(cache=True, fastmath=FAST)
def standardize(
    code: float,
    wide: np.ndarray,
    narrow: np.ndarray,
    place: np.ndarray,
    center: np.ndarray,
    factor: np.ndarray,
    beta: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
    offset: np.ndarray,
    start: int,
    count: int,
    block: np.ndarray,
    eta: np.ndarray,
    sums: np.ndarray,
    judged: bool,
) -> None:
    """Store `count` rows from `start` on standardized in `block` (p+1, width), zero beyond them.

    Adds w r^2 to `sums[0]` and, where the step is `judged`, the quasi-likelihood to `sums[1]`. `eta` is scratch.
    """
    p = len(place)
    for i in range(count):
        eta[i] = offset[start + i] if len(offset) else 0.0
    for j in range(p):
        own, middle, unit, slope = block[j], center[j], factor[j], beta[j]
        if place[j] >= 0:
            column = wide[place[j], start : start + count]
            for i in range(count):
                own[i] = (column[i] - middle) * unit
                eta[i] += own[i] * slope
        else:
            small = narrow[-1 - place[j], start : start + count]
            for i in range(count):
                own[i] = (small[i] - middle) * unit
                eta[i] += own[i] * slope
        for i in range(count, len(own)):
            own[i] = 0.0
    if judged:
        sums[1] += quasi_likelihood(code, y[start : start + count], w[start : start + count], eta[:count])
    residual, squares = block[p], 0.0
    for i in range(count, len(residual)):
        residual[i] = 0.0
    for i in range(count):
        mu, steep, variance = mean_parts(code, eta[i])
        unit = math.sqrt((w[start + i] if len(w) else 1.0) / variance)
        residual[i] = unit * (y[start + i] - mu)
        squares += residual[i] * residual[i]
        eta[i] = unit * steep
    sums[0] += squares
    for j in range(p):
        own = block[j]
        for i in range(count):
            own[i] *= eta[i]

"""One row of an estimating equation: mean, slope and variance by family and link, and the standardized row.

With mean mu, slope mu' = dmu/deta, variance function v and weight w, a row contributes the standardized covariates
sqrt(w) mu' x / sqrt(v) and the standardized residual sqrt(w) (y - mu) / sqrt(v) (Liang & Zeger 1986, section 2).
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


@nb.njit(cache=True)
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
def quasi_likelihood(code: float, y: float, w: float, eta: float) -> float:
    """Return the quasi-likelihood of a row at dispersion one (McCullagh & Nelder 1989, table 9.1)."""
    if code == GAUSSIAN:
        return -0.5 * w * (y - eta) * (y - eta)
    return derivatives(code, y, w, eta)[0]


@nb.njit(cache=True, fastmath=FAST)
def standard_unit(
    code: float,
    X: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
    offset: np.ndarray,
    beta: np.ndarray,
    i: int,
    sums: np.ndarray,
) -> tuple[float, float]:
    """Return the factor sqrt(w/v) mu' of row i and its standardized residual; add to `sums` w r^2 and Q."""
    eta = offset[i]
    for j in range(X.shape[1]):
        eta += X[i, j] * beta[j]
    mu, slope, variance = mean_parts(code, eta)
    unit = math.sqrt(w[i] / variance)
    residual = unit * (y[i] - mu)
    sums[0] += residual * residual
    sums[1] += quasi_likelihood(code, y[i], w[i], eta)
    return unit * slope, residual


@nb.njit(cache=True, fastmath=FAST)
def standardize(
    code: float,
    X: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
    offset: np.ndarray,
    beta: np.ndarray,
    i: int,
    row: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Store row i standardized in `row` (p+1; the residual last); add w r^2 and the quasi-likelihood to `sums`."""
    p = X.shape[1]
    factor, row[p] = standard_unit(code, X, y, w, offset, beta, i, sums)
    for j in range(p):
        row[j] = factor * X[i, j]


@nb.njit(cache=True)
def add_gram(gram: np.ndarray, rows: np.ndarray, count: int) -> None:
    """Add the cross-products of the first `count` rows to `gram`."""
    if count > 0:
        product = rows[:count].T @ rows[:count]
        for a in range(len(gram)):
            for b in range(len(gram)):
                gram[a, b] += product[a, b]

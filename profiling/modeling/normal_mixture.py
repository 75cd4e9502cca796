"""Mixtures of nearly normal distributions: what effects follow once the variance parameters are integrated out.

The distribution function of a part with mean m, standard deviation s and skewness g is Φ(u), u the Wilson-Hilferty
transform

    u = (6/g) [ (g z / 2 + 1)^{1/3} − 1 ] + g/6,   z = (b − m)/s,

which has mean, variance and skewness right to third order in g and is exact for g = 0 (Wilson & Hilferty 1931). The
mixture is Σ w_k Φ(u_k), its quantiles by a bracketed search (Rue, Martino & Chopin 2009, eq. 3).
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

SMALLEST_SKEWNESS = 1e-4
ROOT_STEPS, ROOT_TOLERANCE = 60, 1e-10
REACH = 12.0


@nb.njit(cache=True, inline="always")
def _part(z: float, g: float) -> float:
    """Φ of the transformed score."""
    u = z
    if abs(g) > SMALLEST_SKEWNESS:
        inside = 0.5 * g * z + 1.0
        if inside <= 0.0:
            return 0.0 if g > 0 else 1.0
        u = 6.0 / g * (inside ** (1.0 / 3.0) - 1.0) + g / 6.0
    return 0.5 * math.erfc(-u / math.sqrt(2.0))


@nb.njit(cache=True)
def _below(b: float, weight: np.ndarray, mean: np.ndarray, sd: np.ndarray, skewness: np.ndarray) -> float:
    total = 0.0
    for k in range(weight.shape[0]):
        total += weight[k] * _part((b - mean[k]) / sd[k], skewness[k])
    return total


@nb.njit(parallel=True, cache=True)
def mixture_distribution(
    weight: np.ndarray, mean: np.ndarray, sd: np.ndarray, skewness: np.ndarray, where: np.ndarray
) -> np.ndarray:
    """Return the probability of at most `where` (J) of each mixture; weight (K), the others (J, K)."""
    result = np.empty(mean.shape[0])
    for j in nb.prange(mean.shape[0]):
        result[j] = _below(where[j], weight, mean[j], sd[j], skewness[j])
    return result


@nb.njit(parallel=True, cache=True)
def mixture_quantiles(
    weight: np.ndarray, mean: np.ndarray, sd: np.ndarray, skewness: np.ndarray, probabilities: np.ndarray
) -> np.ndarray:
    """Return the quantiles (J, len(probabilities)) by the regula falsi of Illinois, which keeps its bracket."""
    result = np.empty((mean.shape[0], probabilities.shape[0]))
    for j in nb.prange(mean.shape[0]):
        for q in range(probabilities.shape[0]):
            low, high, widest = np.inf, -np.inf, 0.0
            for k in range(weight.shape[0]):
                low = min(low, mean[j, k] - REACH * sd[j, k])
                high = max(high, mean[j, k] + REACH * sd[j, k])
                widest = max(widest, sd[j, k])
            at_low, at_high, side = -probabilities[q], 1.0 - probabilities[q], 0
            b = 0.5 * (low + high)
            for step in range(ROOT_STEPS):
                # Every third step halves: the function has flat tails and, where sigma may be zero, a cliff.
                b = 0.5 * (low + high) if step % 3 == 0 else (low * at_high - high * at_low) / (at_high - at_low)
                value = _below(b, weight, mean[j], sd[j], skewness[j]) - probabilities[q]
                if value > 0.0:
                    high, at_high = b, value
                    if side == 1:
                        at_low *= 0.5
                    side = 1
                else:
                    low, at_low = b, value
                    if side == -1:
                        at_high *= 0.5
                    side = -1
                if abs(value) < ROOT_TOLERANCE or high - low < ROOT_TOLERANCE * widest:
                    break
            result[j, q] = b
    return result

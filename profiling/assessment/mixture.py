"""The posterior of a provider's effect with the model's parameters integrated out: a mixture over their lattice.

At each point k of a lattice of standard deviations (weight w_k) the effect has mean m_jk, standard deviation s_jk (beta
integrated) and skewness g_jk; its distribution function there is Φ(u), u the Wilson-Hilferty transform

    u = (6/g) [ (g z / 2 + 1)^{1/3} − 1 ] + g/6,   z = (b − m)/s,

which has mean, variance and skewness right to third order in g and is exact for g = 0 (Wilson & Hilferty 1931). The
posterior is Σ w_k Φ(u_k), its quantiles by bracketed Newton steps (Rue, Martino & Chopin 2009, eq. 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.posterior import Posterior, standardized_moments

LEAST_SD = 1e-9  # the effect at a standard deviation of zero, as a very narrow normal
LARGEST_SKEWNESS = 1.5
SMALLEST_SKEWNESS = 1e-4
ROOT_STEPS, ROOT_TOLERANCE = 60, 1e-10
REACH = 12.0


@dataclass(frozen=True)
class EffectMixture:
    """Weights (K,) of the lattice's points; mean, sd and skewness (J, K) of each provider's effect at each."""

    weight: Floats
    mean: Floats
    sd: Floats
    skewness: Floats


def gaussian_mixture(weight: Floats, mean: Floats, sd: Floats) -> EffectMixture:
    """A mixture whose parts are normal."""
    return EffectMixture(weight, mean, np.maximum(sd, LEAST_SD), np.zeros_like(mean))


def logistic_mixture(
    weight: Floats,
    sigma: Floats,
    mode: Floats,
    sd_beta: Floats,
    eta: Floats,
    observed: Floats,
    starts: Integers,
) -> EffectMixture:
    """A mixture whose parts have the exact moments of one logistic random intercept.

    The shape (mean less mode, sd, third moment) is tabulated at each sigma (K,) and the estimated coefficients, eta
    (n,) sorted by provider; mode (J, K) and the variance that beta adds come from the lattice: sd_beta² − sd².
    """
    mean, sd, skewness = (np.empty_like(mode) for _ in range(3))
    for k, scale in enumerate(sigma):
        if scale <= 0.0:
            mean[:, k], sd[:, k], skewness[:, k] = mode[:, k], np.maximum(sd_beta[:, k], LEAST_SD), 0.0
            continue
        _, curvature, centre, spread, third = standardized_moments(eta, observed, starts, float(scale), mode[:, k])
        total = np.sqrt((curvature * spread) ** 2 + np.maximum(sd_beta[:, k] ** 2 - curvature**2, 0.0))
        mean[:, k] = mode[:, k] + curvature * centre
        sd[:, k] = total
        skewness[:, k] = third * (curvature * spread / total) ** 3
    return EffectMixture(weight, mean, sd, np.clip(skewness, -LARGEST_SKEWNESS, LARGEST_SKEWNESS))


def mixture_posterior(mixture: EffectMixture, norm: Floats, probabilities: tuple[float, ...]) -> Posterior:
    """Mean, sd, quantiles (J, len(probabilities)) and the probability to lie above `norm` (J,)."""
    weight = mixture.weight
    mean = mixture.mean @ weight
    variance = (np.square(mixture.sd) + np.square(mixture.mean - mean[:, None])) @ weight
    quantiles = _quantiles(weight, mixture.mean, mixture.sd, mixture.skewness, np.asarray(probabilities))
    above = 1.0 - _distribution(weight, mixture.mean, mixture.sd, mixture.skewness, norm)
    return Posterior(mean, np.sqrt(variance), quantiles, above)


def draw_effects(mixture: EffectMixture, generator: np.random.Generator) -> Floats:
    """One draw of every effect (J,) from one point of the lattice: effects share the parameters they depend on."""
    k = int(generator.choice(len(mixture.weight), p=mixture.weight))
    normal = generator.standard_normal(len(mixture.mean))
    skew = mixture.skewness[:, k]
    safe = np.where(np.abs(skew) < SMALLEST_SKEWNESS, SMALLEST_SKEWNESS, skew)
    bent = 2.0 / safe * ((safe / 6.0 * (normal - safe / 6.0) + 1.0) ** 3 - 1.0)
    return np.asarray(mixture.mean[:, k] + mixture.sd[:, k] * bent)


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _part(z: float, g: float) -> float:
    """Φ of the transformed score."""
    u = z
    if abs(g) > SMALLEST_SKEWNESS:
        inside = 0.5 * g * z + 1.0
        if inside <= 0.0:
            return 0.0 if g > 0 else 1.0
        u = 6.0 / g * (inside ** (1.0 / 3.0) - 1.0) + g / 6.0
    return 0.5 * math.erfc(-u / math.sqrt(2.0))


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _below(b: float, weight: Any, mean: Any, sd: Any, skewness: Any) -> float:
    total = 0.0
    for k in range(weight.shape[0]):
        total += weight[k] * _part((b - mean[k]) / sd[k], skewness[k])
    return total


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _distribution(weight: Any, mean: Any, sd: Any, skewness: Any, where: Any) -> Any:
    result = np.empty(mean.shape[0])
    for j in numba.prange(mean.shape[0]):
        result[j] = _below(where[j], weight, mean[j], sd[j], skewness[j])
    return result


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _quantiles(weight: Any, mean: Any, sd: Any, skewness: Any, probabilities: Any) -> Any:
    """Quantiles by the regula falsi of Illinois, which keeps its bracket."""
    result = np.empty((mean.shape[0], probabilities.shape[0]))
    for j in numba.prange(mean.shape[0]):
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

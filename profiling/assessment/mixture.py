"""The posterior of a provider's effect with the model's parameters integrated out: a mixture over their lattice.

At each point k of a lattice of standard deviations (weight w_k) the effect has mean m_jk, standard deviation s_jk (beta
integrated) and skewness g_jk; see `profiling.modeling.normal_mixture`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.posterior import Posterior, standardized_moments
from profiling.modeling.normal_mixture import SMALLEST_SKEWNESS, mixture_distribution, mixture_quantiles

LEAST_SD = 1e-9  # the effect at a standard deviation of zero, as a very narrow normal
LARGEST_SKEWNESS = 1.5


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
    quantiles = mixture_quantiles(weight, mixture.mean, mixture.sd, mixture.skewness, np.asarray(probabilities))
    above = 1.0 - mixture_distribution(weight, mixture.mean, mixture.sd, mixture.skewness, norm)
    return Posterior(mean, np.sqrt(variance), quantiles, above)


def draw_effects(mixture: EffectMixture, generator: np.random.Generator) -> Floats:
    """One draw of every effect (J,) from one point of the lattice: effects share the parameters they depend on."""
    k = int(generator.choice(len(mixture.weight), p=mixture.weight))
    normal = generator.standard_normal(len(mixture.mean))
    skew = mixture.skewness[:, k]
    safe = np.where(np.abs(skew) < SMALLEST_SKEWNESS, SMALLEST_SKEWNESS, skew)
    bent = 2.0 / safe * ((safe / 6.0 * (normal - safe / 6.0) + 1.0) ** 3 - 1.0)
    return np.asarray(mixture.mean[:, k] + mixture.sd[:, k] * bent)

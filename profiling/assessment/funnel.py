"""Funnel limits: which observed number would chance allow at a given expected number (Spiegelhalter 2005,
Stat Med 24).

The limits of a report are smooth in E and separate providers as the exact mid-p test does. For a binary
outcome the count of a provider with expected number E is taken as a shifted binomial with the first three
cumulants of the cohort: mean E, variance E·Σp(1−p)/Σp, third cumulant E·Σp(1−p)(1−2p)/Σp; the mid-p
distribution function ½[F(k − 1) + F(k)] is continued between the integers by the incomplete beta function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from profiling.assessment.bisection import rising_root
from profiling.assessment.fitted import Floats


@dataclass(frozen=True)
class EventShape:
    """Variance and third cumulant of a count of events, each per expected event; (1, 1) is Poisson."""

    variance: float
    skewness: float

    @staticmethod
    def of(probabilities: Floats) -> EventShape:
        """The shape of a cohort with these risks (n,)."""
        spread = probabilities * (1.0 - probabilities)
        total = max(float(probabilities.sum()), 1e-300)
        return EventShape(float(spread.sum()) / total, float((spread * (1.0 - 2.0 * probabilities)).sum()) / total)

    def raised(self, ratio: float) -> EventShape:
        """The shape when every risk is multiplied by `ratio` (as far as risks of one size tell it)."""
        risk = min(ratio * (1.0 - self.variance), 1.0 - 1e-9)
        lifted = 1.0 - risk
        return EventShape(lifted, lifted * (1.0 - 2.0 * risk)) if self.variance < 1.0 else self


POISSON = EventShape(1.0, 1.0)


def smooth_mid_p(count: Floats, expected: Floats, shape: EventShape) -> Floats:
    """P(X < k) + ½ P(X = k), continued to any k ≥ 0, for counts with the given expected number and shape."""
    return 0.5 * (smooth_lower(count - 1.0, expected, shape) + smooth_lower(count, expected, shape))


def smooth_upper_mid_p(count: Floats, expected: Floats, shape: EventShape) -> Floats:
    """P(X > k) + ½ P(X = k), likewise, with all its digits however small."""
    return 0.5 * (_smooth(count - 1.0, expected, shape, True) + _smooth(count, expected, shape, True))


def smooth_lower(count: Floats, expected: Floats, shape: EventShape) -> Floats:
    """P(X ≤ k), likewise."""
    return _smooth(count, expected, shape, False)


def _smooth(count: Floats, expected: Floats, shape: EventShape, upper: bool) -> Floats:
    """P(X ≤ k), or P(X > k)."""
    risk = 0.5 * (1.0 - shape.skewness / shape.variance) if shape.variance > 0 else 1.0
    if risk < 1e-9:
        return _poisson(count, expected, upper)
    size = shape.variance * expected / (risk * (1.0 - risk)) if risk < 1.0 else expected
    return _binomial(count - (expected - size * risk), size, risk, upper)


def smooth_limits(expected: npt.ArrayLike, probability: npt.ArrayLike, shape: EventShape) -> tuple[Floats, Floats]:
    """Limits of the observed number with `probability` outside, half on each side; lower 0: no limit."""
    mean = np.asarray(expected, dtype=np.float64)
    tail, ceiling = np.asarray(probability, dtype=np.float64) / 2.0, 8.0 * mean + 60.0 * np.sqrt(mean) + 100.0
    lower = rising_root(lambda count: smooth_mid_p(count, mean, shape) - tail, np.zeros_like(mean), mean)
    upper = rising_root(lambda count: tail - smooth_upper_mid_p(count, mean, shape), mean, ceiling)
    none = smooth_mid_p(np.zeros_like(mean), mean, shape) >= tail
    return np.where(none, 0.0, lower), upper


def poisson_limit(expected: npt.ArrayLike, probability: float) -> Floats:
    """Exact interpolated Poisson limit of O/E at cumulative p: (r − (F(r) − p)/f(r))/E, r = F⁻¹(p)."""
    mean = np.asarray(expected, dtype=np.float64)
    count = stats.poisson.ppf(probability, mean)
    excess = (stats.poisson.cdf(count, mean) - probability) / stats.poisson.pmf(count, mean)
    return np.maximum(count - excess, 0.0) / mean


def binomial_limit(rate: float, n: npt.ArrayLike, probability: float) -> Floats:
    """Exact interpolated binomial limit of a proportion with the norm `rate` at cumulative p."""
    size = np.asarray(n, dtype=np.float64)
    count = stats.binom.ppf(probability, size, rate)
    excess = (stats.binom.cdf(count, size, rate) - probability) / stats.binom.pmf(count, size, rate)
    return np.maximum(count - excess, 0.0) / size


def chi_square_limit(expected: npt.ArrayLike, level: float) -> tuple[Floats, Floats]:
    """NHS England's Poisson limits of O/E: the exact chi-square limits of an observed number E, over E."""
    mean, tail = np.asarray(expected, dtype=np.float64), (1.0 - level) / 2.0
    return special.gammaincinv(mean, tail) / mean, special.gammainccinv(mean + 1.0, tail) / mean


def log_normal_limits(variance_per_expected: float, expected: Floats, probability: float) -> tuple[Floats, Floats]:
    """Limits of a ratio whose logarithm has the variance `variance_per_expected`/E (continuous outcomes)."""
    half = -special.ndtri(probability / 2.0) * np.sqrt(variance_per_expected / expected)
    return np.exp(-half), np.exp(half)


def _poisson(count: Floats, mean: Floats, upper: bool) -> Floats:
    inside = np.maximum(count, -1.0 + 1e-12) + 1.0
    value = special.gammainc(inside, mean) if upper else special.gammaincc(inside, mean)
    return np.where(count <= -1.0, float(upper), value)


def _binomial(count: Floats, size: Floats, risk: float, upper: bool) -> Floats:
    inside = np.clip(count, -1.0 + 1e-12, size - 1e-12)
    ends = inside + 1.0, np.maximum(size - inside, 1e-12)
    value = special.betainc(*ends, risk) if upper else special.betaincc(*ends, risk)
    return np.where(count <= -1.0, float(upper), np.where(count >= size, float(not upper), value))

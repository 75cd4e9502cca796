"""Intervals of a Poisson mean and of a proportion; observed counts and sizes may be arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from profiling.assessment.bisection import rising_root
from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.poisson_binomial import shift_limits

Bounds = tuple[Floats, Floats]


def poisson_exact(observed: npt.ArrayLike, level: float = 0.95) -> Bounds:
    """Exact limits of a Poisson mean (Garwood 1936): χ²_{α/2}(2O)/2 and χ²_{1−α/2}(2(O+1))/2."""
    count, tail = np.asarray(observed, dtype=np.float64), (1.0 - level) / 2.0
    # gammaincinv is the chi-square quantile without scipy.stats' overhead; O = 0 has the lower limit 0.
    lower = np.where(count > 0, special.gammaincinv(np.maximum(count, 1e-300), tail), 0.0)
    return lower, np.asarray(special.gammainccinv(count + 1.0, tail), dtype=np.float64)


def poisson_mid_p(observed: npt.ArrayLike, level: float = 0.95) -> Bounds:
    """Mid-p limits of a Poisson mean: the means at which P(X > O) + ½P(X = O), and its mirror, equal α/2."""
    count, tail = np.asarray(observed, dtype=np.float64), (1.0 - level) / 2.0
    exact_lower, exact_upper = poisson_exact(count, level)
    positive = np.maximum(count, 1e-300)

    def at_least(mean: Floats) -> Floats:
        beyond = np.where(count > 0, special.gammainc(positive, mean), 1.0)
        return np.asarray(0.5 * (special.gammainc(count + 1.0, mean) + beyond), dtype=np.float64)

    lower = rising_root(lambda mean: at_least(mean) - tail, exact_lower, count)
    upper = rising_root(lambda mean: tail - (1.0 - at_least(mean)), count, exact_upper)
    return np.where(count > 0, lower, 0.0), upper


def byar(observed: npt.ArrayLike, level: float = 0.95) -> Bounds:
    """Byar's approximation of the exact Poisson limits (Breslow & Day 1987)."""
    count, z = np.asarray(observed, dtype=np.float64), stats.norm.isf((1.0 - level) / 2.0)
    safe, more = np.maximum(count, 1.0), count + 1.0
    lower = np.where(count > 0, safe * (1.0 - 1.0 / (9.0 * safe) - z / (3.0 * np.sqrt(safe))) ** 3, 0.0)
    return np.maximum(lower, 0.0), more * (1.0 - 1.0 / (9.0 * more) + z / (3.0 * np.sqrt(more))) ** 3


def wilson(observed: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> Bounds:
    """Wilson's score limits of a proportion (Wilson 1927)."""
    size, z = np.asarray(n, dtype=np.float64), stats.norm.isf((1.0 - level) / 2.0)
    rate = np.asarray(observed, dtype=np.float64) / size
    centre = (rate + z**2 / (2.0 * size)) / (1.0 + z**2 / size)
    half = z * np.sqrt(rate * (1.0 - rate) / size + z**2 / (4.0 * size**2)) / (1.0 + z**2 / size)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def clopper_pearson(observed: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> Bounds:
    """Exact limits of a proportion (Clopper & Pearson 1934)."""
    count, size = np.asarray(observed, dtype=np.float64), np.asarray(n, dtype=np.float64)
    tail = (1.0 - level) / 2.0
    lower = special.betaincinv(np.maximum(count, 0.5), size - count + 1.0, tail)
    upper = special.betaincinv(count + 1.0, np.maximum(size - count, 0.5), 1.0 - tail)
    return np.where(count > 0, lower, 0.0), np.where(count < size, upper, 1.0)


def binomial_mid_p(observed: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> Bounds:
    """Mid-p limits of a proportion: the rates at which P(X > O) + ½P(X = O), and its mirror, equal α/2."""
    count, size = np.broadcast_arrays(np.asarray(observed, dtype=np.float64), np.asarray(n, dtype=np.float64))
    tail = (1.0 - level) / 2.0
    exact_lower, exact_upper = clopper_pearson(count, size, level)

    def at_least(rate: Floats) -> Floats:
        from_here = np.where(count > 0, special.betainc(np.maximum(count, 0.5), size - count + 1.0, rate), 1.0)
        beyond = np.where(count < size, special.betainc(count + 1.0, np.maximum(size - count, 0.5), rate), 0.0)
        return np.asarray(0.5 * (from_here + beyond), dtype=np.float64)

    lower = rising_root(lambda rate: at_least(rate) - tail, exact_lower, exact_upper)
    upper = rising_root(lambda rate: at_least(rate) - (1.0 - tail), exact_lower, exact_upper)
    return np.where(count > 0, lower, 0.0), np.where(count < size, upper, 1.0)


def poisson_binomial_limits(
    probabilities: Floats, starts: Integers, observed: npt.ArrayLike, level: float = 0.95
) -> Bounds:
    """Exact mid-p limits of O/E for patients of unequal risk, in which a provider multiplies everybody's odds.

    The limits are Σp(b)/Σp at the shifts b of the log-odds at which the mid-p of O is α/2 on either side.
    `probabilities` (n,) sorted by provider, `starts` (J + 1,), `observed` (J,). O = 0 has the lower limit 0, O = n the
    upper limit n/E.
    """
    count, size = np.asarray(observed, dtype=np.float64), np.diff(starts)
    shifts = shift_limits(special.logit(probabilities), starts, np.rint(count).astype(np.int64), (1.0 - level) / 2.0)
    scores, mean = special.logit(probabilities), np.add.reduceat(probabilities, starts[:-1])
    lower, upper = (
        np.add.reduceat(special.expit(scores + np.repeat(shift, size)), starts[:-1]) / mean for shift in shifts
    )
    return np.where(count > 0, lower, 0.0), np.where(count < size, upper, size / mean)

"""Rules of established systems by their names: SRTR's gamma posterior and AHRQ's smoothed rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from profiling.assessment.fitted import Floats

SRTR_PRIOR = 2.0
SRTR_CRITERIA = ((1.2, 0.75), (2.5, 0.10))
ITERATIONS = 200


def srtr_hazard_ratio(observed: npt.ArrayLike, expected: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Mean and 95 % limits of the hazard ratio, whose posterior is Gamma(O + 2, rate E + 2) (Salkowski et al. 2014)."""
    shape, rate = _gamma(observed, expected)
    return shape / rate, special.gammaincinv(shape, 0.025) / rate, special.gammainccinv(shape, 0.025) / rate


def srtr_beyond(observed: npt.ArrayLike, expected: npt.ArrayLike, ratio: float) -> Floats:
    """Posterior probability that the hazard ratio is above `ratio`."""
    shape, rate = _gamma(observed, expected)
    return np.asarray(special.gammaincc(shape, rate * ratio), dtype=np.float64)


def srtr_flag(observed: npt.ArrayLike, expected: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Flagged for review: P(ratio > 1.2) > .75 or P(ratio > 2.5) > .10. There is no flag on the lower side."""
    beyond = [srtr_beyond(observed, expected, ratio) > probability for ratio, probability in SRTR_CRITERIA]
    return np.logical_or(*beyond)


def _gamma(observed: npt.ArrayLike, expected: npt.ArrayLike) -> tuple[Floats, Floats]:
    count, mean = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    return count + SRTR_PRIOR, mean + SRTR_PRIOR


@dataclass(frozen=True)
class SmoothedRate:
    """AHRQ's risk-adjusted and smoothed rates (J,) with their standard errors and the weight of the own data."""

    risk_adjusted: Floats
    standard_error: Floats
    weight: Floats
    smoothed: Floats
    smoothed_standard_error: Floats


def ahrq_rates(
    observed: npt.ArrayLike,
    expected: npt.ArrayLike,
    variance: npt.ArrayLike,
    n: npt.ArrayLike,
    reference_rate: float,
    signal_variance: float | None = None,
) -> SmoothedRate:
    """AHRQ Quality Indicators: (O/E)·α, its error (α/E)·√Σe(1−e), and both drawn toward α by sv/(sv + SE²).

    O and E are here numbers of events, `variance` Σe(1 − e), n cases, α `reference_rate`. Without a published
    `signal_variance` that of these providers is used (`ahrq_signal_variance`). The rates are those per case: the
    published formula divides both O and E by n.
    """
    events, mean, spread = (np.asarray(v, dtype=np.float64) for v in (observed, expected, variance))
    rate, error = events / mean * reference_rate, reference_rate / mean * np.sqrt(spread)
    signal = ahrq_signal_variance(rate, error, reference_rate) if signal_variance is None else signal_variance
    weight = signal / (signal + error**2)
    smoothed = weight * rate + (1.0 - weight) * reference_rate
    return SmoothedRate(rate, error, weight, smoothed, np.sqrt(signal * (1.0 - weight)))


def ahrq_signal_variance(rate: Floats, standard_error: Floats, reference_rate: float) -> float:
    """Variance of the true rates: the weighted mean of (RAR − α)² − SE² with weights 1/(sv + SE²)², iterated."""
    excess, signal = (rate - reference_rate) ** 2 - standard_error**2, float(np.var(rate))
    for _ in range(ITERATIONS):
        weight = 1.0 / (signal + standard_error**2) ** 2
        signal = max(float((weight * excess).sum() / weight.sum()), 0.0)
    return signal

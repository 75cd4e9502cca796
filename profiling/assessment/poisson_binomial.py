"""The exact distribution of the number of events among independent patients of unequal risk.

The probabilities come from the recursion f_i(k) = (1 − p_i) f_{i−1}(k) + p_i f_{i−1}(k − 1), all of whose
terms are positive: relative errors stay below some n · 1e-16 far into the tails (Hong 2013, Comput Stat Data
Anal 59). Counts whose probability falls below 1e-290 are left out of the recursion, so that n patients cost n
times some tens of standard deviations and what is lost in all is below n times that figure. A provider with more
than 20,000 patients is computed by tilted Fourier transforms instead (`profiling.assessment.tilting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from scipy import special

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.tilting import convolved, tails

RECURSION_UP_TO = 20_000
SMALLEST = 1e-290
WIDEST_SHIFT, HALVINGS = 40.0, 60


@dataclass(frozen=True)
class ExactTest:
    """Observed counts against their exact null distribution, one element a provider.

    below, point, above: P(X < O), P(X = O), P(X > O). null_watch, null_flag: the probability, if the norm
    holds, that the provider's two-sided mid-p falls below the two thresholds.
    """

    below: Floats
    point: Floats
    above: Floats
    null_watch: Floats
    null_flag: Floats

    @property
    def lower_mid_p(self) -> Floats:
        """P(X < O) + ½ P(X = O)."""
        return self.below + 0.5 * self.point

    @property
    def upper_mid_p(self) -> Floats:
        """P(X > O) + ½ P(X = O)."""
        return self.above + 0.5 * self.point

    @property
    def two_sided_mid_p(self) -> Floats:
        """Twice the smaller of both, at most 1."""
        return np.minimum(1.0, 2.0 * np.minimum(self.lower_mid_p, self.upper_mid_p))

    @property
    def score(self) -> Floats:
        """Normal score of the mid-p, positive where more events were observed than expected."""
        lower, upper = self.lower_mid_p, self.upper_mid_p
        size = -special.ndtri(np.minimum(np.minimum(lower, upper), 0.5))
        return np.where(upper < lower, size, -size)


def exact_test(
    probabilities: Floats, starts: Integers, observed: npt.ArrayLike, watch: float = 0.05, flag: float = 0.002
) -> ExactTest:
    """Test every provider's observed count; `probabilities` (n,) sorted by provider, `starts` (J + 1,).

    Providers are shared among threads, each is computed by one: the result does not depend on the number of
    threads.
    """
    counts = np.rint(np.asarray(observed, dtype=np.float64)).astype(np.int64)
    small = np.diff(starts) <= RECURSION_UP_TO
    result = _test_providers(probabilities, starts, counts, small, watch, flag)
    for j in np.flatnonzero(~small):  # at most one for every 20,000 patients
        result[:, j] = _test_large(probabilities[starts[j] : starts[j + 1]], int(counts[j]), watch, flag)
    return ExactTest(*np.ascontiguousarray(result))


def limit_counts(
    probabilities: Floats, starts: Integers, lower_tail: Floats, upper_tail: Floats
) -> tuple[Integers, Integers]:
    """The most events whose lower mid-p, and the fewest whose upper mid-p, falls below its tail, (J, K) as the tails.

    probabilities (n,) sorted by provider, starts (J + 1,). −1, and n + 1, where no number does.
    """
    small = np.diff(starts) <= RECURSION_UP_TO
    most, least = _limit_counts(probabilities, starts, small, lower_tail, upper_tail)
    for j in np.flatnonzero(~small):  # at most one for every 20,000 patients
        mass = convolved(probabilities[starts[j] : starts[j + 1]])
        below = np.cumsum(mass) - 0.5 * mass
        above = np.cumsum(mass[::-1])[::-1] - 0.5 * mass
        most[j] = (below[:, None] < lower_tail[j]).sum(axis=0) - 1
        least[j] = len(mass) - (above[:, None] < upper_tail[j]).sum(axis=0)
    return most, least


def _test_large(probabilities: Floats, count: int, watch: float, flag: float) -> tuple[float, ...]:
    mass = convolved(probabilities)
    last = len(mass) - 1
    return (*tails(probabilities, count), _rejected(mass, 0, last, watch), _rejected(mass, 0, last, flag))


def pmf(probabilities: npt.ArrayLike) -> Floats:
    """P(X = 0), ..., P(X = n)."""
    p = np.asarray(probabilities, dtype=np.float64)
    f = np.zeros(len(p) + 2)
    _recursion(p, f, SMALLEST)
    return f[:-1]


def cdf(probabilities: npt.ArrayLike) -> Floats:
    """P(X ≤ 0), ..., P(X ≤ n)."""
    return np.minimum(np.cumsum(pmf(probabilities)), 1.0)


def survival(probabilities: npt.ArrayLike) -> Floats:
    """P(X ≥ 0), ..., P(X ≥ n), summed from the far end so that small tails keep their digits."""
    return np.minimum(np.cumsum(pmf(probabilities)[::-1])[::-1], 1.0)


def shift_limits(scores: Floats, starts: Integers, observed: Integers, tail: float) -> Floats:
    """Shifts (2, J) of the log-odds `scores` (n,) at which the upper mid-p of `observed` is `tail` and 1 − tail."""
    return np.asarray(_shift_limits(scores, starts, observed, tail), dtype=np.float64)


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _recursion(p: Any, f: Any, smallest: float) -> tuple[int, int]:
    """Fill f with the probabilities; returns the first and last count kept."""
    f[0] = 1.0
    low, high = 0, 0
    for i in range(p.shape[0]):
        event, none = p[i], 1.0 - p[i]
        f[high + 1] = f[high] * event
        for k in range(high, low, -1):
            f[k] = f[k] * none + f[k - 1] * event
        f[low] *= none
        if f[high + 1] > smallest:
            high += 1
        else:
            f[high + 1] = 0.0
        while low < high and f[low] < smallest:
            f[low] = 0.0
            low += 1
    return low, high


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _rejected(f: Any, low: int, high: int, threshold: float) -> float:
    """Probability of the counts whose two-sided mid-p is below the threshold."""
    total, tail = 0.0, 0.0
    for k in range(low, high + 1):
        if 2.0 * (tail + 0.5 * f[k]) >= threshold:
            break
        total, tail = total + f[k], tail + f[k]
    tail = 0.0
    for k in range(high, low - 1, -1):
        if 2.0 * (tail + 0.5 * f[k]) >= threshold:
            break
        total, tail = total + f[k], tail + f[k]
    return total


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _test_providers(p: Any, starts: Any, observed: Any, small: Any, watch: float, flag: float) -> Any:
    result = np.zeros((5, observed.shape[0]))
    for j in numba.prange(observed.shape[0]):
        if not small[j]:
            continue
        rows = p[starts[j] : starts[j + 1]]
        f = np.zeros(rows.shape[0] + 2)
        low, high = _recursion(rows, f, SMALLEST)
        count = observed[j]
        for k in range(low, min(count, high + 1)):
            result[0, j] += f[k]
        if low <= count <= high:
            result[1, j] = f[count]
        for k in range(high, max(count, low - 1), -1):
            result[2, j] += f[k]
        result[3, j] = _rejected(f, low, high, watch)
        result[4, j] = _rejected(f, low, high, flag)
    return result


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _limit_counts(p: Any, starts: Any, small: Any, lower_tail: Any, upper_tail: Any) -> Any:
    most = np.full(lower_tail.shape, -1, dtype=np.int64)
    least = np.zeros(lower_tail.shape, dtype=np.int64)
    for j in numba.prange(lower_tail.shape[0]):
        if not small[j]:
            continue
        rows = p[starts[j] : starts[j + 1]]
        f = np.zeros(rows.shape[0] + 2)
        low, high = _recursion(rows, f, SMALLEST)
        for t in range(lower_tail.shape[1]):
            # Counts beyond those kept have no probability: they lie beyond every limit.
            k, tail = low, 0.0
            while k <= high and tail + 0.5 * f[k] < lower_tail[j, t]:
                tail += f[k]
                k += 1
            most[j, t] = min(k, rows.shape[0]) - 1 if lower_tail[j, t] > 0.0 else -1
            k, tail = high, 0.0
            while k >= low and tail + 0.5 * f[k] < upper_tail[j, t]:
                tail += f[k]
                k -= 1
            least[j, t] = k + 1 if upper_tail[j, t] > 0.0 else rows.shape[0] + 1
    return most, least


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _shift_limits(scores: Any, starts: Any, observed: Any, tail: float) -> Any:
    result = np.empty((2, observed.shape[0]))
    for j in numba.prange(observed.shape[0]):
        rows, count = scores[starts[j] : starts[j + 1]], observed[j]
        for side in range(2):
            wanted, low, high = tail if side == 0 else 1.0 - tail, -WIDEST_SHIFT, WIDEST_SHIFT
            for _ in range(HALVINGS):
                middle = 0.5 * (low + high)
                f = np.zeros(rows.shape[0] + 2)
                _recursion(1.0 / (1.0 + np.exp(-(rows + middle))), f, SMALLEST)
                if f[count + 1 :].sum() + 0.5 * f[count] > wanted:
                    high = middle
                else:
                    low = middle
            result[side, j] = 0.5 * (low + high)
    return result

"""A provider by period, as the chart of its trend takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Cusum:
    """One CUSUM by period: its largest value, whether it passed its line there, and the line."""

    values: Floats
    passed: Bools
    line: float


@dataclass(frozen=True)
class Series:
    """A provider by period (k), in the order of time.

    `place`: number of the period, counted from the first (gaps are periods without cases). `limits` (k, 4): lower and
    upper limits of the ratio of each period, from the outer lower to the outer upper; `total_limits` (k, 4): those of
    the difference added up to its end. `more`, `fewer`: CUSUMs for more and fewer events, None where there are none.
    """

    period: Sequence[str]
    place: Floats
    observed: Floats
    expected: Floats
    limits: Floats
    total_limits: Floats
    more: Cusum | None = None
    fewer: Cusum | None = None

    @cached_property
    def ratio(self) -> Floats:
        """Observed over expected."""
        return self.observed / self.expected

    @cached_property
    def total(self) -> Floats:
        """Observed less expected, added up to the end of each period (k)."""
        return np.cumsum(self.observed - self.expected)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Where each period stands to its own limits."""
        low, inner_low, inner_high, high = self.limits.T
        conditions = [self.ratio > high, self.ratio > inner_high, self.ratio < low, self.ratio < inner_low]
        names = ["higher", "higher_watch", "lower", "lower_watch"]
        return tuple(str(name) for name in np.select(conditions, names, "as_expected"))

    @cached_property
    def runs(self) -> tuple[slice, ...]:
        """Stretches of periods that follow each other."""
        cuts = [0, *(np.flatnonzero(np.diff(self.place) > 1) + 1).tolist(), len(self.place)]
        return tuple(slice(a, b) for a, b in pairwise(cuts))

"""Covariates sorted by cluster, column by column, each in the fewest bytes that hold it exactly.

Indicators and small whole numbers take one byte, everything else eight. Nothing is centred or scaled in the store: a
pass does that on the way, on a few hundred rows that stay in the cache, so the design exists in no other copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numba as nb
import numpy as np

from profiling.modeling.fixed import Scaling

TILE = 4096
# Adding and taking away 1.5 x 2^52 leaves the nearest whole number.
_ROUNDS = 6755399441055744.0
_FAST = {"contract", "reassoc", "nsz"}


@dataclass(frozen=True)
class SortedColumns:
    """`wide` (P, n) float64 and `narrow` (Q, n) int8; column j of p is wide[place[j]] or narrow[-1 - place[j]]."""

    wide: np.ndarray
    narrow: np.ndarray
    place: np.ndarray

    def keep(self, kept: Sequence[int]) -> SortedColumns:
        """Return the columns at these positions, without a copy."""
        return replace(self, place=self.place[list(kept)])

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of every column (p), taken about the first row against cancellation."""
        n = self.wide.shape[1]
        first = np.array([self.wide[k, 0] if k >= 0 else float(self.narrow[-1 - k, 0]) for k in self.place])
        sums = np.zeros(((n + TILE - 1) // TILE, 2, len(self.place)))
        _partial_moments(self.wide, self.narrow, self.place, first, sums)
        away, squares = sums.sum(axis=0) / n
        return first + away, np.sqrt(np.maximum(squares - away**2, 0.0))

    def unusable(self, j: int) -> int:
        """Return how many values of column j are missing or infinite."""
        place = self.place[j]
        return int((~np.isfinite(self.wide[place])).sum()) if place >= 0 else 0

    def predict(self, scaling: Scaling, beta: np.ndarray) -> np.ndarray:
        """Return X beta (n) for the scaled columns X, as sorted."""
        eta = np.empty(self.wide.shape[1])
        _predict(self.wide, self.narrow, self.place, scaling.center, 1.0 / scaling.scale, beta, eta)
        return eta


def sort_columns(columns: Sequence[Any], order: np.ndarray) -> SortedColumns:
    """Return numeric columns (n each; arrays or series) in this order of rows; they are only read."""
    small = [_is_small(_read_only(column)) for column in columns]
    wide = np.empty((len(columns) - sum(small), len(order)))
    narrow = np.empty((sum(small), len(order)), dtype=np.int8)
    place = np.empty(len(columns), dtype=np.int64)
    filled = [0, 0]
    for j, (column, is_small) in enumerate(zip(columns, small, strict=True)):
        at = filled[is_small]
        if is_small:
            # One byte a row before they are gathered from all over: they then lie in the cache.
            _gather(np.asarray(column).astype(np.int8), order, narrow[at])
        else:
            _gather(_read_only(column), order, wide[at])
        place[j] = -1 - at if is_small else at
        filled[is_small] += 1
    return SortedColumns(wide, narrow, place)


def _read_only(column: Any) -> np.ndarray:
    """Return float64 numbers as one type for the compiler, whoever may write to them."""
    numbers = np.asarray(column, dtype=float).view()
    numbers.flags.writeable = False
    return numbers


@nb.njit(cache=True)
def _is_small(column: np.ndarray) -> bool:
    """Return whether every value is a whole number of one byte."""
    for start in range(0, len(column), TILE):
        part, good = column[start : start + TILE], 0
        for i in range(len(part)):
            good += ((part[i] + _ROUNDS) - _ROUNDS == part[i]) & (abs(part[i]) <= 127)
        if good < len(part):
            return False
    return True


@nb.njit(parallel=True, cache=True)
def _gather(column: np.ndarray, order: np.ndarray, out: np.ndarray) -> None:
    n = len(order)
    for t in nb.prange((n + TILE - 1) // TILE):
        for i in range(t * TILE, min(n, (t + 1) * TILE)):
            out[i] = column[order[i]]


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def _partial_moments(
    wide: np.ndarray, narrow: np.ndarray, place: np.ndarray, first: np.ndarray, sums: np.ndarray
) -> None:
    n = wide.shape[1]
    for t in nb.prange(len(sums)):
        start, stop = t * TILE, min(n, (t + 1) * TILE)
        for j in range(len(place)):
            sums[t, 0, j], sums[t, 1, j] = (
                _about(wide[place[j], start:stop], first[j])
                if place[j] >= 0
                else _about(narrow[-1 - place[j], start:stop], first[j])
            )


@nb.njit(cache=True, fastmath=_FAST)
def _about(values: np.ndarray, pilot: float) -> tuple[float, float]:
    """Return the sums of distances from `pilot` and of their squares."""
    total = squares = 0.0
    for i in range(len(values)):
        away = values[i] - pilot
        total += away
        squares += away * away
    return total, squares


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def _predict(
    wide: np.ndarray,
    narrow: np.ndarray,
    place: np.ndarray,
    center: np.ndarray,
    factor: np.ndarray,
    beta: np.ndarray,
    eta: np.ndarray,
) -> None:
    n = len(eta)
    for t in nb.prange((n + TILE - 1) // TILE):
        start, stop = t * TILE, min(n, (t + 1) * TILE)
        own = eta[start:stop]
        for i in range(len(own)):
            own[i] = 0.0
        for j in range(len(place)):
            slope = factor[j] * beta[j]
            if place[j] >= 0:
                column = wide[place[j], start:stop]
                for i in range(len(own)):
                    own[i] += (column[i] - center[j]) * slope
            else:
                small = narrow[-1 - place[j], start:stop]
                for i in range(len(own)):
                    own[i] += (small[i] - center[j]) * slope

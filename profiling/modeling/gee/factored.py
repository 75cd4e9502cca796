"""Clusters with a general correlation of occasions: a small banded Cholesky factor each.

m-dependent: the correlation of two rows depends on their lag and is zero beyond m, so the factor has m bands.
Unstructured and fixed: the correlation is read from a matrix over all occasions; a cluster takes its own rows of it.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.gee.rows import FAST


@nb.njit(cache=True)
def _correlation(table: np.ndarray, by_lag: bool, late: int, early: int) -> float:
    """Return the correlation of two occasions; `table` (1, m) by lag, or (occasions, occasions)."""
    if late == early:
        return 1.0
    if by_lag:
        lag = late - early
        return float(table[0, lag - 1]) if lag <= table.shape[1] else 0.0
    return float(table[late, early])


@nb.njit(cache=True, fastmath=FAST)
def _count_pair(
    table: np.ndarray, by_lag: bool, late: int, early: int, product: float, weight: float, sums: np.ndarray
) -> None:
    """Add a pair of rows to the products and the weights of its own parameter."""
    if by_lag:
        position = late - early - 1
        count = table.shape[1]
        if position >= count:
            return
    else:
        position = late * (late - 1) // 2 + early
        count = len(table) * (len(table) - 1) // 2
    sums[2 + position] += product
    sums[2 + count + position] += weight


@nb.njit(cache=True, fastmath=FAST)
def whiten_factored(
    table: np.ndarray,
    by_lag: bool,
    estimated: bool,
    w: np.ndarray,
    occasion: np.ndarray,
    first: int,
    size: int,
    block: np.ndarray,
    at: int,
    rows: np.ndarray,
    factor: np.ndarray,
    residual: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Whiten the cluster of `size` rows from row `first` on that stands in `block` (p+1, width) from column `at` on.

    `rows` (size, p+1), `factor` (size, bands+1), `residual` (size) are scratch. A correlation that is not positive
    definite leaves nan in `block`.
    """
    band = factor.shape[1] - 1
    for i in range(size):
        row, here = rows[i], occasion[first + i]
        for j in range(len(row)):
            row[j] = block[j, at + i]
        weight = w[first + i] if len(w) else 1.0
        residual[i] = math.sqrt(weight) * row[-1]
        low = max(0, i - band)
        for j in range(low, i + 1):
            there = occasion[first + j]
            total = _correlation(table, by_lag, here, there)
            if estimated and j < i:
                both = weight * (w[first + j] if len(w) else 1.0)
                _count_pair(table, by_lag, here, there, residual[i] * residual[j], both, sums)
            for k in range(max(low, j - band), j):
                total -= factor[i, k - i + band] * factor[j, k - j + band]
            if j < i:
                factor[i, j - i + band] = total / factor[j, band]
            else:
                factor[i, band] = math.sqrt(total) if total > 0 else np.nan
        for k in range(low, i):
            share = factor[i, k - i + band]
            for j in range(len(row)):
                row[j] -= share * rows[k, j]
        for j in range(len(row)):
            row[j] /= factor[i, band]
            block[j, at + i] = row[j]

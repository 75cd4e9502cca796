"""The blocks of H^-1 that belong to cells, read off the block elimination (see `blocks`)."""

from __future__ import annotations

import numba as nb
import numpy as np

from profiling.modeling.elimination import backward, forward
from profiling.modeling.sparse_columns import find


@nb.njit(cache=True)
def _entry(
    i: int,
    j: int,
    columns: int,
    core: np.ndarray,
    ptr: np.ndarray,
    rows: np.ndarray,
    pivot: np.ndarray,
    below: np.ndarray,
) -> float:
    """Return the entry (i, j) of a symmetric matrix stored as a core and sparse columns."""
    if i >= columns and j >= columns:
        return float(core[i - columns, j - columns])
    if i == j:
        return float(pivot[j])
    low, high = min(i, j), max(i, j)
    return float(below[find(rows, ptr[low], ptr[low + 1], high)])


@nb.njit(parallel=True, cache=True)
def invert_small(packed: np.ndarray, packed_ptr: np.ndarray, rest_ptr: np.ndarray, small: int, out: np.ndarray) -> None:
    """Store the inverse of every small component in `out`."""
    for c in nb.prange(len(rest_ptr) - 1):
        size = rest_ptr[c + 1] - rest_ptr[c]
        if 0 < size <= small:
            S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            V = out[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            for j in range(size):
                column = np.zeros(size)
                column[j] = 1.0
                forward(S, size, column)
                backward(S, size, column)
                V[:, j] = column


@nb.njit(parallel=True, cache=True)
def cell_covariance(
    D: np.ndarray,
    B: np.ndarray,
    level_ptr: np.ndarray,
    level_component: np.ndarray,
    rest_ptr: np.ndarray,
    packed_ptr: np.ndarray,
    inverse: np.ndarray,
    slot_ptr: np.ndarray,
    slot_rest: np.ndarray,
    sparse: np.ndarray,
    column_ptr: np.ndarray,
    column_rows: np.ndarray,
    diagonal: np.ndarray,
    below: np.ndarray,
    cell_slot: np.ndarray,
    V: np.ndarray,
) -> None:
    """Store the block of H^-1 that belongs to every cell's own levels in V (M, k, k)."""
    q0, kr = D.shape[1], cell_slot.shape[1]
    for g in nb.prange(len(level_ptr) - 1):
        c = level_component[g]
        first, columns = rest_ptr[c], sparse[c]
        core = rest_ptr[c + 1] - first - columns
        W = inverse[packed_ptr[c] : packed_ptr[c + 1]].reshape((core, core))
        ptr, diagonals = column_ptr[first : first + columns + 1], diagonal[first:]
        own = np.zeros((q0, q0))
        for j in range(q0):
            own[j, j] = 1.0
            forward(D[g], q0, own[:, j])
            backward(D[g], q0, own[:, j])
        start, count = slot_ptr[g], slot_ptr[g + 1] - slot_ptr[g]
        # V_0r = -B S^-1 for this level's slots, and V_00 = D^-1 + B S^-1 B' = D^-1 - V_0r B'.
        across = np.zeros((count, q0))
        for s in range(count):
            for t in range(s + 1):
                i, j = slot_rest[start + s] - first, slot_rest[start + t] - first
                w = _entry(i, j, columns, W, ptr, column_rows, diagonals, below)
                for a in range(q0):
                    across[s, a] -= B[start + t, a] * w
                    if t < s:
                        across[t, a] -= B[start + s, a] * w
        for s in range(count):
            for a in range(q0):
                for b in range(q0):
                    own[a, b] -= across[s, a] * B[start + s, b]
        for m in range(level_ptr[g], level_ptr[g + 1]):
            for a in range(q0):
                for b in range(q0):
                    V[m, a, b] = own[a, b]
            for b in range(kr):
                j = slot_rest[cell_slot[m, b]] - first
                for a in range(q0):
                    V[m, a, q0 + b] = across[cell_slot[m, b] - start, a]
                    V[m, q0 + b, a] = across[cell_slot[m, b] - start, a]
                for a in range(kr):
                    i = slot_rest[cell_slot[m, a]] - first
                    V[m, q0 + a, q0 + b] = _entry(i, j, columns, W, ptr, column_rows, diagonals, below)

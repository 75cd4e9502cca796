"""The elimination of one large component, in threads over its levels and over the rows of what is left.

The levels' own factors come first, each on its own; then every block of rows of S takes what all levels leave it, level
after level, so that each entry is summed in the same order however many threads there are.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from profiling.modeling.elimination import add_level, backward, factor_level
from profiling.modeling.sparse_columns import factor_columns

LEVELS_A_TILE = 128
ROW_BLOCKS = 8


def row_cuts(slot_ptr: np.ndarray, slot_rest: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return rows (ROW_BLOCKS + 1) of S between which about as many products fall; slots of one component alone.

    A slot makes as many products as slots of its level come up to it: `slot_rest` ascends within a level.
    """
    rank = np.arange(len(slot_rest)) - np.repeat(slot_ptr[:-1] - slot_ptr[0], np.diff(slot_ptr)) + 1
    work = np.cumsum(np.bincount(slot_rest - first, rank, minlength=last - first))
    cuts = np.searchsorted(work, work[-1] * np.arange(1, ROW_BLOCKS) / ROW_BLOCKS)
    return np.concatenate([[0], cuts, [last - first]]).astype(np.int64)


@nb.njit(parallel=True, cache=True)
def eliminate_large(
    A: np.ndarray,
    first_level: int,
    last_level: int,
    level_ptr: np.ndarray,
    first: int,
    columns: int,
    cuts: np.ndarray,
    S: np.ndarray,
    cell_rest: np.ndarray,
    cell_slot: np.ndarray,
    slot_ptr: np.ndarray,
    slot_rest: np.ndarray,
    column_ptr: np.ndarray,
    column_rows: np.ndarray,
    D: np.ndarray,
    B: np.ndarray,
    pivot: np.ndarray,
    below: np.ndarray,
) -> float:
    """Factor D, form B and the lower S (core, core), factor the sparse columns; return log of the share so far."""
    q0 = D.shape[1]
    size, core = cuts[-1], len(S)
    ptr, pivots = column_ptr[first : first + columns + 1], pivot[first:]
    tiles = (last_level - first_level + LEVELS_A_TILE - 1) // LEVELS_A_TILE
    log_determinant = np.zeros(tiles)
    for tile in nb.prange(tiles):
        start = first_level + tile * LEVELS_A_TILE
        total = 0.0
        for g in range(start, min(last_level, start + LEVELS_A_TILE)):
            total += factor_level(g, A, level_ptr, cell_slot, slot_ptr, D, B)
        log_determinant[tile] = total
    for block in nb.prange(ROW_BLOCKS):
        low, high = cuts[block], cuts[block + 1]
        for i in range(low, high):
            if i < columns:
                pivots[i] = 1.0
            else:
                for j in range(core):
                    S[i - columns, j] = 0.0
                S[i - columns, i - columns] = 1.0
        for j in range(columns):
            for e in range(ptr[j], ptr[j + 1]):
                if low <= column_rows[e] < high:
                    below[e] = 0.0
        for g in range(first_level, last_level):
            add_level(
                g,
                low,
                high,
                A,
                level_ptr,
                first,
                columns,
                cell_rest,
                slot_ptr,
                slot_rest,
                B,
                S,
                ptr,
                column_rows,
                pivots,
                below,
            )
    for g in nb.prange(first_level, last_level):
        for s in range(slot_ptr[g], slot_ptr[g + 1]):
            backward(D[g], q0, B[s])
    total = log_determinant.sum()
    if 0 < columns < size:  # columns alone, without a core, are solved by iteration
        total += factor_columns(ptr, column_rows, pivots, below, S)
    return float(total)

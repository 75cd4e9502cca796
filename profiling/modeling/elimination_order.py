"""In which order to eliminate the coefficients that are left: those that meet few others first, the rest as a block.

Two hospitals meet in the Schur complement where a physician works in both. Most hospitals meet few, and eliminating
these first (minimum degree on the quotient graph; George & Liu 1989) costs next to nothing and leaves a dense core that
is much smaller than the whole. Once the next coefficient meets more than a `DENSE`th of those left, the core begins.
Where the whole would be too large for a core, an order that takes too long to find is given up: so would its core be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from scipy import sparse

DENSE = 8  # dense tiles do some hundred times the operations a second that sparse columns do
MOST_PAIRS = 100_000_000  # of coefficients under one level: beyond that nothing about it is sparse
PATIENCE = 20_000  # neighbours looked at for each coefficient


@dataclass(frozen=True)
class Order:
    """Coefficients in the order of elimination, how many of them are sparse, and the rows of their columns.

    `order` (s) old indices; column j < `sparse` of the factor has the rows `rows[ptr[j] : ptr[j + 1]]`, new indices
    beyond j in ascending order.
    """

    order: np.ndarray
    sparse: int
    ptr: np.ndarray
    rows: np.ndarray


def elimination_order(level_ptr: np.ndarray, coefficients: np.ndarray, size: int, largest: float = np.inf) -> Order:
    """Return the order for `size` coefficients; those of one level (rows level_ptr[g] to level_ptr[g+1]) all meet.

    `coefficients` (cells, kr) from 0 to size - 1. Cores of up to `largest` coefficients are worth any search.
    """
    kr = coefficients.shape[1]
    met = np.square(np.diff(level_ptr).astype(float) * kr).sum()
    dense = Order(np.arange(size), 0, np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64))
    if met > MOST_PAIRS:
        return dense
    meets = meeting_graph(level_ptr, coefficients, size)
    if meets.nnz > size * size / DENSE:
        return dense
    indptr, indices = meets.indptr.astype(np.int64), meets.indices.astype(np.int64)
    patience = np.inf if size <= largest else PATIENCE * float(size)
    order, ptr, rows = _minimum_degree(indptr, indices, DENSE, patience)
    if not len(ptr):
        return dense
    new = np.empty(size, dtype=np.int64)
    new[order] = np.arange(size)
    rows = new[rows]
    column = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    return Order(order, len(ptr) - 1, ptr, rows[np.lexsort((rows, column))])


def meeting_graph(level_ptr: np.ndarray, coefficients: np.ndarray, size: int) -> Any:
    """Return who meets whom, without the diagonal (size, size)."""
    levels = np.repeat(np.arange(len(level_ptr) - 1), np.diff(level_ptr) * coefficients.shape[1])
    shape = (len(level_ptr) - 1, size)
    entries = np.ones(len(levels), dtype=np.int32)
    belongs: Any = sparse.csr_matrix((entries, (levels, coefficients.ravel())), shape=shape)
    meets = (belongs.T @ belongs).tocsr()
    meets.setdiag(0)
    meets.eliminate_zeros()
    meets.sort_indices()
    return meets


@nb.njit(cache=True)
def _minimum_degree(
    indptr: np.ndarray, indices: np.ndarray, dense: int, patience: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the order (s), and pointers and rows (old indices) of the columns that were eliminated sparsely.

    Pointers are empty where more than `patience` neighbours were looked at.
    Eliminated coefficients live on as elements, whose members all meet. A coefficient meets its old neighbours and the
    members of its elements; an element is absorbed by the next one that meets it, so that lists never grow.
    """
    size = len(indptr) - 1
    alive = np.ones(size, dtype=np.bool_)
    degree = indptr[1:] - indptr[:-1]
    # Coefficients of one degree form a doubly linked list.
    head, following, leading = np.full(size + 1, -1), np.full(size, -1), np.full(size, -1)
    for i in range(size - 1, -1, -1):
        _link(i, degree[i], head, following, leading)
    elements, count = np.empty(len(indices), dtype=np.int64), np.zeros(size, dtype=np.int64)
    absorbed, stamp, now = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.int64), 0
    order, ptr = np.empty(size, dtype=np.int64), np.zeros(size + 1, dtype=np.int64)
    rows = np.empty(max(4 * len(indices), 16), dtype=np.int64)
    done = 0
    lowest, looked_at = 0, 0
    while size - done > dense:
        while head[lowest] < 0:
            lowest += 1
        if lowest * dense > size - done:
            break
        i = head[lowest]
        _unlink(i, degree[i], head, following, leading)
        alive[i] = False
        if ptr[done] + size > len(rows):
            longer = np.empty(2 * len(rows) + size, dtype=np.int64)
            longer[: len(rows)] = rows
            rows = longer
        now += 1
        stamp[i] = now
        end = _union(i, alive, indptr, indices, elements, count, ptr, rows, stamp, now, ptr[done], True)
        for e in elements[indptr[i] : indptr[i] + count[i]]:
            absorbed[e] = True
        order[done], ptr[done + 1] = i, end
        for j in rows[ptr[done] : end]:
            kept = 0
            for e in elements[indptr[j] : indptr[j] + count[j]]:
                if not absorbed[e]:
                    elements[indptr[j] + kept] = e
                    kept += 1
            elements[indptr[j] + kept] = done
            count[j] = kept + 1
        for j in rows[ptr[done] : end]:
            now += 1
            stamp[j] = now
            _unlink(j, degree[j], head, following, leading)
            degree[j] = _union(j, alive, indptr, indices, elements, count, ptr, rows, stamp, now, 0, False)
            _link(j, degree[j], head, following, leading)
            lowest = min(lowest, degree[j])
            looked_at += degree[j] + indptr[j + 1] - indptr[j]
        if looked_at > patience:
            return order, ptr[:0].copy(), rows[:0].copy()
        done += 1
    place = done
    for i in range(size):
        if alive[i]:
            order[place] = i
            place += 1
    return order, ptr[: done + 1].copy(), rows[: ptr[done]].copy()


@nb.njit(cache=True)
def _union(
    i: int,
    alive: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    elements: np.ndarray,
    count: np.ndarray,
    ptr: np.ndarray,
    rows: np.ndarray,
    stamp: np.ndarray,
    now: int,
    end: int,
    store: bool,
) -> int:
    """Return `end` plus the number of coefficients that i meets, stored in `rows` from `end` on if asked."""
    for j in indices[indptr[i] : indptr[i + 1]]:
        if alive[j] and stamp[j] != now:
            stamp[j] = now
            if store:
                rows[end] = j
            end += 1
    for e in elements[indptr[i] : indptr[i] + count[i]]:
        for position in range(ptr[e], ptr[e + 1]):
            j = rows[position]
            if alive[j] and stamp[j] != now:
                stamp[j] = now
                if store:
                    rows[end] = j
                end += 1
    return end


@nb.njit(cache=True)
def _link(i: int, degree: int, head: np.ndarray, following: np.ndarray, leading: np.ndarray) -> None:
    following[i], leading[i] = head[degree], -1
    if head[degree] >= 0:
        leading[head[degree]] = i
    head[degree] = i


@nb.njit(cache=True)
def _unlink(i: int, degree: int, head: np.ndarray, following: np.ndarray, leading: np.ndarray) -> None:
    if leading[i] >= 0:
        following[leading[i]] = following[i]
    else:
        head[degree] = following[i]
    if following[i] >= 0:
        leading[following[i]] = leading[i]

"""Rows of equal case mix in the same clusters joined into one, where that pays.

For binomial outcomes and counts with a log link the log-likelihood of a row is linear in its outcome, so rows with
equal covariates, offset and levels may stand as one with the sum of their weights and the weighted mean of their
outcomes: the same function of the parameters, exactly. The search goes over these rows; the result at the maximum is
made from all of them. Rows are told apart by a hash of their numbers' bits, and joined where all bits are equal.
"""

from __future__ import annotations

from dataclasses import replace

import numba as nb
import numpy as np

from profiling.modeling.columns import parts
from profiling.modeling.design import Design
from profiling.modeling.families import Family

LEAST_ROWS = 5_000  # a fit of fewer is over before rows are compared
SAMPLE = 32  # one in so many tiles of rows is looked at first
PAYS = 0.6  # share of rows left above which joining is not worth its cost
LINEAR = ("binomial", "poisson")
_FIRST, _PRIME, _LAST = np.uint64(14695981039346656037), np.uint64(1099511628211), np.uint64(0xFF51AFD7ED558CCD)


def collapse(design: Design, family: Family) -> Design:
    """Return the design with equal rows joined, which knows the `whole`; the design itself where that does not pay."""
    if family.name not in LINEAR or design.n < LEAST_ROWS:
        return design
    s = design.structure
    tiles = len(s.tile_ptr) - 1
    every = min(SAMPLE, tiles)
    rows, sample = np.diff(s.cell_ptr), np.zeros(s.n_cells, dtype=np.bool_)
    for tile in range(every // 2, tiles, every):
        sample[s.tile_ptr[tile] : s.tile_ptr[tile + 1]] = True
    for cells in (sample, np.ones_like(sample)):
        label, counts = np.full(design.n, -1, dtype=np.int64), np.zeros(s.n_cells, dtype=np.int64)
        _label(*parts(design.X), design.Z, design.offset, s.cell_ptr, s.tile_ptr, cells, label, counts)
        if counts[cells].sum() > PAYS * max(rows[cells].sum(), 1):
            return design
    return _joined(design, label, counts)


def _joined(design: Design, label: np.ndarray, counts: np.ndarray) -> Design:
    ptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    where = np.repeat(ptr[:-1], np.diff(design.structure.cell_ptr)) + label
    weights = np.bincount(where, design.weights, ptr[-1])
    total = np.bincount(where, design.weights * design.y, ptr[-1])
    first = np.empty(ptr[-1], dtype=np.int64)
    first[where[::-1]] = np.arange(design.n)[::-1]
    return replace(
        design,
        y=np.divide(total, weights, out=design.y[first], where=weights > 0),
        weights=weights,
        offset=design.offset[first],
        X=design.X[first],
        Z=design.Z[first] if len(design.Z) else design.Z,
        order=design.order[first],
        structure=replace(design.structure, cell_ptr=ptr),
        whole=design,
    )


@nb.njit(cache=True, inline="always")
def _mixed(state: np.uint64, value: float) -> np.uint64:
    # Zero has two signs and one meaning.
    bits = np.float64(value + 0.0).view(np.uint64)
    state = (state ^ bits) * _PRIME
    return state ^ (state >> np.uint64(29))


@nb.njit(cache=True)
def _same(X: np.ndarray, codes: np.ndarray, Z: np.ndarray, offset: np.ndarray, a: int, b: int) -> bool:
    if offset[a] != offset[b]:
        return False
    for j in range(X.shape[1]):
        if X[a, j] != X[b, j]:
            return False
    for f in range(codes.shape[1]):
        if codes[a, f] != codes[b, f]:
            return False
    if Z.shape[0] > 0:
        for j in range(Z.shape[1]):
            if Z[a, j] != Z[b, j]:
                return False
    return True


@nb.njit(parallel=True, cache=True)
def _label(
    X: np.ndarray,
    codes: np.ndarray,
    Z: np.ndarray,
    offset: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    cells: np.ndarray,
    label: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Number the different rows of each of the chosen `cells` (M) in `label` (n), in order of occurrence."""
    for tile in nb.prange(len(tile_ptr) - 1):
        for m in range(tile_ptr[tile], tile_ptr[tile + 1]):
            if not cells[m]:
                continue
            start, size = cell_ptr[m], cell_ptr[m + 1] - cell_ptr[m]
            slots = 4
            while slots < 2 * size:
                slots *= 2
            table = np.full(slots, -1, dtype=np.int64)
            found = 0
            for i in range(start, start + size):
                state = _mixed(_FIRST, offset[i])
                for j in range(X.shape[1]):
                    state = _mixed(state, X[i, j])
                for f in range(codes.shape[1]):
                    state = _mixed(state, np.float64(codes[i, f]))
                if Z.shape[0] > 0:
                    for j in range(Z.shape[1]):
                        state = _mixed(state, Z[i, j])
                state *= _LAST
                at = np.int64((state >> np.uint64(33)) & np.uint64(slots - 1))
                while table[at] >= 0 and not _same(X, codes, Z, offset, table[at], i):
                    at = (at + 1) & (slots - 1)
                if table[at] < 0:
                    table[at] = i
                    label[i] = found
                    found += 1
                else:
                    label[i] = label[table[at]]
            counts[m] = found

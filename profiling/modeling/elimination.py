"""Compiled kernels of the block elimination; `blocks.Factor` puts them together and holds the mathematics."""

from __future__ import annotations

import numba as nb
import numpy as np

from profiling.modeling.sparse_columns import find


@nb.njit(cache=True)
def cholesky(a: np.ndarray, n: int) -> float:
    """Overwrite the lower triangle of `a` with its Cholesky factor; return log|a|, nan if it is not positive."""
    log_determinant = 0.0
    for j in range(n):
        for e in range(j):
            for i in range(j, n):
                a[i, j] -= a[i, e] * a[j, e]
        if not a[j, j] > 0.0:
            return np.nan
        pivot = np.sqrt(a[j, j])
        log_determinant += 2.0 * np.log(pivot)
        for i in range(j, n):
            a[i, j] /= pivot
    return log_determinant


@nb.njit(cache=True)
def forward(lower: np.ndarray, n: int, x: np.ndarray) -> None:
    """Solve L x = b in place, L the lower triangle of `lower` (n, n)."""
    for i in range(n):
        for e in range(i):
            x[i] -= lower[i, e] * x[e]
        x[i] /= lower[i, i]


@nb.njit(cache=True)
def backward(lower: np.ndarray, n: int, x: np.ndarray) -> None:
    """Solve L'x = b in place."""
    for i in range(n - 1, -1, -1):
        for e in range(i + 1, n):
            x[i] -= lower[e, i] * x[e]
        x[i] /= lower[i, i]


@nb.njit(cache=True)
def add_entry(
    i: int,
    j: int,
    value: float,
    columns: int,
    core: np.ndarray,
    ptr: np.ndarray,
    rows: np.ndarray,
    pivot: np.ndarray,
    below: np.ndarray,
) -> None:
    """Add to the entry (i, j) of S, i >= j, in its core or in a sparse column."""
    if j >= columns:
        core[i - columns, j - columns] += value
    elif i == j:
        pivot[j] += value
    else:
        below[find(rows, ptr[j], ptr[j + 1], i)] += value


@nb.njit(cache=True)
def factor_level(
    g: int,
    A: np.ndarray,
    level_ptr: np.ndarray,
    cell_slot: np.ndarray,
    slot_ptr: np.ndarray,
    D: np.ndarray,
    B: np.ndarray,
) -> float:
    """Factor D = LL' of level g and store L^-1 C in B, so that C'D^-1 C is a plain product; return log|D|."""
    q0, kr = D.shape[1], cell_slot.shape[1]
    for a in range(q0):
        for b in range(q0):
            D[g, a, b] = 1.0 if a == b else 0.0
    for s in range(slot_ptr[g], slot_ptr[g + 1]):
        for a in range(q0):
            B[s, a] = 0.0
    for m in range(level_ptr[g], level_ptr[g + 1]):
        for a in range(q0):
            for b in range(q0):
                D[g, a, b] += A[m, a, b]
            for b in range(kr):
                B[cell_slot[m, b], a] += A[m, a, q0 + b]
    log_determinant = cholesky(D[g], q0)
    for s in range(slot_ptr[g], slot_ptr[g + 1]):
        forward(D[g], q0, B[s])
    return log_determinant


@nb.njit(cache=True)
def add_level(
    g: int,
    low: int,
    high: int,
    A: np.ndarray,
    level_ptr: np.ndarray,
    first: int,
    columns: int,
    cell_rest: np.ndarray,
    slot_ptr: np.ndarray,
    slot_rest: np.ndarray,
    B: np.ndarray,
    core: np.ndarray,
    ptr: np.ndarray,
    rows: np.ndarray,
    pivot: np.ndarray,
    below: np.ndarray,
) -> None:
    """Add what level g leaves to the rows low to high of S: its cells' blocks, less C'D^-1 C."""
    q0, kr = B.shape[1], cell_rest.shape[1]
    for m in range(level_ptr[g], level_ptr[g + 1]):
        for a in range(kr):
            i = cell_rest[m, a] - first
            if low <= i < high:
                for b in range(kr):
                    j = cell_rest[m, b] - first
                    if i >= j:
                        add_entry(i, j, A[m, q0 + a, q0 + b], columns, core, ptr, rows, pivot, below)
    for s in range(slot_ptr[g], slot_ptr[g + 1]):
        i = slot_rest[s] - first
        if low <= i < high:
            for t in range(slot_ptr[g], s + 1):
                dot = 0.0
                for e in range(q0):
                    dot += B[s, e] * B[t, e]
                add_entry(i, slot_rest[t] - first, -dot, columns, core, ptr, rows, pivot, below)


@nb.njit(parallel=True, cache=True)
def eliminate(
    A: np.ndarray,
    level_ptr: np.ndarray,
    component_ptr: np.ndarray,
    rest_ptr: np.ndarray,
    packed_ptr: np.ndarray,
    cell_rest: np.ndarray,
    cell_slot: np.ndarray,
    slot_ptr: np.ndarray,
    slot_rest: np.ndarray,
    column_ptr: np.ndarray,
    column_rows: np.ndarray,
    small: int,
    D: np.ndarray,
    B: np.ndarray,
    packed: np.ndarray,
    pivot: np.ndarray,
    below: np.ndarray,
    log_determinant: np.ndarray,
) -> None:
    """Factor D, form B and factor the lower S of every small component (for the large: `elimination_large`)."""
    q0 = D.shape[1]
    for c in nb.prange(len(component_ptr) - 1):
        first = rest_ptr[c]
        size = rest_ptr[c + 1] - first
        if size > small:
            continue
        S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
        S[:] = 0.0
        for i in range(size):
            S[i, i] = 1.0
        total = 0.0
        for g in range(component_ptr[c], component_ptr[c + 1]):
            total += factor_level(g, A, level_ptr, cell_slot, slot_ptr, D, B)
            if size > 0:
                add_level(
                    g,
                    0,
                    size,
                    A,
                    level_ptr,
                    first,
                    0,
                    cell_rest,
                    slot_ptr,
                    slot_rest,
                    B,
                    S,
                    column_ptr,
                    column_rows,
                    pivot,
                    below,
                )
            for s in range(slot_ptr[g], slot_ptr[g + 1]):
                backward(D[g], q0, B[s])
        if size > 0:
            total += cholesky(S, size)
        log_determinant[c] = total


@nb.njit(parallel=True, cache=True)
def eliminate_vector(
    D: np.ndarray,
    B: np.ndarray,
    component_ptr: np.ndarray,
    rest_ptr: np.ndarray,
    packed_ptr: np.ndarray,
    packed: np.ndarray,
    slot_ptr: np.ndarray,
    slot_rest: np.ndarray,
    small: int,
    x0: np.ndarray,
    xr: np.ndarray,
) -> None:
    """Turn right-hand sides into D^-1 x0 and the Schur system's right-hand side; solve the small components."""
    q0 = D.shape[1]
    for c in nb.prange(len(component_ptr) - 1):
        for g in range(component_ptr[c], component_ptr[c + 1]):
            for s in range(slot_ptr[g], slot_ptr[g + 1]):
                for a in range(q0):
                    xr[slot_rest[s]] -= B[s, a] * x0[g, a]
            forward(D[g], q0, x0[g])
            backward(D[g], q0, x0[g])
        size = rest_ptr[c + 1] - rest_ptr[c]
        if 0 < size <= small:
            S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            forward(S, size, xr[rest_ptr[c] : rest_ptr[c + 1]])
            backward(S, size, xr[rest_ptr[c] : rest_ptr[c + 1]])


@nb.njit(parallel=True, cache=True)
def substitute_back(B: np.ndarray, slot_ptr: np.ndarray, slot_rest: np.ndarray, x0: np.ndarray, xr: np.ndarray) -> None:
    """Take B x_r off the eliminated coefficients x0."""
    for g in nb.prange(len(slot_ptr) - 1):
        for s in range(slot_ptr[g], slot_ptr[g + 1]):
            for a in range(x0.shape[1]):
                x0[g, a] -= B[s, a] * xr[slot_rest[s]]


@nb.njit(parallel=True, cache=True)
def half_levels(
    D: np.ndarray,
    B: np.ndarray,
    component_ptr: np.ndarray,
    slot_ptr: np.ndarray,
    slot_rest: np.ndarray,
    U0: np.ndarray,
    Ur: np.ndarray,
) -> None:
    """Half-solve U0 by D and carry it over to the rest."""
    q0, p = D.shape[1], U0.shape[2]
    for c in nb.prange(len(component_ptr) - 1):
        for g in range(component_ptr[c], component_ptr[c + 1]):
            for s in range(slot_ptr[g], slot_ptr[g + 1]):
                for a in range(q0):
                    for j in range(p):
                        Ur[slot_rest[s], j] -= B[s, a] * U0[g, a, j]
            for i in range(q0):
                for e in range(i):
                    for j in range(p):
                        U0[g, i, j] -= D[g, i, e] * U0[g, e, j]
                for j in range(p):
                    U0[g, i, j] /= D[g, i, i]


@nb.njit(parallel=True, cache=True)
def half_small(packed: np.ndarray, packed_ptr: np.ndarray, rest_ptr: np.ndarray, small: int, Ur: np.ndarray) -> None:
    """Half-solve the small components' rows of Ur."""
    for c in nb.prange(len(rest_ptr) - 1):
        start = rest_ptr[c]
        size = rest_ptr[c + 1] - start
        if 0 < size <= small:
            S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            for i in range(size):
                for e in range(i):
                    for j in range(Ur.shape[1]):
                        Ur[start + i, j] -= S[i, e] * Ur[start + e, j]
                for j in range(Ur.shape[1]):
                    Ur[start + i, j] /= S[i, i]


@nb.njit(parallel=True, cache=True)
def rest_small(packed: np.ndarray, packed_ptr: np.ndarray, rest_ptr: np.ndarray, small: int, Cr: np.ndarray) -> None:
    """Finish the small components' rows of Cr."""
    for c in nb.prange(len(rest_ptr) - 1):
        start = rest_ptr[c]
        size = rest_ptr[c + 1] - start
        if 0 < size <= small:
            S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            for i in range(size - 1, -1, -1):
                for e in range(i + 1, size):
                    for j in range(Cr.shape[1]):
                        Cr[start + i, j] -= S[e, i] * Cr[start + e, j]
                for j in range(Cr.shape[1]):
                    Cr[start + i, j] /= S[i, i]


@nb.njit(parallel=True, cache=True)
def full_levels(
    D: np.ndarray, B: np.ndarray, slot_ptr: np.ndarray, slot_rest: np.ndarray, C0: np.ndarray, Xr: np.ndarray
) -> None:
    """Finish the eliminated rows from the solved rest."""
    q0, p = D.shape[1], C0.shape[2]
    for g in nb.prange(len(slot_ptr) - 1):
        for i in range(q0 - 1, -1, -1):
            for e in range(i + 1, q0):
                for j in range(p):
                    C0[g, i, j] -= D[g, e, i] * C0[g, e, j]
            for j in range(p):
                C0[g, i, j] /= D[g, i, i]
        for s in range(slot_ptr[g], slot_ptr[g + 1]):
            for a in range(q0):
                for j in range(p):
                    C0[g, a, j] -= B[s, a] * Xr[slot_rest[s], j]

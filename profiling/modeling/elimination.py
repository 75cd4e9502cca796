"""Compiled kernels of the block elimination; `blocks.Factor` puts them together and holds the mathematics."""

from __future__ import annotations

import numba as nb
import numpy as np


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


@nb.njit(parallel=True, cache=True)
def eliminate(
    A: np.ndarray,
    level_ptr: np.ndarray,
    component_ptr: np.ndarray,
    rest_ptr: np.ndarray,
    packed_ptr: np.ndarray,
    cell_rest: np.ndarray,
    small: int,
    D: np.ndarray,
    B: np.ndarray,
    packed: np.ndarray,
    log_determinant: np.ndarray,
) -> None:
    """Factor D, form B and S of every component, and factor the small S."""
    q0 = D.shape[1]
    kr = cell_rest.shape[1]
    for c in nb.prange(len(component_ptr) - 1):
        size = rest_ptr[c + 1] - rest_ptr[c]
        S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
        S[:] = 0.0
        for i in range(size):
            S[i, i] = 1.0
        total = 0.0
        for g in range(component_ptr[c], component_ptr[c + 1]):
            for a in range(q0):
                for b in range(q0):
                    D[g, a, b] = 1.0 if a == b else 0.0
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for a in range(q0):
                    for b in range(q0):
                        D[g, a, b] += A[m, a, b]
            total += cholesky(D[g], q0)
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    for a in range(q0):
                        B[m, a, b] = A[m, a, q0 + b]
                    forward(D[g], q0, B[m, :, b])
                for a in range(kr):
                    for b in range(kr):
                        S[cell_rest[m, a] - rest_ptr[c], cell_rest[m, b] - rest_ptr[c]] += A[m, q0 + a, q0 + b]
            # B holds L^-1 C here, so that C'D^-1 C is a plain product; the second half of the solve comes after.
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for n in range(level_ptr[g], level_ptr[g + 1]):
                    for a in range(kr):
                        for b in range(kr):
                            dot = 0.0
                            for e in range(q0):
                                dot += B[m, e, a] * B[n, e, b]
                            S[cell_rest[m, a] - rest_ptr[c], cell_rest[n, b] - rest_ptr[c]] -= dot
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    backward(D[g], q0, B[m, :, b])
        if 0 < size <= small:
            total += cholesky(S, size)
        log_determinant[c] = total


@nb.njit(parallel=True, cache=True)
def eliminate_vector(
    D: np.ndarray,
    B: np.ndarray,
    level_ptr: np.ndarray,
    component_ptr: np.ndarray,
    rest_ptr: np.ndarray,
    packed_ptr: np.ndarray,
    packed: np.ndarray,
    cell_rest: np.ndarray,
    small: int,
    x0: np.ndarray,
    xr: np.ndarray,
) -> None:
    """Turn right-hand sides into D^-1 x0 and the Schur system's right-hand side; solve the small components."""
    q0, kr = D.shape[1], cell_rest.shape[1]
    for c in nb.prange(len(component_ptr) - 1):
        for g in range(component_ptr[c], component_ptr[c + 1]):
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    for a in range(q0):
                        xr[cell_rest[m, b]] -= B[m, a, b] * x0[g, a]
            forward(D[g], q0, x0[g])
            backward(D[g], q0, x0[g])
        size = rest_ptr[c + 1] - rest_ptr[c]
        if 0 < size <= small:
            S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            forward(S, size, xr[rest_ptr[c] : rest_ptr[c + 1]])
            backward(S, size, xr[rest_ptr[c] : rest_ptr[c + 1]])


@nb.njit(parallel=True, cache=True)
def substitute_back(
    B: np.ndarray, level_ptr: np.ndarray, cell_rest: np.ndarray, x0: np.ndarray, xr: np.ndarray
) -> None:
    """Take B x_r off the eliminated coefficients x0."""
    q0, kr = B.shape[1], cell_rest.shape[1]
    for g in nb.prange(len(level_ptr) - 1):
        for m in range(level_ptr[g], level_ptr[g + 1]):
            for a in range(q0):
                for b in range(kr):
                    x0[g, a] -= B[m, a, b] * xr[cell_rest[m, b]]


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
    cell_rest: np.ndarray,
    V: np.ndarray,
) -> None:
    """Store the block of H^-1 that belongs to every cell's own levels in V (M, k, k)."""
    q0, kr = D.shape[1], cell_rest.shape[1]
    for g in nb.prange(len(level_ptr) - 1):
        c = level_component[g]
        size = rest_ptr[c + 1] - rest_ptr[c]
        W = inverse[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
        own = np.zeros((q0, q0))
        for j in range(q0):
            own[j, j] = 1.0
            forward(D[g], q0, own[:, j])
            backward(D[g], q0, own[:, j])
        for m in range(level_ptr[g], level_ptr[g + 1]):
            across = np.zeros((q0, kr))
            for n in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    for d in range(kr):
                        w = W[cell_rest[n, d] - rest_ptr[c], cell_rest[m, b] - rest_ptr[c]]
                        for a in range(q0):
                            across[a, b] -= B[n, a, d] * w
            for a in range(q0):
                for b in range(kr):
                    V[m, a, q0 + b] = across[a, b]
                    V[m, q0 + b, a] = across[a, b]
            for a in range(kr):
                for b in range(kr):
                    V[m, q0 + a, q0 + b] = W[cell_rest[m, a] - rest_ptr[c], cell_rest[m, b] - rest_ptr[c]]
            # V_00 = D^-1 + B S^-1 B', summed over this level's cells through V_0r = -B S^-1.
            for a in range(q0):
                for b in range(q0):
                    for d in range(kr):
                        own[a, b] -= across[a, d] * B[m, b, d]
        for m in range(level_ptr[g], level_ptr[g + 1]):
            V[m, :q0, :q0] = own


@nb.njit(parallel=True, cache=True)
def half_levels(
    D: np.ndarray,
    B: np.ndarray,
    level_ptr: np.ndarray,
    component_ptr: np.ndarray,
    cell_rest: np.ndarray,
    U0: np.ndarray,
    Ur: np.ndarray,
) -> None:
    """Half-solve U0 by D and carry it over to the rest."""
    q0, kr, p = D.shape[1], cell_rest.shape[1], U0.shape[2]
    for c in nb.prange(len(component_ptr) - 1):
        for g in range(component_ptr[c], component_ptr[c + 1]):
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    for a in range(q0):
                        for j in range(p):
                            Ur[cell_rest[m, b], j] -= B[m, a, b] * U0[g, a, j]
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
    D: np.ndarray, B: np.ndarray, level_ptr: np.ndarray, cell_rest: np.ndarray, C0: np.ndarray, Xr: np.ndarray
) -> None:
    """Finish the eliminated rows from the solved rest."""
    q0, kr, p = D.shape[1], cell_rest.shape[1], C0.shape[2]
    for g in nb.prange(len(level_ptr) - 1):
        for i in range(q0 - 1, -1, -1):
            for e in range(i + 1, q0):
                for j in range(p):
                    C0[g, i, j] -= D[g, e, i] * C0[g, e, j]
            for j in range(p):
                C0[g, i, j] /= D[g, i, i]
        for m in range(level_ptr[g], level_ptr[g + 1]):
            for a in range(q0):
                for b in range(kr):
                    for j in range(p):
                        C0[g, a, j] -= B[m, a, b] * Xr[cell_rest[m, b], j]

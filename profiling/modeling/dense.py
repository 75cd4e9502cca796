"""Cholesky factor and inverse of one big dense symmetric matrix, in threads over fixed tiles.

A threaded LAPACK gives other bits with other numbers of threads. Here every tile product is one single-threaded BLAS
call in a place and order that depend on the size alone (right-looking tile algorithm; Buttari et al. 2009).
Matrices are (n, n), C-contiguous; only lower triangles are read and written unless said otherwise.
"""

from __future__ import annotations

import numba as nb
import numpy as np

SIDE = 192


@nb.njit(cache=True)
def _small_cholesky(a: np.ndarray) -> bool:
    """Overwrite the lower triangle of `a` by its factor, row by row; False if it is not positive definite."""
    n = len(a)
    for i in range(n):
        for j in range(i + 1):
            total = a[i, j]
            for e in range(j):
                total -= a[i, e] * a[j, e]
            if i > j:
                a[i, j] = total / a[j, j]
            elif total > 0.0:
                a[i, i] = np.sqrt(total)
            else:
                return False
    return True


@nb.njit(cache=True)
def _small_inverse(lower: np.ndarray, out: np.ndarray) -> None:
    """Store the inverse of a lower triangle in `out`, zeros above."""
    n = len(lower)
    out[:] = 0.0
    for i in range(n):
        for e in range(i):
            for j in range(e + 1):
                out[i, j] -= lower[i, e] * out[e, j]
        out[i, i] = 1.0
        for j in range(i + 1):
            out[i, j] /= lower[i, i]


@nb.njit(parallel=True, cache=True)
def _factor(S: np.ndarray, inverses: np.ndarray) -> float:
    n = len(S)
    tiles = (n + SIDE - 1) // SIDE
    panel = np.empty((tiles, SIDE, SIDE))
    log_determinant = 0.0
    for k in range(tiles):
        start, stop = k * SIDE, min(n, (k + 1) * SIDE)
        diagonal = S[start:stop, start:stop].copy()
        if not _small_cholesky(diagonal):
            return np.nan
        for i in range(stop - start):
            log_determinant += 2.0 * np.log(diagonal[i, i])
            for j in range(i + 1):
                S[start + i, start + j] = diagonal[i, j]
        width = stop - start
        inverse = inverses[k, :width, :width]
        _small_inverse(diagonal, inverse)
        turned = np.ascontiguousarray(inverse).T
        for i in nb.prange(k + 1, tiles):
            a, b = i * SIDE, min(n, (i + 1) * SIDE)
            tile = np.dot(np.ascontiguousarray(S[a:b, start:stop]), turned)
            S[a:b, start:stop] = tile
            panel[i, : b - a, :width] = tile
        rest = tiles - k - 1
        for pair in nb.prange(rest * (rest + 1) // 2):
            row = int((np.sqrt(8.0 * pair + 1.0) - 1.0) / 2.0)
            while (row + 1) * (row + 2) // 2 <= pair:
                row += 1
            while row * (row + 1) // 2 > pair:
                row -= 1
            i, j = k + 1 + row, k + 1 + pair - row * (row + 1) // 2
            a, b, c, d = i * SIDE, min(n, (i + 1) * SIDE), j * SIDE, min(n, (j + 1) * SIDE)
            left = np.ascontiguousarray(panel[i, : b - a, :width])
            right = np.ascontiguousarray(panel[j, : d - c, :width])
            S[a:b, c:d] -= np.dot(left, right.T)
    return log_determinant


def cholesky(S: np.ndarray) -> tuple[float, np.ndarray]:
    """Overwrite the lower triangle of S by its factor; return log|S| (nan: not positive definite) and tile inverses."""
    inverses = np.zeros(((len(S) + SIDE - 1) // SIDE, SIDE, SIDE))
    return float(_factor(S, inverses)), inverses


@nb.njit(parallel=True, cache=True)
def _invert_factor(L: np.ndarray, inverses: np.ndarray, W: np.ndarray) -> None:
    n = len(L)
    tiles = (n + SIDE - 1) // SIDE
    for turn in nb.prange(tiles):
        # Early columns are long and late ones short: taken in turns, every thread's share is alike.
        j = turn // 2 if turn % 2 == 0 else tiles - 1 - turn // 2
        c, d = j * SIDE, min(n, (j + 1) * SIDE)
        W[c:d, c:d] = inverses[j, : d - c, : d - c]
        for i in range(j + 1, tiles):
            a, b = i * SIDE, min(n, (i + 1) * SIDE)
            total = np.dot(np.ascontiguousarray(L[a:b, c:a]), np.ascontiguousarray(W[c:a, c:d]))
            W[a:b, c:d] = -np.dot(np.ascontiguousarray(inverses[i, : b - a, : b - a]), total)


@nb.njit(parallel=True, cache=True)
def _product(W: np.ndarray, V: np.ndarray) -> None:
    """Store W'W, both triangles, of a lower-triangular W."""
    n = len(W)
    tiles = (n + SIDE - 1) // SIDE
    for turn in nb.prange(tiles):
        i = turn // 2 if turn % 2 == 0 else tiles - 1 - turn // 2
        a, b = i * SIDE, min(n, (i + 1) * SIDE)
        left = np.ascontiguousarray(W[a:, a:b]).T
        for j in range(i + 1):
            c, d = j * SIDE, min(n, (j + 1) * SIDE)
            tile = np.dot(left, np.ascontiguousarray(W[a:, c:d]))
            V[a:b, c:d] = tile
            V[c:d, a:b] = tile.T


def inverse(L: np.ndarray, inverses: np.ndarray, out: np.ndarray) -> None:
    """Store the inverse of LL' in `out` (n, n), both triangles, from the results of `cholesky`."""
    W = np.zeros_like(L)
    _invert_factor(L, inverses, W)
    _product(W, out)

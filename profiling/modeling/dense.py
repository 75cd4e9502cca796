"""Cholesky factor and inverse of one big dense symmetric matrix, in threads over fixed tiles.

A threaded LAPACK gives other bits with other numbers of threads. Here every tile product is one single-threaded BLAS
call in a place and order that depend on the size alone (right-looking tile algorithm; Buttari et al. 2009).
Matrices are (n, n), C-contiguous; only lower triangles are read and written unless said otherwise.
"""

from __future__ import annotations

import numba as nb
import numpy as np

SIDE = 384
_FAST = {"contract", "reassoc", "nsz"}


@nb.njit(cache=True, fastmath=_FAST)
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


@nb.njit(cache=True, fastmath=_FAST)
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
def _pack(S: np.ndarray, tiles: np.ndarray) -> None:
    """Store the lower triangle of S as tiles (t, t, SIDE, SIDE), padded by an identity."""
    n, side = len(S), tiles.shape[2]
    for i in nb.prange(len(tiles)):
        for j in range(i + 1):
            tile = tiles[i, j]
            tile[:] = 0.0
            a, b, c, d = i * side, min(n, (i + 1) * side), j * side, min(n, (j + 1) * side)
            tile[: b - a, : d - c] = S[a:b, c:d]
        for e in range(max(0, n - i * side), side):
            tiles[i, i, e, e] = 1.0


@nb.njit(parallel=True, cache=True)
def _unpack(tiles: np.ndarray, S: np.ndarray) -> None:
    n, side = len(S), tiles.shape[2]
    for i in nb.prange(len(tiles)):
        for j in range(i + 1):
            a, b, c, d = i * side, min(n, (i + 1) * side), j * side, min(n, (j + 1) * side)
            S[a:b, c:d] = tiles[i, j, : b - a, : d - c]


@nb.njit(cache=True)
def _pair(index: int) -> tuple[int, int]:
    """Return row and column (column <= row) of the index-th entry of a lower triangle, by rows."""
    row = int((np.sqrt(8.0 * index + 1.0) - 1.0) / 2.0)
    while (row + 1) * (row + 2) // 2 <= index:
        row += 1
    while row * (row + 1) // 2 > index:
        row -= 1
    return row, index - row * (row + 1) // 2


@nb.njit(cache=True)
def _factor_tile(tile: np.ndarray, inverse: np.ndarray) -> float:
    """Factor one diagonal tile in place, store the inverse of its factor and return its log-determinant."""
    if not _small_cholesky(tile):
        return np.nan
    log_determinant = 0.0
    for e in range(len(tile)):
        log_determinant += 2.0 * np.log(tile[e, e])
        tile[e, e + 1 :] = 0.0
    _small_inverse(tile, inverse)
    return log_determinant


@nb.njit(cache=True)
def _times_turned(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    np.dot(a, b.T, out)


@nb.njit(parallel=True, cache=True)
def _factor(T: np.ndarray, inverses: np.ndarray) -> float:
    count, side = len(T), T.shape[2]
    log_determinant = 0.0
    for k in range(count):
        log_determinant += _factor_tile(T[k, k], inverses[k])
        if np.isnan(log_determinant):
            return np.nan
        rest = count - k - 1
        for i in nb.prange(k + 1, count):
            _times_turned(T[i, k].copy(), inverses[k], T[i, k])
        for index in nb.prange(rest * (rest + 1) // 2):
            row, column = _pair(index)
            i, j = k + 1 + row, k + 1 + column
            product = np.empty((side, side))
            _times_turned(T[i, k], T[j, k], product)
            T[i, j] -= product
    return log_determinant


def cholesky(S: np.ndarray) -> tuple[float, np.ndarray]:
    """Overwrite the lower triangle of S by its factor; return log|S| (nan: not positive definite) and tile inverses."""
    count = (len(S) + SIDE - 1) // SIDE
    tiles = np.empty((count, count, SIDE, SIDE))
    inverses = np.empty((count, SIDE, SIDE))
    _pack(S, tiles)
    log_determinant = float(_factor(tiles, inverses))
    _unpack(tiles, S)
    return log_determinant, inverses


@nb.njit(parallel=True, cache=True)
def _invert_factor(T: np.ndarray, inverses: np.ndarray, W: np.ndarray) -> None:
    count, side = len(T), T.shape[2]
    for turn in nb.prange(count):
        # Early columns are long and late ones short: taken in turns, every thread's share is alike.
        j = turn // 2 if turn % 2 == 0 else count - 1 - turn // 2
        W[j, j] = inverses[j]
        product = np.empty((side, side))
        for i in range(j + 1, count):
            total = np.zeros((side, side))
            for k in range(j, i):
                np.dot(T[i, k], W[k, j], product)
                total -= product
            np.dot(inverses[i], total, W[i, j])


@nb.njit(parallel=True, cache=True)
def _product(W: np.ndarray, V: np.ndarray) -> None:
    """Store W'W, both triangles, of a lower-triangular W in tiles."""
    n, count, side = len(V), len(W), W.shape[2]
    for turn in nb.prange(count):
        i = turn // 2 if turn % 2 == 0 else count - 1 - turn // 2
        a, b = i * side, min(n, (i + 1) * side)
        product = np.empty((side, side))
        total = np.empty((side, side))
        for j in range(i + 1):
            c, d = j * side, min(n, (j + 1) * side)
            total[:] = 0.0
            for k in range(i, count):
                np.dot(W[k, i].T, W[k, j], product)
                total += product
            V[a:b, c:d] = total[: b - a, : d - c]
            if j < i:
                V[c:d, a:b] = total[: b - a, : d - c].T


def inverse(L: np.ndarray, inverses: np.ndarray, out: np.ndarray) -> None:
    """Store the inverse of LL' in `out` (n, n), both triangles, from the results of `cholesky`."""
    count = len(inverses)
    tiles = np.empty((count, count, SIDE, SIDE))
    _pack(L, tiles)
    W = np.empty_like(tiles)
    _invert_factor(tiles, inverses, W)
    del tiles
    _product(W, out)

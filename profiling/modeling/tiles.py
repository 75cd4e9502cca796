"""Products with the tall design matrix, in threads over a fixed tiling.

A tile is `TILE` rows. Every tile's partial result is stored and the partials are added in the tiles' order, so the
same bits come out with any number of threads. X is (n, p), C-contiguous.
"""

from __future__ import annotations

import numba as nb
import numpy as np

TILE = 2048
# Sums inside a tile may be reordered by the compiler (vector lanes); between tiles the order is ours.
_FAST = {"contract", "reassoc", "nsz"}


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def times(X: np.ndarray, beta: np.ndarray, out: np.ndarray) -> None:
    """Store X @ beta in `out` (n)."""
    n, p = X.shape
    for t in nb.prange((n + TILE - 1) // TILE):
        for i in range(t * TILE, min(n, (t + 1) * TILE)):
            total = 0.0
            for j in range(p):
                total += X[i, j] * beta[j]
            out[i] = total


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def _partial_transposed(X: np.ndarray, v: np.ndarray, partial: np.ndarray) -> None:
    n, p = X.shape
    for t in nb.prange(partial.shape[0]):
        for i in range(t * TILE, min(n, (t + 1) * TILE)):
            for j in range(p):
                partial[t, j] += X[i, j] * v[i]


def transposed_times(X: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return X'v (p)."""
    partial = np.zeros(((len(v) + TILE - 1) // TILE, X.shape[1]))
    _partial_transposed(X, v, partial)
    return np.asarray(partial.sum(axis=0))


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def _partial_moments(X: np.ndarray, pilot: np.ndarray, sums: np.ndarray, squares: np.ndarray) -> None:
    n, p = X.shape
    for t in nb.prange(sums.shape[0]):
        for i in range(t * TILE, min(n, (t + 1) * TILE)):
            for j in range(p):
                away = X[i, j] - pilot[j]
                sums[t, j] += away
                squares[t, j] += away * away


def column_moments(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of every column (p), taken about the first row against cancellation."""
    shape = ((len(X) + TILE - 1) // TILE, X.shape[1])
    sums, squares = np.zeros(shape), np.zeros(shape)
    _partial_moments(X, X[0].copy(), sums, squares)
    away = sums.sum(axis=0) / len(X)
    return X[0] + away, np.sqrt(np.maximum(squares.sum(axis=0) / len(X) - away**2, 0.0))


@nb.njit(parallel=True, cache=True)
def gather_scaled(X: np.ndarray, order: np.ndarray, center: np.ndarray, factor: np.ndarray, out: np.ndarray) -> None:
    """Store (X[order] - center) * factor in `out` (n, p)."""
    n, p = out.shape
    for t in nb.prange((n + TILE - 1) // TILE):
        for i in range(t * TILE, min(n, (t + 1) * TILE)):
            row = order[i]
            for j in range(p):
                out[i, j] = (X[row, j] - center[j]) * factor[j]


@nb.njit(parallel=True, cache=True)
def _partial_gram(X: np.ndarray, w: np.ndarray, partial: np.ndarray, chunks: int) -> None:
    n, p = X.shape
    tiles = (n + TILE - 1) // TILE
    for c in nb.prange(chunks):
        scaled = np.empty((TILE, p))
        product = np.empty((p, p))
        for t in range(c * tiles // chunks, (c + 1) * tiles // chunks):
            start, stop = t * TILE, min(n, (t + 1) * TILE)
            for i in range(start, stop):
                for j in range(p):
                    scaled[i - start, j] = X[i, j] * w[i]
            np.dot(scaled[: stop - start].T, X[start:stop], product)
            # Loops, not an array expression: its message for unlike shapes takes longer to compile than all this.
            for a in range(p):
                for b in range(p):
                    partial[c, a, b] += product[a, b]


def weighted_gram(X: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return X' diag(w) X (p, p), symmetric; w (n) may have either sign. BLAS runs inside the tiles."""
    tiles = (X.shape[0] + TILE - 1) // TILE
    # The number of chunks depends on n alone, never on the threads, and bounds the memory of the partials.
    chunks = max(1, min(64, tiles))
    partial = np.zeros((chunks, X.shape[1], X.shape[1]))
    _partial_gram(X, w, partial, chunks)
    gram = partial.sum(axis=0)
    return np.asarray((gram + gram.T) / 2)


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def cell_products(
    X: np.ndarray, w: np.ndarray, Z: np.ndarray, cell_ptr: np.ndarray, tile_ptr: np.ndarray, out: np.ndarray
) -> None:
    """Store sum_i w_i z_i x_i' of every cell in `out` (M, kz, p); with empty Z, kz = 1 and z = 1."""
    p = X.shape[1]
    kz = out.shape[1]
    plain = Z.shape[0] == 0
    for tile in nb.prange(len(tile_ptr) - 1):
        for m in range(tile_ptr[tile], tile_ptr[tile + 1]):
            out[m] = 0.0
            for i in range(cell_ptr[m], cell_ptr[m + 1]):
                if plain:
                    for j in range(p):
                        out[m, 0, j] += w[i] * X[i, j]
                else:
                    for a in range(kz):
                        wz = w[i] * Z[i, a]
                        for j in range(p):
                            out[m, a, j] += wz * X[i, j]


@nb.njit(cache=True)
def permute_rows(X: np.ndarray, order: np.ndarray) -> None:
    """Put X[order] in the place of X (n, p), cycle by cycle."""
    n, p = X.shape
    done = np.zeros(n, dtype=np.bool_)
    held = np.empty(p)
    for first in range(n):
        if done[first] or order[first] == first:
            continue
        held[:] = X[first]
        here = first
        while order[here] != first:
            X[here] = X[order[here]]
            done[here] = True
            here = order[here]
        X[here] = held
        done[here] = True


@nb.njit(cache=True)
def add_rows(target: np.ndarray, where: np.ndarray, values: np.ndarray) -> None:
    """Add the rows of `values` (m, c) to the rows `where` (m) of `target`, one after the other."""
    for i in range(len(where)):
        row = where[i]
        for j in range(values.shape[1]):
            target[row, j] += values[i, j]

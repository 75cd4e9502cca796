"""Passes over the cells of a linear mixed model: what its criterion and gradient need of every cell, in threads.

A (M, kz, kz) holds sum w zz' of every cell and products (M, kz, c) sum w z[X y]; kz is 1 where every random term is an
intercept, whose sums are the same for all of a cell's k coefficients. Partial sums over tiles of `CELLS_A_TILE` cells
are added in the order of the tiles, so no result depends on the number of threads.
"""

from __future__ import annotations

import numba as nb
import numpy as np

CELLS_A_TILE = 2048


@nb.njit(parallel=True, cache=True)
def turned_blocks(A: np.ndarray, Lambda: np.ndarray) -> np.ndarray:
    """Return Lambda'A Lambda of every cell (M, k, k)."""
    cells, k, plain = len(A), len(Lambda), A.shape[1] == 1
    out = np.empty((cells, k, k))
    for tile in nb.prange((cells + CELLS_A_TILE - 1) // CELLS_A_TILE):
        half = np.empty((k, k))
        for m in range(tile * CELLS_A_TILE, min(cells, (tile + 1) * CELLS_A_TILE)):
            for a in range(k):
                for b in range(k):
                    half[a, b] = 0.0
                    for c in range(b, k):
                        half[a, b] += A[m, 0 if plain else a, 0 if plain else c] * Lambda[c, b]
            for a in range(k):
                for b in range(k):
                    total = 0.0
                    for c in range(a, k):
                        total += Lambda[c, a] * half[c, b]
                    out[m, a, b] = total
    return out


@nb.njit(parallel=True, cache=True)
def lambda_slope(
    A: np.ndarray,
    products: np.ndarray,
    Lambda: np.ndarray,
    multiplicity: np.ndarray,
    V: np.ndarray,
    residual: np.ndarray,
    variance: float,
    cell_level0: np.ndarray,
    cell_rest: np.ndarray,
    u0: np.ndarray,
    ur: np.ndarray,
    root: np.ndarray,
    K0: np.ndarray,
    Kr: np.ndarray,
) -> np.ndarray:
    """Return the slope of the log-likelihood in every entry of Lambda (k, k), summed over cells.

    u0 (G, q0) and ur (R) are the modes, `residual` (c) the combination y - X beta of the columns. `root` (p, j), K0
    (G, q0, j) and Kr (R, j): RX^-1 and the columns K RX^-1 of the restricted likelihood's term; j is 0 without it.
    """
    cells, k, q0, plain = len(A), len(Lambda), u0.shape[1], A.shape[1] == 1
    tiles = (cells + CELLS_A_TILE - 1) // CELLS_A_TILE
    parts = np.zeros((tiles, k, k))
    for tile in nb.prange(tiles):
        AL, u, score, fitted = np.empty((k, k)), np.empty(k), np.empty(k), np.empty(k)
        slope = parts[tile]
        for m in range(tile * CELLS_A_TILE, min(cells, (tile + 1) * CELLS_A_TILE)):
            g, count = cell_level0[m], multiplicity[m]
            for a in range(k):
                u[a] = u0[g, a] if a < q0 else ur[cell_rest[m, a - q0]]
            for a in range(k):
                z = 0 if plain else a
                score[a] = 0.0
                for c in range(len(residual)):
                    score[a] += products[m, z, c] * residual[c]
                for b in range(k):
                    AL[a, b] = 0.0
                    for c in range(b, k):
                        AL[a, b] += A[m, z, 0 if plain else c] * Lambda[c, b]
                    score[a] -= AL[a, b] * u[b]
            for a in range(k):
                for b in range(k):
                    trace = 0.0
                    for c in range(k):
                        trace += AL[a, c] * V[m, c, b]
                    slope[a, b] += count * (score[a] * u[b] / variance - trace)
            for j in range(root.shape[1]):
                for a in range(k):
                    fitted[a] = 0.0
                    for c in range(len(root)):
                        fitted[a] += products[m, 0 if plain else a, c] * root[c, j]
                    for b in range(k):
                        fitted[a] -= AL[a, b] * (K0[g, b, j] if b < q0 else Kr[cell_rest[m, b - q0], j])
                for a in range(k):
                    for b in range(k):
                        slope[a, b] += count * fitted[a] * (K0[g, b, j] if b < q0 else Kr[cell_rest[m, b - q0], j])
    total = np.zeros((k, k))
    for tile in range(tiles):
        total += parts[tile]
    return total

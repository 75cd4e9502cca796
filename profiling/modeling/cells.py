"""Passes over the rows of sorted cells: sums of the log density's derivatives, a cell at a time, in threads.

With `Z` empty (every random term an intercept) a cell's sums are scalars (kz = 1); otherwise Z is (n, k) and the sums
are vectors and matrices. Tiles of whole cells are fixed by the data, so no result depends on the number of threads.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from profiling.modeling.families import derivatives

_FAST = {"contract", "reassoc", "nsz"}


@nb.njit(parallel=True, cache=True, fastmath=_FAST, error_model="numpy")
def row_derivatives(
    code: float,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    Z: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    effect: np.ndarray,
    l0: np.ndarray,
    r: np.ndarray,
    A: np.ndarray,
    l1: np.ndarray,
    w: np.ndarray,
    w1: np.ndarray,
) -> None:
    """Store sum l0 (M), sum l1 z (M, kz) and sum W zz' (M, kz, kz) at eta + z'effect.

    With l1, w and w1 of length n, also l1, W and W1 of every row; with empty ones the sums alone.
    """
    plain = Z.shape[0] == 0
    keep = len(l1) > 0
    k = effect.shape[1]
    for tile in nb.prange(len(tile_ptr) - 1):
        for m in range(tile_ptr[tile], tile_ptr[tile + 1]):
            l0[m] = 0.0
            r[m] = 0.0
            A[m] = 0.0
            shift = 0.0
            if plain:
                for a in range(k):
                    shift += effect[m, a]
            for i in range(cell_ptr[m], cell_ptr[m + 1]):
                e = eta[i] + shift
                if not plain:
                    for a in range(k):
                        e += Z[i, a] * effect[m, a]
                value, first, second, third = derivatives(code, y[i], weight[i], e)
                l0[m] += value
                if keep:
                    l1[i], w[i], w1[i] = first, second, third
                if plain:
                    r[m, 0] += first
                    A[m, 0, 0] += second
                else:
                    for a in range(k):
                        r[m, a] += first * Z[i, a]
                        for b in range(k):
                            A[m, a, b] += second * Z[i, a] * Z[i, b]


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def skew_sums(
    w1: np.ndarray,
    Z: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    V: np.ndarray,
    s: np.ndarray,
    s_cell: np.ndarray,
) -> None:
    """Store s_i = q_i W1_i / 2 with leverage q_i = z'Vz (V (M, k, k)), and its cell sums with z (M, kz)."""
    plain = Z.shape[0] == 0
    k = V.shape[1]
    for tile in nb.prange(len(tile_ptr) - 1):
        for m in range(tile_ptr[tile], tile_ptr[tile + 1]):
            s_cell[m] = 0.0
            q = 0.0
            if plain:
                for a in range(k):
                    for b in range(k):
                        q += V[m, a, b]
            for i in range(cell_ptr[m], cell_ptr[m + 1]):
                if not plain:
                    q = 0.0
                    for a in range(k):
                        for b in range(k):
                            q += Z[i, a] * V[m, a, b] * Z[i, b]
                s[i] = 0.5 * q * w1[i]
                if plain:
                    s_cell[m, 0] += s[i]
                else:
                    for a in range(k):
                        s_cell[m, a] += s[i] * Z[i, a]


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def score_rows(
    l1: np.ndarray,
    s: np.ndarray,
    w: np.ndarray,
    Z: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    pull: np.ndarray,
    multiplicity: np.ndarray,
    v: np.ndarray,
) -> None:
    """Store v = m (l1 - s + W z'pull), the derivative of the log-likelihood in each row's linear predictor."""
    plain = Z.shape[0] == 0
    k = pull.shape[1]
    for tile in nb.prange(len(tile_ptr) - 1):
        for m in range(tile_ptr[tile], tile_ptr[tile + 1]):
            for i in range(cell_ptr[m], cell_ptr[m + 1]):
                z_pull = 0.0
                for a in range(k):
                    z_pull += pull[m, a] * (1.0 if plain else Z[i, a])
                v[i] = multiplicity[m] * (l1[i] - s[i] + w[i] * z_pull)


@nb.njit(parallel=True, cache=True, fastmath=_FAST, error_model="numpy")
def curvature_rows(
    code: float,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    effect: np.ndarray,
    pull: np.ndarray,
    leverage: np.ndarray,
    step: float,
    w1: np.ndarray,
    curvature: np.ndarray,
) -> None:
    """Store W1 and W1 pull - q W2 / 2 of every row of plain cells; effect, pull and leverage q are (M).

    W2 by central differences of the exact W1 at +-step: truncation step^2, rounding 1e-16 / step.
    """
    for tile in nb.prange(len(tile_ptr) - 1):
        for m in range(tile_ptr[tile], tile_ptr[tile + 1]):
            for i in range(cell_ptr[m], cell_ptr[m + 1]):
                e = eta[i] + effect[m]
                change = 0.0
                for side in range(-1, 2):
                    third = derivatives(code, y[i], weight[i], e + side * step)[3]
                    change += side * third
                    if side == 0:
                        w1[i] = third
                curvature[i] = w1[i] * pull[m] - 0.5 * leverage[m] * change / (2.0 * step)


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def weighted_sums(
    values: np.ndarray, Z: np.ndarray, cell_ptr: np.ndarray, tile_ptr: np.ndarray, out: np.ndarray
) -> None:
    """Store sum_i values_i z_i of every cell (M, kz)."""
    plain = Z.shape[0] == 0
    for tile in nb.prange(len(tile_ptr) - 1):
        for m in range(tile_ptr[tile], tile_ptr[tile + 1]):
            out[m] = 0.0
            for i in range(cell_ptr[m], cell_ptr[m + 1]):
                for a in range(out.shape[1]):
                    out[m, a] += values[i] * (1.0 if plain else Z[i, a])

"""Compiled kernels of nested quadrature: the integrals of the two innermost levels and the collapse to rows.

`nested_quadrature` holds the mathematics.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.inner_integral import integral


@nb.njit(parallel=True, cache=True, error_model="numpy")
def integrate_two_levels(
    code: float,
    growth: np.ndarray,
    unit: bool,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    cell_ptr: np.ndarray,
    inner: np.ndarray,
    child_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    sigma: np.ndarray,
    z1: np.ndarray,
    log_weight1: np.ndarray,
    z2: np.ndarray,
    log_weight2: np.ndarray,
    outer: np.ndarray,
    center: np.ndarray,
    spread: np.ndarray,
    start: np.ndarray,
    score: np.ndarray,
    w: np.ndarray,
    out: np.ndarray,
    moments: np.ndarray,
    heights: np.ndarray,
) -> None:
    """Integrate the two innermost levels for every cluster of the second and every sum of the effects outside of it.

    `outer`, `center`, `spread` (D, C): the outer effects' sums, the second level's nodes' places and scales. Stores
    `score`, `w` (n, C): slopes in the rows' predictors and E[W]; `out` (D, C, 8): log integral, slopes in log sigma
    of the two levels, first and second derivative in the outer sum, E[b], E[b^2] and, at the center, the first and
    second derivative of the children's sum; `moments` (G, C, 2): E[b], E[b^2] of the innermost level; `start` (G) the
    innermost modes to begin with, renewed; `heights` (D, C, Q), unless empty, the children's sums at the nodes.
    """
    middle = len(z2) // 2
    s1, s2 = sigma[0], sigma[1]
    for tile in nb.prange(len(tile_ptr) - 1):
        longest, most, rows = 0, 0, 0
        for d in range(tile_ptr[tile], tile_ptr[tile + 1]):
            count = 0
            for j in range(child_ptr[d], child_ptr[d + 1]):
                size = cell_ptr[inner[j] + 1] - cell_ptr[inner[j]]
                longest = max(longest, size)
                count += size
            rows = max(rows, count)
            most = max(most, child_ptr[d + 1] - child_ptr[d])
        here = np.empty((3, longest))
        node_score, node_w = np.empty((len(z2), rows)), np.empty((len(z2), rows))
        child = np.empty((len(z2), most, 2))
        sums = np.empty((len(z2), 4))
        share = np.empty(len(z2))
        for d in range(tile_ptr[tile], tile_ptr[tile + 1]):
            for c in range(outer.shape[1]):
                sums[:] = 0.0
                at = 0
                for j in range(child_ptr[d], child_ptr[d + 1]):
                    g = inner[j]
                    mode, rate, old, renewed = start[g], 0.0, 0.0, start[g]
                    for q in range(len(z2)):
                        s = outer[d, c] + center[d, c] + spread[d, c] * z2[q]
                        guess = mode + rate * (s - old) if q else mode
                        old = s
                        found = integral(
                            code,
                            growth,
                            unit,
                            y,
                            weight,
                            eta,
                            cell_ptr[g],
                            cell_ptr[g + 1],
                            s,
                            s1,
                            z1,
                            log_weight1,
                            guess,
                            here,
                            node_score[q],
                            node_w[q],
                            at,
                        )
                        sums[q, 0] += found[0]
                        sums[q, 1] += found[1]
                        sums[q, 2] += found[2]
                        sums[q, 3] += found[3]
                        mode, rate = found[4], found[5]
                        child[q, j - child_ptr[d], 0], child[q, j - child_ptr[d], 1] = found[6], found[7]
                        if q == 0:
                            renewed = mode
                    start[g] = renewed
                    at += cell_ptr[g + 1] - cell_ptr[g]
                _second_level(s2, z2, log_weight2, center[d, c], spread[d, c], sums, share, out[d, c])
                out[d, c, 7] = sums[middle, 2]
                out[d, c, 8] = sums[middle, 3]
                if len(heights):
                    for q in range(len(z2)):
                        heights[d, c, q] = sums[q, 0]
                at = 0
                for j in range(child_ptr[d], child_ptr[d + 1]):
                    g = inner[j]
                    moments[g, c, 0], moments[g, c, 1] = 0.0, 0.0
                    for q in range(len(z2)):
                        moments[g, c, 0] += share[q] * child[q, j - child_ptr[d], 0]
                        moments[g, c, 1] += share[q] * child[q, j - child_ptr[d], 1]
                    for i in range(cell_ptr[g], cell_ptr[g + 1]):
                        first, second = 0.0, 0.0
                        for q in range(len(z2)):
                            first += share[q] * node_score[q, at]
                            second += share[q] * node_w[q, at]
                        score[i, c], w[i, c] = first, second
                        at += 1


@nb.njit(cache=True, error_model="numpy")
def _second_level(
    sigma: float,
    z: np.ndarray,
    log_weight: np.ndarray,
    center: float,
    spread: float,
    sums: np.ndarray,
    share: np.ndarray,
    out: np.ndarray,
) -> None:
    """Sum the nodes of one cluster of the second level; see `nested_level.combine` for the same in numpy."""
    precision = 1.0 / (sigma * sigma) if sigma > 0 else 0.0
    peak = -np.inf
    for q in range(len(z)):
        b = center + spread * z[q]
        share[q] = log_weight[q] + sums[q, 0] - 0.5 * b * b * precision
        peak = max(peak, share[q])
    total = 0.0
    for q in range(len(z)):
        share[q] = math.exp(share[q] - peak)
        total += share[q]
    out[:] = 0.0
    square = 0.0
    widening = spread * spread * precision
    out[2] = widening - 1.0
    for q in range(len(z)):
        share[q] /= total
        b = center + spread * z[q]
        out[1] += share[q] * sums[q, 1]
        fall = sums[q, 2] - b * precision
        out[2] += share[q] * (b * b * precision + fall * widening * (2.0 * center + spread * z[q]))
        out[3] += share[q] * sums[q, 2]
        out[4] += share[q] * sums[q, 3]
        out[5] += share[q] * b
        out[6] += share[q] * b * b
        square += share[q] * sums[q, 2] * sums[q, 2]
    out[0] = peak + math.log(total)
    if sigma > 0:
        out[0] += math.log(spread / sigma)
    else:
        out[2] = 0.0
    out[4] += square - out[3] * out[3]


@nb.njit(parallel=True, cache=True)
def collapse(
    score: np.ndarray,
    w: np.ndarray,
    cell_ptr: np.ndarray,
    inner: np.ndarray,
    child_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    share: np.ndarray,
    multiplicity: np.ndarray,
    v: np.ndarray,
    w_out: np.ndarray,
) -> None:
    """Store rows' scores times multiplicity (n) and E[W] (n), averaged over the outer sums by `share` (D, C)."""
    for tile in nb.prange(len(tile_ptr) - 1):
        for d in range(tile_ptr[tile], tile_ptr[tile + 1]):
            for j in range(child_ptr[d], child_ptr[d + 1]):
                for i in range(cell_ptr[inner[j]], cell_ptr[inner[j] + 1]):
                    first, second = 0.0, 0.0
                    for c in range(share.shape[1]):
                        first += share[d, c] * score[i, c]
                        second += share[d, c] * w[i, c]
                    v[i] = multiplicity[d] * first
                    w_out[i] = second

"""Independence, exchangeable and nested exchangeable clusters: inverse in closed form, O(size) time and no matrix.

With correlation a within an inner block and c between the blocks of a cluster, block sizes m_b,

    R = (1 - a) I + (a - c) blockdiag(11') + c 11',     lambda_b = 1 - a + m_b (a - c),
    D'R^-1 D = 1 / (1 - a) [D'D - sum_b (a - c) / lambda_b d_b d_b' - (1 - a) c / (1 + c h) q q'],

d_b the block's sum of rows, q = sum_b d_b / lambda_b, h = sum_b m_b / lambda_b (Sherman & Morrison 1950, twice).
Exchangeable is the case of one block a cluster with c = 0, independence that of a = c = 0. The factor 1 / (1 - a) is
left to the end.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.gee.rows import FAST

# What a block, then its cluster, collects over the rows.
RESIDUAL, WEIGHT, SQUARES, WEIGHT_SQUARES, ALL_RESIDUAL, ALL_WEIGHT, PRODUCTS, WEIGHT_PRODUCTS, H = range(9)


@nb.njit(cache=True, fastmath=FAST)
def collect(
    block: np.ndarray, first: int, last: int, w: np.ndarray, start: int, d: np.ndarray, held: np.ndarray
) -> None:
    """Add the rows first..last of `block`, whose first row is row `start`, to `d` (p+1) and to `held`."""
    for j in range(len(d)):
        total, own = 0.0, block[j]
        for i in range(first, last):
            total += own[i]
        d[j] += total
    residual, weight, squares, weight_squares = 0.0, 0.0, 0.0, 0.0
    standard = block[len(d) - 1]
    for i in range(first, last):
        own_weight = w[start + i] if len(w) else 1.0
        product = math.sqrt(own_weight) * standard[i]
        residual += product
        squares += product * product
        weight += own_weight
        weight_squares += own_weight * own_weight
    held[RESIDUAL] += residual
    held[WEIGHT] += weight
    held[SQUARES] += squares
    held[WEIGHT_SQUARES] += weight_squares


@nb.njit(cache=True, fastmath=FAST)
def _subtract(factor: float, d: np.ndarray, gram: np.ndarray, score: np.ndarray) -> None:
    """Take factor d d' from `gram` (p+1, p+1) and its last column from `score` (p+1)."""
    for a in range(len(d)):
        scaled = factor * d[a]
        for b in range(len(d)):
            gram[a, b] -= scaled * d[b]
        score[a] -= scaled * d[-1]


@nb.njit(cache=True, fastmath=FAST)
def close_block(
    between: float,
    within: float,
    size: int,
    d: np.ndarray,
    q: np.ndarray,
    held: np.ndarray,
    gram: np.ndarray,
    score: np.ndarray,
) -> None:
    """End an inner block of `size` rows: take its share from `gram` and `score`, pass its sums to the cluster's."""
    own = 1 - within + size * (within - between)
    if within != between:
        _subtract((within - between) / own if own > 0 else np.nan, d, gram, score)
    if between != 0:
        for j in range(len(d)):
            q[j] += d[j] / own
        held[H] += size / own
    for j in range(len(d)):
        d[j] = 0.0
    held[PRODUCTS] += held[RESIDUAL] * held[RESIDUAL]
    held[WEIGHT_PRODUCTS] += held[WEIGHT] * held[WEIGHT]
    held[ALL_RESIDUAL] += held[RESIDUAL]
    held[ALL_WEIGHT] += held[WEIGHT]
    held[RESIDUAL] = held[WEIGHT] = 0.0


@nb.njit(cache=True, fastmath=FAST)
def close_cluster(
    between: float,
    within: float,
    q: np.ndarray,
    held: np.ndarray,
    gram: np.ndarray,
    score: np.ndarray,
    sums: np.ndarray,
) -> None:
    """End a cluster; `sums[2:]`: products of pairs in one block, in two blocks, weights of pairs in one, in two."""
    if between != 0:
        rest = 1 + between * held[H]
        _subtract((1 - within) * between / rest if rest > 0 else np.nan, q, gram, score)
        for j in range(len(q)):
            q[j] = 0.0
    sums[2] += 0.5 * (held[PRODUCTS] - held[SQUARES])
    sums[3] += 0.5 * (held[ALL_RESIDUAL] * held[ALL_RESIDUAL] - held[PRODUCTS])
    sums[4] += 0.5 * (held[WEIGHT_PRODUCTS] - held[WEIGHT_SQUARES])
    sums[5] += 0.5 * (held[ALL_WEIGHT] * held[ALL_WEIGHT] - held[WEIGHT_PRODUCTS])
    for k in range(len(held)):
        held[k] = 0.0

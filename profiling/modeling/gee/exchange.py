"""Independence, exchangeable and nested exchangeable clusters: inverse in closed form, O(size) time and no matrix.

With correlation a within an inner block and c between the blocks of a cluster, block sizes m_b,

    R = (1 - a) I + (a - c) blockdiag(11') + c 11',     lambda_b = 1 - a + m_b (a - c),
    D'R^-1 D = D'D / (1 - a) - sum_b (a - c) / ((1 - a) lambda_b) d_b d_b' - c / (1 + c h) q q',

d_b the block's sum of rows, q = sum_b d_b / lambda_b, h = sum_b m_b / lambda_b (Sherman & Morrison 1950, twice).
Exchangeable is the case of one block a cluster with c = 0, independence that of a = c = 0.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.gee.rows import FAST, add_gram, standard_unit


@nb.njit(cache=True, fastmath=FAST)
def _subtract(gram: np.ndarray, factor: float, d: np.ndarray) -> None:
    for a in range(len(d)):
        scaled = factor * d[a]
        for b in range(len(d)):
            gram[a, b] -= scaled * d[b]


@nb.njit(cache=True, fastmath=FAST)
def exchange_cluster(
    code: float,
    between: float,
    within: float,
    X: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
    offset: np.ndarray,
    beta: np.ndarray,
    blocks: np.ndarray,
    rows: np.ndarray,
    filled: int,
    gram: np.ndarray,
    work: np.ndarray,
    sums: np.ndarray,
) -> int:
    """Add one cluster to `gram` (p+1, p+1) and its pairs to `sums`; return how many buffered `rows` wait.

    `blocks`: the bounds of the cluster's inner blocks. `work` (2, p+1) is scratch. `sums[2:]`: products of pairs in
    one block, in two blocks; weights of pairs in one block, in two blocks.
    """
    p = X.shape[1]
    d, q = work[0], work[1]
    q[:] = 0.0
    free = 1 - within
    root = math.sqrt(1 / free)
    h = residual = squares = weight = weight_squares = 0.0
    inner_products = inner_weights = 0.0
    for b in range(len(blocks) - 1):
        d[:] = 0.0
        block_residual = block_weight = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            factor, standard = standard_unit(code, X, y, w, offset, beta, i, sums)
            for j in range(p):
                value = factor * X[i, j]
                d[j] += value
                rows[filled, j] = root * value
            d[p] += standard
            rows[filled, p] = root * standard
            wr = math.sqrt(w[i]) * standard
            block_residual += wr
            squares += wr * wr
            block_weight += w[i]
            weight_squares += w[i] * w[i]
            filled += 1
            if filled == len(rows):
                add_gram(gram, rows, filled)
                filled = 0
        size = blocks[b + 1] - blocks[b]
        own = free + size * (within - between)
        if within != between:
            _subtract(gram, (within - between) / (free * own) if own > 0 else np.nan, d)
        if between != 0:
            for j in range(len(d)):
                q[j] += d[j] / own
            h += size / own
        inner_products += block_residual * block_residual
        inner_weights += block_weight * block_weight
        residual += block_residual
        weight += block_weight
    if between != 0:
        _subtract(gram, between / (1 + between * h) if 1 + between * h > 0 else np.nan, q)
    sums[2] += 0.5 * (inner_products - squares)
    sums[3] += 0.5 * (residual * residual - inner_products)
    sums[4] += 0.5 * (inner_weights - weight_squares)
    sums[5] += 0.5 * (weight * weight - inner_weights)
    return filled

"""AR(1) clusters, gaps in time included: corr = rho^|t - s| is Markov, so rows are whitened by their predecessor.

    row*_k = (row_k - rho^g row_(k-1)) / sqrt(1 - rho^(2g)),  g = t_k - t_(k-1)          (tridiagonal inverse)

The correlation solves sum_(j<k) w_j w_k g_jk rho^(g_jk - 1) (r_j r_k / phi - rho^g_jk) = 0 over *all* pairs, as
geepack defines it (Yan & Fine 2004, eq. 3). Its sums over pairs follow by recursion from row to row in O(size):
with a = sum_j x_j rho^(g_jk), b = da/drho, the step over a gap g is
a <- rho^g (a + x), b <- rho^g b + g rho^(g-1) (a + x).
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.gee.rows import FAST, add_gram, standardize


@nb.njit(cache=True, fastmath=FAST)
def autoregressive_cluster(
    code: float,
    rho: float,
    X: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
    offset: np.ndarray,
    beta: np.ndarray,
    time: np.ndarray,
    first: int,
    last: int,
    rows: np.ndarray,
    filled: int,
    gram: np.ndarray,
    work: np.ndarray,
    sums: np.ndarray,
) -> int:
    """Add one cluster to `gram` (p+1, p+1); return how many buffered `rows` wait.

    `sums[2:5]`: sum of w w r r g rho^(g-1), of w w g rho^(2g-1), of w w g^2 rho^(2g-2) over pairs.
    """
    before, own = work[0], work[1]
    a = b = wa = wb = wc = wr = 0.0
    for i in range(first, last):
        standardize(code, X, y, w, offset, beta, i, own, sums)
        row = rows[filled]
        if i == first:
            row[:] = own
        else:
            gap = time[i] - time[i - 1]
            lower = 1.0 if gap == 1.0 else rho ** (gap - 1)
            decay = rho * lower
            unit = 1 / math.sqrt(1 - decay * decay)
            for j in range(len(row)):
                row[j] = (own[j] - decay * before[j]) * unit
            held = a + wr
            a, b = decay * held, decay * b + gap * lower * held
            held = wa + w[i - 1]
            square = decay * decay
            wc = square * wc + 2 * gap * decay * lower * wb + gap * gap * lower * lower * held
            wb = square * wb + gap * decay * lower * held
            wa = square * held
        wr = math.sqrt(w[i]) * own[-1]
        sums[2] += wr * b
        sums[3] += w[i] * wb
        sums[4] += w[i] * wc
        before[:] = own
        filled += 1
        if filled == len(rows):
            add_gram(gram, rows, filled)
            filled = 0
    return filled

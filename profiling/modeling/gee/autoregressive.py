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

from profiling.modeling.gee.rows import FAST


@nb.njit(cache=True, fastmath=FAST)
def whiten_autoregressive(
    rho: float,
    w: np.ndarray,
    time: np.ndarray,
    ptr: np.ndarray,
    cluster: int,
    start: int,
    count: int,
    block: np.ndarray,
    before: np.ndarray,
    state: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Whiten `count` rows of `block` (p+1, width), from row `start` in `cluster` on, and add their pairs to `sums`.

    `before` (p+1) is the standardized row before the first, `state` (6) the recursion's a, b, of residuals and of
    weights, carried from block to block. `sums[2:5]`: sum of w w r r g rho^(g-1), of w w g rho^(2g-1), of
    w w g^2 rho^(2g-2) over pairs.
    """
    residual = block[-1]
    decays, units = np.zeros(count), np.ones(count)
    a, b, wa, wb, wc, wr = state[0], state[1], state[2], state[3], state[4], state[5]
    for k in range(count):
        i = start + k
        if i == ptr[cluster + 1]:
            cluster += 1
        weight = w[i] if len(w) else 1.0
        if i == ptr[cluster]:
            a = b = wa = wb = wc = 0.0
        else:
            gap = time[i] - time[i - 1]
            lower = 1.0 if gap == 1.0 else rho ** (gap - 1)
            decay = rho * lower
            decays[k], units[k] = decay, 1 / math.sqrt(1 - decay * decay)
            held = a + wr
            a, b = decay * held, decay * b + gap * lower * held
            held = wa + (w[i - 1] if len(w) else 1.0)
            square = decay * decay
            wc = square * wc + 2 * gap * decay * lower * wb + gap * gap * lower * lower * held
            wb = square * wb + gap * decay * lower * held
            wa = square * held
        wr = math.sqrt(weight) * residual[k]
        sums[2] += wr * b
        sums[3] += weight * wb
        sums[4] += weight * wc
    state[0], state[1], state[2], state[3], state[4], state[5] = a, b, wa, wb, wc, wr
    for j in range(len(block)):
        own, last = block[j], block[j, count - 1]
        for k in range(count - 1, 0, -1):
            own[k] = (own[k] - decays[k] * own[k - 1]) * units[k]
        own[0] = (own[0] - decays[0] * before[j]) * units[0]
        before[j] = last

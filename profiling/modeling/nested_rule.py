"""Compiled kernels of nested quadrature: the integrals of the two innermost levels and the collapse to rows.

`nested_quadrature` holds the mathematics. For the logit exp(eta) is kept by row, so that a node costs one exponential a
cluster and one division a row; products of 1 + t stand for sums of logarithms.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.families import derivatives

_FAST = {"contract", "reassoc", "nsz"}
SAFE_EXPONENT = 230.0  # exp of twice this fits in a product of doubles below FLUSH
FLUSH = 1e100
MODE_TOLERANCE = 1e-6  # in posterior sds; one more step squares it


@nb.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _node(
    code: float,
    growth: np.ndarray,
    unit: bool,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    lo: int,
    hi: int,
    shift: float,
    here: np.ndarray,
) -> tuple[float, float, float, float]:
    """Store l1 and W of rows lo to hi at eta + shift in `here` (2, rows).

    Returns a height and a divisor with sum l0 = height - log divisor, sum l1 and sum W. `growth` (n) holds exp(eta)
    for the logit, or is empty.
    """
    height, product, first, second = 0.0, 1.0, 0.0, 0.0
    if len(growth) and abs(shift) < SAFE_EXPONENT:
        x = math.exp(shift)
        for i in range(lo, hi):
            m = weight[i]
            t = growth[i] * x
            small = 1.0 / (1.0 + t)
            mu = t * small
            w, l1 = m * mu * small, m * (y[i] - mu)
            height += m * y[i] * (eta[i] + shift)
            if unit:
                product *= 1.0 + t
                if product > FLUSH:
                    height -= math.log(product)
                    product = 1.0
            else:
                height -= m * math.log1p(t)
            here[0, i - lo], here[1, i - lo] = l1, w
            first += l1
            second += w
        return height, product, first, second
    for i in range(lo, hi):
        l0, here[0, i - lo], here[1, i - lo], _ = derivatives(code, y[i], weight[i], eta[i] + shift)
        height += l0
        first += here[0, i - lo]
        second += here[1, i - lo]
    return height, product, first, second


@nb.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _slopes(
    code: float,
    growth: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    lo: int,
    hi: int,
    shift: float,
) -> tuple[float, float]:
    """Return sum l1 and sum W of rows lo to hi at eta + shift."""
    first, second = 0.0, 0.0
    if len(growth) and abs(shift) < SAFE_EXPONENT:
        x = math.exp(shift)
        for i in range(lo, hi):
            t = growth[i] * x
            small = 1.0 / (1.0 + t)
            first += weight[i] * (y[i] - t * small)
            second += weight[i] * t * small * small
        return first, second
    for i in range(lo, hi):
        _, l1, w, _ = derivatives(code, y[i], weight[i], eta[i] + shift)
        first += l1
        second += w
    return first, second


@nb.njit(cache=True, error_model="numpy")
def _mode(
    code: float,
    growth: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    lo: int,
    hi: int,
    outer: float,
    variance: float,
    start: float,
) -> float:
    """Return the mode of sum l0 - b^2 / (2 variance) by Newton steps kept inside a bracket."""
    b, low, high = start, -np.inf, np.inf
    for _ in range(100):
        first, second = _slopes(code, growth, y, weight, eta, lo, hi, outer + b)
        fall, curvature = first - b / variance, second + 1.0 / variance
        # sum l1 falls in b, so the mode lies between b and sigma^2 sum l1(b).
        if fall > 0:
            low, high = b, min(high, variance * first)
        else:
            low, high = max(low, variance * first), b
        b += fall / curvature
        if abs(fall) < MODE_TOLERANCE * math.sqrt(curvature):
            break
        if not (low <= b <= high):
            b = 0.5 * (low + high)
    return b


@nb.njit(cache=True, error_model="numpy")
def _integral(
    code: float,
    growth: np.ndarray,
    unit: bool,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    lo: int,
    hi: int,
    outer: float,
    sigma: float,
    z: np.ndarray,
    log_weight: np.ndarray,
    start: float,
    here: np.ndarray,
    score: np.ndarray,
    w: np.ndarray,
    at: int,
) -> tuple[float, float, float, float, float, float, float, float]:
    """Return one innermost cluster's log integral at the outer effects' sum, and what goes with it.

    (log integral, its slopes in log sigma and in the outer sum s, d2/ds2 up to the rule's error, mode, dmode/ds, E[b],
    E[b^2]); the slopes in the rows' predictors go to `score[at:]`, E[W] to `w[at:]`.
    """
    n = hi - lo
    if sigma == 0.0:
        height, product, first, second = _node(code, growth, unit, y, weight, eta, lo, hi, outer, here)
        for i in range(n):
            score[at + i], w[at + i] = here[0, i], here[1, i]
        return height - math.log(product), 0.0, first, -second, 0.0, 0.0, 0.0, 0.0
    variance = sigma * sigma
    mode = _mode(code, growth, y, weight, eta, lo, hi, outer, variance, start)
    height, product, first, second = _node(code, growth, unit, y, weight, eta, lo, hi, outer + mode, here)
    curvature = second + 1.0 / variance
    sd = 1.0 / math.sqrt(curvature)
    rate = -second / curvature
    peak = height - math.log(product) - 0.5 * mode * mode / variance
    middle = len(z) // 2
    # The central node is the mode itself.
    p = math.exp(log_weight[middle])
    fall = first - mode / variance
    total, tilt, turn, mean, square = p, p * fall, 0.0, p * mode, p * mode * mode
    e1, e11, e2 = p * first, p * first * first, p * second
    for i in range(n):
        l1, here[2, i] = here[0, i], here[1, i]
        score[at + i], w[at + i] = p * l1, p * here[1, i]
    for q in range(len(z)):
        if q == middle:
            continue
        b = mode + sd * z[q]
        height, product, first, second = _node(code, growth, unit, y, weight, eta, lo, hi, outer + b, here)
        p = math.exp(log_weight[q] + height - 0.5 * b * b / variance - peak) / product
        for i in range(n):
            score[at + i] += p * here[0, i]
            w[at + i] += p * here[1, i]
        fall = first - b / variance
        total += p
        tilt += p * fall
        turn += p * fall * z[q]
        mean += p * b
        square += p * b * b
        e1 += p * first
        e11 += p * first * first
        e2 += p * second
    share = 1.0 / total
    tilt, turn, mean, square = tilt * share, turn * share, mean * share, square * share
    e1, e11, e2 = e1 * share, e11 * share, e2 * share
    # The nodes move with the mode and with its curvature: differentiate both.
    skew = _skews(code, growth, y, weight, eta, lo, hi, outer + mode, here)
    spread = -0.5 * sd * sd * (1.0 + sd * turn)
    place = (tilt + spread * skew) / curvature
    whole = 0.0
    for i in range(n):
        score[at + i] = share * score[at + i] + spread * here[0, i] - place * here[2, i]
        whole += score[at + i]
        w[at + i] *= share
    slope = square / variance - 1.0 - 2.0 * spread / variance + 2.0 * place * mode / variance
    log_integral = math.log(sd / sigma) + peak + math.log(total)
    return log_integral, slope, whole, e11 - e1 * e1 - e2, mode, rate, mean, square


@nb.njit(cache=True, error_model="numpy")
def _skews(
    code: float,
    growth: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    lo: int,
    hi: int,
    shift: float,
    here: np.ndarray,
) -> float:
    """Store W1 of rows lo to hi at eta + shift in `here[0]`, W being in `here[2]`; return its sum."""
    total = 0.0
    if len(growth) and abs(shift) < SAFE_EXPONENT:
        x = math.exp(shift)
        for i in range(lo, hi):
            t = growth[i] * x
            here[0, i - lo] = here[2, i - lo] * (1.0 - t) / (1.0 + t)
            total += here[0, i - lo]
        return total
    for i in range(lo, hi):
        _, _, _, here[0, i - lo] = derivatives(code, y[i], weight[i], eta[i] + shift)
        total += here[0, i - lo]
    return total


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
) -> None:
    """Integrate the two innermost levels for every cluster of the second and every sum of the effects outside of it.

    `outer`, `center`, `spread` (D, C): the outer effects' sums, the second level's nodes' places and scales. Stores
    `score`, `w` (n, C): slopes in the rows' predictors and E[W]; `out` (D, C, 8): log integral, slopes in log sigma
    of the two levels, first and second derivative in the outer sum, E[b], E[b^2] and, at the center, the first and
    second derivative of the children's sum; `moments` (G, C, 2): E[b], E[b^2] of the innermost level; `start` (G) the
    innermost modes to begin with, renewed.
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
                        found = _integral(
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
    """Sum the nodes of one cluster of the second level; see `nested_quadrature.combine` for the same in numpy."""
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

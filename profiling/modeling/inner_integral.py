"""The adaptive integral of one innermost cluster as a function of the sum of the effects outside of it.

For the logit exp(eta) is kept by row, so that a node costs one exponential a cluster and one division a row; products
of 1 + t stand for sums of logarithms. `quadrature` holds the derivatives' mathematics.
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
def node(
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
def mode_of(
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
def integral(
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
        height, product, first, second = node(code, growth, unit, y, weight, eta, lo, hi, outer, here)
        for i in range(n):
            score[at + i], w[at + i] = here[0, i], here[1, i]
        return height - math.log(product), 0.0, first, -second, 0.0, 0.0, 0.0, 0.0
    variance = sigma * sigma
    mode = mode_of(code, growth, y, weight, eta, lo, hi, outer, variance, start)
    height, product, first, second = node(code, growth, unit, y, weight, eta, lo, hi, outer + mode, here)
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
        height, product, first, second = node(code, growth, unit, y, weight, eta, lo, hi, outer + b, here)
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

"""The number of events among very many patients of unequal risk: fast, and exact far out.

The probabilities of 64 patients at a time come from the recursion, and are then convolved in pairs by fast Fourier
transforms: n log² n operations, absolute errors near 1e-15. A tail keeps its relative digits by exponential tilting:
with the odds of everybody multiplied by e^θ so that the mean is k,

  P(X = j) = exp(K(θ) − θj) P_θ(X = j),   K(θ) = Σ log(1 − p_i + p_i e^θ),

so that the sums around k hold only numbers the transform knows well (Butler & Stephens 2017, J Stat Comput Simul 87;
Peres, Lee & Keich 2020, Comput Stat 36).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from scipy import fft, special

from profiling.assessment.bisection import rising_root
from profiling.assessment.fitted import Floats

LEAF = 64
REACH = 13.0  # standard deviations of the tilted count that are kept: what lies beyond is below 1e-37
STEEPEST = 600.0


def convolved(probabilities: Floats) -> Floats:
    """P(X = 0), ..., P(X = n), each with an absolute error near 1e-15."""
    n = len(probabilities)
    leaves = 1 << max(0, int(np.ceil(np.log2(max(n, 1) / LEAF))))
    padded = np.zeros(leaves * LEAF)
    padded[:n] = probabilities
    parts: Floats = _leaves(padded.reshape(leaves, LEAF))
    while len(parts) > 1:
        length = 2 * parts.shape[1] - 1
        points = fft.next_fast_len(length, real=True)
        spectrum = fft.rfft(parts, points, axis=1)
        parts = fft.irfft(spectrum[0::2] * spectrum[1::2], points, axis=1)[:, :length]
    return np.maximum(parts[0, : n + 1], 0.0)


def tails(probabilities: Floats, count: int) -> tuple[float, float, float]:
    """P(X < count), P(X = count), P(X > count); the smaller tail to 1e-8 of itself however small it is."""
    least, most = int((probabilities >= 1.0).sum()), int((probabilities > 0.0).sum())
    if count < least:
        return 0.0, 0.0, 1.0
    if count > most:
        return 1.0, 0.0, 0.0
    theta = _tilt(probabilities, float(np.clip(count, least + 0.5, max(most - 0.5, least + 0.5))))
    raised = special.expit(special.logit(probabilities) + theta)
    mass = _within_reach(convolved(raised), raised)
    scale = float(np.log1p(probabilities * np.expm1(theta)).sum()) - theta * count
    steps = np.arange(len(mass)) - count
    if theta >= 0.0:
        weights = np.exp(-theta * steps[count:])
        point, above = mass[count] * np.exp(scale), float((mass[count + 1 :] * weights[1:]).sum() * np.exp(scale))
        return max(1.0 - above - float(point), 0.0), float(point), above
    weights = np.exp(-theta * steps[: count + 1])
    point, below = mass[count] * np.exp(scale), float((mass[:count] * weights[:-1]).sum() * np.exp(scale))
    return below, float(point), max(1.0 - below - float(point), 0.0)


def _tilt(probabilities: Floats, mean: float) -> float:
    """The θ at which the tilted mean is `mean`, near enough; 0 for a count whose mean cannot move."""
    uncertain = probabilities[(probabilities > 0.0) & (probabilities < 1.0)]
    if len(uncertain) == 0:
        return 0.0
    scores, wanted = special.logit(uncertain), mean - float((probabilities >= 1.0).sum())

    def excess(theta: Floats) -> Floats:
        return np.array([special.expit(scores + value).sum() - wanted for value in theta])

    return float(rising_root(excess, np.array([-STEEPEST]), np.array([STEEPEST]))[0])


def _within_reach(mass: Floats, probabilities: Floats) -> Floats:
    """The probabilities without the transform's noise far from the mean."""
    mean, sd = probabilities.sum(), np.sqrt((probabilities * (1.0 - probabilities)).sum())
    # Few expected events have a long right tail, which the second term leaves in.
    near = np.abs(np.arange(len(mass)) - mean) <= REACH * sd + 60.0
    return np.where(near, mass, 0.0)


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _leaves(p: Any) -> Any:
    """Probabilities of the counts of each row's patients."""
    mass = np.zeros((p.shape[0], p.shape[1] + 1))
    for row in range(p.shape[0]):
        mass[row, 0] = 1.0
        for i in range(p.shape[1]):
            event = p[row, i]
            for k in range(i + 1, 0, -1):
                mass[row, k] = mass[row, k] * (1.0 - event) + mass[row, k - 1] * event
            mass[row, 0] *= 1.0 - event
    return mass

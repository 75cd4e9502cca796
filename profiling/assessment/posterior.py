"""The posterior of a provider's effect, and what it says of the ratio P/E.

P_j(b) rises with b, so a quantile of b_j carried through P_j(b)/E_j is the quantile of the ratio, and no
approximation.

Exact: for one logistic random intercept the posterior density ∝ exp(O_j b − Σ log(1 + exp(η_i + b)) − b²/2σ²)
is tabulated at the estimated parameters on 41 points over ±8 standard deviations, interpolated by
splines (quintic of the logarithm, cubic of the density) and integrated. Gaussian: mode and standard
deviation, the full one where the fit has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from scipy import interpolate, special

from profiling.assessment.fitted import Floats, Integers

NEWTON_STEPS, NEWTON_TOLERANCE, LARGEST_STEP = 60, 1e-11, 1.0
REACH, COARSE, FINE = (
    8.0,
    41,
    513,
)  # standard deviations either side, points of the logarithm, points of the density
MOMENT_POINTS = 25
ETA_LIMIT, PRODUCT_LIMIT = 200.0, 1e150
BLOCK = 20_000  # providers interpolated at a time


@dataclass(frozen=True)
class Posterior:
    """Posterior of each provider's effect b_j: mean and standard deviation (J,), the quantiles asked for (J,
    K), and the probability that the effect lies above its norm (J,)."""

    mean: Floats
    sd: Floats
    quantiles: Floats
    above: Floats


def gaussian_posterior(mean: Floats, sd: Floats, norm: Floats, probabilities: tuple[float, ...]) -> Posterior:
    """Posterior N(mean, sd²); with sd zero the effect is above its norm with probability ½."""
    scores = special.ndtri(np.asarray(probabilities))
    safe = np.where(sd > 0, sd, 1.0)
    above = np.where(sd > 0, special.ndtr((mean - norm) / safe), 0.5)
    return Posterior(mean, sd, mean[:, None] + sd[:, None] * scores, above)


def logistic_posterior(
    eta: Floats,
    observed: Floats,
    starts: Integers,
    sigma: float,
    norm: Floats,
    probabilities: tuple[float, ...],
    start: Floats | None = None,
) -> Posterior:
    """Exact posterior of one logistic random intercept b ~ N(0, sigma²) at given parameters.

    eta (n,) sorted by provider, observed (J,) events, norm (J,) the effects to exceed, start (J,) a first
    guess.
    """
    if sigma <= 0.0:
        zero = np.zeros(len(observed))
        return gaussian_posterior(zero, zero, norm, probabilities)
    guess = np.zeros(len(observed)) if start is None else start
    mode, sd = conditional_modes(eta, observed, starts, sigma, guess)
    steps = np.linspace(-REACH, REACH, COARSE)
    log_density = _tabulate(eta, observed, starts, sigma, mode, sd, steps)
    parts = [
        _integrate(
            steps,
            log_density[a : a + BLOCK],
            (norm[a : a + BLOCK] - mode[a : a + BLOCK]) / sd[a : a + BLOCK],
            probabilities,
        )
        for a in range(0, len(mode), BLOCK)
    ]
    mean, spread, quantiles, above = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Posterior(mode + sd * mean, sd * spread, mode[:, None] + sd[:, None] * quantiles, above)


def conditional_modes(
    eta: Floats, observed: Floats, starts: Integers, sigma: float, start: Floats
) -> tuple[Floats, Floats]:
    """Mode and curvature sd of each logistic random intercept b ~ N(0, sigma²), by Newton steps."""
    mode, sd = _modes(eta, observed, starts, 1.0 / sigma**2, start)
    return mode, sd


def standardized_moments(
    eta: Floats, observed: Floats, starts: Integers, sigma: float, start: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Mode, curvature sd, and mean, sd and skewness of (b − mode)/curvature sd of each logistic random intercept.

    The trapezoid rule on MOMENT_POINTS points is right to 1e-9 for a density as smooth as this one.
    """
    mode, sd = conditional_modes(eta, observed, starts, sigma, start)
    steps = np.linspace(-REACH, REACH, MOMENT_POINTS)
    density = np.exp(_tabulate(eta, observed, starts, sigma, mode, sd, steps))
    density /= density.sum(axis=1, keepdims=True)
    mean = density @ steps
    second = density @ steps**2 - mean**2
    third = density @ steps**3 - 3.0 * mean * second - mean**3
    return mode, sd, mean, np.sqrt(second), third / second**1.5


def _integrate(
    steps: Floats, log_density: Floats, norm: Floats, probabilities: tuple[float, ...]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean, sd, quantiles and P(> norm) of standardized densities (J, COARSE) tabulated at `steps`."""
    points = np.linspace(-REACH, REACH, FINE)
    # The spline sees what the normal density leaves: a smooth remainder, zero for a normal posterior.
    remainder = interpolate.make_interp_spline(steps, log_density + 0.5 * steps**2, k=5, axis=1)(points)
    density = np.exp(remainder - 0.5 * points**2)
    density /= density.sum(axis=1, keepdims=True) * (points[1] - points[0])
    mean = density @ points * (points[1] - points[0])
    spread = np.sqrt(density @ points**2 * (points[1] - points[0]) - mean**2)
    cumulative = _running_integral(density, points[1] - points[0])
    cumulative /= cumulative[:, -1:]
    quantiles = np.stack([_invert(points, cumulative, density, p) for p in probabilities], axis=1)
    return mean, spread, quantiles, 1.0 - _cumulative_at(points, cumulative, density, norm)


def _running_integral(density: Floats, step: float) -> Floats:
    """Integral from the first point to each (J, FINE): in every cell that of the polynomial through the six points
    around it; of the trapezoid in the outermost two, where a density is no more than 1e-13."""
    cumulative = np.zeros_like(density)
    cells = cumulative[:, 1:]
    np.add(density[:, :-1], density[:, 1:], out=cells)
    cells *= 0.5
    inner = cells[:, 2:-2]
    inner *= 802.0 / 720.0
    inner -= (density[:, 1:-4] + density[:, 4:-1]) * (93.0 / 1440.0)
    inner += (density[:, :-5] + density[:, 5:]) * (11.0 / 1440.0)
    cells *= step
    np.cumsum(cells, axis=1, out=cells)
    return cumulative


def _invert(points: Floats, cumulative: Floats, density: Floats, probability: float) -> Floats:
    """Quantile by bisection of the cubic through values and slopes of the distribution function."""
    cell = np.clip((cumulative < probability).sum(axis=1) - 1, 0, len(points) - 2)
    low, high = np.zeros(len(cell)), np.ones(len(cell))
    for _ in range(50):
        middle = 0.5 * (low + high)
        under = _hermite(points, cumulative, density, cell, middle) < probability
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return np.asarray(points[cell] + 0.5 * (low + high) * (points[1] - points[0]), dtype=np.float64)


def _cumulative_at(points: Floats, cumulative: Floats, density: Floats, where: Floats) -> Floats:
    width = points[1] - points[0]
    inside = np.clip(where, points[0], points[-1])
    cell = np.clip(((inside - points[0]) / width).astype(np.int64), 0, len(points) - 2)
    value = _hermite(points, cumulative, density, cell, (inside - points[cell]) / width)
    return np.clip(value, 0.0, 1.0)


def _hermite(points: Floats, value: Floats, slope: Floats, cell: Integers, t: Floats) -> Floats:
    """Cubic Hermite interpolation of each row of `value` in its own cell, t from 0 to 1."""
    row, width = np.arange(len(cell)), points[1] - points[0]
    left, right = value[row, cell], value[row, cell + 1]
    left_slope, right_slope = slope[row, cell] * width, slope[row, cell + 1] * width
    s = 1.0 - t
    return np.asarray(
        left * (1 + 2 * t) * s**2
        + left_slope * t * s**2
        + right * t**2 * (3 - 2 * t)
        - right_slope * t**2 * s,
        dtype=np.float64,
    )


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _modes(eta: Any, observed: Any, starts: Any, precision: float, start: Any) -> Any:
    mode, sd = start.copy(), np.empty(observed.shape[0])
    for j in numba.prange(observed.shape[0]):
        b, information = mode[j], precision
        for _ in range(NEWTON_STEPS):
            score, information = observed[j] - precision * b, precision
            for i in range(starts[j], starts[j + 1]):
                p = 1.0 / (1.0 + np.exp(-(eta[i] + b)))
                score -= p
                information += p * (1.0 - p)
            step = score / information
            b += min(max(step, -LARGEST_STEP), LARGEST_STEP)
            if abs(step) < NEWTON_TOLERANCE:
                break
        mode[j], sd[j] = b, 1.0 / np.sqrt(information)
    return mode, sd


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _tabulate(eta: Any, observed: Any, starts: Any, sigma: float, mode: Any, sd: Any, steps: Any) -> Any:
    """Log posterior less its value at the mode: Σ log(1 + exp(η + b)) by logarithms of running products."""
    table = np.zeros((observed.shape[0], steps.shape[0]))
    for j in numba.prange(observed.shape[0]):
        shifts = mode[j] + sd[j] * steps
        odds_ratio = np.exp(shifts)
        logs, product = np.zeros(steps.shape[0]), np.ones(steps.shape[0])
        for i in range(starts[j], starts[j + 1]):
            odds = np.exp(min(max(eta[i], -ETA_LIMIT), ETA_LIMIT))
            for k in range(steps.shape[0]):
                product[k] *= 1.0 + odds * odds_ratio[k]
            if product[-1] > PRODUCT_LIMIT:
                for k in range(steps.shape[0]):
                    logs[k] += np.log(product[k])
                    product[k] = 1.0
        table[j] = observed[j] * shifts - (logs + np.log(product)) - shifts**2 / (2.0 * sigma**2)
        table[j] -= table[j, steps.shape[0] // 2]
    return table

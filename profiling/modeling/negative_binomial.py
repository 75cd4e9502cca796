"""The negative binomial NB2 with its shape kappa estimated: an outer search over log kappa with the exact slope.

log p(y | eta, kappa) = y eta - (y + kappa) log(1 + mu / kappa) + sum_{i<y} log(1 + i / kappa) - log y!, variance
mu + mu^2 / kappa. At the maximum over (beta, theta) for a given kappa the slope of the profile is the partial
derivative (envelope theorem), by implicit differentiation of the mode

    dl/dkappa = sum dl0/dkappa - 1/2 sum q dW/dkappa - sum (Z Lambda t) dl1/dkappa,

with q and t as in `laplace`. The curvature in (beta, theta, log kappa) is differenced from exact gradients and
inverted as a whole, so that standard errors hold the uncertainty of kappa.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numba as nb
import numpy as np

from profiling.modeling.climb import LaplaceObjective, climb
from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import family_of
from profiling.modeling.fit_glmm import Maximum, find_maximum, finish, first_point
from profiling.modeling.inference import invert_information
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.result import MixedModelResult

LOG_SHAPE_STEP = 1e-3
SLOPE_TOLERANCE = 1e-6  # in units of the square root of the curvature: standard errors of log kappa
LARGEST_LOG_SHAPE = 14.0  # kappa of a million: not to be told from a Poisson distribution
MAX_STEPS = 60


@nb.njit(parallel=True, cache=True, error_model="numpy")
def _shape_sums(
    kappa: float,
    y: np.ndarray,
    m: np.ndarray,
    eta: np.ndarray,
    Z: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    effect: np.ndarray,
    V: np.ndarray,
    pull: np.ndarray,
    out: np.ndarray,
) -> None:
    """Store each cell's part of dl/dkappa (M); V (M, k, k) = Lambda H^-1 Lambda', pull (M, k) = Lambda t."""
    plain = Z.shape[0] == 0
    k = effect.shape[1]
    z = np.ones(k)
    for tile in nb.prange(len(tile_ptr) - 1):
        for c in range(tile_ptr[tile], tile_ptr[tile + 1]):
            out[c] = 0.0
            for i in range(cell_ptr[c], cell_ptr[c + 1]):
                e, z_pull, q = eta[i], 0.0, 0.0
                for a in range(k):
                    za = z[a] if plain else Z[i, a]
                    e += za * effect[c, a]
                    z_pull += za * pull[c, a]
                    for b in range(k):
                        q += za * V[c, a, b] * (z[b] if plain else Z[i, b])
                mu = math.exp(min(e, 690.0))
                ratio = mu / kappa
                share = 1.0 / (1.0 + ratio)
                value = (1.0 + y[i] / kappa) * ratio * share - math.log1p(ratio) + _rising_slope(y[i], kappa)
                score = (y[i] - mu) * ratio / kappa * share * share
                weight = mu * (mu * y[i] / kappa - y[i] + 2.0 * mu) / (kappa * kappa) * share * share * share
                out[c] += m[i] * (value - 0.5 * q * weight - z_pull * score)


@nb.njit(cache=True)
def _rising_slope(y: float, kappa: float) -> float:
    """Return the derivative in kappa of sum_{i<y} log(1 + i / kappa)."""
    total = 0.0
    for i in range(int(y)):
        total -= i / (kappa * (kappa + i))
    return total


def shape_slope(objective: LaplaceObjective) -> float:
    """Return dl/dlog kappa at the point that the objective evaluated last, (beta, theta) held."""
    criterion, last = objective.criterion, objective.last
    d, s = criterion.design, criterion.design.structure
    Lambda = d.form.matrix(objective.theta)
    effect = s.gather(last.modes.u0, last.modes.ur) @ Lambda.T
    leverage = np.einsum("ab,mbc,dc->mad", Lambda, last.V, Lambda, optimize=True)
    out = np.empty(s.n_cells)
    kappa = criterion.family.shape
    eta = criterion.linear_predictor(last.beta)
    _shape_sums(kappa, d.y, d.weights, eta, d.Z, s.cell_ptr, s.tile_ptr, effect, leverage, last.pull, out)
    return float(kappa * (out @ d.cell_multiplicity))


def fit_negative_binomial(design: Design, start: np.ndarray | None = None) -> MixedModelResult:
    """Return the maximum over (beta, theta, kappa); `dispersion` of the result is kappa."""
    family = family_of("negative_binomial", None, 1.0)
    point = first_point(design, family) if start is None else start
    log_shape = _first_log_shape(design)
    low, high = -np.inf, np.inf
    slopes: list[tuple[float, float]] = []
    iterations = 0
    for _ in range(MAX_STEPS):
        objective = _objective(design, log_shape)
        optimum, _ = climb(objective, point, design)
        point, iterations = optimum.point, iterations + optimum.iterations
        objective.evaluate(point)
        slope = shape_slope(objective)
        low, high = (log_shape, high) if slope > 0 else (low, log_shape)
        curvature = _profile_curvature(slopes, log_shape, slope)
        slopes.append((log_shape, slope))
        if slope**2 < SLOPE_TOLERANCE**2 * curvature or (slope > 0 and log_shape >= LARGEST_LOG_SHAPE):
            break
        log_shape = _next_log_shape(log_shape, slope, curvature, low, high)
    objective = _objective(design, log_shape)
    maximum = find_maximum(objective, point)
    information = _joint_information(design, maximum, log_shape)
    poisson = log_shape >= LARGEST_LOG_SHAPE
    free = np.append(maximum.free, not poisson)
    covariance, lowest = invert_information(information, free)
    size = len(point)
    whole = replace(maximum, covariance=covariance[:size, :size], lowest=lowest)
    notes = (
        [
            Diagnosis(
                "no_overdispersion", "counts vary no more than a Poisson distribution makes them: fit family='poisson'"
            )
        ]
        if poisson
        else []
    )
    fit = finish(objective, whole, "Laplace", notes)
    converged = fit.converged and (poisson or slope**2 < 1e-6 * curvature)
    return replace(
        fit,
        dispersion=float(np.exp(log_shape)),
        converged=converged,
        iterations=iterations,
        n_parameters=fit.n_parameters + 1,
    )


def _objective(design: Design, log_shape: float) -> LaplaceObjective:
    family = family_of("negative_binomial", None, float(np.exp(log_shape)))
    return LaplaceObjective(LaplaceCriterion(design, family))


def _first_log_shape(design: Design) -> float:
    """Return the moment estimate of log kappa from the outcome alone, kept within reason."""
    mean = float(np.average(design.y, weights=design.weights))
    variance = float(np.average((design.y - mean) ** 2, weights=design.weights))
    return float(np.log(np.clip(mean**2 / max(variance - mean, 1e-6), 0.1, 100.0)))


def _profile_curvature(slopes: list[tuple[float, float]], x: float, slope: float) -> float:
    """Return the profile's curvature in log kappa from the last two slopes; a guess from the slope at first."""
    if slopes and x != slopes[-1][0]:
        secant = -(slope - slopes[-1][1]) / (x - slopes[-1][0])
        if secant > 0:
            return secant
    return max(abs(slope), 1e-3)


def _next_log_shape(x: float, slope: float, curvature: float, low: float, high: float) -> float:
    """Return a secant step kept to 2 at most and inside the bracket."""
    step = float(np.clip(slope / curvature, -2.0, 2.0))
    following = min(x + step, LARGEST_LOG_SHAPE)
    if np.isfinite(low) and np.isfinite(high) and not low < following < high:
        following = (low + high) / 2
    return following


def _joint_information(design: Design, maximum: Maximum, log_shape: float) -> np.ndarray:
    """Return the information of (beta, psi, log kappa)."""
    size = len(maximum.optimum.point)
    gradients = []
    for shift in (LOG_SHAPE_STEP, -LOG_SHAPE_STEP):
        objective = _objective(design, log_shape + shift)
        theta = design.form.to_theta(maximum.optimum.point[objective.p :], np.zeros(design.form.size, dtype=bool))
        objective.zero = (theta == 0) | ~maximum.free[objective.p :] & design.form.diagonal
        _, gradient = objective.evaluate(maximum.optimum.point)
        gradients.append(np.append(gradient, shape_slope(objective)))
    row = (gradients[1] - gradients[0]) / (2 * LOG_SHAPE_STEP)
    joint = np.zeros((size + 1, size + 1))
    joint[:size, :size] = maximum.information
    joint[size, :], joint[:, size] = row, row
    return joint

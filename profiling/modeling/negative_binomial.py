"""The negative binomial NB2 with its shape kappa estimated: an outer search over log kappa with the exact slope.

log p(y | eta, kappa) = y eta - (y + kappa) log(1 + mu / kappa) + sum_{i<y} log(1 + i / kappa) - log y!, variance
mu + mu^2 / kappa. At the maximum over (beta, theta) for a given kappa the slope of the profile is the partial
derivative (envelope theorem; see `shape_slope`). The curvature in (beta, theta, log kappa) is differenced from exact
gradients and inverted as a whole, so that standard errors hold the uncertainty of kappa.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from profiling.modeling.climb import LaplaceObjective, climb
from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import family_of
from profiling.modeling.fit_glmm import Maximum, find_maximum, finish, first_point
from profiling.modeling.inference import invert_information
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.quadrature import QuadratureCriterion
from profiling.modeling.result import MixedModelResult
from profiling.modeling.shape_slope import shape_slope

LOG_SHAPE_STEP = 1e-3
SLOPE_TOLERANCE = 1e-6  # in units of the square root of the curvature: standard errors of log kappa
LARGEST_LOG_SHAPE = 14.0  # kappa of a million: not to be told from a Poisson distribution
MAX_STEPS = 60


@dataclass(frozen=True)
class ShapeSearch:
    """Where the search over (beta, theta, kappa) ended; `points` of the rule, none for Laplace.

    `log_shape_error`: the standard error of log kappa.
    """

    objective: LaplaceObjective
    maximum: Maximum
    log_shape: float
    points: tuple[int, ...]
    arrived: bool
    iterations: int
    log_shape_error: float

    def result(self, label: str, notes: Sequence[Diagnosis]) -> MixedModelResult:
        """Return the fit, its `method` and notes as given."""
        if self.log_shape >= LARGEST_LOG_SHAPE:
            text = "counts vary no more than a Poisson distribution makes them: fit family='poisson'"
            notes = [*notes, Diagnosis("no_overdispersion", text)]
        fit = finish(self.objective, self.maximum, label, notes)
        return replace(
            fit,
            dispersion=float(np.exp(self.log_shape)),
            converged=fit.converged and self.arrived,
            iterations=self.iterations,
            n_parameters=fit.n_parameters + 1,
        )


def fit_negative_binomial(design: Design, start: np.ndarray | None = None) -> MixedModelResult:
    """Return the Laplace maximum over (beta, theta, kappa); `dispersion` of the result is kappa."""
    return search_shape(design, (), start).result("Laplace", [])


def search_shape(
    design: Design, points: tuple[int, ...], start: np.ndarray | None = None, log_shape: float | None = None
) -> ShapeSearch:
    """Climb to the maximum over (beta, theta, kappa), by quadrature of one factor where `points` are given.

    `start` (p + t): scaled beta and psi to begin with; `log_shape` too, else from moments.
    """
    family = family_of("negative_binomial", None, 1.0)
    point = first_point(design, family) if start is None else start
    log_shape = _first_log_shape(design) if log_shape is None else log_shape
    low, high = -np.inf, np.inf
    slopes: list[tuple[float, float]] = []
    iterations = 0
    for _ in range(MAX_STEPS):
        objective = _objective(design, log_shape, points)
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
    objective = _objective(design, log_shape, points)
    maximum = find_maximum(objective, point)
    information = _joint_information(design, maximum, log_shape, points)
    poisson = log_shape >= LARGEST_LOG_SHAPE
    free = np.append(maximum.free, not poisson)
    covariance, lowest = invert_information(information, free)
    size = len(point)
    whole = replace(maximum, covariance=covariance[:size, :size], lowest=lowest)
    arrived = bool(poisson or slope**2 < 1e-6 * curvature)
    error = float(np.sqrt(max(covariance[size, size], 0.0)))
    return ShapeSearch(objective, whole, log_shape, points, arrived, iterations, error)


def _objective(design: Design, log_shape: float, points: tuple[int, ...]) -> LaplaceObjective:
    family = family_of("negative_binomial", None, float(np.exp(log_shape)))
    return LaplaceObjective(QuadratureCriterion(design, family, points) if points else LaplaceCriterion(design, family))


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


def _joint_information(design: Design, maximum: Maximum, log_shape: float, points: tuple[int, ...]) -> np.ndarray:
    """Return the information of (beta, psi, log kappa)."""
    size = len(maximum.optimum.point)
    gradients = []
    for shift in (LOG_SHAPE_STEP, -LOG_SHAPE_STEP):
        objective = _objective(design, log_shape + shift, points)
        theta = design.form.to_theta(maximum.optimum.point[objective.p :], np.zeros(design.form.size, dtype=bool))
        objective.zero = (theta == 0) | ~maximum.free[objective.p :] & design.form.diagonal
        _, gradient = objective.evaluate(maximum.optimum.point)
        gradients.append(np.append(gradient, shape_slope(objective)))
    row = (gradients[1] - gradients[0]) / (2 * LOG_SHAPE_STEP)
    joint = np.zeros((size + 1, size + 1))
    joint[:size, :size] = maximum.information
    joint[size, :], joint[:, size] = row, row
    return joint

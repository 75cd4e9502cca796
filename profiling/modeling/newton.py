"""Maximisation by structured quasi-Newton steps: a cheap, near-exact information matrix, corrected by what was seen.

The direction solves the structured information (Schur complement for beta, expected information for theta) and is
corrected by limited-memory BFGS pairs on top of it (Nocedal 1980). Convergence is judged by the Newton decrement
g'H^-1g, twice the log-likelihood that a quadratic model still hopes to gain: free of units and of n.

Where value and gradient are estimated from probes (see `iterative`), the gradient is not quite that of the value. A
step is then also good if the value falls by no more than its Monte-Carlo error and the slope along the step has not
turned by more than it was (the approximate condition of Hager & Zhang 2005): the search ends where the gradient does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from scipy import linalg

DECREMENT_TOLERANCE = 1e-10
MAX_ITERATIONS = 150
MEMORY = 6
LARGEST_LOG_STEP = 1.5  # a standard deviation moves by at most this factor's logarithm in one step
REFRESH_ABOVE = 1.0  # below this decrement the information no longer changes enough to be worth its cost
TRUSTED_FALL = 10.0  # a step along a sample's information that divides the decrement by less asks for the true one
LARGEST_TURN = 0.9  # share of the slope along a step by which it may point down at the step's end under noise
LEAST_CURVATURE = 0.02  # share of the modelled curvature below which a seen one is not believed: no maximum is near
REFRESH_LOG_STEP = 0.2  # unless a logarithm of a standard deviation has moved this far since
NEGLIGIBLE_SHRINKAGE = 1e-5  # a term that keeps less than this of every level's deviation may be zero


@dataclass(frozen=True)
class Step:
    """One line of the optimiser's log."""

    iteration: int
    value: float
    decrement: float
    step: float


class Objective(Protocol):
    """What the maximiser needs: value and gradient at a point, and the information there."""

    def evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and its gradient."""

    def information(self, sharp: bool = False) -> np.ndarray:
        """Return the structured information at the point evaluated last; sharp: with what closed forms can add."""


@dataclass
class Optimum:
    """Where the search ended, and how."""

    point: np.ndarray
    value: float
    gradient: np.ndarray
    information: np.ndarray
    decrement: float
    iterations: int
    converged: bool
    log: list[Step] = field(default_factory=list)


def maximize(
    objective: Objective,
    start: np.ndarray,
    free: np.ndarray,
    log_scale: np.ndarray,
    tolerance: float = DECREMENT_TOLERANCE,
    stop: Callable[[np.ndarray, np.ndarray], bool] | None = None,
    expected: np.ndarray | None = None,
) -> Optimum:
    """Climb from `start` along the `free` coordinates; `log_scale` marks those whose steps are bounded.

    `stop(point, gradient)` may end the search early (the caller has seen a boundary). `expected` is an information
    known beforehand: the search keeps it for as long as it leads up fast.
    """
    point = start.copy()
    value, gradient = objective.evaluate(point)
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    log: list[Step] = []
    decrement, before, taken = np.inf, np.inf, 0.0
    trusted = expected is not None
    information, informed = np.eye(len(point)) if expected is None else expected, point
    for iteration in range(MAX_ITERATIONS):
        # On the way to a vanishing variance the decrement is small and the information still changes by factors.
        moved_far = np.abs(point - informed)[log_scale].max(initial=0.0) > REFRESH_LOG_STEP
        trusted = trusted and (iteration == 0 or decrement < before / TRUSTED_FALL)
        if (decrement > REFRESH_ABOVE and not trusted) or moved_far:
            information, informed, trusted = objective.information(), point, False
        masked = np.where(free, gradient, 0.0)
        direction = _direction(masked, _solver(information, free), pairs)
        before, decrement = decrement, float(masked @ direction)
        log.append(Step(iteration, value, decrement, taken))
        if not np.isfinite(value) or decrement < tolerance or (stop is not None and stop(point, masked)):
            break
        direction = np.where(log_scale, np.clip(direction, -LARGEST_LOG_STEP, LARGEST_LOG_STEP), direction)
        taken = 1.0
        while True:
            candidate = point + taken * direction
            new_value, new_gradient = objective.evaluate(candidate)
            slack = 1e-9 + 1e-13 * abs(value)
            rise = float(masked @ direction)
            if new_value >= value + 1e-4 * taken * min(decrement, rise) - slack:
                break
            noise = float(getattr(objective, "noise", 0.0))  # of objectives that are exact there is none
            if noise > 0 and new_value >= value - noise and new_gradient @ direction >= -LARGEST_TURN * rise:
                break
            taken /= 4.0
            if taken < 1e-6 and pairs:
                # What was seen earlier misleads here: start again from the information alone.
                pairs, taken = [], 1.0
                objective.evaluate(point)
                information, informed = objective.information(), point
                direction = _direction(masked, _solver(information, free), pairs)
                decrement = float(masked @ direction)
                direction = np.where(log_scale, np.clip(direction, -LARGEST_LOG_STEP, LARGEST_LOG_STEP), direction)
            elif taken < 1e-6:
                objective.evaluate(point)
                return Optimum(point, value, gradient, information, decrement, iteration, decrement < 1e-6, log)
        moved, turned = candidate - point, np.where(free, gradient - new_gradient, 0.0)
        if moved @ turned > LEAST_CURVATURE * abs(moved @ information @ moved):
            pairs = [*pairs[-(MEMORY - 1) :], (moved, turned)]
        point, value, gradient = candidate, new_value, new_gradient
    return Optimum(point, value, gradient, information, decrement, len(log), bool(decrement < tolerance), log)


def _solver(information: np.ndarray, free: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a solver of the information restricted to the free coordinates, made positive definite if need be."""
    own = np.flatnonzero(free)
    block = information[np.ix_(own, own)]
    scale = np.sqrt(np.maximum(np.abs(np.diag(block)), 1e-300))
    scaled = block / np.outer(scale, scale)
    try:
        factor = linalg.cho_factor(scaled)
    except linalg.LinAlgError:
        lowest = float(np.linalg.eigvalsh(scaled)[0])
        factor = linalg.cho_factor(scaled + (1e-6 - min(lowest, 0.0)) * np.eye(len(own)))

    def solve(vector: np.ndarray) -> np.ndarray:
        solution = np.zeros(len(free))
        solution[own] = linalg.cho_solve(factor, vector[own] / scale) / scale
        return solution

    return solve


def _direction(
    gradient: np.ndarray, solve: Callable[[np.ndarray], np.ndarray], pairs: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Return the two-loop limited-memory BFGS direction with the structured information in the middle."""
    q = gradient.copy()
    coefficients = []
    for moved, turned in reversed(pairs):
        a = (moved @ q) / (moved @ turned)
        q -= a * turned
        coefficients.append(a)
    direction = solve(q)
    for (moved, turned), a in zip(pairs, reversed(coefficients), strict=True):
        direction += moved * (a - (turned @ direction) / (moved @ turned))
    # A direction that does not climb is dropped for the plain structured one.
    return direction if gradient @ direction > 0 else solve(gradient)

"""Likelihoods in coordinates of which one can be held: what a profile climbs.

Each objective offers `evaluate(z)` (value and exact gradient), `information()` at the point evaluated last, and the
mask `logarithmic` of coordinates whose steps are bounded, so that `newton.maximize` climbs it as it climbs the whole
likelihood. The chain rule carries gradient and information over from the engine's (beta, theta).
"""

from __future__ import annotations

import copy
from typing import Any, cast

import numpy as np

from profiling.modeling.climb import LaplaceObjective, LinearObjective, block_diagonal
from profiling.modeling.coordinates import CovarianceCoordinates
from profiling.modeling.covariance import CovarianceTemplate
from profiling.modeling.criterion_lmm import LinearCriterion, LinearEvaluation
from profiling.modeling.families import family_of
from profiling.modeling.fixed import Scaling
from profiling.modeling.shape_slope import shape_slope

LEAST_SHARE = 0.05
SHAPE_STEP = 1e-3


def theta_information(form: CovarianceTemplate, theta: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Return the information of theta (t, t) from that of psi; nothing is known along a term at zero."""
    slope = form.slope(theta)
    back = np.divide(1.0, slope, out=np.zeros_like(slope), where=slope != 0)
    return psi * np.outer(back, back)


class ConstrainedLikelihood:
    """A GLMM's log-likelihood in (beta', z): beta' is scaled beta, its entry `term` the raw coefficient.

    A negative binomial model has log kappa as its last coordinate.
    """

    def __init__(self, criterion: Any, term: int, covariance: CovarianceCoordinates) -> None:
        self.criterion = criterion
        self.covariance = covariance
        scaling: Scaling = criterion.design.scaling
        self.p = len(scaling.scale)
        to_target = np.eye(self.p)
        if term >= 0:
            to_target[term] = scaling.to_raw[term]
        self.from_target = np.linalg.inv(to_target) if self.p else to_target
        self.to_target = to_target
        self.shaped = criterion.family.name == "negative_binomial"
        own = [np.zeros(self.p, dtype=bool), covariance.logarithmic, np.ones(int(self.shaped), dtype=bool)]
        self.logarithmic = np.concatenate(own)
        self.shape_curvature = 0.0

    def start(self, beta: np.ndarray, theta: np.ndarray, least: float) -> np.ndarray:
        """Return the coordinates of scaled beta and theta."""
        log_shape = [np.log(self.criterion.family.shape)] if self.shaped else []
        z = np.concatenate([self.to_target @ beta, self.covariance.from_theta(theta, least), log_shape])
        if self.shaped:
            step = np.zeros(len(z))
            step[-1] = SHAPE_STEP
            slopes = [self.evaluate(z + sign * step)[1][-1] for sign in (-1, 1)]
            self.shape_curvature = max((slopes[0] - slopes[1]) / (2 * SHAPE_STEP), 1e-3)
        return z

    def evaluate(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and its gradient at z."""
        end = self.p + self.covariance.form.size
        if self.shaped:
            self.criterion.family = family_of("negative_binomial", None, float(np.exp(z[-1])))
        self.theta = self.covariance.to_theta(z[self.p : end])
        self.J = self.covariance.jacobian(z[self.p : end])
        self.last = self.criterion.evaluate(self.from_target @ z[: self.p], self.theta)
        gradient = self.last.gradient
        parts = [self.from_target.T @ gradient[: self.p], self.J.T @ gradient[self.p :]]
        if self.shaped:
            parts.append(np.array([shape_slope(cast(LaplaceObjective, self))]))
        return self.last.value, np.concatenate(parts)

    def information(self, sharp: bool = False) -> np.ndarray:
        """Return the structured information at the point evaluated last."""
        beta, psi = self.criterion.structured_information(self.last, self.theta)
        own = theta_information(self.covariance.form, self.theta, psi)
        found = block_diagonal(self.from_target.T @ beta @ self.from_target, self.J.T @ own @ self.J)
        return block_diagonal(found, np.array([[self.shape_curvature]])) if self.shaped else found

    def information_beta(self) -> np.ndarray:
        """Return the information of scaled beta (p, p) at the point evaluated last."""
        return np.asarray(self.criterion.structured_information(self.last, self.theta)[0])


class ConstrainedLinear:
    """An LMM's log-likelihood in (log sigma, z), z the covariance on the scale of the outcome, beta profiled out.

    With r^2(theta) and log|H|, l = -1/2 [log|H| + n log(2 pi sigma^2) + r^2 / sigma^2], theta = z's factor / sigma.
    """

    def __init__(self, criterion: LinearCriterion, covariance: CovarianceCoordinates) -> None:
        self.criterion = criterion
        self.covariance = covariance
        self.logarithmic = np.concatenate([[True], covariance.logarithmic])

    def start(self, sigma: float, theta: np.ndarray, least: float) -> np.ndarray:
        """Return the coordinates of sigma and theta."""
        return np.concatenate([[np.log(sigma)], self.covariance.from_theta(sigma * theta, least * sigma)])

    def evaluate(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and its gradient at z."""
        self.sigma = float(np.exp(z[0]))
        self.theta = self.covariance.to_theta(z[1:]) / self.sigma
        self.J = self.covariance.jacobian(z[1:]) / self.sigma
        self.last = at = self.criterion.evaluate(self.theta)
        freedom = self.criterion.n - (self.criterion.p if self.criterion.reml else 0)
        ratio = at.residual_variance / self.sigma**2
        value = at.value - 0.5 * freedom * (ratio - 1 - np.log(ratio))
        self.determinant = determinant_slope(self.criterion, at, self.theta)
        gradient = self.determinant + (at.gradient - self.determinant) * ratio
        at_sigma = freedom * (ratio - 1) - gradient @ self.theta
        return float(value), np.concatenate([[at_sigma], self.J.T @ gradient])

    def information(self, sharp: bool = False) -> np.ndarray:
        """Return the expected information (block-diagonal over factors), kept positive definite."""
        form, t = self.covariance.form, len(self.theta)
        own = np.zeros((t + 1, t + 1))
        own[0, 0] = 2 * self.criterion.n
        own[0, 1:] = own[1:, 0] = -2 * self.determinant
        own[1:, 1:] = theta_information(form, self.theta, self.criterion.information(self.last, self.theta))
        turn = np.zeros((t + 1, t + 1))
        turn[0, 0], turn[1:, 0], turn[1:, 1:] = 1.0, -self.theta, self.J
        return positive(turn.T @ own @ turn)

    def information_beta(self) -> np.ndarray:
        """Return the information of scaled beta (p, p) at the point evaluated last."""
        return np.asarray(self.last.information_beta / self.sigma**2)


def positive(information: np.ndarray) -> np.ndarray:
    """Return the matrix with its off-diagonal shrunk, if need be, until no scaled eigenvalue lies below LEAST_SHARE."""
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    scaled = information / np.outer(scale, scale)
    lowest = float(np.linalg.eigvalsh(scaled)[0])
    if lowest >= LEAST_SHARE:
        return information
    shrunk = scaled * (1 - LEAST_SHARE) / (1 - lowest)
    np.fill_diagonal(shrunk, np.diag(scaled))
    return np.asarray(shrunk * np.outer(scale, scale))


def determinant_slope(criterion: LinearCriterion, at: LinearEvaluation, theta: np.ndarray) -> np.ndarray:
    """Return -1/2 dlog|H|/dtheta = -tr(V L_k'Z'WZ Lambda) (t) of an ML criterion."""
    d = criterion.design
    k = d.form.offsets[-1]
    Lambda = d.form.matrix(theta)
    A = np.broadcast_to(criterion.A, (len(at.V), k, k))
    slope = -np.einsum("m,mac,mcb->ab", d.cell_multiplicity, A @ Lambda, at.V, optimize=True)
    return np.asarray(slope[d.form.rows, d.form.columns])


def without_term(criterion: LinearCriterion, term: int, value: float) -> LinearCriterion:
    """Return the ML criterion with the raw coefficient of `term` held at `value`, from the same cross-products.

    With beta = c + B g (B the other columns' directions on which the raw coefficient does not change), y - X c and
    X B are combinations of the columns of [X y]: rows are not read again.
    """
    p = criterion.p
    raw = criterion.design.scaling.to_raw[term]
    pivot = int(np.argmax(np.abs(raw))) if raw[term] == 0 else term
    others = [j for j in range(p) if j != pivot]
    turn = np.zeros((p + 1, p))
    turn[others, np.arange(p - 1)] = 1.0
    turn[pivot, : p - 1] = -raw[others] / raw[pivot]
    held = value - (criterion.center if term == criterion.design.scaling.intercept else 0.0)
    turn[pivot, p - 1] = -held / raw[pivot]
    turn[p, p - 1] = 1.0
    reduced = copy.copy(criterion)
    reduced.p = p - 1
    reduced.cross = turn.T @ criterion.cross @ turn
    reduced.products = np.ascontiguousarray(criterion.products @ turn)
    return reduced


class ReducedLinear:
    """An LMM's profiled log-likelihood in psi with one coefficient held; sigma and the other coefficients follow."""

    def __init__(self, criterion: LinearCriterion, term: int) -> None:
        self.criterion = criterion
        self.term = term
        self.logarithmic = criterion.design.form.diagonal

    def hold(self, value: float) -> None:
        """Hold the raw coefficient at `value`."""
        self.objective = LinearObjective(without_term(self.criterion, self.term, value))

    def evaluate(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and its gradient at z."""
        return self.objective.evaluate(z)

    def information(self, sharp: bool = False) -> np.ndarray:
        """Return the approximate information at the point evaluated last."""
        return self.objective.information()

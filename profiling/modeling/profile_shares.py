"""Profile intervals of shares of variance with several factors or slopes: the likelihood maximised with a share held.

The share is a coordinate of the search (see `share_coordinates`), so the profile is climbed and its ends are found as
those of a standard deviation are: by the secant on the signed root, which is close to a straight line in the root of
the share. The interval reaches zero where the likelihood does not fall far enough before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from profiling.errors import ModelError, Problem
from profiling.modeling.constrained import ConstrainedLikelihood, theta_information
from profiling.modeling.criterion_lmm import LinearCriterion
from profiling.modeling.profile import LEAST_SD, Profile, profile_interval
from profiling.modeling.share_coordinates import Share, ShareCoordinates, UnreachableError
from profiling.modeling.state import criterion_of, linear_state, scaled_beta, source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

# Logits beyond which a share is zero or one.
_ENDS = 40.0
_FIRST_STEP = 0.3


class _ShareLikelihood(ConstrainedLikelihood):
    """A GLMM's log-likelihood in (beta, z), z with the share; a negative binomial's shape moves the share too."""

    covariance: ShareCoordinates  # type: ignore[assignment]

    def evaluate(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and its gradient at z; minus infinity where the share cannot be had."""
        if self.shaped:
            self.covariance.shape = float(np.exp(z[-1]))
        try:
            value, gradient = super().evaluate(z)
            if self.shaped:
                moved = self.covariance.shape_slope(z[self.p : self.p + self.covariance.form.size])
                gradient[-1] += moved @ self.last.gradient[self.p :]
        except UnreachableError:
            return -np.inf, np.zeros(len(z))
        return value, gradient


class _ShareLinear:
    """An LMM's profiled log-likelihood in z."""

    def __init__(self, criterion: LinearCriterion, covariance: ShareCoordinates) -> None:
        self.criterion, self.covariance = criterion, covariance
        self.logarithmic = covariance.logarithmic

    def evaluate(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and its gradient at z."""
        try:
            self.theta = self.covariance.to_theta(z)
            self.J = self.covariance.jacobian(z)
            self.last = self.criterion.evaluate(self.theta)
        except (UnreachableError, np.linalg.LinAlgError):
            return -np.inf, np.zeros(len(z))
        return self.last.value, self.J.T @ self.last.gradient

    def information(self, sharp: bool = False) -> np.ndarray:
        """Return the approximate information at the point evaluated last."""
        psi = self.criterion.information(self.last, self.theta)
        return np.asarray(self.J.T @ theta_information(self.covariance.form, self.theta, psi) @ self.J)


def share_limits(model: MixedModelResult, share: Share, name: str, level: float) -> tuple[float, float]:
    """Return the limits of a share on the likelihood that the fit maximised (a linear one by REML: the restricted)."""
    covariance = ShareCoordinates(source_of(model).design.form, share, model.theta)
    part, total, _ = covariance.variances(model.theta)
    root = float(np.sqrt(share.of(part, total, share.shape))) if part > 0 else 0.0
    profile = _profile(model, covariance, name, root)
    step = min(_FIRST_STEP * root, 0.9 * (1 - root)) if root > 0 else _FIRST_STEP
    lower, upper = profile_interval(profile, step, level, 0.0, 1.0)
    if np.isnan(lower) or np.isnan(upper):
        raise ModelError(
            Problem(f"intervals='profile' of {name}", "a share that cannot be held", "a regular likelihood")
        )
    return lower**2, upper**2


def _profile(model: MixedModelResult, covariance: ShareCoordinates, name: str, root: float) -> Profile:
    def to_coordinate(value: float) -> float:
        return float(np.clip(special.logit(value**2), -_ENDS, _ENDS))

    if model.family == "gaussian":
        criterion, at = linear_state(model)
        linear = _ShareLinear(criterion, covariance)
        start = covariance.from_theta(model.theta, LEAST_SD)
        return Profile(name, linear, covariance.target, root, start, at.value, to_coordinate, covariance.beside_target)
    objective = _ShareLikelihood(criterion_of(model), -1, covariance)  # type: ignore[arg-type]
    beta = scaled_beta(model)
    best = float(criterion_of(model).evaluate(beta, model.theta).value)
    point = objective.start(beta, model.theta, LEAST_SD)
    held, vanishing = objective.p + covariance.target, objective.p + covariance.beside_target
    return Profile(name, objective, held, root, point, best, to_coordinate, vanishing)

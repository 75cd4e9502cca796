"""Coordinates of the covariance factor in which a share of variance stands alone.

The terms whose part the share is have theta = kappa rho: rho is one for the largest of them and free for the others,
kappa follows from the share, for which part / (part + rest + residual) and its like rise with the part. So with
h(part, total) the logit of the share, A the mean of zz' of a factor and part = sum tr(A Lambda Lambda'),

    dkappa = (dz - dh/dtheta.(everything else)) / (dh/dtheta.rho)              (implicit differentiation).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from profiling.modeling.covariance import CovarianceTemplate

# A share whose logit lies below this is zero.
ZERO = -34.0
_STEP = 1e-5
_REACH = 2.0
_ROUNDS = 80
_PRECISION = 1e-12


class UnreachableError(ArithmeticError):
    """The other terms leave no room for the share."""


@dataclass(frozen=True)
class Share:
    """A share as a function of the part and the total of the variance (and a shape); the factors that are the part.

    `moments`: the mean of zz' (q, q) of every factor, in the design's order.
    """

    of: Callable[[float, float, float], float]
    inside: tuple[int, ...]
    moments: tuple[np.ndarray, ...]
    shape: float

    def odds(self, part: float, total: float, shape: float) -> float:
        """Return the logit of the share."""
        return float(special.logit(self.of(part, total, shape)))


class ShareCoordinates:
    """The map z (t) -> theta (t) with z[`target`] the logit of the share; see `CovarianceCoordinates`."""

    def __init__(self, form: CovarianceTemplate, share: Share, theta: np.ndarray) -> None:
        self.form, self.share, self.shape = form, share, share.shape
        self.own = np.isin(form.factor, share.inside)
        pivots = np.flatnonzero(self.own & form.diagonal)
        self.target = int(pivots[np.argmax(np.abs(theta[pivots]))])
        self.logarithmic = form.diagonal.copy()
        self.logarithmic[self.target] = False
        self.beside_target = np.flatnonzero(self.own & (np.arange(form.size) != self.target))
        self.log_part = 0.0

    def variances(self, theta: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Return the part, the total and the gradient of every factor's variance in its own entries of theta (t)."""
        Lambda = self.form.matrix(theta)
        part = total = 0.0
        slope = np.zeros_like(Lambda)
        for f, A in enumerate(self.share.moments):
            rows = slice(self.form.offsets[f], self.form.offsets[f + 1])
            block = Lambda[rows, rows]
            variance = float((A * (block @ block.T)).sum())
            total += variance
            part += variance if f in self.share.inside else 0.0
            slope[rows, rows] = 2 * A @ block
        return part, total, slope[self.form.rows, self.form.columns]

    def from_theta(self, theta: np.ndarray, least: float) -> np.ndarray:
        """Return z at theta; standard deviations that are zero count as `least`."""
        form = self.form
        floored = np.where(form.diagonal, np.maximum(np.abs(theta), least), theta)
        part, total, _ = self.variances(floored)
        ratio = np.where(self.own, floored / floored[self.target], floored)
        z = np.where(form.diagonal, np.log(np.where(form.diagonal, ratio, 1.0)), ratio)
        z[self.target] = self.share.odds(part, total, self.shape)
        self.log_part = float(np.log(part))
        return np.asarray(z)

    def _free(self, z: np.ndarray) -> np.ndarray:
        """Return rho inside and theta outside of the part (t)."""
        free = np.where(self.logarithmic, np.exp(np.where(self.logarithmic, z, 0.0)), z)
        free[self.target] = 1.0
        return np.asarray(free)

    def to_theta(self, z: np.ndarray) -> np.ndarray:
        """Return theta at z; raise UnreachableError where no part of the variance has this share."""
        free = self._free(z)
        if z[self.target] < ZERO:
            return np.where(self.own, 0.0, free)
        unit, total, _ = self.variances(free)
        log_part = self._log_part(z[self.target], total - unit)
        return np.where(self.own, free * np.exp((log_part - np.log(unit)) / 2), free)

    def _log_part(self, odds: float, rest: float) -> float:
        """Return the logarithm of the part of the variance with these log odds (Newton from the last one)."""

        def at(log_part: float) -> float:
            part = float(np.exp(log_part))
            return self.share.odds(part, part + rest, self.shape) - odds

        here = self.log_part
        for _ in range(_ROUNDS):
            slope = (at(here + _STEP) - at(here - _STEP)) / (2 * _STEP)
            if not slope > 0:
                break
            step = float(np.clip(-at(here) / slope, -_REACH, _REACH))
            here += step
            if abs(step) < _PRECISION or not abs(here) < 50:
                break
        if not abs(at(here)) < 1e-8:
            raise UnreachableError
        self.log_part = here
        return here

    def _odds_slopes(self, theta: np.ndarray) -> np.ndarray:
        """Return the gradient (t) of the log odds in theta."""
        part, total, slope = self.variances(theta)
        small, large = _STEP * part, _STEP * total
        odds = self.share.odds
        by_part = (odds(part + small, total, self.shape) - odds(part - small, total, self.shape)) / (2 * small)
        by_total = (odds(part, total + large, self.shape) - odds(part, total - large, self.shape)) / (2 * large)
        return np.asarray(slope * (by_total + np.where(self.own, by_part, 0.0)))

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        """Return dtheta/dz (t, t)."""
        theta, free = self.to_theta(z), self._free(z)
        moved = np.where(self.logarithmic, free, 1.0)
        moved[self.target] = 0.0
        if z[self.target] < ZERO:
            return np.diag(np.where(self.own, 0.0, moved))
        kappa = theta[self.target]
        direct = np.diag(np.where(self.own, kappa * moved, moved))
        rho = np.where(self.own, free, 0.0)
        slopes = self._odds_slopes(theta)
        due = -slopes @ direct
        due[self.target] = 1.0
        return np.asarray(direct + np.outer(rho, due) / (slopes @ rho))

    def shape_slope(self, z: np.ndarray) -> np.ndarray:
        """Return the derivative of theta (t) in the logarithm of the shape, the share held."""
        if z[self.target] < ZERO:
            return np.zeros(self.form.size)
        theta = self.to_theta(z)
        part, total, _ = self.variances(theta)
        high, low = (self.share.odds(part, total, self.shape * np.exp(step)) for step in (_STEP, -_STEP))
        rho = np.where(self.own, self._free(z), 0.0)
        return np.asarray(-rho * (high - low) / (2 * _STEP) / (self._odds_slopes(theta) @ rho))

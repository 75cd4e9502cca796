"""Profile intervals of shares of variance with several factors or slopes: the likelihood maximised with a share held.

A share h(theta) is no parameter of the search, so it is held by an equality constraint and all else, coefficients and
the other variances, is free (sequential quadratic programming, Kraft 1988, on the exact gradients). The interval is
where the maximum has fallen by half a chi-square quantile; it reaches zero where it does not fall that far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize, special, stats

from profiling.errors import ModelError, Problem
from profiling.modeling.intervals import maximum_likelihood
from profiling.modeling.state import criterion_of, linear_state, scaled_beta

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

Share = Callable[["MixedModelResult", np.ndarray], float]
# Shares below this are zero, above one less this are one.
_LEAST = 1e-6
_STEP = 1e-6
_START = 0.1


@dataclass
class _Held:
    """The likelihood of (beta, theta) (theta alone for a linear model), a share of theta, and where the last ended."""

    value_and_gradient: Callable[[np.ndarray], tuple[float, np.ndarray]]
    share: Callable[[np.ndarray], float]
    inside: np.ndarray
    point: np.ndarray
    best: float

    def profiled(self, share: float) -> float:
        """Return the log-likelihood's fall with the share held."""
        t = len(self.inside)
        first = len(self.point) - t

        def off(x: np.ndarray) -> np.ndarray:
            return np.array([special.logit(np.clip(self.share(x[first:]), 1e-12, 1 - 1e-12)) - special.logit(share)])

        def slope(x: np.ndarray) -> np.ndarray:
            steps = np.eye(len(x))[first:] * _STEP
            moved = [float((off(x + step) - off(x - step))[0]) / (2 * _STEP) for step in steps]
            return np.concatenate([np.zeros(first), moved])[None, :]

        def fun(x: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = self.value_and_gradient(x)
            return -value, -gradient

        start = self._moved(share, first)
        search: Any = optimize.minimize
        found = search(
            fun,
            start,
            jac=True,
            method="SLSQP",
            constraints=[{"type": "eq", "fun": off, "jac": slope}],
            options={"ftol": 1e-10, "maxiter": 200},
        )
        if not np.isfinite(found.fun) or abs(off(found.x)[0]) > 1e-4:
            return float("nan")
        self.point = found.x
        return float(self.best + found.fun)

    def _moved(self, share: float, first: int) -> np.ndarray:
        """Return the last point with the share's own factor rescaled so that it is nearly right."""
        start = self.point.copy()
        theta = start[first:]
        if self.share(theta) < _LEAST:
            theta[self.inside & (theta == 0)] = _START
        odds = special.logit(share) - special.logit(self.share(theta))
        theta[self.inside] *= np.exp(odds / 2)
        return start


def share_limits(fit: MixedModelResult, share: Share, inside: list[str], level: float) -> tuple[float, float]:
    """Return the limits of `share` (of a fit and theta), the part of the factors named `inside`."""
    model = maximum_likelihood(fit)
    held = _held(model, share, inside)
    cutoff = float(stats.chi2.ppf(level, 1) / 2)
    estimate = float(np.clip(held.share(model.theta), _LEAST, 1 - _LEAST))
    start = held.point.copy()
    limits = []
    for end in (_LEAST, 1 - _LEAST):
        held.point = start.copy()
        limits.append(_limit(held, estimate, end, cutoff))
    return limits[0], limits[1]


def _limit(held: _Held, estimate: float, end: float, cutoff: float) -> float:
    low = special.logit(estimate)
    toward = special.logit(end)
    if abs(toward - low) < 1e-9:
        return round(end)

    def over(line: float) -> float:
        fall = held.profiled(float(special.expit(line)))
        if np.isnan(fall):
            raise ModelError(Problem("intervals='profile'", "a share that cannot be held", "a regular likelihood"))
        return fall - cutoff

    step, inner = np.sign(toward - low) * 0.5, low
    while True:
        outer = inner + step
        if (outer - toward) * step >= 0:
            return float(round(end))
        if over(outer) > 0:
            break
        inner, step = outer, step * 1.5
    # At the estimate nothing has fallen.
    found = optimize.brentq(lambda line: over(line) if line != low else -cutoff, inner, outer, xtol=1e-5)
    return float(special.expit(found))


def _held(model: MixedModelResult, share: Share, inside: list[str]) -> _Held:
    if model.family == "gaussian":
        criterion, at = linear_state(model, reml=False)

        def linear(x: np.ndarray) -> tuple[float, np.ndarray]:
            found = criterion.evaluate(x)
            return found.value, found.gradient

        point, best, value = model.theta.copy(), at.value, linear
        own = replace(model, residual_sd=1.0)
        design = criterion.design
    else:
        laplace = criterion_of(model)
        p = len(model.fixed_effects)

        def general(x: np.ndarray) -> tuple[float, np.ndarray]:
            found = laplace.evaluate(x[:p], x[p:])
            return found.value, found.gradient

        point = np.concatenate([scaled_beta(model), model.theta])
        best, value = laplace.evaluate(point[:p], point[p:]).value, general
        own, design = model, laplace.design
    names = [design.factors[f].name for f in design.form.factor]
    return _Held(value, lambda theta: share(own, theta), np.isin(names, inside), point, best)

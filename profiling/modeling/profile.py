"""Profile likelihood intervals: where the likelihood, maximised over all else, falls by half a chi-square quantile.

For a parameter c the signed root zeta(c) = sign(c - c^) sqrt(2 (l^ - max l(c, .))) is close to a straight line (Bates &
Watts 1988, section 6.1), so a bracketed secant finds zeta(c) = -/+ z in a few constrained maximisations, each started
where the last ended. Where the profile of a standard deviation does not rise to the cutoff, the interval reaches 0.
Linear mixed models are profiled on the likelihood, not the restricted one, as in lme4 (Bates et al. 2015).

The profile of a variance forgets that the coefficients were estimated, and lies too low where levels are few. The
adjusted profile l(c) - 1/2 log|I_beta(c)|, I_beta the coefficients' information at the constrained maximum, makes up
for it (Cox & Reid 1987; of a linear model it is the restricted likelihood); its own maximum is found by parabolas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from profiling.errors import ModelError, Problem
from profiling.modeling.constrained import ConstrainedLikelihood, ConstrainedLinear, ReducedLinear
from profiling.modeling.coordinates import CovarianceCoordinates
from profiling.modeling.newton import maximize
from profiling.modeling.parameters import VarianceParameter
from profiling.modeling.state import criterion_of, linear_state, scaled_beta, source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

ROOT_TOLERANCE = 1e-6  # of zeta, which is measured in standard errors
ROOT_STEPS = 30
LEAST_SD = 0.03  # where a variance at zero starts again when another parameter is held elsewhere (relative)
DECREMENT = 1e-9
VERTICES = 2
HIGHER = 1e-3  # a likelihood this much above the fit's means that the fit was no maximum


@dataclass
class Profile:
    """One parameter's profile: the objective, the coordinate held, and the points visited (value, zeta).

    `highest` is the fit's log-likelihood, `best` the profile's value at `estimate`: the same unless it is `adjusted`.
    """

    name: str
    objective: Any
    held: int
    estimate: float
    point: np.ndarray
    highest: float
    to_coordinate: Callable[[float], float]
    vanishing: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    visited: list[tuple[float, float]] = field(default_factory=list)
    adjusted: bool = False

    def __post_init__(self) -> None:
        self.best = self.highest

    def zeta(self, value: float) -> float:
        """Return the signed root of the deviance's rise with the parameter held at `value`."""
        height = self.height(value)
        if np.isnan(height):
            return float("nan")
        found = float(np.sign(value - self.estimate) * np.sqrt(2 * max(self.best - height, 0.0)))
        self.visited.append((value, found))
        return found

    def height(self, value: float) -> float:
        """Return the profile with the parameter held at `value`; nan where the search for it fails."""
        free = np.ones(len(self.point), dtype=bool)
        start = self.point.copy()
        if self.held >= 0:
            free[self.held] = False
            start[self.held] = self.to_coordinate(value)
            if value == 0 and len(self.vanishing):
                # Without the term its covariances with the others mean nothing: they vanish with it.
                free[self.vanishing], start[self.vanishing] = False, 0.0
        else:
            self.objective.hold(value)
        optimum = maximize(self.objective, start, free, self.objective.logarithmic, tolerance=DECREMENT)
        if optimum.value > self.highest + HIGHER:
            raise ModelError(
                Problem(
                    f"profile of {self.name}",
                    f"a log-likelihood {optimum.value - self.highest:.2g} above the fit's",
                    "a fit at its maximum",
                    "Fit again from other starting values",
                )
            )
        if not optimum.converged and optimum.decrement > 1e-4:
            return float("nan")
        self.point = optimum.point
        if not self.adjusted:
            return float(optimum.value)
        self.objective.evaluate(optimum.point)
        return float(optimum.value - np.linalg.slogdet(self.objective.information_beta())[1] / 2)


def profile_of(fit: MixedModelResult, target: int | VarianceParameter, estimate: float) -> Profile:
    """Return the profile of a fixed effect (its position) or a variance parameter of a maximum likelihood fit."""
    design = source_of(fit).design
    parameter = None if isinstance(target, int) else target
    name = fit.fixed_effects.index[target] if isinstance(target, int) else target.name
    covariance = CovarianceCoordinates(design.form, parameter)
    if fit.family != "gaussian":
        objective = ConstrainedLikelihood(criterion_of(fit), target if isinstance(target, int) else -1, covariance)
        point = objective.start(scaled_beta(fit), fit.theta, LEAST_SD)
        held = target if isinstance(target, int) else objective.p + covariance.target
        if parameter is not None and parameter.kind == "shape":
            held = len(point) - 1
        best = float(criterion_of(fit).evaluate(scaled_beta(fit), fit.theta).value)
        vanishing = objective.p + covariance.beside_target
        to_coordinate = np.log if parameter is not None and parameter.kind == "shape" else float
        return Profile(str(name), objective, held, estimate, point, best, to_coordinate, vanishing)
    criterion, at = linear_state(fit, reml=False)
    if isinstance(target, int):
        reduced = ReducedLinear(criterion, target)
        return Profile(str(name), reduced, -1, estimate, covariance.from_theta(fit.theta, LEAST_SD), at.value, float)
    linear = ConstrainedLinear(criterion, covariance)
    point = linear.start(fit.residual_sd, fit.theta, LEAST_SD)
    if target.kind == "sigma":
        return Profile(str(name), linear, 0, estimate, point, at.value, np.log)
    held = 1 + covariance.target
    return Profile(str(name), linear, held, estimate, point, at.value, float, 1 + covariance.beside_target)


def adjust(profile: Profile, error: float, lowest: float = -np.inf, highest: float = np.inf) -> None:
    """Make it the adjusted profile, estimate and best those of its maximum; `error` a standard error, bounds as below.

    The vertex of the parabola through three points, then of that through it and its two nearest.
    """
    profile.adjusted = True
    error = min(error, highest - profile.estimate)
    around = profile.estimate + error * np.array([0.0, 0.5, -0.5, 1.0])
    inside = [value for value in around if lowest <= value < highest]
    seen = {value: profile.height(value) for value in inside[:3]}
    for _ in range(VERTICES):
        middle = max(seen, key=lambda value: seen[value])
        a, b, c = sorted(sorted(seen, key=lambda value: abs(value - middle))[:3])
        left, right = (seen[b] - seen[a]) / (b - a), (seen[c] - seen[b]) / (c - b)
        if not right < left:
            break
        vertex = float(np.clip((a + b) / 2 + left * (c - a) / 2 / (left - right), max(lowest, a - error), c + error))
        if not lowest <= vertex < highest or vertex in seen:
            break
        seen[vertex] = profile.height(vertex)
    profile.estimate = max(seen, key=lambda value: seen[value])
    profile.best = seen[profile.estimate]


def profile_interval(
    profile: Profile, step: float, level: float, lowest: float = -np.inf, highest: float = np.inf
) -> tuple[float, float]:
    """Return the interval; `step` is the distance of a first guess, `lowest` and `highest` bound the parameter."""
    cutoff = float(stats.norm.ppf(0.5 + level / 2))
    start = profile.point.copy()
    lower = _root(profile, -cutoff, -step, lowest)
    profile.point = start
    return lower, _root(profile, cutoff, step, highest)


def first_step(fit: MixedModelResult) -> float:
    """Return a first guess at a standard deviation's upper limit where the estimate is zero."""
    return 0.3 * (fit.residual_sd if fit.family == "gaussian" else 1.0)


def _root(profile: Profile, target: float, step: float, bound: float) -> float:
    """Return where zeta meets `target` between the estimate and `bound`; the bound where it is not met before."""
    if profile.estimate == bound:
        return bound
    inner, inner_zeta = profile.estimate, 0.0
    outer = outer_zeta = np.nan
    if np.isfinite(bound) and bound == 0.0:
        start = profile.point.copy()
        at_bound = profile.zeta(bound)
        profile.point = start
        if not abs(at_bound) > abs(target):
            return bound
        outer, outer_zeta = bound, at_bound
    guess = profile.estimate + step
    for _ in range(ROOT_STEPS):
        if np.isfinite(bound) and not (guess - bound) * np.sign(step) < 0:
            guess = (inner + bound) / 2
        found = profile.zeta(guess)
        if np.isnan(found):
            return float("nan")
        if abs(found - target) < ROOT_TOLERANCE:
            return float(guess)
        if abs(found) < abs(target):
            inner, inner_zeta = guess, found
        else:
            outer, outer_zeta = guess, found
        guess = _next(profile, target, inner, inner_zeta, outer, outer_zeta, step)
    return float("nan")


def _next(
    profile: Profile,
    target: float,
    inner: float,
    inner_zeta: float,
    outer: float,
    outer_zeta: float,
    step: float,
) -> float:
    """Return the secant through the last two points, or the bracket's own where that leaves it."""
    points = [(profile.estimate, 0.0), *profile.visited]
    side = [point for point in points if (point[0] - profile.estimate) * step >= 0][-2:]
    (a, za), (b, zb) = side if len(side) == 2 else ((inner, inner_zeta), (outer, outer_zeta))
    guess = b + (target - zb) * (b - a) / (zb - za) if zb != za else np.nan
    if np.isnan(outer):
        # No bracket yet: at most four times as far as ever.
        reach = 4 * abs(inner - profile.estimate) + abs(step)
        far = profile.estimate + np.sign(step) * reach
        return float(far if np.isnan(guess) or abs(guess - profile.estimate) > reach else guess)
    low, high = min(inner, outer), max(inner, outer)
    if not low < guess < high:
        guess = inner + (target - inner_zeta) * (outer - inner) / (outer_zeta - inner_zeta)
    return float(guess)

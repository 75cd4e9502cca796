"""Fitting a GLMM: search, information, effects, result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from profiling.modeling.assemble import assemble
from profiling.modeling.climb import LaplaceObjective, climb
from profiling.modeling.design import Design
from profiling.modeling.diagnose import diagnose_glmm
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.effects import implicit_slopes, random_effects
from profiling.modeling.families import Family
from profiling.modeling.inference import invert_information
from profiling.modeling.information import Nearby, dear, glmm_information, information_nearby
from profiling.modeling.iterative_error import glmm_errors
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.newton import DECREMENT_TOLERANCE, Optimum
from profiling.modeling.pilot import Pilot, find_pilot
from profiling.modeling.result import MixedModelResult

DEAR_TOLERANCE = 1e-9  # decrement that ends a dear search: the log-likelihood is short of its maximum by half of it
NEAR = 0.5  # decrement below which the information is that of the maximum but for percents
FIRST_SD = 0.3  # where the search for a standard deviation starts on the scale of the link


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is largest: the optimum, its free coordinates, the information there and its inverse."""

    optimum: Optimum
    free: np.ndarray
    information: np.ndarray
    covariance: np.ndarray
    lowest: float

    @property
    def converged(self) -> bool:
        """Return whether the search arrived at a maximum that bends down in every direction."""
        return self.optimum.converged and self.lowest > 0 and bool(np.isfinite(self.optimum.value))


@dataclass(frozen=True)
class Search:
    """Where the search for the Laplace maximum ended: the likelihood, the optimum, its free coordinates.

    `nearby` is the information that its last steps went by, where evaluations are dear.
    """

    objective: LaplaceObjective
    optimum: Optimum
    free: np.ndarray
    nearby: Nearby | None

    def maximum(self) -> Maximum:
        """Return the maximum with the covariance of (beta, psi)."""
        return with_information(self.objective, self.optimum, self.free, self.nearby)


def climb_laplace(
    design: Design, family: Family, start: np.ndarray | None = None, tolerance: float = DECREMENT_TOLERANCE
) -> Search:
    """Climb to the Laplace maximum.

    `start` (p + t): scaled beta and psi of an earlier fit; otherwise a sample's (see `pilot`), or the mean and small
    variances. Where evaluations are dear the last steps follow the information differenced near the maximum, which
    the standard errors need anyhow: each step then gains three digits and more.
    """
    objective = LaplaceObjective(LaplaceCriterion(design, family))
    pilot = Pilot(start, None) if start is not None else find_pilot(design, family, first_point(design, family))
    if not dear(objective) or tolerance > NEAR:
        return Search(objective, *climb(objective, pilot.point, design, tolerance, pilot.information), None)
    near, free = climb(objective, pilot.point, design, NEAR, pilot.information)
    nearby = information_nearby(objective, near.point, free)
    optimum, free = climb(objective, near.point, design, max(tolerance, DEAR_TOLERANCE), nearby.information)
    log = [*near.log[:-1], *(replace(step, iteration=step.iteration + near.iterations - 1) for step in optimum.log)]
    joined = replace(optimum, log=log, iterations=len(log))
    return Search(objective, joined, free, nearby if (objective.zero == ~free[objective.p :]).all() else None)


def first_point(design: Design, family: Family) -> np.ndarray:
    """Return where a search from nothing starts: no covariate matters, every standard deviation is `FIRST_SD`."""
    p, form = design.X.shape[1], design.form
    start = np.concatenate([np.zeros(p), np.where(form.diagonal, np.log(FIRST_SD), 0.0)])
    if design.scaling.intercept >= 0:
        mean = float(np.average(design.y, weights=design.weights))
        center = float(np.average(design.offset, weights=design.weights))
        start[design.scaling.intercept] = float(family.link_function(np.clip(mean, 1e-6, None))) - center
    return start


def find_maximum(objective: LaplaceObjective, start: np.ndarray) -> Maximum:
    """Climb from `start` and return the maximum with the covariance of (beta, psi)."""
    return with_information(objective, *climb(objective, start, objective.criterion.design))


def with_information(
    objective: LaplaceObjective, optimum: Optimum, free: np.ndarray, nearby: Nearby | None = None
) -> Maximum:
    """Return the maximum that `climb` found with the information of (beta, psi) and its inverse."""
    information = glmm_information(objective, optimum.point, free, nearby)
    return Maximum(optimum, free, information, *invert_information(information, free))


def finish(
    objective: LaplaceObjective, maximum: Maximum, method: str, notes: Sequence[Diagnosis] = ()
) -> MixedModelResult:
    """Return the result at the maximum, for all rows of the data where equal ones stood as one in the search.

    The random effects' modes are those of their joint density given the data.
    """
    optimum, design, family = maximum.optimum, objective.criterion.design, objective.criterion.family
    design = design.whole or design
    p, form = design.X.shape[1], design.form
    objective.evaluate(optimum.point)
    theta, value = objective.theta, objective.last.value
    slope = np.concatenate([np.ones(p), form.slope(theta)])
    joint = maximum.covariance * np.outer(slope, slope)
    found, converged = diagnose_glmm(design, family, maximum, objective.zero, theta)
    diagnoses = [*design.diagnoses, *notes, *found]
    laplace = objective
    if method != "Laplace" or design is not objective.criterion.design:
        laplace = LaplaceObjective(LaplaceCriterion(design, family))
        laplace.zero = objective.zero
        laplace.evaluate(optimum.point)
    criterion, last, Lambda = laplace.criterion, laplace.last, form.matrix(theta)
    K0, Kr = last.modes.factor.full_solve(*last.modes.factor.half_solve(*criterion.level_products(last.w, Lambda)))
    theta_slopes = _theta_slopes(criterion, laplace)
    effects = random_effects(
        design, theta, 1.0, (last.modes.u0, last.modes.ur), last.V, (-K0, -Kr), theta_slopes, joint, p
    )
    fit = assemble(
        design,
        family,
        method,
        optimum,
        converged,
        value + constant(design, family),
        optimum.point[:p],
        joint[:p, :p],
        theta,
        joint[p:, p:],
        1.0,
        effects,
        diagnoses,
        criterion.linear_predictor(optimum.point[:p]),
        bool(objective.zero.any()),
        p + form.size,
        joint[:p, p:],
    )
    return glmm_errors(fit, laplace, joint)


def constant(design: Design, family: Family) -> float:
    """Return the part of the log-likelihood that is free of parameters, clusters counted by their multiplicity."""
    if (design.cell_multiplicity == 1).all():
        return family.constant(design.y, design.weights)
    counted = np.repeat(design.cell_multiplicity, np.diff(design.structure.cell_ptr))
    return float(
        sum(family.constant(design.y[counted == m], design.weights[counted == m]) * m for m in np.unique(counted))
    )


def _theta_slopes(criterion: LaplaceCriterion, objective: LaplaceObjective) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return du/dtheta_k at the mode, by implicit differentiation: V(L_k'Z'l1 - Lambda'Z'WZ L_k u)."""
    design, last = criterion.design, objective.last
    Lambda = design.form.matrix(objective.theta)
    k = design.form.offsets[-1]
    u = design.structure.gather(last.modes.u0, last.modes.ur)
    r = criterion._widen(last.modes.r)
    A = np.broadcast_to(last.modes.A, (len(u), k, k))
    return implicit_slopes(design, Lambda, u, r, A, last.modes.factor)

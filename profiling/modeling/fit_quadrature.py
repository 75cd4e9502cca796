"""Fitting a GLMM by adaptive quadrature: where it is possible, how many points it takes, and when it pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.climb import LaplaceObjective, climb
from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import Family
from profiling.modeling.fit_glmm import FIRST_SD, Maximum, climb_laplace, finish, with_information
from profiling.modeling.gauss_hermite import MOST_POINTS
from profiling.modeling.nested_quadrature import NestedCriterion
from profiling.modeling.nesting import quadrature_obstacle
from profiling.modeling.newton import Optimum
from profiling.modeling.posterior import posteriors
from profiling.modeling.quadrature import QuadratureCriterion
from profiling.modeling.result import MixedModelResult
from profiling.modeling.rule_points import (
    MOST_NODES,
    SMALL_CLUSTER,
    Change,
    Criterion,
    Points,
    changes_by,
    cluster_sizes,
    coarser,
    first_points,
    given_points,
    in_errors,
    more_points,
    moves_of,
    nodes_of,
    parameter_name,
    points_text,
    report,
    sizes_text,
)
from profiling.modeling.vector_nesting import VectorNesting

LAPLACE_TOLERANCE = 0.05  # standard errors by which Laplace may be off before `auto` turns to quadrature
TINY_CLUSTER = 3.0  # median rows below which Laplace is doubtful where no quadrature can check it
MOST_WORK = 5e7  # rows times nodes of slopes in nested levels above which quadrature must be asked for
MANY = 5e6  # rows times nodes above which standard errors come from the next coarser rule


def quadrature_criterion(design: Design, family: Family, points: Sequence[int]) -> Criterion:
    """Return the criterion with `points` by factor (in the design's order); raise ModelError where there is none."""
    obstacle = quadrature_obstacle(design)
    if obstacle:
        raise ModelError(obstacle)
    if len(design.factors) == 1:
        return QuadratureCriterion(design, family, tuple(points))
    return (NestedCriterion if design.plain else VectorNesting)(design, family, tuple(points))


def fit_quadrature(
    design: Design, family: Family, points: Points = None, start: np.ndarray | None = None
) -> MixedModelResult:
    """Return the maximum of the likelihood by adaptive quadrature; raise ModelError where levels cross.

    `points`: one odd number for every factor, a number by factor's name, or None: as many as it takes until 2n + 1
    instead of n points move no estimate by `TOLERANCE` standard errors and the log-likelihood by `TOLERANCE`.
    `start` (p + t): scaled beta and psi of an earlier fit.
    """
    used = first_points(design) if points is None else given_points(points, design)
    criterion = quadrature_criterion(design, family, used)
    if start is None:
        start = _laplace_start(design, family)
    while True:
        objective = LaplaceObjective(criterion)
        optimum, free = climb(objective, start, design)
        changes = [Change(np.nan, np.nan)] * len(used)
        if points is None or nodes_of(design, [2 * n + 1 for n in used]) <= MOST_NODES // 8:
            changes = changes_by(criterion, objective, optimum, free)
        more = more_points(used, changes) if points is None else used
        if more == used or nodes_of(design, more) > MOST_NODES or max(more) > MOST_POINTS:
            break
        used, start, criterion = more, optimum.point, criterion.with_points(tuple(more))
    maximum = _informed(criterion, objective, optimum, free)
    label = f"adaptive quadrature ({points_text(design, used)})"
    result = finish(objective, maximum, label, [report(design, used, changes, points is None)])
    return replace(result, posteriors=posteriors(objective, optimum.point), points=tuple(used))


def fit_auto(design: Design, family: Family, start: np.ndarray | None = None) -> MixedModelResult:
    """Return the fit by quadrature where Laplace is off by more than `LAPLACE_TOLERANCE`, else Laplace; say which."""
    laplace, maximum = _laplace(design, family, start)
    obstacle = quadrature_obstacle(design) or _dear(design)
    if obstacle:
        note = Diagnosis("method", f"Laplace was used: {obstacle.found}")
        return finish(laplace, maximum, "Laplace", [note])
    change, term = laplace_error(laplace, maximum)
    if change.move <= LAPLACE_TOLERANCE:
        note = Diagnosis(
            "method", f"Laplace was used: quadrature would move no estimate by more than {in_errors(change)}"
        )
        return finish(laplace, maximum, "Laplace", [note])
    fit = fit_quadrature(design, family, None, _away_from_zero(maximum.optimum.point, laplace, design))
    note = Diagnosis(
        "method",
        f"quadrature was used: clusters are small ({sizes_text(design)}), and Laplace is off by about "
        f"{in_errors(change)} in {term}",
    )
    return replace(fit, diagnostics=(note, *fit.diagnostics))


def fit_laplace(design: Design, family: Family, start: np.ndarray | None = None) -> MixedModelResult:
    """Return the Laplace fit; where clusters are small, with what quadrature would change."""
    laplace, maximum = _laplace(design, family, start)
    return finish(laplace, maximum, "Laplace", _small_clusters(laplace, maximum))


def laplace_error(laplace: LaplaceObjective, maximum: Maximum) -> tuple[Change, str]:
    """Estimate what quadrature would change by one step from the Laplace maximum, and name the estimate it moves most.

    The step takes the slope of the rule with `first_points` at the Laplace maximum; of two neighbouring maxima it
    finds the distance, of distant ones the direction and a lower bound.
    """
    design, family = laplace.criterion.design, laplace.criterion.family
    rule = LaplaceObjective(quadrature_criterion(design, family, first_points(design)))
    rule.zero = laplace.zero
    value, gradient = rule.evaluate(maximum.optimum.point)
    moves = moves_of(gradient, maximum.covariance, maximum.free)
    largest = int(np.argmax(moves))
    change = Change(abs(value - maximum.optimum.value), float(moves[largest]))
    return change, parameter_name(design, largest)


def _dear(design: Design) -> Problem | None:
    """Return why quadrature is not tried unasked, or None: slopes in nested levels take many nodes."""
    nodes = nodes_of(design, first_points(design))
    if design.plain or len(design.factors) == 1 or design.n * float(nodes) <= MOST_WORK:
        return None
    found = f"slopes in nested levels would take {nodes:,} nodes for each of {design.n:,} rows"
    return Problem("method", found, "fewer rows or terms", "Ask for it by method='agq' with few points")


def _laplace(design: Design, family: Family, start: np.ndarray | None) -> tuple[LaplaceObjective, Maximum]:
    search = climb_laplace(design, family, start)
    return search.objective, search.maximum()


def _laplace_start(design: Design, family: Family) -> np.ndarray:
    search = climb_laplace(design, family, tolerance=1e-4)
    return _away_from_zero(search.optimum.point, search.objective, design)


def _away_from_zero(point: np.ndarray, objective: LaplaceObjective, design: Design) -> np.ndarray:
    """Return the point with the variances that vanished under Laplace back where a search starts."""
    start = point.copy()
    psi = start[objective.p :]
    psi[objective.zero & design.form.diagonal] = np.log(FIRST_SD)
    return start


def _small_clusters(laplace: LaplaceObjective, maximum: Maximum) -> list[Diagnosis]:
    design = laplace.criterion.design
    smallest = min(cluster_sizes(design))
    if smallest >= SMALL_CLUSTER:
        return []
    obstacle = quadrature_obstacle(design) or _dear(design)
    if obstacle:
        if smallest >= TINY_CLUSTER:
            return []
        text = f"clusters are small ({sizes_text(design)}) and Laplace may understate their variance; {obstacle.found}"
        return [Diagnosis("small_clusters", text, "warning")]
    change, term = laplace_error(laplace, maximum)
    if change.move <= LAPLACE_TOLERANCE:
        return []
    return [
        Diagnosis(
            "small_clusters",
            f"clusters are small ({sizes_text(design)}): Laplace is off by about {in_errors(change)} in {term}. "
            "Use method='agq' (adaptive quadrature) or 'auto'",
            "warning",
        )
    ]


def _informed(criterion: Criterion, objective: LaplaceObjective, optimum: Optimum, free: np.ndarray) -> Maximum:
    """Return the maximum with its information: of the rule itself, or of the next coarser one where rows are many.

    The information needs three digits where the likelihood needs ten, and takes two evaluations a parameter.
    """
    nodes = nodes_of(criterion.design, criterion.points)
    if isinstance(criterion, QuadratureCriterion) or criterion.design.n * float(nodes) < MANY:
        return with_information(objective, optimum, free)
    rule = LaplaceObjective(criterion.with_points(tuple(max(n, 3) for n in map(coarser, criterion.points))))
    rule.zero = objective.zero
    return with_information(rule, optimum, free)

"""Negative binomial models of one factor by quadrature: the shape searched around it, points as many as it takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.fit_quadrature import LAPLACE_TOLERANCE, laplace_error
from profiling.modeling.gauss_hermite import MOST_POINTS
from profiling.modeling.negative_binomial import ShapeSearch, search_shape
from profiling.modeling.posterior import posteriors
from profiling.modeling.quadrature import QuadratureCriterion
from profiling.modeling.result import MixedModelResult
from profiling.modeling.rule_points import (
    MOST_NODES,
    Change,
    Points,
    changes_by,
    first_points,
    given_points,
    in_errors,
    more_points,
    nodes_of,
    points_text,
    report,
    sizes_text,
)
from profiling.modeling.shape_slope import shape_slope


def fit_shape_quadrature(design: Design, points: Points = None, start: np.ndarray | None = None) -> MixedModelResult:
    """Return the maximum over (beta, theta, kappa) by quadrature; raise ModelError with more than one factor.

    `points`: an odd number, or None: as many as it takes, as in `fit_quadrature`, log kappa among the estimates.
    """
    if len(design.factors) > 1:
        found = (
            f"a negative binomial outcome with {len(design.factors)} grouping factors, for which there is no quadrature"
        )
        raise ModelError(Problem("method", found, "one grouping factor", "Use method='laplace'"))
    return _fit(design, points, start, None)


def fit_shape_auto(design: Design, start: np.ndarray | None = None) -> MixedModelResult:
    """Return the fit by quadrature where Laplace is off by more than `LAPLACE_TOLERANCE`, else Laplace; say which."""
    laplace = search_shape(design, (), start)
    if len(design.factors) > 1:
        note = Diagnosis("method", "Laplace was used: negative binomial outcomes have quadrature with one factor only")
        return laplace.result("Laplace", [note])
    change, term = laplace_error(laplace.objective, laplace.maximum)
    if change.move <= LAPLACE_TOLERANCE:
        text = f"Laplace was used: quadrature would move no estimate by more than {in_errors(change)}"
        return laplace.result("Laplace", [Diagnosis("method", text)])
    fit = _fit(design, None, laplace.maximum.optimum.point, laplace.log_shape)
    text = (
        f"quadrature was used: clusters are small ({sizes_text(design)}), and Laplace is off by about "
        f"{in_errors(change)} in {term}"
    )
    return replace(fit, diagnostics=(Diagnosis("method", text), *fit.diagnostics))


def _fit(design: Design, points: Points, start: np.ndarray | None, log_shape: float | None) -> MixedModelResult:
    used = first_points(design) if points is None else given_points(points, design)
    while True:
        search = search_shape(design, tuple(used), start, log_shape)
        changes = [Change(np.nan, np.nan)]
        if points is None or nodes_of(design, [2 * used[0] + 1]) <= MOST_NODES // 8:
            changes = _changes(search)
        more = more_points(used, changes) if points is None else used
        if more == used or nodes_of(design, more) > MOST_NODES or max(more) > MOST_POINTS:
            break
        used, start, log_shape = more, search.maximum.optimum.point, search.log_shape
    label = f"adaptive quadrature ({points_text(design, used)})"
    fit = search.result(label, [report(design, used, changes, points is None)])
    own = posteriors(search.objective, search.maximum.optimum.point)
    return replace(fit, posteriors=own, points=tuple(used))


def _changes(search: ShapeSearch) -> list[Change]:
    """Return what 2n + 1 points would change, the move of log kappa in its standard error among it."""
    objective, optimum = search.objective, search.maximum.optimum
    criterion = objective.criterion
    assert isinstance(criterion, QuadratureCriterion)
    (change,) = changes_by(criterion, objective, optimum, search.maximum.free)
    if not np.isfinite(change.value):
        return [change]
    finer = LaplaceObjective(criterion.with_points((2 * search.points[0] + 1,)))
    finer.zero = objective.zero
    slopes = []
    for rule in (objective, finer):
        rule.evaluate(optimum.point)
        slopes.append(shape_slope(rule))
    return [Change(change.value, max(change.move, abs(slopes[1] - slopes[0]) * search.log_shape_error))]

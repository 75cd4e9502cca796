"""Fitting a GLMM by adaptive quadrature: where it is possible, how many points it takes, and when it pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.climb import LaplaceObjective, climb
from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import Family
from profiling.modeling.fit_glmm import FIRST_SD, Maximum, climb_laplace, finish, with_information
from profiling.modeling.gauss_hermite import MOST_POINTS
from profiling.modeling.inference import invert_information
from profiling.modeling.nested_quadrature import NestedCriterion
from profiling.modeling.nesting import quadrature_obstacle
from profiling.modeling.newton import Optimum
from profiling.modeling.posterior import posteriors
from profiling.modeling.quadrature import QuadratureCriterion
from profiling.modeling.result import MixedModelResult

TOLERANCE = 0.01  # standard errors, and units of log-likelihood, by which more points may move the fit
LAPLACE_TOLERANCE = 0.05  # standard errors by which Laplace may be off before `auto` turns to quadrature
SMALL_CLUSTER = 10.0  # median rows below which Laplace is checked against quadrature
TINY_CLUSTER = 3.0  # median rows below which Laplace is doubtful where no quadrature can check it
MOST_NODES = 20_000  # nodes of a product rule, or of all levels together
MANY = 5e6  # rows times nodes above which standard errors come from the next coarser rule
# Points to begin with, by the median rows of a cluster: the smaller the cluster the less normal its effect.
FIRST_POINTS = ((4.0, 15), (15.0, 9), (60.0, 7), (300.0, 5), (np.inf, 3))

Points = int | Mapping[str, int] | None
Criterion = QuadratureCriterion | NestedCriterion


@dataclass(frozen=True)
class Change:
    """What 2n + 1 instead of n points do to the log-likelihood, and the largest move of an estimate (in its errors)."""

    value: float
    move: float


def quadrature_criterion(design: Design, family: Family, points: Sequence[int]) -> Criterion:
    """Return the criterion with `points` by factor (in the design's order); raise ModelError where there is none."""
    obstacle = quadrature_obstacle(design)
    if obstacle:
        raise ModelError(obstacle)
    kind = QuadratureCriterion if len(design.factors) == 1 else NestedCriterion
    return kind(design, family, tuple(points))


def cluster_sizes(design: Design) -> list[float]:
    """Return the median rows of a cluster, by factor."""
    return [float(np.median(np.bincount(factor.codes, minlength=factor.size))) for factor in design.factors]


def first_points(design: Design) -> list[int]:
    """Return the points to begin with, by factor: many where clusters are small, few where they are big."""
    found = [next(points for limit, points in FIRST_POINTS if size < limit) for size in cluster_sizes(design)]
    return [7] if len(found) == 1 and found[0] < 7 else found


def fit_quadrature(
    design: Design, family: Family, points: Points = None, start: np.ndarray | None = None
) -> MixedModelResult:
    """Return the maximum of the likelihood by adaptive quadrature; raise ModelError where levels cross.

    `points`: one odd number for every factor, a number by factor's name, or None: as many as it takes until 2n + 1
    instead of n points move no estimate by `TOLERANCE` standard errors and the log-likelihood by `TOLERANCE`.
    `start` (p + t): scaled beta and psi of an earlier fit.
    """
    used = first_points(design) if points is None else _given_points(points, design)
    criterion = quadrature_criterion(design, family, used)
    if start is None:
        start = _laplace_start(design, family)
    while True:
        objective = LaplaceObjective(criterion)
        optimum, free = climb(objective, start, design)
        changes = [Change(np.nan, np.nan)] * len(used)
        if points is None or _nodes(design, [2 * n + 1 for n in used]) <= MOST_NODES // 8:
            changes = _changes(criterion, objective, optimum, free)
        more = _more_points(used, changes) if points is None else used
        if more == used or _nodes(design, more) > MOST_NODES or max(more) > MOST_POINTS:
            break
        used, start, criterion = more, optimum.point, criterion.with_points(tuple(more))
    maximum = _informed(criterion, objective, optimum, free)
    label = f"adaptive quadrature ({_points_text(design, used)})"
    result = finish(objective, maximum, label, [_report(design, used, changes, points is None)])
    return replace(result, posteriors=posteriors(objective, optimum.point), points=tuple(used))


def fit_auto(design: Design, family: Family, start: np.ndarray | None = None) -> MixedModelResult:
    """Return the fit by quadrature where Laplace is off by more than `LAPLACE_TOLERANCE`, else Laplace; say which."""
    laplace, maximum = _laplace(design, family, start)
    obstacle = quadrature_obstacle(design)
    if obstacle:
        note = Diagnosis("method", f"Laplace was used: {obstacle.found}")
        return finish(laplace, maximum, "Laplace", [note])
    change, term = laplace_error(laplace, maximum)
    if change.move <= LAPLACE_TOLERANCE:
        note = Diagnosis("method", f"Laplace was used: quadrature would move no estimate by more than {_se(change)}")
        return finish(laplace, maximum, "Laplace", [note])
    fit = fit_quadrature(design, family, None, _away_from_zero(maximum.optimum.point, laplace, design))
    note = Diagnosis(
        "method",
        f"quadrature was used: clusters are small ({_sizes_text(design)}), and Laplace is off by about "
        f"{_se(change)} in {term}",
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
    moves = _moves(gradient, maximum.covariance, maximum.free)
    largest = int(np.argmax(moves))
    change = Change(abs(value - maximum.optimum.value), float(moves[largest]))
    return change, _parameter_name(design, largest)


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
    obstacle = quadrature_obstacle(design)
    if obstacle:
        if smallest >= TINY_CLUSTER:
            return []
        text = f"clusters are small ({_sizes_text(design)}) and Laplace may understate their variance; {obstacle.found}"
        return [Diagnosis("small_clusters", text, "warning")]
    change, term = laplace_error(laplace, maximum)
    if change.move <= LAPLACE_TOLERANCE:
        return []
    return [
        Diagnosis(
            "small_clusters",
            f"clusters are small ({_sizes_text(design)}): Laplace is off by about {_se(change)} in {term}. "
            "Use method='agq' (adaptive quadrature) or 'auto'",
            "warning",
        )
    ]


def _given_points(points: int | Mapping[str, int], design: Design) -> list[int]:
    """Return points by factor from what the caller gave."""
    names = [factor.name for factor in design.factors]
    if isinstance(points, Mapping):
        if set(points) != set(names):
            raise ModelError(Problem("points", ", ".join(map(str, points)), f"a number for each of {', '.join(names)}"))
        found = [int(points[name]) for name in names]
    else:
        found = [int(points)] * len(names)
    if any(n < 1 or n % 2 == 0 or n > MOST_POINTS for n in found):
        raise ModelError(Problem("points", str(points), f"odd numbers from 1 to {MOST_POINTS}"))
    return found


def _nodes(design: Design, points: Sequence[int]) -> int:
    """Return the number of nodes at which a row is looked at."""
    if len(points) == 1:
        return int(points[0] ** len(design.factors[0].terms))
    return int(np.prod(points, dtype=np.int64))


def _informed(criterion: Criterion, objective: LaplaceObjective, optimum: Optimum, free: np.ndarray) -> Maximum:
    """Return the maximum with its information: of the rule itself, or of the next coarser one where rows are many.

    The information needs three digits where the likelihood needs ten, and takes two evaluations a parameter.
    """
    nodes = _nodes(criterion.design, criterion.points)
    if isinstance(criterion, QuadratureCriterion) or criterion.design.n * float(nodes) < MANY:
        return with_information(objective, optimum, free)
    coarser = LaplaceObjective(criterion.with_points(tuple(max(n, 3) for n in map(_coarser, criterion.points))))
    coarser.zero = objective.zero
    return with_information(coarser, optimum, free)


def _coarser(n: int) -> int:
    """Return the odd number of points of which n is (at most) the next in n -> 2n + 1."""
    half = n // 2
    return half if half % 2 else half + 1


def _changes(criterion: Criterion, objective: LaplaceObjective, optimum: Optimum, free: np.ndarray) -> list[Change]:
    """Return, by factor, what 2n + 1 of its points would change.

    The moves are one step from the maximum with the structured information, from the finer rule's slopes there.
    """
    value, gradient = objective.evaluate(optimum.point)
    covariance, _ = invert_information(objective.information(), free)
    found = []
    for level, n in enumerate(criterion.points):
        finer = list(criterion.points)
        finer[level] = 2 * n + 1
        if finer[level] > MOST_POINTS:
            found.append(Change(np.nan, np.nan))
            continue
        other = LaplaceObjective(criterion.with_points(tuple(finer)))
        other.zero = objective.zero
        finer_value, finer_gradient = other.evaluate(optimum.point)
        moves = _moves(finer_gradient - gradient, covariance, free)
        found.append(Change(abs(finer_value - value), float(moves.max(initial=0.0))))
    return found


def _moves(gradient: np.ndarray, covariance: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return the length of a Newton step along every coordinate in its standard errors."""
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    step = np.abs(covariance @ np.where(free, gradient, 0.0))
    return np.asarray(np.divide(step, errors, out=np.zeros_like(step), where=errors > 0))


def _more_points(used: list[int], changes: list[Change]) -> list[int]:
    """Return 2n + 1 points for the factors that need them; all changes together must stay below `TOLERANCE`."""
    if sum(change.value for change in changes) < TOLERANCE and sum(change.move for change in changes) < TOLERANCE:
        return used
    share = TOLERANCE / len(used)
    return [
        2 * n + 1 if not max(change.value, change.move) < share else n for n, change in zip(used, changes, strict=True)
    ]


def _report(design: Design, used: list[int], changes: list[Change], searched: bool) -> Diagnosis:
    """Say how many points were used and what twice as many would change."""
    total = Change(sum(change.value for change in changes), sum(change.move for change in changes))
    text = f"adaptive Gauss-Hermite quadrature with {_points_text(design, used)}"
    if not np.isfinite(total.value) and not searched:
        return Diagnosis("quadrature", f"{text}, as given")
    if not np.isfinite(total.value):
        advice = "not converged, and no rule is finer: effects this large may have no finite variance to estimate"
        return Diagnosis("quadrature", f"{text}: {advice}", "warning")
    text += (
        f"{'' if searched else ', as given'}; 2n + 1 instead of n would move the log-likelihood by {total.value:.2g} "
        f"and no estimate by more than {_se(total)}"
    )
    converged = total.value < TOLERANCE and total.move < TOLERANCE
    if converged:
        return Diagnosis("quadrature", text)
    advice = ": too few. Give more `points`, or none to have them found" if not searched else ": not converged"
    return Diagnosis("quadrature", text + advice, "warning")


def _points_text(design: Design, used: list[int]) -> str:
    first, *others = zip(used, design.factors, strict=True)
    return ", ".join([f"{first[0]} points by {first[1].name}", *(f"{n} by {factor.name}" for n, factor in others)])


def _sizes_text(design: Design) -> str:
    return (
        ", ".join(
            f"{factor.name}: median {size:g} rows"
            for factor, size in zip(design.factors, cluster_sizes(design), strict=True)
            if size < SMALL_CLUSTER
        )
        or "few rows for the size of their effects"
    )


def _se(change: Change) -> str:
    return f"{change.move:.2g} standard errors"


def _parameter_name(design: Design, position: int) -> str:
    """Return what a coordinate of (beta, psi) is called."""
    p = design.X.shape[1]
    if position < p:
        return str(design.terms[position])
    f = design.form.factor[position - p]
    row = design.form.rows[position - p] - design.form.offsets[f]
    factor = design.factors[f]
    term = "" if len(factor.terms) == 1 else f"{factor.terms[row]} by "
    return f"the standard deviation of {term}{factor.name}"

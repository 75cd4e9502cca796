"""How many points a quadrature takes: where to begin, what more of them would change, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.gauss_hermite import MOST_POINTS
from profiling.modeling.inference import invert_information
from profiling.modeling.nested_quadrature import NestedCriterion
from profiling.modeling.newton import Optimum
from profiling.modeling.quadrature import QuadratureCriterion
from profiling.modeling.vector_nesting import VectorNesting

TOLERANCE = 0.01  # standard errors, and units of log-likelihood, by which more points may move the fit
SMALL_CLUSTER = 10.0  # median rows below which Laplace is checked against quadrature
MOST_NODES = 20_000  # nodes of a product rule, or of all levels together
# Points to begin with, by the median rows of a cluster: the smaller the cluster the less normal its effect.
FIRST_POINTS = ((4.0, 15), (15.0, 9), (60.0, 7), (300.0, 5), (np.inf, 3))

Points = int | Mapping[str, int] | None
Criterion = QuadratureCriterion | NestedCriterion | VectorNesting


@dataclass(frozen=True)
class Change:
    """What 2n + 1 instead of n points do to the log-likelihood, and the largest move of an estimate (in its errors)."""

    value: float
    move: float


def cluster_sizes(design: Design) -> list[float]:
    """Return the median rows of a cluster, by factor."""
    return [float(np.median(np.bincount(factor.codes, minlength=factor.size))) for factor in design.factors]


def first_points(design: Design) -> list[int]:
    """Return the points to begin with, by factor: many where clusters are small, few where they are big."""
    found = [next(points for limit, points in FIRST_POINTS if size < limit) for size in cluster_sizes(design)]
    return [7] if len(found) == 1 and found[0] < 7 else found


def given_points(points: int | Mapping[str, int], design: Design) -> list[int]:
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


def nodes_of(design: Design, points: Sequence[int]) -> int:
    """Return the number of nodes at which a row is looked at."""
    terms = [len(factor.terms) for factor in design.factors]
    return int(np.prod([float(n) ** k for n, k in zip(points, terms, strict=True)]))


def coarser(n: int) -> int:
    """Return the odd number of points of which n is (at most) the next in n -> 2n + 1."""
    half = n // 2
    return half if half % 2 else half + 1


def changes_by(criterion: Criterion, objective: LaplaceObjective, optimum: Optimum, free: np.ndarray) -> list[Change]:
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
        moves = moves_of(finer_gradient - gradient, covariance, free)
        found.append(Change(abs(finer_value - value), float(moves.max(initial=0.0))))
    return found


def moves_of(gradient: np.ndarray, covariance: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return the length of a Newton step along every coordinate in its standard errors."""
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    step = np.abs(covariance @ np.where(free, gradient, 0.0))
    return np.asarray(np.divide(step, errors, out=np.zeros_like(step), where=errors > 0))


def more_points(used: list[int], changes: list[Change]) -> list[int]:
    """Return 2n + 1 points for the factors that need them; all changes together must stay below `TOLERANCE`."""
    if sum(change.value for change in changes) < TOLERANCE and sum(change.move for change in changes) < TOLERANCE:
        return used
    share = TOLERANCE / len(used)
    return [
        2 * n + 1 if not max(change.value, change.move) < share else n for n, change in zip(used, changes, strict=True)
    ]


def report(design: Design, used: list[int], changes: list[Change], searched: bool) -> Diagnosis:
    """Say how many points were used and what twice as many would change."""
    total = Change(sum(change.value for change in changes), sum(change.move for change in changes))
    text = f"adaptive Gauss-Hermite quadrature with {points_text(design, used)}"
    if not np.isfinite(total.value) and not searched:
        return Diagnosis("quadrature", f"{text}, as given")
    if not np.isfinite(total.value):
        advice = "not converged, and no rule is finer: effects this large may have no finite variance to estimate"
        return Diagnosis("quadrature", f"{text}: {advice}", "warning")
    text += (
        f"{'' if searched else ', as given'}; 2n + 1 instead of n would move the log-likelihood by {total.value:.2g} "
        f"and no estimate by more than {in_errors(total)}"
    )
    converged = total.value < TOLERANCE and total.move < TOLERANCE
    if converged:
        return Diagnosis("quadrature", text)
    advice = ": too few. Give more `points`, or none to have them found" if not searched else ": not converged"
    return Diagnosis("quadrature", text + advice, "warning")


def points_text(design: Design, used: list[int]) -> str:
    """Return how many points each factor has, in words."""
    first, *others = zip(used, design.factors, strict=True)
    return ", ".join([f"{first[0]} points by {first[1].name}", *(f"{n} by {factor.name}" for n, factor in others)])


def sizes_text(design: Design) -> str:
    """Return which factors' clusters are small, in words."""
    return (
        ", ".join(
            f"{factor.name}: median {size:g} rows"
            for factor, size in zip(design.factors, cluster_sizes(design), strict=True)
            if size < SMALL_CLUSTER
        )
        or "few rows for the size of their effects"
    )


def in_errors(change: Change) -> str:
    """Return the largest move in words."""
    return f"{change.move:.2g} standard errors"


def parameter_name(design: Design, position: int) -> str:
    """Return what a coordinate of (beta, psi) is called."""
    p = design.X.shape[1]
    if position < p:
        return str(design.terms[position])
    f = design.form.factor[position - p]
    row = design.form.rows[position - p] - design.form.offsets[f]
    factor = design.factors[f]
    term = "" if len(factor.terms) == 1 else f"{factor.terms[row]} by "
    return f"the standard deviation of {term}{factor.name}"

"""The information of (beta, psi) under the Laplace likelihood: closed forms where they are exact, else differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.design import Design
from profiling.modeling.inference import combine_information, difference_information, forward_information
from profiling.modeling.laplace import LaplaceCriterion

DIFFERENCE_BUDGET = 2e10  # floating-point operations that differences of the gradient may cost


def _affordable(design: Design, parameters: int) -> bool:
    # A gradient reads every row some times (about 60 operations besides its columns) and factors the rest once.
    rows = design.n * (4.0 * design.X.shape[1] + 60.0)
    return bool(2.0 * parameters * (rows + design.structure.evaluation_operations) < DIFFERENCE_BUDGET)


@dataclass(frozen=True)
class Nearby:
    """The information (p + t, p + t) near the maximum, its differenced rows, and the diagonal they were taken with."""

    information: np.ndarray
    rows: np.ndarray
    diagonal: np.ndarray


def dear(objective: LaplaceObjective) -> bool:
    """Return whether an evaluation costs so much (big dense factors) that a search should not need many."""
    design = objective.criterion.design
    closed = type(objective.criterion) is LaplaceCriterion and design.plain and len(design.factors) > 1
    return closed and not _affordable(design, objective.p + design.form.size)


def glmm_information(
    objective: LaplaceObjective, point: np.ndarray, free: np.ndarray, nearby: Nearby | None = None
) -> np.ndarray:
    """Return the information at a point (p + t): in closed form for beta where that is exact, else from the gradient.

    With several factors differences of the exact gradient are dearer than the fit itself once rows and columns are
    many: beyond `DIFFERENCE_BUDGET` the closed form serves there too (see `observed`); vectors fall back on the
    structured information. Everything in theta, and all of it under quadrature, comes from differences of the exact
    gradient: at the point, or `nearby`, whose rows of theta are carried over by the expected information.
    """
    design = objective.criterion.design
    objective.evaluate(point)
    laplace = type(objective.criterion) is LaplaceCriterion
    affordable = _affordable(design, len(point)) or not laplace
    closed_form = laplace and design.plain and (len(design.factors) == 1 or not affordable)
    base = objective.information(sharp=closed_form)
    own = np.flatnonzero(free if affordable and not closed_form else free & (np.arange(len(free)) >= objective.p))
    if nearby is not None:
        growth = np.sqrt(np.diag(base) / nearby.diagonal)
        rows = nearby.rows.copy()
        rows[:, own] *= np.outer(growth[own], growth[own])
        return combine_information(base, rows, own)
    difference = difference_information if affordable else forward_information
    return combine_information(base, _rows(objective, point, own, base, difference), own)


def information_nearby(objective: LaplaceObjective, point: np.ndarray, free: np.ndarray) -> Nearby:
    """Return the information at a point close to the maximum, for the last steps and for the standard errors."""
    objective.evaluate(point)
    base = objective.information(sharp=True)
    own = np.flatnonzero(free & (np.arange(len(free)) >= objective.p))
    rows = _rows(objective, point, own, base, forward_information)
    return Nearby(combine_information(base, rows, own), rows, np.diag(base).copy())


def _rows(
    objective: LaplaceObjective, point: np.ndarray, own: np.ndarray, base: np.ndarray, difference: Any
) -> np.ndarray:
    scale = 1.0 / np.sqrt(np.maximum(np.diag(base), 1e-300))
    scale = np.where(np.isfinite(scale), np.minimum(scale, 10.0), 1.0)
    with objective.excursion():
        return np.asarray(difference(lambda other: objective.evaluate(other)[1], point, own, scale))

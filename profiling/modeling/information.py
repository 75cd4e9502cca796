"""The information of (beta, psi) under the Laplace likelihood: closed forms where they are exact, else differences."""

from __future__ import annotations

import numpy as np

from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.design import Design
from profiling.modeling.inference import combine_information, difference_information, forward_information
from profiling.modeling.laplace import LaplaceCriterion

DIFFERENCE_BUDGET = 2e10  # floating-point operations that differences of the gradient may cost


def _affordable(design: Design, parameters: int) -> bool:
    # A gradient reads every row some times (about 60 operations besides its columns) and factors the rest once.
    dense = float((np.diff(design.structure.rest_ptr).astype(float) ** 3).sum())
    return bool(2.0 * parameters * (design.n * (4.0 * design.X.shape[1] + 60.0) + dense) < DIFFERENCE_BUDGET)


def glmm_information(objective: LaplaceObjective, point: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return the information at a point (p + t): in closed form for beta where that is exact, else from the gradient.

    With several factors differences of the exact gradient are dearer than the fit itself once rows and columns are
    many: beyond `DIFFERENCE_BUDGET` the closed form serves there too (see `observed`); vectors fall back on the
    structured information. Everything in theta, and all of it under quadrature, comes from differences of the exact
    gradient.
    """
    design = objective.criterion.design
    objective.evaluate(point)
    laplace = type(objective.criterion) is LaplaceCriterion
    affordable = _affordable(design, len(point)) or not laplace
    closed_form = laplace and design.plain and (len(design.factors) == 1 or not affordable)
    base = objective.information(sharp=closed_form)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(base), 1e-300))
    scale = np.where(np.isfinite(scale), np.minimum(scale, 10.0), 1.0)
    differenced = affordable and not closed_form
    own = np.flatnonzero(free if differenced else free & (np.arange(len(free)) >= objective.p))
    difference = difference_information if affordable else forward_information
    with objective.excursion():
        rows = difference(lambda other: objective.evaluate(other)[1], point, own, scale)
    return combine_information(base, rows, own)

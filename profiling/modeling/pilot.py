"""A search's first point from a sample of clusters: a sixteenth of the rows, and already within their sampling error.

Whole levels of the outermost factor are taken, evenly spaced, so that a level's rows stay together. Where these are
connected components of the data (one factor, or strict nesting) the log-likelihood is a sum over them, and the
sample's information over its share is the information of all but for sampling error: no search direction needs
another. Crossed factors only give the point. The sample decides where a search starts, never where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from profiling.modeling.climb import LaplaceObjective, climb
from profiling.modeling.design import Design
from profiling.modeling.families import Family
from profiling.modeling.grouping import GroupingFactor
from profiling.modeling.information import glmm_information
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.structure import order_rows

SHARE = 1 / 16
MOST_OF_ALL = 1 / 4  # a sample that must be larger than this saves too little
LEAST_ROWS = 50_000  # below this a whole fit costs little more than its own beginning
LEAST_LEVELS = 60
LEAST_ROWS_A_COLUMN = 300
DECREMENT = 1e-2  # the sample's own maximum is known no better than by a decrement of one
PRIOR = 1.0  # precision on the scaled coefficients: a column that is empty in the sample stays where it starts
LEAST_INFORMATION = 30.0  # multiples of the prior's precision
LEAST_SD, MOST_SD = 0.03, 5.0


@dataclass(frozen=True)
class Pilot:
    """Where to start (scaled beta, psi), and the information expected there, or None where it does not add up."""

    point: np.ndarray
    information: np.ndarray | None


class _CautiousObjective(LaplaceObjective):
    """The Laplace log-likelihood with a weak normal prior on the coefficients of the covariates."""

    @property
    def precision(self) -> np.ndarray:
        """Return the prior's precision (p): none for the intercept."""
        precision = np.full(self.p, PRIOR)
        if self.criterion.design.scaling.intercept >= 0:
            precision[self.criterion.design.scaling.intercept] = 0.0
        return precision

    def evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient with the prior's part."""
        value, gradient = super().evaluate(point)
        pull = self.precision * point[: self.p]
        gradient[: self.p] -= pull
        return value - 0.5 * float(pull @ point[: self.p]), gradient

    def information(self, sharp: bool = False) -> np.ndarray:
        """Return the information with the prior's part."""
        information = super().information(sharp)
        information[np.arange(self.p), np.arange(self.p)] += self.precision
        return information


def find_pilot(design: Design, family: Family, start: np.ndarray) -> Pilot:
    """Return where a search of `design` should begin: a sample's maximum, or `start` itself where sampling cannot pay.

    `start` (p + t): scaled beta and psi at which the sample's own search begins.
    """
    factor = _outermost(design)
    share = max(
        SHARE,
        LEAST_LEVELS / design.factors[factor].size,
        LEAST_ROWS_A_COLUMN * design.X.shape[1] / max(design.n, 1),
    )
    if design.n < LEAST_ROWS or share > MOST_OF_ALL or (design.cell_multiplicity != 1).any():
        return Pilot(start, None)
    sample = sample_of_levels(design, factor, int(1 / share))
    objective = _CautiousObjective(LaplaceCriterion(sample, family))
    optimum, free = climb(objective, start, sample, DECREMENT)
    if not (optimum.converged and np.isfinite(optimum.point).all()):
        return Pilot(start, None)
    p, diagonal = design.X.shape[1], design.form.diagonal
    point = optimum.point.copy()
    point[p:][diagonal] = np.clip(point[p:][diagonal], np.log(LEAST_SD), np.log(MOST_SD))
    adds_up = len(design.structure.component_ptr) - 1 == design.factors[factor].size and not objective.zero.any()
    if not adds_up:
        return Pilot(point, None)
    information = glmm_information(objective, optimum.point, free)
    # A column of which the sample says no more than the prior does has another information among all rows.
    seen = bool((np.diag(information)[:p] > LEAST_INFORMATION * PRIOR).all())
    return Pilot(point, information * (design.n / sample.n) if seen else None)


def _outermost(design: Design) -> int:
    sizes = [factor.size for factor in design.factors]
    enough = [f for f, size in enumerate(sizes) if size >= LEAST_LEVELS / MOST_OF_ALL]
    return min(enough or range(len(sizes)), key=lambda f: sizes[f])


def sample_of_levels(design: Design, factor: int, every: int) -> Design:
    """Return the design of the rows of each `every`-th level of one factor, its columns scaled as they were."""
    s = design.structure
    first_rows = design.order[s.cell_ptr[:-1]]
    cells = np.flatnonzero(design.factors[factor].codes[first_rows] % every == every // 2)
    sizes = np.diff(s.cell_ptr)[cells]
    starts = np.cumsum(sizes) - sizes
    rows = np.repeat(s.cell_ptr[cells] - starts, sizes) + np.arange(int(sizes.sum()))
    factors = tuple(_restricted(own, own.codes[first_rows[cells]], sizes) for own in design.factors)
    order, structure, new_level0 = order_rows(
        [own.codes for own in factors],
        [own.size for own in factors],
        [len(own.terms) for own in factors],
        design.structure.iteration,
    )
    picked = rows[order]
    return replace(
        design,
        y=design.y[picked],
        weights=design.weights[picked],
        offset=design.offset[picked],
        X=design.X[picked],
        Z=design.Z[picked] if len(design.Z) else design.Z,
        factors=factors,
        structure=structure,
        order=order,
        new_level0=new_level0,
        cell_multiplicity=np.ones(structure.n_cells),
        level_multiplicity=tuple(np.ones(own.size) for own in factors),
        component_multiplicity=np.ones(len(structure.component_ptr) - 1),
        diagnoses=(),
    )


def _restricted(factor: GroupingFactor, cell_codes: np.ndarray, sizes: np.ndarray) -> GroupingFactor:
    """Return the factor with the levels that cells of these codes and sizes have; its columns stay with the design."""
    used, codes = np.unique(cell_codes, return_inverse=True)
    return replace(factor, levels=factor.levels[used], codes=np.repeat(codes, sizes))

"""The search over (beta, psi) or psi, with variances that vanish set to exactly zero."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from profiling.modeling.criterion_lmm import LinearCriterion, LinearEvaluation
from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.laplace import Evaluation, LaplaceCriterion
from profiling.modeling.newton import NEGLIGIBLE_SHRINKAGE, Optimum, Step, maximize
from profiling.modeling.observed import observed_information


class LaplaceObjective:
    """The Laplace log-likelihood as a function of (beta, psi), with the terms that are exactly zero kept out."""

    def __init__(self, criterion: LaplaceCriterion) -> None:
        self.criterion = criterion
        self.p = criterion.design.X.shape[1]
        self.zero = np.zeros(criterion.design.form.size, dtype=bool)
        self.last: Evaluation
        self.theta: np.ndarray
        self._here: tuple[np.ndarray, np.ndarray, float, np.ndarray] | None = None

    def evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient at the point; `last` and `theta` keep what was found, also for a second call."""
        if self._here is not None and np.array_equal(self._here[0], point) and (self._here[1] == self.zero).all():
            return self._here[2], self._here[3].copy()
        form = self.criterion.design.form
        self.theta = form.to_theta(point[self.p :], self.zero)
        self.last = self.criterion.evaluate(point[: self.p], self.theta)
        gradient = self.last.gradient.copy()
        gradient[self.p :] *= form.slope(self.theta)
        self._here = (point.copy(), self.zero.copy(), self.last.value, gradient.copy())
        return self.last.value, gradient

    @contextmanager
    def excursion(self) -> Iterator[None]:
        """Evaluate elsewhere for a while: afterwards the objective stands where it stood, without another pass."""
        last, theta, here = self.last, self.theta, self._here
        kept = replace(last, w=last.w.copy(), l1=last.l1.copy(), scores=last.scores.copy())
        try:
            yield
        finally:
            self.last, self.theta, self._here = kept, theta, here

    @property
    def noise(self) -> float:
        """Return the Monte-Carlo standard error of the value evaluated last, zero where it is exact."""
        multiplicity = self.criterion.design.component_multiplicity
        return 0.5 * self.last.modes.factor.log_determinant_error(multiplicity)

    def information(self, sharp: bool = False) -> np.ndarray:
        """Return the structured information at the point evaluated last; sharp: beta's observed block if it is known.

        The observed block has a closed form for random intercepts under Laplace (see `observed`).
        """
        if sharp and type(self.criterion) is LaplaceCriterion and self.criterion.design.plain:
            beta = observed_information(self.criterion, self.last, self.theta)
            return block_diagonal(beta, self.criterion.psi_information(self.last, self.theta))
        return block_diagonal(*self.criterion.structured_information(self.last, self.theta))

    def shrinkage(self) -> list[np.ndarray]:
        """Return the levels' blocks of H^-1, whose distance from one says how far each level is believed."""
        return self.criterion.level_covariance(self.last.V)


class LinearObjective:
    """The profiled log-likelihood as a function of psi."""

    p = 0

    def __init__(self, criterion: LinearCriterion) -> None:
        self.criterion = criterion
        self.zero = np.zeros(criterion.design.form.size, dtype=bool)
        self.last: LinearEvaluation
        self.theta: np.ndarray
        self._here: tuple[np.ndarray, np.ndarray] | None = None

    def evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient at the point; `last` and `theta` keep what was found, also for a second call."""
        form = self.criterion.design.form
        if self._here is not None and np.array_equal(self._here[0], point) and (self._here[1] == self.zero).all():
            return self.last.value, self.last.gradient * form.slope(self.theta)
        self._here = None
        self.theta = form.to_theta(point, self.zero)
        try:
            self.last = self.criterion.evaluate(self.theta)
        except np.linalg.LinAlgError:  # theta so large that rounding is all that is left of X: the search turns back
            return -np.inf, np.zeros(form.size)
        self._here = point.copy(), self.zero.copy()
        return self.last.value, self.last.gradient * form.slope(self.theta)

    @contextmanager
    def excursion(self) -> Iterator[None]:
        """Evaluate elsewhere for a while: afterwards the objective stands where it stood."""
        kept = self.last, self.theta, self._here
        try:
            yield
        finally:
            self.last, self.theta, self._here = kept

    @property
    def noise(self) -> float:
        """Return the Monte-Carlo standard error of the value evaluated last, zero where it is exact."""
        return 0.5 * self.last.factor.log_determinant_error(self.criterion.design.component_multiplicity)

    def information(self, sharp: bool = False) -> np.ndarray:
        """Return the structured information at the point evaluated last; nothing sharper is known in closed form."""
        return self.criterion.information(self.last, self.theta)

    def shrinkage(self) -> list[np.ndarray]:
        """Return the levels' blocks of H^-1, whose distance from one says how far each level is believed."""
        return self.criterion.level_covariance(self.last.V)


def block_diagonal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the square matrix with `a` and `b` on its diagonal."""
    joined = np.zeros((len(a) + len(b),) * 2)
    joined[: len(a), : len(a)], joined[len(a) :, len(a) :] = a, b
    return joined


def climb(
    objective: Any,
    start: np.ndarray,
    design: Design,
    tolerance: float = 1e-10,
    expected: np.ndarray | None = None,
) -> tuple[Optimum, np.ndarray]:
    """Maximise, setting variances that vanish to exactly zero; return the optimum and the free coordinates.

    `expected`: the information at the start where it is known beforehand.

    A term is tried at zero once no level keeps more than a trace of its deviation and the slope still points down;
    it stays there if the likelihood does not fall, and is released if the slope at a tiny value points up again.
    """
    form, p = design.form, objective.p
    log_scale = np.concatenate([np.zeros(p, dtype=bool), form.diagonal])
    free = np.ones(len(start), dtype=bool)

    def vanishing(point: np.ndarray, gradient: np.ndarray) -> bool:
        return bool(len(_vanishing(objective, form.diagonal, gradient[p:], design)))

    released: set[int] = set()
    log: list[Step] = []
    while True:
        optimum = maximize(objective, start, free, log_scale, tolerance, vanishing, expected)
        expected = None
        log += optimum.log
        optimum = replace(optimum, log=log, iterations=len(log))
        gone = _vanishing(objective, form.diagonal, np.where(free, optimum.gradient, 0.0)[p:], design)
        gone = [entry for entry in gone if entry not in released]
        if not gone and not objective.zero.any():
            return optimum, free
        if not gone:
            up = _wants_release(objective, optimum.point, design)
            up = [entry for entry in up if entry not in released]
            objective.evaluate(optimum.point)
            if not up:
                return optimum, free
            released.update(up)
            objective.zero[up] = False
            free[[p + entry for entry in up]] = True
            start = optimum.point
            continue
        for entry in gone:
            objective.zero[entry] = True
            # The column's entries below a vanished diagonal have no meaning without it when nothing else is there.
            free[p + entry] = False
        start = optimum.point


def _vanishing(objective: Any, diagonal: np.ndarray, gradient: np.ndarray, design: Design) -> list[int]:
    """Return free scalar terms that shrink every level to nothing while the likelihood rises towards zero."""
    form = design.form
    shrinkage = objective.shrinkage()
    found = []
    for entry in np.flatnonzero(diagonal & ~objective.zero):
        f = form.factor[entry]
        position = form.rows[entry] - form.offsets[f]
        kept = 1.0 - shrinkage[f][:, position, position]
        if float(kept.max()) < NEGLIGIBLE_SHRINKAGE and gradient[entry] <= 0:
            found.append(int(entry))
    return found


def _wants_release(objective: Any, point: np.ndarray, design: Design) -> list[int]:
    """Return zero terms whose likelihood rises away from zero (the slope at a tiny standard deviation)."""
    p = objective.p
    found = []
    for entry in np.flatnonzero(objective.zero):
        objective.zero[entry] = False
        # exp(psi) of a term that vanished is tiny already: its slope there has the sign of the slope in the variance.
        _, gradient = objective.evaluate(point)
        objective.zero[entry] = True
        if gradient[p + entry] > 0:
            found.append(int(entry))
    return found


def convergence_notes(
    optimum: Optimum, lowest: float, converged: bool, zero: np.ndarray, design: Design
) -> list[Diagnosis]:
    """Return what the search has to say: variances at zero, or that it did not arrive."""
    notes = []
    for entry in np.flatnonzero(zero):
        f = design.form.factor[entry]
        factor = design.factors[f]
        term = factor.terms[design.form.rows[entry] - design.form.offsets[f]]
        correlated = int((design.form.rows == design.form.rows[entry]).sum()) > 1
        notes.append(
            Diagnosis(
                "singular",
                f"{term} of {factor.name} has no variation of its own beside the terms before it (correlation of one)"
                if correlated
                else f"the variance of {term} by {factor.name} is estimated as zero: its levels differ no "
                "more than chance makes them",
            )
        )
    if not converged:
        notes.append(
            Diagnosis(
                "not_converged",
                f"Newton decrement {optimum.decrement:.1e}, lowest eigenvalue of the scaled information "
                f"{lowest:.1e}: do not use these estimates. Look for covariates that say the same and for variances "
                "without an end",
                "error",
            )
        )
    return notes

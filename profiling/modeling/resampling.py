"""Refits to whole clusters drawn with replacement: multiplicities on one design, every refit started where the fit is.

Each drawn copy of an outermost level takes its rows as new levels of every factor, so that the copies are independent;
the log-likelihood of the copied data is then sum_j m_j l_j (METHODS: `cluster_weights`), and no row is copied. Rows of
one inner level under several outer ones become levels of their own: without that they would tie copies together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.climb import LaplaceObjective, LinearObjective, climb
from profiling.modeling.criterion_lmm import LinearCriterion
from profiling.modeling.design import Design, build_design, multiplicities
from profiling.modeling.effects import random_effects
from profiling.modeling.families import family_of
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.result import RandomEffects
from profiling.modeling.robust import cluster_scores
from profiling.modeling.source import warm_point
from profiling.modeling.state import criterion_for, source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

TOLERANCE = 1e-8  # Newton decrement of a refit: 1e-4 standard errors


@dataclass(frozen=True)
class ResampledFit:
    """One refit: coefficients by term, theta, residual sd (1 for a GLMM), effects by factor, whether it arrived.

    Effects are those of `Resampler.levels`; of clusters that were not drawn they mean nothing.
    """

    fixed_effects: np.ndarray
    theta: np.ndarray
    residual_sd: float
    log_likelihood: float
    effects: dict[str, RandomEffects]
    converged: bool


class Resampler:
    """A fit's model, ready to be fitted to multiplicities of the levels of its outermost factor."""

    def __init__(self, fit: MixedModelResult) -> None:
        self.fit = fit
        self.design = _independent_design(fit)
        self.outer = min(self.design.factors, key=lambda factor: factor.size)
        self.start = warm_point(self.design, fit.fixed_effects.to_numpy(), fit.theta)
        self.p = self.design.X.shape[1]
        self.around = _around(fit, self.design) if fit.family != "gaussian" else None
        if fit.family != "gaussian":
            self.criterion = criterion_for(self.design, fit)
            self.laplace = self.criterion
            if fit.points:
                self.laplace = LaplaceCriterion(self.design, family_of(fit.family, fit.link))

    def codes(self, group: str) -> np.ndarray:
        """Return each row's level (n, in the data's order) of the factor as resampled."""
        return next(factor.codes for factor in self.design.factors if factor.name == group)

    def refit(self, multiplicity: np.ndarray, tolerance: float = TOLERANCE) -> ResampledFit:
        """Return the maximum with each level of the outermost factor counted `multiplicity` (levels) times."""
        cell, level, component = multiplicities(
            list(self.design.factors), self.design.structure, self.design.order, multiplicity
        )
        design = replace(
            self.design, cell_multiplicity=cell, level_multiplicity=level, component_multiplicity=component
        )
        if self.fit.family == "gaussian":
            return self._linear(design)
        return self._general(design, tolerance, np.asarray(multiplicity, dtype=float))

    def _general(self, design: Design, tolerance: float, multiplicity: np.ndarray) -> ResampledFit:
        self.criterion.design = self.laplace.design = design
        objective = LaplaceObjective(self.criterion)
        if self.around is None:
            optimum, _ = climb(objective, self.start, design, tolerance)
        else:
            start = self.start + (multiplicity - 1) @ self.around.pull
            optimum, _ = climb(objective, start, design, tolerance, self.around.information)
        objective.evaluate(optimum.point)
        beta, theta, last = optimum.point[: self.p], objective.theta, objective.last
        if self.laplace is not self.criterion:
            last = self.laplace.evaluate(beta, theta)
        u = (last.modes.u0, last.modes.ur)
        effects = _conditional(design, theta, 1.0, u, last.V)
        raw = design.scaling.to_raw @ beta
        return ResampledFit(raw, theta, 1.0, float(optimum.value), effects, optimum.converged)

    def _linear(self, design: Design) -> ResampledFit:
        objective = LinearObjective(LinearCriterion(design, source_of(self.fit).call.reml))
        optimum, _ = climb(objective, self.start[self.p :], design)
        objective.evaluate(optimum.point)
        last, sigma = objective.last, float(np.sqrt(objective.last.residual_variance))
        beta = last.beta.copy()
        if design.scaling.intercept >= 0:
            beta[design.scaling.intercept] += objective.criterion.center
        effects = _conditional(design, objective.theta, sigma, (last.u0, last.ur), last.V)
        raw = design.scaling.to_raw @ beta
        return ResampledFit(raw, objective.theta, sigma, float(optimum.value), effects, optimum.converged)

    def linear_predictor(self, fixed_effects: np.ndarray) -> np.ndarray:
        """Return X beta + offset in the data's order (n)."""
        d = self.design
        beta = np.linalg.solve(d.scaling.to_raw, fixed_effects) if self.p else fixed_effects
        eta = np.empty(d.n)
        eta[d.order] = d.X @ beta + d.offset
        return eta


@dataclass(frozen=True)
class _Around:
    """What the fit knows around its maximum, in (scaled beta, psi): its information and each cluster's pull.

    Clusters drawn anew have as many rows but for sampling error: every refit may go by the fit's own information. One
    more copy of a cluster moves the maximum by its `pull` (clusters, p + t), the one-step jackknife (zero where the
    likelihood is not Laplace's); a refit starts there.
    """

    information: np.ndarray
    pull: np.ndarray


def _around(fit: MixedModelResult, design: Design) -> _Around | None:
    """Return what the fit knows around its maximum; None where a variance is zero and has no information."""
    covariance = np.block([
        [fit.covariance.to_numpy(), fit.covariance_cross],
        [fit.covariance_cross.T, fit.covariance_theta],
    ])  # fmt: skip
    p, slope = len(fit.covariance), design.form.slope(fit.theta)
    if (slope == 0).any() or not np.isfinite(covariance).all() or (np.diag(covariance) <= 0).any():
        return None
    turn = np.zeros_like(covariance)
    turn[:p, :p] = np.linalg.inv(design.scaling.to_raw)
    turn[np.arange(p, len(turn)), np.arange(p, len(turn))] = 1 / slope
    information = np.linalg.inv(turn @ covariance @ turn.T)
    pull = np.zeros((min(factor.size for factor in design.factors), len(turn)))
    if not fit.points and design is source_of(fit).design:
        pull = cluster_scores(fit) @ covariance @ turn.T
    return _Around(information, pull)


def _conditional(
    design: Design, theta: np.ndarray, sigma: float, u: tuple[np.ndarray, np.ndarray], V: np.ndarray
) -> dict[str, RandomEffects]:
    """Return modes and conditional standard deviations alone."""
    nothing = (np.zeros((*u[0].shape, 0)), np.zeros((*u[1].shape, 0)))
    return random_effects(design, theta, sigma, u, V, nothing, [], np.zeros((0, 0)), 0)


def _independent_design(fit: MixedModelResult) -> Design:
    """Return the fit's design with every inner level a level under one outer level only."""
    source = source_of(fit)
    design = source.design
    outer = min(design.factors, key=lambda factor: factor.size)
    crossing = [f for f in design.factors if f is not outer and _crosses(f.codes, outer.codes, f.size)]
    if not crossing and (design.component_multiplicity == 1).all():
        return design
    if source.data is None:
        raise ModelError(Problem("fit", "a fit read from a pickle, without its data", "a fit with its data"))
    if not (design.component_multiplicity == 1).all():
        raise ModelError(Problem("fit", "a fit with cluster_weights", "a fit of data that count once"))
    split = {}
    for factor in crossing:
        if factor.name not in source.data:
            raise ModelError(Problem(f"factor {factor.name}", "a pair of columns that crosses", "one column"))
        pair = factor.codes * outer.size + outer.codes
        split[factor.name] = np.unique(pair, return_inverse=True)[1]
    call = source.call
    return build_design(
        fit.formula,
        source.data.assign(**split),
        binomial=call.family == "binomial",
        weights=_row_values(call.weights, source.data),
        offset=_row_values(call.offset, source.data),
        iteration=call.iteration,
    )


def _row_values(values: Any, data: pd.DataFrame) -> np.ndarray | None:
    if values is None:
        return None
    return np.asarray(data[values] if isinstance(values, str) else values, dtype=float)


def _crosses(inner: np.ndarray, outer: np.ndarray, size: int) -> bool:
    first = np.full(size, -1, dtype=np.int64)
    first[inner] = outer
    return bool((first[inner] != outer).any())

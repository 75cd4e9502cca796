"""`glmm` and `lmm`: from a formula and a frame to a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from profiling.errors import ModelError, Problem
from profiling.modeling.criterion_lmm import LinearCriterion, LinearEvaluation
from profiling.modeling.design import Design, Diagnosis, build_design
from profiling.modeling.families import Family, family_of
from profiling.modeling.inference import (
    combine_information,
    difference_information,
    invert_information,
    quadratic_diagonals,
)
from profiling.modeling.laplace import Evaluation, LaplaceCriterion
from profiling.modeling.newton import NEGLIGIBLE_SHRINKAGE, Optimum, maximize
from profiling.modeling.result import MixedModelResult, RandomEffects

FIRST_SD = 0.3  # where the search for a standard deviation starts on the scale of the link
# Above this many numbers read, standard errors of the fixed effects come from the structured information.
DIFFERENCE_BUDGET = 2e9


def glmm(
    formula: str,
    data: pd.DataFrame,
    family: str = "binomial",
    link: str | None = None,
    method: str = "laplace",
    points: int = 9,
    weights: Any = None,
    cluster_weights: Mapping[Any, float] | np.ndarray | None = None,
    offset: Any = None,
) -> MixedModelResult:
    """Fit a generalized linear mixed model by maximum likelihood with the Laplace approximation.

    `formula` as in lme4 (`died ~ age + (1 | hospital)`), fixed part by formulaic; `data` without missing values.
    `family` binomial (logit, probit, cloglog; 0/1, proportions with `weights` trials, `cbind(successes, failures)`)
    or poisson (log). `weights` (n): trials for proportions, otherwise multipliers of log p; `cluster_weights`:
    multiplicity of each level of the outermost factor; `offset` (n) on the scale of the link. Raises ModelError.
    """
    chosen = family_of(family, link)
    if chosen.name == "gaussian":
        return lmm(formula, data, reml=False, weights=weights)
    if method not in ("laplace", "auto"):
        raise ModelError(Problem("method", method, "laplace or auto", "Quadrature is not available"))
    # Big problems need their threads in our tiles; BLAS inside a tile runs on one.
    with threadpool_limits(limits=1, user_api="blas"):
        design = build_design(
            formula, data, binomial=chosen.name == "binomial", weights=_rows(weights, data),
            cluster_weights=cluster_weights, offset=_rows(offset, data),
        )
        _check_outcome(design, chosen)
        return _fit_glmm(design, chosen)


def lmm(
    formula: str,
    data: pd.DataFrame,
    reml: bool = True,
    weights: Any = None,
    cluster_weights: Mapping[Any, float] | np.ndarray | None = None,
    offset: Any = None,
) -> MixedModelResult:
    """Fit a linear mixed model by REML (default) or ML; `weights` (n) are precisions: variance sigma^2 / w."""
    with threadpool_limits(limits=1, user_api="blas"):
        design = build_design(
            formula, data, weights=_rows(weights, data), cluster_weights=cluster_weights, offset=_rows(offset, data)
        )
        return _fit_lmm(design, reml)


def _rows(values: Any, data: pd.DataFrame) -> np.ndarray | None:
    """Return row values given as an array or as a column's name."""
    if values is None:
        return None
    return np.asarray(data[values] if isinstance(values, str) else values, dtype=float)


def _check_outcome(design: Design, family: Family) -> None:
    y = design.y
    outcome = design.formula.outcome
    if family.name == "binomial" and ((y < 0) | (y > 1)).any():
        raise ModelError(Problem(f"outcome {outcome}", "values outside of 0 to 1", "0/1, proportions or cbind()"))
    if family.name == "poisson" and ((y < 0) | (y != np.floor(y))).any():
        raise ModelError(Problem(f"outcome {outcome}", "values that are no counts", "whole numbers from 0"))
    if len(y) and (y == y[0]).all() and (family.name != "binomial" or y[0] in (0.0, 1.0)) and (y[0] == 0 or family.name == "binomial"):
        raise ModelError(Problem(
            f"outcome {outcome}", "the same in every row", "an outcome that varies", "There is nothing to explain"
        ))


class _LaplaceObjective:
    """The Laplace log-likelihood as a function of (beta, psi), with the terms that are exactly zero kept out."""

    def __init__(self, criterion: LaplaceCriterion) -> None:
        self.criterion = criterion
        self.p = criterion.design.X.shape[1]
        self.zero = np.zeros(criterion.design.form.size, dtype=bool)
        self.last: Evaluation
        self.theta: np.ndarray

    def evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        form = self.criterion.design.form
        self.theta = form.to_theta(point[self.p :], self.zero)
        self.last = self.criterion.evaluate(point[: self.p], self.theta)
        gradient = self.last.gradient.copy()
        gradient[self.p :] *= form.slope(self.theta)
        return self.last.value, gradient

    def information(self) -> np.ndarray:
        beta, psi = self.criterion.structured_information(self.last, self.theta)
        return _block_diagonal(beta, psi)

    def shrinkage(self) -> list[np.ndarray]:
        return self.criterion.level_covariance(self.last.V)


class _LinearObjective:
    """The profiled log-likelihood as a function of psi."""

    p = 0

    def __init__(self, criterion: LinearCriterion) -> None:
        self.criterion = criterion
        self.zero = np.zeros(criterion.design.form.size, dtype=bool)
        self.last: LinearEvaluation
        self.theta: np.ndarray

    def evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        form = self.criterion.design.form
        self.theta = form.to_theta(point, self.zero)
        self.last = self.criterion.evaluate(self.theta)
        return self.last.value, self.last.gradient * form.slope(self.theta)

    def information(self) -> np.ndarray:
        return self.criterion.information(self.last, self.theta)

    def shrinkage(self) -> list[np.ndarray]:
        return self.criterion.level_covariance(self.last.V)


def _block_diagonal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    joined = np.zeros((len(a) + len(b),) * 2)
    joined[: len(a), : len(a)], joined[len(a) :, len(a) :] = a, b
    return joined


def _climb(objective: Any, start: np.ndarray, design: Design, tolerance: float = 1e-10) -> tuple[Optimum, np.ndarray]:
    """Maximise, setting variances that vanish to exactly zero; return the optimum and the free coordinates.

    A term is tried at zero once no level keeps more than a trace of its deviation and the slope still points down;
    it stays there if the likelihood does not fall, and is released if the slope at a tiny value points up again.
    """
    form, p = design.form, objective.p
    log_scale = np.concatenate([np.zeros(p, dtype=bool), form.diagonal])
    free = np.ones(len(start), dtype=bool)

    def vanishing(point: np.ndarray, gradient: np.ndarray) -> bool:
        return bool(len(_vanishing(objective, form.diagonal, gradient[p:], design)))

    released: set[int] = set()
    while True:
        optimum = maximize(objective, start, free, log_scale, tolerance, vanishing)
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
    form, p = design.form, objective.p
    found = []
    for entry in np.flatnonzero(objective.zero):
        objective.zero[entry] = False
        # exp(psi) of a term that vanished is tiny already: its slope there has the sign of the slope in the variance.
        _, gradient = objective.evaluate(point)
        objective.zero[entry] = True
        if gradient[p + entry] > 0:
            found.append(int(entry))
    return found


def _fit_glmm(design: Design, family: Family) -> MixedModelResult:
    criterion = LaplaceCriterion(design, family)
    objective = _LaplaceObjective(criterion)
    p, form = design.X.shape[1], design.form
    start = np.concatenate([np.zeros(p), np.where(form.diagonal, np.log(FIRST_SD), 0.0)])
    if design.scaling.intercept >= 0:
        mean = float(np.average(design.y, weights=design.weights))
        center = float(np.average(design.offset, weights=design.weights))
        start[design.scaling.intercept] = float(family.link_function(np.clip(mean, 1e-6, None))) - center
    optimum, free = _climb(objective, start, design)
    diagnoses = list(design.diagnoses)
    information = _glmm_information(objective, optimum, free)
    covariance_psi, lowest = invert_information(information, free)
    objective.evaluate(optimum.point)
    theta, last = objective.theta, objective.last
    slope = np.concatenate([np.ones(p), form.slope(theta)])
    joint = covariance_psi * np.outer(slope, slope)
    converged = optimum.converged and lowest > 0 and bool(np.isfinite(optimum.value))
    diagnoses += _convergence_notes(optimum, lowest, converged, objective.zero, design)
    Lambda = form.matrix(theta)
    K0, Kr = last.modes.factor.full_solve(
        *last.modes.factor.half_solve(*criterion.level_products(last.w, Lambda))
    )
    theta_slopes = _theta_slopes(criterion, objective)
    effects = _effects(design, theta, 1.0, (last.modes.u0, last.modes.ur), last.V, (-K0, -Kr), theta_slopes, joint, p)
    constant = family.constant(design.y, design.weights)
    if (design.cell_multiplicity != 1).any():
        counted = np.repeat(design.cell_multiplicity, np.diff(design.structure.cell_ptr))
        constant = sum(
            family.constant(design.y[counted == m], design.weights[counted == m]) * m for m in np.unique(counted)
        )
    return _result(
        design, family, "Laplace", optimum, converged, last.value + constant,
        optimum.point[:p], joint[:p, :p], theta, joint[p:, p:], 1.0, effects, diagnoses,
        criterion.linear_predictor(optimum.point[:p]), bool(objective.zero.any()), p + form.size,
    )


def _glmm_information(objective: _LaplaceObjective, optimum: Optimum, free: np.ndarray) -> np.ndarray:
    """Return the information of (beta, psi): differences of the gradient, for beta too where that is affordable."""
    design = objective.criterion.design
    objective.evaluate(optimum.point)
    structured = objective.information()
    scale = 1.0 / np.sqrt(np.maximum(np.diag(structured), 1e-300))
    scale = np.where(np.isfinite(scale), np.minimum(scale, 10.0), 1.0)
    affordable = design.n * design.X.shape[1] * float(len(scale)) < DIFFERENCE_BUDGET
    own = np.flatnonzero(free if affordable else free & (np.arange(len(free)) >= objective.p))
    rows = difference_information(lambda point: objective.evaluate(point)[1], optimum.point, own, scale)
    return combine_information(structured, rows, own)


def _convergence_notes(
    optimum: Optimum, lowest: float, converged: bool, zero: np.ndarray, design: Design
) -> list[Diagnosis]:
    notes = []
    if zero.any():
        names = {design.factors[design.form.factor[entry]].name for entry in np.flatnonzero(zero)}
        notes.append(Diagnosis(
            "singular", f"the variance of {', '.join(sorted(names))} is estimated as zero: no more variation between "
            "levels than chance makes"))
    if not converged:
        notes.append(Diagnosis(
            "not_converged", f"Newton decrement {optimum.decrement:.1e}, lowest eigenvalue of the scaled information "
            f"{lowest:.1e}: do not use these estimates. Look for separation or for covariates that say the same", "error"))
    return notes


def _theta_slopes(criterion: LaplaceCriterion, objective: _LaplaceObjective) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return du/dtheta_k at the mode, by implicit differentiation: V(L_k'Z'l1 - Lambda'Z'WZ L_k u)."""
    design, last = criterion.design, objective.last
    Lambda = design.form.matrix(objective.theta)
    k = design.form.offsets[-1]
    u = design.structure.gather(last.modes.u0, last.modes.ur)
    r = criterion._widen(last.modes.r)
    A = np.broadcast_to(last.modes.A, (len(u), k, k))
    return _implicit(design, Lambda, u, r, A, last.modes.factor)


def _implicit(
    design: Design, Lambda: np.ndarray, u: np.ndarray, r: np.ndarray, A: np.ndarray, factor: Any
) -> list[tuple[np.ndarray, np.ndarray]]:
    slopes = []
    for row, column in zip(design.form.rows, design.form.columns, strict=True):
        right = -(A[:, :, row] * u[:, column][:, None]) @ Lambda
        right[:, column] += r[:, row]
        slopes.append(factor.solve(*design.structure.scatter(right)))
    return slopes


def _effects(
    design: Design, theta: np.ndarray, sigma: float, u: tuple[np.ndarray, np.ndarray], V: np.ndarray,
    beta_slopes: tuple[np.ndarray, np.ndarray], theta_slopes: list[tuple[np.ndarray, np.ndarray]],
    joint: np.ndarray, p: int,
) -> dict[str, RandomEffects]:
    """Return modes and the three standard deviations of every factor, on the scale of the linear predictor.

    `u` spherical modes; `V` cells' blocks of H^-1; `beta_slopes` du/dbeta; `theta_slopes` du/dtheta; `joint` the
    covariance of (beta, theta); sigma multiplies V (the residual sd of an LMM; 1 otherwise).
    """
    s, form = design.structure, design.form
    found = {}
    for f, factor in enumerate(design.factors):
        q = len(factor.terms)
        L = form.block(theta, f)
        own = np.flatnonzero(form.factor == f)

        def level(x0: np.ndarray, xr: np.ndarray, f: int = f) -> np.ndarray:
            return x0 if f == 0 else xr[s.rest_position[f - 1]]

        u_level = level(*u)
        v_level = V[s.first_cells[f]][:, form.offsets[f] : form.offsets[f + 1], form.offsets[f] : form.offsets[f + 1]]
        jacobian = np.zeros((factor.size, q, len(joint)))
        jacobian[:, :, :p] = np.einsum("ab,lbp->lap", L, level(*beta_slopes), optimize=True)
        for entry, slopes in enumerate(theta_slopes):
            jacobian[:, :, p + entry] = level(*slopes) @ L.T
            if entry in own:
                jacobian[:, form.rows[entry] - form.offsets[f], p + entry] += u_level[:, form.columns[entry] - form.offsets[f]]
        conditional = sigma**2 * np.einsum("ab,lbc,ac->la", L, v_level, L, optimize=True)
        with_beta = conditional + quadratic_diagonals(jacobian[:, :, :p], joint[:p, :p])
        full = conditional + quadratic_diagonals(jacobian, joint)
        arrays = [u_level @ L.T, *(np.sqrt(np.maximum(variance, 0)) for variance in (conditional, with_beta, full))]
        if f == 0:
            back = np.empty_like(design.new_level0)
            back[design.new_level0] = np.arange(len(back))
            arrays = [array[back] for array in arrays]
        found[factor.name] = RandomEffects(*arrays)
    return found


def _fit_lmm(design: Design, reml: bool) -> MixedModelResult:
    criterion = LinearCriterion(design, reml)
    objective = _LinearObjective(criterion)
    form = design.form
    start = np.where(form.diagonal, 0.0, 0.0)
    optimum, free = _climb(objective, start, design, tolerance=1e-12)
    objective.evaluate(optimum.point)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(objective.information()), 1e-300))
    own = np.flatnonzero(free)
    rows = difference_information(
        lambda point: objective.evaluate(point)[1], optimum.point, own, np.minimum(scale, 10.0)
    )
    information = combine_information(np.zeros((form.size, form.size)), rows, own)
    covariance_psi, lowest = invert_information(information, free)
    objective.evaluate(optimum.point)
    theta, last, p = objective.theta, objective.last, criterion.p
    slope = form.slope(theta)
    sigma = float(np.sqrt(last.residual_variance))
    converged = optimum.converged and lowest > 0 and bool(np.isfinite(optimum.value))
    notes = [*design.diagnoses, *_convergence_notes(optimum, lowest, converged, objective.zero, design)]
    joint = _block_diagonal(
        np.linalg.inv(last.information_beta) * last.residual_variance, covariance_psi * np.outer(slope, slope)
    )
    Lambda = form.matrix(theta)
    k = form.offsets[-1]
    C0, Cr = last.factor.half_solve(*criterion._levels(criterion.products, Lambda))
    K0, Kr = last.factor.full_solve(C0, Cr)
    u = design.structure.gather(last.u0, last.ur)
    A = np.broadcast_to(criterion.A, (len(u), k, k))
    products = np.broadcast_to(criterion.products, (len(u), k, p + 1))
    score = products @ np.concatenate([-last.beta, [1.0]]) - np.einsum("mab,bc,mc->ma", A, Lambda, u, optimize=True)
    slopes = _implicit(design, Lambda, u, score, A, last.factor)
    effects = _effects(
        design, theta, sigma, (last.u0, last.ur), last.V, (-K0[..., :p], -Kr[..., :p]), slopes, joint, p
    )
    value = last.value - (np.log(design.scaling.scale).sum() if reml else 0.0)
    eta = design.X @ last.beta + design.offset + criterion.center
    beta = last.beta.copy()
    if design.scaling.intercept >= 0:
        beta[design.scaling.intercept] += criterion.center
    return _result(
        design, family_of("gaussian", None), "REML" if reml else "maximum likelihood", optimum, converged, value, beta,
        joint[:p, :p], theta, joint[p:, p:], sigma, effects, notes, eta, bool(objective.zero.any()), p + form.size + 1,
    )


def _result(
    design: Design, family: Family, method: str, optimum: Optimum, converged: bool, log_likelihood: float,
    beta: np.ndarray, covariance: np.ndarray, theta: np.ndarray, covariance_theta: np.ndarray, sigma: float,
    effects: dict[str, RandomEffects], diagnoses: list[Diagnosis], eta: np.ndarray, singular: bool, n_parameters: int,
) -> MixedModelResult:
    T = design.scaling.to_raw
    terms = pd.Index(design.terms, name="term")
    components = {}
    named = {factor.name: f for f, factor in enumerate(design.factors)}
    for name in dict.fromkeys(term.name for term in design.formula.random):
        f = named[name]
        L = sigma * design.form.block(theta, f)
        names = list(design.factors[f].terms)
        components[name] = pd.DataFrame(L @ L.T, index=names, columns=names)
    back = np.empty(design.n, dtype=np.int64)
    back[design.order] = np.arange(design.n)
    by_name = {factor.name: factor for factor in design.factors}
    return MixedModelResult(
        formula=design.formula.text, family=family.name, link=family.link, method=method,
        fixed_effects=pd.Series(T @ beta, index=terms, name="estimate"),
        covariance=pd.DataFrame(T @ covariance @ T.T, index=terms, columns=terms),
        variance_components=components, log_likelihood=float(log_likelihood),
        residual_sd=sigma if family.name == "gaussian" else float("nan"), dispersion=1.0,
        theta=theta, covariance_theta=covariance_theta, converged=converged, singular=singular,
        newton_decrement=optimum.decrement, iterations=optimum.iterations, diagnostics=tuple(diagnoses),
        outcome=design.y[back], weights=design.weights[back], linear_predictor=eta[back],
        factors=tuple(by_name[name] for name in components), effects=effects, n_parameters=n_parameters,
        optimizer_log=tuple(optimum.log),
    )

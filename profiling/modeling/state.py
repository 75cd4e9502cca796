"""A fit evaluated again at its maximum: the factor of H, its blocks and what the modes owe to beta.

Results keep estimates, not the workspace of the search; whoever needs it rebuilds it by one evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.blocks import Factor
from profiling.modeling.criterion_lmm import LinearCriterion, LinearEvaluation
from profiling.modeling.design import Design
from profiling.modeling.families import family_of
from profiling.modeling.laplace import Evaluation, LaplaceCriterion
from profiling.modeling.source import ModelSource

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


@dataclass(frozen=True)
class FittedState:
    """The geometry at the maximum, on scaled columns and spherical effects (b = sigma Lambda u in an LMM).

    u0 (G, q0), ur (R) modes; V (M, k, k) cells' blocks of H^-1; K0 (G, q0, p), Kr (R, p) = H^-1 Lambda'Z'WX, so that
    du/dbeta = -K; sigma is 1 for a GLMM.
    """

    design: Design
    Lambda: np.ndarray
    sigma: float
    u0: np.ndarray
    ur: np.ndarray
    V: np.ndarray
    factor: Factor
    K0: np.ndarray
    Kr: np.ndarray


def source_of(fit: MixedModelResult) -> ModelSource:
    """Return what the fit was made from; raise ModelError where the result does not carry it."""
    if fit.source is None:
        raise ModelError(Problem("fit", "no design", "a result of glmm() or lmm()", "Fit the model again"))
    return fit.source


def scaled_beta(fit: MixedModelResult) -> np.ndarray:
    """Return the coefficients on the scaled columns (p)."""
    return np.asarray(np.linalg.solve(source_of(fit).design.scaling.to_raw, fit.fixed_effects.to_numpy()))


def criterion_of(fit: MixedModelResult) -> LaplaceCriterion:
    """Return the criterion that a GLMM maximised."""
    return criterion_for(source_of(fit).design, fit)


def criterion_for(design: Design, fit: MixedModelResult) -> LaplaceCriterion:
    """Return the criterion of a GLMM's kind (Laplace, or quadrature with its points) for a design like its own."""
    from profiling.modeling.fit_quadrature import quadrature_criterion

    family = family_of(fit.family, fit.link, fit.dispersion)
    return quadrature_criterion(design, family, fit.points) if fit.points else LaplaceCriterion(design, family)


def laplace_state(fit: MixedModelResult) -> tuple[LaplaceCriterion, Evaluation]:
    """Return a GLMM's criterion and its evaluation at the estimates."""
    criterion = LaplaceCriterion(source_of(fit).design, family_of(fit.family, fit.link, fit.dispersion))
    return criterion, criterion.evaluate(scaled_beta(fit), fit.theta)


def linear_state(fit: MixedModelResult, reml: bool | None = None) -> tuple[LinearCriterion, LinearEvaluation]:
    """Return an LMM's criterion and its evaluation at the estimated theta."""
    source = source_of(fit)
    criterion = LinearCriterion(source.design, source.call.reml if reml is None else reml)
    return criterion, criterion.evaluate(fit.theta)


def fitted_state(fit: MixedModelResult) -> FittedState:
    """Return the geometry at the maximum of either kind of model."""
    design = source_of(fit).design
    Lambda = design.form.matrix(fit.theta)
    if fit.family == "gaussian":
        linear, at = linear_state(fit)
        factor, u0, ur, V = at.factor, at.u0, at.ur, at.V
        products = linear._levels(linear.products, Lambda)
        K0, Kr = factor.full_solve(*factor.half_solve(*products))
        K0, Kr = K0[..., : linear.p], Kr[..., : linear.p]
    else:
        criterion, last = laplace_state(fit)
        factor, u0, ur, V = last.modes.factor, last.modes.u0, last.modes.ur, last.V
        K0, Kr = factor.full_solve(*factor.half_solve(*criterion.level_products(last.w, Lambda)))
    sigma = fit.residual_sd if fit.family == "gaussian" else 1.0
    return FittedState(design, Lambda, sigma, u0, ur, V, factor, K0, Kr)


def level_values(state: FittedState, factor: int, x0: np.ndarray, xr: np.ndarray) -> np.ndarray:
    """Return one factor's rows (levels as labelled, q, ...) of level vectors x0 (G, q0, ...) and xr (R, ...)."""
    if factor:
        return np.asarray(xr[state.design.structure.rest_position[factor - 1]])
    values = np.empty_like(x0)
    values[state.design.new_level0] = x0
    return values

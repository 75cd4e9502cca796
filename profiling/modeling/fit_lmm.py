"""Fitting an LMM: search over theta, then everything else in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from profiling.modeling.assemble import assemble
from profiling.modeling.check_design import check_residual_variance
from profiling.modeling.climb import LinearObjective, block_diagonal, climb
from profiling.modeling.criterion_lmm import LinearCriterion
from profiling.modeling.design import Design
from profiling.modeling.diagnose import diagnose_lmm
from profiling.modeling.effects import implicit_slopes, random_effects
from profiling.modeling.families import family_of
from profiling.modeling.inference import combine_information, forward_information, invert_information
from profiling.modeling.iterative_error import lmm_errors
from profiling.modeling.result import MixedModelResult

LEAST_THETA, MOST_THETA = 0.1, 10.0  # bounds of the first guess
INFORMATION_STEP = 1e-5  # of a standard error: the gradient is in closed form, and its rounding below 1e-10
ROUNDING = 8 * float(np.finfo(float).eps)
LARGEST_ROUNDING = 1e-3  # units of log-likelihood; beyond, cross-products have lost the residual


def fit_lmm(design: Design, reml: bool, start: np.ndarray | None = None) -> MixedModelResult:
    """Return the (restricted) maximum likelihood fit with standard errors, modes and diagnoses.

    `start`: coordinates of an earlier fit, of which the last t (psi) count; otherwise moments.
    """
    criterion = LinearCriterion(design, reml)
    check_residual_variance(criterion.cross)
    objective = LinearObjective(criterion)
    form = design.form
    first = moments(criterion) if start is None else start[len(start) - form.size :]
    optimum, free = climb(objective, first, design, tolerance=1e-12)
    objective.evaluate(optimum.point)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(objective.information()), 1e-300))
    own = np.flatnonzero(free)
    with objective.excursion():
        rows = forward_information(
            lambda point: objective.evaluate(point)[1], optimum.point, own, np.minimum(scale, 10.0), INFORMATION_STEP
        )
    information = combine_information(np.zeros((form.size, form.size)), rows, own)
    covariance_psi, lowest = invert_information(information, free)
    theta, last, p = objective.theta, objective.last, criterion.p
    slope = form.slope(theta)
    sigma = float(np.sqrt(last.residual_variance))
    unscaled = np.linalg.inv(last.information_beta)
    share = last.residual_variance * criterion.n / max(float(criterion.cross[p, p]), 1e-300)
    # The residual is a difference of cross-products: its rounding is all that a search below this decrement follows.
    rounding = ROUNDING * criterion.n / max(share, 1e-300)
    if optimum.decrement < rounding < LARGEST_ROUNDING:
        optimum = replace(optimum, converged=True)
    found, converged = diagnose_lmm(design, optimum, lowest, objective.zero, share, last.information_beta, unscaled)
    notes = [*design.diagnoses, *found]
    joint = block_diagonal(unscaled * last.residual_variance, covariance_psi * np.outer(slope, slope))
    Lambda = form.matrix(theta)
    k = form.offsets[-1]
    C0, Cr = last.factor.half_solve(*criterion._levels(criterion.products, Lambda))
    K0, Kr = last.factor.full_solve(C0, Cr)
    u = design.structure.gather(last.u0, last.ur)
    A = np.broadcast_to(criterion.A, (len(u), k, k))
    products = np.broadcast_to(criterion.products, (len(u), k, p + 1))
    score = products @ np.concatenate([-last.beta, [1.0]]) - np.einsum("mab,bc,mc->ma", A, Lambda, u, optimize=True)
    slopes = implicit_slopes(design, Lambda, u, score, A, last.factor)
    effects = random_effects(
        design, theta, sigma, (last.u0, last.ur), last.V, (-K0[..., :p], -Kr[..., :p]), slopes, joint, p
    )
    value = last.value - (np.log(design.scaling.scale).sum() if reml else 0.0)
    eta = design.X @ last.beta + design.offset + criterion.center
    beta = last.beta.copy()
    if design.scaling.intercept >= 0:
        beta[design.scaling.intercept] += criterion.center
    fit = assemble(
        design,
        family_of("gaussian", None),
        "REML" if reml else "maximum likelihood",
        optimum,
        converged,
        value,
        beta,
        joint[:p, :p],
        theta,
        joint[p:, p:],
        sigma,
        effects,
        notes,
        eta,
        bool(objective.zero.any()),
        p + form.size + 1,
    )
    return lmm_errors(fit, objective, joint)


def moments(criterion: LinearCriterion) -> np.ndarray:
    """Return a first psi (t): each factor's variance over the residual's from the means of its levels alone.

    One-way analysis of variance of the residuals of a regression without random effects (Henderson's method 1), one
    factor at a time; terms other than intercepts start at one.
    """
    design, p = criterion.design, criterion.p
    s, form = design.structure, design.form
    psi = np.zeros(form.size)
    if not design.plain:
        return psi
    cross = criterion.cross
    beta = np.linalg.lstsq(cross[:p, :p], cross[:p, p], rcond=None)[0]
    total = float(cross[p, p] - cross[:p, p] @ beta)
    sums = criterion.products[:, 0] @ np.concatenate([-beta, [1.0]])
    weights = criterion.A[:, 0, 0]
    places = [s.cell_level0, *(s.cell_rest[:, column] for column in range(s.cell_rest.shape[1]))]
    for f, place in enumerate(places):
        by_level, weight = np.bincount(place, sums), np.bincount(place, weights)
        weight = np.where(weight > 0, weight, np.inf)
        between, levels = float((by_level**2 / weight).sum()), int(np.isfinite(weight).sum())
        n = float(weights.sum())
        within = (total - between) / max(criterion.n - levels, 1.0)
        spread = n - float((np.where(np.isfinite(weight), weight, 0.0) ** 2).sum()) / n
        ratio = (between / within - (levels - 1)) / spread if within > 0 and spread > 0 else 1.0
        psi[f] = np.log(np.clip(np.sqrt(max(ratio, 0.0)), LEAST_THETA, MOST_THETA))
    return psi

"""The observed information of beta under the Laplace likelihood, in closed form, for random intercepts.

With e_a = x_a + Z Lambda du/dbeta_a the total change of the linear predictor along beta_a, du/dbeta = -V Lambda'Z'WX,
W2 = dW1/deta, and dH_a = Lambda'Z' diag(W1 e_a) Z Lambda, twice differentiating l = f(u^) - 1/2 log|H| gives

    -d2l/dbeta2 = X'WX - U'V U  -  E' diag(W1 (Z Lambda t) - q W2 / 2) E  -  1/2 [ tr(V dH_a V dH_b) ]_ab

with U = Lambda'Z'WX (the second derivative of the mode, d2u = -V Lambda'Z'(W1 e_a e_b), meets t'H d2u). The last term
is exact for one factor, whose V is diagonal. With several factors V is taken as diagonal there, which leaves out the
products of covariances between levels.
"""

from __future__ import annotations

import numpy as np

from profiling.modeling import cells
from profiling.modeling.columns import cell_products, weighted_gram
from profiling.modeling.laplace import Evaluation, LaplaceCriterion
from profiling.modeling.tiles import add_rows

# W2 by central differences of the exact W1: truncation h^2 and rounding 1e-16 / h are both near 1e-10.
W2_STEP = 1e-4


def observed_information(criterion: LaplaceCriterion, last: Evaluation, theta: np.ndarray) -> np.ndarray:
    """Return the information of beta (p, p) at the point that `last` belongs to; plain designs only.

    With d = W1 (Z Lambda t) - q W2 / 2 and E = X + shift of each cell, X'WX - E'DE is X'(W - D)X less what the shifts
    bring, which needs the cells' sums of d x alone.
    """
    d, s = criterion.design, criterion.design.structure
    Lambda = d.form.matrix(theta)
    half = criterion.half_products(last, Lambda)
    information = -criterion.half_gram(half)
    shift = _shifts(criterion, np.diag(Lambda), *last.modes.factor.full_solve(*half))
    w1, curvature = _curvatures(criterion, last, np.diag(Lambda))
    information += weighted_gram(d.X, criterion.counted(last.w - curvature))
    moved = np.empty((s.n_cells, 1, d.X.shape[1]))
    cell_products(d.X, curvature, d.Z, s.cell_ptr, s.tile_ptr, moved)
    totals = d.cell_multiplicity * np.add.reduceat(curvature, s.cell_ptr[:-1])
    across = (moved[:, 0] * d.cell_multiplicity[:, None]).T @ shift
    information -= across + across.T + weighted_gram(shift, totals)
    cell_products(d.X, w1, d.Z, s.cell_ptr, s.tile_ptr, moved)
    moved[:, 0] += np.add.reduceat(w1, s.cell_ptr[:-1])[:, None] * shift
    information -= 0.5 * _trace_products(criterion, last, np.diag(Lambda), moved[:, 0])
    return np.asarray((information + information.T) / 2)


def _shifts(criterion: LaplaceCriterion, sigma: np.ndarray, slope0: np.ndarray, slope_rest: np.ndarray) -> np.ndarray:
    """Return Z Lambda du/dbeta of every cell (M, p) from V Lambda'Z'WX by level."""
    s = criterion.design.structure
    shift = -sigma[0] * slope0[s.cell_level0, 0]
    for column in range(s.cell_rest.shape[1]):
        shift -= sigma[column + 1] * slope_rest[s.cell_rest[:, column]]
    return np.asarray(shift)


def _curvatures(criterion: LaplaceCriterion, last: Evaluation, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return W1 and d = W1 (Z Lambda t) - q W2 / 2 by row (n)."""
    d, s = criterion.design, criterion.design.structure
    effect = s.gather(last.modes.u0, last.modes.ur) @ sigma
    leverage = np.einsum("a,mab,b->m", sigma, last.V, sigma, optimize=True)
    w1, curvature = np.empty(d.n), np.empty(d.n)
    cells.curvature_rows(
        criterion.family.code,
        d.y,
        d.weights,
        criterion.linear_predictor(last.beta),
        s.cell_ptr,
        s.tile_ptr,
        effect,
        last.pull.sum(axis=1),
        leverage,
        W2_STEP,
        w1,
        curvature,
    )
    return w1, curvature


def _trace_products(criterion: LaplaceCriterion, last: Evaluation, sigma: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return tr(V dH_a V dH_b) (p, p) from cell sums of W1 e_a (M, p), V on the cells' own levels."""
    d = criterion.design
    p, k = change.shape[1], len(sigma)
    total = np.zeros((p, p))
    for f, variances in enumerate(criterion.level_covariance(last.V)):
        sums = _level_sums(criterion, change, f)
        weight = variances[:, 0, 0] * sigma[f] ** 2 * np.sqrt(d.level_multiplicity[f])
        scaled = np.ascontiguousarray(sums * weight[:, None])
        total += weighted_gram(scaled, np.ones(len(scaled)))
    for f in range(k):
        for g in range(f + 1, k):
            # An off-diagonal block of dH stands in both triangles: twice V_ff V_gg.
            both = 2.0 * d.cell_multiplicity * last.V[:, f, f] * last.V[:, g, g] * (sigma[f] * sigma[g]) ** 2
            total += weighted_gram(change, both)
    return total


def _level_sums(criterion: LaplaceCriterion, change: np.ndarray, f: int) -> np.ndarray:
    s = criterion.design.structure
    if f == 0:
        return np.asarray(np.add.reduceat(change, s.level_ptr[:-1], axis=0))
    rest = np.zeros((s.n_rest, change.shape[1]))
    add_rows(rest, s.cell_rest[:, f - 1], change)
    return rest

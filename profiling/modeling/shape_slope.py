"""The slope of a negative binomial likelihood in its shape, of the Laplace approximation and of the product rule.

By implicit differentiation of the mode,

    Laplace:   dl/dkappa = sum dl0/dkappa - 1/2 sum q dW/dkappa - sum (Z Lambda t) dl1/dkappa,
    rule:      dl/dkappa = E[sum dl0/dkappa] - sum (z'Lambda Q Lambda'z) dW/dkappa - sum (z'Lambda t) dl1/dkappa,

q and t of the first as in `laplace`, the expectation over nodes, Q and t of the second as in `quadrature`; with one
node Q = H^-1 / 2 and the two are one.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.families import derivatives
from profiling.modeling.product_rule import inverse_transposed, scaled
from profiling.modeling.quadrature import QuadratureCriterion


def shape_slope(objective: LaplaceObjective) -> float:
    """Return dl/dlog kappa at the point that the objective evaluated last, (beta, theta) held."""
    if isinstance(objective.criterion, QuadratureCriterion):
        return _slope_of_rule(objective)
    criterion, last = objective.criterion, objective.last
    d, s = criterion.design, criterion.design.structure
    Lambda = d.form.matrix(objective.theta)
    effect = s.gather(last.modes.u0, last.modes.ur) @ Lambda.T
    leverage = np.einsum("ab,mbc,dc->mad", Lambda, last.V, Lambda, optimize=True)
    out = np.empty(s.n_cells)
    kappa = criterion.family.shape
    eta = criterion.linear_predictor(last.beta)
    _at_modes(kappa, d.y, d.weights, eta, d.Z, s.cell_ptr, s.tile_ptr, effect, 0.5 * leverage, last.pull, True, out)
    return float(kappa * (out @ d.cell_multiplicity))


def _slope_of_rule(objective: LaplaceObjective) -> float:
    criterion, last = objective.criterion, objective.last
    assert isinstance(criterion, QuadratureCriterion)
    d, s = criterion.design, criterion.design.structure
    Lambda, kappa = d.form.matrix(objective.theta), criterion.family.shape
    rows = (d.y, d.weights, criterion.linear_predictor(last.beta), d.Z, s.cell_ptr, s.tile_ptr)
    effect, pull = last.modes.u0 @ Lambda.T, criterion.turn @ Lambda.T
    leverage = np.einsum("ab,mbc,dc->mad", Lambda, criterion.spread, Lambda, optimize=True)
    moving, expected = np.empty(s.n_cells), np.empty(s.n_cells)
    _at_modes(kappa, *rows, effect, leverage, pull, False, moving)
    _over_nodes(
        *(criterion.family.code, kappa, *rows, Lambda, last.modes.u0, criterion.lower),
        *(criterion.nodes, criterion.log_weight, expected),
    )
    return float(kappa * ((moving + expected) @ d.cell_multiplicity))


@nb.njit(cache=True)
def _parts(kappa: float, y: float, eta: float) -> tuple[float, float, float]:
    """Return the derivatives in kappa of l0, l1 and W of a row of weight one."""
    mu = math.exp(min(eta, 690.0))
    ratio = mu / kappa
    share = 1.0 / (1.0 + ratio)
    value = (1.0 + y / kappa) * ratio * share - math.log1p(ratio)
    for i in range(int(y)):
        value -= i / (kappa * (kappa + i))
    score = (y - mu) * ratio / kappa * share * share
    return value, score, mu * (mu * y / kappa - y + 2.0 * mu) / (kappa * kappa) * share * share * share


@nb.njit(parallel=True, cache=True, error_model="numpy")
def _at_modes(
    kappa: float,
    y: np.ndarray,
    m: np.ndarray,
    eta: np.ndarray,
    Z: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    effect: np.ndarray,
    leverage: np.ndarray,
    pull: np.ndarray,
    whole: bool,
    out: np.ndarray,
) -> None:
    """Store each cell's sum at `effect` (M, k) of dl0 (if `whole`) - z'leverage z dW - z'pull dl1."""
    plain = Z.shape[0] == 0
    k = effect.shape[1]
    for tile in nb.prange(len(tile_ptr) - 1):
        for c in range(tile_ptr[tile], tile_ptr[tile + 1]):
            out[c] = 0.0
            for i in range(cell_ptr[c], cell_ptr[c + 1]):
                e, through, q = eta[i], 0.0, 0.0
                for a in range(k):
                    za = 1.0 if plain else Z[i, a]
                    e += za * effect[c, a]
                    through += za * pull[c, a]
                    for b in range(k):
                        q += za * leverage[c, a, b] * (1.0 if plain else Z[i, b])
                value, score, weight = _parts(kappa, y[i], e)
                out[c] += m[i] * ((value if whole else 0.0) - q * weight - through * score)


@nb.njit(parallel=True, cache=True, error_model="numpy")
def _over_nodes(
    code: float,
    kappa: float,
    y: np.ndarray,
    m: np.ndarray,
    eta: np.ndarray,
    Z: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    Lambda: np.ndarray,
    mode: np.ndarray,
    lower: np.ndarray,
    nodes: np.ndarray,
    log_weight: np.ndarray,
    out: np.ndarray,
) -> None:
    """Store each level's mean over its nodes of sum dl0/dkappa (G)."""
    plain = Z.shape[0] == 0
    k = mode.shape[1]
    for tile in nb.prange(len(tile_ptr) - 1):
        C, u, b = np.empty((k, k)), np.empty(k), np.empty(k)
        height, slope = np.empty(len(nodes)), np.empty(len(nodes))
        for g in range(tile_ptr[tile], tile_ptr[tile + 1]):
            inverse_transposed(lower[g], C)
            peak = -np.inf
            for q in range(len(nodes)):
                height[q], slope[q] = log_weight[q], 0.0
                for a in range(k):
                    u[a] = mode[g, a]
                    for c in range(a, k):
                        u[a] += C[a, c] * nodes[q, c]
                    height[q] -= 0.5 * u[a] * u[a]
                scaled(Lambda, u, b)
                for i in range(cell_ptr[g], cell_ptr[g + 1]):
                    e = eta[i]
                    for a in range(k):
                        e += b[a] * (1.0 if plain else Z[i, a])
                    height[q] += derivatives(code, y[i], m[i], e)[0]
                    slope[q] += m[i] * _parts(kappa, y[i], e)[0]
                peak = max(peak, height[q])
            total, mean = 0.0, 0.0
            for q in range(len(nodes)):
                p = math.exp(height[q] - peak)
                total += p
                mean += p * slope[q]
            out[g] = mean / total

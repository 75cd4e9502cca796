"""Adaptive Gauss-Hermite quadrature for one grouping factor, scalar or vector effects, with its exact gradient.

With u spherical, f(u) = log p(y_j | X beta + Z Lambda u) - |u|^2 / 2, mode u^, H = -f''(u^) = LL', C = L^-T and nodes
u_q = u^ + C z_q (Liu & Pierce 1994; Pinheiro & Bates 1995; the product rule for vectors),

    l_j = -1/2 log|H| + log sum_q exp(log w_q + |z_q|^2 / 2 + f(u_q)).

The gradient is that of this finite sum: the nodes move with the mode and with its curvature. With p_q the nodes'
shares, a = sum_q p_q f'(u_q), N = C' sum_q p_q f'(u_q) z_q' and K the symmetric part of the upper triangle of N + I,
its diagonal halved (the differential of a Cholesky factor),

    dl_j = sum_q p_q df(u_q) + a'du^ - tr(Q dH),      Q = CKC'.

Both corrections vanish as the points increase (a -> 0, N -> -I); with one point Q = H^-1 / 2 and the Laplace gradient
is back. With s_i = W1_i z_i'Lambda Q Lambda'z_i, t = H^-1 (Lambda'Z's - a):

    dl/deta_i   = E[l1_i] - s_i + W_i z_i'Lambda t
    dl/dLambda  = E[Z'l1 u'] - 2 Z'WZ Lambda Q + (Z'WZ Lambda t - Z's) u^' - Z'l1 t'
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from profiling.modeling import product_rule as kernel
from profiling.modeling.blocks import Factor
from profiling.modeling.cells import weighted_sums
from profiling.modeling.columns import transposed_times
from profiling.modeling.design import Design
from profiling.modeling.families import Family
from profiling.modeling.gauss_hermite import product_rule
from profiling.modeling.laplace import Evaluation, LaplaceCriterion, Modes


@dataclass
class Moments:
    """Posterior means (levels, q) and covariances (levels, q, q) of one factor's effects, levels as sorted."""

    mean: np.ndarray
    covariance: np.ndarray


class QuadratureCriterion(LaplaceCriterion):
    """The log-likelihood of one factor by an adaptive rule of `points` a term; a function of (beta, theta)."""

    def __init__(self, design: Design, family: Family, points: tuple[int, ...]) -> None:
        super().__init__(design, family)
        self.points = points
        self.nodes, self.log_weight = product_rule(points[0], design.structure.terms[0])
        self.mean = np.zeros((design.structure.n_levels0, design.structure.terms[0]))
        self.second = np.zeros((*self.mean.shape, self.mean.shape[1]))
        # Q, t and the Cholesky factor of H of the point evaluated last.
        self.spread, self.turn = np.zeros_like(self.second), np.zeros_like(self.mean)
        self.lower = np.zeros_like(self.second)

    @property
    def scores(self) -> np.ndarray:
        """Return the slopes of the log integrals in every row's predictor, times multiplicity (n)."""
        return self._v

    @property
    def weights(self) -> np.ndarray:
        """Return E[W] of every row (n)."""
        return self._w

    def with_points(self, points: tuple[int, ...]) -> QuadratureCriterion:
        """Return the criterion with another number of points, starting from the modes found here."""
        other = QuadratureCriterion(self.design, self.family, points)
        other._u = self._u
        return other

    def evaluate(self, beta: np.ndarray, theta: np.ndarray) -> Evaluation:
        """Return value and exact gradient of the rule at (beta, theta)."""
        d, s = self.design, self.design.structure
        Lambda = d.form.matrix(theta)
        value, slope, modes = self.integrate(self.linear_predictor(beta), Lambda, s.tile_ptr)
        gradient = np.concatenate(
            [transposed_times(d.X, self._v), slope.sum(axis=0)[d.form.rows, d.form.columns]],
        )
        return averaged(self, float(value @ d.cell_multiplicity), gradient, beta, Lambda, modes)

    def theta_scores(self, beta: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return what every cell (here a level) adds to dl/dtheta (M, t), its multiplicity included."""
        d = self.design
        tiles = np.arange(d.structure.n_levels0 + 1)
        _, slope, _ = self.integrate(self.linear_predictor(beta), d.form.matrix(theta), tiles)
        return np.asarray(slope[:, d.form.rows, d.form.columns])

    def integrate(
        self, eta: np.ndarray, Lambda: np.ndarray, tile_ptr: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, Modes]:
        """Return log integrals (G) at eta (n), the slopes in Lambda by tile of levels (T, k, k), and the modes.

        Slopes in eta, E[W] (n) and moments of u become `scores`, `weights`, `mean` and `second`, until the next call.
        """
        d, s = self.design, self.design.structure
        modes = self.find_modes(eta, Lambda, self._u)
        value = np.empty(s.n_levels0)
        slope = np.empty((len(tile_ptr) - 1, *Lambda.shape))
        kernel.integrate(
            self.family.code,
            d.y,
            d.weights,
            eta,
            d.Z,
            s.cell_ptr,
            tile_ptr,
            d.cell_multiplicity,
            Lambda,
            modes.u0,
            modes.factor.D,
            self.nodes,
            self.log_weight,
            value,
            self._v,
            self._w,
            self.mean,
            self.second,
            slope,
            self.spread,
            self.turn,
        )
        self.lower = modes.factor.D
        return value, slope, modes

    def moments(self, beta: np.ndarray, theta: np.ndarray) -> list[Moments]:
        """Return the posterior means and covariances of the effects b = Lambda u at (beta, theta)."""
        self.evaluate(beta, theta)
        Lambda = self.design.form.matrix(theta)
        spread = self.second - self.mean[:, :, None] * self.mean[:, None, :]
        covariance = np.einsum("ab,lbc,dc->lad", Lambda, spread, Lambda, optimize=True)
        return [Moments(self.mean @ Lambda.T, covariance)]


def averaged(
    criterion: LaplaceCriterion,
    value: float,
    gradient: np.ndarray,
    beta: np.ndarray,
    Lambda: np.ndarray,
    modes: Modes | None = None,
) -> Evaluation:
    """Return the evaluation whose information uses the posterior means of W (in `criterion._w`) instead of W."""
    d, s = criterion.design, criterion.design.structure
    if d.plain:
        A = np.add.reduceat(criterion._w, s.cell_ptr[:-1])[:, None, None]
    else:
        k = d.kz
        products = np.ascontiguousarray((d.Z[:, :, None] * d.Z[:, None, :]).reshape(d.n, k * k))
        A = np.empty((s.n_cells, k * k))
        weighted_sums(criterion._w, products, s.cell_ptr, s.tile_ptr, A)
        A = A.reshape(-1, k, k)
    factor = Factor(s, criterion._blocks(A, Lambda))
    u0, ur = (modes.u0, modes.ur) if modes else (np.zeros((s.n_levels0, s.terms[0])), np.zeros(s.n_rest))
    r = modes.r if modes else np.zeros((s.n_cells, d.kz))
    pseudo = Modes(u0, ur, np.zeros(s.n_cells), r, A, factor, 0)
    V = factor.cell_covariance()
    return Evaluation(value, gradient, beta.copy(), pseudo, V, criterion._w, criterion._l1, criterion._v)

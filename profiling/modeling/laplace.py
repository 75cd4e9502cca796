"""The Laplace approximation of a GLMM's log-likelihood with its exact gradient, for any structure of random effects.

With spherical effects u, b = Lambda u, and f(u) = log p(y | X beta + Z Lambda u) - |u|^2 / 2, at the mode u^

    l(beta, theta) = f(u^) - 1/2 log|H|,      H = Lambda'Z'WZ Lambda + I.

With V = H^-1, leverages q_i = (Z Lambda V Lambda'Z')_ii, s = q W1 / 2, t = V Lambda'Z's and
v = l1 - s + W (Z Lambda t):

    dl/dbeta    = X'v
    dl/dtheta_k = l1.(Z L_k u) - tr(V L_k'Z'WZ Lambda) - s.(Z L_k u) - t'(L_k'Z'l1 - Lambda'Z'WZ L_k u)

where L_k = dLambda/dtheta_k (implicit differentiation of the mode; Tierney & Kadane 1986, Shun & McCullagh 1995;
Kristensen et al. 2016, eq. 8). The search direction comes from the Schur complement of the mode's Hessian
X'WX - (X'WZ Lambda) V (Lambda'Z'WX) for beta and the expected information of theta.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from profiling.modeling import cells
from profiling.modeling.blocks import Factor
from profiling.modeling.columns import cell_products, times, transposed_times, weighted_gram
from profiling.modeling.covariance import boundary_curvature, expected_information
from profiling.modeling.design import Design
from profiling.modeling.families import Family
from profiling.modeling.tiles import add_rows

MODE_TOLERANCE = 1e-10  # Newton decrement at which one last exact step makes the mode's error about its square
CHORD_TOLERANCE = 1e-19  # the same with a factor from elsewhere, whose steps converge only linearly
MODE_STEPS = 200
KEEP_FACTOR = 1_500  # operations of the crossed part for each row above which another pass over the rows is cheaper
HALVINGS = 30
_NOTHING = np.empty(0)


@dataclass
class Modes:
    """The mode of the random effects at one (beta, theta), and the factor of H there."""

    u0: np.ndarray
    ur: np.ndarray
    l0: np.ndarray
    r: np.ndarray
    A: np.ndarray
    factor: Factor
    steps: int


@dataclass
class Evaluation:
    """Log-likelihood (without constants free of parameters), gradient in (beta, theta) and what later steps need."""

    value: float
    gradient: np.ndarray
    beta: np.ndarray
    modes: Modes
    V: np.ndarray
    w: np.ndarray
    l1: np.ndarray
    scores: np.ndarray
    pull: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    skew: np.ndarray = field(default_factory=lambda: np.zeros(0))


class LaplaceCriterion:
    """The Laplace log-likelihood of one design and family, as a function of (beta, theta) on the scaled columns."""

    def __init__(self, design: Design, family: Family) -> None:
        self.design = design
        self.family = family
        s = design.structure
        self._u: tuple[np.ndarray, np.ndarray] = (np.zeros((s.n_levels0, s.terms[0])), np.zeros(s.n_rest))
        self._factor: Factor | None = None
        n = design.n
        self._eta, self._w, self._l1, self._w1, self._v = (np.empty(n) for _ in range(5))

    def linear_predictor(self, beta: np.ndarray) -> np.ndarray:
        """Return X beta + offset in the sorted order (n); the array is reused by the next call."""
        times(self.design.X, beta, self._eta)
        self._eta += self.design.offset
        return self._eta

    def _blocks(self, A: np.ndarray, Lambda: np.ndarray) -> np.ndarray:
        """Return Lambda'A Lambda for every cell (M, k, k); a scalar A stands for A 11'."""
        if self.design.plain:
            sigma = np.diag(Lambda)
            return np.asarray(A * np.outer(sigma, sigma))
        return np.asarray(np.einsum("ba,mbc,cd->mad", Lambda, A, Lambda, optimize=True))

    def _widen(self, cell_sums: np.ndarray) -> np.ndarray:
        """Return cell sums as (M, k): intercepts share one sum."""
        k = self.design.form.offsets[-1]
        return np.broadcast_to(cell_sums, (len(cell_sums), k)) if self.design.plain else cell_sums

    def row_derivatives(
        self, eta: np.ndarray, effect: np.ndarray, l1: np.ndarray, w: np.ndarray, w1: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the cells' sums of log p, l1 z and W zz' at eta + z'effect.

        l1, W and W1 of the rows are stored in the arrays given (n), unless these are empty.
        """
        d, s = self.design, self.design.structure
        l0, r, A = np.empty(s.n_cells), np.empty((s.n_cells, d.kz)), np.empty((s.n_cells, d.kz, d.kz))
        cells.row_derivatives(
            self.family.code, d.y, d.weights, eta, d.Z, s.cell_ptr, s.tile_ptr, effect, l0, r, A, l1, w, w1
        )
        return l0, r, A

    def find_modes(self, eta: np.ndarray, Lambda: np.ndarray, start: tuple[np.ndarray, np.ndarray]) -> Modes:
        """Climb from `start` to the mode by Newton steps; dear factors are kept while they still lead up fast."""
        s = self.design.structure
        u0, ur = start
        keep_factor = s.evaluation_operations > KEEP_FACTOR * self.design.n
        factor = self._factor if keep_factor else None
        height, decrement, steps = -np.inf, np.inf, 0
        step0, stepr = np.zeros_like(u0), np.zeros_like(ur)
        halved = 0
        while True:
            l0, r, A = self.row_derivatives(eta, s.gather(u0, ur) @ Lambda.T, _NOTHING, _NOTHING, _NOTHING)
            height_here = l0.sum() - 0.5 * (np.square(u0).sum() + np.square(ur).sum())
            if not height_here >= height - 1e-9 * (1 + abs(height)) and halved < HALVINGS:
                halved += 1
                step0, stepr = step0 / 2, stepr / 2
                u0, ur = u0 - step0, ur - stepr
                factor = None
                continue
            height, halved = height_here, 0
            g0, gr = s.scatter(self._widen(r) @ Lambda)
            g0, gr = g0 - u0, gr - ur
            fresh = factor is None
            if factor is None:
                factor = Factor(s, self._blocks(A, Lambda))
            step0, stepr = factor.solve(g0, gr)
            previous, decrement = decrement, float((g0 * step0).sum() + gr @ stepr)
            u0, ur = u0 + step0, ur + stepr
            steps += 1
            if decrement < (MODE_TOLERANCE if fresh else CHORD_TOLERANCE) or steps >= MODE_STEPS:
                break
            if not keep_factor or decrement > 0.1 * previous:
                factor = None
        l0, r, A = self.row_derivatives(eta, s.gather(u0, ur) @ Lambda.T, self._l1, self._w, self._w1)
        final = Factor(s, self._blocks(A, Lambda))
        self._factor = final if keep_factor else None
        self._u = (u0, ur)
        return Modes(u0, ur, l0, r, A, final, steps)

    def value_at(self, modes: Modes) -> float:
        """Return f(u^) - 1/2 log|H| with clusters counted by their multiplicity."""
        d = self.design
        square = (np.square(modes.u0).sum(axis=1) * d.level_multiplicity[0]).sum()
        for f, position in enumerate(d.structure.rest_position, start=1):
            square += (np.square(modes.ur[position]).sum(axis=1) * d.level_multiplicity[f]).sum()
        log_determinant = modes.factor.component_log_determinant @ d.component_multiplicity
        return float(modes.l0 @ d.cell_multiplicity - 0.5 * square - 0.5 * log_determinant)

    def evaluate(self, beta: np.ndarray, theta: np.ndarray) -> Evaluation:
        """Return value and exact gradient at (beta, theta), starting from the last modes found."""
        Lambda = self.design.form.matrix(theta)
        eta = self.linear_predictor(beta)
        modes = self.find_modes(eta, Lambda, self._u)
        return self._at_modes(beta, Lambda, modes, modes.factor.cell_covariance())

    def of_probe(self, last: Evaluation, theta: np.ndarray, probe: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient, and conditional variances of iterated effects, by one probe alone (see `iterative`)."""
        modes, Lambda = last.modes, self.design.form.matrix(theta)
        effect = self.design.structure.gather(modes.u0, modes.ur) @ Lambda.T
        self.row_derivatives(self.linear_predictor(last.beta), effect, self._l1, self._w, self._w1)
        V = modes.factor.cell_covariance(probe)
        levels = [np.einsum("lqq->lq", blocks).ravel() for blocks in self.level_covariance(V)]
        return self._at_modes(last.beta, Lambda, modes, V).gradient, np.concatenate(levels)

    def _at_modes(self, beta: np.ndarray, Lambda: np.ndarray, modes: Modes, V: np.ndarray) -> Evaluation:
        """Return the evaluation at the modes that `row_derivatives` saw last, with the cells' blocks V of H^-1."""
        d, s = self.design, self.design.structure
        u = s.gather(modes.u0, modes.ur)
        s_cell = np.empty((s.n_cells, d.kz))
        leverage = np.einsum("ab,mbc,dc->mad", Lambda, V, Lambda, optimize=True)
        skew = self._w1  # W1 has no reader after this one
        cells.skew_sums(self._w1, d.Z, s.cell_ptr, s.tile_ptr, leverage, skew, s_cell)
        t = s.gather(*modes.factor.solve(*s.scatter(self._widen(s_cell) @ Lambda)))
        pull = t @ Lambda.T
        cells.score_rows(self._l1, skew, self._w, d.Z, s.cell_ptr, s.tile_ptr, pull, d.cell_multiplicity, self._v)
        gradient = np.concatenate(
            [transposed_times(d.X, self._v), self._theta_gradient(modes, V, Lambda, u, t, pull, s_cell)]
        )
        scores = self._v
        return Evaluation(self.value_at(modes), gradient, beta.copy(), modes, V, self._w, self._l1, scores, pull, skew)

    def _theta_gradient(
        self,
        modes: Modes,
        V: np.ndarray,
        Lambda: np.ndarray,
        u: np.ndarray,
        t: np.ndarray,
        pull: np.ndarray,
        s_cell: np.ndarray,
    ) -> np.ndarray:
        form, m = self.design.form, self.design.cell_multiplicity
        k = form.offsets[-1]
        r, s = self._widen(modes.r), self._widen(s_cell)
        A = np.broadcast_to(modes.A, (len(u), k, k))
        # One matrix (k, k) of dl/dLambda summed over cells; theta picks its free entries.
        slope = np.einsum("m,ma,mb->ab", m, r - s, u) - np.einsum("m,mac,cd,mdb->ab", m, A, Lambda, V, optimize=True)
        slope += np.einsum("m,mac,mc,mb->ab", m, A, pull, u, optimize=True) - np.einsum("m,mb,ma->ab", m, t, r)
        return np.asarray(slope[form.rows, form.columns])

    def level_covariance(self, V: np.ndarray) -> list[np.ndarray]:
        """Return, for every factor, its levels' blocks of H^-1 (levels, q, q)."""
        offsets = self.design.form.offsets
        return [
            V[first][:, offsets[f] : offsets[f + 1], offsets[f] : offsets[f + 1]]
            for f, first in enumerate(self.design.structure.first_cells)
        ]

    def level_products(self, w: np.ndarray, Lambda: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return Lambda'Z' diag(w) X by level: (G, q0, p) and (R, p)."""
        d, s = self.design, self.design.structure
        p = d.X.shape[1]
        product = np.empty((s.n_cells, d.kz, p))
        cell_products(d.X, w, d.Z, s.cell_ptr, s.tile_ptr, product)
        k, q0 = d.form.offsets[-1], s.terms[0]
        if d.plain:
            first = np.add.reduceat(product[:, 0], s.level_ptr[:-1], axis=0)[:, None, :] * Lambda[0, 0]
        else:
            product = np.einsum("ba,mbp->map", Lambda, product, optimize=True)
            first = np.add.reduceat(product[:, :q0], s.level_ptr[:-1], axis=0)
        rest = np.zeros((s.n_rest, p))
        for a in range(q0, k):
            values = product[:, 0] * Lambda[a, a] if d.plain else product[:, a]
            add_rows(rest, s.cell_rest[:, a - q0], values)
        return np.ascontiguousarray(first), rest

    def half_products(self, evaluation: Evaluation, Lambda: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (C0, Cr) with C0'C0 + Cr'Cr = U'VU, U = Lambda'Z'WX: (G, q0, p) and (R, p)."""
        return evaluation.modes.factor.half_solve(*self.level_products(evaluation.w, Lambda))

    def half_gram(self, half: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return U'VU (p, p) from the half products, levels counted by their multiplicity."""
        d = self.design
        C0, Cr = half
        flat = C0.reshape(C0.shape[0] * C0.shape[1], C0.shape[2])
        gram = weighted_gram(flat, np.repeat(d.level_multiplicity[0], C0.shape[1]))
        if len(Cr):
            counted = np.ones(len(Cr))
            for f, position in enumerate(d.structure.rest_position, start=1):
                counted[position] = d.level_multiplicity[f][:, None]
            gram += weighted_gram(Cr, counted)
        return gram

    def counted(self, rows: np.ndarray) -> np.ndarray:
        """Return a value a row (n) times the multiplicity of its cell."""
        d = self.design
        if (d.cell_multiplicity == 1).all():
            return rows
        return np.asarray(rows * np.repeat(d.cell_multiplicity, np.diff(d.structure.cell_ptr)))

    def structured_information(self, evaluation: Evaluation, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the approximate information of beta (p, p) and of psi (t, t)."""
        information = weighted_gram(self.design.X, self.counted(evaluation.w))
        information -= self.half_gram(self.half_products(evaluation, self.design.form.matrix(theta)))
        return information, self.psi_information(evaluation, theta)

    def psi_information(self, evaluation: Evaluation, theta: np.ndarray) -> np.ndarray:
        """Return the expected information of psi (t, t)."""
        d = self.design
        k, p = d.form.offsets[-1], d.X.shape[1]
        A = np.broadcast_to(evaluation.modes.A, (len(evaluation.modes.A), k, k))
        psi = expected_information(
            d.form, theta, self.level_covariance(evaluation.V), level_blocks(d, A), list(d.level_multiplicity)
        )
        return psi + np.diag(boundary_curvature(d.form, theta, evaluation.gradient[p:]))


def level_blocks(design: Design, A: np.ndarray) -> list[np.ndarray]:
    """Return, for every factor, Z'WZ of each level's own terms (levels, q, q) from the cells' blocks (M, k, k)."""
    s, offsets = design.structure, design.form.offsets
    q0 = s.terms[0]
    blocks = [np.add.reduceat(A[:, :q0, :q0], s.level_ptr[:-1], axis=0)]
    for f, position in enumerate(s.rest_position, start=1):
        part = slice(offsets[f], offsets[f + 1])
        q = position.shape[1]
        total = np.zeros((s.n_rest, q * q))
        add_rows(total, s.cell_rest[:, offsets[f] - q0], np.ascontiguousarray(A[:, part, part]).reshape(-1, q * q))
        blocks.append(total[position[:, 0]].reshape(-1, q, q))
    return blocks

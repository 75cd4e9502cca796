"""The profiled log-likelihood of a linear mixed model from cross-products alone (Bates et al. 2015, section 3).

With H = Lambda'Z'WZ Lambda + I and G = Lambda'Z'W[X y], the Schur complement

    M = [X y]'W[X y] - G'H^-1 G = [ RX'RX  . ; .  r^2 + |c|^2 ]

holds everything: its Cholesky factor gives beta and the penalised residual sum of squares r^2. Then

    ML:    -2 l = log|H| + n (1 + log(2 pi r^2 / n)) - sum log w
    REML:  -2 l = log|H| + log|RX|^2 + (n - p)(1 + log(2 pi r^2 / (n - p))) - sum log w  (with the scale of X)

Rows are read once; an evaluation costs what the levels cost. The gradient in theta is analytic:
dlog|H| = 2 tr(V L_k'Z'WZ Lambda), dr^2 = -2 (Z L_k u)'W(y - X beta - Z Lambda u), dRX'RX = -(P + P') with
P = (X - Z Lambda K)'WZ L_k K and K = H^-1 Lambda'Z'WX.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from profiling.modeling import cells
from profiling.modeling.blocks import Factor
from profiling.modeling.columns import append, cell_products, weighted_gram
from profiling.modeling.covariance import boundary_curvature, expected_information
from profiling.modeling.design import Design
from profiling.modeling.laplace import level_blocks
from profiling.modeling.linear_cells import lambda_slope, turned_blocks
from profiling.modeling.tiles import add_rows

ROUNDING = 1e-15  # relative error of a cross-product


@dataclass
class LinearEvaluation:
    """Value, gradient in theta, and the conditional estimates at theta (scaled columns)."""

    value: float
    gradient: np.ndarray
    beta: np.ndarray
    residual_variance: float
    u0: np.ndarray
    ur: np.ndarray
    V: np.ndarray
    factor: Factor
    information_beta: np.ndarray


class LinearCriterion:
    """The profiled (restricted) log-likelihood of theta for one design."""

    def __init__(self, design: Design, reml: bool) -> None:
        self.design = design
        self.reml = reml
        s = design.structure
        self._center = float(np.average(design.y, weights=design.weights)) if design.scaling.intercept >= 0 else 0.0
        y = design.y - design.offset - self._center
        augmented = append(design.X, y)
        self.p = design.X.shape[1]
        counted = design.weights * np.repeat(design.cell_multiplicity, np.diff(s.cell_ptr))
        self.cross = weighted_gram(augmented, counted)
        self.products = np.empty((s.n_cells, design.kz, self.p + 1))
        cell_products(augmented, design.weights, design.Z, s.cell_ptr, s.tile_ptr, self.products)
        self.A = self._cell_blocks()
        repeats = np.repeat(design.cell_multiplicity, np.diff(s.cell_ptr))
        used = design.weights > 0
        self.n = float(repeats[used].sum())
        self.log_weights = float(repeats[used] @ np.log(design.weights[used]))

    def _cell_blocks(self) -> np.ndarray:
        """Return sum w zz' of every cell (M, kz, kz)."""
        d, s = self.design, self.design.structure
        if d.plain:
            A = np.empty((s.n_cells, 1))
            cells.weighted_sums(d.weights, d.Z, s.cell_ptr, s.tile_ptr, A)
            return A[:, :, None]
        A = np.empty((s.n_cells, d.kz, d.kz))
        cell_products(d.Z, d.weights, d.Z, s.cell_ptr, s.tile_ptr, A)
        return A

    def _levels(self, cell_values: np.ndarray, Lambda: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return Lambda' times cell products (M, kz, c), summed by level: (G, q0, c), (R, c)."""
        d, s = self.design, self.design.structure
        k, q0 = d.form.offsets[-1], s.terms[0]
        wide = np.broadcast_to(cell_values, (s.n_cells, k, cell_values.shape[2]))
        turned = np.einsum("ba,mbc->mac", Lambda, wide, optimize=True)
        rest = np.zeros((s.n_rest, cell_values.shape[2]))
        for a in range(q0, k):
            add_rows(rest, s.cell_rest[:, a - q0], np.ascontiguousarray(turned[:, a]))
        return np.ascontiguousarray(np.add.reduceat(turned[:, :q0], s.level_ptr[:-1], axis=0)), rest

    def evaluate(self, theta: np.ndarray) -> LinearEvaluation:
        """Return the profiled log-likelihood at theta with its gradient."""
        d, s, p = self.design, self.design.structure, self.p
        Lambda = d.form.matrix(theta)
        factor = Factor(s, turned_blocks(self.A, Lambda))
        C0, Cr = factor.half_solve(*self._levels(self.products, Lambda))
        M = self.cross - self._gram(C0, Cr)
        R = linalg.cholesky(M[:p, :p]) if p else np.zeros((0, 0))
        c = linalg.solve_triangular(R, M[:p, p], trans=1) if p else np.zeros(0)
        # Below this share of y'Wy the difference is rounding; the fit then says so (`exact_fit`).
        square = max(float(M[p, p] - c @ c), ROUNDING * float(self.cross[p, p]))
        beta = linalg.solve_triangular(R, c) if p else np.zeros(0)
        K0, Kr = factor.full_solve(C0, Cr)
        residual = np.concatenate([-beta, [1.0]])
        u0, ur = K0 @ residual, Kr @ residual
        V = factor.cell_covariance()
        freedom = self.n - p if self.reml else self.n
        log_determinant = float(factor.component_log_determinant @ d.component_multiplicity)
        log_rx = 2.0 * float(np.log(np.abs(np.diag(R))).sum()) if self.reml else 0.0
        variance = square / freedom
        value = -0.5 * (log_determinant + log_rx + freedom * (1 + np.log(2 * np.pi * variance)) - self.log_weights)
        gradient = self._gradient(Lambda, V, u0, ur, K0, Kr, beta, variance, R)
        return LinearEvaluation(value, gradient, beta, variance, u0, ur, V, factor, M[:p, :p])

    def _gram(self, C0: np.ndarray, Cr: np.ndarray) -> np.ndarray:
        """Return C'C with every level counted by its multiplicity."""
        d = self.design
        repeated = np.repeat(d.level_multiplicity[0], C0.shape[1])
        flat = np.ascontiguousarray(C0.reshape(-1, C0.shape[2]))
        total = weighted_gram(flat, np.ascontiguousarray(repeated))
        if len(Cr):
            counts = np.ones(len(Cr))
            for f, position in enumerate(d.structure.rest_position, start=1):
                counts[position] = d.level_multiplicity[f][:, None]
            total = total + weighted_gram(Cr, counts)
        return np.asarray(total)

    def _gradient(
        self,
        Lambda: np.ndarray,
        V: np.ndarray,
        u0: np.ndarray,
        ur: np.ndarray,
        K0: np.ndarray,
        Kr: np.ndarray,
        beta: np.ndarray,
        variance: float,
        R: np.ndarray,
    ) -> np.ndarray:
        d, s, p = self.design, self.design.structure, self.p
        # dlog|RX'RX| = -2 tr((RX'RX)^-1 K'L_k'Z'W(X - Z Lambda K)): contract over beta's columns.
        columns = p if self.reml else 0
        root = linalg.solve_triangular(R, np.eye(p)) if columns else np.zeros((0, 0))
        half = [np.ascontiguousarray(part[..., :columns] @ root) for part in (K0, Kr)]
        slope = lambda_slope(
            self.A,
            self.products,
            Lambda,
            d.cell_multiplicity,
            V,
            np.concatenate([-beta, [1.0]]),
            variance,
            s.cell_level0,
            s.cell_rest,
            u0,
            ur,
            np.ascontiguousarray(root),
            half[0],
            half[1],
        )
        return np.asarray(slope[d.form.rows, d.form.columns])

    def of_probe(self, last: LinearEvaluation, theta: np.ndarray, probe: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient, and the effects' relative conditional variances, by one probe (see `iterative`)."""
        d = self.design
        k, Lambda = d.form.offsets[-1], d.form.matrix(theta)
        V = last.factor.cell_covariance(probe)
        AL = np.broadcast_to(self.A, (len(V), k, k)) @ Lambda
        slope = -np.einsum("m,mac,mcb->ab", d.cell_multiplicity, AL, V - last.V, optimize=True)
        levels = [np.einsum("lqq->lq", blocks).ravel() for blocks in self.level_covariance(V)]
        return last.gradient + slope[d.form.rows, d.form.columns], np.concatenate(levels)

    def level_covariance(self, V: np.ndarray) -> list[np.ndarray]:
        """Return, for every factor, its levels' blocks of H^-1."""
        offsets = self.design.form.offsets
        return [
            V[first][:, offsets[f] : offsets[f + 1], offsets[f] : offsets[f + 1]]
            for f, first in enumerate(self.design.structure.first_cells)
        ]

    def information(self, evaluation: LinearEvaluation, theta: np.ndarray) -> np.ndarray:
        """Return the approximate expected information of psi (t, t)."""
        d = self.design
        k = d.form.offsets[-1]
        A = np.broadcast_to(self.A, (len(self.A), k, k))
        expected = expected_information(
            d.form, theta, self.level_covariance(evaluation.V), level_blocks(d, A), list(d.level_multiplicity)
        )
        return expected + np.diag(boundary_curvature(d.form, theta, evaluation.gradient))

    @property
    def center(self) -> float:
        """Return what was taken off the outcome for the sake of precision; the intercept gets it back."""
        return self._center

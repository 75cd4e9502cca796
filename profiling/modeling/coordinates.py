"""Coordinates of the covariance factor in which one standard deviation or one correlation stands alone.

The likelihood sees Lambda only through Lambda Lambda'. Within a block of correlated terms the terms may therefore be
put in any order: with the target's terms first, the lower-triangular factor M of the reordered block has M_11 = sd, or
row two (rho, sqrt(1 - rho^2)) sd_2. Its other entries are free: logarithms on the diagonal, plain below it. Back in
the design's order Lambda follows from the LQ decomposition P'M = Lambda Q, and

    dLambda = Lambda Phi(Y + Y'),   Y = Lambda^-1 P'dM Q',   Phi: lower triangle with half the diagonal

(Smith 1995 for the derivative of a Cholesky factor).
"""

from __future__ import annotations

import numpy as np
from scipy import linalg
from scipy.sparse.csgraph import connected_components

from profiling.modeling.covariance import CovarianceTemplate
from profiling.modeling.parameters import VarianceParameter

LEAST = 1e-8  # a pivot below this is taken as this where its inverse is needed


class CovarianceCoordinates:
    """The map z (t) -> theta (t) with z[`target`] the parameter itself; `target` is -1 without one."""

    def __init__(self, form: CovarianceTemplate, parameter: VarianceParameter | None = None) -> None:
        self.form = form
        self.order = np.zeros(0, dtype=np.int64)
        self.target, self.scale_entry = -1, -1
        if parameter is None or parameter.first < 0:
            self.entries = np.zeros(0, dtype=np.int64)
            return
        k = form.offsets[-1]
        linked = np.zeros((k, k))
        linked[form.rows, form.columns] = 1
        label = connected_components(linked, directed=False)[1]
        block = np.flatnonzero(label == label[parameter.first])
        first = [parameter.second] if parameter.kind == "sd" else [parameter.second, parameter.first]
        self.order = np.array(first + [int(term) for term in block if term not in first])
        self.block = block
        self.entries = np.flatnonzero(np.isin(form.rows, block))
        # Entries of M go by row, as those of theta in a full block do.
        self.m_rows, self.m_columns = np.tril_indices(len(block))
        where = (0, 0) if parameter.kind == "sd" else (1, 0)
        self.target = int(self.entries[self._entry(*where)])
        self.scale_entry = int(self.entries[self._entry(1, 1)]) if parameter.kind == "correlation" else -1

    def _entry(self, row: int, column: int) -> int:
        return row * (row + 1) // 2 + column

    @property
    def logarithmic(self) -> np.ndarray:
        """Return which coordinates are logarithms (t)."""
        mask = np.array(self.form.diagonal)
        mask[self.entries] = (self.m_rows == self.m_columns) if len(self.entries) else False
        if self.target >= 0:
            mask[self.target] = False
        return np.asarray(mask)

    @property
    def beside_target(self) -> np.ndarray:
        """Return the coordinates that lose their meaning where a target standard deviation is zero."""
        if self.target < 0 or self.scale_entry >= 0:
            return np.zeros(0, dtype=np.int64)
        return np.asarray(self.entries[(self.m_columns == 0) & (self.m_rows > 0)])

    def _factor(self, z: np.ndarray) -> np.ndarray:
        """Return M of the target's block (q, q)."""
        q = len(self.order)
        M = np.zeros((q, q))
        M[self.m_rows, self.m_columns] = np.where(self.logarithmic, np.exp(np.where(self.logarithmic, z, 0.0)), z)[
            self.entries
        ]
        if self.scale_entry >= 0:
            rho, scale = z[self.target], np.exp(z[self.scale_entry])
            M[1, 0], M[1, 1] = scale * rho, scale * np.sqrt(1 - rho**2)
        return M

    def _turn(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (Lambda of the block, Q, P') with P'M = Lambda Q."""
        q = len(self.order)
        back = np.zeros((q, q))
        back[np.searchsorted(self.block, self.order), np.arange(q)] = 1.0
        upper_q, upper_r = linalg.qr((back @ self._factor(z)).T)
        sign = np.where(np.diag(upper_r) < 0, -1.0, 1.0)
        return (upper_r * sign[:, None]).T, (upper_q * sign).T, back

    def to_theta(self, z: np.ndarray) -> np.ndarray:
        """Return theta at z."""
        theta = np.where(self.logarithmic, np.exp(np.where(self.logarithmic, z, 0.0)), z)
        if len(self.entries):
            L = self._turn(z)[0]
            theta[self.entries] = L[self.m_rows, self.m_columns]
        return theta

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        """Return dtheta/dz (t, t)."""
        J = np.diag(np.where(self.logarithmic, np.exp(np.where(self.logarithmic, z, 0.0)), 1.0))
        if not len(self.entries):
            return J
        M = self._factor(z)
        L, Q, back = self._turn(z)
        safe = L.copy()
        pivots = np.diag(safe)
        np.fill_diagonal(safe, np.where(pivots < LEAST, LEAST, pivots))
        directions = np.zeros((len(self.entries), *M.shape))
        for a, (row, column) in enumerate(zip(self.m_rows, self.m_columns, strict=True)):
            directions[a, row, column] = J[self.entries[a], self.entries[a]]
        if self.scale_entry >= 0:
            rho, scale = z[self.target], np.exp(z[self.scale_entry])
            directions[1] = 0.0
            directions[1, 1, 0], directions[1, 1, 1] = scale, -scale * rho / np.sqrt(1 - rho**2)
            directions[2] = 0.0
            directions[2, 1, :2] = M[1, :2]
        Y = np.stack([linalg.solve_triangular(safe, back @ D @ Q.T, lower=True) for D in directions])
        total = np.tril(Y + Y.transpose(0, 2, 1))
        total[:, np.arange(len(M)), np.arange(len(M))] /= 2
        moved = (L @ total)[:, self.m_rows, self.m_columns]
        J[np.ix_(self.entries, self.entries)] = moved.T
        return np.asarray(J)

    def from_theta(self, theta: np.ndarray, least: float) -> np.ndarray:
        """Return z at theta; standard deviations that are zero count as `least`."""
        z = np.where(self.form.diagonal, np.log(np.maximum(np.abs(theta), least)), theta)
        if not len(self.entries):
            return z
        q = len(self.order)
        L = np.zeros((q, q))
        L[self.m_rows, self.m_columns] = theta[self.entries]
        np.fill_diagonal(L, np.maximum(np.abs(np.diag(L)), least))
        upper = linalg.qr(L[np.searchsorted(self.block, self.order)].T, mode="r")[0]
        M = (upper * np.where(np.diag(upper) < 0, -1.0, 1.0)[:, None]).T
        values = M[self.m_rows, self.m_columns]
        logarithmic = self.logarithmic[self.entries]
        z[self.entries] = np.where(logarithmic, np.log(np.maximum(values, LEAST)), values)
        if self.scale_entry >= 0:
            scale = np.linalg.norm(M[1, :2])
            z[self.target], z[self.scale_entry] = M[1, 0] / scale, np.log(scale)
        return z

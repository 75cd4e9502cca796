"""Block elimination for H = Lambda'Z'WZ Lambda + I, the matrix of every mixed model.

Rows with the same levels in every factor form a *cell*; H is a sum of one small k x k block a cell, scattered to the
levels of that cell, plus the identity. The factor with most levels (factor 0, q0 terms a level) is block-diagonal in H
and is eliminated first; what remains (the Schur complement S of the other factors' coefficients) falls apart into the
connected components of the co-occurrence graph, each a dense Cholesky factor. Strict nesting makes every component a
handful of columns, so it costs O(n); two crossed factors cost one dense factor of the smaller one.

    H = [D C; C' S0],   B = D^-1 C,   S = S0 - C'B,   log|H| = log|D| + log|S|

Arrays: cells M, levels of factor 0 G, terms k = q0 + kr a cell; rest coefficients R ordered by component.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from profiling.modeling import dense, elimination
from profiling.modeling.structure import SMALL, CellStructure


class Factor:
    """The factored H at one value of its cells' blocks `A` (M, k, k); see the module's docstring."""

    def __init__(self, structure: CellStructure, A: np.ndarray) -> None:
        self.structure = s = structure
        q0 = s.terms[0]
        self.D = np.empty((s.n_levels0, q0, q0))
        self.B = np.empty((s.n_cells, q0, s.cell_rest.shape[1]))
        self.packed = np.empty(int(s.packed_ptr[-1]))
        self.component_log_determinant = np.empty(len(s.component_ptr) - 1)
        elimination.eliminate(
            A,
            s.level_ptr,
            s.component_ptr,
            s.rest_ptr,
            s.packed_ptr,
            s.cell_rest,
            SMALL,
            self.D,
            self.B,
            self.packed,
            self.component_log_determinant,
        )
        self.tile_inverses: dict[int, np.ndarray] = {}
        for c in s.large:
            total, self.tile_inverses[int(c)] = dense.cholesky(self._block(self.packed, c))
            self.component_log_determinant[c] += total

    def _block(self, store: np.ndarray, c: int) -> np.ndarray:
        s = self.structure
        size = int(s.rest_ptr[c + 1] - s.rest_ptr[c])
        return store[s.packed_ptr[c] : s.packed_ptr[c + 1]].reshape(size, size)

    @property
    def positive(self) -> bool:
        """Return whether H is positive definite (it may not be away from the mode with a non-canonical link)."""
        return bool(np.isfinite(self.component_log_determinant).all())

    def solve(self, x0: np.ndarray, xr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return H^-1 (x0, xr); x0 (G, q0), xr (R)."""
        s = self.structure
        x0, xr = x0.copy(), xr.copy()
        elimination.eliminate_vector(
            self.D,
            self.B,
            s.level_ptr,
            s.component_ptr,
            s.rest_ptr,
            s.packed_ptr,
            self.packed,
            s.cell_rest,
            SMALL,
            x0,
            xr,
        )
        for c in s.large:
            part = slice(int(s.rest_ptr[c]), int(s.rest_ptr[c + 1]))
            xr[part] = lapack.dpotrs(self._block(self.packed, c).T, xr[part], lower=0)[0]
        elimination.substitute_back(self.B, s.level_ptr, s.cell_rest, x0, xr)
        return x0, xr

    def cell_covariance(self) -> np.ndarray:
        """Return the blocks of H^-1 of every cell's own levels (M, k, k)."""
        s = self.structure
        inverse = np.empty_like(self.packed)
        elimination.invert_small(self.packed, s.packed_ptr, s.rest_ptr, SMALL, inverse)
        for c in s.large:
            dense.inverse(self._block(self.packed, c), self.tile_inverses[int(c)], self._block(inverse, c))
        k = s.terms[0] + s.cell_rest.shape[1]
        V = np.empty((s.n_cells, k, k))
        elimination.cell_covariance(
            self.D, self.B, s.level_ptr, s.level_component, s.rest_ptr, s.packed_ptr, inverse, s.cell_rest, V
        )
        return V

    def half_solve(self, U0: np.ndarray, Ur: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (C0, Cr) with C0'C0 + Cr'Cr = U'H^-1 U; U0 (G, q0, p), Ur (R, p), both overwritten."""
        s = self.structure
        elimination.half_levels(self.D, self.B, s.level_ptr, s.component_ptr, s.cell_rest, U0, Ur)
        elimination.half_small(self.packed, s.packed_ptr, s.rest_ptr, SMALL, Ur)
        for c in s.large:
            part = slice(int(s.rest_ptr[c]), int(s.rest_ptr[c + 1]))
            Ur[part] = lapack.dtrtrs(self._block(self.packed, c).T, Ur[part], lower=0, trans=1)[0]
        return U0, Ur

    def full_solve(self, C0: np.ndarray, Cr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return H^-1 U from the half-solved (C0, Cr), overwritten."""
        s = self.structure
        elimination.rest_small(self.packed, s.packed_ptr, s.rest_ptr, SMALL, Cr)
        for c in s.large:
            part = slice(int(s.rest_ptr[c]), int(s.rest_ptr[c + 1]))
            Cr[part] = lapack.dtrtrs(self._block(self.packed, c).T, Cr[part], lower=0)[0]
        elimination.full_levels(self.D, self.B, s.level_ptr, s.cell_rest, C0, Cr)
        return C0, Cr

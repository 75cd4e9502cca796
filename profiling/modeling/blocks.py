"""Block elimination for H = Lambda'Z'WZ Lambda + I, the matrix of every mixed model.

Rows with the same levels in every factor form a *cell*; H is a sum of one small k x k block a cell, scattered to the
levels of that cell, plus the identity. The factor with most levels (factor 0, q0 terms a level) is block-diagonal in H
and is eliminated first; what remains (the Schur complement S of the other factors' coefficients) falls apart into the
connected components of the co-occurrence graph. Strict nesting makes every component a handful of columns, so it costs
O(n); of two crossed factors the levels of the smaller one that meet few others are eliminated as sparse columns, and
those that meet many are one dense Cholesky factor (see `elimination_order`). Cores that the memory cannot hold are
solved by iteration instead, their log-determinant and inverse estimated (see `iterative`).

    H = [D C; C' S0],   B = D^-1 C,   S = S0 - C'B,   log|H| = log|D| + log|S|

Arrays: cells M, levels of factor 0 G, terms k = q0 + kr a cell; rest coefficients R ordered by component.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.linalg import lapack

from profiling.modeling import cell_inverse, dense, elimination
from profiling.modeling.elimination_large import eliminate_large
from profiling.modeling.iterative_trace import IterativeCore, add_left
from profiling.modeling.sparse_columns import backward_columns, forward_columns, selected_inverse
from profiling.modeling.structure import SMALL, CellStructure


class Factor:
    """The factored H at one value of its cells' blocks `A` (M, k, k); see the module's docstring."""

    def __init__(self, structure: CellStructure, A: np.ndarray) -> None:
        self.structure = s = structure
        q0 = s.terms[0]
        self.D = np.empty((s.n_levels0, q0, q0))
        self.B = np.empty((len(s.slot_rest), q0))
        self.packed = np.empty(int(s.packed_ptr[-1]))
        self.pivot, self.below = np.empty(s.n_rest), np.empty(len(s.column_rows))
        self._exact_log_determinant = np.empty(len(s.component_ptr) - 1)
        elimination.eliminate(
            A,
            s.level_ptr,
            s.component_ptr,
            s.rest_ptr,
            s.packed_ptr,
            s.cell_rest,
            s.cell_slot,
            s.slot_ptr,
            s.slot_rest,
            s.column_ptr,
            s.column_rows,
            SMALL,
            self.D,
            self.B,
            self.packed,
            self.pivot,
            self.below,
            self._exact_log_determinant,
        )
        for c in s.row_cuts:
            self._exact_log_determinant[c] = self._eliminate(c, A)
        self.tile_inverses: dict[int, np.ndarray] = {}
        for c in s.large:
            total, self.tile_inverses[int(c)] = dense.cholesky(self._block(self.packed, c))
            self._exact_log_determinant[c] += total
        self._known: np.ndarray | None = None
        self.iterated = {int(c): self._iterated(int(c)) for c in s.iterated}

    def _iterated(self, c: int) -> IterativeCore:
        s = self.structure
        part = self._part(c)[0]
        below = self.below[s.column_ptr[part.start] : s.column_ptr[part.stop]]
        return IterativeCore(self.pivot[part], below, s.mirrors[c], s.iteration.signs(c, part.stop - part.start))

    @cached_property
    def component_log_determinant(self) -> np.ndarray:
        """Return log|H| of every component (C), nan where H is not positive definite."""
        total = self._exact_log_determinant.copy()
        for c, core in self.iterated.items():
            total[c] += core.log_determinants.mean()
        return total

    def log_determinant_error(self, multiplicity: np.ndarray) -> float:
        """Return the Monte-Carlo standard error of log|H|, zero where it is exact; multiplicity (C) of components."""
        squares = [
            (multiplicity[c] * np.std(core.log_determinants, ddof=1)) ** 2 / core.probes.shape[1]
            for c, core in self.iterated.items()
        ]
        return float(np.sqrt(sum(squares)))

    def _eliminate(self, c: int, A: np.ndarray) -> float:
        s = self.structure
        return float(
            eliminate_large(
                A,
                s.component_ptr[c],
                s.component_ptr[c + 1],
                s.level_ptr,
                s.rest_ptr[c],
                s.sparse[c],
                s.row_cuts[c],
                self._block(self.packed, c),
                s.cell_rest,
                s.cell_slot,
                s.slot_ptr,
                s.slot_rest,
                s.column_ptr,
                s.column_rows,
                self.D,
                self.B,
                self.pivot,
                self.below,
            )
        )

    def _block(self, store: np.ndarray, c: int) -> np.ndarray:
        s = self.structure
        size = int(s.rest_ptr[c + 1] - s.rest_ptr[c] - s.sparse[c])
        return store[s.packed_ptr[c] : s.packed_ptr[c + 1]].reshape(size, size)

    def _columns(self, c: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the sparse columns of a component: pointers, rows, pivots, values below them."""
        s = self.structure
        first, last = int(s.rest_ptr[c]), int(s.rest_ptr[c] + s.sparse[c])
        return s.column_ptr[first : last + 1], s.column_rows, self.pivot[first:last], self.below

    def _part(self, c: int) -> tuple[slice, slice]:
        """Return the coefficients of a component, and those of its core."""
        s = self.structure
        first, last = int(s.rest_ptr[c]), int(s.rest_ptr[c + 1])
        return slice(first, last), slice(first + int(s.sparse[c]), last)

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
            s.component_ptr,
            s.rest_ptr,
            s.packed_ptr,
            self.packed,
            s.slot_ptr,
            s.slot_rest,
            SMALL,
            x0,
            xr,
        )
        for c in s.large:
            part, core = self._part(c)
            forward_columns(*self._columns(c), xr[part, None])
            xr[core] = lapack.dpotrs(self._block(self.packed, c).T, xr[core], lower=0)[0]
            backward_columns(*self._columns(c), xr[part, None])
        for c, iterated in self.iterated.items():
            part = self._part(c)[0]
            xr[part] = iterated.solve(xr[part])
        if s.n_rest:
            elimination.substitute_back(self.B, s.slot_ptr, s.slot_rest, x0, xr)
        return x0, xr

    def cell_covariance(self, probe: int | None = None) -> np.ndarray:
        """Return the blocks of H^-1 of every cell's own levels (M, k, k), estimated by one `probe` alone if given."""
        if not self.iterated:
            return self._known_covariance()
        if self._known is None:
            self._known = self._known_covariance()
        V = self._known.copy()
        s = self.structure
        for c, iterated in self.iterated.items():
            X, W = (own if probe is None else own[:, probe : probe + 1] for own in iterated.left)
            add_left(
                s.component_ptr[c],
                s.component_ptr[c + 1],
                s.rest_ptr[c],
                self.B,
                s.level_ptr,
                s.slot_ptr,
                s.slot_rest,
                s.cell_slot,
                np.ascontiguousarray(X),
                np.ascontiguousarray(W),
                V,
            )
        return V

    def _known_covariance(self) -> np.ndarray:
        """Return the part of the same that is exact: all of it but for iterated components."""
        s = self.structure
        inverse = np.empty_like(self.packed)
        if s.n_rest:  # without it there is nothing to compile for
            cell_inverse.invert_small(self.packed, s.packed_ptr, s.rest_ptr, SMALL, inverse)
        diagonal, below = np.empty_like(self.pivot), np.empty_like(self.below)
        for c in s.large:
            core = self._block(inverse, c)
            dense.inverse(self._block(self.packed, c), self.tile_inverses[int(c)], core)
            part = self._part(c)[0]
            selected_inverse(*self._columns(c), core, diagonal[part], below)
        for c, iterated in self.iterated.items():
            part = self._part(c)[0]
            iterated.known_inverse(diagonal[part], below[s.column_ptr[part.start] : s.column_ptr[part.stop]])
        k = s.terms[0] + s.cell_rest.shape[1]
        V = np.empty((s.n_cells, k, k))
        cell_inverse.cell_covariance(
            self.D,
            self.B,
            s.level_ptr,
            s.level_component,
            s.rest_ptr,
            s.packed_ptr,
            inverse,
            s.slot_ptr,
            s.slot_rest,
            s.sparse,
            s.column_ptr,
            s.column_rows,
            diagonal,
            below,
            s.cell_slot,
            V,
        )
        return V

    def half_solve(self, U0: np.ndarray, Ur: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (C0, Cr) with C0'C0 + Cr'Cr = U'H^-1 U; U0 (G, q0, p), Ur (R, p), both overwritten."""
        s = self.structure
        elimination.half_levels(self.D, self.B, s.component_ptr, s.slot_ptr, s.slot_rest, U0, Ur)
        if s.n_rest:
            elimination.half_small(self.packed, s.packed_ptr, s.rest_ptr, SMALL, Ur)
        for c in s.large:
            part, core = self._part(c)
            forward_columns(*self._columns(c), Ur[part])
            Ur[core] = lapack.dtrtrs(self._block(self.packed, c).T, Ur[core], lower=0, trans=1)[0]
        for c, iterated in self.iterated.items():
            part = self._part(c)[0]
            Ur[part] = iterated.half_solve(Ur[part])
        return U0, Ur

    def full_solve(self, C0: np.ndarray, Cr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return H^-1 U from the half-solved (C0, Cr), overwritten."""
        s = self.structure
        if s.n_rest:
            elimination.rest_small(self.packed, s.packed_ptr, s.rest_ptr, SMALL, Cr)
        for c in s.large:
            part, core = self._part(c)
            Cr[core] = lapack.dtrtrs(self._block(self.packed, c).T, Cr[core], lower=0)[0]
            backward_columns(*self._columns(c), Cr[part])
        for c, iterated in self.iterated.items():
            part = self._part(c)[0]
            Cr[part] = iterated.full_solve(Cr[part])
        elimination.full_levels(self.D, self.B, s.slot_ptr, s.slot_rest, C0, Cr)
        return C0, Cr

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

from dataclasses import dataclass
from functools import cached_property

import numba as nb
import numpy as np
from scipy import sparse
from scipy.linalg import lapack
from scipy.sparse.csgraph import connected_components

# Below this size a component is factored by our own loop (in threads over components), above it by LAPACK.
SMALL = 96
ROWS_A_TILE = 4096


@dataclass(frozen=True)
class CellStructure:
    """Who meets whom. Everything here follows from the grouping columns alone and never changes in a fit.

    `cell_ptr` (M+1) rows of a cell; `level_ptr` (G+1) cells of a level of factor 0; `component_ptr` (C+1) levels of
    a component; `rest_ptr` (C+1) rest coefficients of a component; `cell_rest` (M, kr) their global positions;
    `cell_level0` (M) level of factor 0 of a cell; `rest_position[f]` (levels, q) positions of factor f's
    coefficients; `terms` number of terms q of each factor.
    """

    cell_ptr: np.ndarray
    level_ptr: np.ndarray
    component_ptr: np.ndarray
    rest_ptr: np.ndarray
    cell_rest: np.ndarray
    cell_level0: np.ndarray
    rest_position: tuple[np.ndarray, ...]
    terms: tuple[int, ...]

    @cached_property
    def tile_ptr(self) -> np.ndarray:
        """Return cell boundaries that cut the rows into pieces of about `ROWS_A_TILE`; fixed by the data alone."""
        pieces = self.cell_ptr[:-1] // ROWS_A_TILE
        starts = np.flatnonzero(np.concatenate([[True], pieces[1:] != pieces[:-1]]))
        return np.concatenate([starts, [self.n_cells]]).astype(np.int64)

    @cached_property
    def first_cells(self) -> tuple[np.ndarray, ...]:
        """Return, for every factor, one cell in which each of its levels occurs."""
        firsts = [self.level_ptr[:-1]]
        where = np.zeros(max(self.n_rest, 1), dtype=np.int64)
        for column in range(self.cell_rest.shape[1]):
            where[self.cell_rest[::-1, column]] = np.arange(self.n_cells)[::-1]
        return (*firsts, *(where[position[:, 0]] for position in self.rest_position))

    def gather(self, x0: np.ndarray, xr: np.ndarray) -> np.ndarray:
        """Return each cell's own coefficients (M, k) from level vectors x0 (G, q0) and xr (R)."""
        return np.concatenate([x0[self.cell_level0], xr[self.cell_rest]], axis=1)

    def scatter(self, cell_values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return level sums (G, q0), (R) of cell values (M, k): the transpose of `gather`."""
        q0 = self.terms[0]
        x0 = np.add.reduceat(cell_values[:, :q0], self.level_ptr[:-1], axis=0)
        xr = np.zeros(self.n_rest)
        for column in range(self.cell_rest.shape[1]):
            xr += np.bincount(self.cell_rest[:, column], cell_values[:, q0 + column], self.n_rest)
        return x0, xr

    @property
    def n_cells(self) -> int:
        """Return M, the number of cells."""
        return len(self.cell_ptr) - 1

    @property
    def n_levels0(self) -> int:
        """Return G, the number of levels of the eliminated factor."""
        return len(self.level_ptr) - 1

    @property
    def n_rest(self) -> int:
        """Return R, the number of coefficients that are not eliminated."""
        return int(self.rest_ptr[-1])

    @cached_property
    def packed_ptr(self) -> np.ndarray:
        """Return where each component's dense block starts in the packed store (C+1)."""
        sizes = np.diff(self.rest_ptr).astype(np.int64)
        return np.concatenate([[0], np.cumsum(sizes**2)])

    @cached_property
    def level_component(self) -> np.ndarray:
        """Return the component of every level of factor 0 (G)."""
        return np.repeat(np.arange(len(self.component_ptr) - 1), np.diff(self.component_ptr))

    @cached_property
    def large(self) -> np.ndarray:
        """Return the components that LAPACK factors."""
        return np.flatnonzero(np.diff(self.rest_ptr) > SMALL)


def order_rows(codes: list[np.ndarray], sizes: list[int], terms: list[int]) -> tuple[np.ndarray, CellStructure, np.ndarray]:
    """Return the order of rows, their cell structure and the renumbering of factor 0 (old code of each new level).

    `codes[0]` (n) is the factor to eliminate. Rows come out sorted by component, level of factor 0, other levels.
    """
    component0, component_rest, n_components = _components(codes, sizes)
    order0 = np.argsort(component0, kind="stable")
    renumber = np.empty(sizes[0], dtype=np.int64)
    renumber[order0] = np.arange(sizes[0])
    new0 = renumber[codes[0]]
    order = np.argsort(_key(new0, codes[1:], sizes[1:]), kind="stable")
    sorted_codes = [new0[order]] + [code[order] for code in codes[1:]]
    n = len(order)
    changes = np.zeros(n, dtype=bool)
    changes[:1] = True
    for code in sorted_codes:
        changes[1:] |= code[1:] != code[:-1]
    starts = np.flatnonzero(changes)
    cell_level0 = sorted_codes[0][starts]
    rest_position, rest_ptr = _rest_positions(component_rest, sizes[1:], terms[1:], n_components)
    cell_rest = np.concatenate(
        [position[code[starts]] for position, code in zip(rest_position, sorted_codes[1:], strict=True)], axis=1
    ) if terms[1:] else np.zeros((len(starts), 0), dtype=np.int64)
    structure = CellStructure(
        cell_ptr=np.concatenate([starts, [n]]).astype(np.int64),
        level_ptr=np.searchsorted(cell_level0, np.arange(sizes[0] + 1)).astype(np.int64),
        component_ptr=np.searchsorted(component0[order0], np.arange(n_components + 1)).astype(np.int64),
        rest_ptr=rest_ptr,
        cell_rest=np.ascontiguousarray(cell_rest, dtype=np.int64),
        cell_level0=cell_level0.astype(np.int64),
        rest_position=tuple(rest_position),
        terms=tuple(terms),
    )
    return order, structure, order0


def _key(code0: np.ndarray, others: list[np.ndarray], sizes: list[int]) -> np.ndarray:
    """Return one integer a row that sorts by (code0, others...); falls back to ranks where it would overflow."""
    key = code0.astype(np.int64)
    bound = int(key.max(initial=0)) + 1
    for code, size in zip(others, sizes, strict=True):
        if bound * size > 2**62:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            bound = int(key.max(initial=0)) + 1
        key = key * size + code
        bound *= size
    return key


def _components(codes: list[np.ndarray], sizes: list[int]) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the component of each level of factor 0, of each level of the others (concatenated), and their number."""
    if len(codes) == 1:
        return np.arange(sizes[0]), np.zeros(0, dtype=np.int64), sizes[0]
    offsets = np.cumsum([0, *sizes])
    pairs = [np.unique(_key(codes[0], [code], [size])) for code, size in zip(codes[1:], sizes[1:], strict=True)]
    heads = np.concatenate([pair // size for pair, size in zip(pairs, sizes[1:], strict=True)])
    tails = np.concatenate(
        [pair % size + offset for pair, size, offset in zip(pairs, sizes[1:], offsets[1:], strict=False)]
    )
    graph = sparse.coo_matrix((np.ones(len(heads), dtype=np.int8), (heads, tails)), shape=(offsets[-1],) * 2)
    count, label = connected_components(graph, directed=False)
    return label[: sizes[0]], label[sizes[0] :], int(count)


def _rest_positions(
    component: np.ndarray, sizes: list[int], terms: list[int], n_components: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Number the rest coefficients by component, then factor, level and term."""
    repeated = np.concatenate(
        [np.repeat(part, q) for part, q in zip(np.split(component, np.cumsum(sizes)[:-1]), terms, strict=True)]
    ) if terms else np.zeros(0, dtype=np.int64)
    order = np.argsort(repeated, kind="stable")
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    ends = np.cumsum([size * q for size, q in zip(sizes, terms, strict=True)])
    pieces = np.split(position, ends[:-1]) if terms else []
    shaped = [piece.reshape(size, q) for piece, size, q in zip(pieces, sizes, terms, strict=True)]
    counts = np.bincount(repeated, minlength=n_components) if len(repeated) else np.zeros(n_components, dtype=np.int64)
    return shaped, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@nb.njit(cache=True)
def _cholesky(a: np.ndarray, n: int) -> float:
    """Overwrite the lower triangle of `a` with its Cholesky factor; return log|a|, nan if it is not positive."""
    log_determinant = 0.0
    for j in range(n):
        for l in range(j):
            for i in range(j, n):
                a[i, j] -= a[i, l] * a[j, l]
        if not a[j, j] > 0.0:
            return np.nan
        pivot = np.sqrt(a[j, j])
        log_determinant += 2.0 * np.log(pivot)
        for i in range(j, n):
            a[i, j] /= pivot
    return log_determinant


@nb.njit(cache=True)
def _forward(lower: np.ndarray, n: int, x: np.ndarray) -> None:
    for i in range(n):
        for l in range(i):
            x[i] -= lower[i, l] * x[l]
        x[i] /= lower[i, i]


@nb.njit(cache=True)
def _backward(lower: np.ndarray, n: int, x: np.ndarray) -> None:
    for i in range(n - 1, -1, -1):
        for l in range(i + 1, n):
            x[i] -= lower[l, i] * x[l]
        x[i] /= lower[i, i]


@nb.njit(parallel=True, cache=True)
def _eliminate(
    A: np.ndarray, level_ptr: np.ndarray, component_ptr: np.ndarray, rest_ptr: np.ndarray, packed_ptr: np.ndarray,
    cell_rest: np.ndarray, small: int, D: np.ndarray, B: np.ndarray, packed: np.ndarray, log_determinant: np.ndarray,
) -> None:
    """Factor D, form B and S of every component, and factor the small S."""
    q0 = D.shape[1]
    kr = cell_rest.shape[1]
    for c in nb.prange(len(component_ptr) - 1):
        size = rest_ptr[c + 1] - rest_ptr[c]
        S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
        S[:] = 0.0
        for i in range(size):
            S[i, i] = 1.0
        total = 0.0
        for g in range(component_ptr[c], component_ptr[c + 1]):
            for a in range(q0):
                for b in range(q0):
                    D[g, a, b] = 1.0 if a == b else 0.0
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for a in range(q0):
                    for b in range(q0):
                        D[g, a, b] += A[m, a, b]
            total += _cholesky(D[g], q0)
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    for a in range(q0):
                        B[m, a, b] = A[m, a, q0 + b]
                    _forward(D[g], q0, B[m, :, b])
                for a in range(kr):
                    for b in range(kr):
                        S[cell_rest[m, a] - rest_ptr[c], cell_rest[m, b] - rest_ptr[c]] += A[m, q0 + a, q0 + b]
            # B holds L^-1 C here, so that C'D^-1 C is a plain product; the second half of the solve comes after.
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for n in range(level_ptr[g], level_ptr[g + 1]):
                    for a in range(kr):
                        for b in range(kr):
                            dot = 0.0
                            for l in range(q0):
                                dot += B[m, l, a] * B[n, l, b]
                            S[cell_rest[m, a] - rest_ptr[c], cell_rest[n, b] - rest_ptr[c]] -= dot
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    _backward(D[g], q0, B[m, :, b])
        if 0 < size <= small:
            total += _cholesky(S, size)
        log_determinant[c] = total


@nb.njit(parallel=True, cache=True)
def _eliminate_vector(
    D: np.ndarray, B: np.ndarray, level_ptr: np.ndarray, component_ptr: np.ndarray, rest_ptr: np.ndarray,
    packed_ptr: np.ndarray, packed: np.ndarray, cell_rest: np.ndarray, small: int, x0: np.ndarray, xr: np.ndarray,
) -> None:
    """Turn right-hand sides into D^-1 x0 and the Schur system's right-hand side; solve the small components."""
    q0, kr = D.shape[1], cell_rest.shape[1]
    for c in nb.prange(len(component_ptr) - 1):
        for g in range(component_ptr[c], component_ptr[c + 1]):
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    for a in range(q0):
                        xr[cell_rest[m, b]] -= B[m, a, b] * x0[g, a]
            _forward(D[g], q0, x0[g])
            _backward(D[g], q0, x0[g])
        size = rest_ptr[c + 1] - rest_ptr[c]
        if 0 < size <= small:
            S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            _forward(S, size, xr[rest_ptr[c] : rest_ptr[c + 1]])
            _backward(S, size, xr[rest_ptr[c] : rest_ptr[c + 1]])


@nb.njit(parallel=True, cache=True)
def _substitute_back(
    B: np.ndarray, level_ptr: np.ndarray, cell_rest: np.ndarray, x0: np.ndarray, xr: np.ndarray
) -> None:
    q0, kr = B.shape[1], cell_rest.shape[1]
    for g in nb.prange(len(level_ptr) - 1):
        for m in range(level_ptr[g], level_ptr[g + 1]):
            for a in range(q0):
                for b in range(kr):
                    x0[g, a] -= B[m, a, b] * xr[cell_rest[m, b]]


@nb.njit(parallel=True, cache=True)
def _invert_small(packed: np.ndarray, packed_ptr: np.ndarray, rest_ptr: np.ndarray, small: int, out: np.ndarray) -> None:
    for c in nb.prange(len(rest_ptr) - 1):
        size = rest_ptr[c + 1] - rest_ptr[c]
        if 0 < size <= small:
            S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            V = out[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            for j in range(size):
                column = np.zeros(size)
                column[j] = 1.0
                _forward(S, size, column)
                _backward(S, size, column)
                V[:, j] = column


@nb.njit(parallel=True, cache=True)
def _cell_covariance(
    D: np.ndarray, B: np.ndarray, level_ptr: np.ndarray, level_component: np.ndarray, rest_ptr: np.ndarray,
    packed_ptr: np.ndarray, inverse: np.ndarray, cell_rest: np.ndarray, V: np.ndarray,
) -> None:
    """Store the block of H^-1 that belongs to every cell's own levels in V (M, k, k)."""
    q0, kr = D.shape[1], cell_rest.shape[1]
    for g in nb.prange(len(level_ptr) - 1):
        c = level_component[g]
        size = rest_ptr[c + 1] - rest_ptr[c]
        W = inverse[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
        own = np.zeros((q0, q0))
        for j in range(q0):
            own[j, j] = 1.0
            _forward(D[g], q0, own[:, j])
            _backward(D[g], q0, own[:, j])
        for m in range(level_ptr[g], level_ptr[g + 1]):
            across = np.zeros((q0, kr))
            for n in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    for d in range(kr):
                        w = W[cell_rest[n, d] - rest_ptr[c], cell_rest[m, b] - rest_ptr[c]]
                        for a in range(q0):
                            across[a, b] -= B[n, a, d] * w
            for a in range(q0):
                for b in range(kr):
                    V[m, a, q0 + b] = across[a, b]
                    V[m, q0 + b, a] = across[a, b]
            for a in range(kr):
                for b in range(kr):
                    V[m, q0 + a, q0 + b] = W[cell_rest[m, a] - rest_ptr[c], cell_rest[m, b] - rest_ptr[c]]
            # V_00 = D^-1 + B S^-1 B', summed over this level's cells through V_0r = -B S^-1.
            for a in range(q0):
                for b in range(q0):
                    for d in range(kr):
                        own[a, b] -= across[a, d] * B[m, b, d]
        for m in range(level_ptr[g], level_ptr[g + 1]):
            V[m, :q0, :q0] = own


class Factor:
    """The factored H at one value of its cells' blocks `A` (M, k, k); see the module's docstring."""

    def __init__(self, structure: CellStructure, A: np.ndarray) -> None:
        self.structure = s = structure
        q0 = s.terms[0]
        self.D = np.empty((s.n_levels0, q0, q0))
        self.B = np.empty((s.n_cells, q0, s.cell_rest.shape[1]))
        self.packed = np.empty(int(s.packed_ptr[-1]))
        self.component_log_determinant = np.empty(len(s.component_ptr) - 1)
        _eliminate(
            A, s.level_ptr, s.component_ptr, s.rest_ptr, s.packed_ptr, s.cell_rest, SMALL,
            self.D, self.B, self.packed, self.component_log_determinant,
        )
        for c in s.large:
            block = self._block(self.packed, c)
            # The transpose of a C-ordered symmetric block is the same matrix in Fortran order: no copy.
            lower, failed = lapack.dpotrf(block.T, lower=1, overwrite_a=1, clean=0)
            if not np.shares_memory(lower, block):
                block.T[...] = lower
            total = 2.0 * np.log(np.diag(lower)).sum() if failed == 0 else np.nan
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
        _eliminate_vector(
            self.D, self.B, s.level_ptr, s.component_ptr, s.rest_ptr, s.packed_ptr, self.packed, s.cell_rest, SMALL,
            x0, xr,
        )
        for c in s.large:
            part = slice(int(s.rest_ptr[c]), int(s.rest_ptr[c + 1]))
            xr[part] = lapack.dpotrs(self._block(self.packed, c).T, xr[part], lower=1)[0]
        _substitute_back(self.B, s.level_ptr, s.cell_rest, x0, xr)
        return x0, xr

    def cell_covariance(self) -> np.ndarray:
        """Return the blocks of H^-1 of every cell's own levels (M, k, k)."""
        s = self.structure
        inverse = np.empty_like(self.packed)
        _invert_small(self.packed, s.packed_ptr, s.rest_ptr, SMALL, inverse)
        for c in s.large:
            inverted, _ = lapack.dpotri(self._block(self.packed, c).T, lower=1)
            block = self._block(inverse, c)
            block[...] = np.tril(inverted)
            block += np.tril(block, -1).T
        k = s.terms[0] + s.cell_rest.shape[1]
        V = np.empty((s.n_cells, k, k))
        _cell_covariance(
            self.D, self.B, s.level_ptr, s.level_component, s.rest_ptr, s.packed_ptr, inverse, s.cell_rest, V
        )
        return V

    def half_solve(self, U0: np.ndarray, Ur: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (C0, Cr) with C0'C0 + Cr'Cr = U'H^-1 U; U0 (G, q0, p), Ur (R, p), both overwritten."""
        s = self.structure
        _half_levels(self.D, self.B, s.level_ptr, s.component_ptr, s.cell_rest, U0, Ur)
        _half_small(self.packed, s.packed_ptr, s.rest_ptr, SMALL, Ur)
        for c in s.large:
            part = slice(int(s.rest_ptr[c]), int(s.rest_ptr[c + 1]))
            Ur[part] = lapack.dtrtrs(self._block(self.packed, c).T, Ur[part], lower=1)[0]
        return U0, Ur

    def full_solve(self, C0: np.ndarray, Cr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return H^-1 U from the half-solved (C0, Cr), overwritten."""
        s = self.structure
        _rest_small(self.packed, s.packed_ptr, s.rest_ptr, SMALL, Cr)
        for c in s.large:
            part = slice(int(s.rest_ptr[c]), int(s.rest_ptr[c + 1]))
            Cr[part] = lapack.dtrtrs(self._block(self.packed, c).T, Cr[part], lower=1, trans=1)[0]
        _full_levels(self.D, self.B, s.level_ptr, s.cell_rest, C0, Cr)
        return C0, Cr


@nb.njit(parallel=True, cache=True)
def _half_levels(
    D: np.ndarray, B: np.ndarray, level_ptr: np.ndarray, component_ptr: np.ndarray, cell_rest: np.ndarray,
    U0: np.ndarray, Ur: np.ndarray,
) -> None:
    q0, kr, p = D.shape[1], cell_rest.shape[1], U0.shape[2]
    for c in nb.prange(len(component_ptr) - 1):
        for g in range(component_ptr[c], component_ptr[c + 1]):
            for m in range(level_ptr[g], level_ptr[g + 1]):
                for b in range(kr):
                    for a in range(q0):
                        for j in range(p):
                            Ur[cell_rest[m, b], j] -= B[m, a, b] * U0[g, a, j]
            for i in range(q0):
                for l in range(i):
                    for j in range(p):
                        U0[g, i, j] -= D[g, i, l] * U0[g, l, j]
                for j in range(p):
                    U0[g, i, j] /= D[g, i, i]


@nb.njit(parallel=True, cache=True)
def _half_small(packed: np.ndarray, packed_ptr: np.ndarray, rest_ptr: np.ndarray, small: int, Ur: np.ndarray) -> None:
    for c in nb.prange(len(rest_ptr) - 1):
        start = rest_ptr[c]
        size = rest_ptr[c + 1] - start
        if 0 < size <= small:
            S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            for i in range(size):
                for l in range(i):
                    for j in range(Ur.shape[1]):
                        Ur[start + i, j] -= S[i, l] * Ur[start + l, j]
                for j in range(Ur.shape[1]):
                    Ur[start + i, j] /= S[i, i]


@nb.njit(parallel=True, cache=True)
def _rest_small(packed: np.ndarray, packed_ptr: np.ndarray, rest_ptr: np.ndarray, small: int, Cr: np.ndarray) -> None:
    for c in nb.prange(len(rest_ptr) - 1):
        start = rest_ptr[c]
        size = rest_ptr[c + 1] - start
        if 0 < size <= small:
            S = packed[packed_ptr[c] : packed_ptr[c + 1]].reshape((size, size))
            for i in range(size - 1, -1, -1):
                for l in range(i + 1, size):
                    for j in range(Cr.shape[1]):
                        Cr[start + i, j] -= S[l, i] * Cr[start + l, j]
                for j in range(Cr.shape[1]):
                    Cr[start + i, j] /= S[i, i]


@nb.njit(parallel=True, cache=True)
def _full_levels(
    D: np.ndarray, B: np.ndarray, level_ptr: np.ndarray, cell_rest: np.ndarray, C0: np.ndarray, Xr: np.ndarray
) -> None:
    q0, kr, p = D.shape[1], cell_rest.shape[1], C0.shape[2]
    for g in nb.prange(len(level_ptr) - 1):
        for i in range(q0 - 1, -1, -1):
            for l in range(i + 1, q0):
                for j in range(p):
                    C0[g, i, j] -= D[g, l, i] * C0[g, l, j]
            for j in range(p):
                C0[g, i, j] /= D[g, i, i]
        for m in range(level_ptr[g], level_ptr[g + 1]):
            for a in range(q0):
                for b in range(kr):
                    for j in range(p):
                        C0[g, a, j] -= B[m, a, b] * Xr[cell_rest[m, b], j]

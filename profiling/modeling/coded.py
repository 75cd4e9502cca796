"""A design matrix whose categorical covariates stay codes: what its dummies would give, at the price of one column.

The columns are [dense, D], D the indicators of the coded levels, of which a row holds one code a covariate instead of
its dummies. Column j of the matrix is (x_j - center_j) factor_j, so a centred and scaled dummy exists only as its two
numbers: with the column of ones x_0, for any weights w,

    x'beta    = dense'b + sum_f b[code_f],                              b = factor beta, b_0 less center'b
    X'v       = ([dense'v; counts of v by code] - center (x_0'v)) factor
    X'WX      = (G - center g_0' - g_0 center' + center center' g_00) factor factor',     G = [dense, D]'W[dense, D]

where G has a diagonal for each covariate, a table for each two, and sums of dense rows by code beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numba as nb
import numpy as np

from profiling.modeling import tiles

CHUNKS = 16
_FAST = {"contract", "reassoc", "nsz"}


@dataclass(frozen=True)
class CodedColumns:
    """`dense` (n, d) and `codes` (n, m) int32, from 0 to q - 1 over all covariates, q where a row has no dummy.

    `dense_place` (d) and `coded_place` (q): which of the p = d + q columns each is; `center`, `factor` (p): those of
    the coded columns, 0 and 1 elsewhere; `intercept`: the column of ones.
    """

    dense: np.ndarray
    codes: np.ndarray
    dense_place: np.ndarray
    coded_place: np.ndarray
    center: np.ndarray
    factor: np.ndarray
    intercept: int

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns (n, p)."""
        return len(self.dense), len(self.center)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.dense)

    def __getitem__(self, rows: np.ndarray) -> CodedColumns:
        """Return the rows that an index or a mask picks."""
        return replace(self, dense=self.dense[rows], codes=self.codes[rows])

    def __matmul__(self, beta: np.ndarray) -> np.ndarray:
        """Return X beta: (n) of a vector (p), (n, k) of a matrix (p, k)."""
        if beta.ndim == 1:
            out = np.empty(len(self))
            self.times(beta, out)
            return out
        dense, coded = self._slopes(beta)
        product = self.dense @ dense
        for codes in self.codes.T:
            product += coded[codes]
        return np.asarray(product)

    def _slopes(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return beta (p, ...) as coefficients of the dense columns and of the codes 0 to q."""
        slope = (beta.T * self.factor).T
        slope[self.intercept] -= self.center @ slope
        coded = np.concatenate([slope[self.coded_place], np.zeros((1, *beta.shape[1:]))])
        return np.ascontiguousarray(slope[self.dense_place]), coded

    def times(self, beta: np.ndarray, out: np.ndarray) -> None:
        """Store X beta in `out` (n)."""
        dense, coded = self._slopes(beta)
        tiles.times(self.dense, dense, out)
        _add_by_code(self.codes, coded, out)

    def transposed_times(self, v: np.ndarray) -> np.ndarray:
        """Return X'v (p)."""
        product = np.empty(self.shape[1])
        product[self.dense_place] = tiles.transposed_times(self.dense, v)
        product[self.coded_place] = self._counts(v)
        return np.asarray((product - self.center * product[self.intercept]) * self.factor)

    def _counts(self, v: np.ndarray) -> np.ndarray:
        """Return the sums of v by code (q)."""
        partial = np.zeros((self._chunks, len(self.coded_place) + 1))
        _partial_counts(self.codes, v, partial)
        return np.asarray(partial.sum(axis=0)[:-1])

    @property
    def _chunks(self) -> int:
        # By the rows alone, never by the threads: the partial sums are added in the same order.
        return max(1, min(CHUNKS, (len(self) + tiles.TILE - 1) // tiles.TILE))

    def weighted_gram(self, w: np.ndarray) -> np.ndarray:
        """Return X' diag(w) X (p, p); w (n) may have either sign."""
        q, (_, p) = len(self.coded_place), self.shape
        gram = np.zeros((p, p))
        gram[np.ix_(self.dense_place, self.dense_place)] = tiles.weighted_gram(self.dense, w)
        across = np.zeros((self._chunks, q + 1, self.dense.shape[1]))
        _partial_across(self.codes, self.dense, w, across)
        sums = across.sum(axis=0)[:-1]
        gram[np.ix_(self.coded_place, self.dense_place)] = sums
        gram[np.ix_(self.dense_place, self.coded_place)] = sums.T
        gram[self.coded_place, self.coded_place] = self._counts(w)
        if self.codes.shape[1] > 1:
            table = np.zeros((min(self._chunks, 4), q + 1, q + 1))
            _partial_tables(self.codes, w, table)
            pairs = table.sum(axis=0)[:-1, :-1]
            gram[np.ix_(self.coded_place, self.coded_place)] += pairs + pairs.T
        first = gram[self.intercept]
        moved = np.outer(self.center, first)
        gram = gram - moved - moved.T + np.outer(self.center, self.center) * first[self.intercept]
        return np.asarray(gram * np.outer(self.factor, self.factor))

    def cell_products(
        self, w: np.ndarray, Z: np.ndarray, cell_ptr: np.ndarray, tile_ptr: np.ndarray, out: np.ndarray
    ) -> None:
        """Store sum_i w_i z_i x_i' of every cell in `out` (M, kz, p), as `tiles.cell_products`."""
        _cell_products(
            self.dense, self.codes, self.dense_place, self.coded_place, self.center, self.factor, self.intercept,
            w, Z, cell_ptr, tile_ptr, out,
        )  # fmt: skip

    def sums_by(self, code: np.ndarray, size: int, v: np.ndarray) -> np.ndarray:
        """Return sum over rows of x v by group (size, p); `code` (n) from 0 to size - 1."""
        q = len(self.coded_place)
        sums = np.empty((size, self.shape[1]))
        for place, column in zip(self.dense_place, self.dense.T, strict=True):
            sums[:, place] = np.bincount(code, column * v, size)
        counts = np.zeros((size, q + 1))
        for own in self.codes.T:
            counts += np.bincount(code * (q + 1) + own, v, size * (q + 1)).reshape(size, q + 1)
        sums[:, self.coded_place] = counts[:, :-1]
        return np.asarray((sums - np.outer(sums[:, self.intercept], self.center)) * self.factor)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of every column (p) of a matrix that is not centred."""
        mean, spread = np.empty(self.shape[1]), np.empty(self.shape[1])
        mean[self.dense_place], spread[self.dense_place] = tiles.column_moments(self.dense)
        share = self._counts(np.ones(len(self))) / len(self)
        mean[self.coded_place], spread[self.coded_place] = share, np.sqrt(share * (1 - share))
        return mean, spread

    def largest(self) -> np.ndarray:
        """Return the largest absolute value of every column (p), a coded one taken to hold both its values."""
        reach = np.maximum(np.abs(self.center), np.abs(1 - self.center)) * self.factor
        reach[self.dense_place] = np.maximum(self.dense.max(axis=0), -self.dense.min(axis=0))
        return np.asarray(reach)

    def column(self, j: int) -> np.ndarray:
        """Return column j (n)."""
        own = np.flatnonzero(self.dense_place == j)
        if len(own):
            return np.ascontiguousarray(self.dense[:, own[0]])
        code = np.flatnonzero(self.coded_place == j)[0]
        return np.asarray(((self.codes == code).any(axis=1) - self.center[j]) * self.factor[j])

    def to_dense(self) -> np.ndarray:
        """Return the matrix (n, p), dummies and all."""
        matrix = np.empty(self.shape)
        matrix[:, self.dense_place] = self.dense
        for code, j in enumerate(self.coded_place):
            matrix[:, j] = ((self.codes == code).any(axis=1) - self.center[j]) * self.factor[j]
        return matrix

    def keep(self, kept: Sequence[int]) -> CodedColumns:
        """Return these columns, in ascending order; rows of a coded column left out have no dummy."""
        place = np.full(self.shape[1], -1)
        place[list(kept)] = np.arange(len(kept))
        dense, coded = place[self.dense_place] >= 0, place[self.coded_place] >= 0
        count = int(coded.sum())
        renumbered = np.append(np.where(coded, np.cumsum(coded) - 1, count), count).astype(np.int32)
        return CodedColumns(
            np.ascontiguousarray(self.dense[:, dense]),
            renumbered[self.codes],
            place[self.dense_place[dense]],
            place[self.coded_place[coded]],
            self.center[list(kept)],
            self.factor[list(kept)],
            int(place[self.intercept]),
        )

    def append(self, values: np.ndarray) -> CodedColumns:
        """Return the matrix with one more dense column (n) at its end."""
        return replace(
            self,
            dense=np.ascontiguousarray(np.column_stack([self.dense, values])),
            dense_place=np.append(self.dense_place, self.shape[1]),
            center=np.append(self.center, 0.0),
            factor=np.append(self.factor, 1.0),
        )

    def rescaled(self, center: np.ndarray, factor: np.ndarray) -> CodedColumns:
        """Return (x - center) factor of a matrix that is not centred; the dense part is changed in place."""
        own, coded = self.dense_place, np.zeros(self.shape[1], dtype=bool)
        coded[self.coded_place] = True
        tiles.gather_scaled(self.dense, np.arange(len(self)), center[own], factor[own], self.dense)
        return replace(self, center=np.where(coded, center, 0.0), factor=np.where(coded, factor, 1.0))

    def unscaled(self, center: np.ndarray, scale: np.ndarray) -> CodedColumns:
        """Return the matrix on the scale of the data: its inverse, with a new dense part."""
        dense = np.ascontiguousarray(self.dense * scale[self.dense_place] + center[self.dense_place])
        return replace(self, dense=dense, center=np.zeros(self.shape[1]), factor=np.ones(self.shape[1]))


@nb.njit(parallel=True, cache=True, fastmath=_FAST)
def _add_by_code(codes: np.ndarray, slope: np.ndarray, out: np.ndarray) -> None:
    n, m = codes.shape
    for t in nb.prange((n + tiles.TILE - 1) // tiles.TILE):
        for i in range(t * tiles.TILE, min(n, (t + 1) * tiles.TILE)):
            for f in range(m):
                out[i] += slope[codes[i, f]]


@nb.njit(parallel=True, cache=True)
def _partial_counts(codes: np.ndarray, v: np.ndarray, partial: np.ndarray) -> None:
    n, chunks = len(v), len(partial)
    for c in nb.prange(chunks):
        for i in range(c * n // chunks, (c + 1) * n // chunks):
            for f in range(codes.shape[1]):
                partial[c, codes[i, f]] += v[i]


@nb.njit(parallel=True, cache=True)
def _partial_across(codes: np.ndarray, dense: np.ndarray, w: np.ndarray, partial: np.ndarray) -> None:
    n, chunks = len(w), len(partial)
    for c in nb.prange(chunks):
        for i in range(c * n // chunks, (c + 1) * n // chunks):
            for f in range(codes.shape[1]):
                own = partial[c, codes[i, f]]
                for j in range(dense.shape[1]):
                    own[j] += w[i] * dense[i, j]


@nb.njit(parallel=True, cache=True)
def _partial_tables(codes: np.ndarray, w: np.ndarray, partial: np.ndarray) -> None:
    """Add up w by the codes of every two covariates, the earlier one's in the rows."""
    n, chunks = len(w), len(partial)
    for c in nb.prange(chunks):
        for i in range(c * n // chunks, (c + 1) * n // chunks):
            for f in range(codes.shape[1]):
                for g in range(f + 1, codes.shape[1]):
                    partial[c, codes[i, f], codes[i, g]] += w[i]


@nb.njit(parallel=True, cache=True)
def _cell_products(
    dense: np.ndarray,
    codes: np.ndarray,
    dense_place: np.ndarray,
    coded_place: np.ndarray,
    center: np.ndarray,
    factor: np.ndarray,
    intercept: int,
    w: np.ndarray,
    Z: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    out: np.ndarray,
) -> None:
    kz, d, q = out.shape[1], dense.shape[1], len(coded_place)
    plain = Z.shape[0] == 0
    for tile in nb.prange(len(tile_ptr) - 1):
        for m in range(tile_ptr[tile], tile_ptr[tile + 1]):
            for a in range(kz):
                total = out[m, a]
                total[:] = 0.0
                for i in range(cell_ptr[m], cell_ptr[m + 1]):
                    wz = w[i] * (1.0 if plain else Z[i, a])
                    for j in range(d):
                        total[dense_place[j]] += wz * dense[i, j]
                    for f in range(codes.shape[1]):
                        if codes[i, f] < q:
                            total[coded_place[codes[i, f]]] += wz
                ones = total[intercept]
                for j in range(len(center)):
                    total[j] = (total[j] - center[j] * ones) * factor[j]

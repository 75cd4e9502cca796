"""What fits ask of the fixed part's matrix X (n, p), be it dense or with categorical covariates as codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from profiling.modeling import tiles
from profiling.modeling.coded import CodedColumns

if TYPE_CHECKING:
    from profiling.modeling.fixed import Scaling

FixedColumns: TypeAlias = np.ndarray | CodedColumns


def times(X: FixedColumns, beta: np.ndarray, out: np.ndarray) -> None:
    """Store X beta in `out` (n)."""
    if isinstance(X, CodedColumns):
        X.times(beta, out)
    else:
        tiles.times(X, beta, out)


def transposed_times(X: FixedColumns, v: np.ndarray) -> np.ndarray:
    """Return X'v (p)."""
    return X.transposed_times(v) if isinstance(X, CodedColumns) else tiles.transposed_times(X, v)


def weighted_gram(X: FixedColumns, w: np.ndarray) -> np.ndarray:
    """Return X' diag(w) X (p, p), symmetric; w (n) may have either sign."""
    return X.weighted_gram(w) if isinstance(X, CodedColumns) else tiles.weighted_gram(X, w)


def cell_products(
    X: FixedColumns, w: np.ndarray, Z: np.ndarray, cell_ptr: np.ndarray, tile_ptr: np.ndarray, out: np.ndarray
) -> None:
    """Store sum_i w_i z_i x_i' of every cell in `out` (M, kz, p); with empty Z, kz = 1 and z = 1."""
    if isinstance(X, CodedColumns):
        X.cell_products(w, Z, cell_ptr, tile_ptr, out)
    else:
        tiles.cell_products(X, w, Z, cell_ptr, tile_ptr, out)


def sums_by(X: FixedColumns, code: np.ndarray, size: int, v: np.ndarray) -> np.ndarray:
    """Return sum over rows of x v by group (size, p); `code` (n) from 0 to size - 1."""
    if isinstance(X, CodedColumns):
        return X.sums_by(code, size, v)
    return np.stack([np.bincount(code, X[:, j] * v, size) for j in range(X.shape[1])], axis=1)


def column(X: FixedColumns, j: int) -> np.ndarray:
    """Return column j (n)."""
    return X.column(j) if isinstance(X, CodedColumns) else np.asarray(X[:, j])


def largest(X: FixedColumns) -> np.ndarray:
    """Return the largest absolute value of every column (p)."""
    return X.largest() if isinstance(X, CodedColumns) else np.asarray(np.maximum(X.max(axis=0), -X.min(axis=0)))


def to_dense(X: FixedColumns) -> np.ndarray:
    """Return X with all its dummies (n, p), for what works on nothing else."""
    return X.to_dense() if isinstance(X, CodedColumns) else X


def moments(X: FixedColumns) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of every column (p) of a matrix on the scale of the data."""
    return X.moments() if isinstance(X, CodedColumns) else tiles.column_moments(X)


def keep(X: FixedColumns, kept: Sequence[int]) -> FixedColumns:
    """Return these columns, in ascending order."""
    return X.keep(kept) if isinstance(X, CodedColumns) else np.ascontiguousarray(X[:, list(kept)])


def append(X: FixedColumns, values: np.ndarray) -> FixedColumns:
    """Return X with one more column (n) at its end."""
    return X.append(values) if isinstance(X, CodedColumns) else np.ascontiguousarray(np.column_stack([X, values]))


def rescaled(X: FixedColumns, scaling: Scaling) -> FixedColumns:
    """Return the columns centred and scaled; dense ones are changed in place."""
    if isinstance(X, CodedColumns):
        return X.rescaled(scaling.center, 1.0 / scaling.scale)
    tiles.gather_scaled(X, np.arange(len(X)), scaling.center, 1.0 / scaling.scale, X)
    return X


def unscaled(X: FixedColumns, scaling: Scaling) -> FixedColumns:
    """Return scaled columns on the scale of the data, as a new matrix."""
    if isinstance(X, CodedColumns):
        return X.unscaled(scaling.center, scaling.scale)
    return np.ascontiguousarray(X * scaling.scale + scaling.center)


def parts(X: FixedColumns) -> tuple[np.ndarray, np.ndarray]:
    """Return what tells rows apart: numbers (n, d) and codes (n, m)."""
    return (X.dense, X.codes) if isinstance(X, CodedColumns) else (X, np.zeros((len(X), 0), dtype=np.int32))

"""Conjugate gradients and matrix functions for a sparse symmetric matrix 1 - E with a unit diagonal, many columns at
once.

E (s, s) has a zero diagonal and is stored by rows, both triangles. Every row of a product is one sum in a fixed order,
so the same bits come out with any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from scipy.fft import dct
from scipy.linalg import eigh_tridiagonal

TOLERANCE = 1e-11  # of the residual's norm: a quadratic form of the solution is right to its square
MOST_STEPS = 5_000
_ROWS = 256


@dataclass(frozen=True)
class SparseUnit:
    """The matrix 1 - E: rows of E from `indptr` (s+1), their columns `indices` and values."""

    indptr: np.ndarray
    indices: np.ndarray
    values: np.ndarray

    @property
    def size(self) -> int:
        """Return s."""
        return len(self.indptr) - 1

    @property
    def square_norm(self) -> float:
        """Return tr(E^2)."""
        return float(np.square(self.values).sum())

    def times(self, X: np.ndarray) -> np.ndarray:
        """Return (1 - E) X for X (s, k)."""
        out = np.empty_like(X)
        _times(self.indptr, self.indices, self.values, X, out)
        return out


@nb.njit(parallel=True, cache=True)
def _times(indptr: np.ndarray, indices: np.ndarray, values: np.ndarray, X: np.ndarray, out: np.ndarray) -> None:
    size, k = X.shape
    for tile in nb.prange((size + _ROWS - 1) // _ROWS):
        for i in range(tile * _ROWS, min(size, (tile + 1) * _ROWS)):
            for a in range(k):
                out[i, a] = X[i, a]
            for place in range(indptr[i], indptr[i + 1]):
                j, value = indices[place], values[place]
                for a in range(k):
                    out[i, a] -= value * X[j, a]


@dataclass(frozen=True)
class Krylov:
    """Solutions (s, k) of (1 - E) Y = B, and the coefficients of every step (steps, k), zero once a column is done."""

    solution: np.ndarray
    lengths: np.ndarray
    ratios: np.ndarray

    def spectrum(self, column: int) -> tuple[np.ndarray, np.ndarray]:
        """Return nodes and weights (adding to one) of the Gauss rule that the column's steps amount to.

        The coefficients of conjugate gradients are those of Lanczos' tridiagonal matrix (Golub & Meurant 2010,
        section 6.1), so that b'f(1 - E)b / b'b is the weighted sum of f at the nodes.
        """
        lengths = self.lengths[:, column]
        steps = int((lengths > 0).sum())
        lengths, ratios = lengths[:steps], self.ratios[: max(steps - 1, 0), column]
        diagonal = 1.0 / lengths
        diagonal[1:] += ratios / lengths[:-1]
        nodes, vectors = eigh_tridiagonal(diagonal, np.sqrt(ratios) / lengths[:-1])
        return nodes, np.square(vectors[0])


def conjugate_gradients(matrix: SparseUnit, B: np.ndarray, tolerance: float = TOLERANCE) -> Krylov:
    """Return the solutions of (1 - E) Y = B, B (s, k) (Hestenes & Stiefel 1952); nan where it is not positive."""
    solution, residual, direction = np.zeros_like(B), B.copy(), B.copy()
    square = _column_sums(B, B)
    goal = tolerance**2 * square
    lengths: list[np.ndarray] = []
    ratios: list[np.ndarray] = []
    active = square > 0
    while active.any():
        turned = matrix.times(direction)
        curvature = _column_sums(direction, turned)
        if (active & ~(curvature > 0)).any() or len(lengths) == MOST_STEPS:
            return Krylov(np.full_like(B, np.nan), np.zeros((0, B.shape[1])), np.zeros((0, B.shape[1])))
        length = np.divide(square, curvature, out=np.zeros_like(square), where=active)
        solution += length * direction
        residual -= length * turned
        before, square = square, np.where(active, _column_sums(residual, residual), square)
        ratio = np.divide(square, before, out=np.zeros_like(square), where=active)
        lengths.append(length)
        ratios.append(ratio)
        active = active & (square > goal)
        direction *= ratio
        direction += residual
    shape = (len(lengths), B.shape[1])
    return Krylov(solution, np.array(lengths).reshape(shape), np.array(ratios).reshape(shape))


def _column_sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("sk,sk->k", a, b))


def inverse_root(matrix: SparseUnit, X: np.ndarray, lowest: float, highest: float) -> np.ndarray:
    """Return (1 - E)^-1/2 X for X (s, k), by Chebyshev's expansion on [lowest, highest], which holds the spectrum.

    Twice applied it is the inverse, so that it stands where a triangular factor would (Davies & Higham 2005).
    """
    coefficients = _root_coefficients(lowest, highest)
    middle, half = (highest + lowest) / 2, max((highest - lowest) / 2, 1e-12)
    before = X
    total = coefficients[0] * X
    if len(coefficients) == 1:
        return np.asarray(total)
    here = (matrix.times(X) - middle * X) / half
    total += coefficients[1] * here
    for coefficient in coefficients[2:]:
        turned = matrix.times(here)
        turned -= middle * here
        turned *= 2.0 / half
        turned -= before
        before, here = here, turned
        total += coefficient * here
    return np.asarray(total)


def _root_coefficients(lowest: float, highest: float) -> np.ndarray:
    """Return Chebyshev coefficients of x^-1/2, as many as it takes to leave less than a hundredth of `TOLERANCE`."""
    root = np.sqrt(highest / lowest)
    rate = np.log((root + 1) / (root - 1)) if root > 1 else np.inf
    degree = int(min(np.ceil(np.log(100.0 / TOLERANCE) / rate), MOST_STEPS)) + 2
    angles = (np.arange(2 * degree) + 0.5) * np.pi / (2 * degree)
    values = 1.0 / np.sqrt((highest + lowest) / 2 + (highest - lowest) / 2 * np.cos(angles))
    coefficients = dct(values)[:degree] / (2 * degree)
    coefficients[0] /= 2
    return np.asarray(coefficients)

"""A component's Schur complement S that is never a dense matrix: its log-determinant and inverse, from random vectors.

With P = diag S and S = P^1/2 (1 - E) P^1/2, log|S| = log|P| + log|1 - E| and S^-1 = P^-1/2 (1 - E)^-1 P^-1/2. For a
vector v of random signs v'f(1 - E)v has the mean tr f(1 - E); its exact value comes from the steps of conjugate
gradients (stochastic Lanczos quadrature; Ubaru, Chen & Saad 2017; Gardner et al. 2018). What is known exactly is not
estimated: tr 1 = s, tr E = 0 and tr E^2 is a sum of squares, so only the difference of log(1 - x) from the nearest
parabola a + b x + c x^2 over the spectrum is left to chance; of the inverse, a + b E is exact on the entries of
coefficients that meet, and (1 - E)^-1 - a - b E is left. Both approximations are least squares on the pooled Gauss
rules of all probes (control variates by regression; the bias is of the order of the variance).
"""

from __future__ import annotations

from functools import cached_property

import numba as nb
import numpy as np

from profiling.modeling.iterative_solve import Krylov, SparseUnit, conjugate_gradients, inverse_root

LOWEST_MARGIN, HIGHEST_MARGIN = 0.9, 1.02  # around the ends of the spectrum that the probes have seen


class IterativeCore:
    """S of one component: P (s), and below its diagonal the entries `below` of its columns (see `CellStructure`)."""

    def __init__(
        self,
        diagonal: np.ndarray,
        below: np.ndarray,
        mirror: tuple[np.ndarray, np.ndarray, np.ndarray],
        probes: np.ndarray,
    ) -> None:
        self.positive = bool((diagonal > 0).all())
        self.diagonal, self.below, self.probes = diagonal, below, probes
        self._mirror = mirror
        indptr, indices, place = mirror
        self.root = np.sqrt(np.where(diagonal > 0, diagonal, np.nan))
        values = np.empty(len(indices))
        _scale(indptr, indices, place, below, self.root, values)
        self.matrix = SparseUnit(indptr, indices, values)

    def solve(self, x: np.ndarray) -> np.ndarray:
        """Return S^-1 x for x (s) or (s, k)."""
        wide = x.reshape(len(x), -1) / self.root[:, None]
        solution = conjugate_gradients(self.matrix, wide).solution / self.root[:, None]
        return solution.reshape(x.shape)

    def half_solve(self, X: np.ndarray) -> np.ndarray:
        """Return C (s, k) with C'C = X'S^-1 X: (1 - E)^-1/2 P^-1/2 X."""
        return inverse_root(self.matrix, X / self.root[:, None], *self.bounds)

    def full_solve(self, C: np.ndarray) -> np.ndarray:
        """Return S^-1 X from its half; of standard normal columns, draws with the covariance S^-1."""
        return inverse_root(self.matrix, C, *self.bounds) / self.root[:, None]

    @cached_property
    def krylov(self) -> Krylov:
        """Return what conjugate gradients make of the probes."""
        return conjugate_gradients(self.matrix, self.probes)

    @cached_property
    def _rules(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [self.krylov.spectrum(column) for column in range(self.probes.shape[1])]

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """Return an interval that holds the spectrum of 1 - E; H >= 1 and so S >= 1 bound it below in any case."""
        nodes = np.concatenate([nodes for nodes, _ in self._rules])
        least = 1.0 / float(self.diagonal.max())
        return max(LOWEST_MARGIN * float(nodes.min()), least), HIGHEST_MARGIN * float(nodes.max())

    @cached_property
    def log_determinants(self) -> np.ndarray:
        """Return one estimate of log|S| a probe (k); their mean is the value."""
        size, exact = len(self.diagonal), float(np.log(self.diagonal).sum()) if self.positive else np.nan
        if not np.isfinite(exact) or not np.isfinite(self.krylov.solution).all():
            return np.full(self.probes.shape[1], np.nan)
        a, b, c = self._fit(np.log, 2)
        left = [
            size * float(weights @ (np.log(nodes) - a - b * (1 - nodes) - c * (1 - nodes) ** 2))
            for nodes, weights in self._rules
        ]
        return np.asarray(exact + size * a + c * self.matrix.square_norm + np.array(left))

    def _fit(self, function: np.ufunc, degree: int) -> np.ndarray:
        """Return the coefficients in powers of x of the polynomial nearest to function(1 - x) over the spectrum."""
        nodes = np.concatenate([nodes for nodes, _ in self._rules])
        root = np.sqrt(np.concatenate([weights for _, weights in self._rules]))
        powers = np.vander(1 - nodes, degree + 1, increasing=True)
        return np.asarray(np.linalg.lstsq(powers * root[:, None], function(nodes) * root, rcond=None)[0])

    def known_inverse(self, diagonal: np.ndarray, below: np.ndarray) -> None:
        """Store P^-1/2 (a + b E) P^-1/2 on the entries that are kept: the part of S^-1 that is not estimated."""
        a, b = self._inverse_fit
        diagonal[:] = a / self.diagonal
        _known_below(self._mirror[0], self._mirror[1], self._mirror[2], self.below, self.diagonal, -b, below)

    @cached_property
    def _inverse_fit(self) -> np.ndarray:
        return self._fit(np.reciprocal, 1)

    @cached_property
    def left(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (X, W), both (s, k): the mean over probes of x w' has the mean S^-1 less what is known of it."""
        a, b = self._inverse_fit
        of_probes = self.probes - self.matrix.times(self.probes)  # E v
        rest = self.krylov.solution - a * self.probes - b * of_probes
        return rest / self.root[:, None], self.probes / self.root[:, None]


@nb.njit(parallel=True, cache=True)
def _scale(
    indptr: np.ndarray, indices: np.ndarray, place: np.ndarray, below: np.ndarray, root: np.ndarray, out: np.ndarray
) -> None:
    """Store the entries of E by rows."""
    for i in nb.prange(len(indptr) - 1):
        for e in range(indptr[i], indptr[i + 1]):
            out[e] = -below[place[e]] / (root[i] * root[indices[e]])


@nb.njit(parallel=True, cache=True)
def _known_below(
    indptr: np.ndarray,
    indices: np.ndarray,
    place: np.ndarray,
    below: np.ndarray,
    diagonal: np.ndarray,
    factor: float,
    out: np.ndarray,
) -> None:
    """Store factor S_ij / (P_i P_j) of every entry below the diagonal."""
    for i in nb.prange(len(indptr) - 1):
        for e in range(indptr[i], indptr[i + 1]):
            if indices[e] < i:
                out[place[e]] = factor * below[place[e]] / (diagonal[i] * diagonal[indices[e]])


@nb.njit(parallel=True, cache=True)
def add_left(
    first: int,
    last: int,
    offset: int,
    B: np.ndarray,
    level_ptr: np.ndarray,
    slot_ptr: np.ndarray,
    slot_rest: np.ndarray,
    cell_slot: np.ndarray,
    X: np.ndarray,
    W: np.ndarray,
    V: np.ndarray,
) -> None:
    """Add the estimated part to the blocks V (M, k, k) of the cells of the levels `first` to `last` of factor 0.

    With R the mean of (x w' + w x') / 2 over probes, S^-1 = known + R brings B R B' to V_00 and -B R to V_0r.
    """
    q0, kr, k = B.shape[1], cell_slot.shape[1], X.shape[1]
    for g in nb.prange(first, last):
        # Rows of (-B, 1) applied to x and w: first those of the level itself, then those of a cell's rest.
        x, w = np.zeros((q0 + kr, k)), np.zeros((q0 + kr, k))
        for s in range(slot_ptr[g], slot_ptr[g + 1]):
            row = slot_rest[s] - offset
            for a in range(q0):
                for e in range(k):
                    x[a, e] -= B[s, a] * X[row, e]
                    w[a, e] -= B[s, a] * W[row, e]
        for m in range(level_ptr[g], level_ptr[g + 1]):
            for b in range(kr):
                row = slot_rest[cell_slot[m, b]] - offset
                for e in range(k):
                    x[q0 + b, e] = X[row, e]
                    w[q0 + b, e] = W[row, e]
            for a in range(q0 + kr):
                for b in range(a + 1):
                    total = 0.0
                    for e in range(k):
                        total += x[a, e] * w[b, e] + w[a, e] * x[b, e]
                    V[m, a, b] += total / (2 * k)
                    if b < a:
                        V[m, b, a] += total / (2 * k)

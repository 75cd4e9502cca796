"""Working correlations: names and start of their parameters, their moment estimates, and where they have a meaning.

All moments are those of geepack (Yan & Fine 2004): with r the Pearson residual and phi the scale,
alpha = sum w_j w_k r_j r_k / phi / sum w_j w_k over the pairs of rows that share the parameter, without a correction
for degrees of freedom; AR(1) by one Gauss-Newton step an iteration on all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.gee.clusters import Clusters
from profiling.modeling.gee.sweep import AUTOREGRESSIVE, BY_LAG, BY_OCCASION, EXCHANGE, GIVEN

NAMES = (
    "independence",
    "exchangeable",
    "ar1",
    "m_dependent",
    "unstructured",
    "nested_exchangeable",
    "fixed",
)
_KINDS = {"ar1": AUTOREGRESSIVE, "m_dependent": BY_LAG, "unstructured": BY_OCCASION, "fixed": GIVEN}
# Estimates are kept this far inside of the region where the correlation is positive definite.
_MARGIN = 1e-6
_MAX_RHO = 0.999


@dataclass(frozen=True)
class Working:
    """A working correlation for given clusters: kind of kernel, labels of parameters, bounds, start."""

    name: str
    kind: int
    labels: tuple[str, ...]
    lower: float
    upper: float
    start: np.ndarray
    n_sums: int
    given: np.ndarray | None = None

    def table(self, alpha: np.ndarray) -> np.ndarray:
        """Return the parameters (rows, columns) as the kernel of this kind reads them."""
        if self.kind == EXCHANGE:
            pair = {"independence": (0.0, 0.0), "exchangeable": (0.0, *alpha), "nested_exchangeable": tuple(alpha)}
            return np.array([pair[self.name]])
        if self.kind == GIVEN and self.given is not None:
            return self.given
        if self.kind == BY_OCCASION:
            size = round((1 + np.sqrt(1 + 8 * len(alpha))) / 2)
            matrix = np.eye(size)
            matrix[np.tril_indices(size, -1)] = alpha
            return np.asarray(matrix + np.tril(matrix, -1).T)
        return alpha[None, :].copy()

    def update(self, alpha: np.ndarray, pairs: np.ndarray, scale: float) -> np.ndarray:
        """Return the next estimate from the sums over pairs at the current coefficients, kept inside its bounds."""
        if not self.labels:
            return alpha
        if self.kind == AUTOREGRESSIVE:
            step = (pairs[0] / scale - pairs[1]) / pairs[2] if pairs[2] > 0 else 0.0
            return np.asarray(np.clip(alpha + step, self.lower, self.upper))
        half = len(pairs) // 2
        products, weights = pairs[:half], pairs[half:]
        means = np.divide(products, scale * weights, out=np.zeros(half), where=weights > 0)
        if self.name == "exchangeable":
            means = means[:1]
        elif self.name == "nested_exchangeable":
            means = means[::-1]
        return np.asarray(np.clip(means, self.lower, self.upper))


def working_correlation(
    name: str, clusters: Clusters, lags: int, correlation: np.ndarray | None, timed: bool
) -> Working:
    """Return the working correlation by name; raise ModelError where the clusters do not fit it."""
    if name not in NAMES:
        raise ModelError(Problem("working_correlation", repr(name), f"one of {', '.join(NAMES)}"))
    _check_groups(name, clusters)
    kind = _KINDS.get(name, EXCHANGE)
    if kind != EXCHANGE:
        _check_times(name, clusters, timed)
    labels: tuple[str, ...] = ()
    lower, upper, start, n_sums, given = -1.0, 1.0, 0.0, 4, None
    if name == "exchangeable":
        labels = ("alpha",)
        lower, upper = -1 / max(int(clusters.sizes.max()) - 1, 1) + _MARGIN, 1 - _MARGIN
    elif name == "nested_exchangeable":
        labels = (clusters.groups[0], ":".join(clusters.groups))
    elif name == "ar1":
        labels, n_sums = ("alpha",), 3
        whole = bool((np.diff(clusters.time) % 1 == 0).all())
        # A negative correlation has no power that is not whole; then the search starts and stays above zero.
        lower, upper, start = (-_MAX_RHO if whole else _MARGIN), _MAX_RHO, (0.0 if whole else 0.5)
    elif name == "m_dependent":
        labels, n_sums = tuple(f"lag {lag}" for lag in range(1, lags + 1)), 2 * lags
    elif name == "unstructured":
        times = [f"{value + (not timed):g}" for value in clusters.occasions]
        labels = tuple(f"{times[j]}:{times[i]}" for i in range(len(times)) for j in range(i))
        n_sums = 2 * len(labels)
    elif name == "fixed":
        given, n_sums = _given(correlation, len(clusters.occasions)), 0
    return Working(name, kind, labels, lower, upper, np.full(len(labels), start), n_sums, given)


def _check_groups(name: str, clusters: Clusters) -> None:
    wanted = 2 if name == "nested_exchangeable" else 1
    if len(clusters.groups) != wanted:
        raise ModelError(
            Problem(
                "groups",
                f"{len(clusters.groups)} columns ({', '.join(clusters.groups)}) for {name}",
                "[outer, inner] for nested_exchangeable, one column for every other",
            )
        )


def _check_times(name: str, clusters: Clusters, timed: bool) -> None:
    steps = np.diff(clusters.time)
    inside = np.ones(len(steps), dtype=bool)
    inside[clusters.ptr[1:-1] - 1] = False
    ties = int((steps[inside] == 0).sum())
    if timed and ties:
        raise ModelError(
            Problem(f"time for {name}", f"{ties} rows at the same time as another of their cluster", "distinct times")
        )
    if name == "m_dependent" and (clusters.time % 1 != 0).any():
        raise ModelError(Problem("time for m_dependent", "times that are not whole numbers", "1, 2, 3"))


def _given(correlation: np.ndarray | None, size: int) -> np.ndarray:
    if correlation is None:
        raise ModelError(Problem("correlation", "nothing", f"a {size} x {size} matrix for working_correlation='fixed'"))
    matrix = np.ascontiguousarray(correlation, dtype=float)
    if matrix.shape != (size, size):
        raise ModelError(
            Problem("correlation", f"shape {matrix.shape}", f"({size}, {size}), one row for each occasion")
        )
    if not (np.allclose(matrix, matrix.T) and np.allclose(np.diag(matrix), 1)):
        raise ModelError(Problem("correlation", "not symmetric with ones on the diagonal", "a correlation matrix"))
    return matrix

"""One pass over the rows: information, score, meat of the sandwich and sums over pairs, in threads over clusters.

Clusters are dealt to tiles by the data alone; a tile's sums are kept apart and added in the tiles' order, so the same
bits come out with any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np

from profiling.modeling.gee.adjusted import ROBUST, adjusted_score
from profiling.modeling.gee.autoregressive import autoregressive_cluster
from profiling.modeling.gee.clusters import Clusters
from profiling.modeling.gee.exchange import exchange_cluster
from profiling.modeling.gee.factored import factored_cluster
from profiling.modeling.gee.rows import add_gram

EXCHANGE, AUTOREGRESSIVE, BY_LAG, BY_OCCASION, GIVEN = range(5)
# Rows gathered before one product through BLAS.
BUFFER = 128


@dataclass(frozen=True)
class Sums:
    """What a pass gives: information H = D'R^-1 D (p, p), score D'R^-1 r (p), meat (p, p), sums over pairs."""

    information: np.ndarray
    score: np.ndarray
    meat: np.ndarray
    squares: float
    quasi_likelihood: float
    pairs: np.ndarray


def sweep(
    clusters: Clusters,
    family: float,
    kind: int,
    parameters: np.ndarray,
    n_sums: int,
    beta: np.ndarray,
    covariance: int = 0,
    root: np.ndarray | None = None,
    to_raw: np.ndarray | None = None,
) -> Sums:
    """Return the sums at `beta`; `parameters` (rows, columns) are those of the working correlation of this `kind`.

    `covariance`: 0 leaves out the meat, else the kind of score that enters it; `root` (p, p) with root root' = H^-1
    and `to_raw` (p, p) from scaled to raw coefficients are needed by the corrected kinds.
    """
    p = clusters.X.shape[1]
    tiles = len(clusters.tiles)
    gram, meat = np.zeros((tiles, p + 1, p + 1)), np.zeros((tiles, p, p))
    sums = np.zeros((tiles, 2 + n_sums))
    eye = np.eye(p)
    root = eye if root is None else root
    to_raw = eye if to_raw is None else to_raw
    _sweep(
        *(float(family), kind, parameters, covariance),
        *(root, np.linalg.inv(root), to_raw, np.linalg.inv(to_raw)),
        *(clusters.X, clusters.y, clusters.weights, clusters.offset, np.ascontiguousarray(beta)),
        *(clusters.ptr, clusters.inner_ptr, clusters.inner_first, clusters.time, clusters.occasion),
        *(clusters.tiles, gram, meat, sums),
    )
    total, pairs = gram.sum(axis=0), sums.sum(axis=0)
    information = (total[:p, :p] + total[:p, :p].T) / 2
    return Sums(information, total[:p, p], meat.sum(axis=0), float(pairs[0]), float(pairs[1]), pairs[2:])


@nb.njit(parallel=True, cache=True)
def _sweep(
    family: float,
    kind: int,
    parameters: np.ndarray,
    covariance: int,
    root: np.ndarray,
    root_inverse: np.ndarray,
    to_raw: np.ndarray,
    from_raw: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
    offset: np.ndarray,
    beta: np.ndarray,
    ptr: np.ndarray,
    inner_ptr: np.ndarray,
    inner_first: np.ndarray,
    time: np.ndarray,
    occasion: np.ndarray,
    tiles: np.ndarray,
    all_gram: np.ndarray,
    all_meat: np.ndarray,
    all_sums: np.ndarray,
) -> None:
    p = X.shape[1]
    for tile in nb.prange(len(tiles)):
        gram, sums = all_gram[tile], all_sums[tile]
        largest = 1
        if kind >= BY_LAG:
            for c in range(tiles[tile, 0], tiles[tile, 1]):
                largest = max(largest, ptr[c + 1] - ptr[c])
        rows = np.empty((max(BUFFER, largest), p + 1))
        bands = min(parameters.shape[1], largest - 1) if kind == BY_LAG else largest - 1
        factor, residual = np.empty((largest, bands + 1)), np.empty(largest)
        work = np.empty((2, p + 1))
        own = np.zeros((p + 1, p + 1))
        filled = 0
        for c in range(tiles[tile, 0], tiles[tile, 1]):
            target = gram
            if covariance > 0:
                own[:] = 0.0
                target = own
            if kind == EXCHANGE:
                blocks = inner_ptr[inner_first[c] : inner_first[c + 1] + 1]
                filled = exchange_cluster(
                    family, parameters[0, 0], parameters[0, 1], X, y, w, offset, beta,
                    blocks, rows, filled, target, work, sums,
                )  # fmt: skip
            elif kind == AUTOREGRESSIVE:
                filled = autoregressive_cluster(
                    family, parameters[0, 0], X, y, w, offset, beta, time,
                    ptr[c], ptr[c + 1], rows, filled, target, work, sums,
                )  # fmt: skip
            else:
                factored_cluster(
                    family, parameters, kind == BY_LAG, kind != GIVEN, X, y, w, offset, beta, occasion,
                    ptr[c], ptr[c + 1], rows, factor, residual, target, sums,
                )  # fmt: skip
            if covariance > 0:
                add_gram(own, rows, filled)
                filled = 0
                for a in range(p + 1):
                    for b in range(p + 1):
                        gram[a, b] += own[a, b]
                score = own[:p, p].copy()
                if covariance != ROBUST:
                    score = adjusted_score(covariance, own[:p, :p].copy(), score, root, root_inverse, to_raw, from_raw)
                for a in range(p):
                    for b in range(p):
                        all_meat[tile, a, b] += score[a] * score[b]
        add_gram(gram, rows, filled)

"""One pass over the rows: information, score, meat of the sandwich and sums over pairs, in threads over clusters.

Clusters are dealt to tiles by the data alone; a tile's sums are kept apart and added in the tiles' order, so the same
bits come out with any number of threads. Rows are standardized some hundreds at a time in a block that stays in the
cache; correlations with a factor whiten it there, exchangeable ones take their share from the sums of clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np

from profiling.modeling.gee.adjusted import ROBUST, adjusted_score
from profiling.modeling.gee.autoregressive import whiten_autoregressive
from profiling.modeling.gee.clusters import Clusters
from profiling.modeling.gee.exchange import close_block, close_cluster, collect
from profiling.modeling.gee.factored import whiten_factored
from profiling.modeling.gee.rows import FAST, standardize

EXCHANGE, AUTOREGRESSIVE, BY_LAG, BY_OCCASION, GIVEN = range(5)
# Rows that are standardized together, before one product through BLAS.
WIDTH = 256


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
    judged: bool = False,
) -> Sums:
    """Return the sums at `beta`; `parameters` (rows, columns) are those of the working correlation of this `kind`.

    `covariance`: 0 leaves out the meat, else the kind of score that enters it; `root` (p, p) with root root' = H^-1
    and `to_raw` (p, p) from scaled to raw coefficients are needed by the corrected kinds. `judged`: with the
    quasi-likelihood, else it is zero.
    """
    columns, scaling = clusters.columns, clusters.scaling
    p = len(columns.place)
    tiles = len(clusters.tiles)
    gram, meat = np.zeros((tiles, p + 1, p + 1)), np.zeros((tiles, p, p))
    sums = np.zeros((tiles, 2 + n_sums))
    eye = np.eye(p)
    root = eye if root is None else root
    to_raw = eye if to_raw is None else to_raw
    time, occasion = (
        (np.zeros(0), np.zeros(0, dtype=np.int64)) if kind == EXCHANGE else (clusters.time, clusters.occasion)
    )
    _sweep(
        *(float(family), kind, parameters, covariance, judged),
        *(root, np.linalg.inv(root), to_raw, np.linalg.inv(to_raw)),
        *(columns.wide, columns.narrow, columns.place, scaling.center, 1.0 / scaling.scale),
        *(clusters.y, clusters.weights, clusters.offset, np.ascontiguousarray(beta)),
        *(clusters.ptr, clusters.inner_ptr, clusters.inner_first, time, occasion),
        *(clusters.tiles, gram, meat, sums),
    )
    total, pairs = gram.sum(axis=0), sums.sum(axis=0)
    information = (total[:p, :p] + total[:p, :p].T) / 2
    return Sums(information, total[:p, p], meat.sum(axis=0), float(pairs[0]), float(pairs[1]), pairs[2:])


@nb.njit(cache=True, fastmath=FAST)
def _add_scores(block: np.ndarray, first: int, last: int, score: np.ndarray) -> None:
    """Add the products of rows first..last with their residuals to `score` (p+1)."""
    residual = block[-1]
    for j in range(len(score) - 1):
        total, own = 0.0, block[j]
        for i in range(first, last):
            total += own[i] * residual[i]
        score[j] += total


@nb.njit(cache=True)
def _add_products(block: np.ndarray, first: int, last: int, gram: np.ndarray) -> None:
    """Add the cross-products of rows first..last of `block` to `gram` (p+1, p+1)."""
    part = block if first == 0 and last == block.shape[1] else np.ascontiguousarray(block[:, first:last])
    product = part @ part.T
    for a in range(len(gram)):
        for b in range(len(gram)):
            gram[a, b] += product[a, b]


@nb.njit(cache=True)
def _end_of_block(kind: int, ptr: np.ndarray, cluster: int, row: int, end: int, width: int) -> int:
    """Return where the block from `row` on ends: anywhere, or with a cluster where its factor needs all its rows."""
    if kind < BY_LAG or row + width >= end:
        return min(row + width, end)
    stop = ptr[cluster + 1]
    while cluster + 2 < len(ptr) and ptr[cluster + 2] <= row + width:
        cluster += 1
        stop = ptr[cluster + 1]
    return int(stop)


@nb.njit(parallel=True, cache=True)
def _sweep(
    family: float,
    kind: int,
    parameters: np.ndarray,
    covariance: int,
    judged: bool,
    root: np.ndarray,
    root_inverse: np.ndarray,
    to_raw: np.ndarray,
    from_raw: np.ndarray,
    wide: np.ndarray,
    narrow: np.ndarray,
    place: np.ndarray,
    center: np.ndarray,
    factor: np.ndarray,
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
    for tile in nb.prange(len(tiles)):
        _tile(
            family, kind, parameters, covariance, judged, root, root_inverse, to_raw, from_raw, wide, narrow, place,
            center, factor, y, w, offset, beta, ptr, inner_ptr, inner_first, time, occasion, tiles[tile, 0],
            tiles[tile, 1], all_gram[tile], all_meat[tile], all_sums[tile],
        )  # fmt: skip


@nb.njit(cache=True)
def _tile(
    family: float,
    kind: int,
    parameters: np.ndarray,
    covariance: int,
    judged: bool,
    root: np.ndarray,
    root_inverse: np.ndarray,
    to_raw: np.ndarray,
    from_raw: np.ndarray,
    wide: np.ndarray,
    narrow: np.ndarray,
    place: np.ndarray,
    center: np.ndarray,
    factor: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
    offset: np.ndarray,
    beta: np.ndarray,
    ptr: np.ndarray,
    inner_ptr: np.ndarray,
    inner_first: np.ndarray,
    time: np.ndarray,
    occasion: np.ndarray,
    cluster: int,
    last_cluster: int,
    gram: np.ndarray,
    meat: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Add the clusters from `cluster` to before `last_cluster` to `gram` (p+1, p+1), `meat` (p, p) and `sums`."""
    p = len(place)
    between, within = (parameters[0, 0], parameters[0, 1]) if kind == EXCHANGE else (0.0, 0.0)
    corrected = covariance > ROBUST
    largest = 1
    if kind >= BY_LAG:
        for c in range(cluster, last_cluster):
            largest = max(largest, ptr[c + 1] - ptr[c])
    block = np.empty((p + 1, max(WIDTH, largest)))
    eta = np.empty(block.shape[1])
    bands = min(parameters.shape[1], largest - 1) if kind == BY_LAG else largest - 1
    cholesky, residual, rows = np.empty((largest, bands + 1)), np.empty(largest), np.empty((largest, p + 1))
    d, q, score, before = np.zeros(p + 1), np.zeros(p + 1), np.zeros(p + 1), np.zeros(p + 1)
    own, held, state = np.zeros((p + 1, p + 1)), np.zeros(9), np.zeros(6)
    inner, row, end = inner_first[cluster], ptr[cluster], ptr[last_cluster]
    while row < end:
        stop = _end_of_block(kind, ptr, cluster, row, end, block.shape[1])
        standardize(
            family, wide, narrow, place, center, factor, beta, y, w, offset, row, stop - row, block, eta, sums, judged
        )
        if kind == AUTOREGRESSIVE:
            whiten_autoregressive(parameters[0, 0], w, time, ptr, cluster, row, stop - row, block, before, state, sums)
        elif kind >= BY_LAG:
            c = cluster
            while c < last_cluster and ptr[c] < stop:
                whiten_factored(
                    parameters, kind == BY_LAG, kind != GIVEN, w, occasion, ptr[c], ptr[c + 1] - ptr[c], block,
                    ptr[c] - row, rows, cholesky, residual, sums,
                )  # fmt: skip
                c += 1
        if not corrected:
            _add_products(block, 0, block.shape[1], gram)
        at = row
        while at < stop:
            first, at = at, min(stop, inner_ptr[inner + 1])
            if kind == EXCHANGE:
                collect(block, first - row, at - row, w, row, d, held)
            if corrected:
                _add_products(block, first - row, at - row, own)
            elif covariance > 0:
                _add_scores(block, first - row, at - row, score)
            if at < inner_ptr[inner + 1]:
                break
            target = own if corrected else gram
            if kind == EXCHANGE:
                close_block(between, within, at - inner_ptr[inner], d, q, held, target, score)
            inner += 1
            if at == ptr[cluster + 1]:
                if kind == EXCHANGE:
                    close_cluster(between, within, q, held, target, score, sums)
                if corrected:
                    for a in range(p + 1):
                        for b in range(p + 1):
                            gram[a, b] += own[a, b]
                            own[a, b] /= 1 - within
                    adjusted_score(covariance, own, root, root_inverse, to_raw, from_raw, score)
                    for a in range(p + 1):
                        for b in range(p + 1):
                            own[a, b] = 0.0
                else:
                    for a in range(p):
                        score[a] /= 1 - within
                for a in range(p):
                    for b in range(p):
                        if covariance > 0:
                            meat[a, b] += score[a] * score[b]
                for a in range(p + 1):
                    score[a] = 0.0
                cluster += 1
        row = stop
    for a in range(p + 1):
        for b in range(p + 1):
            gram[a, b] /= 1 - within

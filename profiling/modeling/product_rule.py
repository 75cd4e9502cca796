"""The compiled kernel of the adaptive product rule for one grouping factor; `quadrature` holds the mathematics."""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.families import derivatives

_FAST = {"contract", "reassoc", "nsz"}


@nb.njit(cache=True, inline="always")
def inverse_transposed(lower: np.ndarray, C: np.ndarray) -> float:
    """Store L^-T in C (upper triangular) and return log|L|."""
    k = C.shape[0]
    total = 0.0
    C[:] = 0.0
    for j in range(k):
        total += math.log(lower[j, j])
        C[j, j] = 1.0 / lower[j, j]
        for i in range(j + 1, k):
            part = 0.0
            for e in range(j, i):
                part -= lower[i, e] * C[j, e]
            C[j, i] = part / lower[i, i]
    return total


@nb.njit(cache=True, inline="always")
def scaled(Lambda: np.ndarray, u: np.ndarray, b: np.ndarray) -> None:
    """Store Lambda u in b; Lambda is lower triangular."""
    for a in range(len(u)):
        b[a] = 0.0
        for c in range(a + 1):
            b[a] += Lambda[a, c] * u[c]


@nb.njit(cache=True, inline="always")
def _scaled_back(Lambda: np.ndarray, r: np.ndarray, sign: float, x: np.ndarray) -> None:
    """Add sign times Lambda'r to x."""
    for a in range(len(r)):
        for c in range(a, len(r)):
            x[a] += sign * Lambda[c, a] * r[c]


@nb.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _rows(
    code: float,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    Z: np.ndarray,
    b: np.ndarray,
    l1: np.ndarray,
    w: np.ndarray,
    w1: np.ndarray,
    r: np.ndarray,
) -> float:
    """Store the derivatives of every row of a cluster at eta + z'b and r = Z'l1; return sum l0."""
    plain = Z.shape[0] == 0
    total = 0.0
    r[:] = 0.0
    for i in range(len(y)):
        x = eta[i]
        for a in range(len(b)):
            x += b[a] * (1.0 if plain else Z[i, a])
        l0, l1[i], w[i], w1[i] = derivatives(code, y[i], weight[i], x)
        total += l0
        for a in range(len(b)):
            r[a] += l1[i] * (1.0 if plain else Z[i, a])
    return total


@nb.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _sum_nodes(
    code: float,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    Z: np.ndarray,
    Lambda: np.ndarray,
    mode: np.ndarray,
    C: np.ndarray,
    nodes: np.ndarray,
    log_weight: np.ndarray,
    rows: np.ndarray,
    vectors: np.ndarray,
    score: np.ndarray,
    w: np.ndarray,
    mean: np.ndarray,
    second: np.ndarray,
    tilt: np.ndarray,
    N: np.ndarray,
    mixed: np.ndarray,
) -> float:
    """Return the log of the sum over nodes and store E[l1], E[W] by row, E[u], E[uu'], E[f'], E[f'z'], E[Z'l1 u']."""
    k, n = len(mode), len(y)
    u, b, r, fall = vectors[0], vectors[1], vectors[2], vectors[3]
    l1, w0, w1 = rows[0, :n], rows[1, :n], rows[2, :n]
    scaled(Lambda, mode, b)
    # Heights are taken from the mode, the highest point, so that no exponential overflows.
    peak = _rows(code, y, weight, eta, Z, b, l1, w0, w1, r) - 0.5 * (mode @ mode)
    score[:], w[:], mean[:], second[:] = 0.0, 0.0, 0.0, 0.0
    tilt[:], N[:], mixed[:] = 0.0, 0.0, 0.0
    total = 0.0
    for q in range(nodes.shape[0]):
        for a in range(k):
            u[a] = mode[a]
            for c in range(a, k):
                u[a] += C[a, c] * nodes[q, c]
        scaled(Lambda, u, b)
        height = _rows(code, y, weight, eta, Z, b, l1, w0, w1, r) - 0.5 * (u @ u)
        p = math.exp(log_weight[q] + height - peak)
        total += p
        for i in range(n):
            score[i] += p * l1[i]
            w[i] += p * w0[i]
        for a in range(k):
            fall[a] = -u[a]
        _scaled_back(Lambda, r, 1.0, fall)
        for a in range(k):
            tilt[a] += p * fall[a]
            mean[a] += p * u[a]
            for c in range(k):
                N[a, c] += p * fall[a] * nodes[q, c]
                mixed[a, c] += p * r[a] * u[c]
                second[a, c] += p * u[a] * u[c]
    share = 1.0 / total
    score *= share
    w *= share
    mean *= share
    second *= share
    tilt *= share
    N *= share
    mixed *= share
    log_sum: float = peak + math.log(total)
    return log_sum


@nb.njit(cache=True, inline="always")
def _spread_weight(C: np.ndarray, N: np.ndarray, K: np.ndarray, Q: np.ndarray) -> None:
    """Store Q = C K C', K the symmetric part of the upper triangle of C'N + I with its diagonal halved."""
    k = C.shape[0]
    for a in range(k):
        for b in range(a, k):
            part = 1.0 if a == b else 0.0
            for c in range(k):
                part += C[c, a] * N[c, b]
            K[a, b] = 0.5 * part
            K[b, a] = 0.5 * part
    for a in range(k):
        for b in range(k):
            Q[a, b] = 0.0
            for c in range(a, k):
                for d in range(b, k):
                    Q[a, b] += C[a, c] * K[c, d] * C[b, d]


@nb.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _move_nodes(
    code: float,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    Z: np.ndarray,
    Lambda: np.ndarray,
    mode: np.ndarray,
    C: np.ndarray,
    Q: np.ndarray,
    rows: np.ndarray,
    vectors: np.ndarray,
    A: np.ndarray,
    multiplicity: float,
    score: np.ndarray,
    tilt: np.ndarray,
    mixed: np.ndarray,
    slope: np.ndarray,
) -> None:
    """Add what the nodes' place and spread contribute to the scores; add the cluster's m dl/dLambda to `slope`."""
    k, n = len(mode), len(y)
    plain = Z.shape[0] == 0
    b, r, s, right, t, pull = vectors[0], vectors[1], vectors[2], vectors[3], vectors[4], vectors[5]
    l1, w0, w1 = rows[0, :n], rows[1, :n], rows[2, :n]
    scaled(Lambda, mode, b)
    _rows(code, y, weight, eta, Z, b, l1, w0, w1, r)
    A[:], s[:] = 0.0, 0.0
    for i in range(n):
        leverage = 0.0
        right[:] = 0.0
        for a in range(k):
            for c in range(a, k):
                right[a] += Lambda[c, a] * (1.0 if plain else Z[i, c])
        for a in range(k):
            for c in range(k):
                leverage += right[a] * Q[a, c] * right[c]
                A[a, c] += w0[i] * (1.0 if plain else Z[i, a] * Z[i, c])
        score[i] -= w1[i] * leverage
        for a in range(k):
            s[a] += w1[i] * leverage * (1.0 if plain else Z[i, a])
    for a in range(k):
        right[a] = -tilt[a]
    _scaled_back(Lambda, s, 1.0, right)
    t[:] = 0.0
    for c in range(k):
        part = 0.0
        for a in range(c + 1):
            part += C[a, c] * right[a]
        for a in range(c + 1):
            t[a] += C[a, c] * part
    scaled(Lambda, t, pull)
    for i in range(n):
        through = 0.0
        for a in range(k):
            through += pull[a] * (1.0 if plain else Z[i, a])
        score[i] = multiplicity * (score[i] + w0[i] * through)
    for a in range(k):
        drift = -s[a]
        for c in range(k):
            drift += A[a, c] * pull[c]
        for c in range(k):
            part = mixed[a, c] + drift * mode[c] - r[a] * t[c]
            for d in range(k):
                for e in range(d, k):
                    part -= 2.0 * A[a, e] * Lambda[e, d] * Q[d, c]
            slope[a, c] += multiplicity * part


@nb.njit(parallel=True, cache=True, error_model="numpy")
def integrate(
    code: float,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    Z: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    multiplicity: np.ndarray,
    Lambda: np.ndarray,
    mode: np.ndarray,
    lower: np.ndarray,
    nodes: np.ndarray,
    log_weight: np.ndarray,
    value: np.ndarray,
    score: np.ndarray,
    w: np.ndarray,
    mean: np.ndarray,
    second: np.ndarray,
    slope: np.ndarray,
    spread: np.ndarray,
    turn: np.ndarray,
) -> None:
    """Store log integrals (G), their slopes in each row's predictor times multiplicity (n) and posterior moments.

    `mode` (G, k) and `lower` (G, k, k) the Cholesky factor of H there; `nodes` (Q, k). `w` (n) becomes E[W | y],
    `mean` (G, k) and `second` (G, k, k) E[u] and E[uu'], `slope` (tiles, k, k) sums of m dl/dLambda, `spread`
    (G, k, k) and `turn` (G, k) the Q and t of the docstring in `quadrature`.
    """
    k = mode.shape[1]
    for tile in nb.prange(len(tile_ptr) - 1):
        longest = 0
        for g in range(tile_ptr[tile], tile_ptr[tile + 1]):
            longest = max(longest, cell_ptr[g + 1] - cell_ptr[g])
        rows = np.empty((3, longest))
        square = np.empty((6, k, k))
        vectors = np.empty((7, k))
        C, N, mixed, K, Q, A = square[0], square[1], square[2], square[3], square[4], square[5]
        slope[tile] = 0.0
        for g in range(tile_ptr[tile], tile_ptr[tile + 1]):
            part = slice(cell_ptr[g], cell_ptr[g + 1])
            z = Z if Z.shape[0] == 0 else Z[part]
            half_log_determinant = inverse_transposed(lower[g], C)
            value[g] = -half_log_determinant + _sum_nodes(
                code,
                y[part],
                weight[part],
                eta[part],
                z,
                Lambda,
                mode[g],
                C,
                nodes,
                log_weight,
                rows,
                vectors,
                score[part],
                w[part],
                mean[g],
                second[g],
                vectors[6],
                N,
                mixed,
            )
            _spread_weight(C, N, K, Q)
            _move_nodes(
                code,
                y[part],
                weight[part],
                eta[part],
                z,
                Lambda,
                mode[g],
                C,
                Q,
                rows,
                vectors,
                A,
                multiplicity[g],
                score[part],
                vectors[6],
                mixed,
                slope[tile],
            )
            for a in range(k):
                turn[g, a] = vectors[4, a]
                for c in range(k):
                    spread[g, a, c] = Q[a, c]

"""Block elimination against dense algebra, with components small enough for our loops and large enough for tiles."""

from __future__ import annotations

import numpy as np
import pytest

from profiling.modeling import dense
from profiling.modeling.blocks import Factor
from profiling.modeling.structure import order_rows


def random_structure(rng, n, sizes, terms):
    codes = [rng.integers(0, size, n) for size in sizes]
    for code, size in zip(codes, sizes, strict=True):
        code[:size] = rng.permutation(size)
    return order_rows(codes, sizes, terms)[1]


def dense_matrix(structure, A):
    G, q0, R = structure.n_levels0, structure.terms[0], structure.n_rest
    H = np.eye(G * q0 + R)
    for m in range(structure.n_cells):
        own = [structure.cell_level0[m] * q0 + a for a in range(q0)] + list(G * q0 + structure.cell_rest[m])
        H[np.ix_(own, own)] += A[m]
    return H


@pytest.mark.parametrize(
    ("sizes", "terms", "n"),
    [
        ([30], [1], 90),
        ([30], [3], 90),
        ([40, 12], [1, 1], 120),
        ([40, 12, 5], [1, 1, 1], 150),
        ([25, 9], [2, 3], 100),
        ([400, 230], [1, 1], 1200),
        ([300, 70, 60], [2, 2, 1], 900),
        ([900, 400], [1, 1], 1500),
        ([700, 250], [2, 2], 1100),
        ([700, 150, 120], [1, 1, 1], 900),
    ],
)
def test_against_dense_algebra(sizes, terms, n):
    rng = np.random.default_rng(sum(sizes) + n)
    s = random_structure(rng, n, sizes, terms)
    half = rng.normal(size=(s.n_cells, sum(terms), sum(terms)))
    A = half @ half.transpose(0, 2, 1)
    H = dense_matrix(s, A)
    inverse = np.linalg.inv(H)
    factor = Factor(s, A)
    assert factor.component_log_determinant.sum() == pytest.approx(np.linalg.slogdet(H)[1], rel=1e-12)
    x0, xr = rng.normal(size=(s.n_levels0, terms[0])), rng.normal(size=s.n_rest)
    y0, yr = factor.solve(x0, xr)
    expected = inverse @ np.concatenate([x0.ravel(), xr])
    assert np.concatenate([y0.ravel(), yr]) == pytest.approx(expected, abs=1e-10)
    V = factor.cell_covariance()
    for m in range(0, s.n_cells, 7):
        q0 = terms[0]
        own = [s.cell_level0[m] * q0 + a for a in range(q0)] + list(s.n_levels0 * q0 + s.cell_rest[m])
        assert V[m] == pytest.approx(inverse[np.ix_(own, own)], abs=1e-10)
    U0, Ur = rng.normal(size=(s.n_levels0, terms[0], 3)), rng.normal(size=(s.n_rest, 3))
    U = np.concatenate([U0.reshape(-1, 3), Ur])
    C0, Cr = factor.half_solve(U0.copy(), Ur.copy())
    gram = C0.reshape(-1, 3).T @ C0.reshape(-1, 3) + Cr.T @ Cr
    assert gram == pytest.approx(U.T @ inverse @ U, abs=1e-9)
    K0, Kr = factor.full_solve(C0, Cr)
    assert np.concatenate([K0.reshape(-1, 3), Kr]) == pytest.approx(inverse @ U, abs=1e-10)


def test_coefficients_that_meet_few_are_sparse_columns():
    rng = np.random.default_rng(5)
    s = random_structure(rng, 1500, [900, 400], [1, 1])
    component = int(np.argmax(np.diff(s.rest_ptr)))
    sparse, size = int(s.sparse[component]), int(np.diff(s.rest_ptr)[component])
    assert size / 3 < sparse < size
    pattern = np.zeros((size, size), dtype=bool)
    first = int(s.rest_ptr[component])
    for j in range(sparse):
        rows = s.column_rows[s.column_ptr[first + j] : s.column_ptr[first + j + 1]]
        assert (np.diff(rows) > 0).all()
        assert rows.min() > j
        pattern[rows, j] = True
    # Every two that meet under one level of the first factor have their entry, and so has all fill-in.
    for level in np.flatnonzero(s.level_component == component):
        own = np.unique(s.cell_rest[s.level_ptr[level] : s.level_ptr[level + 1]]) - first
        for a, b in zip(*np.tril_indices(len(own), -1), strict=True):
            assert own[b] >= sparse or pattern[own[a], own[b]]
    for j in range(sparse):
        rows = np.flatnonzero(pattern[:, j])
        for a, b in zip(*np.tril_indices(len(rows), -1), strict=True):
            assert rows[b] >= sparse or pattern[rows[a], rows[b]]


@pytest.mark.parametrize("n", [1, 383, 384, 385, 900])
def test_tiles_against_lapack(n):
    rng = np.random.default_rng(n)
    half = rng.normal(size=(n, n))
    S = half @ half.T + np.eye(n)
    L = S.copy()
    log_determinant, inverses = dense.cholesky(L)
    assert np.tril(L) == pytest.approx(np.linalg.cholesky(S), abs=1e-9)
    assert log_determinant == pytest.approx(np.linalg.slogdet(S)[1], rel=1e-12)
    V = np.empty_like(S)
    dense.inverse(L, inverses, V)
    assert pytest.approx(np.linalg.inv(S), rel=1e-7, abs=1e-9) == V


def test_tiles_report_what_is_not_positive_definite():
    S = np.eye(400)
    S[300, 300] = -1.0
    assert np.isnan(dense.cholesky(S)[0])

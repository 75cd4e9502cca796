"""The parts of the iteration for crossed factors against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from profiling.errors import ModelError
from profiling.modeling.blocks import Factor
from profiling.modeling.iterative import Iteration
from profiling.modeling.iterative_solve import SparseUnit, conjugate_gradients, inverse_root
from profiling.modeling.newton import maximize
from profiling.modeling.structure import order_rows

PROBES = 200


def unit_matrix(rng, size, strength):
    """Return 1 - E sparse and dense, positive definite."""
    raw = sparse.random(size, size, 0.05, random_state=rng, data_rvs=rng.standard_normal)
    symmetric = (raw + raw.T).tocsr()
    symmetric.setdiag(0)
    symmetric.eliminate_zeros()
    E = symmetric * (strength / np.abs(np.linalg.eigvalsh(symmetric.toarray())).max())
    return SparseUnit(E.indptr, E.indices, E.data), np.eye(size) - E.toarray()


@pytest.mark.parametrize("strength", [0.3, 0.99])
def test_solutions_roots_and_the_rule_of_the_steps(strength):
    rng = np.random.default_rng(1)
    matrix, full = unit_matrix(rng, 150, strength)
    B = rng.normal(size=(150, 4))
    B[:, 2] = 0.0
    krylov = conjugate_gradients(matrix, B)
    np.testing.assert_allclose(krylov.solution, np.linalg.solve(full, B), atol=1e-8)
    values, vectors = np.linalg.eigh(full)
    root = (vectors / np.sqrt(values)) @ vectors.T
    np.testing.assert_allclose(inverse_root(matrix, B, values[0], values[-1]), root @ B, atol=1e-8)
    nodes, weights = krylov.spectrum(1)
    logarithm = (vectors * np.log(values)) @ vectors.T
    assert weights.sum() == pytest.approx(1.0)
    assert B[:, 1] @ B[:, 1] * (weights @ np.log(nodes)) == pytest.approx(B[:, 1] @ logarithm @ B[:, 1], rel=1e-9)


def test_a_matrix_that_is_not_positive_is_seen():
    matrix, _ = unit_matrix(np.random.default_rng(2), 150, 1.5)
    assert np.isnan(conjugate_gradients(matrix, np.random.default_rng(3).normal(size=(150, 2))).solution).all()


@pytest.mark.parametrize(("sizes", "terms", "n"), [([400, 230], [1, 1], 1200), ([300, 70, 60], [2, 2, 1], 900)])
def test_a_factor_by_iteration_against_the_dense_one(sizes, terms, n):
    rng = np.random.default_rng(sum(sizes))
    codes = [rng.integers(0, size, n) for size in sizes]
    for code, size in zip(codes, sizes, strict=True):
        code[:size] = rng.permutation(size)
    iterated = order_rows(codes, sizes, terms, Iteration(dense_bytes=0, probes=PROBES))[1]
    dense = order_rows(codes, sizes, terms)[1]
    assert len(iterated.iterated) == 1
    assert not len(iterated.large)
    assert not len(dense.iterated)
    half = 0.5 * rng.normal(size=(dense.n_cells, sum(terms), sum(terms)))
    A = half @ half.transpose(0, 2, 1)
    exact, found = Factor(dense, A), Factor(iterated, A)
    positions = list(zip(iterated.rest_position, dense.rest_position, strict=True))
    here = np.concatenate([own.ravel() for own, _ in positions])
    there = np.concatenate([own.ravel() for _, own in positions])

    x0, xr = rng.normal(size=(sizes[0], terms[0])), rng.normal(size=iterated.n_rest)
    turned = np.empty_like(xr)
    turned[there] = xr[here]
    (y0, yr), (z0, zr) = found.solve(x0, xr), exact.solve(x0, turned)
    np.testing.assert_allclose(y0, z0, atol=1e-9)
    np.testing.assert_allclose(yr[here], zr[there], atol=1e-9)

    U0, Ur = rng.normal(size=(sizes[0], terms[0], 3)), rng.normal(size=(iterated.n_rest, 3))
    turned = np.empty_like(Ur)
    turned[there] = Ur[here]
    C0, Cr = found.half_solve(U0.copy(), Ur.copy())
    E0, Er = exact.half_solve(U0.copy(), turned)
    gram = np.einsum("lqa,lqb->ab", C0, C0) + Cr.T @ Cr
    np.testing.assert_allclose(gram, np.einsum("lqa,lqb->ab", E0, E0) + Er.T @ Er, rtol=1e-9)
    np.testing.assert_allclose(found.full_solve(C0, Cr)[0], exact.full_solve(E0, Er)[0], atol=1e-9)

    one = np.ones(len(iterated.component_ptr) - 1)
    error = found.log_determinant_error(one)
    assert exact.log_determinant_error(one) == 0
    difference = (found.component_log_determinant - exact.component_log_determinant).sum()
    assert 0 < error < 1e-2
    assert abs(difference) < 3.5 * error
    V, known = found.cell_covariance(), exact.cell_covariance()
    by_probe = np.array([found.cell_covariance(k) for k in range(PROBES)])
    np.testing.assert_allclose(by_probe.mean(axis=0), V, atol=1e-12)
    spread = by_probe.std(axis=0, ddof=1) / np.sqrt(PROBES)
    z = (V - known)[spread > 1e-12] / spread[spread > 1e-12]
    assert np.sqrt(np.square(z).mean()) == pytest.approx(1.0, abs=0.25)
    np.testing.assert_allclose(V, known, atol=6 * spread.max())


def test_only_the_largest_cores_are_iterated():
    rng = np.random.default_rng(5)
    large, small = rng.integers(300, size=2000), 300 + rng.integers(150, size=2000)
    codes = [np.concatenate([rng.integers(500, size=2000), 500 + rng.integers(500, size=2000)])]
    codes.append(np.concatenate([large, small]))
    codes = [np.unique(code, return_inverse=True)[1] for code in codes]
    sizes = [int(code.max()) + 1 for code in codes]
    exact = order_rows(codes, sizes, [1, 1])[1]
    cores = np.diff(exact.packed_ptr)
    assert (cores > 0).sum() == 2
    found = order_rows(codes, sizes, [1, 1], Iteration(dense_bytes=32.0 * cores.min() + 32.0 * cores.max() - 1))[1]
    assert list(found.iterated) == [int(np.argmax(cores))]
    assert np.diff(found.packed_ptr)[np.argmin(cores + 1e9 * (cores == 0))] == cores[cores > 0].min()


def test_too_few_probes_are_refused():
    with pytest.raises(ModelError, match="iteration: 2 probes"):
        Iteration(probes=2)


class _Estimated:
    """A parabola with its top at zero whose gradient, from other probes, vanishes at `turn` instead."""

    def __init__(self, turn: float, noise: float) -> None:
        self.turn, self.noise = turn, noise

    def evaluate(self, point):
        return -0.5 * float(point @ point), self.turn - point

    def information(self, sharp=False):
        return 0.7 * np.eye(2)


def test_a_search_under_noise_ends_where_the_gradient_does():
    free = np.ones(2, dtype=bool)
    start = np.array([0.001, -0.001])
    found = maximize(_Estimated(0.01, 1e-3), start, free, ~free)
    assert found.converged
    np.testing.assert_allclose(found.point, 0.01, atol=1e-4)
    misled = maximize(_Estimated(0.01, 0.0), start, free, ~free)
    assert not misled.converged

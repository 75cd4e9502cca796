"""Fits by iteration against fits with a dense core: same modes, estimates within the Monte-Carlo error they report."""

from __future__ import annotations

import numba
import numpy as np
import pandas as pd
import pytest

from profiling.modeling import Iteration, glmm, lmm
from profiling.modeling.design import build_design
from profiling.modeling.families import family_of
from profiling.modeling.joint_draws import joint_draws
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.state import scaled_beta

FORMULA = "y ~ x + (1 | a) + (1 | b)"
SEEDS = 20


def crossed(seed: int, n: int = 3_000, sizes: tuple[int, int] = (400, 200)) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    levels = {name: rng.integers(size, size=n) for name, size in zip("ab", sizes, strict=True)}
    data = pd.DataFrame({"x": rng.normal(size=n), **levels})
    data["eta"] = 0.4 * data.x - 0.5 + rng.normal(size=sizes[0])[data.a] + 0.8 * rng.normal(size=sizes[1])[data.b]
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-data.eta))).astype(float)
    data["count"] = rng.poisson(np.exp(data.eta / 2)).astype(float)
    data["size"] = data.eta + rng.normal(size=n)
    return data


def estimates(fit):
    return np.concatenate([[fit.log_likelihood], fit.fixed_effects, fit.theta])


def errors(fit):
    own = fit.monte_carlo
    return np.concatenate([[own.log_likelihood], own.fixed_effects, own.theta])


@pytest.fixture(scope="module")
def data():
    return crossed(1)


@pytest.fixture(scope="module")
def dense(data):
    return glmm(FORMULA, data)


def test_modes_need_solves_alone(data, dense):
    """At the same parameters the modes and the coefficients' information agree with the dense core's."""
    iterated = glmm(FORMULA, data, start=dense, iteration=Iteration(dense_bytes=0)).source.design
    beta, theta = scaled_beta(dense), dense.theta
    exact = LaplaceCriterion(dense.source.design, family_of("binomial", None))
    found = LaplaceCriterion(iterated, family_of("binomial", None))
    there, here = exact.evaluate(beta, theta), found.evaluate(beta, theta)
    np.testing.assert_allclose(here.modes.u0, there.modes.u0, atol=1e-7)
    own, other = iterated.structure.rest_position[0], dense.source.design.structure.rest_position[0]
    np.testing.assert_allclose(here.modes.ur[own], there.modes.ur[other], atol=1e-7)
    assert here.value == pytest.approx(there.value, abs=0.05)
    information = found.structured_information(here, theta)[0]
    np.testing.assert_allclose(information, exact.structured_information(there, theta)[0], rtol=1e-7)


def test_estimates_lie_within_the_error_that_is_reported(data, dense):
    """With many probes, for every kind of model."""
    iteration = Iteration(dense_bytes=0, probes=64)
    models = [
        (dense, lambda: glmm(FORMULA, data, iteration=iteration)),
        *(
            (fit(), lambda fit=fit: fit(iteration=iteration))
            for fit in (
                lambda **more: glmm("count ~ x + (1 | a) + (1 | b)", data, family="poisson", **more),
                lambda **more: lmm("size ~ x + (1 + x || a) + (1 | b)", data, **more),
            )
        ),
    ]
    for exact, fit in models:
        found = fit()
        assert found.converged
        np.testing.assert_array_less(np.abs(estimates(found) - estimates(exact)), 3 * errors(found) + 1e-7)
        assert found.monte_carlo.share < 0.05
        np.testing.assert_allclose(found.standard_errors, exact.standard_errors, rtol=0.01)
        for group in "ab":
            allowed = 6 * found.monte_carlo.effects
            np.testing.assert_allclose(
                found.random_effects(group)["sd_full"], exact.random_effects(group)["sd_full"], rtol=allowed
            )


def test_the_error_is_what_other_seeds_show():
    """The spread over seeds is the reported error, and the mean over seeds is the dense fit."""
    data = crossed(2, 1_500, (200, 120))
    dense = glmm(FORMULA, data)
    fits = [
        glmm(FORMULA, data, start=dense, iteration=Iteration(dense_bytes=0, seed=seed)) for seed in range(1, SEEDS + 1)
    ]
    away = np.array([estimates(fit) - estimates(dense) for fit in fits])
    reported = np.sqrt(np.mean([errors(fit) ** 2 for fit in fits], axis=0))
    ratio = np.sqrt(np.mean(away**2, axis=0)) / reported
    # The root of chi-square with 20 degrees of freedom over 20 lies in .6 to 1.45 in 998 of 1,000 draws.
    assert ((ratio > 0.6) & (ratio < 1.45)).all(), ratio


def test_the_same_bits_with_any_number_of_threads(data, dense):
    beta, theta = scaled_beta(dense), dense.theta
    design = build_design(FORMULA, data, binomial=True, iteration=Iteration(dense_bytes=0))
    before, found = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            criterion = LaplaceCriterion(design, family_of("binomial", None))
            last = criterion.evaluate(beta, theta)
            found.append((last.value, last.gradient.copy(), last.V, criterion.structured_information(last, theta)[0]))
    finally:
        numba.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_fit_says_what_was_estimated(data, dense):
    found = glmm(FORMULA, data, start=dense, iteration=Iteration(dense_bytes=0, probes=8, seed=3))
    note = next(note for note in found.diagnostics if note.code == "monte_carlo")
    assert note.severity == "note"
    assert "200 coefficients" in note.message
    assert "8 probes (seed 3)" in note.message
    assert "(Monte-Carlo error 0.0" in found.summary()
    assert dense.monte_carlo is None
    assert "Monte-Carlo" not in dense.summary()
    again = found.refit(data.y.to_numpy())
    assert again.monte_carlo is not None
    assert again.source.call.iteration == Iteration(dense_bytes=0, probes=8, seed=3)
    assert found.update(". ~ . - x").monte_carlo is not None


def test_what_is_asked_of_a_fit_afterwards(data, dense):
    """Joint draws, predictions for new pairs and tests go through the same factor."""
    found = glmm(FORMULA, data, start=dense, iteration=Iteration(dense_bytes=0))
    draws, exact = joint_draws(found, 400, 1), joint_draws(dense, 400, 1)
    for group in "ab":
        np.testing.assert_allclose(draws[group].std(axis=0).mean(), exact[group].std(axis=0).mean(), rtol=0.01)
    pairs = data.head(40).assign(b=data["b"].to_numpy()[40:80])
    np.testing.assert_allclose(found.predict(pairs, interval=0.95), dense.predict(pairs, interval=0.95), atol=2e-3)
    assert found.test_variance("b")["chi_square"] == pytest.approx(dense.test_variance("b")["chi_square"], abs=0.1)

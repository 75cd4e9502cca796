"""Rows of equal case mix joined: the same likelihood, the same fit, results for every row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from profiling import glmm
from profiling.modeling import fit as fitting
from profiling.modeling.collapse import collapse
from profiling.modeling.design import build_design
from profiling.modeling.families import family_of
from profiling.modeling.laplace import LaplaceCriterion


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    n = 8_000
    data = pd.DataFrame(
        {
            "hospital": rng.integers(0, 60, n),
            "band": rng.integers(0, 5, n),
            "sex": rng.choice(["f", "m"], n),
            "sick": (rng.random(n) < 0.2).astype(float),
            "time": rng.choice([0.0, 0.5], n),
            "twice": rng.integers(1, 3, n).astype(float),
            "age": rng.normal(size=n),
        }
    )
    data["ward"] = data["hospital"] * 3 + rng.integers(0, 3, n)
    eta = -1 + 0.2 * data["band"] + 0.5 * data["sick"] + rng.normal(0, 0.6, 60)[data["hospital"]]
    eta += rng.normal(0, 0.3, 180)[data["ward"]] + data["time"]
    return data.assign(died=rng.binomial(1, 1 / (1 + np.exp(-eta))), visits=rng.poisson(np.exp(eta)))


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("random", ["(1 | hospital)", "(1 + sick | hospital)", "(1 | hospital) + (1 | band)"])
def test_the_likelihood_is_the_same_function(data, family, random):
    formula = f"{'died' if family == 'binomial' else 'visits'} ~ band + C(sex) + sick + {random}"
    design = build_design(
        formula,
        data,
        binomial=family == "binomial",
        weights=data["twice"].to_numpy(),
        offset=data["time"].to_numpy(),
        cluster_weights=None if "band" in random else np.arange(60) % 3 + 1.0,
    )
    chosen = family_of(family, None)
    small = collapse(design, chosen)
    assert small.whole is design
    together = ["hospital", "band", "sex", "sick", "time"]
    assert small.n == len(data[together].drop_duplicates())
    rng = np.random.default_rng(1)
    for _ in range(2):
        beta = rng.normal(0, 0.2, design.X.shape[1])
        theta = np.where(design.form.diagonal, rng.uniform(0.2, 0.8, design.form.size), 0.1)
        whole, part = (LaplaceCriterion(each, chosen).evaluate(beta, theta) for each in (design, small))
        assert part.value == pytest.approx(whole.value, rel=1e-12)
        np.testing.assert_allclose(part.gradient, whole.gradient, atol=1e-8 * np.abs(whole.gradient).max())


@pytest.mark.parametrize("method", ["laplace", "agq", "auto"])
@pytest.mark.parametrize("random", ["(1 | hospital)", "(1 | hospital/ward)"])
def test_the_fit_is_that_of_all_rows(data, random, method, monkeypatch):
    formula, points = f"died ~ C(band) + sick + {random}", 5 if method == "agq" else None
    seen = []
    monkeypatch.setattr(fitting, "collapse", lambda *given: seen.append(collapse(*given)) or seen[-1])
    quick = glmm(formula, data, method=method, points=points)
    assert seen[0].n < 0.5 * len(data)
    monkeypatch.setattr(fitting, "collapse", lambda design, family: design)
    plain = glmm(formula, data, method=method, points=points)
    assert quick.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)
    np.testing.assert_allclose(quick.fixed_effects, plain.fixed_effects, atol=1e-5)
    np.testing.assert_allclose(quick.covariance, plain.covariance, rtol=1e-3, atol=1e-8)
    assert [note.code for note in quick.diagnostics] == [note.code for note in plain.diagnostics]
    assert quick.method == plain.method
    for name in ("outcome", "linear_predictor", "weights"):
        assert len(getattr(quick, name)) == len(data)
    np.testing.assert_allclose(quick.residuals("deviance"), plain.residuals("deviance"), atol=1e-4)
    np.testing.assert_allclose(quick.fitted_values(), plain.fitted_values(), atol=1e-5)
    for group in quick.groups:
        np.testing.assert_allclose(quick.mode(group), plain.mode(group), atol=1e-4)
        np.testing.assert_allclose(quick.mode_sd(group, "sd_full"), plain.mode_sd(group, "sd_full"), rtol=1e-3)
    if quick.posteriors:
        own, other = (each.posterior("hospital")[["mean", "sd", "q025"]] for each in (quick, plain))
        np.testing.assert_allclose(own, other, atol=1e-4)
    again = quick.refit(data["died"])
    assert again.log_likelihood == pytest.approx(quick.log_likelihood, abs=1e-6)


def test_rows_that_differ_stay_as_they_are(data):
    formula = "died ~ age + C(sex) + (1 | hospital)"
    design = build_design(formula, data, binomial=True)
    assert collapse(design, family_of("binomial", None)) is design
    counted = build_design("visits ~ C(sex) + (1 | hospital)", data)
    assert collapse(counted, family_of("negative_binomial", None, 2.0)) is counted
    few = build_design("died ~ C(sex) + (1 | hospital)", data[:3000], binomial=True)
    assert collapse(few, family_of("binomial", None)) is few


def test_rows_without_weight_and_the_two_zeros_are_joined(data):
    design = build_design("died ~ sick + (1 | hospital)", data, binomial=True, weights=data["twice"].to_numpy() - 1)
    X = design.X.copy()
    X[::2, 1] = np.where(X[::2, 1] == X[:, 1].min(), -0.0, X[::2, 1])
    X[1::2, 1] = np.where(X[1::2, 1] == design.X[:, 1].min(), 0.0, X[1::2, 1])
    small = collapse(replace(design, X=X), family_of("binomial", None))
    assert small.n <= 120
    assert np.isfinite(small.y).all()
    assert small.weights.sum() == design.weights.sum()

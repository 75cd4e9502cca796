"""Intercepts per provider against published values, a dense Newton search, and direct tests."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from profiling.assessment import profile_providers
from profiling.assessment.fixed_effect_tests import fixed_against_random, fixed_effect_tests
from profiling.assessment.fixed_effects import fixed_effects, fixed_effects_of, median_norm
from profiling.errors import ModelError
from profiling.modeling import glmm

PPROF = Path(os.environ.get("PROFILING_SHARED", "../shared")) / "data/pprof"


@pytest.mark.skipif(not PPROF.is_dir(), reason="no folder pprof under PROFILING_SHARED")
def test_pprof_s_example_to_the_digits_given() -> None:
    table = pd.read_csv(PPROF / "ExampleDataBinary.csv.gz")
    reference = pd.read_csv(PPROF / "pprof_logis_fe_reference.csv")
    columns = [name for name in table.columns if name not in ("Y", "ProvID")]
    fixed = fixed_effects(table["Y"], table[columns], table["ProvID"])
    assert fixed.beta == pytest.approx([1.092622397, 1.017841392, 0.995025947, 1.038685441, 1.056347287], abs=2e-9)
    assert fixed.norm == pytest.approx(-0.9276567453, abs=1e-9)
    tests = fixed_effect_tests(fixed, draws=20_000, seed=1)
    both = tests.merge(reference, left_on="provider", right_on="ProvID")
    assert len(both) == 100
    finite = np.isfinite(both["gamma_x"])
    assert both.loc[finite, "gamma_x"].to_numpy() == pytest.approx(both.loc[finite, "gamma_y"].to_numpy(), abs=1e-7)
    for ours, theirs in (("observed", "O"), ("expected", "E"), ("oe_ratio", "ISR")):
        assert both[ours].to_numpy() == pytest.approx(both[theirs].to_numpy(), rel=1e-8)
    assert both["exact_p"].to_numpy() == pytest.approx(both["p_exact"].to_numpy(), abs=1e-8)
    assert both["score_z"].to_numpy() == pytest.approx(both["z_score"].to_numpy(), abs=1e-7)
    assert list(both["flag_x"]) == list(both["flag_y"])
    assert tests["flag"].value_counts().to_dict() == {-1: 13, 0: 81, 1: 6}
    assert tests["bootstrap_p"].to_numpy() == pytest.approx(tests["exact_p"].to_numpy(), abs=0.03)


def simulated(seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    provider = np.repeat(np.arange(14), random.integers(15, 60, 14))
    x = random.normal(size=(len(provider), 2)) * [1.0, 5.0] + [0.0, 60.0]
    eta = -1 + 0.7 * x[:, 0] + 0.05 * (x[:, 1] - 60) + random.normal(0, 0.6, 14)[provider]
    y = (random.random(len(provider)) < special.expit(eta)).astype(int)
    y[provider == 3], y[provider == 8] = 0, 1
    return pd.DataFrame({"provider": provider, "a": x[:, 0], "b": x[:, 1], "y": y})


def test_against_a_dense_newton_search_with_dummies() -> None:
    table = simulated()
    fixed = fixed_effects(table["y"], table[["a", "b"]], table["provider"], ("a", "b"))
    kept = table[~table["provider"].isin([3, 8])]
    dummies = pd.get_dummies(kept["provider"]).to_numpy(dtype=float)
    X = np.column_stack([dummies, kept[["a", "b"]].to_numpy()])
    theta = np.zeros(X.shape[1])
    for _ in range(60):
        p = special.expit(X @ theta)
        information = (X * (p * (1 - p))[:, None]).T @ X
        theta = theta + np.linalg.solve(information, X.T @ (kept["y"].to_numpy() - p))
    inverse = np.linalg.inv(information)
    usable = np.isfinite(fixed.gamma)
    assert fixed.beta == pytest.approx(theta[-2:], abs=1e-9)
    assert fixed.covariance == pytest.approx(inverse[-2:, -2:], rel=1e-7)
    assert fixed.gamma[usable] == pytest.approx(theta[:-2], abs=1e-8)
    assert fixed.gamma_se[usable] == pytest.approx(np.sqrt(np.diag(inverse))[:-2], rel=1e-8)
    assert list(fixed.gamma[[3, 8]]) == [-np.inf, np.inf]
    tests = fixed_effect_tests(fixed)
    assert list(tests["extreme"][[3, 8]]) == ["no_events", "all_events"]
    assert np.isfinite(tests[["score_z", "exact_p"]]).all(axis=None)
    assert tests["wald_z"].isna().sum() == 2


def test_of_a_mixed_model_s_own_data() -> None:
    table = simulated(1)
    fit = glmm("y ~ a + b + (1 | provider)", table)
    ours = fixed_effects_of(fit, "provider")
    direct = fixed_effects(table["y"], table[["a", "b"]], table["provider"], ("a", "b"))
    assert ours.beta == pytest.approx(direct.beta, abs=1e-8)
    assert ours.norm == pytest.approx(direct.norm, abs=1e-7)
    left, right = fixed_effect_tests(ours), fixed_effect_tests(direct)
    assert left["exact_p"].to_numpy() == pytest.approx(right["exact_p"].to_numpy(), abs=1e-8)
    table = fixed_against_random(left, profile_providers(fit, "provider"))
    assert (table["why"] == "").equals(table["agree"])
    assert set(table.loc[~table["agree"], "why"]) <= {"too_few", "infinite", "norm", "borderline", "shrinkage"}
    assert len(table) == 14


def test_score_and_wald_tests_agree_for_large_providers() -> None:
    random = np.random.default_rng(5)
    provider = np.repeat(np.arange(30), 2000)
    x = random.normal(size=len(provider))
    y = random.random(len(provider)) < special.expit(-1 + x + random.normal(0, 0.1, 30)[provider])
    tests = fixed_effect_tests(fixed_effects(y.astype(int), x, provider))
    assert tests["wald_z"].to_numpy() == pytest.approx(tests["score_z"].to_numpy(), abs=0.2)
    assert stats.norm.sf(tests["score_z"].abs()) * 2 == pytest.approx(tests["exact_p"].to_numpy(), abs=0.02)


def test_refusals_name_the_term() -> None:
    table = simulated()
    with pytest.raises(ModelError, match="teaching does not vary within any provider"):
        fixed_effects(table["y"], table[["provider"]], table["provider"], ("teaching",))
    with pytest.raises(ModelError, match="other than 0 and 1"):
        fixed_effects(table["y"] * 2, table[["a"]], table["provider"])


def test_median_norm_with_infinite_intercepts() -> None:
    assert median_norm(np.array([-np.inf, -1.0, 0.5])) == -1.0
    assert median_norm(np.array([-np.inf, -1.0, 0.0, np.inf])) == -0.5

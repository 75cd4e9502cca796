"""Shares of variance with intervals, R2, design effects, naive errors: published figures and dense algebra."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, special, stats
from threadpoolctl import threadpool_limits

from profiling import compare_errors, gee, glmm, lmm
from profiling.errors import ModelError

SHARED = Path(os.environ.get("PROFILING_SHARED", Path(__file__).parents[3] / "shared"))


@pytest.fixture(autouse=True)
def _one_blas_thread():
    # Hundreds of small dense matrices: threads of BLAS would only wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Visits in 24 clinics of unequal size, of 40 patients across them; `level` is a trait of the clinic."""
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(24), rng.integers(5, 40, 24))
    k = rng.integers(0, 40, len(g))
    x, level = rng.normal(size=len(g)), rng.normal(size=24)[g]
    clinic, slope, patient = rng.normal(size=24)[g], rng.normal(size=24)[g], rng.normal(size=40)[k]
    eta = (0.4 + 0.4 * slope) * x + 0.3 * level + 0.9 * clinic + 0.5 * patient
    died = (rng.random(len(g)) < special.expit(eta - 0.5)).astype(float)
    visits = rng.poisson(np.exp(0.5 + eta)).astype(float)
    return pd.DataFrame(
        {"g": g, "k": k, "x": x, "level": level, "y": eta + rng.normal(size=len(g)), "died": died, "visits": visits}
    )


@pytest.fixture(scope="module")
def binary(data):
    return glmm("died ~ x + level + (1 | g)", data)


# --- Intervals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["delta", "profile"])
def test_one_share_carries_the_limits_of_its_sd(binary, method):
    table = binary.icc(intervals=method).iloc[0]
    sd = binary.intervals("wald" if method == "delta" else "profile").loc["sd(Intercept | g)"]
    for side in ("lower", "upper"):
        variance = sd[side] ** 2
        assert table[f"icc_{side}"] == pytest.approx(variance / (variance + np.pi**2 / 3), rel=1e-6)
        assert table[f"variance_{side}"] == pytest.approx(variance, rel=1e-6)
        ratio = np.exp(np.sqrt(2) * stats.norm.ppf(0.75) * sd[side])
        assert table[f"median_odds_ratio_{side}"] == pytest.approx(ratio, rel=1e-6)
    assert table["icc_observed_lower"] < table["icc_observed"] < table["icc_observed_upper"]


@pytest.mark.parametrize("reml", [False, True])
def test_profile_of_a_linear_share_is_the_likelihood_of_the_data(data, reml):
    table = lmm("y ~ x + (1 | g)", data, reml).icc(intervals="profile").iloc[0]
    X, y = np.column_stack([np.ones(len(data)), data["x"]]), data["y"].to_numpy()
    same = (data["g"].to_numpy()[:, None] == data["g"].to_numpy()).astype(float)

    def profiled(rho: float) -> float:
        R = rho * same + (1 - rho) * np.eye(len(y))
        half = np.linalg.cholesky(R)
        rest, own = np.linalg.solve(half, y), np.linalg.solve(half, X)
        rest -= own @ np.linalg.lstsq(own, rest, rcond=None)[0]
        freedom = len(y) - 2 * reml
        restriction = np.linalg.slogdet(own.T @ own)[1] / 2 if reml else 0.0
        return -freedom / 2 * np.log(rest @ rest / freedom) - np.log(np.diag(half)).sum() - restriction

    best = -optimize.minimize_scalar(lambda rho: -profiled(rho), bounds=(0.001, 0.99), method="bounded").fun
    for side in ("lower", "upper"):
        assert best - profiled(table[f"icc_{side}"]) == pytest.approx(stats.chi2.ppf(0.95, 1) / 2, abs=1e-4)


def test_bootstrap_is_the_percentile_of_refits_one_by_one(binary):
    found = binary.icc(intervals="bootstrap", draws=12, seed=4).iloc[0]
    again = [binary.refit(y).icc().iloc[0] for y in binary.simulate(4, 12).T]
    for name in ("icc", "icc_observed", "median_odds_ratio"):
        limits = np.quantile([table[name] for table in again], [0.025, 0.975])
        np.testing.assert_allclose([found[f"{name}_lower"], found[f"{name}_upper"]], limits, rtol=2e-3)


def test_delta_with_slopes_and_crossed_factors_is_the_spread_of_drawn_parameters(data):
    fit = lmm("y ~ x + (1 + x | g) + (1 | k)", data)
    table = fit.icc(intervals="delta").set_index("group")
    draws = fit.bootstrap(60, 2).draws
    M = np.cov(np.column_stack([np.ones(len(data)), data["x"]]).T, ddof=0)
    mean = np.array([1.0, data["x"].mean()])
    M = M + np.outer(mean, mean)
    a, b, r = draws["sd(Intercept | g)"], draws["sd(x | g)"], draws["cor(x, Intercept | g)"].fillna(0)
    own = a**2 + M[1, 1] * b**2 + 2 * M[0, 1] * a * b * r
    share = own / (own + draws["sd(Intercept | k)"] ** 2 + draws["sigma"] ** 2)
    implied = (special.logit(table.loc["g", "icc_upper"]) - special.logit(table.loc["g", "icc_lower"])) / 3.92
    assert implied == pytest.approx(special.logit(share).std(), rel=0.35)
    assert (table["icc_lower"] < table["icc"]).all()
    with pytest.raises(ModelError, match="delta, profile, bootstrap"):
        fit.icc(intervals="wald")


def test_profile_of_two_factors_is_the_likelihood_of_the_data(data):
    few = data[data["g"] < 9].reset_index(drop=True)
    table = lmm("y ~ x + (1 | g) + (1 | k)", few, reml=False).icc(intervals="profile").set_index("group")
    X, y = np.column_stack([np.ones(len(few)), few["x"]]), few["y"].to_numpy()
    same = [(few[name].to_numpy()[:, None] == few[name].to_numpy()).astype(float) for name in ("g", "k")]

    def value(first: float, second: float) -> float:
        R = first * same[0] + second * same[1] + (1 - first - second) * np.eye(len(y))
        half = np.linalg.cholesky(R)
        rest, own = np.linalg.solve(half, y), np.linalg.solve(half, X)
        rest -= own @ np.linalg.lstsq(own, rest, rcond=None)[0]
        return -len(y) / 2 * np.log(rest @ rest / len(y)) - np.log(np.diag(half)).sum()

    def profiled(first: float) -> float:
        search = {"bounds": (1e-6, 0.98 - first), "method": "bounded", "options": {"xatol": 1e-6}}
        return -optimize.minimize_scalar(lambda second: -value(first, second), **search).fun

    best = -optimize.minimize_scalar(lambda rho: -profiled(rho), bounds=(0.01, 0.9), method="bounded").fun
    for side in ("lower", "upper"):
        assert best - profiled(table.loc["g", f"icc_{side}"]) == pytest.approx(stats.chi2.ppf(0.95, 1) / 2, abs=2e-3)


def test_the_general_profile_is_the_one_of_the_sd_where_there_is_one(binary):
    from profiling.modeling.partition_intervals import _profile, _profile_several

    own, general = _profile(binary, 0.95), _profile_several(binary, 0.95)
    np.testing.assert_allclose(general, own, rtol=2e-4)


def test_counts_have_limits_too(data):
    table = glmm("visits ~ x + (1 | g)", data, family="poisson").icc(intervals="delta").iloc[0]
    for name in ("icc", "icc_observed"):
        assert 0 < table[f"{name}_lower"] < table[name] < table[f"{name}_upper"] < 1


def test_a_share_of_zero_has_an_upper_limit_by_profile_only(data):
    flat = data.assign(y=data["y"] - data.groupby("g")["y"].transform("mean"))
    fit = lmm("y ~ 1 + (1 | g)", flat)
    profile, delta = (fit.icc(intervals=method).iloc[0] for method in ("profile", "delta"))
    assert profile["icc_lower"] == 0 < profile["icc_upper"] < 0.2
    assert np.isnan(delta["icc_upper"])


# --- R2 ------------------------------------------------------------------------------------------------------


def test_r_squared_of_the_sleep_study():
    """MuMIn::r.squaredGLMM(lmer(Reaction ~ Days + (Days | Subject))): 0.2786511, 0.7992199."""
    path = SHARED / "reference" / "sleepstudy.csv"
    if not path.exists():
        pytest.skip("needs the reference data")
    found = lmm("Reaction ~ Days + (Days | Subject)", pd.read_csv(path)).r_squared()
    assert found["marginal"] == pytest.approx(0.2786511, abs=2e-5)
    assert found["conditional"] == pytest.approx(0.7992199, abs=2e-5)


def test_r_squared_of_a_logistic_model(binary, data):
    found = binary.r_squared()
    fixed = np.var(data[["x", "level"]].to_numpy() @ binary.fixed_effects[["x", "level"]].to_numpy(), ddof=1)
    total = fixed + binary.variance("g") + np.pi**2 / 3
    assert found["marginal"] == pytest.approx(fixed / total)
    assert found["conditional"] == pytest.approx(1 - np.pi**2 / 3 / total)


# --- Design effects ------------------------------------------------------------------------------------------


def test_design_effects_are_the_variance_of_least_squares(data):
    fit = lmm("y ~ x + level + (1 | g) + (1 | k)", data)
    table = fit.design_effects().set_index(["group", "term"])["design_effect"]
    X = np.column_stack([np.ones(len(data)), data["x"], data["level"]])
    same = {name: (data[name].to_numpy()[:, None] == data[name].to_numpy()).astype(float) for name in ("g", "k")}
    inverse = np.linalg.inv(X.T @ X)
    for groups, label in ((("g",), "g"), (("k",), "k"), (("g", "k"), "all")):
        V = np.eye(len(data)) * (fit.residual_sd**2 + sum(fit.variance(name) for name in ("g", "k")))
        V += sum(fit.variance(name) * (same[name] - np.eye(len(data))) for name in groups)
        ratio = np.diag(inverse @ X.T @ V @ X @ inverse) / np.diag(inverse) / V[0, 0]
        assert table[label, "x"] == pytest.approx(ratio[1])
        assert table[label, "level"] == pytest.approx(ratio[2])
        assert table[label, "mean"] == pytest.approx(V.mean() * len(data) / V[0, 0])


def test_kish_and_moulton_in_their_own_letters(data):
    fit = glmm("died ~ x + level + (1 | g)", data)
    table = fit.design_effects().set_index("term")
    sizes = data["g"].value_counts()
    m = (sizes**2).sum() / sizes.sum()
    rho = fit.icc().loc[0, "icc_observed"]
    assert table.loc["mean", "design_effect"] == pytest.approx(1 + (m - 1) * rho)
    assert table.loc["mean", "effective_size"] == pytest.approx(len(data) / (1 + (m - 1) * rho))
    for term in ("x", "level"):
        assert table.loc[term, "design_effect"] == pytest.approx(1 + (m - 1) * table.loc[term, "rho_x"] * rho)
    assert table.loc["x", "design_effect"] < 1.3 < table.loc["level", "design_effect"]


# --- What ignoring clinics would have claimed ----------------------------------------------------------------


def test_errors_side_by_side(binary, data):
    table = compare_errors(binary)
    X = sm.add_constant(data[["x", "level"]])
    naive = sm.GLM(data["died"], X, sm.families.Binomial()).fit()
    np.testing.assert_allclose(table["naive"], naive.params, rtol=1e-6)
    np.testing.assert_allclose(table["naive_error"], naive.bse, rtol=1e-5)
    clustered = gee("died ~ x + level", data, "g", covariance="kauermann_carroll")
    np.testing.assert_allclose(table["gee_error"], clustered.standard_errors, rtol=1e-8)
    implied = binary.marginal().coefficients
    np.testing.assert_allclose(table["marginal"], implied["marginal"])
    # The approximation beside the exact figure and the estimate of GEE, with its error.
    shrink = 1 / np.sqrt(1 + (16 * np.sqrt(3) / (15 * np.pi)) ** 2 * binary.variance("g"))
    np.testing.assert_allclose(table["attenuated"], table["mixed"] * shrink)
    np.testing.assert_allclose(table["attenuation_error"], table["attenuated"] - table["marginal"])
    assert table.loc["level", "understated"] > 2 > table.loc["x", "understated"]


def test_naive_errors_of_a_linear_model_are_those_of_least_squares(data):
    table = compare_errors(lmm("y ~ x + level + (1 | g)", data), data)
    naive = sm.OLS(data["y"], sm.add_constant(data[["x", "level"]])).fit()
    np.testing.assert_allclose(table["naive_error"], naive.bse, rtol=1e-8)
    np.testing.assert_allclose(table["marginal"], table["mixed"], rtol=1e-8)

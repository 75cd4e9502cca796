"""What a statistician does with a fit: predictions, draws, residuals, refits, robust errors, partition of variance."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from profiling import anova, glmm, lmm
from profiling.errors import ModelError
from profiling.modeling.comparison import boundary_p_value
from profiling.modeling.design import build_design
from profiling.modeling.families import family_of
from profiling.modeling.fit_quadrature import quadrature_criterion
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.state import scaled_beta


def records(seed: int = 4, n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"a": rng.integers(0, 10, n), "c": rng.integers(0, 6, n)})
    data["k"] = data["a"].astype(str) + rng.choice(["u", "v", "w"], n)
    data["x"] = rng.normal(1, 2, n)
    data["kind"] = rng.choice(["p", "q", "r"], n)
    eta = 0.2 * data["x"] - 0.4 + rng.normal(0, 0.9, 10)[data["a"]] + rng.normal(0, 0.6, 6)[data["c"]]
    eta = eta + 0.25 * data["x"] * rng.normal(size=10)[data["a"]]
    data["y"] = eta + rng.normal(0, 0.8, n)
    data["d"] = (rng.random(n) < special.expit(eta)).astype(float)
    data["count"] = rng.poisson(np.exp(np.clip(eta / 2, -3, 2)))
    return data


@pytest.fixture(scope="module")
def data():
    return records()


@pytest.fixture(scope="module")
def linear(data):
    return lmm("y ~ x + C(kind) + (1 + x | a) + (1 | c)", data)


@pytest.fixture(scope="module")
def binary(data):
    return glmm("d ~ x + C(kind) + (1 + x | a) + (1 | c)", data)


@pytest.fixture(scope="module")
def counts(data):
    return glmm("count ~ x + (1 | a)", data, family="poisson")


def test_predictions_of_the_fit_and_of_the_same_rows_agree(data, linear, binary):
    for fit in (linear, binary):
        own, again = fit.predict(interval=0.9), fit.predict(data, interval=0.9)
        assert np.allclose(own.to_numpy(), again.to_numpy(), atol=1e-10)
        assert np.allclose(own["prediction"], fit.fitted_values(), atol=1e-12)
        part = fit.predict(data.iloc[[7, 3]], scale="link", interval=0.9)
        assert list(part.index) == [7, 3]
        assert np.allclose(part["prediction"], fit.conditional_predictor()[[7, 3]])


def test_intervals_of_predictions_against_the_dense_mixed_model_equations(data, linear):
    """Henderson's equations in full: the inverse of [X'X, X'Z; Z'X, Z'Z + sigma^2 G^-1] / sigma^2."""
    design = linear.source.design
    X = design.X @ np.linalg.inv(design.scaling.to_raw)
    columns, blocks = [], []
    for factor in linear.factors:
        z = np.ones((len(data), 1)) if factor.columns is None else factor.columns
        for level in range(factor.size):
            columns += [z[:, j] * (factor.codes == level) for j in range(z.shape[1])]
            blocks.append(np.linalg.inv(linear.variance_components[factor.name].to_numpy()))
    raw = np.column_stack([np.ones(len(data)), data["x"], data["kind"] == "q", data["kind"] == "r"]).astype(float)
    assert X.shape == raw.shape
    W = np.column_stack([raw, *columns])
    penalty = np.zeros((W.shape[1],) * 2)
    start = raw.shape[1]
    for block in blocks:
        penalty[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    inverse = np.linalg.inv(W.T @ W / linear.residual_sd**2 + penalty)
    new = data.copy()
    new["c"] = (data["c"] + data["a"]) % 6  # combinations of levels that may not have met
    q = raw.shape[1] + sum(f.size * len(f.terms) for f in linear.factors)
    rows = np.zeros((len(data), q))
    rows[:, :4] = raw
    order = [factor.name for factor in linear.factors]
    at = {"a": 4, "c": 4 + 20} if order == ["a", "c"] else {"c": 4, "a": 4 + 6}
    i = np.arange(len(data))
    rows[i, at["a"] + 2 * new["a"]] = 1.0
    rows[i, at["a"] + 2 * new["a"] + 1] = new["x"]
    rows[i, at["c"] + new["c"]] = 1.0
    expected = np.sqrt(np.einsum("nq,qr,nr->n", rows, inverse, rows))
    assert np.allclose(linear.predict(new, interval=0.95)["link_sd"], expected, rtol=1e-6)


def test_combinations_of_levels_that_never_met(data):
    part = data[(data["a"] + data["c"]) % 5 != 0]
    fit = lmm("y ~ x + (1 | a) + (1 | c)", part)
    met = fit.predict(part, interval=0.95)["link_sd"]
    unmet = data[(data["a"] + data["c"]) % 5 == 0]
    design = fit.source.design
    assert design.structure.n_cells < 60
    Z = np.column_stack([pd.get_dummies(part["a"]), pd.get_dummies(part["c"])]).astype(float)
    X = np.column_stack([np.ones(len(part)), part["x"]])
    W = np.column_stack([X, Z])
    precision = np.r_[0, 0, np.full(10, 1 / fit.variance("a")), np.full(6, 1 / fit.variance("c"))]
    inverse = np.linalg.inv(W.T @ W / fit.residual_sd**2 + np.diag(precision))
    rows = np.zeros((len(unmet), 18))
    i = np.arange(len(unmet))
    rows[:, 0], rows[:, 1] = 1, unmet["x"]
    rows[i, 2 + unmet["a"]], rows[i, 12 + unmet["c"]] = 1, 1
    expected = np.sqrt(np.einsum("nq,qr,nr->n", rows, inverse, rows))
    assert np.allclose(fit.predict(unmet, interval=0.95)["link_sd"], expected, rtol=1e-8)
    assert np.isfinite(met).all()


def test_new_levels_have_no_effect_and_their_whole_variance(data, linear):
    new = data.head(5).assign(a=99, c=98)
    found = linear.predict(new, interval=0.95)
    population = linear.predict(new, conditional=False, interval=0.95)
    assert np.allclose(found["prediction"], population["prediction"])
    S = linear.variance_components["a"].to_numpy()
    z = np.column_stack([np.ones(5), new["x"]])
    extra = np.einsum("nq,qr,nr->n", z, S, z) + linear.variance("c")
    assert np.allclose(found["link_sd"] ** 2, population["link_sd"] ** 2 + extra)


def test_marginal_means_average_the_conditional_ones(data, binary, counts):
    rng = np.random.default_rng(0)
    row = data.head(1)
    eta = float(binary.predict(row, conditional=False, scale="link").iloc[0])
    z = np.array([1.0, float(row["x"].iloc[0])])
    variance = z @ binary.variance_components["a"].to_numpy() @ z + binary.variance("c")
    draws = special.expit(eta + np.sqrt(variance) * rng.standard_normal(400_000))
    assert float(binary.predict(row, marginal=True).iloc[0]) == pytest.approx(draws.mean(), abs=4 * draws.std() / 632)
    closed = np.exp(counts.linear_predictor + counts.variance("a") / 2)
    assert np.allclose(counts.predict(marginal=True), closed)


def test_predict_says_what_is_missing(data, binary):
    with pytest.raises(ModelError, match="no column 'a'"):
        binary.predict(data.drop(columns="a"))
    with pytest.raises(ModelError, match="new_data"):
        binary.predict(data.drop(columns="x"))
    with pytest.raises(ModelError, match="link or response"):
        binary.predict(scale="odds")


def test_nested_levels_are_found_again(data):
    fit = lmm("y ~ x + (1 | a/k)", data)
    again = fit.predict(data.sample(frac=1, random_state=1), interval=0.9).sort_index()
    assert np.allclose(again.to_numpy(), fit.predict(interval=0.9).to_numpy(), atol=1e-10)


def test_draws_have_the_model_s_moments(data):
    fit = lmm("y ~ x + (1 + x | a) + (1 | c)", data)
    draws = fit.simulate(seed=3, n=3000)
    assert draws.shape == (300, 3000)
    assert np.array_equal(draws[:, :2], fit.simulate(seed=3, n=2))
    z = np.column_stack([np.ones(300), data["x"]])
    S = fit.variance_components["a"].to_numpy()
    i, j = np.flatnonzero(data["a"] == 3)[:2]
    expected = z[i] @ S @ z[j] + fit.variance("c") * (data["c"][i] == data["c"][j])
    noise = np.sqrt((np.var(draws[i]) * np.var(draws[j]) + expected**2) / 3000)
    assert abs(np.cov(draws[i], draws[j])[0, 1] - expected) < 4 * noise
    spread = np.sqrt(z[i] @ S @ z[i] + fit.variance("c") + fit.residual_sd**2)
    assert abs(draws[i].mean() - fit.linear_predictor[i]) < 4 * spread / np.sqrt(3000)
    conditional = fit.simulate(seed=3, n=2000, conditional=True)
    assert abs(conditional[i].mean() - fit.conditional_predictor()[i]) < 4 * fit.residual_sd / np.sqrt(2000)


def test_quantile_residuals_are_normal_where_the_model_holds(data, counts):
    true = data.assign(count=counts.simulate(seed=8, conditional=True)[:, 0])
    for fit in (counts.refit(true["count"]), lmm("y ~ x + (1 + x | a) + (1 | c)", data)):
        residuals = fit.residuals("quantile", seed=2)
        assert stats.kstest(residuals, "norm").pvalue > 0.001
        assert np.array_equal(residuals, fit.residuals("quantile", seed=2))
    assert not np.array_equal(counts.residuals("quantile", seed=1), counts.residuals("quantile", seed=2))


def test_deviance_residuals_sum_to_the_deviance(binary, counts):
    mean = counts.fitted_values()
    y = counts.outcome
    deviance = 2 * np.sum(stats.poisson.logpmf(y, np.where(y > 0, y, 1e-300)) - stats.poisson.logpmf(y, mean))
    assert np.sum(counts.residuals("deviance") ** 2) == pytest.approx(deviance)
    p = binary.fitted_values()
    likelihood = np.sum(np.log(np.where(binary.outcome == 1, p, 1 - p)))
    assert np.sum(binary.residuals() ** 2) == pytest.approx(-2 * likelihood)
    with pytest.raises(ModelError, match="one of deviance"):
        binary.residuals("martingale")


def test_refit_equals_a_new_fit(data, linear, counts):
    other = data.assign(y=data["y"] ** 2, count=data["count"] + 1)
    for fit, formula, family in (
        (linear, "y ~ x + C(kind) + (1 + x | a) + (1 | c)", None),
        (counts, "count ~ x + (1 | a)", "poisson"),
    ):
        again = fit.refit(other["count"] if family else other["y"])
        new = glmm(formula, other, family=family) if family else lmm(formula, other)
        assert again.log_likelihood == pytest.approx(new.log_likelihood, abs=1e-7)
        assert np.allclose(again.fixed_effects, new.fixed_effects, atol=1e-4 * new.standard_errors)
        assert np.array_equal(again.outcome, new.outcome)
    with pytest.raises(ModelError, match="one a row"):
        linear.refit(data["y"].head(3))


def test_update_fills_in_the_dots(data, counts):
    more = counts.update(". ~ . + C(kind)")
    assert list(more.fixed_effects.index) == ["Intercept", "x", "C(kind)[T.q]", "C(kind)[T.r]"]
    assert more.family == "poisson"
    fewer = more.update(". ~ . - x")
    assert "x" not in fewer.fixed_effects.index
    assert anova(counts, more)["df"].tolist() == [0, 2]
    half = counts.update(data=data.head(150))
    assert half.n_observations == 150
    assert counts.update(method="agq").log_likelihood == pytest.approx(counts.log_likelihood, abs=0.5)


def test_update_searches_from_where_the_fit_ended(data, binary):
    warm, cold = binary.update(". ~ . + kind"), glmm(binary.formula + " + kind", data)
    assert warm.iterations < cold.iterations
    assert warm.log_likelihood == pytest.approx(cold.log_likelihood, abs=1e-8)
    assert warm.fixed_effects.to_numpy() == pytest.approx(cold.fixed_effects.to_numpy(), abs=1e-6)
    elsewhere = binary.update("d ~ x + (1 | c)")
    assert elsewhere.log_likelihood == pytest.approx(glmm("d ~ x + (1 | c)", data).log_likelihood, abs=1e-8)


def test_a_pickle_carries_everything_but_the_data(data, linear, binary):
    for fit in (linear, binary):
        text = pickle.dumps(fit)
        again = pickle.loads(text)
        assert again.summary() == fit.summary()
        new = data.head(4).assign(a=[0, 1, 2, 77])
        assert np.array_equal(again.predict(new, interval=0.9), fit.predict(new, interval=0.9))
        assert np.array_equal(again.simulate(seed=1), fit.simulate(seed=1))
        assert again.refit(fit.outcome).log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-7)
        assert b"martingale" not in text
        with pytest.raises(ModelError, match="without its data"):
            again.update(". ~ 1 + (1 | a)")
        assert again.update("d ~ x + (1 | a)", data=data).n_observations == 300


def test_the_result_holds_the_design_once(binary):
    assert binary.source.design.X.nbytes < len(pickle.dumps(binary)) < 12 * binary.source.design.X.nbytes


def test_bootstrap_agrees_with_theory(data):
    fit = lmm("y ~ x + (1 | a)", data)
    found = fit.bootstrap(400, seed=5)
    assert found.failed == 0
    assert found.draws.shape == (400, 4)
    ratio = found.standard_errors[["Intercept", "x"]] / fit.standard_errors
    assert ((ratio > 0.85) & (ratio < 1.15)).all()
    assert found.draws.iloc[:3].equals(fit.bootstrap(3, seed=5).draws)
    y = fit.simulate(seed=5, n=2)
    direct = fit.refit(y[:, 1])
    assert found.draws.iloc[1, :2].to_numpy() == pytest.approx(direct.fixed_effects.to_numpy(), abs=1e-5)
    assert found.draws.iloc[1, 3] == pytest.approx(direct.residual_sd, abs=1e-6)
    limits = found.intervals(0.9)
    assert (limits["lower"] < limits["estimate"]).all()
    assert (limits["estimate"] < limits["upper"]).all()


def test_bootstrap_of_a_binomial_model_refits_it(data):
    fit = glmm("d ~ x + (1 | a)", data)
    found = fit.bootstrap(3, seed=2)
    direct = fit.refit(fit.simulate(seed=2, n=3)[:, 2])
    assert found.draws.iloc[2, :2].to_numpy() == pytest.approx(direct.fixed_effects.to_numpy(), abs=1e-4)
    assert found.draws.iloc[2, 2] ** 2 == pytest.approx(direct.variance("a"), abs=1e-4)


@pytest.mark.parametrize("method", ["laplace", "agq"])
@pytest.mark.parametrize("random", ["(1 | a)", "(1 + x | a)", "(1 | a/k)", "(1 | a/k/m)"])
def test_robust_covariance_from_the_clusters_own_likelihoods(data, random, method):
    """A cluster counted twice adds its own score to the gradient: the sandwich from that, cluster by cluster."""
    data, formula = data.assign(m=np.arange(len(data)) % 3), f"d ~ x + {random}"
    fit = glmm(formula, data, method=method, points=5 if method == "agq" else None)
    family = family_of("binomial", "logit")
    p, beta = len(fit.fixed_effects), scaled_beta(fit)

    def gradient(weights):
        design = build_design(formula, data, binomial=True, cluster_weights=weights)
        rule = quadrature_criterion(design, family, fit.points) if fit.points else LaplaceCriterion(design, family)
        g = rule.evaluate(beta, fit.theta).gradient
        return np.concatenate([np.linalg.inv(design.scaling.to_raw).T @ g[:p], g[p:]])

    ones = np.ones(10)
    scores = np.array([gradient(ones + np.eye(10)[j]) - gradient(ones) for j in range(10)])
    bread = np.concatenate([fit.covariance.to_numpy(), fit.covariance_cross], axis=1)
    expected = bread @ scores.T @ scores @ bread.T
    assert np.allclose(fit.cluster_robust(small_sample=False), expected, rtol=1e-6, atol=1e-10)
    assert np.allclose(fit.cluster_robust("a"), expected * 10 / 9, rtol=1e-6, atol=1e-10)
    codes = data["a"].map(lambda value: f"cluster {value}")
    assert np.allclose(fit.cluster_robust(codes), expected * 10 / 9, rtol=1e-6, atol=1e-10)


def test_the_bread_is_the_inverse_of_the_joint_information(data):
    fit = glmm("d ~ x + (1 | a)", data)
    design = fit.source.design
    criterion = LaplaceCriterion(design, family_of("binomial", "logit"))
    point = np.append(scaled_beta(fit), fit.theta)

    def gradient(v):
        return criterion.evaluate(v[:2], v[2:]).gradient

    rows = [(gradient(point - h) - gradient(point + h)) / 2e-4 for h in 1e-4 * np.eye(3)]
    inverse = np.linalg.inv(np.array(rows))
    expected = design.scaling.to_raw @ inverse[:2, 2:]
    assert np.allclose(fit.covariance_cross, expected, rtol=1e-3, atol=1e-7)


def test_robust_clusters_must_hold_whole_levels(data, binary):
    with pytest.raises(ModelError, match="whole levels"):
        binary.cluster_robust("a")
    with pytest.raises(ModelError, match="one a row"):
        binary.cluster_robust([1, 2])


def test_boundary_mixture():
    assert boundary_p_value(2.706, 1) == pytest.approx(0.05, abs=1e-4)  # Self & Liang 1987
    assert boundary_p_value(5.138, 2) == pytest.approx(0.05, abs=1e-4)  # Stram & Lee 1994
    assert boundary_p_value(0.0, 1) == 1.0


def test_variance_at_zero_is_no_evidence():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 10), "y": rng.normal(size=100)})
    data["y"] -= data.groupby("g")["y"].transform("mean")
    fit = lmm("y ~ 1 + (1 | g)", data)
    assert fit.singular
    assert fit.test_variance("g").to_dict() == {"chi_square": 0.0, "df": 1.0, "p_value": 1.0}
    assert fit.intervals("profile").loc["sd(Intercept | g)", "lower"] == 0.0
    assert np.isnan(fit.intervals().loc["sd(Intercept | g)", "lower"])
    assert np.isfinite(fit.coefficients()["df"]).all()


def test_partition_of_binomial_variance_against_draws(data):
    fit = glmm("d ~ 1 + (1 | a/k)", data)
    table = fit.icc().set_index("group")
    outer, inner = fit.variance("a"), fit.variance("a:k")
    latent = np.pi**2 / 3
    assert table.loc["a", "icc"] == pytest.approx(outer / (outer + inner + latent))
    assert table.loc["a:k", "cumulative_icc"] == pytest.approx((outer + inner) / (outer + inner + latent))
    assert table.loc["a", "cumulative_icc"] == table.loc["a", "icc"]
    rng = np.random.default_rng(0)
    m = 1_000_000
    eta = fit.linear_predictor[0] + np.sqrt(outer) * rng.standard_normal(m)
    one, two, three = (np.sqrt(inner) * rng.standard_normal(m) for _ in range(3))
    y = (rng.random(m) < special.expit(eta + one)).astype(float)
    same_inner = (rng.random(m) < special.expit(eta + one)).astype(float)
    same_outer = (rng.random(m) < special.expit(eta + two)).astype(float)
    assert np.isfinite(three).all()
    assert np.corrcoef(y, same_outer)[0, 1] == pytest.approx(table.loc["a", "icc_observed"], abs=5e-3)
    assert np.corrcoef(y, same_inner)[0, 1] == pytest.approx(table.loc["a:k", "cumulative_icc_observed"], abs=5e-3)
    assert table.loc["a", "median_odds_ratio"] == pytest.approx(np.exp(0.6744897502 * np.sqrt(2 * outer)))


def test_partition_of_counts(counts):
    table = counts.icc().iloc[0]
    variance = counts.variance("a")
    eta = counts.linear_predictor.mean()
    mean = np.exp(eta + variance / 2)
    assert table["icc"] == pytest.approx(variance / (variance + np.log(1 + 1 / mean)))
    rng = np.random.default_rng(0)
    rate = np.exp(eta + np.sqrt(variance) * rng.standard_normal(2_000_000))
    pair = rng.poisson(rate), rng.poisson(rate)
    assert np.corrcoef(*pair)[0, 1] == pytest.approx(table["icc_observed"], abs=5e-3)


def test_summary_shows_what_was_asked(linear, binary):
    page = linear.summary()
    for part in ("Linear mixed model by REML", "Satterthwaite", "Residual", "levels: a 10, c 6", "P(>|t|)", "Corr"):
        assert part in page
    page = binary.summary()
    for part in ("Family:  binomial (logit)", "P(>|z|)", "Correlation of fixed effects", "Newton decrement"):
        assert part in page
    assert f"{binary.fixed_effects['x']:.6g}" in page


def test_wald_intervals(linear):
    table = linear.intervals(level=0.9)
    half = stats.norm.ppf(0.95) * linear.standard_errors["x"]
    assert table.loc["x", "upper"] - table.loc["x", "estimate"] == pytest.approx(half)
    assert ((table["lower"] < table["estimate"]) & (table["estimate"] < table["upper"])).all()
    assert set(table["kind"]) == {"fixed", "sd", "correlation", "sigma"}
    one = linear.intervals("profile", parameters=["x"])
    assert list(one.index) == ["x"]
    with pytest.raises(ModelError, match="names among"):
        linear.intervals(parameters=["nothing"])


def test_contrasts(linear, binary):
    L = np.array([[0, 0, 1.0, -1.0]])
    single = linear.test(L)
    value = float(L[0] @ linear.fixed_effects.to_numpy())
    variance = float(L[0] @ linear.covariance.to_numpy() @ L[0])
    assert single["statistic"] == pytest.approx(value**2 / variance)
    wald = binary.test(["x"])
    z = binary.fixed_effects["x"] / binary.standard_errors["x"]
    assert wald["p_value"] == pytest.approx(2 * stats.norm.sf(abs(z)))
    with pytest.raises(ModelError, match="normal for a generalized"):
        binary.test(["x"], "kenward_roger")
    with pytest.raises(ModelError, match="terms among"):
        linear.test(["weight"])

"""The compiled estimating equations against the textbook in dense numpy, cluster by cluster, with full inverses."""

from __future__ import annotations

import numba
import numpy as np
import pandas as pd
import pytest
from scipy import linalg, stats
from threadpoolctl import threadpool_limits

from profiling import gee
from profiling.errors import ModelError

CORRELATIONS = ["independence", "exchangeable", "ar1", "m_dependent", "unstructured", "nested_exchangeable", "fixed"]
GIVEN = linalg.toeplitz([1.0, 0.5, 0.3, 0.2, 0.1, 0.05])


@pytest.fixture(autouse=True)
def _one_blas_thread():
    # Hundreds of tiny matrices: threads of BLAS would only wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def generate(family: str = "binomial", seed: int = 3, clusters: int = 40) -> pd.DataFrame:
    """Clusters of unequal sizes with occasions left out, inner blocks, weights and offset."""
    rng = np.random.default_rng(seed)
    occasions = 6
    grid = pd.DataFrame({"g": np.repeat(np.arange(clusters), occasions), "t": np.tile(np.arange(occasions), clusters)})
    data = grid[rng.random(len(grid)) < 0.7].copy()
    data["inner"] = data["t"] // 3
    effect, slow = rng.normal(size=clusters), rng.normal(size=(clusters, 2))
    data["x"] = 50 + 10 * rng.normal(size=len(data))
    data["z"] = rng.normal(size=clusters)[data["g"]]
    data["w"] = rng.integers(1, 4, len(data)).astype(float)
    data["o"] = 0.1 * rng.normal(size=len(data))
    codes = data["g"].to_numpy(), data["inner"].to_numpy()
    eta = 0.03 * (data["x"] - 50) + 0.4 * data["z"] + data["o"] + 0.6 * effect[codes[0]] + 0.4 * slow[codes]
    if family == "binomial":
        data["y"] = rng.binomial(1, 1 / (1 + np.exp(-eta)))
    elif family == "poisson":
        data["y"] = rng.poisson(np.exp(eta))
    else:
        data["y"] = eta + rng.normal(size=len(data))
    return data.sample(frac=1, random_state=seed)


def fit(data: pd.DataFrame, family: str, correlation: str, **options):
    groups = ["g", "inner"] if correlation == "nested_exchangeable" else "g"
    return gee(
        "y ~ x + z",
        data,
        groups,
        family=family,
        working_correlation=correlation,
        time="t",
        weights="w",
        offset="o",
        lags=2,
        correlation=GIVEN,
        **options,
    )


def textbook(data: pd.DataFrame, result):
    """Per cluster: D (m, p) and r (m), both divided by the root of v/w; R (m, m); all in the order of rows."""
    X = np.column_stack([np.ones(len(data)), data["x"], data["z"]])
    eta = X @ result.fixed_effects.to_numpy() + data["o"].to_numpy()
    y, w, t, inner = (data[name].to_numpy(float) for name in ("y", "w", "t", "inner"))
    if result.family == "binomial":
        mu = 1 / (1 + np.exp(-eta))
        slope = variance = mu * (1 - mu)
    elif result.family == "poisson":
        mu = slope = variance = np.exp(eta)
    else:
        mu, slope, variance = eta, np.ones(len(eta)), np.ones(len(eta))
    unit = np.sqrt(w / variance)
    for g in np.unique(data["g"]):
        own = np.flatnonzero(data["g"] == g)
        R = correlations_of(result, t[own], inner[own])
        yield (unit * slope)[own, None] * X[own], (unit * (y - mu))[own], R, w[own], t[own]


def correlations_of(result, t: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """R of one cluster by the definition of each structure."""
    alpha, lag = result.working_correlation_parameters, np.abs(np.subtract.outer(t, t))
    early, late = np.minimum.outer(t, t), np.maximum.outer(t, t)
    if result.working_correlation == "fixed":
        return GIVEN[np.ix_(t.astype(int), t.astype(int))]
    R = {
        "independence": lambda: np.zeros(lag.shape),
        "exchangeable": lambda: np.full(lag.shape, alpha["alpha"]),
        "ar1": lambda: alpha["alpha"] ** lag,
        "m_dependent": lambda: np.select([lag == 1, lag == 2], [alpha["lag 1"], alpha["lag 2"]]),
        "nested_exchangeable": lambda: np.where(np.equal.outer(inner, inner), alpha["g:inner"], alpha["g"]),
        "unstructured": lambda: np.vectorize(lambda a, b: alpha.get(f"{a:g}:{b:g}", 1.0))(early, late),
    }[result.working_correlation]()
    np.fill_diagonal(R, 1.0)
    return R


def root(matrix: np.ndarray, power: float) -> np.ndarray:
    return np.real(linalg.fractional_matrix_power(matrix, power))


def dense_covariances(data: pd.DataFrame, result) -> dict[str, np.ndarray]:
    parts = [(D, r, np.linalg.inv(R)) for D, r, R, _, _ in textbook(data, result)]
    H = sum(D.T @ V @ D for D, _, V in parts)
    M = np.linalg.inv(H)
    meats = dict.fromkeys(("robust", "mancl_derouen", "kauermann_carroll", "fay_graubard"), 0.0)
    for D, r, V in parts:
        # The hat matrix of the cluster, (m, m): the corrections as their authors write them.
        rest = np.eye(len(r)) - D @ M @ D.T @ V
        Q = D.T @ V @ D @ M
        shrink = np.diag(1 / np.sqrt(1 - np.minimum(0.75, np.diag(Q))))
        scores = {
            "robust": D.T @ V @ r,
            "mancl_derouen": D.T @ V @ np.linalg.solve(rest, r),
            "kauermann_carroll": D.T @ V @ root(rest, -0.5) @ r,
            "fay_graubard": shrink @ (D.T @ V @ r),
        }
        for name, score in scores.items():
            meats[name] = meats[name] + np.outer(score, score)
    return {"model": result.scale * M, **{name: M @ meat @ M for name, meat in meats.items()}}


@pytest.mark.parametrize("correlation", CORRELATIONS)
@pytest.mark.parametrize("family", ["binomial", "poisson", "gaussian"])
def test_equation_moments_and_sandwich(family, correlation):
    data = generate(family, clusters=150 if correlation == "unstructured" else 40)
    result = fit(data, family, correlation)
    assert result.converged
    parts = list(textbook(data, result))
    score = sum(D.T @ np.linalg.solve(R, r) for D, r, R, _, _ in parts)
    information = sum(D.T @ np.linalg.solve(R, D) for D, _, R, _, _ in parts)
    # The equation is solved: what is left moves no coefficient by 1e-6 standard errors.
    assert np.sqrt(score @ np.linalg.solve(information, score) / result.scale) < 1e-6
    squares, weight = sum(r @ r for _, r, _, _, _ in parts), data["w"].sum()
    assert result.scale == pytest.approx(squares / weight, rel=1e-6)
    np.testing.assert_allclose(result.robust_covariance, dense_covariances(data, result)["robust"], rtol=1e-6)


def test_correlations_are_weighted_moments_of_pairs():
    data = generate("gaussian")
    result = fit(data, "gaussian", "exchangeable")
    products = weights = 0.0
    for _, r, _, w, _ in textbook(data, result):
        upper = np.triu_indices(len(r), 1)
        products += np.outer(np.sqrt(w) * r, np.sqrt(w) * r)[upper].sum()
        weights += np.outer(w, w)[upper].sum()
    assert result.working_correlation_parameters["alpha"] == pytest.approx(products / weights / result.scale, rel=1e-6)


def test_autoregression_solves_its_moment_equation_over_all_pairs():
    data = generate("gaussian")
    result = fit(data, "gaussian", "ar1")
    rho, total, size = result.working_correlation_parameters["alpha"], 0.0, 0.0
    for _, r, _, w, t in textbook(data, result):
        upper = np.triu_indices(len(r), 1)
        gap = np.abs(np.subtract.outer(t, t))[upper]
        z = np.outer(r / np.sqrt(w), r / np.sqrt(w))[upper] / result.scale
        slope = np.outer(w, w)[upper] * gap * rho ** (gap - 1)
        total, size = total + (slope * (z - rho**gap)).sum(), size + slope.sum()
    assert abs(total / size) < 1e-6


@pytest.mark.parametrize("correlation", ["exchangeable", "ar1", "unstructured"])
@pytest.mark.parametrize("covariance", ["model", "mancl_derouen", "kauermann_carroll", "fay_graubard"])
def test_corrected_covariances_as_their_authors_write_them(covariance, correlation):
    data = generate("binomial")
    result = fit(data, "binomial", correlation, covariance=covariance)
    np.testing.assert_allclose(result.covariance, dense_covariances(data, result)[covariance], rtol=1e-6)


def test_times_between_whole_numbers():
    data = generate("gaussian").assign(t=lambda d: d["t"] * 0.5 + 0.1 * (d["t"] > 2))
    result = fit(data, "gaussian", "ar1")
    assert result.converged
    np.testing.assert_allclose(result.robust_covariance, dense_covariances(data, result)["robust"], rtol=1e-6)


def test_wald_and_score_tests():
    data = generate("binomial")
    result = fit(data, "binomial", "exchangeable")
    beta, V = result.fixed_effects.to_numpy()[1:], result.robust_covariance.to_numpy()[1:, 1:]
    wald = result.wald_test(["x", "z"])
    assert wald.statistic == pytest.approx(beta @ np.linalg.solve(V, beta))
    assert wald.p_value == pytest.approx(stats.chi2.sf(wald.statistic, 2))
    # The score of the null fit, with the textbook's matrices of the whole model at the null's estimates.
    null = gee("y ~ z", data, "g", weights="w", offset="o")
    at_null = fit(data, "binomial", "exchangeable")
    estimates = pd.Series([null.fixed_effects["Intercept"], 0.0, null.fixed_effects["z"]], at_null.fixed_effects.index)
    object.__setattr__(at_null, "fixed_effects", estimates)
    object.__setattr__(at_null, "working_correlation_parameters", null.working_correlation_parameters)
    parts = [(D.T @ np.linalg.solve(R, r), D.T @ np.linalg.solve(R, D)) for D, r, R, _, _ in textbook(data, at_null)]
    score, M = sum(u for u, _ in parts), np.linalg.inv(sum(h for _, h in parts))
    meat = sum(np.outer(u, u) for u, _ in parts)
    expected = (M @ score)[1] ** 2 / (M @ meat @ M)[1, 1]
    assert result.score_test("x").statistic == pytest.approx(expected, rel=1e-5)
    assert result.score_test(np.array([[0.0, 1.0, 0.0]])).statistic == pytest.approx(expected, rel=1e-5)
    # At the estimate itself there is nothing to find.
    assert result.score_test("x", result.fixed_effects["x"]).statistic == pytest.approx(0, abs=1e-8)


def test_criteria_at_the_estimates():
    data = generate("binomial")
    result = fit(data, "binomial", "exchangeable")
    D = np.concatenate([part[0] for part in textbook(data, result)])
    trace = np.trace(D.T @ D / result.scale @ result.robust_covariance.to_numpy())
    mu, y = result.fitted_values, data["y"].to_numpy()
    quasi = (data["w"] * np.log(np.where(y == 1, mu, 1 - mu))).sum()
    assert result.cic == pytest.approx(trace, rel=1e-8)
    assert result.qic == pytest.approx(-2 * quasi + 2 * trace, rel=1e-8)
    assert result.qicu == pytest.approx(-2 * quasi + 6, rel=1e-8)


def test_a_fixed_scale_moves_the_model_errors_only():
    data = generate("poisson")
    free, fixed = fit(data, "poisson", "independence"), fit(data, "poisson", "independence", scale=1.0)
    np.testing.assert_allclose(free.robust_standard_errors, fixed.robust_standard_errors, rtol=1e-6)
    np.testing.assert_allclose(free.model_standard_errors, fixed.model_standard_errors * free.scale**0.5, rtol=1e-6)


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_the_order_of_rows_and_the_number_of_threads_change_no_bit(correlation):
    data = generate("binomial")
    several = fit(data, "binomial", correlation)
    again = fit(data.iloc[::-1], "binomial", correlation)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        alone = fit(data, "binomial", correlation)
    finally:
        numba.set_num_threads(threads)
    assert (several.fixed_effects == alone.fixed_effects).all()
    assert (several.covariance == alone.covariance).all(axis=None)
    np.testing.assert_allclose(several.fixed_effects, again.fixed_effects, rtol=1e-9)
    np.testing.assert_allclose(several.fitted_values, again.fitted_values[::-1], rtol=1e-9)


def test_units_of_covariates_do_not_matter():
    data = generate("binomial")
    plain, scaled = fit(data, "binomial", "exchangeable", covariance="fay_graubard"), None
    scaled = fit(data.assign(x=data["x"] * 1e6 + 1e8), "binomial", "exchangeable")
    assert scaled.fixed_effects["x"] * 1e6 == pytest.approx(plain.fixed_effects["x"], rel=1e-6)
    assert scaled.standard_errors["x"] * 1e6 == pytest.approx(plain.robust_standard_errors["x"], rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"working_correlation": "toeplitz"}, "working_correlation: 'toeplitz'; expected one of independence"),
        ({"covariance": "hc3"}, "covariance: 'hc3'; expected one of robust"),
        ({"groups": "ward"}, "groups: no column 'ward'"),
        ({"time": "hour"}, "time: no column 'hour'"),
        ({"groups": ["g", "inner"]}, r"groups: 2 columns \(g, inner\) for exchangeable"),
        ({"working_correlation": "nested_exchangeable"}, "groups: 1 columns"),
        ({"working_correlation": "ar1", "time": "inner"}, "rows at the same time as another of their cluster"),
        ({"working_correlation": "fixed"}, "correlation: nothing; expected a 6 x 6 matrix"),
        ({"formula": "y ~ x + (1 | g)"}, "fixed terms only"),
        ({"formula": "w ~ x"}, "outcome w: values outside of 0 to 1"),
        ({"scale": -1.0}, "a scale above zero"),
        ({"weights": [-1.0] * 10}, "weights: 10 values"),
        ({"family": "negative_binomial"}, "kappa above zero"),
    ],
)
def test_what_is_refused(change, message):
    arguments = {"formula": "y ~ x", "data": generate(), "groups": "g", "time": "t"} | change
    with pytest.raises(ModelError, match=message):
        gee(**arguments)


def test_few_clusters_and_dependent_terms_are_named_and_the_summary_reads():
    data = generate("binomial").assign(copy=lambda d: 2 * d["x"])
    result = gee("y ~ x + copy", data, "g", weights="w")
    assert {note.code for note in result.diagnostics} == {"rank_deficient", "few_clusters"}
    text = result.summary()
    assert "in 40 clusters (g)" in text
    assert "mancl_derouen" in text
    assert result.n_clusters == 40

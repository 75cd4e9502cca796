"""A share of variance as a coordinate: slopes against differences, its profile against plain constrained search."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

from profiling import glmm, lmm
from profiling.modeling.families import family_of
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.partition import latent_residual, observed_share, partition
from profiling.modeling.partition_intervals import _share
from profiling.modeling.share_coordinates import ShareCoordinates, UnreachableError
from profiling.modeling.state import scaled_beta, source_of


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    g, k = rng.integers(0, 15, 500), rng.integers(0, 25, 500)
    x = rng.normal(size=500)
    eta = 0.3 * x + 0.6 * rng.normal(size=15)[g] + 0.8 * x * rng.normal(size=15)[g] + 0.5 * rng.normal(size=25)[k]
    visits = rng.poisson(np.exp(eta) * rng.gamma(3, 1 / 3, 500)).astype(float)
    died = (rng.random(500) < special.expit(eta)).astype(float)
    return pd.DataFrame({"g": g, "k": k, "x": x, "y": eta + rng.normal(size=500), "visits": visits, "died": died})


@pytest.mark.parametrize("observed", [False, True])
@pytest.mark.parametrize("inside", [[0], [1], [0, 1]])
def test_the_share_stands_alone_and_its_slopes_are_the_differences(data, inside, observed):
    fit = glmm("died ~ x + (1 + x | g) + (1 | k)", data)
    share = _share(fit, 0.2, inside, observed)
    covariance = ShareCoordinates(source_of(fit).design.form, share, fit.theta)
    z = covariance.from_theta(fit.theta, 0.01)
    np.testing.assert_allclose(covariance.to_theta(z), fit.theta, atol=1e-8)
    z = z + np.linspace(-0.3, 0.4, len(z))
    part, total, _ = covariance.variances(covariance.to_theta(z))
    assert special.logit(share.of(part, total, share.shape)) == pytest.approx(z[covariance.target], abs=1e-8)
    steps = np.eye(len(z)) * 1e-5
    J = np.stack([(covariance.to_theta(z + e) - covariance.to_theta(z - e)) / 2e-5 for e in steps], axis=1)
    np.testing.assert_allclose(covariance.jacobian(z), J, atol=1e-6)
    z[covariance.target] = -40.0
    assert (covariance.to_theta(z)[covariance.own] == 0).all()


def test_a_share_of_counts_for_which_the_other_factor_leaves_no_room(data):
    fit = glmm("visits ~ x + (1 | g) + (1 | k)", data, family="poisson")
    covariance = ShareCoordinates(source_of(fit).design.form, _share(fit, 0.2, [0], True), fit.theta)
    z = covariance.from_theta(fit.theta, 0.01)
    z[covariance.target], z[1 - covariance.target] = 3.0, 0.5
    with pytest.raises(UnreachableError):
        covariance.to_theta(z)


@pytest.mark.parametrize(("family", "column"), [("poisson", "icc_observed"), ("negative_binomial", "icc")])
def test_at_the_limits_a_constrained_search_has_fallen_by_half_the_quantile(data, family, column):
    fit = glmm("visits ~ x + (1 | g) + (1 | k)", data, family=family)
    table, eta = fit.icc(intervals="profile").set_index("group"), float(np.average(fit.linear_predictor))
    design = source_of(fit).design
    order = [factor.name for factor in design.factors]
    shaped = family == "negative_binomial"

    def value(x: np.ndarray) -> float:
        chosen = family_of(family, None, float(np.exp(x[-1]))) if shaped else family_of(family, None)
        return LaplaceCriterion(design, chosen).evaluate(x[:2], np.exp(x[2:4])).value

    def odds(x: np.ndarray) -> float:
        variance = np.exp(2 * x[2:4])
        part, total = variance[order.index("g")], variance.sum()
        model = fit
        if shaped:
            model = type(fit)(**{**fit.__dict__, "dispersion": float(np.exp(x[-1]))})
        if column == "icc_observed":
            return float(special.logit(observed_share(model, eta, part, total)))
        return float(special.logit(part / (total + latent_residual(model, eta, total))))

    start = np.concatenate([scaled_beta(fit), np.log(fit.theta), [np.log(fit.dispersion)] if shaped else []])
    for side in ("lower", "upper"):
        limit = float(special.logit(table.loc["g", f"{column}_{side}"]))
        held = {"type": "eq", "fun": lambda x, limit=limit: odds(x) - limit}
        options = {"ftol": 1e-9, "eps": 1e-6}
        found = optimize.minimize(lambda x: -value(x), start, method="SLSQP", constraints=[held], options=options)
        assert value(start) + found.fun == pytest.approx(stats.chi2.ppf(0.95, 1) / 2, abs=2e-3)


def test_a_share_of_zero_reaches_zero_and_has_an_upper_limit(data):
    flat = data.assign(y=data["y"] - data.groupby("g")["y"].transform("mean"))
    table = lmm("y ~ x + (1 | g) + (1 | k)", flat).icc(intervals="profile").set_index("group")
    assert table.loc["g", "icc_lower"] == 0 < table.loc["g", "icc_upper"] < 0.1
    assert 0 < table.loc["k", "icc_lower"] < table.loc["k", "icc"] < table.loc["k", "icc_upper"]


def test_observed_shares_of_counts_with_enormous_variance_are_finite(data):
    fit = glmm("visits ~ x + (1 | g)", data, family="poisson")
    assert observed_share(fit, 0.0, 900.0, 1000.0) == pytest.approx(np.exp(-100), rel=1e-6)
    part, total = float(partition(fit)["variance"].iloc[0]), float(partition(fit)["variance"].iloc[0])
    plain = np.expm1(part) / (np.exp(-(0.3 + total / 2)) + np.expm1(total))
    assert observed_share(fit, 0.3, part, total) == pytest.approx(plain, rel=1e-12)

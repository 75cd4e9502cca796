"""Population-averaged figures of a mixed model against quadrature, closed forms, differences and GEE."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

from profiling import gee, glmm
from profiling.modeling.marginal import marginal
from profiling.modeling.smoothing import smoothed_means

LINKS = {
    0: special.expit,
    1: stats.norm.cdf,
    2: lambda eta: -np.expm1(-np.exp(np.minimum(eta, 700))),
    3: np.exp,
}


@pytest.mark.parametrize("code", LINKS)
@pytest.mark.parametrize("tau", [0.2, 1.0, 3.0])
def test_smoothed_means_against_adaptive_quadrature(code, tau):
    eta = np.array([-4.0, -0.3, 2.0])
    found = smoothed_means(code, eta, np.full(3, tau**2))
    for i, centre in enumerate(eta):
        value, _ = integrate.quad(
            lambda z, at: LINKS[code](at + tau * z) * stats.norm.pdf(z),
            -12,
            12,
            args=(centre,),
            epsabs=1e-13,
            limit=400,
        )
        assert found[i, 0] == pytest.approx(value, rel=1e-9, abs=1e-11)
    step = 1e-4
    for order in range(3):
        high, low = (smoothed_means(code, eta + s, np.full(3, tau**2))[:, order] for s in (step, -step))
        np.testing.assert_allclose(found[:, order + 1], (high - low) / (2 * step), rtol=1e-5, atol=1e-8)


def generate(sigma: float, link: str = "logit", seed: int = 5, clusters: int = 150, size: int = 20) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(clusters), size)
    x, treated = rng.normal(size=len(g)), rng.integers(0, 2, len(g))
    eta = -0.5 + 0.8 * x + 0.6 * treated + sigma * rng.normal(size=clusters)[g]
    return pd.DataFrame(
        {"g": g, "x": x, "treated": treated, "y": rng.random(len(g)) < LINKS[link == "probit"](eta)}
    ).astype({"y": float})


def test_probit_has_a_closed_form():
    fit = glmm("y ~ x + treated + (1 | g)", generate(1.2, "probit"), link="probit")
    found = marginal(fit)
    shrink = 1 / np.sqrt(1 + fit.variance("g"))
    np.testing.assert_allclose(found.coefficients["marginal"], fit.fixed_effects * shrink, rtol=1e-9)
    np.testing.assert_allclose(found.coefficients["attenuation_error"], 0, atol=1e-9)
    np.testing.assert_allclose(found.probabilities, stats.norm.cdf(fit.linear_predictor * shrink), rtol=1e-10)


def nudged(fit, beta, theta):
    """The fit with other estimates, everything else as it was."""
    change = fit.linear_predictor.copy()
    order, scaling = fit.source.design.order, fit.source.design.scaling
    raw = fit.source.design.X * scaling.scale + scaling.center
    change[order] = fit.linear_predictor[order] + raw @ (beta - fit.fixed_effects.to_numpy())
    return replace(fit, fixed_effects=pd.Series(beta, fit.fixed_effects.index), theta=theta, linear_predictor=change)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_standard_errors_are_the_delta_method(link):
    fit = glmm("y ~ x + treated + (1 + x | g)", generate(0.8, link), link=link)
    found, beta, theta = marginal(fit), fit.fixed_effects.to_numpy(), fit.theta
    J, E, step = [], [], 1e-4
    for k in range(len(beta) + len(theta)):
        move = np.zeros(len(beta) + len(theta))
        move[k] = step
        ends = [marginal(nudged(fit, beta + s * move[: len(beta)], theta + s * move[len(beta) :])) for s in (1, -1)]
        J.append((ends[0].coefficients["marginal"] - ends[1].coefficients["marginal"]) / (2 * step))
        E.append((ends[0].effects["effect"] - ends[1].effects["effect"]) / (2 * step))
    joint = np.block(
        [[fit.covariance.to_numpy(), fit.covariance_cross], [fit.covariance_cross.T, fit.covariance_theta]]
    )
    J, E = np.array(J).T, np.array(E).T
    np.testing.assert_allclose(found.covariance, J @ joint @ J.T, rtol=1e-4, atol=1e-9)
    errors = np.sqrt(np.diag(E[1:] @ joint @ E[1:].T))
    np.testing.assert_allclose(found.effects["standard_error"][1:], errors, rtol=1e-4)


def test_average_effects_by_direct_averaging():
    data = generate(1.0)
    fit = glmm("y ~ x + treated + (1 | g)", data)
    found, beta, variance = marginal(fit), fit.fixed_effects, np.full(len(data), fit.variance("g"))
    base = beta["Intercept"] + beta["x"] * data["x"].to_numpy()
    high, low = (smoothed_means(0, base + beta["treated"] * value, variance)[:, 0].mean() for value in (1, 0))
    assert found.effects.loc["treated", "effect"] == pytest.approx(high - low, rel=1e-9)
    assert found.effects.loc["treated", "kind"] == "change"
    up, down = (smoothed_means(0, fit.linear_predictor + s * beta["x"], variance)[:, 0].mean() for s in (1e-4, -1e-4))
    assert found.effects.loc["x", "effect"] == pytest.approx((up - down) / 2e-4, rel=1e-6)


@pytest.mark.parametrize("sigma", [0.2, 1.0, 2.0, 3.0])
def test_gee_estimates_what_the_mixed_model_implies(sigma):
    # Both estimate the same three numbers from the same draws; ten draws give the error of their mean difference.
    differences, approximations = [], []
    for seed in range(10):
        data = generate(sigma, seed=100 + seed, clusters=300, size=30)
        implied = marginal(glmm("y ~ x + treated + (1 | g)", data)).coefficients
        observed = gee("y ~ x + treated", data, "g", working_correlation="independence").fixed_effects
        differences.append(observed.to_numpy() - implied["marginal"].to_numpy())
        approximations.append(implied["attenuation_error"].to_numpy())
    mean, error = np.mean(differences, axis=0), np.std(differences, axis=0, ddof=1) / np.sqrt(len(differences))
    assert (np.abs(mean) < 3 * error).all()
    assert np.abs(np.mean(approximations, axis=0)).max() < 0.04


def test_a_log_link_moves_the_intercept_by_half_the_variance():
    data = generate(0.5).assign(
        events=lambda d: np.random.default_rng(9).poisson(np.exp(0.3 * d["x"] + d["g"] % 3 / 3))
    )
    fit = glmm("events ~ x + (1 | g)", data, family="poisson")
    table = marginal(fit).coefficients
    shift = table["marginal"] - table["conditional"]
    np.testing.assert_allclose(shift, [fit.variance("g") / 2, 0], atol=1e-9)
    np.testing.assert_allclose(table["attenuation_error"], 0, atol=1e-9)


def test_the_fit_gives_it_itself():
    fit = glmm("y ~ x + (1 | g)", generate(1.0, clusters=40))
    pd.testing.assert_frame_equal(fit.marginal().coefficients, marginal(fit).coefficients)

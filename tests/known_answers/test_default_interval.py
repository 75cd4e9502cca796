"""The posterior with every parameter integrated out, against brute force over the whole model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from profiling.assessment import ProfileOptions, profile_providers
from profiling.assessment.mixture import EffectMixture, draw_effects, mixture_posterior
from profiling.assessment.mixture_of_fit import effect_mixture
from profiling.assessment.rows_of_fit import rows_of_fit
from profiling.modeling import glmm, lmm
from profiling.modeling.variance_grid import variance_grid

SIZE = np.array([12, 25, 40, 60, 18, 90, 35, 50, 28, 75, 44, 33])
EVENTS = np.array([4, 3, 11, 9, 1, 21, 2, 14, 5, 8, 12, 3])


def one_level(seed: int = 3, hospitals: int = 30, cases: int = 60, sigma: float = 0.4) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    hospital = np.repeat(np.arange(hospitals), cases)
    x, b = random.normal(size=len(hospital)), random.normal(0, sigma, hospitals)
    y = random.random(len(hospital)) < special.expit(-1.5 + 0.5 * x + b[hospital])
    return pd.DataFrame({"y": y.astype(int), "x": x, "hospital": hospital})


def brute_force(which: int, beta: np.ndarray, sigma: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distribution of one effect on the points `b`, flat in the intercept and in sigma², by sums over a grid."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights = weights / weights.sum()
    density = np.zeros(len(b))
    for s in sigma:
        eta = beta[:, None] + s * nodes
        others = np.zeros(len(beta))
        for j in range(len(SIZE)):
            if j != which:
                log = EVENTS[j] * eta - SIZE[j] * np.logaddexp(0, eta)
                top = log.max(axis=1, keepdims=True)
                others += top[:, 0] + np.log(np.exp(log - top) @ weights)
        own = beta[:, None] + b
        mine = EVENTS[which] * own - SIZE[which] * np.logaddexp(0, own) + stats.norm.logpdf(b, 0, s)
        density += s * np.exp(mine + others[:, None] + 330.0).sum(axis=0)
    return density / density.sum()


def test_full_posterior_against_brute_force_over_intercept_sigma_and_effect() -> None:
    rows = np.repeat(np.arange(12), SIZE)
    first = np.concatenate([[0], np.cumsum(SIZE)[:-1]])
    y = (np.arange(len(rows)) - first[rows] < EVENTS[rows]).astype(int)
    fit = glmm("y ~ 1 + (1 | hospital)", pd.DataFrame({"y": y, "hospital": rows}), method="agq")
    shape = rows_of_fit(fit, "hospital", ProfileOptions())
    mixture = effect_mixture(fit, "hospital", ProfileOptions(), shape, variance_grid(fit))
    probabilities = (0.025, 0.25, 0.5, 0.75, 0.975)
    found = mixture_posterior(mixture, np.zeros(12), probabilities)
    b = np.linspace(-3.5, 3.5, 1401)
    for which in (0, 4, 5):
        density = brute_force(which, np.linspace(-3.2, 0.2, 121), np.linspace(0.0125, 3.0, 240), b)
        cumulative = np.cumsum(density) - density / 2
        at_quantiles = np.interp(found.quantiles[which], b, cumulative)
        assert at_quantiles == pytest.approx(np.array(probabilities), abs=0.01)
        assert found.mean[which] == pytest.approx(density @ b, abs=0.02)
        assert found.above[which] == pytest.approx(1 - np.interp(0, b, cumulative), abs=0.01)


def test_weights_do_not_depend_on_the_step() -> None:
    fit = glmm("y ~ x + (1 | hospital)", one_level())
    import profiling.modeling.variance_grid as module

    moments = []
    for step in (1.2, 0.3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "STEP", (step, step, step))
            grid = variance_grid(fit)
        sd = grid.sd[:, 0]
        moments.append([grid.weight @ sd, np.sqrt(grid.weight @ sd**2 - (grid.weight @ sd) ** 2)])
        assert grid.weight.sum() == pytest.approx(1)
    assert moments[0] == pytest.approx(moments[1], rel=0.03)


def test_a_variance_estimated_as_zero_leaves_an_interval() -> None:
    table = one_level(seed=5, hospitals=25, cases=40, sigma=0.0)
    for seed in range(40):
        table = one_level(seed, hospitals=25, cases=40, sigma=0.0)
        fit = glmm("y ~ x + (1 | hospital)", table)
        if fit.singular:
            break
    assert fit.singular
    full = profile_providers(fit, "hospital")
    plug_in = profile_providers(fit, "hospital", ProfileOptions(posterior="plug_in"))
    assert (plug_in["ratio_upper"] == plug_in["ratio_lower"]).all()
    assert ((full["ratio_lower"] < 1) & (full["ratio_upper"] > 1)).all()
    grid = variance_grid(fit)
    assert grid.evaluations <= 30


def test_linear_model_against_a_dense_integral() -> None:
    """Balanced one-way layout: given θ the mean of b_j is closed, and so is the restricted likelihood."""
    random = np.random.default_rng(8)
    groups, n = 15, 6
    code = np.repeat(np.arange(groups), n)
    y = 2 + random.normal(0, 0.5, groups)[code] + random.normal(size=groups * n)
    fit = lmm("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": code}))
    grid = variance_grid(fit)
    means = y.reshape(groups, n).mean(axis=1)
    within, between = ((y.reshape(groups, n) - means[:, None]) ** 2).sum(), n * ((means - means.mean()) ** 2).sum()
    theta = np.linspace(0, 4, 4001)
    ratio = 1 + n * theta**2
    log = -(groups - 1) / 2 * np.log(ratio) - (groups * n - 1) / 2 * np.log(within + between / ratio)
    weight = np.exp(log - log.max()) * theta
    weight /= weight.sum()
    shrunk = (weight @ (1 - 1 / ratio)) * (means - means.mean())
    assert grid.table("g", "mode") @ grid.weight == pytest.approx(shrunk, abs=0.01 * np.ptp(shrunk))


def test_two_levels_share_one_lattice_and_draws_agree_with_the_mixture() -> None:
    random = np.random.default_rng(1)
    table = one_level(2, 30, 120, 0.3)
    table["physician"] = table["hospital"] * 4 + random.integers(0, 4, len(table))
    fit = glmm("y ~ x + (1 | hospital) + (1 | physician)", table)
    grid = variance_grid(fit)
    assert set(grid.groups) == {"hospital", "physician"}
    options = ProfileOptions(outer="hospital", inner="physician")
    rows = rows_of_fit(fit, "physician", options)
    mixture = effect_mixture(fit, "physician", options, rows, grid)
    generator = np.random.default_rng(0)
    draws = np.array([draw_effects(mixture, generator) for _ in range(4000)])
    found = mixture_posterior(mixture, np.zeros(120), (0.025, 0.975))
    assert draws.mean(axis=0) == pytest.approx(found.mean, abs=0.03)
    assert draws.std(axis=0) == pytest.approx(found.sd, rel=0.08)


def test_skewed_part_has_its_three_moments() -> None:
    mixture = EffectMixture(np.ones(1), np.array([[0.3]]), np.array([[0.5]]), np.array([[0.4]]))
    probabilities = tuple((np.arange(4000) + 0.5) / 4000)
    values = mixture_posterior(mixture, np.zeros(1), probabilities).quantiles[0]
    assert values.mean() == pytest.approx(0.3, abs=1e-3)
    assert values.std() == pytest.approx(0.5, rel=1e-2)
    assert stats.skew(values) == pytest.approx(0.4, abs=0.02)

"""Ranks: all pairs against the grid and draws, sets that cover, joint draws against exact covariances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from profiling.assessment.mixture import gaussian_mixture
from profiling.assessment.rank_confidence import _largest_difference, simultaneous_rank_sets, triple_goal
from profiling.assessment.rank_grid import expected_ranks_on_grid
from profiling.assessment.rank_summary import (
    _drawn_positions,
    _summaries,
    mixture_draws,
    posterior_ranks,
    probability_higher,
    probability_higher_by_draws,
)
from profiling.assessment.ranks import expected_ranks
from profiling.errors import ModelError
from profiling.modeling import glmm, lmm
from profiling.modeling.joint_draws import joint_draws


@pytest.mark.parametrize("kind", ["uniform", "gamma", "equal"])
def test_grid_against_all_pairs_of_5000(kind: str) -> None:
    random = np.random.default_rng(0)
    n = 5000
    variance = {"uniform": random.uniform(0.01, 0.09, n), "gamma": random.gamma(2, 0.02, n) + 1e-4}.get(
        kind, np.full(n, 0.05)
    )
    effect = random.standard_t(4, n) * 0.3
    exact = expected_ranks(effect, variance)
    assert np.abs(expected_ranks_on_grid(effect, variance) - exact).max() < 1e-4 * n


def test_counted_draws_against_sorted_draws() -> None:
    random = np.random.default_rng(1)
    effect, sd = random.normal(0, 0.3, 6000), random.uniform(0.05, 0.3, 6000)
    table = posterior_ranks(effect, sd, 1000, 3)
    values = effect + sd * random.standard_normal((1000, 6000))
    ranks = stats.rankdata(values, axis=1)
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0)
    # Both are Monte Carlo: bias would show in the mean difference, scatter in the mean absolute one.
    for found, wanted in ((table["rank_lower"], low), (table["rank_upper"], high)):
        assert (found - wanted).mean() == pytest.approx(0, abs=0.002 * 6000)
        assert np.abs(found - wanted).mean() < 0.015 * 6000
    assert table["top_fifth"].to_numpy() == pytest.approx((ranks > 4800).mean(axis=0), abs=0.1)
    assert table["top_fifth"].mean() == pytest.approx(0.2, abs=1e-3)
    assert table["bottom_tenth"].mean() == pytest.approx(0.1, abs=1e-3)
    assert np.abs(table["expected_rank"] - ranks.mean(axis=0)).mean() < 0.005 * 6000
    again = _drawn_positions(effect, sd, 50, 9)
    assert np.array_equal(again, _drawn_positions(effect, sd, 50, 9))


def test_small_tables_by_direct_sums() -> None:
    effect, sd = np.array([-0.5, -0.1, 0.0, 0.3]), np.sqrt([0.04, 0.01, 0.09, 0.02])
    table = posterior_ranks(effect, sd, 20_000, 1)
    known = [1.12012348, 2.34955636, 2.72418240, 3.80613777]
    assert table["expected_rank"].to_numpy() == pytest.approx(known, abs=2e-8)
    assert (table["rank_lower"] <= table["rank_upper"]).all()
    assert table["rank_lower"].between(1, 4).all()
    assert table["rank_upper"].between(1, 4).all()
    assert probability_higher(effect, sd, 3, 1) == pytest.approx(special.ndtr(0.4 / np.sqrt(0.03)))


def test_rank_sets_cover_all_ranks_at_once_and_narrow_with_certainty() -> None:
    random = np.random.default_rng(2)
    truth, se = np.sort(random.normal(0, 1, 25)), random.uniform(0.1, 0.5, 25)
    ranks, held = np.arange(1, 26), 0
    for seed in range(200):
        sets = simultaneous_rank_sets(truth + se * random.standard_normal(25), se, 0.9, 300, seed)
        held += bool(((sets["rank_lower"] <= ranks) & (ranks <= sets["rank_upper"])).all())
    assert held / 200 > 0.86
    sure = simultaneous_rank_sets(truth, np.full(25, 1e-9))
    assert list(sure["rank_lower"]) == list(sure["rank_upper"]) == list(ranks)
    with pytest.raises(ModelError, match="5001 providers"):
        simultaneous_rank_sets(np.zeros(5001), np.ones(5001))


def test_pruned_maximum_is_the_maximum() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        z, se = random.standard_normal(60), random.uniform(0.01, 2, 60)
        x = z * se
        every = (x[:, None] - x) / np.sqrt(se[:, None] ** 2 + se**2)
        assert _largest_difference(z, se, np.zeros((60, 60), dtype=bool)) == pytest.approx(every.max())
        apart = random.random((60, 60)) < 0.4
        assert _largest_difference(z, se, apart) == pytest.approx(every[~apart].max())


def test_rank_sets_step_down_as_written_out() -> None:
    """Romano & Wolf's steps over all ordered pairs, from the same draws; later steps tell more providers apart."""
    random = np.random.default_rng(12)
    theta, se, draws = random.normal(0, 1.0, 12), random.uniform(0.2, 0.5, 12), 500
    spread = np.sqrt(se[:, None] ** 2 + se**2)
    seen = (theta[:, None] - theta) / spread
    generator = np.random.default_rng(5)
    null = [se * generator.standard_normal(12) for _ in range(draws)]
    null_pairs = np.array([(x[:, None] - x) / spread for x in null])
    apart = np.eye(12, dtype=bool)
    history = []
    while not history or history[-1] < apart.sum():
        history.append(int(apart.sum()))
        largest = np.sort(null_pairs[:, ~apart].max(axis=1))
        apart |= seen > np.quantile(largest, 0.95, method="higher")
    found = simultaneous_rank_sets(theta, se, 0.95, draws, 5)
    assert list(found["rank_lower"]) == list(apart.sum(axis=1))
    assert list(found["rank_upper"]) == list(12 - apart.sum(axis=0) + 1)
    once = simultaneous_rank_sets(theta, se, 0.95, draws, 5, stepwise=False)
    width, width_once = ((sets["rank_upper"] - sets["rank_lower"]).sum() for sets in (found, once))
    assert len(history) > 2
    assert width < width_once


def test_triple_goal_has_the_histogram_of_the_truth_and_the_optimal_ranks() -> None:
    random = np.random.default_rng(4)
    sd_true, n = 0.5, 700
    truth, noise = random.normal(0, sd_true, n), random.uniform(0.2, 0.8, n)
    observed = truth + noise * random.standard_normal(n)
    shrink = sd_true**2 / (sd_true**2 + noise**2)
    mean, sd = shrink * observed, np.sqrt(shrink) * noise
    found = triple_goal(mean, sd)
    assert found.std() == pytest.approx(sd_true, rel=0.08)
    assert mean.std() < 0.9 * sd_true < 1.1 * sd_true < observed.std()
    assert stats.spearmanr(found, expected_ranks(mean, sd**2)).statistic == pytest.approx(1)


def crossed() -> pd.DataFrame:
    random = np.random.default_rng(6)
    n = 1200
    h, p = random.integers(0, 6, n), random.integers(0, 20, n)
    x = random.normal(size=n)
    eta = -0.5 + 0.5 * x + random.normal(0, 0.6, 6)[h] + random.normal(0, 0.6, 20)[p]
    y = (random.random(n) < special.expit(eta)).astype(int)
    return pd.DataFrame({"h": h, "p": p, "x": x, "y": y, "z": eta + random.normal(size=n)})


@pytest.mark.parametrize("linear", [False, True])
def test_joint_draws_have_the_moments_of_the_dense_posterior(linear: bool) -> None:
    table = crossed()
    fit = lmm("z ~ x + (1|h) + (1|p)", table) if linear else glmm("y ~ x + (1|h) + (1|p)", table)
    draws = joint_draws(fit, 6000, 1)
    Z = np.column_stack([pd.get_dummies(table["h"]), pd.get_dummies(table["p"])]).astype(float)
    X = np.column_stack([np.ones(len(table)), table["x"]])
    mu = special.expit(fit.conditional_predictor())
    w = np.full(len(table), 1 / fit.residual_sd**2) if linear else mu * (1 - mu)
    prior = np.concatenate([np.full(6, fit.variance("h")), np.full(20, fit.variance("p"))])
    W = np.column_stack([X, Z])
    precision = (W * w[:, None]).T @ W
    precision[2:, 2:] += np.diag(1 / prior)
    dense = np.linalg.inv(precision)[2:, 2:]
    both = np.concatenate([draws["h"], draws["p"]], axis=1)
    scale = np.sqrt(np.diag(dense))
    # A GLMM's beta has the covariance of its Laplace likelihood, which differs a little from the joint mode's.
    assert np.abs(np.cov(both.T) - dense).max() < (0.06 if linear else 0.1) * np.outer(scale, scale).max()
    modes = np.concatenate([fit.mode("h"), fit.mode("p")])
    assert both.mean(axis=0) == pytest.approx(modes, abs=4 * scale.max() / np.sqrt(6000))
    ranks = posterior_ranks(modes[:6], scale[:6], joint=draws["h"])
    assert ranks["expected_rank"].sum() == pytest.approx(21, abs=0.01)
    assert 0 < probability_higher_by_draws(draws["h"], 0, 1) < 1


def test_draws_of_a_mixture() -> None:
    mixture = gaussian_mixture(np.array([0.4, 0.6]), np.array([[0.0, 1.0]]), np.array([[0.1, 0.2]]))
    draws = mixture_draws(mixture, 20_000, 1)
    assert draws.mean() == pytest.approx(0.6, abs=0.01)
    assert draws.var() == pytest.approx(0.4 * 0.01 + 0.6 * 0.04 + 0.24, rel=0.03)


@pytest.mark.parametrize("draws", [1, 7, 1000])
def test_counted_order_statistics_are_those_of_sorted_draws(draws: int) -> None:
    positions = np.random.default_rng(8).integers(0, 65536, (draws, 150)).astype(np.uint16)
    positions[:, :40] //= 300
    low, high, shares = _summaries(positions, 0.95)
    ordered = np.sort(positions, axis=0)
    assert np.array_equal(low, ordered[max(int(np.ceil((1.0 - 0.95) / 2.0 * draws)) - 1, 0)])
    assert np.array_equal(high, ordered[min(int(np.ceil((1.0 + 0.95) / 2.0 * draws)) - 1, draws - 1)])
    assert np.array_equal(shares["bottom_fifth"], (positions < 0.2 * 65535).mean(axis=0))
    assert np.array_equal(shares["top_tenth"], (positions > 0.9 * 65535).mean(axis=0))

"""Each estimator of reliability against the truth of its own model, or against its definition by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from profiling.assessment import reliability_estimators as r


def normal_sample(seed: int = 0, providers: int = 300, between: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    size = random.integers(10, 40, providers)
    starts = np.concatenate([[0], np.cumsum(size)])
    effect = np.repeat(random.normal(0, between, providers), size)
    return effect + random.normal(size=len(effect)), starts


def test_mean_squares_split_halves_and_inter_unit_find_the_known_reliability() -> None:
    found, wanted = [], []
    for seed in range(16):
        outcome, starts = normal_sample(seed)
        size = np.diff(starts)
        typical = (size.sum() - np.square(size).sum() / size.sum()) / (len(size) - 1)
        halves = r.split_sample_reliability(outcome + 10, np.full(len(outcome), 10.0), starts, 10)
        inter = r.inter_unit_reliability(outcome, starts)
        found.append([*r.anova_components(outcome, starts), inter, halves, r.anova_reliability(outcome, starts).mean()])
        own = np.mean(0.25 / (0.25 + 1 / size))
        wanted.append([0.25, 1.0, 0.25 / (0.25 + 1 / typical), own, own])
    # The mean of 16 samples has a Monte Carlo error of .007 for the variance and .004 for the others.
    assert np.mean(found, axis=0) == pytest.approx(np.mean(wanted, axis=0), abs=0.025)


def test_nothing_but_chance_has_no_reliability() -> None:
    outcome, starts = normal_sample(3, between=0.0)
    assert r.anova_reliability(outcome, starts).mean() < 0.25
    assert r.inter_unit_reliability(outcome, starts) < 0.25


def test_beta_binomial_against_drawn_rates() -> None:
    random = np.random.default_rng(1)
    cases = random.integers(20, 200, 1500).astype(float)
    events = random.binomial(cases.astype(int), random.beta(4, 16, 1500)).astype(float)
    a, b = r.beta_binomial(events, cases)
    assert a + b == pytest.approx(20, rel=0.12)
    better = stats.betabinom.logpmf(events, cases, a, b).sum()
    for factor in (0.9, 1.1):
        assert stats.betabinom.logpmf(events, cases, a * factor, b * factor).sum() < better
    assert r.beta_binomial_reliability(events, cases) == pytest.approx(cases / (cases + a + b))


def test_formulas_by_hand() -> None:
    starts = np.array([0, 2, 5])
    risk = np.array([0.1, 0.2, 0.5, 0.5, 0.5])
    first = 0.09 + 0.16
    assert r.latent_reliability(0.25, risk, starts) == pytest.approx(
        [0.25 / (0.25 + 1 / first), 0.25 / (0.25 + 1 / 0.75)]
    )
    assert r.delta_reliability(0.25, risk, starts)[1] == pytest.approx(0.25 / (0.25 + 1 / 0.75))
    assert r.latent_scale_reliability(0.25, np.array([10.0]))[0] == pytest.approx(0.25 / (0.25 + np.pi**2 / 30))
    assert r.cases_for(np.array([0.5, 0.0]), np.array([30.0, 30.0]))[0] == pytest.approx(70)
    shares = r.variance_shares({"hospital": 0.3, "physician": 0.2})
    assert shares["share"].sum() == pytest.approx(1)
    table = r.reliability_table({"anova": np.array([0.2, 0.8])}, np.array([10.0, 90.0]))
    assert table.loc[0, "share_at_target"] == 0.5


def test_misclassification_is_none_without_noise_and_chance_with_nothing_else() -> None:
    sure = r.simulated_misclassification(1.0, np.full(50, 1e-9), np.array([0.2, 0.8]), 20)
    assert list(sure["correct"]) == [1.0, 1.0, 1.0]
    blind = r.simulated_misclassification(1.0, np.full(50, 1e6), np.array([0.2, 0.8]), 400)
    assert blind["correct"].to_numpy() == pytest.approx([0.2, 0.6, 0.2], abs=0.03)
    assert blind["share"].to_numpy() == pytest.approx([0.2, 0.6, 0.2])

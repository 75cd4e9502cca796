"""What a flag rests on, charts over time and composites, each against a direct computation."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from profiling.assessment import honesty as h
from profiling.assessment import monitoring as m
from profiling.assessment.composites import (
    composite_of_draws,
    latent_composite,
    opportunity_composite,
    weighted_composite,
)
from profiling.assessment.stability import stability_of_fit
from profiling.assessment.variants import case_mix_terms
from profiling.errors import ModelError
from profiling.modeling import glmm

SURGEONS = Path(os.environ.get("PROFILING_SHARED", "../shared")) / "data/surgeon_cardiac"


def test_events_to_change_by_trying_every_count() -> None:
    size = np.array([30, 8, 60, 3])
    starts = np.concatenate([[0], np.cumsum(size)])
    p = np.concatenate([np.full(n, q) for n, q in zip(size, (0.2, 0.5, 0.1, 0.5), strict=True)])
    observed = np.array([13.0, 4.0, 0.0, 1.0])
    found = h.events_to_change(p, starts, observed)
    for j, (n, q) in enumerate(zip(size, (0.2, 0.5, 0.1, 0.5), strict=True)):
        k = np.arange(n + 1)
        pmf = stats.binom.pmf(k, n, q)
        upper = 2 * (stats.binom.sf(k, n, q) + pmf / 2)
        lower = 2 * (stats.binom.cdf(k, n, q) - pmf / 2)
        assert found.loc[j, "least_higher"] == (k[upper < 0.05].min() if (upper < 0.05).any() else n + 1)
        assert found.loc[j, "most_lower"] == (k[lower < 0.05].max() if (lower < 0.05).any() else -1)
    assert list(found["to_leave"] > 0) == [True, False, True, False]
    assert found.loc[0, "to_leave"] == 13 - found.loc[0, "least_higher"] + 1


def test_confounder_strength_has_its_published_value() -> None:
    found = h.confounder_strength(np.array([3.9, 0.5, 1.2]), np.array([1.8, 0.3, 0.9]), np.array([8.7, 0.8, 1.6]))
    assert found.loc[0, "e_value"] == pytest.approx(7.26, abs=0.005)
    assert found.loc[0, "e_value_limit"] == pytest.approx(3.0, abs=0.005)
    assert found.loc[1, "e_value"] == pytest.approx(2 + np.sqrt(2))
    assert found.loc[2, "e_value_limit"] == 1.0


def test_overlap_names_the_provider_whose_patients_are_others() -> None:
    random = np.random.default_rng(1)
    score = np.concatenate([random.normal(size=400), random.normal(size=400), random.normal(5, 0.5, size=100)])
    starts = np.array([0, 400, 800, 900])
    found = h.case_mix_overlap(score, starts)
    assert list(found["hardly_compares"]) == [False, False, True]
    shares = h.mix_shares(score, starts)
    assert shares.sum(axis=1) == pytest.approx(np.ones(3))
    assert h.pair_overlap(shares, 0, 1) > 0.8 > 0.1 > h.pair_overlap(shares, 0, 2)


def test_stability_counts_the_methods_that_agree() -> None:
    random = np.random.default_rng(3)
    hospital = np.repeat(np.arange(15), 150)
    table = pd.DataFrame({"hospital": hospital, "x": random.normal(size=2250), "z": random.normal(size=2250)})
    table["x"] += (hospital == 2) * 1.5
    b = np.where(hospital == 7, 1.5, random.normal(0, 0.1, 15)[hospital])
    table["y"] = (random.random(2250) < special.expit(-1.5 + table["x"] + b)).astype(int)
    fit = glmm("y ~ x + z + (1 | hospital)", table)
    assert case_mix_terms(fit) == ("x", "z")
    found = stability_of_fit(fit, "hospital")
    assert {"fixed_effect", "without x", "without z", "empirical_null"} <= set(found.columns)
    assert found.loc[7, "published"] == 1
    assert found.loc[7, "fixed_effect"] == 1
    assert found.loc[2, "without x"] == 1 != found.loc[2, "published"]
    assert (found["stability"] == found["agree"] / found["methods"]).all()
    with pytest.raises(ModelError, match="published"):
        h.flag_stability({"a": [1]}, "published")


@pytest.mark.skipif(not SURGEONS.is_dir(), reason="no folder surgeon_cardiac under PROFILING_SHARED")
def test_surgeons_cusum_by_a_plain_loop() -> None:
    table = pd.read_csv(next(iter(SURGEONS.glob("*.csv*")))).sort_values("date", kind="stable")
    fit = glmm("status ~ Parsonnet + (1 | surgeon)", table)
    risk = special.expit(fit.linear_predictor)
    own = (table["surgeon"] == 1).to_numpy()
    y, p = table["status"].to_numpy(float)[own], risk[own]
    found = m.cusum(y, p, 2.0, 4.5)
    total, path = 0.0, []
    for outcome, prob in zip(y, p, strict=True):
        total = max(0.0, total + np.log((2.0**outcome) / (1 - prob + 2 * prob)))
        path.append(total)
        total = 0.0 if total > 4.5 else total
    assert found["cusum"].to_numpy() == pytest.approx(path, abs=1e-12)
    assert m.vlad(y, p)[-1] == pytest.approx(p.sum() - y.sum())
    series = m.ewma(y, p, 0.02)
    assert (series["lower"] <= series["expected"]).all()
    assert ((series["observed"] < series["lower"]) | (series["observed"] > series["upper"])).mean() < 0.2


def test_published_weights_of_the_cusum() -> None:
    """Steiner et al. 2000: R = 2, Parsonnet 0 (risk .025) and 71 (risk .79): 0.67 and −0.024, 0.11 and −0.58."""
    weight = m.cusum_weights(np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.025, 0.025, 0.79, 0.79]), 2.0)
    assert weight == pytest.approx([0.67, -0.0247, 0.11, -0.58], abs=0.006)


def test_cusum_limit_keeps_its_false_alarm_rate() -> None:
    random = np.random.default_rng(4)
    risk = random.uniform(0.02, 0.3, 500)
    limit = m.cusum_limit(risk, 2.0, 400, 0.1, 4000, 1)
    alarms = 0
    for _ in range(600):
        p = random.choice(risk, 400)
        path = m.cusum((random.random(400) < p).astype(float), p, 2.0, np.inf)["cusum"]
        alarms += path.max() > limit
    assert alarms / 600 == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 600))


def test_correlation_between_periods_is_freed_from_noise() -> None:
    random = np.random.default_rng(5)
    true = random.multivariate_normal([0, 0], [[0.25, 0.2], [0.2, 0.25]], 2000)
    se = random.uniform(0.2, 0.6, (2, 2000))
    estimate = true.T + se * random.standard_normal((2, 2000))
    found = m.period_correlation(estimate[0], se[0], estimate[1], se[1], 200)
    assert found["correlation"] == pytest.approx(0.8, abs=0.08)
    assert found["lower"] < 0.8 < found["upper"]
    assert found["observed"] < 0.6


def test_composites() -> None:
    estimate, se = np.array([[0.2, 0.4], [0.1, np.nan]]), np.array([[0.1, 0.2], [0.3, np.nan]])
    both = weighted_composite(estimate, se, np.array([3.0, 1.0]))
    assert both["estimate"].to_numpy() == pytest.approx([0.25, 0.1])
    assert both["standard_error"].to_numpy() == pytest.approx([np.sqrt(0.075**2 + 0.05**2), 0.3])
    whole = opportunity_composite(np.array([[4.0, 6.0]]), np.array([[2.0, 6.0]]))
    assert whole.loc[0, "ratio"] == 1.25
    assert whole.loc[0, "lower"] == pytest.approx(stats.chi2.ppf(0.025, 20) / 2 / 8)
    draws = np.random.default_rng(0).normal(1.0, 0.5, (4000, 3, 2))
    found = composite_of_draws(draws, np.array([1.0, 1.0]))
    assert found["sd"].to_numpy() == pytest.approx(np.full(3, 0.5 / np.sqrt(2)), rel=0.06)


def test_latent_composite_recovers_the_trait_and_its_likelihood() -> None:
    random = np.random.default_rng(6)
    f, load = random.normal(size=1500), np.array([0.5, 0.3, 0.4, 0.2])
    se = random.uniform(0.1, 0.3, (1500, 4))
    y = np.array([0.1, 0, -0.2, 0.3]) + f[:, None] * load + random.normal(0, 0.2, (1500, 4))
    y = y + se * random.standard_normal(y.shape)
    found = latent_composite(y, se)
    assert found.loadings == pytest.approx(load, abs=0.04)
    held = (found.scores["lower"] < f) & (f < found.scores["upper"])
    assert held.mean() == pytest.approx(0.95, abs=0.025)
    total = sum(
        stats.multivariate_normal.logpdf(
            y[j], found.mean, np.outer(found.loadings, found.loadings) + np.diag(found.own_variance + se[j] ** 2)
        )
        for j in range(1500)
    )
    assert found.log_likelihood == pytest.approx(total, rel=1e-9)

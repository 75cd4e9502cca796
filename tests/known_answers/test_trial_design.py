"""Comparisons randomised by cluster against published examples, closed forms, dense algebra and drawn trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from profiling import trial_design
from profiling.errors import ModelError
from profiling.modeling.trial_design import difference_variance, minimum_cases, power_of, unequal_design_effect


def test_published_example_of_parallel_arms():
    """R's clusterPower, help of cpa.normal: 10 cases a cluster, difference 1, ICC .1, variance 5."""
    known = {"size": 10, "icc": 0.1, "difference": 1, "sd": np.sqrt(5)}
    assert trial_design(clusters=32, **known).power == pytest.approx(0.801766, abs=1e-6)
    assert trial_design(power=0.8, **known).clusters == 32


def test_published_example_of_a_stepped_wedge():
    """R's clusterPower, help of cpa.sw.normal (Hooper et al. 2016): 1.288772 clusters a step give power .8."""
    known = {"size": 50, "icc": 0.2, "difference": 1.5, "sd": 4, "steps": 5, "autocorrelation": 0.8}
    plan = trial_design(clusters=10, kind="stepped_wedge", **known)
    assert power_of(plan, 5 * 1.288772) == pytest.approx(0.8, abs=2e-5)
    assert trial_design(power=0.8, kind="stepped_wedge", **known).clusters == 10


def test_stepped_wedge_is_the_closed_form_of_hussey_and_hughes():
    """24 sites in four waves, 100 cases a period, 5 % falling to 3.5 % (as in their trial of partner therapy)."""
    plan = trial_design(size=100, icc=0.01, clusters=24, difference=-0.015, rate=0.05, kind="stepped_wedge", steps=4)
    total = (0.05 * 0.95 + 0.035 * 0.965) / 2
    tau, sigma = 0.01 * total, 0.99 * total / 100
    x = np.repeat((np.arange(5)[None, :] > np.arange(4)[:, None]).astype(float), 6, axis=0)
    sites, periods = x.shape
    u, w, v = x.sum(), (x.sum(axis=0) ** 2).sum(), (x.sum(axis=1) ** 2).sum()
    below = (sites * u - w) * sigma + (u**2 + sites * periods * u - periods * w - sites * v) * tau
    assert plan.standard_error**2 == pytest.approx(sites * sigma * (sigma + periods * tau) / below, rel=1e-12)


@pytest.mark.parametrize("autocorrelation", [1.0, 0.6])
def test_stepped_wedge_is_least_squares_on_all_the_cases(autocorrelation):
    plan = trial_design(
        size=3, icc=0.2, clusters=4, difference=1, kind="stepped_wedge", steps=2, autocorrelation=autocorrelation
    )
    cluster, period = (grid.ravel() for grid in np.meshgrid(np.arange(4), np.tile(np.arange(3), 3), indexing="ij"))
    treated = period >= 1 + cluster % 2
    same, moment = cluster[:, None] == cluster, period[:, None] == period
    V = 0.8 * np.eye(len(cluster)) + 0.2 * same * np.where(moment, 1.0, autocorrelation)
    X = np.column_stack([treated, *(period == p for p in range(3))]).astype(float)
    expected = np.linalg.inv(X.T @ np.linalg.solve(V, X))[0, 0]
    assert plan.standard_error**2 == pytest.approx(expected, rel=1e-10)


def test_design_effect_is_the_variance_of_a_mean_of_unequal_clusters():
    sizes = np.array([3, 10, 4, 25, 8])
    icc = 0.07
    cluster = np.repeat(np.arange(5), sizes)
    V = np.where(cluster[:, None] == cluster, icc, 0.0) + (1 - icc) * np.eye(len(cluster))
    cv = sizes.std() / sizes.mean()
    assert V.sum() / len(cluster) == pytest.approx(unequal_design_effect(sizes.mean(), icc, cv))


def test_unequal_clusters_of_a_stepped_wedge_cost_power():
    known = {"size": 20, "icc": 0.05, "clusters": 8, "difference": 0.3, "kind": "stepped_wedge"}
    equal, unequal = (trial_design(cv=cv, **known) for cv in (0.0, 0.7))
    assert trial_design(cv=1e-4, **known).power == pytest.approx(equal.power, rel=1e-6)
    assert unequal.standard_error > equal.standard_error


@pytest.mark.parametrize("kind", ["parallel", "stepped_wedge"])
@pytest.mark.parametrize("rate", [None, 0.2])
def test_what_is_found_has_the_power_asked_for(kind, rate):
    known = {"size": 15, "icc": 0.04, "kind": kind, "rate": rate, "cv": 0.3}
    plan = trial_design(clusters=20, power=0.85, direction=-1, **known)
    assert plan.difference < 0
    assert plan.power == pytest.approx(0.85, abs=1e-8)
    needed = trial_design(difference=plan.difference, power=0.85 - 1e-6, **known)
    unit = 2 if kind == "parallel" else 4
    assert power_of(needed, needed.clusters) >= 0.85 - 1e-6 > power_of(needed, needed.clusters - unit)


def test_a_mean_of_the_minimum_of_cases_has_the_reliability():
    rng = np.random.default_rng(3)
    n = minimum_cases(0.7, 0.05)
    assert n == pytest.approx(0.7 / 0.3 * 19)
    truth = np.sqrt(0.05) * rng.standard_normal(200_000)
    mean = truth + np.sqrt(0.95 / n) * rng.standard_normal(200_000)
    assert np.corrcoef(truth, mean)[0, 1] ** 2 == pytest.approx(0.7, abs=0.005)
    assert minimum_cases(0.7, 0.0) == np.inf


@pytest.mark.parametrize(
    "known",
    [
        {"size": 10, "icc": 0.1, "clusters": 16, "difference": 1.0, "sd": np.sqrt(5), "cv": 0.3},
        {"size": 25, "icc": 0.05, "clusters": 20, "difference": 0.15, "rate": 0.3},
        {"size": 8, "icc": 0.1, "clusters": 8, "difference": 0.4, "kind": "stepped_wedge", "autocorrelation": 1.0},
    ],
    ids=["means", "proportions", "stepped"],
)
def test_drawn_trials_agree(known):
    plan = trial_design(simulate=True, draws=80, seed=11, **known)
    assert plan.failed <= 2
    assert plan.simulated_power == pytest.approx(plan.power, abs=3 * plan.simulated_error + 0.02)
    assert "Simulated power" in plan.text()


def test_a_seed_gives_the_same_trials():
    known = {"size": 10, "icc": 0.1, "clusters": 6, "difference": 1.0, "simulate": True, "draws": 8}
    assert trial_design(seed=1, **known) == trial_design(seed=1, **known)


def test_drawn_proportions_have_the_mean_and_the_icc():
    from profiling.modeling.trial_simulation import draw_trial

    plan = trial_design(size=2, icc=0.2, clusters=40_000, difference=0.1, rate=0.3)
    trial = draw_trial(plan, np.random.default_rng(0))
    for treated, mean in ((0, 0.3), (1, 0.4)):
        events = trial.loc[trial["treated"] == treated, "events"].to_numpy()
        assert events.mean() / 2 == pytest.approx(mean, abs=0.01)
        # Of a pair both events: p^2 + rho p (1 - p).
        assert (events == 2).mean() == pytest.approx(mean**2 + 0.2 * mean * (1 - mean), abs=0.01)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"power": 0.8}, "two of clusters, difference and power"),
        ({"clusters": 7}, "two or more in each"),
        ({"icc": 1.0}, "icc"),
        ({"rate": 0.95}, "rate + difference"),
        ({"clusters": None, "power": 0.9, "difference": 0.0}, "larger difference"),
        ({"difference": None, "power": 0.999, "rate": 0.5, "icc": 0.9, "clusters": 4}, "largest difference"),
        ({"simulate": True, "draws": 0}, "draws"),
    ],
)
def test_plans_that_cannot_be_are_named(changes, said):
    known = {"size": 10, "icc": 0.1, "clusters": 20, "difference": 0.5}
    with pytest.raises(ModelError, match=said.replace("+", r"\+")):
        trial_design(**{**known, **changes})


def test_variance_falls_with_clusters_in_proportion():
    plan = trial_design(size=10, icc=0.1, clusters=20, difference=0.5)
    assert difference_variance(plan, 40) == pytest.approx(difference_variance(replace(plan), 20) / 2)

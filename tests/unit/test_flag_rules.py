"""Every rule beside simulation: flags raised by chance, providers found, and the nulls they rest on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from profiling.assessment import ProfileOptions, assess, flag_summary, funnel_limits, level_checks
from profiling.assessment.empirical_null import (
    Null,
    benjamini_hochberg,
    local_false_discovery,
    logistic_null,
    middle_null,
    null_by_volume,
)
from profiling.assessment.flags import categories
from profiling.assessment.funnel import EventShape, smooth_limits
from profiling.assessment.operating import chance_beyond
from profiling.assessment.overdispersion import overdispersion, share_beyond
from profiling.assessment.rules import RULES, Evidence, judge
from profiling.errors import UsageError

POISSON = EventShape(1.0, 1.0)
COUNT = 4000


def evidence(observed: Any, expected: Any, sigma: float = 0.25) -> Evidence:
    """Poisson counts with a gamma-like posterior: log ratio shrunken by σ²/(σ² + 1/E)."""
    lower = stats.poisson.cdf(observed - 1, expected) + stats.poisson.pmf(observed, expected) / 2
    upper = stats.poisson.sf(observed, expected) + stats.poisson.pmf(observed, expected) / 2
    z = np.where(lower > upper, -special.ndtri(upper), special.ndtri(lower))
    rho = sigma**2 / (sigma**2 + 1 / expected)
    effect, sd = rho * z / np.sqrt(expected), np.sqrt(rho / expected)
    return Evidence(
        z=z,
        probability=2 * special.ndtr(-np.abs(z)),
        above=special.ndtr(effect / sd),
        above_at=lambda ratio: special.ndtr((effect - np.log(ratio)) / sd),
        weight=expected,
        reliability=rho,
        counts=True,
        shape=POISSON,
        observed=observed,
        expected=expected,
        variance=expected,
        cases=expected * 10,
        size=expected * 10,
        rate=0.1,
    )


@pytest.mark.parametrize("rule", RULES)
def test_flags_by_chance_and_providers_found_are_as_stated(rule: str) -> None:
    """All at the norm, then all at 1.5: the scores of each rule say how many lie beyond them."""
    random = np.random.default_rng(11)
    expected = random.uniform(5, 60, COUNT)
    options = ProfileOptions(rule=rule)  # type: ignore[arg-type]
    null = evidence(random.poisson(expected).astype(float), expected)
    ruling = judge(null, rule, options)
    watched = ruling.probability < options.watch_probability
    stated = np.sum(chance_beyond(ruling.watch, expected, POISSON))
    assert watched.sum() == pytest.approx(stated, abs=4 * np.sqrt(stated) + 0.03 * COUNT * (rule == "ahrq") + 3)
    if rule in ("false_discovery", "local_false_discovery", "empirical_null", "ahrq"):
        return  # their limits depend on everybody: checked below
    harm = evidence(random.poisson(1.5 * expected).astype(float), expected)
    again = judge(harm, rule, options)
    found = (again.probability < options.flag_probability) & again.higher
    power = chance_beyond(again.flag, expected, POISSON, 1.5)[1]
    assert found.mean() == pytest.approx(power.mean(), abs=0.02)
    # Small and large apart.
    large = expected > 40
    assert found[large].mean() == pytest.approx(power[large].mean(), abs=0.04)


def test_overdispersed_funnel_flags_nominally_where_the_plain_one_does_not() -> None:
    random = np.random.default_rng(12)
    expected = random.uniform(60, 900, COUNT)
    observed = random.poisson(expected * np.exp(0.15 * random.normal(size=COUNT))).astype(float)
    seen = evidence(observed, expected)
    choices = [("none", "keep"), ("additive", "keep"), ("additive", "winsorise"), ("additive", "trim")]
    choices += [("multiplicative", "keep")]
    shares = {}
    for kind, extremes in choices:
        options = ProfileOptions(overdispersion=kind, extremes=extremes)  # type: ignore[arg-type]
        shares[kind, extremes] = np.mean(judge(seen, "funnel", options).probability < 0.05)
    assert shares["none", "keep"] > 0.4
    assert shares["additive", "keep"] == pytest.approx(0.05, abs=0.01)
    assert shares["multiplicative", "keep"] == pytest.approx(0.06, abs=0.02)
    # The published forms draw the extremes in and do not make up for it: they flag more than their level.
    assert 0.08 < shares["additive", "winsorise"] < 0.16 < shares["additive", "trim"] < 0.3
    spread = judge(seen, "funnel", ProfileOptions(overdispersion="additive", extremes="keep")).spread
    assert spread is not None
    assert np.sqrt(spread.tau_squared) == pytest.approx(0.15, abs=0.01)
    trimmed = judge(seen, "funnel", ProfileOptions(overdispersion="additive", extremes="trim")).spread
    assert trimmed is not None
    assert trimmed.providers == COUNT - 2 * COUNT // 10
    assert trimmed.tau_squared < spread.tau_squared


@pytest.mark.parametrize("kind", ["none", "multiplicative", "additive"])
def test_widened_limits_part_providers_as_the_rule_does(kind: str) -> None:
    """A provider is outside the smooth limits exactly where its probability is below the level."""
    random = np.random.default_rng(13)
    effect = 0.5 * random.normal(size=150)
    size = random.integers(40, 400, 150)
    risk = special.expit(-1.8 + np.repeat(effect, size))
    table = pd.DataFrame(
        {
            "hospital": np.repeat(np.arange(150), size),
            "observed": (random.random(size.sum()) < risk).astype(float),
            "expected": np.full(size.sum(), special.expit(-1.75)),
        }
    )
    options = ProfileOptions(overdispersion=kind)  # type: ignore[arg-type]
    assessment = assess(table, "hospital", options)
    frame = assessment.frame
    limits = funnel_limits(assessment, "hospital", 2000)
    at = frame["expected_marginal"].to_numpy()
    for level, name in ((0.05, "watch"), (0.002, "flag")):
        low, high = (np.interp(at, limits["expected"], limits[f"{side}_{name}"]) for side in ("lower", "upper"))
        outside = (frame["oe_ratio"] < low) | (frame["oe_ratio"] > high)
        assert (outside == (assessment.ruling.probability < level)).all()
    checks = model_checks_of(assessment)
    assert ("overdispersion_phi_hospital" in checks) is (kind != "none")
    assert 0 < checks["power_flag_hospital"] < checks["power_watch_hospital"] < 1


def model_checks_of(assessment: Any) -> dict[str, float]:
    return {name: value for name, value, _ in level_checks("hospital", assessment)}


def test_limits_keep_their_digits_far_out() -> None:
    lower, upper = smooth_limits(np.array([400.0]), 2e-40, EventShape(0.9, 0.72))
    assert stats.binom.sf(int(upper[0]), 4000, 0.1) < 2e-40 < stats.binom.sf(int(upper[0]) - 8, 4000, 0.1)
    assert stats.binom.cdf(int(lower[0]), 4000, 0.1) < 4e-40 < stats.binom.cdf(int(lower[0]) + 6, 4000, 0.1)


def test_middle_null_finds_the_bulk_among_outliers() -> None:
    random = np.random.default_rng(14)
    z = np.concatenate([random.normal(0.2, 1.6, 19_000), random.normal(6, 1, 1_000)])
    null = middle_null(z)
    assert null.mean[0] == pytest.approx(0.2, abs=0.06)
    assert null.sd[0] == pytest.approx(1.6, abs=0.06)
    assert null.share == pytest.approx(0.95, abs=0.02)
    assert np.mean(np.abs(null.standardized(z)[:19_000]) > 1.96) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("extremes", ["winsorise", "trim", "keep"])
def test_widened_limits_let_through_what_they_are_said_to(extremes: str) -> None:
    z = np.random.default_rng(14).normal(0, 2, 200_000)
    spread = overdispersion(z, np.ones(len(z)), extremes, 0.1)  # type: ignore[arg-type]
    for probability, score in ((0.05, 1.959964), (0.002, 3.090232)):
        seen = np.mean(np.abs(z) > score * np.sqrt(spread.factor))
        assert share_beyond(spread, extremes, 0.1, probability) == pytest.approx(seen, rel=0.08)  # type: ignore[arg-type]


def test_few_providers_are_not_flagged_for_an_estimate_that_is_too_narrow() -> None:
    random = np.random.default_rng(12)
    scores = np.stack([middle_null(z).standardized(z) for z in random.normal(0, 2, (300, 20))])
    assert np.mean(np.abs(scores) > 1.96) < 0.06  # normal limits around the estimate: .07 to .12
    assert np.mean(np.abs(scores) > 3.09) < 0.01  # normal limits: .02 to .04
    null = middle_null(random.normal(0, 2, 20))
    edge = null.mean + null.half_width(3.0)
    assert null.standardized(edge) == pytest.approx(3.0, abs=1e-9)


def test_a_handful_of_providers_or_equal_ones_have_an_empirical_null() -> None:
    for z in (np.array([0.1, -0.2, 5.0]), np.zeros(7), np.array([-9.0, -9.0, 0.0, 9.0, 9.0])):
        null = middle_null(z)
        assert np.isfinite(null.standardized(z)).all()
        assert (null.sd >= 1).all()


def test_null_by_volume_and_logistic_null_are_nominal_where_effects_vary() -> None:
    """b ~ N(0, τ₀²): Var z = 1 + τ₀²V. One null for all flags the large too often, the logistic one all alike."""
    random = np.random.default_rng(15)
    information = np.exp(random.uniform(np.log(4), np.log(400), 30_000))
    z = random.normal(size=30_000) * np.sqrt(1 + 0.04 * information)
    large = information > np.quantile(information, 0.8)
    shares = {
        name: [np.mean(np.abs(null.standardized(z))[part] > 1.96) for part in (large, ~large)]
        for name, null in (
            ("all", middle_null(z)),
            ("volume", null_by_volume(z, information, 10)),
            ("logistic", logistic_null(z, information)),
        )
    }
    assert shares["all"][0] > 0.15
    assert shares["volume"] == pytest.approx([0.06, 0.06], abs=0.015)  # sizes differ within a group
    assert shares["logistic"] == pytest.approx([0.05, 0.05], abs=0.006)
    sd = logistic_null(z, information).sd
    assert (sd[0] ** 2 - 1) / information[0] == pytest.approx(0.04, rel=0.08)
    assert logistic_null(random.normal(size=500) * 0.7, information[:500]).sd.max() == 1


def test_benjamini_hochberg_is_that_of_scipy_and_keeps_its_rate() -> None:
    random = np.random.default_rng(16)
    p = random.random((40, 3)) ** 3
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p.ravel()).reshape(p.shape))
    p[3, 1] = np.nan
    assert np.isnan(benjamini_hochberg(p)[3, 1])
    false = []
    for _ in range(200):
        z = np.concatenate([random.normal(size=900), random.normal(3.5, 1, 100)])
        taken = benjamini_hochberg(2 * special.ndtr(-np.abs(z))) < 0.1
        false.append(taken[:900].sum() / max(taken.sum(), 1))
    assert np.mean(false) == pytest.approx(0.09, abs=0.012)  # 0.1 times the share of true nulls


def test_local_false_discovery_rate_is_the_share_of_nulls_at_a_score() -> None:
    random = np.random.default_rng(17)
    z = np.concatenate([random.normal(0, 1, 18_000), random.normal(2.5, 1, 2_000)])
    known = Null(np.zeros(20_000), np.ones(20_000), 0.9, np.full(20_000, np.inf))
    found = local_false_discovery(z, known)
    for score in (2.0, 3.0, 4.0):
        near = np.abs(z - score) < 0.1
        truth = 0.9 * stats.norm.pdf(score) / (0.9 * stats.norm.pdf(score) + 0.1 * stats.norm.pdf(score - 2.5))
        assert np.median(found[near]) == pytest.approx(truth, abs=0.05)
    assert np.nanmin(local_false_discovery(z, middle_null(z))) < 0.01


def test_srtr_rule_flags_the_counts_its_posterior_flags() -> None:
    seen = evidence(np.arange(40.0), np.full(40, 8.0))
    ruling = judge(seen, "srtr", ProfileOptions(rule="srtr"))
    by_score = seen.z > ruling.flag[1]
    assert (by_score == (ruling.probability < 0.5)).all()
    assert by_score.sum() > 20


def test_three_tiers_know_no_watch() -> None:
    found = categories(
        np.array([0.0001, 0.01, 0.5]), np.array([True, False, True]), np.full(3, 99.0), 0.05, 0.002, 25, 3
    )
    assert list(found) == ["higher", "as_expected", "as_expected"]


def test_rules_run_on_a_table_and_say_what_they_are() -> None:
    random = np.random.default_rng(18)
    size = random.integers(30, 200, 120)
    effect = np.repeat(0.3 * random.normal(size=120), size)
    table = pd.DataFrame(
        {
            "hospital": np.repeat(np.arange(120), size),
            "observed": (random.random(size.sum()) < special.expit(-1.5 + effect)).astype(float),
            "expected": np.full(size.sum(), special.expit(-1.5)),
        }
    )
    for rule in RULES:
        assessment = assess(table, "hospital", ProfileOptions(rule=rule, random_sd=0.3))  # type: ignore[arg-type]
        assert assessment.rule == rule
        assert flag_summary(assessment.frame)["providers"].sum() == 120
        assert 0 <= assessment.expected_false_flag <= assessment.expected_false_watch <= 20
        assert 0 <= assessment.power_flag <= assessment.power_watch <= 1
    beyond = assess(table, "hospital", ProfileOptions(rule="meaningful_difference", difference=0.5, random_sd=0.3))
    interval = assess(table, "hospital", ProfileOptions(rule="interval", random_sd=0.3))
    flagged = [(a.frame["category"] == "higher").sum() for a in (beyond, interval)]
    assert flagged[0] <= flagged[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [("rule", "worst"), ("overdispersion", "some"), ("tiers", 4), ("difference", 0.0), ("extreme_share", 0.5)],
)
def test_impossible_choices_are_refused(field: str, value: Any) -> None:
    with pytest.raises(UsageError, match=field):
        replace(ProfileOptions(), **{field: value})
    with pytest.raises(UsageError, match="overdispersion"):
        ProfileOptions(rule="interval", overdispersion="additive")

"""Events to each limit, by trying every count with the rule itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from profiling.assessment import ProfileOptions, assess, assess_aggregates
from profiling.assessment.limits import DEGREE, events_to_limits


def cases(seed: int = 1) -> pd.DataFrame:
    """Six providers of 30 to 60 patients with risks of their own."""
    draw = np.random.default_rng(seed)
    provider = np.repeat(np.arange(6), [30, 40, 60, 25, 60, 10])
    risk = draw.uniform(0.05, 0.5, len(provider))
    lift = np.array([1.0, 1.9, 0.3, 1.2, 1.4, 1.0])[provider]
    observed = (draw.random(len(provider)) < risk * lift).astype(float)
    return pd.DataFrame({"hospital": provider, "observed": observed, "expected": risk})


def with_events(table: pd.DataFrame, provider: int, count: int) -> pd.DataFrame:
    own = np.flatnonzero(table["hospital"] == provider)
    observed = table["observed"].to_numpy().copy()
    observed[own] = (np.arange(len(own)) < count).astype(float)
    return table.assign(observed=observed)


def test_the_funnel_by_every_count() -> None:
    table, options = cases(), ProfileOptions(minimum_cases=20)
    published = assess(table, "hospital", options)
    found = events_to_limits(published)
    for j in range(5):
        n, now = int(published.frame["n"][j]), int(published.frame["observed"][j])
        degrees = np.array([
            DEGREE[assess(with_events(table, j, count), "hospital", options).frame["category"][j]]
            for count in range(n + 1)
        ])  # fmt: skip
        for name, least in (("watch", 1), ("flag", 2)):
            higher, lower = np.flatnonzero(degrees >= least), np.flatnonzero(degrees <= -least)
            above, below = found.loc[j, f"events_to_higher_{name}"], found.loc[j, f"events_to_lower_{name}"]
            assert above == higher.min() - now if len(higher) else np.isnan(above)
            assert below == lower.max() - now if len(lower) else np.isnan(below)
    assert found.loc[5].isna().all()


def test_published_counts_by_their_poisson_probabilities() -> None:
    table = pd.DataFrame(
        {"hospital": list("abcd"), "n": 500, "observed": [30.0, 9.0, 20.0, 0.0], "expected": [18.0, 20.0, 19.0, 2.0]}
    )
    found = events_to_limits(assess_aggregates(table))
    count = np.arange(400)
    for j, mean in enumerate(table["expected"]):
        pmf = stats.poisson.pmf(count, mean)
        upper, lower = stats.poisson.sf(count, mean) + pmf / 2, stats.poisson.cdf(count, mean) - pmf / 2
        for name, probability in (("watch", 0.05), ("flag", 0.002)):
            least = count[upper < probability / 2].min() - table["observed"][j]
            assert found.loc[j, f"events_to_higher_{name}"] == least
            few = count[lower < probability / 2]
            most = few.max() - table["observed"][j] if len(few) else np.nan
            assert found.loc[j, f"events_to_lower_{name}"] == pytest.approx(most, nan_ok=True)


@pytest.mark.parametrize("rule", ["interval", "empirical_null", "false_discovery", "meaningful_difference", "ahrq"])
def test_no_rule_is_told_against_its_own_category(rule: str) -> None:
    table = cases(3)
    published = assess(table, "hospital", ProfileOptions(rule=rule, minimum_cases=20, random_sd=0.5))  # type: ignore[arg-type]
    found = events_to_limits(published)
    degree = published.frame["category"].map(DEGREE)
    for name, least in (("watch", 1), ("flag", 2)):
        assert (found.loc[degree >= least, f"events_to_higher_{name}"] <= 0).all()
        assert not (found.loc[degree < least, f"events_to_higher_{name}"] <= 0).any()
        assert (found.loc[degree <= -least, f"events_to_lower_{name}"] >= 0).all()
        assert not (found.loc[degree > -least, f"events_to_lower_{name}"] >= 0).any()


def test_what_cannot_be_told() -> None:
    table = cases()
    three = events_to_limits(assess(table, "hospital", ProfileOptions(tiers=3, minimum_cases=20)))
    assert three["events_to_higher_watch"].isna().all()
    assert three["events_to_higher_flag"][:5].notna().all()
    one_sided = events_to_limits(assess(table, "hospital", ProfileOptions(rule="srtr", minimum_cases=20)))
    assert one_sided["events_to_lower_flag"].isna().all()
    long = table.assign(observed=table["observed"] + 1.5, expected=2.0)
    options = replace(ProfileOptions(), family="gaussian", residual_sd=1.0, minimum_cases=20)
    assert events_to_limits(assess(long, "hospital", options)).isna().all(axis=None)

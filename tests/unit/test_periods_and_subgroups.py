"""Providers by period and patients by kind, each against sums and charts written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from profiling.assessment import ProfileOptions, assess, cusum, cusum_limit
from profiling.assessment.periods import halves_correlation, provider_periods
from profiling.assessment.provider_charts import provider_cusum, provider_limits
from profiling.assessment.subgroups import MISSING, readable_bands, subgroups
from profiling.modeling import glmm


def cases(seed: int = 1, n: int = 4000, providers: int = 12, steady: bool = True) -> pd.DataFrame:
    """Visits over three years; provider 3 gets worse in the last one."""
    draw = np.random.default_rng(seed)
    provider = draw.integers(0, providers, n)
    day = np.datetime64("2021-01-01") + draw.integers(0, 3 * 365, n)
    risk = special.expit(draw.normal(-1.8, 0.7, n))
    lift = draw.normal(0, 0.5 if steady else 0, providers)[provider]
    worse = (provider == 3) & (day >= np.datetime64("2023-01-01"))
    observed = (draw.random(n) < special.expit(special.logit(risk) + lift + 1.3 * worse)).astype(float)
    return pd.DataFrame({"hospital": provider, "admitted": day, "observed": observed, "expected": risk})


def test_periods_are_the_sums_of_their_rows() -> None:
    table = cases()
    table.loc[::50, "admitted"] = pd.NaT
    found = provider_periods(assess(table, "hospital"), "hospital", table["admitted"].to_numpy())
    known = table.dropna()
    quarter = known["admitted"].dt.year.astype(str) + " Q" + known["admitted"].dt.quarter.astype(str)
    sums = known.groupby([known["hospital"], quarter]).agg(
        n=("observed", "size"), observed=("observed", "sum"), expected=("expected", "sum")
    )
    got = found.set_index(["provider", "period"])
    assert len(got) == len(sums) == 12 * 12
    for name in ("n", "observed", "expected"):
        assert got[name].to_numpy(float) == pytest.approx(sums.loc[got.index, name].to_numpy(float))
    assert found.groupby("provider")["position"].apply(list).map(lambda p: p == list(range(12))).all()
    row = found.iloc[5]
    assert row["lower"] * row["expected"] == pytest.approx(stats.chi2.ppf(0.025, 2 * row["observed"]) / 2)
    assert row["upper"] * row["expected"] == pytest.approx(stats.chi2.ppf(0.975, 2 * row["observed"] + 2) / 2)


def test_charts_are_those_of_a_single_series() -> None:
    table = cases()
    assessment = assess(table, "hospital", ProfileOptions(seed=4))
    found = provider_periods(assessment, "hospital", table["admitted"].to_numpy())
    own = table[table["hospital"] == 3].sort_values("admitted", kind="stable")
    mine = found[found["provider"] == 3].reset_index(drop=True)
    for name, ratio, signal in (("cusum", 2.0, "signal"), ("cusum_lower", 0.5, "signal_lower")):
        limit = mine[f"{name}_limit"][0]
        chart = cusum(own["observed"].to_numpy(), own["expected"].to_numpy(), ratio, limit)
        period = own["admitted"].dt.to_period("Q").to_numpy()
        assert chart["cusum"].groupby(period).max().to_numpy() == pytest.approx(mine[name].to_numpy())
        assert list(chart["signal"].groupby(period).any()) == list(mine[signal])
    assert mine["signal"][-4:].any()
    # The same from cases drawn with replacement instead of the provider's own in their order.
    simulated = cusum_limit(own["expected"].to_numpy(), 2.0, len(own), 1 - 0.95**3, 20_000, 1)
    assert mine["cusum_limit"][0] == pytest.approx(simulated, rel=0.08)


def test_limits_keep_their_false_alarms_for_every_provider() -> None:
    draw = np.random.default_rng(2)
    risk = draw.uniform(0.02, 0.4, 600)
    starts = np.array([0, 200, 600])
    limits = provider_limits(risk, starts, (2.0, 0.5), 0.1, 3)
    alarms = np.zeros((2, 2))
    for _ in range(1500):
        y = (draw.random(600) < risk).astype(float)
        for r, ratio in enumerate((2.0, 0.5)):
            _, signal = provider_cusum(y, risk, starts, ratio, limits[:, r])
            alarms[:, r] += np.logical_or.reduceat(signal, starts[:-1])
    assert alarms / 1500 == pytest.approx(np.full((2, 2), 0.1), abs=0.03)


def test_charts_of_counts() -> None:
    draw = np.random.default_rng(4)
    mean, starts = draw.uniform(0.2, 3.0, 500), np.array([0, 500])
    y = draw.poisson(mean).astype(float)
    weight = stats.poisson.logpmf(y, 2 * mean) - stats.poisson.logpmf(y, mean)
    path, _ = provider_cusum(y, mean, starts, 2.0, np.array([np.inf]), counts=True)
    total, wanted = 0.0, []
    for step in weight:
        total = max(0.0, total + step)
        wanted.append(total)
    assert path == pytest.approx(wanted)
    limits = provider_limits(mean, starts, (2.0, 0.5), 0.1, 3, counts=True)
    alarms = np.zeros(2)
    for _ in range(1500):
        null = draw.poisson(mean).astype(float)
        for r, ratio in enumerate((2.0, 0.5)):
            alarms[r] += provider_cusum(null, mean, starts, ratio, limits[:, r], counts=True)[1].any()
    assert alarms / 1500 == pytest.approx([0.1, 0.1], abs=0.03)


@pytest.mark.parametrize(("years", "name"), [(3, "2021 Q1"), (6, "2021 H1"), (12, "2021")])
def test_longer_spans_have_longer_periods(years: int, name: str) -> None:
    table = cases(n=600, providers=3)
    day = np.datetime64("2021-01-01") + (np.arange(600) * years * 365 // 600)
    found = provider_periods(assess(table, "hospital"), "hospital", day)
    assert found["period"].iloc[0] == name
    assert found["position"].max() == {3: 11, 6: 11, 12: 11}[years]


def test_no_days_no_periods() -> None:
    table = cases(n=300, providers=3)
    never = np.full(300, np.datetime64("NaT"), dtype="datetime64[D]")
    assert provider_periods(assess(table, "hospital"), "hospital", never).empty
    assert halves_correlation(assess(table, "hospital"), never) is None


def test_effects_that_last_are_found_again_in_the_second_half() -> None:
    table = cases(5, 60_000, 60)
    found = halves_correlation(assess(table, "hospital"), table["admitted"].to_numpy())
    assert found is not None
    assert found["correlation"] > 0.9
    chance = cases(6, 30_000, 60, steady=False)
    none = halves_correlation(assess(chance[chance["hospital"] != 3], "hospital"),
                              chance.loc[chance["hospital"] != 3, "admitted"].to_numpy())  # fmt: skip
    assert none is None or not none["correlation"] > 0.9 or none["lower"] < 0


def test_bands_are_round_and_hide_the_extremes() -> None:
    draw = np.random.default_rng(3)
    age = pd.Series(draw.integers(18, 104, 2000).astype(float))
    codes, names = readable_bands(age)
    assert names[0].startswith("under ")
    assert names[-1].endswith(" and over")
    assert not any("103" in name or "18" in name for name in names)
    assert np.bincount(codes).min() > 200
    for code, name in enumerate(names[1:-1], 1):
        low, _, high = name.partition(" to ")
        assert age[codes == code].between(float(low), float(high)).all()
    codes, names = readable_bands(pd.Series([3, 1, None, 5, 1], dtype="float64"))
    assert (list(codes), names) == ([1, 0, 3, 2, 0], ["1", "3", "5", MISSING])
    codes, names = readable_bands(pd.Series(["b", "a", None]))
    assert (list(codes), names) == ([1, 0, 2], ["a", "b", MISSING])
    codes, names = readable_bands(pd.Series(draw.normal(0, 1e-3, 500)))
    assert len(names) == len(np.unique(codes)) > 2


@pytest.mark.parametrize("trials", [False, True])
def test_subgroups_are_the_sums_of_outcomes_and_conditional_means(trials: bool) -> None:
    table = cases().assign(x=np.random.default_rng(3).normal(size=4000))
    table["sex"] = np.where(np.arange(len(table)) % 3, "F", "M")
    table["more"], table["others"] = table["observed"] * 2, 3 - table["observed"] * 2
    fit = glmm("cbind(more, others) ~ x + (1 | hospital)" if trials else "observed ~ x + (1 | hospital)", table)
    found = subgroups(fit, {"sex": table["sex"], "day": pd.Series(np.arange(len(table)))})
    assert list(found["position"]) == list(range(len(found)))
    mean, events = (fit.fitted_values() * 3, table["more"]) if trials else (fit.fitted_values(), table["observed"])
    for _, part in found.groupby("column_name"):
        assert part["observed"].sum() == events.sum()
        assert part["expected"].sum() == pytest.approx(mean.sum())
    women = found[found["value"] == "F"].iloc[0]
    assert women["n"] == (table["sex"] == "F").sum() * (3 if trials else 1)
    rows = subgroups(fit, {"sex": table["sex"]}, ProfileOptions(trials_within_cases=True))
    assert rows["n"].tolist() == table["sex"].value_counts().sort_index().tolist()
    assert women["observed"] == events[table["sex"] == "F"].sum()
    assert women["expected"] == pytest.approx(mean[table["sex"] == "F"].sum())
    assert women["lower"] * women["expected"] == pytest.approx(stats.chi2.ppf(0.025, 2 * women["observed"]) / 2)

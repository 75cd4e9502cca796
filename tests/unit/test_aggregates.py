"""Published aggregates: shrinkage, tests and ranks against scipy and simulation; tables that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from profiling.assessment import COLUMNS, ProfileOptions, assess_aggregates, profile_providers
from profiling.assessment.aggregates import LARGEST_SHAPE, gamma_family, shrink
from profiling.errors import InputRejected, ModelError
from profiling.pipeline.aggregates import read_aggregates


def table(seed: int = 1, providers: int = 200, spread: float = 0.3) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    expected = random.uniform(5, 80, providers)
    ratio = random.gamma(1 / spread**2, spread**2, providers) if spread else np.ones(providers)
    return pd.DataFrame(
        {
            "hospital": [f"h{i:03d}" for i in range(providers)],
            "n": np.rint(expected * 12).astype(int),
            "observed": random.poisson(expected * ratio),
            "expected": expected,
        }
    )


def test_columns_are_those_of_a_model_and_ratios_those_of_the_table() -> None:
    rows = table().sample(frac=1, random_state=3)
    found = profile_providers(rows, "hospital")
    assert tuple(found.columns) == COLUMNS
    assert list(found["provider"]) == sorted(rows["hospital"])
    ordered = rows.sort_values("hospital")
    assert found["oe_ratio"].to_numpy() == pytest.approx((ordered["observed"] / ordered["expected"]).to_numpy())
    assert found["observed_rate"].to_numpy() == pytest.approx((ordered["observed"] / ordered["n"]).to_numpy())
    first = found.iloc[0]
    upper = (
        stats.poisson.sf(first["observed"] - 1, first["expected"])
        - stats.poisson.pmf(first["observed"], first["expected"]) / 2
    )
    assert first["probability_by_chance"] == pytest.approx(2 * min(upper, 1 - upper))


def test_gamma_family_is_the_maximum_of_scipys_negative_binomial() -> None:
    rows = table(2)
    observed, expected = rows["observed"].to_numpy(float), rows["expected"].to_numpy()
    shape, mean = gamma_family(observed, expected)

    def log_likelihood(a: float, m: float) -> float:
        return float(stats.nbinom.logpmf(observed, a, a / (a + m * expected)).sum())

    best = log_likelihood(shape, mean)
    for a, m in ((1.02, 1), (0.98, 1), (1, 1.004), (1, 0.996)):
        assert log_likelihood(shape * a, mean * m) < best
    assert 1 / np.sqrt(shape) == pytest.approx(0.3, abs=0.05)


def test_posterior_of_a_ratio_is_the_integral() -> None:
    rows = table(3, 60)
    observed, expected = rows["observed"].to_numpy(float), rows["expected"].to_numpy()
    shape, mean = gamma_family(observed, expected)
    found = shrink(observed, expected)

    def density(r: float) -> float:
        return float(stats.gamma.pdf(r, shape, scale=mean / shape) * stats.poisson.pmf(observed[4], r * expected[4]))

    total = integrate.quad(density, 0, 10, points=[1], epsabs=1e-14)[0]
    assert found.ratio[4] == pytest.approx(integrate.quad(lambda r: r * density(r), 0, 10, points=[1])[0] / total)
    inside = integrate.quad(density, found.lower[4], found.upper[4], epsabs=1e-14)[0] / total
    assert inside == pytest.approx(0.95, abs=1e-6)
    beyond = integrate.quad(density, 1.2, 10, epsabs=1e-14)[0] / total
    assert found.above(1.2)[4] == pytest.approx(beyond, abs=1e-8)


@pytest.mark.parametrize("shrinkage", ["gamma", "log_normal"])
def test_intervals_cover_and_shrinkage_lies_between(shrinkage: str) -> None:
    random = np.random.default_rng(4)
    expected = random.uniform(15, 80, 3000)
    truth = random.gamma(16, 1 / 16, 3000)
    observed = random.poisson(expected * truth).astype(float)
    found = shrink(observed, expected, shrinkage)  # type: ignore[arg-type]
    covered = np.mean((found.lower < truth) & (truth < found.upper))
    assert covered == pytest.approx(0.95, abs=0.015)
    raw = observed / expected
    between = (found.ratio - np.minimum(raw, 1.02) > -0.03) & (found.ratio - np.maximum(raw, 0.98) < 0.03)
    assert between.all()


def test_without_spread_everybody_is_drawn_in_to_the_mean() -> None:
    rows = table(5, 300, spread=0.0)
    rows["observed"] = np.rint(rows["expected"]).astype(int)
    found = assess_aggregates(rows, "hospital")
    assert gamma_family(rows["observed"].to_numpy(float), rows["expected"].to_numpy())[0] == LARGEST_SHAPE
    assert np.ptp(found.frame["ratio"]) < 1e-6
    assert (found.frame["reliability"] == 0).all()
    assert found.rankability == 0


def test_flags_are_nominal_when_all_meet_the_norm() -> None:
    found = assess_aggregates(table(6, 4000, spread=0.0), "hospital")
    watched = (found.frame["category"] != "as_expected").sum()
    assert watched == pytest.approx(found.expected_false_watch, abs=4 * np.sqrt(found.expected_false_watch))
    assert found.expected_false_watch == pytest.approx(0.05 * 4000, rel=0.15)


def test_zero_events_are_no_exception() -> None:
    rows = table(7, 40)
    rows.loc[0, "observed"] = 0
    for options in (ProfileOptions(), ProfileOptions(overdispersion="additive"), ProfileOptions(rule="ahrq")):
        found = assess_aggregates(rows, "hospital", options).frame
        assert found["oe_lower"].iloc[0] == 0
        assert np.isfinite(found[["z", "ratio", "ratio_lower", "probability_by_chance"]].to_numpy(float)).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"observed": 1.5}, "no count"),
        ({"observed": -1}, "no count"),
        ({"observed": 10_000}, "more observed events than cases"),
        ({"expected": 0.0}, "expected number is not above zero"),
        ({"n": 0}, "cases are not above zero"),
        ({"hospital": "h001"}, "named before"),
        ({"expected": np.nan}, "without a number"),
    ],
)
def test_tables_that_cannot_be_are_refused(change: dict[str, object], words: str) -> None:
    rows = table(8, 20).astype({"observed": float, "n": float})
    rows.loc[3, list(change)] = list(change.values())
    with pytest.raises(ModelError, match=words):
        profile_providers(rows, "hospital")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ModelError, match="no column expected"):
        profile_providers(table().drop(columns="expected"), "hospital")


def test_rates_become_numbers(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("code,cases,omr,emr\n007,200,2.5,1.9\n010,400,0.25,1.1\n")
    names = {"provider": "code", "n": "cases", "observed_rate": "omr", "expected_rate": "emr"}
    found = read_aggregates(file, names, per=100)
    assert found["provider"].tolist() == ["007", "010"]
    assert found["observed"].tolist() == [5, 1]
    assert found["expected"].tolist() == pytest.approx([3.8, 4.4])
    with pytest.raises(InputRejected, match="no column observed or observed_rate"):
        read_aggregates(file, {"provider": "code", "n": "cases"})
    with pytest.raises(InputRejected, match="found deaths"):
        read_aggregates(file, {"deaths": "omr"})


def test_shape_of_the_logarithm() -> None:
    """mode and mode_sd are those of the logarithm of a gamma variable."""
    rows = table(9, 30)
    observed, expected = rows["observed"].to_numpy(float), rows["expected"].to_numpy()
    found = shrink(observed, expected)
    assert found.gamma is not None
    draws = np.log(np.random.default_rng(1).gamma(found.gamma[0][0], 1 / found.gamma[1][0], 400_000))
    assert found.effect[0] == pytest.approx(draws.mean(), abs=0.002)
    assert found.effect_sd[0] == pytest.approx(draws.std(), rel=0.01)

"""The normal envelope against its exact probability, and who lies beyond it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from profiling.assessment.normality import envelope, local_level, normal_quantiles, standardized_effects


def probability_inside(low: np.ndarray, high: np.ndarray) -> float:
    """That n ordered uniforms all lie between their bounds: by the counts of a Poisson process (Steck 1971)."""
    n = len(low)
    events = sorted([(value, 0) for value in low] + [(value, 1) for value in high])
    first, chance, before = 0, np.array([1.0]), 0.0
    for at, _ in events:
        least, most = int(np.sum(high <= at)), int(np.sum(low < at))
        steps = stats.poisson.pmf(np.arange(most - first + 1), n * (at - before))
        chance = np.convolve(chance, steps)[: most - first + 1]
        chance, first, before = chance[max(least - first, 0) :], max(least, first), at
    rest = stats.poisson.pmf(n - first - np.arange(len(chance)), n * (1 - before))
    return float(chance @ rest / stats.poisson.pmf(n, n))


@pytest.mark.parametrize("count", [1, 4, 29, 121, 300])
def test_the_envelope_holds_whole_samples_with_95_per_cent(count: int) -> None:
    table = envelope(count)
    low, high = stats.norm.cdf(table["lower"]), stats.norm.cdf(table["upper"])
    assert probability_inside(low, high) == pytest.approx(0.95, abs=0.001)
    assert (table["lower"] < table["theoretical"]).all()
    assert (table["theoretical"] < table["upper"]).all()


def test_the_envelope_is_symmetric_and_narrows_with_the_sample() -> None:
    table = envelope(51)
    assert table["lower"].to_numpy() == pytest.approx(-table["upper"].to_numpy()[::-1])
    assert local_level(20) > local_level(2000) > 0
    widths = [float((envelope(n)["upper"] - envelope(n)["lower"]).iloc[n // 2]) for n in (11, 101, 1001)]
    assert widths == sorted(widths, reverse=True)


def test_an_outlier_is_found_and_the_order_of_providers_does_not_matter() -> None:
    values = stats.norm.ppf((np.arange(60) + 0.5) / 60)
    assert not normal_quantiles(values)["beyond"].any()
    values[7] = 6.0
    shuffled = np.random.default_rng(1).permutation(60)
    found = normal_quantiles(values[shuffled])
    assert found.index[found["beyond"]].tolist() == [int(np.flatnonzero(shuffled == 7)[0])]
    assert found["theoretical"].max() == found.loc[found["beyond"], "theoretical"].iloc[0]


def test_effects_of_large_and_small_providers_are_alike_once_standardized() -> None:
    random = np.random.default_rng(2)
    effect = random.normal(0, 0.3, 40_000)
    noise = np.where(np.arange(40_000) % 2, 0.05, 0.6)
    seen = effect + random.normal(0, noise)
    weight = 0.09 / (0.09 + noise**2)
    value = standardized_effects(weight * seen, np.sqrt(0.09 * (1 - weight)), 0.09)
    assert value[::2].std() == pytest.approx(1, abs=0.02)
    assert value[1::2].std() == pytest.approx(1, abs=0.02)
    assert stats.kstest(value, "norm").pvalue > 0.01


def test_providers_that_say_nothing_have_no_value() -> None:
    value = standardized_effects(np.array([0.1, 0.0]), np.array([0.2, 0.3]), 0.09)
    assert np.isfinite(value[0])
    assert np.isnan(value[1])
    assert np.isnan(standardized_effects(np.array([0.1]), np.array([0.0]), 0.0)).all()
    table = normal_quantiles(np.array([np.nan, 1.0, np.nan]))
    assert table["theoretical"].notna().tolist() == [False, True, False]
    assert not table["beyond"].any()

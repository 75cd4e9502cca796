"""What must hold whatever the numbers."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from profiling.assessment.checks import c_statistic
from profiling.assessment.funnel import EventShape, smooth_limits, smooth_mid_p
from profiling.assessment.intervals import clopper_pearson, poisson_exact, poisson_mid_p, wilson
from profiling.assessment.poisson_binomial import cdf, exact_test, pmf, survival
from profiling.assessment.ranks import drawn_ranks, expected_ranks, rank_interval

risks = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9)
FAST = settings(deadline=None, max_examples=60)


def enumerated(p: list[float]) -> list[float]:
    """The distribution by all 2ⁿ outcomes in exact rational arithmetic."""
    total = [Fraction(0)] * (len(p) + 1)
    for outcome in itertools.product((0, 1), repeat=len(p)):
        chance = Fraction(1)
        for event, risk in zip(outcome, p, strict=True):
            chance *= Fraction(risk) if event else 1 - Fraction(risk)
        total[sum(outcome)] += chance
    return [float(value) for value in total]


@FAST
@given(risks)
def test_poisson_binomial_is_the_enumeration(p: list[float]) -> None:
    assert pmf(p) == pytest.approx(enumerated(p), abs=1e-15, rel=1e-12)
    assert cdf(p)[-1] == pytest.approx(1.0, abs=1e-14)
    assert survival(p)[0] == pytest.approx(1.0, abs=1e-14)


@FAST
@given(st.lists(risks, min_size=1, max_size=5), st.data())
def test_exact_test_of_several_providers_is_that_of_each(groups: list[list[float]], data: st.DataObject) -> None:
    observed = [data.draw(st.integers(0, len(p))) for p in groups]
    starts = np.concatenate([[0], np.cumsum([len(p) for p in groups])])
    found = exact_test(np.concatenate(groups), starts, observed, 0.3, 0.1)
    for j, (p, count) in enumerate(zip(groups, observed, strict=True)):
        f = np.array(enumerated(p))
        lower, upper = np.cumsum(f) - f / 2, np.cumsum(f[::-1])[::-1] - f / 2
        two_sided = np.minimum(1, 2 * np.minimum(lower, upper))
        assert found.two_sided_mid_p[j] == pytest.approx(two_sided[count], abs=1e-12)
        clear = np.abs(two_sided - 0.3) > 1e-9
        if clear.all():
            assert found.null_watch[j] == pytest.approx(f[two_sided < 0.3].sum(), abs=1e-12)
        assert found.null_flag[j] <= found.null_watch[j] + 1e-15


def test_poisson_binomial_of_equal_risks_is_binomial_far_into_the_tails() -> None:
    n, p = 20_000, 0.13
    exact = stats.binom(n, p)
    for count in (1_100, 1_500, 2_600, 3_000, 4_500):
        test = exact_test(np.full(n, p), np.array([0, n]), [count])
        for found, log_value in (
            (test.below[0], exact.logcdf(count - 1)),
            (test.above[0], exact.logsf(count)),
        ):
            if log_value > np.log(1e-250):
                assert np.log(found) == pytest.approx(log_value, abs=1e-8)


def test_more_than_twenty_thousand_patients_keep_absolute_accuracy() -> None:
    n, p = 60_000, 0.3
    test = exact_test(np.full(n, p), np.array([0, n]), [17_500])
    assert test.lower_mid_p[0] == pytest.approx(
        stats.binom.cdf(17_499, n, p) + stats.binom.pmf(17_500, n, p) / 2, rel=1e-9
    )
    far = exact_test(np.full(n, p), np.array([0, n]), [60_000])
    assert far.two_sided_mid_p[0] == 0.0


@FAST
@given(st.integers(0, 3000), st.floats(0.5, 0.999))
def test_exact_poisson_limits_leave_half_alpha_on_each_side(observed: int, level: float) -> None:
    lower, upper = poisson_exact(observed, level)
    tail = (1 - level) / 2
    assert stats.poisson.cdf(observed, float(upper)) == pytest.approx(tail, rel=1e-7)
    if observed:
        assert stats.poisson.sf(observed - 1, float(lower)) == pytest.approx(tail, rel=1e-7)
        assert 2 * lower == pytest.approx(stats.chi2.ppf(tail, 2 * observed), rel=1e-9)
    inner_lower, inner_upper = poisson_mid_p(observed, level)
    assert lower <= inner_lower <= observed <= inner_upper <= upper
    found = stats.poisson.cdf(observed - 1, float(inner_upper)) + stats.poisson.pmf(observed, float(inner_upper)) / 2
    assert found == pytest.approx(tail, rel=1e-7)


@FAST
@given(st.integers(1, 500), st.data())
def test_exact_rate_limits_leave_half_alpha_on_each_side(n: int, data: st.DataObject) -> None:
    observed = data.draw(st.integers(0, n))
    lower, upper = (float(x) for x in clopper_pearson(observed, n))
    if observed < n:
        assert stats.binom.cdf(observed, n, upper) == pytest.approx(0.025, rel=1e-7)
    if observed:
        assert stats.binom.sf(observed - 1, n, lower) == pytest.approx(0.025, rel=1e-7)
    low, high = (float(x) for x in wilson(observed, n))
    assert 0 <= low <= observed / n + 1e-12
    assert observed / n - 1e-12 <= high <= 1


@FAST
@given(st.integers(2, 60), st.integers(0, 2**31))
def test_expected_ranks_sum_to_the_sum_of_ranks_and_rise_with_the_effect(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    effect = np.sort(random.normal(size=count))
    ranks = expected_ranks(effect, np.full(count, random.gamma(1)))
    assert ranks.sum() == pytest.approx(count * (count + 1) / 2)
    assert (np.diff(ranks) >= -1e-12).all()
    assert ((ranks >= 1 - 1e-12) & (ranks <= count + 1e-12)).all()


def test_drawn_ranks_agree_with_expected_ranks_and_are_permutations() -> None:
    random = np.random.default_rng(5)
    effect, variance = random.normal(size=50), random.gamma(1, 0.3, size=50)
    ranks = drawn_ranks(effect, variance, 4000, 7)
    assert (np.sort(ranks, axis=1) == np.arange(1, 51)).all()
    assert np.abs(ranks.mean(axis=0) - expected_ranks(effect, variance)).max() < 5 * 15 / np.sqrt(4000)
    low, high = rank_interval(ranks)
    share = ((ranks >= low) & (ranks <= high)).mean(axis=0)
    assert (share >= 0.95 - 1e-12).all()
    assert (ranks == drawn_ranks(effect, variance, 4000, 7)).all()


def test_ranks_without_any_variance_are_all_the_middle_one() -> None:
    nothing = np.zeros(9)
    assert expected_ranks(nothing, nothing) == pytest.approx(np.full(9, 5.0))
    ranks = drawn_ranks(nothing, nothing, 2000, 1)
    assert np.abs(ranks.mean(axis=0) - 5).max() < 0.4


@FAST
@given(st.integers(1, 40), st.floats(0.01, 0.9))
def test_smooth_mid_p_meets_the_binomial_and_poisson_at_whole_counts(n: int, p: float) -> None:
    counts = np.arange(n + 1, dtype=float)
    binomial = stats.binom.cdf(counts - 1, n, p) + stats.binom.pmf(counts, n, p) / 2
    found = smooth_mid_p(counts, np.full(n + 1, n * p), EventShape.of(np.full(n, p)))
    assert found == pytest.approx(binomial, abs=1e-9)
    poisson = stats.poisson.cdf(counts - 1, n * p) + stats.poisson.pmf(counts, n * p) / 2
    assert smooth_mid_p(counts, np.full(n + 1, n * p), EventShape(1.0, 1.0)) == pytest.approx(poisson, abs=1e-9)


def test_funnel_limits_part_providers_as_their_exact_tests_do() -> None:
    """Providers of every volume whose patients come from one heterogeneous cohort: the drawn limit decides
    as the test."""
    random = np.random.default_rng(11)
    sizes = random.integers(25, 900, size=3000)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    p = random.beta(0.8, 7.2, size=starts[-1])
    expected = np.add.reduceat(p, starts[:-1])
    observed = np.rint(expected + random.normal(size=3000) * 2.2 * np.sqrt(expected)).clip(0)
    test = exact_test(p, starts, observed).two_sided_mid_p
    for probability in (0.05, 0.002):
        lower, upper = smooth_limits(expected, probability, EventShape.of(p))
        outside = (observed > upper) | (observed < lower)
        assert np.mean(outside != (test < probability)) < 0.01


@FAST
@given(st.integers(5, 200), st.integers(0, 2**31))
def test_c_statistic_counts_the_pairs(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    outcome, score = (random.random(n) < 0.4).astype(float), np.round(random.random(n), 1)
    cases, others = score[outcome == 1], score[outcome == 0]
    found = c_statistic(outcome, score)
    if len(cases) == 0 or len(others) == 0:
        assert np.isnan(found)
        return
    pairs = (cases[:, None] > others).mean() + (cases[:, None] == others).mean() / 2
    assert found == pytest.approx(pairs)

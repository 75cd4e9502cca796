"""Poisson-binomial tails and intervals against rational enumeration, scipy and simulation-free identities."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import prod

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from profiling.assessment.funnel_normal import arcsine_limits, expected_at_limit, mean_limits, score_limits
from profiling.assessment.intervals import binomial_mid_p, poisson_binomial_limits, poisson_exact, wilson
from profiling.assessment.poisson_binomial import exact_test, pmf
from profiling.assessment.tilting import convolved, tails


def enumerated(p: list[Fraction]) -> list[Fraction]:
    """P(X = k) as the sum over all sets of k patients."""
    total = []
    for k in range(len(p) + 1):
        sets = (set(chosen) for chosen in combinations(range(len(p)), k))
        total.append(
            sum((prod((q if i in s else 1 - q for i, q in enumerate(p)), start=Fraction(1)) for s in sets), Fraction(0))
        )
    return total


def test_tails_of_ten_patients_are_those_of_the_enumeration() -> None:
    p = [Fraction(k * k + 1, 977) for k in range(10)]
    exact = enumerated(p)
    for k in range(11):
        below, point, above = tails(np.array([float(q) for q in p]), k)
        assert point == pytest.approx(float(exact[k]), rel=1e-10)
        assert below == pytest.approx(float(sum(exact[:k])), rel=1e-8 if k < 1 else 1e-12, abs=1e-15)
        assert above == pytest.approx(float(sum(exact[k + 1 :])), rel=1e-9, abs=0)


def test_tails_hold_eight_digits_down_to_1e_100_and_beyond() -> None:
    """Against scipy's binomial, for 100,000 patients of one risk."""
    n, rate = 100_000, 0.13
    p = np.full(n, rate)
    for k in (9_900, 10_600, 12_000, 13_000, 13_900, 15_500, 16_200):
        below, point, above = tails(p, k)
        assert np.log(point) == pytest.approx(stats.binom.logpmf(k, n, rate), abs=1e-8)
        small, exact = (above, stats.binom.sf(k, n, rate)) if k > n * rate else (below, stats.binom.cdf(k - 1, n, rate))
        if exact > 1e-300:
            assert small == pytest.approx(exact, rel=1e-8)
    assert tails(p, 16_200)[2] < 1e-100


def test_unequal_risks_agree_with_the_recursion() -> None:
    random = np.random.default_rng(2)
    p = random.beta(0.4, 3, 4_000)
    p[:3] = 1.0, 0.0, 1e-12
    exact = pmf(p)
    assert np.abs(convolved(p) - exact).max() < 1e-14
    mean = p.sum()
    for k in (1, 2, 200, int(mean) - 40, int(mean), int(mean) + 1, int(mean) + 150, 1000):
        below, point, above = tails(p, k)
        assert point == pytest.approx(exact[k], rel=1e-9, abs=0)
        assert below == pytest.approx(exact[:k].sum(), rel=1e-9, abs=1e-13)
        assert above == pytest.approx(exact[k + 1 :][::-1].sum(), rel=1e-9 if k > mean else 1e-12, abs=0)


@pytest.mark.parametrize("p", [[1.0, 1.0, 0.0], [0.0, 0.0], [0.3], [1.0, 0.3]])
def test_certain_outcomes(p: list[float]) -> None:
    exact = pmf(p)
    for k in range(len(p) + 1):
        assert tails(np.array(p), k) == pytest.approx((exact[:k].sum(), exact[k], exact[k + 1 :].sum()), abs=1e-15)


def test_a_large_provider_is_tested_as_a_small_one() -> None:
    random = np.random.default_rng(3)
    p = random.beta(1, 9, 20_500)
    starts = np.array([0, 20_500])
    observed = np.array([int(p.sum()) + 70])
    exact = pmf(p)
    found = exact_test(p, starts, observed)
    assert found.above[0] == pytest.approx(exact[observed[0] + 1 :].sum(), rel=1e-9)
    assert found.point[0] == pytest.approx(exact[observed[0]], rel=1e-9)
    assert found.null_watch[0] == pytest.approx(0.05, abs=0.004)
    assert found.null_flag[0] == pytest.approx(0.002, abs=0.0002)


def test_mid_p_limits_of_a_proportion() -> None:
    for k, n in ((0, 20), (3, 40), (7, 50), (20, 20)):
        lower, upper = (float(x) for x in binomial_mid_p(k, n))
        if k > 0:
            assert stats.binom.sf(k, n, lower) + stats.binom.pmf(k, n, lower) / 2 == pytest.approx(0.025, abs=1e-10)
        if k < n:
            assert stats.binom.cdf(k - 1, n, upper) + stats.binom.pmf(k, n, upper) / 2 == pytest.approx(
                0.025, abs=1e-10
            )
        assert (lower == 0) is (k == 0)
        assert (upper == 1) is (k == n)


def test_limits_for_unequal_risks_are_those_of_a_shifted_cohort() -> None:
    random = np.random.default_rng(4)
    p = random.uniform(0.02, 0.6, 90)
    starts = np.array([0, 50, 90])
    observed = np.array([9, 0])
    lower, _ = poisson_binomial_limits(p, starts, observed)
    first = p[:50]

    def upper_tail(shift: float) -> float:
        f = pmf(special.expit(special.logit(first) + shift))
        return float(f[10:].sum() + f[9] / 2)

    shift = optimize.brentq(lambda b: upper_tail(b) - 0.025, -5, 5, xtol=1e-13)
    assert lower[0] == pytest.approx(special.expit(special.logit(first) + shift).sum() / first.sum(), rel=1e-9)
    assert lower[1] == 0
    # Equal risks: the limits are the binomial's.
    same = poisson_binomial_limits(np.full(50, 0.2), np.array([0, 50]), np.array([7]))
    assert [float(x[0]) * 0.2 for x in same] == pytest.approx([float(x) for x in binomial_mid_p(7, 50)], rel=1e-9)


def test_score_limits_invert_wilson() -> None:
    """An observed proportion on the funnel's limit has a Wilson limit at the norm."""
    n = np.array([40, 500, 9_000])
    low, high = score_limits(n, 0.3, 0.05)
    assert wilson(low * n, n)[1] == pytest.approx([0.3] * 3, rel=1e-12)
    assert wilson(high * n, n)[0] == pytest.approx([0.3] * 3, rel=1e-12)


def test_expected_number_at_the_limit() -> None:
    at_lower, at_upper = expected_at_limit([4], 0.002)
    assert stats.poisson.cdf(4, at_lower[0]) == pytest.approx(0.001)
    assert stats.poisson.sf(3, at_upper[0]) == pytest.approx(0.001)
    assert poisson_exact(4, 0.998) == (pytest.approx(at_upper[0]), pytest.approx(at_lower[0]))


def test_arcsine_and_mean_limits_cover_what_they_say() -> None:
    random = np.random.default_rng(6)
    low, high = arcsine_limits(400, 0.3, 0.05)
    rate = random.binomial(400, 0.3, 40_000) / 400
    assert np.mean((rate < low) | (rate > high)) == pytest.approx(0.05, abs=0.008)
    assert [float(x) for x in arcsine_limits(1, 0.9, 0.002)] == [pytest.approx(0.0, abs=0.01), 1.0]
    low, high = mean_limits(25, 10, 4, 0.05, tau_squared=0.36)
    mean = random.normal(10 + 0.6 * random.normal(size=40_000), 4 / 5)
    assert np.mean((mean < low) | (mean > high)) == pytest.approx(0.05, abs=0.005)
    assert integrate.quad(lambda x: stats.norm.pdf(x, 10, 1.0), low, high)[0] == pytest.approx(0.95)

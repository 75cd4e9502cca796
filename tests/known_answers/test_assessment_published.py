"""Figures printed by others, or recomputed from their formulas by independent code."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from profiling.assessment.funnel import binomial_limit, chi_square_limit, poisson_limit
from profiling.assessment.intervals import byar, clopper_pearson, poisson_exact, poisson_mid_p, wilson
from profiling.assessment.poisson_binomial import exact_test, pmf
from profiling.assessment.ranks import expected_ranks, percentiles

SHARED = Path(os.environ.get("PROFILING_SHARED", "../shared"))
TAILS = (0.001, 0.025, 0.975, 0.999)


@pytest.mark.parametrize(
    ("expected", "limits"),
    [
        (5, (0, 0.10841316, 1.87531172, 2.55427076)),
        (15, (0.27160380, 0.49065933, 1.50554436, 1.85580762)),
        (30, (0.46924159, 0.64110431, 1.35721490, 1.59373682)),
        (100, (0.70065284, 0.80366337, 1.19580895, 1.31804750)),
    ],
)
def test_interpolated_poisson_limits_of_spiegelhalter_2005(expected: float, limits: tuple[float, ...]) -> None:
    found = [float(poisson_limit(expected, p)) for p in TAILS]
    assert found == pytest.approx(limits, abs=6e-9)


@pytest.mark.parametrize(
    ("n", "limits"),
    [
        (50, (0.0053970841, 0.0467872825, 0.2459907548, 0.3147424309)),
        (200, (0.075037430, 0.099776539, 0.198700637, 0.230055297)),
    ],
)
def test_interpolated_binomial_limits_of_spiegelhalter_2005(n: int, limits: tuple[float, ...]) -> None:
    assert [float(binomial_limit(0.15, n, p)) for p in TAILS] == pytest.approx(limits, abs=6e-10)


def test_expected_ranks_of_four_providers() -> None:
    rank = expected_ranks(np.array([-0.5, -0.1, 0, 0.3]), np.array([0.04, 0.01, 0.09, 0.02]))
    assert rank == pytest.approx([1.12012348, 2.34955635, 2.72418240, 3.80613777], abs=6e-9)
    assert percentiles(rank) == pytest.approx([15.503087, 46.238909, 55.604560, 82.653444], abs=6e-7)


def test_poisson_binomial_of_five_patients() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    assert pmf(p) == pytest.approx([0.1512, 0.3714, 0.3274, 0.1274, 0.0214, 0.0012], abs=1e-15)
    test = exact_test(p, np.array([0, 5]), [3])
    assert test.upper_mid_p[0] == pytest.approx(0.0863, abs=1e-15)
    assert test.two_sided_mid_p[0] == pytest.approx(0.1726, abs=1e-15)


@pytest.mark.parametrize(
    ("observed", "expected", "ratio_rate", "limits"),
    [
        (7, 3.5, 4.48, (1.8011924, 9.2305122)),
        (0, 2.1, 0.0, (0.0, 3.9348048)),
    ],
)
def test_exact_poisson_limits_of_a_risk_adjusted_rate(
    observed: int, expected: float, ratio_rate: float, limits: tuple[float, float]
) -> None:
    lower, upper = poisson_exact(observed)
    assert observed / expected * 2.24 == pytest.approx(ratio_rate)
    assert (lower / expected * 2.24, upper / expected * 2.24) == pytest.approx(limits, abs=6e-8)


def test_byar_limits_of_ten_events() -> None:
    assert [float(x) for x in byar(10)] == pytest.approx([4.7874499, 18.3914586], abs=6e-8)


def test_mid_p_limits_of_ten_events() -> None:
    # OpenEpi (Dean, Sullivan & Soe 2013) prints 5.08 and 17.82 for 10 events.
    assert [round(float(x), 2) for x in poisson_mid_p(10)] == [5.08, 17.82]


def test_rate_limits_of_newcombe_1998() -> None:
    # Newcombe 1998 (Stat Med 17:857), table I: 81/263, 15/148, 0/20, 1/29.
    observed, n = [81, 15, 0, 1], [263, 148, 20, 29]
    assert np.round(np.array(wilson(observed, n)).T, 4).tolist() == [
        [0.2553, 0.3662],
        [0.0624, 0.1605],
        [0.0, 0.1611],
        [0.0061, 0.1718],
    ]
    assert np.round(np.array(clopper_pearson(observed, n)).T, 4).tolist() == [
        [0.2527, 0.3676],
        [0.0578, 0.1617],
        [0.0, 0.1684],
        [0.0009, 0.1776],
    ]


@pytest.mark.skipif(not (SHARED / "data/nhs_shmi").is_dir(), reason="no folder nhs_shmi under PROFILING_SHARED")
def test_poisson_limits_printed_by_nhs_england() -> None:
    files = sorted((SHARED / "data/nhs_shmi").glob("*.csv"))
    assert len(files) == 6
    for file in files:
        table = pd.read_csv(file, encoding="latin-1").rename(columns=lambda name: name.strip().upper())
        lower, upper = chi_square_limit(table["EXPECTED"].to_numpy(float), 0.998)
        low, high = (next(c for c in table if c.startswith(f"PO_{end}")) for end in ("L", "U"))
        assert np.abs(lower - table[low]).max() < 6e-5
        assert np.abs(upper - table[high]).max() < 6e-5


@pytest.mark.skipif(not (SHARED / "data/ny_cardiac").is_dir(), reason="no folder ny_cardiac under PROFILING_SHARED")
def test_limits_printed_by_new_york_state() -> None:
    """Limits of deaths × statewide/(n × EMR) in every row, within the rounding of the printed EMR and of the
    limits.

    New York prints Byar's limits: with one death its lower limit is half the exact one. Some years cap them
    at 100.
    """
    table = pd.read_csv(SHARED / "data/ny_cardiac/ny_cardiac_by_hospital.csv")
    table = table[(table["expected_rate"] > 0) & table["ci_high"].notna()]
    factor = 1e4 * table["state_deaths"] / table["state_cases"] / (table["cases"] * table["expected_rate"])
    lower, upper = (limit * factor for limit in byar(table["deaths"].to_numpy(float)))
    slack = 0.00501 / (table["expected_rate"] - 0.005)
    right_lower = np.abs(lower - table["ci_low"]) <= 0.005001 + slack * lower
    right_upper = (np.abs(upper - table["ci_high"]) <= 0.005001 + slack * upper) | (
        (table["ci_high"] == 100) & (upper > 100)
    )
    assert len(table) == 2757
    assert right_lower.all()
    assert right_upper.all()

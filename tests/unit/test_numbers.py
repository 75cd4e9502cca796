from __future__ import annotations

import math

import numpy as np
import pytest

from profiling.reporting import numbers


def test_an_estimate_stands_before_its_interval() -> None:
    assert numbers.estimate(1.236, 1.0, 1.541) == "1.24 (1.00–1.54)"
    assert numbers.interval_text(1.0, 1.541) == "1.00 to 1.54"


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.002, "1 in 500"),
        (1 / 4123, "1 in 4,100"),
        (0.05, "1 in 20"),
        (1 / 13, "1 in 13"),
        (0.5, "1 in 2"),
        (0.51, "over 1 in 2"),
        (1e-5, "1 in 100,000"),
        (9e-6, "under 1 in 100,000"),
        (0.0, "under 1 in 100,000"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_chance_is_one_in_n_with_two_figures_at_most(probability: float | None, words: str) -> None:
    assert numbers.chance(probability) == words


def test_percent_has_a_narrow_no_break_space() -> None:
    assert numbers.percent(0.0716) == "7.2\u202f%"
    assert numbers.level_percent(0.95) == "95\u202f%"
    assert numbers.level_percent(0.998) == "99.8\u202f%"


@pytest.mark.parametrize(("value", "words"), [(0, "no"), (1, "one"), (12, "twelve"), (13, "13"), (28851, "28,851")])
def test_numbers_to_twelve_are_words(value: int, words: str) -> None:
    assert numbers.in_words(value) == words
    assert numbers.in_words(value, capital=True)[0] == words[0].upper()


@pytest.mark.parametrize(
    "form",
    [
        numbers.integer,
        numbers.decimal,
        numbers.amount,
        numbers.ratio,
        numbers.percent,
        numbers.chance,
        numbers.few,
        numbers.signed,
    ],
)
@pytest.mark.parametrize("missing", [None, math.nan, math.inf, np.float64("nan")])
def test_what_is_missing_is_a_dash(form: object, missing: float | None) -> None:
    assert form(missing) == "–"  # type: ignore[operator]


def test_there_is_no_minus_zero_and_no_hyphen_for_minus() -> None:
    assert numbers.decimal(-0.04, 1) == "0.0"
    assert numbers.decimal(-8274.5) == "−8,274.5"
    assert numbers.signed(-0.8) == "−0.8"
    assert numbers.signed(6.1) == "+6.1"


def test_what_chance_would_put_is_whole_from_two_upward() -> None:
    assert [numbers.few(value) for value in (0.01, 0.16, 1.0, 1.8, 2.0, 6.4)] == [
        "under 0.1",
        "0.2",
        "1",
        "1.8",
        "2",
        "6",
    ]


def test_ranks_days_and_hashes() -> None:
    assert numbers.rank_interval(61, 121) == "61–121"
    assert numbers.day("2024-06-11") == "11 June 2024"
    assert numbers.moment("2024-06-11 09:14:00") == "11 June 2024, 09:14 UTC"
    assert numbers.day("not a day") == "not a day"
    assert numbers.short_hash("5b0e" + "0" * 56 + "c2d9") == "5b0e…c2d9"

"""Public Health England: funnel limits and significance of proportions, ratios and rates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from profiling.assessment.agreement.table import Agreement, compared, same_words
from profiling.assessment.fitted import Floats
from profiling.assessment.funnel_normal import expected_at_limit, score_limits
from profiling.assessment.intervals import poisson_exact, wilson

SOURCE = "PHE funnels"
TAILS = ((0.05, "2s", "0.025"), (0.002, "3s", "0.001"))
SIX_DECIMALS = 0.5e-6 + 1e-10
RELATIVE = 5e-5  # the worst is the limit of one event at .001, which PHE found by search to a few 1e-5 of itself
PER, YEARS = 100_000.0, 3.0


def agreements(folder: Path) -> Iterator[Agreement]:
    """Proportions, ratios and rates."""
    yield from _proportions(_read(folder, "prop_inputs"), _read(folder, "prop_outputs"))
    yield from _ratios(_read(folder, "ratio_inputs"), _read(folder, "ratio_outputs"))
    yield from _rates(_read(folder, "rate_outputs"))


def _read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"phe_funnel_{name}.csv", encoding="utf-8-sig").rename(columns=lambda c: c.strip())


def _numbers(column: pd.Series) -> Floats:
    return column.to_numpy(dtype=np.float64)


def _proportions(areas: pd.DataFrame, curves: pd.DataFrame) -> Iterator[Agreement]:
    events, n = _numbers(areas["numerator"]), _numbers(areas["denominator"])
    rate, words = float(events.sum() / n.sum()), "5e-7 (6 decimals)"
    yield compared(SOURCE, "proportions, baseline", 100.0 * rate, _numbers(curves["Baseline"]), SIX_DECIMALS, words)
    for probability, sigma, tail in TAILS:
        name = f"{sigma}{tail.replace('.', '')}limit"
        limits = score_limits(_numbers(curves["Population"]), rate, probability)
        for words_of, side, found in zip(("lower", "upper"), ("Lower", "Upper"), limits, strict=True):
            figure = f"proportions, {sigma[0]} sd limit, {words_of}"
            yield compared(SOURCE, figure, 100.0 * found, _numbers(curves[side + name]), SIX_DECIMALS, words)
    intervals = [wilson(events, n, 1.0 - probability) for probability, _, _ in TAILS]
    found = _significance(*((low > rate, high < rate) for low, high in intervals))
    yield same_words(SOURCE, "proportions, significance", found, areas["significance"])


def _ratios(areas: pd.DataFrame, curves: pd.DataFrame) -> Iterator[Agreement]:
    events, words = _numbers(curves["Observed_events"]), "5e-5 of itself"
    for probability, sigma, _ in TAILS:
        for side, at in zip(("lower", "upper"), expected_at_limit(events, probability), strict=True):
            printed = _numbers(curves[f"{side}_{sigma}_isr"])
            figure = f"ratios, {sigma[0]} sd limit, {side}"
            yield compared(SOURCE, figure, 100.0 * events / at, printed, RELATIVE * printed, words)
    observed, expected = _numbers(areas["obs"]), _numbers(areas["expected"])
    intervals = [poisson_exact(observed, 1.0 - probability) for probability, _, _ in TAILS]
    found = _significance(*((low > expected, high < expected) for low, high in intervals))
    yield same_words(SOURCE, "ratios, significance", found, areas["significance"])


def _rates(curves: pd.DataFrame) -> Iterator[Agreement]:
    events, baseline, words = _numbers(curves["Events"]), _numbers(curves["baseline"]), "5e-5 of itself"
    for probability, sigma, _ in TAILS:
        for side, at in zip(("lower", "upper"), expected_at_limit(events, probability), strict=True):
            population = PER * at / baseline
            for figure, found, column in (
                ("limit", PER * events / population, f"{side}_{sigma}_limit"),
                ("population", population / YEARS, f"{side}_{sigma}_population_1_year"),
            ):
                printed = _numbers(curves[column])
                yield compared(
                    SOURCE, f"rates, {sigma[0]} sd {figure}, {side}", found, printed, RELATIVE * printed, words
                )


def _significance(*sides: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """PHE's words, the outer limits before the inner ones."""
    words = np.full(len(sides[0][0]), "Not significant", dtype=object)
    for (high, low), (_, _, tail) in zip(sides, TAILS, strict=True):
        words = np.where(high, f"High ({tail})", np.where(low, f"Low ({tail})", words))
    return words

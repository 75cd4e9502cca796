"""Panel of a model: what other reasonable choices would change."""

from __future__ import annotations

from typing import Any

import pandas as pd

from profiling.reporting import numbers, sentences
from profiling.reporting.charts.dots import DotRow, dots
from profiling.reporting.definitions import named
from profiling.reporting.disclosure import clean
from profiling.reporting.pages.agreement import method_words
from profiling.reporting.pages.panel import Head, Panel, PanelTable, drawn, links_to
from profiling.reporting.pages.shared import MeasureView, Site, each, noun, nouns

KIND = "sensitivity"
LOWEST = 0.5


def panel(site: Site, measure: MeasureView, level: str, root: str) -> Panel | None:
    """Rank correlation and changed flags of every other choice, in the order of the store; None without any."""
    rows = measure.of(KIND)
    rows = rows[rows["level"] == level]
    known = rows[rows["rank_correlation"].notna() | rows["flags_changed"].notna()]
    if known.empty:
        return None
    words = {"provider": noun(level), "providers": nouns(level)}
    title, told = _finding(measure, known, words)
    entries = [DotRow(_name(measure, row), _correlation(row), _changed(row, words)) for row in each(known)]
    low = min([LOWEST, *(entry.value for entry in entries if entry.value == entry.value)])
    drawing = drawn(
        KIND,
        lambda form: dots(
            entries,
            (low, 1.0),
            kind="sensitivity",
            form=form,
            title=sentences.say("sensitivity_question"),
            finding=title,
            axis_name=sentences.say("sensitivity_axis"),
            words_name=sentences.say("sensitivity_words"),
            reference=1.0,
        ),
    )
    return Panel(
        title,
        sentences.say("sensitivity_sub", **words),
        drawing,
        told,
        _table(measure, rows, words),
        links_to(site, measure, KIND, root),
        defined=named("rank-correlation", "stability"),
        beside="words",
    )


def _name(measure: MeasureView, row: Any) -> str:
    return sentences.capital(method_words(measure, str(row.variant)))


def _correlation(row: Any) -> float:
    return float(row.rank_correlation) if numbers.known(row.rank_correlation) else float("nan")


def _judged(row: Any) -> float:
    return float(row.flags_same) + float(row.flags_changed)


def _changed(row: Any, words: dict[str, str]) -> str:
    if not numbers.known(row.flags_changed):
        return numbers.DASH
    return sentences.say("of_all", count=numbers.integer(row.flags_changed), all=numbers.integer(_judged(row)))


def _finding(measure: MeasureView, known: pd.DataFrame, words: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """The choice that changes most results, and how far the order of providers stays."""
    changed = known[known["flags_changed"].notna()]
    told = []
    if len(changed) and float(changed["flags_changed"].max()) > 0:
        most: Any = next(each(changed.loc[[changed["flags_changed"].astype(float).idxmax()]]))
        title = sentences.say(
            "sensitivity_most",
            count=numbers.in_words(most.flags_changed, capital=True),
            all=numbers.integer(_judged(most)),
            variant=method_words(measure, str(most.variant)),
            **words,
        )
    else:
        title = sentences.say("sensitivity_none", **words)
    ranked = known[known["rank_correlation"].notna()]
    if len(ranked):
        least: Any = next(each(ranked.loc[[ranked["rank_correlation"].astype(float).idxmin()]]))
        told.append(
            sentences.say(
                "sensitivity_order",
                variant=method_words(measure, str(least.variant)),
                correlation=numbers.ratio(least.rank_correlation),
                **words,
            )
        )
    return title, tuple(told)


def _table(measure: MeasureView, rows: pd.DataFrame, words: dict[str, str]) -> PanelTable:
    """All choices, those that could not be had too, with the reason."""
    head = (
        Head(sentences.say("head_choice"), number=False),
        Head(sentences.say("head_compared", providers=sentences.capital(words["providers"]))),
        Head(sentences.say("head_correlation"), key="rank-correlation"),
        Head(sentences.say("head_changing")),
        Head(sentences.say("head_what"), number=False),
    )
    body = tuple(
        (
            _name(measure, row),
            numbers.integer(row.providers) if numbers.known(row.providers) else numbers.DASH,
            numbers.ratio(row.rank_correlation) if numbers.known(row.rank_correlation) else numbers.DASH,
            _changed(row, words),
            sentences.stored(clean(row.note)) if isinstance(row.note, str) else "",
        )
        for row in each(rows)
    )
    return PanelTable(sentences.say("sensitivity_table"), head, body)

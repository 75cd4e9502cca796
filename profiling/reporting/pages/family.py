"""Panel of a measure: whether the effects of its providers look like one normal family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from profiling.assessment.normality import normal_quantiles, standardized_effects
from profiling.reporting import numbers, sentences
from profiling.reporting.charts.effects import effects
from profiling.reporting.definitions import named
from profiling.reporting.pages.drawings import drawable, not_drawn
from profiling.reporting.pages.panel import Head, Panel, PanelTable, drawn, links_to
from profiling.reporting.pages.shared import MeasureView, Site, each, noun, nouns

KIND = "effects"
FEWEST = 5
FARTHEST = 10


def figures(measure: MeasureView, level: str) -> pd.DataFrame:
    """The level's masked rows with value, theoretical, lower, upper and beyond; empty where no variance is known."""
    rows = measure.providers[level]
    variance = _variance(measure, level)
    if not variance > 0 or rows["mode"].notna().sum() < FEWEST:
        return rows.iloc[:0]
    shown = rows[~rows["hidden"].astype(bool)]
    values = standardized_effects(shown["mode"].to_numpy(dtype=float), shown["mode_sd"].to_numpy(dtype=float), variance)
    quantiles = normal_quantiles(values).set_axis(shown.index)
    return rows.join(quantiles).assign(beyond=lambda table: table["beyond"].fillna(False).astype(bool))


def _variance(measure: MeasureView, level: str) -> float:
    parts = measure.of("variance_components")
    own = parts[(parts["term_a"] == "Intercept") & (parts["term_b"].isna() | (parts["term_b"] == "Intercept"))]
    found = own.loc[own["grouping"].astype(str).str.rsplit(":", n=1).str[-1] == level, "covariance"]
    return float(found.iloc[0]) if len(found) else float("nan")


def panel(site: Site, measure: MeasureView, level: str, root: str) -> Panel | None:
    """The panel, or None where there are too few effects to say anything about their family."""
    table = figures(measure, level)
    known = table[table["value"].notna()] if len(table) else table
    if len(known) < FEWEST:
        return None
    words = {"provider": noun(level), "providers": nouns(level)}
    beyond = known[known["beyond"]]
    title, told = _finding(beyond, len(known), words)
    rows = drawable(site, table, root)
    drawing = drawn(
        KIND,
        lambda form: effects(
            rows,
            form=form,
            finding=title,
            providers=words["providers"],
            count_name=sentences.say("axis_how_many", **words),
            hidden_words=not_drawn(),
        ),
    )
    return Panel(
        title,
        sentences.say("effects_sub", **words),
        drawing,
        (told,),
        _table(known, words),
        links_to(site, measure, KIND, root),
        defined=named("effect-spread"),
    )


def _finding(beyond: pd.DataFrame, count: int, words: Mapping[str, str]) -> tuple[str, str]:
    """Title and sentence: nobody outside, somebody further out than the family, or all closer together than it."""
    if beyond.empty:
        return sentences.say("effects_normal", **words), sentences.say("effects_inside", count=count, **words)
    outward = beyond[beyond["value"].abs() > beyond["theoretical"].abs()]
    if outward.empty:
        return sentences.say("effects_closer", **words), sentences.say("effects_narrow", **words)
    gap = (outward["value"] - outward["theoretical"]).abs()
    ordered = outward.assign(gap=gap).sort_values(["gap", "provider_name"], ascending=[False, True], kind="stable")
    names = tuple(ordered["provider_name"])
    few = len(names) <= sentences.MOST_NAMES
    who = sentences.listed(names) if few else sentences.counted(len(names), words["provider"])
    many = {"who": who, "lie": sentences.verb("lie", len(names)), "all": numbers.integer(count), **words}
    return sentences.capital(sentences.say("effects_beyond", **many)), sentences.say("effects_outside", **many)


def _table(known: pd.DataFrame, words: Mapping[str, str]) -> PanelTable:
    """Those beyond the envelope and the farthest others, the farthest first."""
    gap = (known["value"] - known["theoretical"]).abs()
    ordered = known.assign(gap=gap).sort_values(["beyond", "gap", "provider_name"], ascending=[False, False, True])
    chosen = ordered.head(max(FARTHEST, int(known["beyond"].sum()) if known["beyond"].sum() <= 3 * FARTHEST else 0))
    head = (
        Head(sentences.capital(words["provider"]), number=False),
        Head(sentences.say("head_effect"), key="effect-spread"),
        Head(sentences.say("head_normal")),
        Head(sentences.say("head_envelope")),
        Head(sentences.say("head_inside"), number=False),
    )
    return PanelTable(sentences.say("effects_table", **words), head, tuple(_row(row) for row in each(chosen)))


def _row(row: Any) -> tuple[str, ...]:
    return (
        str(row.provider_name),
        numbers.signed(row.value, 2),
        numbers.signed(row.theoretical, 2),
        numbers.interval_text(row.lower, row.upper),
        sentences.say("no" if row.beyond else "yes"),
    )

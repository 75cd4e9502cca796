"""Panels of a measure: groups of patients, and what social risk in the case mix changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from profiling.reporting import numbers, sentences
from profiling.reporting.charts.groups import Estimate, Subgroup, Trait, groups
from profiling.reporting.definitions import named
from profiling.reporting.disclosure import clean
from profiling.reporting.pages.panel import Head, Panel, PanelTable, drawn, links_to, status
from profiling.reporting.pages.shared import MeasureView, Site, each, noun, nouns

GROUPS, SOCIAL = "subgroups", "social_risk"
MAIN, WITH = "main", "social_risk"


def panel(site: Site, measure: MeasureView, root: str) -> Panel | None:
    """Observed over expected of groups of patients, with social risk out of and in the case mix."""
    rows = measure.of(GROUPS)
    if not rows["ratio"].notna().any():
        return None
    main = rows[rows["model"] == MAIN]
    other = rows[rows["model"] == WITH].set_index(["column_name", "value"])
    traits = tuple(
        Trait(_trait(str(column)), tuple(_subgroup(row, other, measure.masked.threshold) for row in each(part)))
        for column, part in main.groupby("column_name", sort=False)
    )
    title, told = _finding(measure, main, other)
    axis = sentences.say("groups_axis" if main["lower"].notna().any() else "groups_axis_values")
    drawing = drawn(
        GROUPS,
        lambda form: groups(
            traits,
            form=form,
            finding=title,
            axis_name=axis,
            first_words=sentences.say("groups_without"),
            second_words=sentences.say("groups_with"),
        ),
    )
    sub = sentences.say("groups_sub" if len(other) else "groups_sub_one")
    table = _table(measure, main, other)
    files = links_to(site, measure, GROUPS, root)
    return Panel(title, sub, drawing, told, table, files, defined=named("subgroups"))


def _trait(column: str) -> str:
    return sentences.capital(clean(column.replace("_", " ")))


def _value(row: Any) -> str:
    return sentences.band(clean(row.value))


def _estimate(row: Any) -> Estimate:
    return Estimate(float(row.ratio), float(row.lower), float(row.upper))


def _second(row: Any, other: pd.DataFrame) -> Any | None:
    key = (row.column_name, row.value)
    found: Any = other.loc[key] if key in other.index else None
    return None if found is None or not numbers.known(found["ratio"]) else found


def _subgroup(row: Any, other: pd.DataFrame, threshold: int) -> Subgroup:
    if bool(row.hidden) or not numbers.known(row.ratio):
        return Subgroup(_value(row), None, instead=sentences.say("groups_hidden", most=threshold - 1))
    second = _second(row, other)
    return Subgroup(_value(row), _estimate(row), None if second is None else _estimate(second))


def _finding(measure: MeasureView, main: pd.DataFrame, other: pd.DataFrame) -> tuple[str, tuple[str, ...]]:
    """The group farthest out; how many intervals leave 1 out, beside what chance would do and with social risk."""
    shown = main[main["ratio"].notna()]
    judged = shown[shown["lower"].notna() & shown["upper"].notna()]
    outside = judged[(judged["lower"] > 1) | (judged["upper"] < 1)]
    event = measure.event or sentences.mid_sentence(measure.title)
    if outside.empty:
        title = sentences.say("groups_none" if len(judged) else "groups_values")
    else:
        gap = (outside["ratio"].astype(float) - 1).abs()
        row: Any = next(each(outside.loc[[gap.idxmax()]]))
        title = sentences.say(
            "groups_more" if row.ratio > 1 else "groups_fewer",
            trait=_trait(str(row.column_name)).lower(),
            value=_value(row),
            ratio=numbers.ratio(row.ratio),
            event=event,
        )
    told = []
    if len(judged):
        counts = {"count": sentences.how_many(len(outside), capital=True), "all": numbers.in_words(len(judged))}
        counts["leave"] = sentences.verb("leave", len(outside))
        told.append(sentences.say("groups_outside", chance=numbers.few(0.05 * len(judged)), **counts))
        with_social = other[other["ratio"].notna()]
        if len(with_social):
            left = int(((with_social["lower"] > 1) | (with_social["upper"] < 1)).sum())
            told.append(
                sentences.say("groups_outside_social", count=sentences.how_many(left), do=sentences.verb("do", left))
            )
    return title, tuple(told)


def _table(measure: MeasureView, main: pd.DataFrame, other: pd.DataFrame) -> PanelTable:
    show = numbers.integer if measure.counts else numbers.amount
    head = [
        Head(sentences.say("head_group"), number=False),
        Head(sentences.say("head_patients")),
        Head(sentences.capital(measure.event) if measure.counts else sentences.say("head_observed"), key="observed"),
        Head(sentences.say("head_expected"), key="expected"),
        Head(sentences.say("head_ratio")),
        *([Head(sentences.say("head_ratio_social"))] if len(other) else []),
    ]
    rows = []
    for row in each(main):
        name = f"{_trait(str(row.column_name))}: {_value(row)}"
        if bool(row.hidden) or not numbers.known(row.ratio):
            rows.append((name, *[sentences.say("not_shown")] * (len(head) - 1)))
            continue
        second = _second(row, other)
        figures = (numbers.integer(row.n), show(row.observed), numbers.amount(row.expected), _estimate(row).words)
        with_social = (numbers.DASH if second is None else _estimate(second).words,) if len(other) else ()
        rows.append((name, *figures, *with_social))
    return PanelTable(sentences.say("groups_table"), tuple(head), tuple(rows))


def social_panel(site: Site, measure: MeasureView, level: str, root: str) -> Panel | None:
    """How many providers get another result when social risk enters the case mix, and which."""
    rows = measure.of(SOCIAL)
    rows = rows[(rows["level"] == level) & rows["category_with"].notna() & rows["category_without"].notna()]
    if rows.empty:
        return None
    names = measure.providers[level]["provider_name"]
    rows = rows.assign(provider_name=rows["provider"].map(names).fillna(rows["provider"]))
    moved = rows[rows["category_with"] != rows["category_without"]]
    words = {"provider": noun(level), "providers": nouns(level), "all": numbers.integer(len(rows))}
    title, told = _social_words(rows, moved, words)
    return Panel(
        title,
        sentences.say("social_sub", **words),
        "",
        (told,) if told else (),
        _social_table(measure, moved, words) if len(moved) else None,
        links_to(site, measure, SOCIAL, root),
    )


def _social_words(rows: pd.DataFrame, moved: pd.DataFrame, words: Mapping[str, str]) -> tuple[str, str]:
    key = "social_none" if moved.empty else "social_one" if len(moved) == 1 else "social_some"
    title = sentences.say(key, count=numbers.in_words(len(moved), capital=True), **words)
    ratio = (rows["ratio_with"].astype(float) / rows["ratio_without"].astype(float)).dropna()
    if ratio.empty:
        return title, ""
    ends = {"low": numbers.ratio(ratio.min()), "high": numbers.ratio(ratio.max())}
    same = set(ends.values()) == {numbers.ratio(1.0)}
    return title, sentences.say("social_ratios_same" if same else "social_ratios", **ends, **words)


def _social_table(measure: MeasureView, moved: pd.DataFrame, words: Mapping[str, str]) -> PanelTable:
    head = (
        Head(sentences.capital(words["provider"]), number=False),
        Head(sentences.say("head_shrunken_without"), key="shrunken-ratio"),
        Head(sentences.say("head_with")),
        Head(sentences.say("head_result_without"), number=False),
        Head(sentences.say("head_with"), number=False),
    )
    rows = tuple(
        (
            str(row.provider_name),
            numbers.ratio(row.ratio_without),
            numbers.ratio(row.ratio_with),
            status(measure.worded(row.category_without)),
            status(measure.worded(row.category_with)),
        )
        for row in each(moved.sort_values(["provider_name", "provider"]))
    )
    return PanelTable(sentences.say("social_table", **words), head, rows)

"""The overview: the finding, a row a measure, who is worth a conversation, and how healthy the data are."""

from __future__ import annotations

from typing import Any

import pandas as pd

from profiling.reporting import numbers
from profiling.reporting.charts.matrix import DOTS_UP_TO
from profiling.reporting.pages import changes, composites, drawings
from profiling.reporting.pages.directory import Directory
from profiling.reporting.pages.shared import (
    FLAGGED,
    WATCHED,
    MeasureView,
    Site,
    category_counts,
    noun,
    nouns,
    rate_words,
)
from profiling.reporting.sentences import (
    against_chance,
    band,
    capital,
    counted,
    headline,
    listed,
    mid_sentence,
    overall_headline,
    say,
    stand_out,
)

MOST_CONVERSATIONS = 30
LOW_C_STATISTIC = 0.6
CALIBRATED_WITHIN = 0.05
MISSING_LOOK = 0.05
REJECTED_LOOK = 0.02


def context(site: Site, names: Directory, downloads: list[dict[str, str]]) -> dict[str, Any]:
    """What the template of the overview prints."""
    level = site.outer_levels[0] if site.outer_levels else "provider"
    rows = _outer_rows(site, level)
    findings = [measure.finding(measure.outer) for measure in site.measures]
    flagged = rows.loc[rows["category"].isin(FLAGGED), "provider"].nunique()
    head = overall_headline(findings, int(flagged), int(rows["provider"].nunique()))
    return {
        "page": {"title": say("nav_overview"), "section": "index.html", "scripted": True},
        "headline": head,
        "lede": _lede(site, rows, level),
        "facts": _facts(site, rows, level),
        "measures": [_measure_row(measure) for measure in site.measures],
        "matrices": [_matrix(site, name) for name in site.outer_levels],
        "conversation": _conversation(site, rows, level),
        "counts": counts_rows(site.measures),
        "composites": composites.panels(site),
        "changes": changes.panel(site),
        "health": _health(site, rows, level),
        "directory": names.on_overview(),
        "downloads": downloads,
    }


def counts_rows(measures: tuple[MeasureView, ...]) -> list[dict[str, Any]]:
    """A row a measure and level: how many providers lie in each category."""
    return [
        {
            "measure": measure.title,
            "providers": f"{numbers.integer(len(measure.providers[level]))} {nouns(level)}",
            "counts": category_counts(measure.providers[level]),
        }
        for measure in measures
        for level in measure.levels
    ]


def _outer_rows(site: Site, level: str) -> pd.DataFrame:
    return pd.concat([measure.providers[measure.outer] for measure in site.measures if measure.outer == level])


def _lede(site: Site, rows: pd.DataFrame, level: str) -> str:
    total, flagged = rows["provider"].nunique(), set(rows.loc[rows["category"].isin(FLAGGED), "provider"])
    watched = set(rows.loc[rows["category"].isin(WATCHED), "provider"]) - flagged
    rest = total - len(flagged) - len(watched)
    parts = []
    if watched:
        nouns_of = {"provider": noun(level), "providers": nouns(level)}
        count = numbers.in_words(len(watched), capital=True)
        parts.append(say("watched_one" if len(watched) == 1 else "watched", count=count, **nouns_of))
    key = "overview_other" if flagged or watched else "overview_all"
    kind = "_spread" if any(measure.widened for measure in site.measures) else ""
    parts.append(say(key + kind, rest=numbers.in_words(rest), providers=nouns(level)))
    return " ".join(parts)


def _facts(site: Site, rows: pd.DataFrame, level: str) -> list[dict[str, str]]:
    cases = [measure.totals.cases for measure in site.measures if measure.totals.cases]
    patients = counted(rows["provider"].nunique(), noun(level))
    if cases:
        patients = say("patients_in", patients=numbers.integer(max(cases)), providers=patients)
    periods = list(dict.fromkeys(str(m.spec["period"]) for m in site.measures if m.spec.get("period")))
    return [
        {"name": say("fact_period"), "value": ", ".join(periods) or say("all_records")},
        {"name": say("fact_who"), "value": patients},
        {"name": say("fact_measured"), "value": capital(listed([mid_sentence(m.title) for m in site.measures]))},
        {"name": say("fact_compared"), "value": say("compared_with", provider=noun(level))},
    ]


def overall(measure: MeasureView) -> str:
    """The overall rate or mean in words."""
    rate = measure.totals.rate
    if rate is None:
        return say("overall_hidden")
    return (
        say("overall_rate", rate=rate_words(measure, rate))
        if measure.counts
        else say("overall_mean", mean=numbers.decimal(rate, 1), unit=measure.unit)
    )


def _measure_row(measure: MeasureView) -> dict[str, Any]:
    finding = measure.finding(measure.outer)
    total = measure.totals.cases
    cases = say("patients_count", count=numbers.integer(total)) if total else say("patients_few")
    return {
        "title": measure.title,
        "href": measure.href,
        "facts": f"{cases} · {overall(measure)}",
        "stand_out": stand_out(finding),
        "against_chance": against_chance(finding),
        "chance_bar": drawings.chance_bar_chart(measure, measure.outer),
        "headline": headline(finding),
    }


def _matrix(site: Site, level: str) -> dict[str, Any]:
    count = sum(1 for key in site.addresses if key[0] == level)
    key = "one_mark" if count <= DOTS_UP_TO else "one_column"
    return {
        "noun": noun(level),
        "sub": say(key, provider=noun(level), providers=nouns(level)),
        "drawing": drawings.markup(drawings.matrix_charts(site, level), f"matrix-{level}"),
    }


def _conversation(site: Site, rows: pd.DataFrame, level: str) -> dict[str, Any]:
    """Providers flagged on any measure, or on watch on the first; the most surprising first."""
    first = site.measures[0]
    wanted = rows["category"].isin(FLAGGED) | (rows["category"].isin(WATCHED) & (rows["measure"] == first.name))
    names = rows.loc[wanted, "provider"].unique()
    surprise = rows["z"].abs().fillna(-1).groupby(rows["provider"].to_numpy()).max()
    order = sorted(names, key=lambda provider: (-surprise[provider], provider))
    flag, watch = (numbers.level_percent(float(first.spec["flag"][key])) for key in ("flag", "watch"))
    left = len(order) - MOST_CONVERSATIONS
    title = (
        say("conversation_title", counted=counted(len(order), noun(level)))
        if order
        else say("conversation_none", provider=noun(level))
    )
    measures = [measure for measure in site.measures if measure.outer == level]
    return {
        "title": title,
        "sub": say("conversation", flag=flag, watch=watch, first=mid_sentence(first.title)),
        "noun": noun(level),
        "titles": [measure.title for measure in measures],
        "rows": [_conversation_row(site, measures, level, provider) for provider in order[:MOST_CONVERSATIONS]],
        "note": say("conversation_more", counted=counted(left, noun(level), capital=True)) if left > 0 else "",
    }


def _conversation_row(site: Site, measures: list[MeasureView], level: str, provider: str) -> dict[str, Any]:
    cells, cases = [], numbers.DASH
    for measure in measures:
        rows = measure.providers[level]
        if provider not in rows.index:
            cells.append({"title": measure.title, "category": "", "estimate": ""})
            continue
        row: Any = rows.loc[provider]
        hidden = bool(row["hidden"])
        if not hidden and cases == numbers.DASH:
            cases = numbers.integer(row["n"])
        text = (
            say("counts_not_shown")
            if hidden
            else numbers.estimate(row["ratio"], row["ratio_lower"], row["ratio_upper"])
        )
        cells.append({"title": measure.title, "category": measure.worded(row["category"]), "estimate": text})
    if cases == numbers.DASH:
        cases = (
            band(str(measures[0].providers[level].loc[provider, "case_band"]))
            if provider in measures[0].providers[level].index
            else cases
        )
    return {"name": site.names[level, provider], "href": site.address(level, provider), "cases": cases, "cells": cells}


def _health(site: Site, rows: pd.DataFrame, level: str) -> list[dict[str, Any]]:
    masked = site.masked
    small = rows.loc[rows["category"] == "too_few", "provider"].nunique()
    hidden = rows.loc[rows["hidden"], "provider"].nunique()
    items = [_records(masked.inputs), _missing(masked.missing), *_discrimination(site), *_balance(site)]
    items.append(
        {
            "value": numbers.integer(small),
            "text": say("health_small", providers=noun(level) if small == 1 else nouns(level)),
            "look": small > 0,
        }
    )
    items.append(
        {
            "value": numbers.integer(hidden),
            "text": say("health_hidden", providers=noun(level) if hidden == 1 else nouns(level)),
            "look": hidden > 0,
        }
    )
    return items


def _records(inputs: pd.DataFrame) -> dict[str, Any]:
    """Records read and rejected, over all files of the main source; exact numbers only where nothing small follows."""
    main = inputs[inputs["source"] == "encounters"]
    main = main if len(main) else inputs
    read, rejected = float(main["rows_read"].sum()), float(main["rows_rejected"].sum())
    if main["few_rejected"].any():
        return {
            "value": numbers.integer(round(read, -3)),
            "text": say("health_records_few"),
            "look": False,
        }
    text = say("health_records", rejected=numbers.integer(rejected)) if rejected else say("health_records_all")
    return {"value": numbers.integer(read), "text": text, "look": read > 0 and rejected > REJECTED_LOOK * read}


def _missing(missing: pd.DataFrame) -> dict[str, Any]:
    share = float((missing["rows_missing"] / missing["rows_total"]).max()) if len(missing) else 0.0
    share = share if share == share else 0.0
    return {
        "value": numbers.percent(share),
        "text": say("health_missing"),
        "look": share > MISSING_LOOK,
    }


def _discrimination(site: Site) -> list[dict[str, Any]]:
    values = [
        measure.checks["c_statistic"] for measure in site.measures if numbers.known(measure.checks.get("c_statistic"))
    ]
    if not values:
        return []
    text = say("health_c_lowest" if len(values) > 1 else "health_c")
    return [{"value": numbers.decimal(min(values), 3), "text": text, "look": min(values) < LOW_C_STATISTIC}]


def _balance(site: Site) -> list[dict[str, Any]]:
    values = [
        measure.checks["observed_over_expected"]
        for measure in site.measures
        if numbers.known(measure.checks.get("observed_over_expected"))
    ]
    if not values:
        return []
    farthest = max(values, key=lambda value: abs(value - 1))
    text = say("health_balance_farthest" if len(values) > 1 else "health_balance")
    return [{"value": numbers.ratio(farthest), "text": text, "look": abs(farthest - 1) > CALIBRATED_WITHIN}]

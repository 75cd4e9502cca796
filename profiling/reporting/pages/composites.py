"""Panels of the overview: several measures of a provider in one figure, with the opinion that weighs them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from profiling.reporting import charts, numbers, sentences
from profiling.reporting.definitions import named
from profiling.reporting.disclosure import clean
from profiling.reporting.language import figures as figures_of
from profiling.reporting.pages.drawings import not_drawn
from profiling.reporting.pages.panel import FORMATS, Head, Panel, PanelTable, drawn
from profiling.reporting.pages.shared import Site, each, noun, nouns

MOST = 12
NEUTRAL = {"weighted": 1.0, "opportunity": 1.0, "latent": 0.0}  # ratios; standard deviations of providers


def panels(site: Site) -> list[Panel]:
    """A panel a composite that could be made, in the order of the configuration."""
    made = (_panel(site, row) for row in each(site.masked.composites.sort_values("position")))
    return [panel for panel in made if panel]


def figures(site: Site, name: str) -> pd.DataFrame:
    """The scores of one composite, those that are hidden without figures, by name of the provider."""
    rows = site.masked.composite_scores
    return rows[rows["composite"] == name].drop(columns=["run_id", "composite"], errors="ignore")


def _panel(site: Site, row: Any) -> Panel | None:
    spec: Mapping[str, Any] = json.loads(str(row.spec_json))
    rows = figures(site, str(row.composite))
    known = rows[rows["value"].notna() & rows["lower"].notna()]
    if known.empty:
        return None
    level = str(spec["level"])
    words = {"provider": noun(level), "providers": nouns(level), "title": clean(sentences.mid_sentence(spec["title"]))}
    neutral = NEUTRAL[str(spec["kind"])]
    clear = known[(known["lower"] > neutral) | (known["upper"] < neutral)]
    title = sentences.say(
        "composite_none" if clear.empty else "composite_some",
        count=sentences.how_many(len(clear), capital=True),
        all=numbers.integer(len(known)),
        lie=sentences.verb("lie", len(clear)),
        **words,
    )
    titles = {measure.name: sentences.mid_sentence(measure.title) for measure in site.measures}
    weights = [f"{titles.get(name, name)} {figures_of(f'{weight:g}')}" for name, weight in spec["measures"].items()]
    told = sentences.say(f"composite_{spec['kind']}", weights=sentences.listed(weights), **words)
    drawing = drawn(
        f"composite-{row.composite}",
        lambda form: charts.caterpillar(
            _drawable(site, rows, level),
            form=form,
            title=sentences.capital(words["title"]),
            finding=title,
            ratio_name=sentences.say("composite_axis" if neutral else "composite_axis_trait"),
            providers=words["providers"],
            hidden_words=not_drawn(),
            neutral=neutral,
        ),
    )
    files = tuple(
        {"href": f"downloads/composite_{row.composite}.{form}", "text": text} for form, text in FORMATS.items()
    )
    table = _table(clear, neutral, words) if len(clear) else None
    sub = sentences.say("composite_sub", neutral=numbers.short(neutral), **words)
    return Panel(title, sub, drawing, (told,), table, files, defined=named("composite", "rank"))


def _drawable(site: Site, rows: pd.DataFrame, level: str) -> pd.DataFrame:
    hidden = rows["hidden"].astype(bool)
    return rows.assign(
        shown=~hidden,
        ratio=rows["value"],
        ratio_lower=rows["lower"],
        ratio_upper=rows["upper"],
        category="as_expected",
        href=[site.address(level, str(provider)) for provider in rows["provider"]],
    )


def _table(clear: pd.DataFrame, neutral: float, words: Mapping[str, str]) -> PanelTable:
    """Those whose interval leaves the neutral value out, the farthest first."""
    value = clear["value"].astype(float)
    distance = value.map(math.log) if neutral else value
    order = distance.abs().sort_values(ascending=False, kind="stable").index
    head = (
        Head(sentences.capital(words["provider"]), number=False),
        Head(sentences.say("head_composite")),
        Head(sentences.say("head_rank"), key="rank"),
        Head(sentences.say("head_measures")),
    )
    rows = tuple(
        (
            clean(row.provider_name),
            numbers.estimate(row.value, row.lower, row.upper),
            numbers.rank_interval(row.rank_lower, row.rank_upper),
            numbers.integer(row.measures),
        )
        for row in each(clear.loc[order[:MOST]])
    )
    return PanelTable(sentences.say("composite_table", **words), head, rows)

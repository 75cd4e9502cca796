"""Panel of a measure: how reliable a figure is by the number of patients, and how many patients it takes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from profiling.reporting import numbers, sentences
from profiling.reporting.charts.reliability import reliability
from profiling.reporting.definitions import named
from profiling.reporting.pages.drawings import drawable, not_drawn
from profiling.reporting.pages.panel import Head, Panel, PanelTable, drawn, links_to
from profiling.reporting.pages.shared import MeasureView, Site, noun, nouns

KIND = "reliability"
TARGET = 0.7
FEWEST = 3


def panel(site: Site, measure: MeasureView, level: str, root: str) -> Panel | None:
    """The panel, or None where no reliability is known."""
    rows = measure.providers[level]
    known = rows[rows["n"].notna() & rows["reliability"].notna()]
    if len(known) < FEWEST:
        return None
    needed = float(known["cases_for_reliability"].median())
    reliable = int((known["reliability"] >= TARGET).sum())
    share = {"target": numbers.decimal(TARGET), "share": numbers.percent(TARGET, 0)}
    words = {"provider": noun(level), "providers": nouns(level), **share}
    title = sentences.say(
        _key(reliable, len(known)),
        count=numbers.in_words(reliable, capital=True),
        all=numbers.integer(len(known)),
        **words,
    )
    about = about_cases(needed)
    told = sentences.say("reliable_needed", cases=about, **words) if about else sentences.say("reliable_never", **words)
    drawing = drawn(
        KIND,
        lambda form: reliability(
            drawable(site, rows, root),
            needed,
            form=form,
            finding=title,
            target=TARGET,
            needed_words=sentences.say("reliable_mark", cases=about) if about else "",
            providers=words["providers"],
            hidden_words=not_drawn(),
        ),
    )
    links = links_to(site, measure, level, root)
    sub = sentences.say("reliable_sub", **words)
    return Panel(title, sub, drawing, (told,), _table(known, words), links, defined=named("reliability"), beside="both")


def _key(reliable: int, count: int) -> str:
    if reliable == count:
        return "reliable_all"
    return "reliable_none" if not reliable else "reliable_one" if reliable == 1 else "reliable_some"


def about_cases(needed: float) -> str:
    """A number of cases to two figures; empty for none."""
    return numbers.integer(numbers.two_figures(needed)) if numbers.known(needed) and needed >= 1 else ""


def _table(known: pd.DataFrame, words: Mapping[str, str]) -> PanelTable:
    """A row a band of cases: how many providers, and the least and the largest reliability among them."""
    bands = known.sort_values("n").groupby("case_band", sort=False)["reliability"].agg(["size", "min", "max"])
    head = (
        Head(sentences.say("head_patients"), number=False),
        Head(sentences.capital(words["providers"])),
        Head(sentences.say("head_reliability_plain"), key="reliability"),
    )
    rows = tuple(
        (
            sentences.band(str(band)),
            numbers.integer(size),
            numbers.interval_text(low, high) if size > 1 else numbers.ratio(low),
        )
        for band, size, low, high in bands.itertuples()
    )
    return PanelTable(sentences.say("reliable_table", **words), head, rows)

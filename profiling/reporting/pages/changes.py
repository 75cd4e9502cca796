"""Panel of the overview: whose result changed since the run before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from profiling.reporting import numbers, sentences
from profiling.reporting.pages.panel import Head, Panel, PanelTable, status
from profiling.reporting.pages.shared import FLAGGED, MeasureView, Site, natural, noun, nouns

MOST = 30
HEADS = ("head_measure", "head_before", "head_now")
RANK = {"higher": 0, "lower": 0, "higher_watch": 1, "lower_watch": 1}


def panel(site: Site) -> Panel | None:
    """The panel, or None where no run was published before."""
    history = site.masked.history
    if not history.previous or not history.changes:
        return None
    found = [(measure, level, part) for measure in site.measures for level, part in _levels(measure, history.changes)]
    outer = [(measure, level, part) for measure, level, part in found if level == measure.outer]
    if not outer:
        return None
    moved = sum(int(part["moved"]) for _, _, part in outer)
    every = moved + sum(int(part["same"]) for _, _, part in outer)
    key = "changes_none" if not moved else "changes_one" if moved == 1 else "changes_some"
    words = {"before": history.previous, "all": numbers.integer(every), "run": site.masked.run["run_id"]}
    rows = sorted(
        (
            (site.names.get((level, who[0]), who[0]), measure, who[1], who[2])
            for measure, level, part in outer
            for who in part.get("who", [])
        ),
        key=lambda row: (min(RANK.get(row[2], 2), RANK.get(row[3], 2)), natural(row[0]), row[1].title),
    )
    heads = (sentences.capital(noun(site.outer_levels[0])), *map(sentences.say, HEADS))
    head = tuple(Head(text, number=False) for text in heads)
    table = PanelTable(
        sentences.say("changes_table", **words),
        head,
        tuple(
            (name, measure.title, status(measure.worded(before)), status(measure.worded(after)))
            for name, measure, before, after in rows[:MOST]
        ),
    )
    return Panel(
        sentences.say(key, moved=numbers.in_words(moved, capital=True), **words),
        sentences.say("changes_sub", **words),
        "",
        tuple(_told(outer, found)),
        table if rows else None,
        notes=(sentences.say("changes_more", count=numbers.integer(len(rows) - MOST)),) if len(rows) > MOST else (),
    )


def _levels(measure: MeasureView, changes: Any) -> Iterator[tuple[str, Any]]:
    for level in measure.levels:
        part = changes.get(measure.name, {}).get(level)
        if part:
            yield level, part


def _told(outer: list[Any], found: list[Any]) -> Iterator[str]:
    """How many are newly flagged or no longer, who came and left, and how many inner providers moved."""
    rows = [who for _, _, part in outer for who in part.get("who", [])]
    fresh = sum(after in FLAGGED and before not in FLAGGED for _, before, after in rows)
    gone = sum(before in FLAGGED and after not in FLAGGED for _, before, after in rows)
    if fresh or gone:
        yield sentences.say("changes_flags", fresh=sentences.how_many(fresh), gone=sentences.how_many(gone))
    for measure, level, part in found:
        words = {"title": measure.title, "providers": nouns(level)}
        if level != measure.outer and part["moved"]:
            every = numbers.integer(part["moved"] + part["same"])
            yield sentences.say("changes_inner", moved=numbers.integer(part["moved"]), all=every, **words)
        if part["came"] or part["left"]:
            ends = {name: sentences.counted(part[name], noun(level)) for name in ("came", "left")}
            yield sentences.say("changes_ends", title=measure.title, **ends)

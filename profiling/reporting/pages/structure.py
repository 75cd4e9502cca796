"""Panels of a model: which providers share whom, and how patients move between them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from profiling.reporting import numbers, sentences
from profiling.reporting.charts.dots import DotRow, dots
from profiling.reporting.charts.links import Link, Node, links
from profiling.reporting.pages.panel import Head, Panel, PanelTable, drawn, links_to
from profiling.reporting.pages.shared import MeasureView, Site, noun, nouns
from profiling.reporting.suppression import case_bands

KIND = "structure"
PREFIXES = ("structure", "patients")


def figures(measure: MeasureView) -> pd.DataFrame:
    """What is known of the structure: name, value, note."""
    rows = measure.of("model_checks")
    return rows[rows["name"].astype(str).str.split("_").str[0].str.split(":").str[0].isin(PREFIXES)]


def told(measure: MeasureView) -> list[str]:
    """How many providers of how many records there are, and which belong to which, in sentences."""
    checks, notes = measure.checks, measure.notes
    said = []
    for level in measure.levels:
        count, median = checks.get(f"structure_levels:{level}"), checks.get(f"structure_median:{level}")
        if numbers.known(count):
            key = "structure_sizes" if numbers.known(median) else "structure_sizes_small"
            threshold = measure.masked.threshold
            size = numbers.integer(median) if numbers.known(median) else numbers.integer(threshold)
            said.append(sentences.say(key, count=numbers.integer(count), providers=nouns(level), size=size))
    for name, relation in notes.items():
        if name.startswith("structure:"):
            _, child, parent = name.split(":")
            key = {"nested": "structure_nested", "one to one": "structure_twins", "crossed": "structure_crossed"}.get(
                relation, "structure_partial"
            )
            words = {"child": noun(child), "children": nouns(child), "parent": noun(parent), "parents": nouns(parent)}
            said.append(sentences.say(key, share=numbers.percent(checks[name]), **words))
            away = checks.get(f"structure_off_main:{child}:{parent}")
            if key == "structure_partial" and numbers.known(away):
                said.append(sentences.say("structure_off_main", share=numbers.percent(away), **words))
    return said


def who_panel(site: Site, measure: MeasureView, root: str) -> Panel | None:
    """Providers by size, and the inner ones by how many of them they work at; None without an inner level."""
    child, parent = measure.inner, measure.outer
    if child is None:
        return None
    pair = f"{child}:{parent}"
    shares = [measure.checks.get(f"structure_in:{pair}:{k}", float("nan")) for k in (1, 2, 3)]
    flows = _flows(measure, pair)
    if not flows or not all(numbers.known(share) for share in shares):
        return None
    words = {"child": noun(child), "children": nouns(child), "parent": noun(parent), "parents": nouns(parent)}
    starts, groups = sorted({start for start, _ in flows}), [k for k in (1, 2, 3) if shares[k - 1] > 0]
    left = [_band(measure, start, sum(flows.get((start, k), 0.0) for k in groups), words) for start in starts]
    right = [
        _group(measure, k, shares[k - 1], sum(flows.get((start, k), 0.0) for start in starts), words) for k in groups
    ]
    ribbons = [Link(i, j, flows.get((start, k), 0.0)) for i, start in enumerate(starts) for j, k in enumerate(groups)]
    title = _who(measure, shares, pair, words)
    drawing = drawn(
        "links",
        lambda form: links(
            left,
            right,
            ribbons,
            form=form,
            finding=title,
            left_name=sentences.say("links_left", parents=sentences.capital(words["parents"])),
            right_name=sentences.capital(words["children"]),
        ),
    )
    return Panel(
        title,
        sentences.say("links_sub", **words),
        drawing,
        (" ".join(told(measure)),),
        _flow_table(starts, groups, flows, measure.masked.threshold, words),
        links_to(site, measure, KIND, root),
    )


def _flows(measure: MeasureView, pair: str) -> dict[tuple[int, int], float]:
    """Share of the records by first number of the band and number of parents, those that are known and not nothing."""
    found = {}
    for name, value in measure.checks.items():
        if name.startswith(f"structure_flow:{pair}:") and numbers.known(value):
            start, k = name.split(":")[3:]
            found[int(start), int(k)] = float(value)
    kept = {start for (start, _), share in found.items() if share > 0}
    return {key: share for key, share in found.items() if key[0] in kept}


def _band(measure: MeasureView, start: int, share: float, words: Mapping[str, str]) -> Node:
    label = str(case_bands(np.array([float(start)]), measure.masked.threshold)[0])
    count = int((measure.providers[measure.outer]["case_band"] == label).sum())
    text = sentences.say("links_band", count=sentences.counted(count, words["parent"]), band=sentences.band(label))
    return Node(text, numbers.percent(share))


def _group(measure: MeasureView, k: int, share: float, records: float, words: Mapping[str, str]) -> Node:
    count = round(share * float(measure.checks.get(f"structure_levels:{measure.inner}", 0.0)))
    text = sentences.say(f"links_group_{k}", count=sentences.counted(count, words["child"]), **words)
    return Node(text, numbers.percent(records))


def _who(measure: MeasureView, shares: list[float], pair: str, words: Mapping[str, str]) -> str:
    several = shares[1] + shares[2]
    if several == 0:
        return sentences.say("links_nested", **words)
    away = measure.checks.get(f"structure_off_main:{pair}")
    key = "links_several" if numbers.known(away) else "links_several_few"
    return sentences.say(key, share=numbers.percent(several, 0), away=numbers.percent(away), **words)


def _flow_table(
    starts: list[int],
    groups: list[int],
    flows: Mapping[tuple[int, int], float],
    threshold: int,
    words: Mapping[str, str],
) -> PanelTable:
    head = (
        Head(sentences.say("links_left", parents=sentences.capital(words["parents"])), number=False),
        *(Head(sentences.capital(sentences.say(f"links_head_{k}", **words))) for k in groups),
    )
    labels = case_bands(np.array(starts, dtype=float), threshold)
    rows = tuple(
        (sentences.band(str(label)), *(numbers.percent(flows.get((start, k), 0.0)) for k in groups))
        for label, start in zip(labels, starts, strict=True)
    )
    return PanelTable(sentences.say("links_table"), head, rows)


def movement_panel(site: Site, measure: MeasureView, root: str) -> Panel | None:
    """How often a patient who was seen before is seen elsewhere the next time, over time."""
    level = measure.outer
    overall = measure.checks.get(f"patients_elsewhere:{level}")
    rows = [
        (_months(measure.notes[name]), float(value))
        for name, value in measure.checks.items()
        if name.startswith(f"patients_elsewhere:{level}:") and numbers.known(value)
    ]
    if not numbers.known(overall) or overall is None:
        return None
    words = {"provider": noun(level), "providers": nouns(level)}
    title = sentences.say("moves_title", share=numbers.percent(overall, 0), **words)
    said = []
    if len(rows) > 1:
        ends = {"first": numbers.percent(rows[0][1], 0), "last": numbers.percent(rows[-1][1], 0)}
        said.append(sentences.say("moves_same" if ends["first"] == ends["last"] else "moves_over_time", **ends))
    shared = measure.checks.get(f"patients_shared:{level}")
    if numbers.known(shared):
        said.append(sentences.say("moves_shared", share=numbers.percent(shared), **words))
    if len(rows) < 2:
        return Panel(title, "", "", tuple(said), None, links_to(site, measure, KIND, root))
    most = max(value for _, value in rows)
    drawing = drawn(
        "movement",
        lambda form: dots(
            [DotRow(months, 100 * value, numbers.percent(value, 0)) for months, value in rows],
            (0.0, 100 * max(most * 1.15, 0.05)),
            kind="movement",
            form=form,
            title=sentences.say("moves_question"),
            finding=title,
            axis_name=sentences.say("moves_axis"),
        ),
    )
    head = (Head(sentences.say("head_months"), number=False), Head(sentences.say("head_elsewhere")))
    table = PanelTable(
        sentences.say("moves_table", **words),
        head,
        tuple((months, numbers.percent(value, 0)) for months, value in rows),
    )
    links_here = links_to(site, measure, KIND, root)
    return Panel(title, sentences.say("moves_sub", **words), drawing, tuple(said), table, links_here, beside="both")


def _months(note: str) -> str:
    """Two months as people write them: 2021-02 2022-09 becomes Feb 2021 to Sep 2022."""
    ends = [numbers.month(text) for text in note.split(" ")]
    return ends[0] if ends[0] == ends[-1] else sentences.say("range", low=ends[0], high=ends[-1])

"""Raw against shrunken ratios, one panel a quarter of size: what few patients make uncertain is drawn in."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from profiling.reporting import numbers
from profiling.reporting.chart import Chart, Form, Group, Item, Mark, Scale, Segments, Text
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say

MOST_IN_A_PANEL = 60
BIN = 8.0
_PITCH_Y = 178.0


def shrinkage(
    frame: pd.DataFrame,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    size_words: str = "",
    size: str = "expected_marginal",
    status: Mapping[str, str] = parts.STATUS_WORDS,
    providers: str = "hospitals",
) -> Chart:
    """Four panels with the same axis: raw ratio on top, shrunken ratio below, a line for each provider.

    `frame`: masked provider rows with oe_ratio (or observed and expected_marginal), ratio, `size`, category.
    In a panel of more than 60 providers all but those `parts.alone` draws share a line with those of about the same
    raw ratio; it ends at their mean shrunken one.
    """
    title = title or say("title_shrinkage", providers=providers)
    size_words = size_words or say("size_expected", low="{low}", high="{high}")
    quarters = [say(f"quarter_{place}") for place in (1, 2, 3, 4)]
    row_words = say("raw_word"), say("shrunken_word")
    rows = _rows(parts.providers(frame), size, status)
    wide = form == "wide"
    width, margin, panel, gap = (1080.0, 56.0, 214.0, 56.0) if wide else (350.0, 52.0, 134.0, 30.0)
    kept = say("kept_wide" if wide else "kept_narrow", share="{share}")
    low, high = parts.ratio_domain([*rows["raw"], *rows["ratio"]], (0.75, 1.35), (0.33, 3.0))
    edge = max(math.log(high), -math.log(low))
    items: list[Item] = []
    scales: dict[str, Scale] = {}
    for index, name in enumerate(quarters):
        column, line = (index, 0) if wide else (index % 2, index // 2)
        left, top = margin + column * (panel + gap), line * _PITCH_Y
        scale = Scale(math.exp(-edge), math.exp(edge), left, left + panel, "log")
        scales[f"x{index + 1}"] = scale
        members = rows[rows["quarter"] == index]
        words = row_words if column == 0 else ("", "")
        # The words of the two rows stand in the margin of the first panel, and its heading with them.
        items += _panel(members, scale, left if column else 0.0, top, name, size_words, kept, words, providers, status)
    height = _PITCH_Y * (1 if wide else 2) - 2
    return Chart("shrinkage", title, finding, width, height, tuple(items), form, scales)


def _rows(rows: pd.DataFrame, size: str, status: Mapping[str, str]) -> pd.DataFrame:
    raw = rows["oe_ratio"].astype(float).where(rows["oe_ratio"].notna(), rows["observed"] / rows["expected"])
    rows = rows.assign(raw=raw, size=rows[size].astype(float))
    rows = rows[rows["raw"].notna() & rows["ratio"].notna() & rows["size"].notna()]
    rows = rows.sort_values(["size", "name"], kind="stable", ignore_index=True)
    tips = [
        say("tip_pull", name=name, raw=numbers.ratio(a), shrunken=numbers.ratio(b), status=status[c])
        for name, a, b, c in zip(rows["name"], rows["raw"], rows["ratio"], rows["category"], strict=True)
    ]
    quarter = np.arange(len(rows)) * 4 // max(len(rows), 1)
    return rows.assign(quarter=quarter, tooltip=tips, alone=parts.alone(rows))


def _panel(
    rows: pd.DataFrame,
    x: Scale,
    left: float,
    top: float,
    name: str,
    size_words: str,
    kept_words: str,
    words: tuple[str, str],
    providers: str,
    status: Mapping[str, str],
) -> list[Item]:
    above, below = top + 52.0, top + 130.0
    items: list[Item] = [Text(left, top + 13, name, "name")]
    if len(rows):
        show = numbers.integer if bool((rows["size"] % 1 == 0).all()) else numbers.amount
        low, high = show(rows["size"].min()), show(rows["size"].max())
        items.append(Text(left, top + 29, size_words.format(low=low, high=high), "note"))
    ticks = parts.ratio_ticks(x, 34)
    items += parts.grid_x(x, ticks, top + 44, top + 138, (top + 153,), reference=1.0)
    heads = zip(words, (above, below), strict=True)
    items += [Text(left, y + 4, word, "note", halo=True) for word, y in heads if word]
    items += _drawn(rows, x, above, below, providers, status)
    share = _kept(rows)
    # Raw ratios of means carry more than the effect (the spread of the outcome): no share of it is said above one.
    if share is not None and 0 <= share <= 1:
        items.append(Text(left, top + 170, kept_words.format(share=numbers.percent(share, 0)), "note"))
    return items


def _drawn(
    rows: pd.DataFrame, x: Scale, above: float, below: float, providers: str, status: Mapping[str, str]
) -> list[Item]:
    """Plain rows first, flagged ones on top; of many rows those that are drawn alone."""
    if len(rows) <= MOST_IN_A_PANEL:
        flagged = rows["category"].isin(parts.FLAGGED)
        return _pulls(pd.concat([rows[~flagged], rows[flagged]]), x, above, below)
    shared, single = rows[~rows["alone"]], rows[rows["alone"]]
    return [*_shared(shared, x, above, below, providers, status), *_outliers(single, x, above, below)]


def _shared(
    rows: pd.DataFrame, x: Scale, above: float, below: float, providers: str, status: Mapping[str, str]
) -> list[Item]:
    """Rows of about the same raw ratio as one line, with a dot above whose area goes by their number."""
    if not len(rows):
        return []
    cells = (x(rows["raw"]) // BIN).astype(np.int64)
    means = rows.groupby(cells)[["raw", "ratio"]].mean()
    counts = rows.groupby(cells).size()
    told = parts.tallies(cells, rows["category"], status, providers)
    radius = np.maximum(np.sqrt(counts / counts.max()) * (BIN / 2 - 0.2), 1.0)
    ends = zip(((means.index + 0.5) * BIN).tolist(), x(means["ratio"]).tolist(), strict=True)
    named = zip(ends, radius, told, means["raw"], means["ratio"], strict=True)
    return [
        Group(
            (
                Segments(((a, above, b, below),), "pull"),
                Mark(a, above, "dot", "bin", r),
                Mark(b, below, "dot", "bin", r),
            ),
            say("tip_pull_many", tally=words, raw=numbers.ratio(raw), shrunken=numbers.ratio(ratio)),
        )
        for (a, b), r, words, raw, ratio in named
    ]


def _outliers(rows: pd.DataFrame, x: Scale, above: float, below: float) -> list[Item]:
    """Lines of many rows as one path a role, and a mark with tooltip and link at the lower end of each."""
    raw, kept = x(rows["raw"]), x(rows["ratio"])
    pieces = np.column_stack([raw, np.full(len(rows), above), kept, np.full(len(rows), below)])
    lines = parts.many_segments(pieces, rows["category"])
    named = zip(kept.tolist(), rows["category"], rows["tooltip"], rows["href"], strict=True)
    return [*lines, *(parts.spot(b, below, category, tip, href) for b, category, tip, href in named)]


def _pulls(rows: pd.DataFrame, x: Scale, above: float, below: float) -> list[Item]:
    ends = zip(x(rows["raw"]).tolist(), x(rows["ratio"]).tolist(), strict=True)
    named = zip(ends, rows["category"], rows["tooltip"], rows["href"], strict=True)
    return [_pull(a, b, above, below, category, tip, href) for (a, b), category, tip, href in named]


def _pull(a: float, b: float, above: float, below: float, category: str, tip: str, href: str) -> Group:
    line = Segments(((a, above, b, below),), parts.whisker_role(category, "pull"))
    size = 3.4
    ends = (
        Mark(a, above, "dot", "small", 1.7),
        parts.status_mark(b, below, category, size, "", dot=2.2),
    )
    return Group((line, *ends), tip, href)


def _kept(rows: pd.DataFrame) -> float | None:
    """Share of the raw log ratio that the shrunken one keeps: the least-squares slope through the origin."""
    raw, kept = rows[rows["raw"] > 0]["raw"], rows[rows["raw"] > 0]["ratio"]
    square = float((np.log(raw) ** 2).sum())
    return float((np.log(raw) * np.log(kept)).sum()) / square if square > 0 else None

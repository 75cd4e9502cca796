"""Caterpillar: each provider's shrunken ratio with its interval and, in the same row, that of its rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from profiling.reporting import numbers
from profiling.reporting.chart import (
    Bar,
    Chart,
    Form,
    Group,
    Item,
    Mark,
    Scale,
    Segments,
    Text,
    shortened,
    text_width,
)
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say

ALL_NAMED_BELOW = 45
GROUPED_ABOVE = 250
CELL = 10.0
MOST_NAMES_GROUPED = 24
TALLEST = {False: 1600.0, True: 1000.0}
LABEL_GAP = 15.0
EXTREMES = 2


@dataclass(frozen=True)
class _Layout:
    width: float
    names: float  # right end of the names, as far as they need no more
    widest: float  # the farthest it goes for long ones
    ratio: tuple[float, float]
    rank: tuple[float, float]
    pitch: float
    top: float = 40.0


_WIDE = _Layout(1080, 168, 320, (186, 796), (862, 1066), 5.4)
_NARROW = _Layout(350, 122, 150, (134, 264), (280, 338), 4.4)


def caterpillar(
    frame: pd.DataFrame,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    ratio_name: str = "",
    rank_name: str = "",
    providers: str = "hospitals",
    status: Mapping[str, str] = parts.STATUS_WORDS,
    hidden_words: str = "",
    grouped_words: str = "",
    neutral: float = 1.0,
) -> Chart:
    """Caterpillar of one measure, highest ratio on top.

    `frame`: masked provider rows with ratio, ratio_lower, ratio_upper, rank_lower, rank_upper, expected_rank,
    category, z, provider_name. Up to 45 rows bear all names; above that the flagged and the extreme ones,
    spread apart with bent leaders. Above 250 rows neighbours share a bar, all but those `parts.alone` draws;
    `grouped_words` then says so below the chart. `neutral` is what the average has: 1 for ratios, which get a
    logarithmic axis, 0 for scores in standard deviations, which get a linear one.
    """
    rank_name = rank_name or say("axis_rank")
    ratio_name = ratio_name or say("axis_shrunken")
    title = title or say("title_caterpillar", providers=providers)
    grouped_words = grouped_words or say("grouped_rows", providers=providers)
    rows = _rows(parts.estimated(frame), status)
    layout = _fitting(rows["name"], _WIDE if form == "wide" else _NARROW)
    named = len(rows) <= ALL_NAMED_BELOW
    grouped = len(rows) > GROUPED_ABOVE
    pitch = LABEL_GAP if named else min(layout.pitch, TALLEST[grouped] / max(len(rows), 1))
    bottom = layout.top + pitch * max(len(rows), 1) + 2
    rows = rows.assign(y=layout.top + pitch * (np.arange(len(rows)) + 0.5))
    ends = [*rows["ratio_lower"], *rows["ratio_upper"]]
    if neutral == 0:
        farthest = max((abs(end) for end in ends), default=1.0) * 1.06
        ratio = Scale(-farthest, farthest, *layout.ratio)
    else:
        ratio = Scale(*parts.ratio_domain(ends, (0.85, 1.18), (0.2, 5.0)), *layout.ratio, "log")
    last = float(np.nanmax([rows["rank_upper"].max(), len(rows), 2])) if len(rows) else 2.0
    rank = Scale(1.0, last, *layout.rank)
    hidden = parts.hidden_count(frame)
    words = hidden_words.format(count=hidden) if hidden and hidden_words else ""
    words = " · ".join(filter(None, (grouped_words if grouped else "", words)))
    items: list[Item] = [
        Text(layout.ratio[0] if form == "wide" else 0.0, 13, ratio_name, "name"),
        Text(layout.rank[0] if form == "wide" else layout.width, 13, *_end_name(rank_name, form)),
        *_axes(ratio, rank, layout.top - 4, bottom, form, neutral),
        *(_grouped(rows, ratio, rank, providers, status) if grouped else _drawn(rows, ratio, rank)),
        *(_row_names(rows, layout) if named else _spread_names(rows, ratio, layout, bottom, grouped)),
        *parts.note(layout.ratio[0] if form == "wide" else 0.0, bottom + 36, words),
    ]
    height = bottom + (42 if words else 22)
    return Chart("caterpillar", title, finding, layout.width, height, tuple(items), form, {"x": ratio, "rank": rank})


def _fitting(names: pd.Series, layout: _Layout) -> _Layout:
    """The layout with more room for long names, at the cost of the intervals'."""
    wanted = max((text_width(name, bold=True) for name in names), default=0.0) + 4
    more = min(max(wanted, layout.names), layout.widest) - layout.names
    return replace(layout, names=layout.names + more, ratio=(layout.ratio[0] + more, layout.ratio[1]))


def _rows(rows: pd.DataFrame, status: Mapping[str, str]) -> pd.DataFrame:
    """Highest ratio first, each with its tooltip."""
    rows = rows.sort_values(["ratio", "name"], ascending=[False, True], kind="stable", ignore_index=True)
    columns = (rows[c] for c in ("tooltip", "name", "ratio", "ratio_lower", "ratio_upper"))
    tips = [
        tip
        or say(
            "tip_rank",
            name=name,
            ratio=parts.ratio_words(r, lo, up),
            rank=numbers.rank_interval(first, last),
            status=status[c],
        )
        for tip, name, r, lo, up, first, last, c in zip(
            *columns, rows["rank_lower"], rows["rank_upper"], rows["category"], strict=True
        )
    ]
    return rows.assign(tooltip=tips, flagged=rows["category"].isin(parts.FLAGGED))


def _end_name(words: str, form: Form) -> tuple[str, str, parts.Anchor]:
    """On the phone the name of the second axis is its first word that fits, at the right end."""
    return (
        (words, "name", "start")
        if form == "wide"
        else (say("axis_rank_short") if len(words) > 12 else words, "name", "end")
    )


def _axes(ratio: Scale, rank: Scale, top: float, bottom: float, form: Form, neutral: float) -> list[Item]:
    steps = 5 if form == "wide" else 3
    logarithmic = ratio.kind == "log"
    ticks = parts.ratio_ticks(ratio, 42 if form == "wide" else 30) if logarithmic else parts.linear_ticks(ratio, steps)
    ranks = sorted({round(float(r)) for r in np.linspace(1, rank.high, steps)})
    heights = (top - 6, bottom + 14)
    return [
        *parts.grid_x(ratio, ticks, top, bottom, heights, reference=neutral),
        *parts.grid_x(rank, ranks, top, bottom, heights),
    ]


def _drawn(rows: pd.DataFrame, ratio: Scale, rank: Scale) -> list[Item]:
    """Plain rows first, flagged ones on top."""
    roomy = len(rows) <= ALL_NAMED_BELOW
    parts_of = (rows[~rows["flagged"]], rows[rows["flagged"]])
    return [item for some in parts_of for item in _lines(some, ratio, rank, roomy)]


def _grouped(rows: pd.DataFrame, ratio: Scale, rank: Scale, providers: str, status: Mapping[str, str]) -> list[Item]:
    """Very many rows: neighbours share a bar of their mean interval, those drawn alone stand on top."""
    alone = parts.alone(rows)
    shared, single = rows[~alone], rows[alone]
    return [*_bars(shared, ratio, rank, providers, status), *_outliers(single, ratio, rank)]


def _bars(rows: pd.DataFrame, ratio: Scale, rank: Scale, providers: str, status: Mapping[str, str]) -> list[Item]:
    """A bar a cell of the height in both panels, from the mean lower to the mean upper end, and the mean ratios."""
    if not len(rows):
        return []
    cells = (rows["y"] // CELL).to_numpy(np.int64)
    columns = ["ratio", "ratio_lower", "ratio_upper", "rank_lower", "rank_upper", "expected_rank"]
    means = rows.groupby(cells)[columns].mean()
    told = parts.tallies(cells, rows["category"], status, providers)
    words = [
        say("tip_mean", tally=t, ratio=parts.ratio_words(*m))
        for t, m in zip(told, means[columns[:3]].to_numpy(), strict=True)
    ]
    top = means.index.to_numpy() * CELL
    low, middle, high = (ratio(means[name]) for name in ("ratio_lower", "ratio", "ratio_upper"))
    items: list[Item] = [
        Bar(a, y, b - a, CELL - 1, "bin-span", title)
        for a, b, y, title in zip(low.tolist(), high.tolist(), top.tolist(), words, strict=True)
    ]
    known = means["expected_rank"].notna().to_numpy()
    first, centre, last = (rank(means[name])[known] for name in ("rank_lower", "expected_rank", "rank_upper"))
    items += [
        Bar(a, y, b - a, CELL - 1, "bin-span")
        for a, b, y in zip(first.tolist(), last.tolist(), top[known].tolist(), strict=True)
    ]
    places = zip([*middle.tolist(), *centre.tolist()], [*top.tolist(), *top[known].tolist()], strict=True)
    return [*items, Segments(tuple((place, y, place, y + CELL - 1) for place, y in places), "bin-centre")]


def _outliers(rows: pd.DataFrame, ratio: Scale, rank: Scale) -> list[Item]:
    """Intervals of many rows as one path a role, and a mark with tooltip and link for each."""
    y = rows["y"].to_numpy(float)
    items: list[Item] = []
    for scale, stem in ((rank, "rank"), (ratio, "ratio")):
        places = np.column_stack([scale(rows[f"{stem}_lower"]), y, scale(rows[f"{stem}_upper"]), y])
        items += parts.many_segments(places, rows["category"])
    named = zip(ratio(rows["ratio"]).tolist(), y.tolist(), rows["category"], rows["tooltip"], rows["href"], strict=True)
    return [*items, *(parts.spot(x, at, category, tip, href) for x, at, category, tip, href in named)]


def _lines(rows: pd.DataFrame, ratio: Scale, rank: Scale, roomy: bool) -> list[Item]:
    """Per provider its two intervals and two marks, sharing a tooltip and a link."""
    places = np.column_stack(
        [
            *(ratio(rows[c]) for c in ("ratio_lower", "ratio", "ratio_upper")),
            *(rank(rows[c]) for c in ("rank_lower", "expected_rank", "rank_upper")),
            rows["y"],
        ]
    ).tolist()
    size, dot = (4.2, 3.0) if roomy else (3.6, 1.8)
    named = zip(places, rows["category"], rows["tooltip"], rows["href"], strict=True)
    return [_line(place, category, tip, href, size, dot) for place, category, tip, href in named]


def _line(place: list[float], category: str, tip: str, href: str, size: float, dot: float) -> Group:
    low, middle, high, first, centre, last, y = place
    pieces: list[Item] = [Segments(((low, y, high, y),), parts.whisker_role(category))]
    if first == first:
        pieces.append(Segments(((first, y, last, y),), parts.whisker_role(category, "rank")))
    if centre == centre:
        pieces.append(Mark(centre, y, "dot", "small", 1.3))
    pieces.append(parts.status_mark(middle, y, category, size, "", dot=dot))
    return Group(tuple(pieces), tip, href)


def _row_names(rows: pd.DataFrame, layout: _Layout) -> list[Item]:
    named = zip(rows["name"], rows["category"], rows["y"], strict=True)
    return [_name(layout.names, y + 4, name, category, layout.names - 2) for name, category, y in named]


def _spread_names(rows: pd.DataFrame, ratio: Scale, layout: _Layout, bottom: float, grouped: bool) -> list[Item]:
    """Names of the flagged and the extreme rows, 15 px apart, each joined to its row by a bent leader."""
    room = int((bottom - layout.top) // LABEL_GAP)
    # Very many flagged rows lie close together at both ends: more names than these would stand far from them.
    chosen = _chosen(rows, min(room, MOST_NAMES_GROUPED) if grouped else room)
    if not len(chosen):
        return []
    wanted = chosen["y"].to_numpy(float)
    places = parts.spread(wanted, LABEL_GAP, layout.top + 4, bottom - 4)
    ends = ratio(chosen["ratio_lower"])
    start, bend = layout.names + 4, layout.names + 11
    pieces = [
        piece
        for y, row, end in zip(places.tolist(), wanted.tolist(), ends.tolist(), strict=True)
        for piece in ((start, y, bend, row), (bend, row, max(end - 3, bend), row))
    ]
    named = zip(chosen["name"], chosen["category"], places.tolist(), strict=True)
    names = [_name(layout.names, y + 4, name, category, layout.names - 2) for name, category, y in named]
    return [Segments(tuple(pieces), "leader"), *names]


def _chosen(rows: pd.DataFrame, room: int) -> pd.DataFrame:
    """Flagged rows (the most surprising when too many) and the extreme ones, in the order of the rows."""
    flagged = rows[rows["flagged"]].sort_values("z", key=np.abs, ascending=False, kind="stable")
    extremes = pd.concat([rows.head(EXTREMES), rows.tail(EXTREMES)])
    chosen = pd.concat([flagged, extremes])
    return chosen[~chosen.index.duplicated()].head(max(room, 0)).sort_index()


def _name(x: float, y: float, name: str, category: str, room: float) -> Text:
    role = "strong" if category in parts.BEYOND else "label" if category in parts.FLAGGED else "note"
    return Text(x, y, shortened(name, room, bold=role == "strong"), role, "end")

"""A provider over time: observed over expected by period in its limits, what added up (VLAD), the CUSUM under it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from profiling.reporting import numbers
from profiling.reporting.chart import Area, Chart, Form, Item, Line, Mark, Point, Scale, Segments, Text, text_width
from profiling.reporting.charts import parts
from profiling.reporting.charts.series import Floats, Series
from profiling.reporting.sentences import say

RATIO, SUM, CHART = 150.0, 130.0, 110.0  # heights of the three panels
HEAD, GAP = 26.0, 34.0


@dataclass(frozen=True)
class TrendWords:
    """Names of the panels and of what stands at their right end."""

    ratio: str = field(default_factory=lambda: say("trend_ratio"))
    total: str = field(default_factory=lambda: say("trend_total", event="Deaths"))
    cusum: str = field(default_factory=lambda: say("cusum_name"))
    expected: str = field(default_factory=lambda: say("as_expected_line"))
    limits: tuple[str, str] = field(default_factory=parts.limit_words)
    line: str = field(default_factory=lambda: say("signal_line"))
    event: str = "deaths"


@dataclass(frozen=True)
class _Room:
    """Where panels stand: their x scale by period, the left and right edge, and whether words fit beside them."""

    x: Scale
    left: float
    right: float
    wide: bool


def trend(
    series: Series,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    words: TrendWords | None = None,
) -> Chart:
    """Three panels on one axis of periods: ratio, added-up difference and CUSUMs; without a CUSUM, two."""
    title = title or say("title_trend")
    said = words or TrendWords()
    wide = form == "wide"
    width, left, right = (720.0, 46.0, 626.0) if wide else (350.0, 38.0, 346.0)
    room = _Room(Scale(0.0, float(series.place.max()) + 1.0, left, right), left, right, wide)
    ratio, items = _ratio_panel(series, room, HEAD, said)
    top = HEAD + RATIO + GAP
    total, more = _total_panel(series, room, top, said)
    items += more
    bottom = top + SUM
    scales = {"x": room.x, "ratio": ratio, "total": total}
    if series.more is not None or series.fewer is not None:
        top = bottom + GAP
        scales["cusum"], more = _cusum_panel(series, room, top, said)
        items += more
        bottom = top + CHART
    items += _periods(series, room, bottom)
    return Chart("trend", title, finding, width, bottom + 26, tuple(items), form, scales)


def _ratio_panel(series: Series, room: _Room, top: float, words: TrendWords) -> tuple[Scale, list[Item]]:
    inner = series.limits[:, 1:3].ravel()
    y = Scale(*parts.ratio_domain([*series.ratio, *inner], (0.7, 1.4), (0.25, 4.0)), top + RATIO, top, "log")
    at, heights = room.x(series.place + 0.5), y(series.ratio)
    marks = [
        parts.status_mark(px, py, category, 4.7, _tip(series, index, words), dot=3.4)
        for index, (px, py, category) in enumerate(zip(at.tolist(), heights.tolist(), series.categories, strict=True))
    ]
    return y, [
        _name(words.ratio, top),
        *_stepped(series, room.x, y),
        *parts.grid_y(y, parts.ratio_ticks(y, 26), room.left, room.right, reference=1.0),
        *_lines(series, at, heights, "fine"),
        *marks,
        *_limit_words(series.limits[-1], y, room, words),
    ]


def _tip(series: Series, index: int, words: TrendWords) -> str:
    seen, expected = float(series.observed[index]), float(series.expected[index])
    count = numbers.integer(seen) if seen == round(seen) else numbers.amount(seen)
    ratio = numbers.ratio(series.ratio[index])
    return say(
        "tip_period",
        period=series.period[index],
        observed=count,
        event=words.event,
        expected=numbers.amount(expected),
        ratio=ratio,
    )


def _total_panel(series: Series, room: _Room, top: float, words: TrendWords) -> tuple[Scale, list[Item]]:
    """The difference added up, from zero at the start to the end of each period, in its limits."""
    total = np.concatenate([[0.0], series.total])
    limits = np.vstack([np.zeros(4), series.total_limits])
    at = room.x(np.concatenate([[0.0], series.place + 1.0]))
    reach = np.concatenate([total, limits[:, 1:3].ravel()])
    reach = reach[np.isfinite(reach)]
    low, high = min(0.0, float(reach.min())), max(0.0, float(reach.max()))
    margin = 0.08 * (high - low) or 1.0
    y = Scale(low - margin, high + margin, top + SUM, top)
    ticks = parts.linear_ticks(y, 4)
    places = 0 if all(tick == round(tick) for tick in ticks) else 1
    end, last = numbers.signed(total[-1], 1), float(y.at(float(total[-1])))
    return y, [
        _name(words.total if room.wide else f"{words.total}: {end}", top),
        *_ring(at, y(limits[:, 0]), y(limits[:, 3]), "band998"),
        *_ring(at, y(limits[:, 1]), y(limits[:, 2]), "band95"),
        *parts.grid_y(y, ticks, room.left, room.right, 0.0, [numbers.signed(tick, places) for tick in ticks]),
        Line(tuple(zip(at.tolist(), y(total).tolist(), strict=True)), "path"),
        Mark(float(at[-1]), last, "dot", "own", 3.6, f"{end} {words.event}"),
        *([Text(room.right + 8, last + 4, f"{end} {words.event}", "strong")] if room.wide else []),
    ]


def _cusum_panel(series: Series, room: _Room, top: float, words: TrendWords) -> tuple[Scale, list[Item]]:
    """Upward the chart for more events, downward that for fewer, each with its line."""
    charts = [(chart, sign) for chart, sign in ((series.more, 1.0), (series.fewer, -1.0)) if chart is not None]
    ends = [sign * value for chart, sign in charts for value in (float(chart.values.max()), chart.line)]
    known = [end for end in ends if end == end]
    y = Scale(min([*known, -0.5]) * 1.12, max([*known, 0.5]) * 1.12, top + CHART, top)
    at = room.x(series.place + 0.5)
    lines = [sign * chart.line for chart, sign in charts if chart.line == chart.line]
    items: list[Item] = [
        _name(words.cusum, top),
        *parts.grid_y(y, (0.0,), room.left, room.right, reference=0.0),
        *(Segments(((room.left, y.at(line), room.right, y.at(line)),), "threshold") for line in lines),
    ]
    for chart, sign in charts:
        heights = y(sign * chart.values)
        items += _lines(series, at, heights, "path")
        items += [
            parts.status_mark(
                float(at[index]),
                float(heights[index]),
                "higher" if sign > 0 else "lower",
                4.4,
                say("tip_signal", period=series.period[index]),
            )
            for index in np.flatnonzero(chart.passed).tolist()
        ]
    return y, [*items, *_line_words(lines, y, room, words)]


def _line_words(lines: list[float], y: Scale, room: _Room, words: TrendWords) -> list[Item]:
    """The name of the line, once."""
    if not lines:
        return []
    place = y.at(lines[0])
    if room.wide:
        return [Text(room.right + 8, place + 4, words.line, "note")]
    return [Text(room.right, place - 4 if lines[0] > 0 else place + 13, words.line, "note", "end", halo=True)]


def _name(words: str, top: float) -> Text:
    return Text(0.0, top - 12, words, "name")


def _stepped(series: Series, x: Scale, y: Scale) -> list[Item]:
    """Limits of the ratio as bands, a step a period; periods that follow each other share one band."""
    items: list[Item] = []
    for role, low, high in (("band998", 0, 3), ("band95", 1, 2)):
        for run in series.runs:
            edges = np.repeat(series.place[run], 2) + np.tile([0.0, 1.0], len(series.place[run]))
            limits = np.repeat(series.limits[run], 2, axis=0)
            items += _ring(x(edges), y(limits[:, low]), y(limits[:, high]), role)
    return items


def _ring(at: Floats, lower: Floats, upper: Floats, role: str) -> list[Item]:
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return []
    there: list[Point] = list(zip(at.tolist(), upper.tolist(), strict=True))
    back: list[Point] = list(zip(at[::-1].tolist(), lower[::-1].tolist(), strict=True))
    return [Area((*there, *back), role)]


def _lines(series: Series, at: Floats, values: Floats, role: str) -> list[Item]:
    """A line through the periods, broken where one is missing."""
    return [
        Line(tuple(zip(at[run].tolist(), values[run].tolist(), strict=True)), role)
        for run in series.runs
        if run.stop - run.start > 1
    ]


def _limit_words(limits: Floats, y: Scale, room: _Room, words: TrendWords) -> list[Item]:
    """Names of the limits at the right end, where the last period's stand."""
    if not room.wide:
        return []
    named = [(y.at(1.0) + 4, words.expected, "strong")]
    inner, outer = words.limits
    told = zip(limits.tolist(), (outer, inner, inner, outer), strict=True)
    named += [(y.at(value) + 4, text, "note") for value, text in told if y.low < value < y.high]
    ordered = sorted(named)
    places = parts.spread(np.array([place for place, _, _ in ordered]), 14, y.end + 8, y.start + 4)
    return [
        Text(room.right + 8, float(place), text, role)
        for place, (_, text, role) in zip(places.tolist(), ordered, strict=True)
    ]


def _periods(series: Series, room: _Room, bottom: float) -> list[Item]:
    """Names of periods under the lowest panel, as many as fit."""
    widest = max(text_width(period) for period in series.period) + 12
    step = max(1, int(np.ceil(widest / max(room.x.at(1.0) - room.x.at(0.0), 1e-9))))
    names = [
        Text(room.x.at(place + 0.5), bottom + 18, period, "tick", "middle")
        for place, period in zip(series.place.tolist(), series.period, strict=True)
        if int(place) % step == 0
    ]
    inside = [name for name in names if name.box[0] >= 0 and name.box[2] <= room.right + 4]
    return [Segments(((room.left, bottom, room.right, bottom),), "axis"), *inside]

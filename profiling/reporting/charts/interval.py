"""Tiny charts for table cells: an interval on a shared axis, that axis for the head, the mark of a status."""

from __future__ import annotations

import pandas as pd

from profiling.reporting.chart import Chart, Item, Scale, Segments, Text
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say

WIDTH, HEIGHT = 116.0, 18.0
DOMAIN = (0.6, 1.7)


def interval_domain(frame: pd.DataFrame) -> tuple[float, float]:
    """Ends of the shared axis for a table: the bulk of its intervals, rounded outward to 0.1."""
    rows = parts.providers(frame)
    if not rows["ratio_lower"].notna().any():
        return DOMAIN
    low = float(rows["ratio_lower"].quantile(0.02))
    high = float(rows["ratio_upper"].quantile(0.98))
    return max(min(int(low * 10) / 10, 0.8), 0.2), min(max(-int(-high * 10 - 0.999) / 10, 1.3), 5.0)


def interval(
    ratio: float,
    lower: float,
    upper: float,
    category: str = "as_expected",
    *,
    domain: tuple[float, float] = DOMAIN,
) -> Chart:
    """One interval with its mark and the line at 1, 116 by 18 pixels; ends stop at the edge of `domain`."""
    x = _scale(domain)
    low, middle, high = x([lower, ratio, upper]).tolist()
    y = HEIGHT / 2
    words = parts.ratio_words(ratio, lower, upper)
    role = parts.whisker_role(category) if category in parts.FLAGGED else "whisker-clear"
    mark = parts.status_mark(middle, y, category, 4.4, "", dot=2.8)
    one = Segments(((x.at(1.0), 0, x.at(1.0), HEIGHT),), "reference")
    # Its figures stand in the cell beside it: no tooltip.
    items: tuple[Item, ...] = (one, Segments(((low, y, high, y),), role), mark)
    return Chart("interval", words, words, WIDTH, HEIGHT, items, "mini", {"x": x})


def interval_axis(domain: tuple[float, float] = DOMAIN) -> Chart:
    """The axis of a column of intervals, for the head of the table."""
    x = _scale(domain)
    ends = (domain[0], 1.0, domain[1])
    anchors: tuple[parts.Anchor, ...] = ("start", "middle", "end")
    places = (0.0, x.at(1.0), WIDTH)
    words = tuple(
        Text(place, 12, parts.tick_text(t), "tick", anchor)
        for place, t, anchor in zip(places, ends, anchors, strict=True)
    )
    said = say("from_to", low=parts.tick_text(domain[0]), high=parts.tick_text(domain[1]))
    return Chart("interval_axis", said, said, WIDTH, 15.0, words, "mini", {"x": x})


def glyph(category: str, words: str = "") -> Chart:
    """The mark of a status alone, 14 by 14 pixels, for legends and tables."""
    said = words or parts.STATUS_WORDS.get(category, category)
    mark = parts.status_mark(7, 7.6 if parts.SHAPES[category] == "up" else 6.8, category, 4.7, "", dot=3.2)
    return Chart("glyph", said, said, 14.0, 14.0, (mark,), "mini")


def _scale(domain: tuple[float, float]) -> Scale:
    return Scale(domain[0], domain[1], 6.0, WIDTH - 6, "log")

"""Rows with one mark each on a linear axis: names at the left, the figures at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from profiling.reporting.chart import Chart, Form, Group, Item, Mark, Scale, Segments, Text, shortened, text_width
from profiling.reporting.charts import parts

ROW, NARROW_ROW, TOP = 26.0, 42.0, 44.0
NAMES_SHARE = 0.42


@dataclass(frozen=True)
class DotRow:
    """One row; `value` may be NaN: then its words stand alone."""

    name: str
    value: float
    words: str


def dots(
    rows: Sequence[DotRow],
    domain: tuple[float, float],
    *,
    kind: str = "dots",
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    axis_name: str = "",
    words_name: str = "",
    reference: float | None = None,
) -> Chart:
    """A line from the `reference` (or the left end) to each mark, so that its length is what is read.

    Names stand beside their row, in the narrow form above it.
    """
    wide = form == "wide"
    width, pitch = (720.0, ROW) if wide else (350.0, NARROW_ROW)
    names = min(max((text_width(row.name) for row in rows), default=0.0) + 12, width * NAMES_SHARE)
    words = max([text_width(words_name), *(text_width(row.words) for row in rows), 30.0]) + 12
    left = names + 12 if wide else 6.0
    x = Scale(*domain, left, max(width - words - 8, left + 80), "linear")
    bottom = TOP + pitch * len(rows)
    ticks = parts.linear_ticks(x, 6 if wide else 4)
    items: list[Item] = [
        Text(0, 13, axis_name, "name"),
        Text(width, TOP - 9, words_name, "note", "end"),
        *parts.grid_x(x, ticks, TOP - 2, bottom, (TOP - 9,), reference=reference),
    ]
    start = x.at(reference) if reference is not None else x.start
    for index, row in enumerate(rows):
        top = TOP + pitch * index
        y = top + (ROW / 2 if wide else 28.0)
        place = Text(names, y + 4, shortened(row.name, names - 2), "label", "end")
        items.append(place if wide else Text(0, top + 14, shortened(row.name, width), "label", halo=True))
        items.append(Text(width, y + 4, row.words, "note", "end"))
        if row.value == row.value:
            end = x.at(row.value)
            line = Segments(((min(start, end), y, max(start, end), y),), "whisker-clear")
            items.append(Group((line, Mark(end, y, "dot", "own", 4.0)), f"{row.name}: {row.words}"))
    return Chart(kind, title, finding, width, bottom + 6, tuple(items), form, {"x": x})

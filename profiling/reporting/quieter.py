"""Charts of many marks for a page: words and links for the marks that need them, one path for the others.

A mark with its tooltip and link takes ten times the letters of its shape. In the wide funnel all have both. On a phone
and in the other charts all have while they are few, then those beyond the outer limits while these are few, then none:
every one is still drawn, has its words and its link in the wide funnel, and its row in the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from profiling.reporting.chart import Chart, Item, Mark, Shape, Spots

ALL_SPEAK = {"wide": 100, "narrow": 60}
MOST_BEYOND = {"wide": 100, "narrow": 50}
BEYOND = frozenset({"higher", "lower", "spot-high", "spot-low"})
SHARED = "bin"
LEADING = "funnel"


def quieter(chart: Chart) -> Chart:
    """The same drawing with words and links for fewer marks, where they are many."""
    single = [item for item in chart.items if isinstance(item, Mark) and item.role != SHARED]
    form = "narrow" if chart.form == "narrow" else "wide"
    if len(single) <= ALL_SPEAK[form] or (chart.kind == LEADING and form == "wide"):
        return chart
    beyond = sum(mark.role in BEYOND for mark in single)
    speaking = BEYOND if beyond <= MOST_BEYOND[form] else frozenset()
    return replace(chart, items=tuple(_joined(chart.items, frozenset({SHARED, *speaking}))))


def _joined(items: tuple[Item, ...], speaking: frozenset[str]) -> Iterator[Item]:
    """Neighbours of one look that are to be quiet as one item, all else as it is."""
    for key, run in groupby(items, key=lambda item: _look(item, speaking)):
        if key is None:
            yield from run
        else:
            shape, role, size = key
            yield Spots(tuple((mark.x, mark.y) for mark in run if isinstance(mark, Mark)), shape, role, size)


def _look(item: Item, speaking: frozenset[str]) -> tuple[Shape, str, float] | None:
    if isinstance(item, Mark) and item.role not in speaking:
        return item.shape, item.role, item.size
    return None

"""How many events it would take: the number seen between the numbers at which the result would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from profiling.reporting import numbers
from profiling.reporting.chart import Bar, Chart, Form, Item, Mark, Scale, Segments, Text
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say

TOP, BAND = 44.0, 26.0


@dataclass(frozen=True)
class Threshold:
    """The first number of events with another result: above or below the norm, beyond the inner or outer limit."""

    count: float
    category: str

    @property
    def edge(self) -> float:
        """Where the limit lies: half an event before this number, seen from the norm."""
        return self.count - 0.5 if self.category.startswith("higher") else self.count + 0.5


def event_line(
    observed: float,
    expected: float,
    thresholds: Sequence[Threshold],
    category: str,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    axis_name: str = "Deaths",
    observed_words: str = "",
    expected_words: str = "",
) -> Chart:
    """A line of event counts: the bands of the limits, the number observed, the number expected, and each threshold.

    Between the inner thresholds lies what is as expected; between inner and outer ones what is watched.
    """
    expected_words = expected_words or say("expected_word")
    observed_words = observed_words or say("observed_word")
    title = title or say("title_events")
    wide = form == "wide"
    width, left, right = (520.0, 8.0, 512.0) if wide else (350.0, 6.0, 344.0)
    known = [observed, expected, *(threshold.count for threshold in thresholds)]
    low, high = min(known), max(known)
    room = 0.1 * (high - low) or 1.0
    x = Scale(max(low - room, 0.0) if low >= 0 else low - room, high + room, left, right)
    middle, bottom = TOP + BAND / 2, TOP + BAND
    items: list[Item] = [
        Text(0, 13, axis_name, "name"),
        *_bands(x, thresholds),
        Segments(((x.at(expected), TOP - 4, x.at(expected), bottom + 4),), "reference"),
        Segments(tuple((x.at(t.edge), TOP, x.at(t.edge), bottom) for t in thresholds), "threshold"),
        *_numbers(x, thresholds, bottom),
        *_heads(x, observed, expected, observed_words, expected_words),
        _own(x.at(observed), middle, category, f"{numbers.integer(observed)} {observed_words}"),
    ]
    return Chart("event_line", title, finding, width, bottom + 24, tuple(items), form, {"x": x})


def _own(x: float, y: float, category: str, title: str) -> Mark:
    mark = parts.status_mark(x, y, category, 6.0, title, dot=5.0)
    return mark if category in parts.FLAGGED else parts.own_mark(mark)


def _bands(x: Scale, thresholds: Sequence[Threshold]) -> list[Item]:
    """From the outer limits inward; without an inner one the bands are one, without any they reach the edge."""
    at = {threshold.category: x.at(threshold.edge) for threshold in thresholds}
    outer = at.get("lower", x.start), at.get("higher", x.end)
    inner = at.get("lower_watch", outer[0]), at.get("higher_watch", outer[1])
    return [
        Bar(start, TOP, max(end - start, 0.5), BAND, role)
        for role, (start, end) in (("band998", outer), ("band95", inner))
    ]


def _numbers(x: Scale, thresholds: Sequence[Threshold], bottom: float) -> list[Item]:
    """The count at each threshold under it, moved apart where they would touch."""
    ordered = sorted(thresholds, key=lambda t: t.count)
    wanted = x(np.array([t.count for t in ordered], dtype=float))
    places = parts.spread(wanted, 34, x.start + 14, x.end - 14).tolist()
    return [
        Text(place, bottom + 17, numbers.integer(t.count), "tick", "middle")
        for place, t in zip(places, ordered, strict=True)
    ]


def _heads(x: Scale, observed: float, expected: float, seen: str, norm: str) -> list[Item]:
    """What was observed and expected, in words above the line, each at its own side of the other."""
    told = (
        (observed, numbers.integer(observed), seen, "strong", observed >= expected),
        (expected, numbers.amount(expected), norm, "note", observed < expected),
    )
    return [Text(x.at(at), TOP - 10, f"{n} {word}", role, _side(right), halo=True) for at, n, word, role, right in told]


def _side(right: bool) -> parts.Anchor:
    return "start" if right else "end"

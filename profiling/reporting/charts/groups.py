"""Groups of patients: observed over expected of each, for two case mixes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from profiling.reporting import numbers
from profiling.reporting.chart import (
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

PITCH = {"wide": 30.0, "narrow": 40.0}
HEADING, TOP = 30.0, 62.0
APART = 5.5  # from the middle of a row to each of its two intervals
SECOND = 182.0  # room of the figures of the second case mix


@dataclass(frozen=True)
class Estimate:
    """A ratio with its interval, whose ends may be missing (NaN)."""

    ratio: float
    lower: float
    upper: float

    @property
    def words(self) -> str:
        """The ratio with its interval, as far as there is one."""
        told = self.lower == self.lower and self.upper == self.upper
        return numbers.estimate(self.ratio, self.lower, self.upper) if told else numbers.ratio(self.ratio)


@dataclass(frozen=True)
class Subgroup:
    """One group: its name, the estimates of the first and second case mix, words in place of hidden ones."""

    name: str
    first: Estimate | None
    second: Estimate | None = None
    instead: str = ""


@dataclass(frozen=True)
class Trait:
    """The groups that the values of one trait make."""

    name: str
    groups: tuple[Subgroup, ...]


def groups(
    traits: Sequence[Trait],
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    axis_name: str = "",
    first_words: str = "",
    second_words: str = "",
) -> Chart:
    """A row a group under the name of its trait; a filled mark for the first case mix, an open one for the second."""
    axis_name = axis_name or say("groups_axis")
    title = title or say("title_groups")
    first_words = first_words or say("groups_without")
    second_words = second_words or say("groups_with")
    wide = form == "wide"
    two = any(group.second for trait in traits for group in trait.groups)
    width = 1080.0 if wide else 350.0
    known = [e for trait in traits for group in trait.groups for e in (group.first, group.second) if e]
    ends = [value for e in known for value in (e.lower, e.ratio, e.upper)]
    left, right = (214.0, 690.0 if two else 856.0) if wide else (4.0, 346.0)
    x = Scale(*parts.ratio_domain(ends, (0.8, 1.25), (0.3, 3.2)), left, right, "log")
    items: list[Item] = []
    y = TOP
    for trait in traits:
        items.append(Text(0, y + 14, shortened(trait.name, width - 10, bold=True), "strong"))
        y += HEADING
        for group in trait.groups:
            items += _row(group, x, y, width, form, two)
            y += PITCH[form]
        y += 6
    grid = parts.grid_x(x, parts.ratio_ticks(x, 44), TOP, y, (TOP - 8,), reference=1.0)
    head: list[Item] = [Text(0, 13, axis_name, "name"), *_legend(first_words, second_words if two else "")]
    if wide:
        places = ((width - SECOND, first_words), (width, second_words)) if two else ((width, first_words),)
        head += [Text(place, TOP - 8, words, "note", "end") for place, words in places]
    return Chart("groups", title, finding, width, y + 4, (*head, *grid, *items), form, {"x": x})


def _legend(first: str, second: str) -> list[Item]:
    """Both marks with their words under the name of the axis."""
    if not second:
        return []
    start = 6.0 + 14.0 + text_width(first) + 22.0
    return [
        Mark(6.0, 29.0, "dot", "own", 4.0),
        Text(16.0, 33.0, first, "note"),
        Mark(start, 29.0, "dot", "open", 3.6),
        Text(start + 10.0, 33.0, second, "note"),
    ]


def _row(group: Subgroup, x: Scale, y: float, width: float, form: Form, two: bool) -> list[Item]:
    wide = form == "wide"
    middle = y + (PITCH[form] / 2 if wide else 28.0)
    name = Text(16.0, middle + 4 if wide else y + 12, shortened(group.name, x.start - 30 if wide else 150.0), "label")
    if group.first is None:
        place = x.at(1.0) + 6 if wide else width
        anchor: parts.Anchor = "start" if wide else "end"
        return [name, Text(place, middle + 4 if wide else y + 12, group.instead, "note", anchor, halo=True)]
    drawn = [_interval(group.first, x, middle - (APART if group.second else 0.0), group.name, "own")]
    if group.second:
        drawn.append(_interval(group.second, x, middle + APART, group.name, "open"))
    figures: list[Item] = [Text(width, y + 12, group.first.words, "note", "end")]
    if wide:
        figures = [Text(width - SECOND if two else width, middle + 4, group.first.words, "label", "end")]
        figures += [Text(width, middle + 4, group.second.words, "note", "end")] if group.second else []
    return [name, *drawn, *figures]


def _interval(estimate: Estimate, x: Scale, y: float, name: str, role: str) -> Group:
    low, place, high = x(np.array([estimate.lower, estimate.ratio, estimate.upper])).tolist()
    line: tuple[Item, ...] = ()
    if low == low and high == high:
        line = (Segments(((low, y, high, y),), "whisker-own" if role == "own" else "whisker-clear"),)
    return Group((*line, Mark(place, y, "dot", role, 4.0 if role == "own" else 3.6)), f"{name}: {estimate.words}")

"""One description of a chart, whatever draws it: things with a place in pixels and a role, never a colour.

A builder (`profiling.reporting.charts`) turns a table into a `Chart`; `svg` and `figure` draw it. One
unit is one CSS pixel, y grows downwards, and `items` are drawn in their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate, takewhile
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Form: TypeAlias = Literal["wide", "narrow"]
Anchor: TypeAlias = Literal["start", "middle", "end"]
Shape: TypeAlias = Literal["dot", "up", "down", "dash", "diamond"]
Point: TypeAlias = tuple[float, float]
FORMS: tuple[Form, ...] = ("wide", "narrow")


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to pixels, linearly or by the logarithm; `low` lands on `start`, `high` on `end`."""

    low: float
    high: float
    start: float
    end: float
    kind: Literal["linear", "log"] = "linear"

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """Pixels of values; what lies outside the scale is moved to its edge, on the chart."""
        clipped = np.clip(np.asarray(values, dtype=float), self.low, self.high)
        low, high = self.low, self.high
        if self.kind == "log":
            clipped, low, high = np.log(clipped), math.log(low), math.log(high)
        return np.asarray(self.start + (clipped - low) * ((self.end - self.start) / (high - low)))

    def at(self, value: float) -> float:
        """Pixel of one value."""
        # Without numpy, whose calls cost more than the work where there is one value.
        clipped, low, high = min(max(float(value), self.low), self.high), self.low, self.high
        if self.kind == "log":
            clipped, low, high = math.log(clipped), math.log(low), math.log(high)
        return self.start + (clipped - low) * ((self.end - self.start) / (high - low))

    def holds(self, value: float) -> bool:
        """Whether a value lies on the scale."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon: a band, a highlight."""

    points: tuple[Point, ...]
    role: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points."""

    points: tuple[Point, ...]
    role: str


@dataclass(frozen=True, slots=True)
class Segments:
    """Many straight pieces of one role, each (x1, y1, x2, y2)."""

    pieces: tuple[tuple[float, float, float, float], ...]
    role: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    role: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """One provider or one figure. `size` is the radius of the circle around the shape's place."""

    x: float
    y: float
    shape: Shape
    role: str
    size: float
    title: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Spots:
    """Many marks of one look as one path: drawn like the others, without titles and links."""

    places: tuple[Point, ...]
    shape: Shape
    role: str
    size: float


@dataclass(frozen=True, slots=True)
class Text:
    """Words at a place; `x` is where they start, are centred or end.

    Roles: label, strong, note, tick, name.
    """

    x: float
    y: float
    text: str
    role: str = "label"
    anchor: Anchor = "start"
    halo: bool = False
    size: float = 12.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, from estimated widths."""
        width = text_width(self.text, self.size, bold=self.role in BOLD_ROLES)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - 0.78 * self.size, left + width, self.y + 0.22 * self.size


@dataclass(frozen=True, slots=True)
class Group:
    """Things that belong to one provider: they share its tooltip and its link."""

    items: tuple[Item, ...]
    title: str = ""
    href: str = ""


Item: TypeAlias = Area | Line | Segments | Bar | Mark | Spots | Text | Group


@dataclass(frozen=True)
class Chart:
    """A whole chart: its size, what it says (`finding`, the alternative text) and what it draws, in order.

    `form` is "wide" or "narrow" where both exist and style sheets switch between them, "mini" for a chart
    that stands in a line of text, "" for a chart of one form.
    `scales` are kept so that places can be checked against the numbers.
    """

    kind: str
    title: str
    finding: str
    width: float
    height: float
    items: tuple[Item, ...]
    form: Form | Literal["mini", ""] = ""
    scales: Mapping[str, Scale] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Words that would leave the chart at a side are moved into it."""
        object.__setattr__(self, "items", tuple(_inside(item, self.width) for item in self.items))

    @property
    def alternative(self) -> str:
        """What a reader who does not see the chart is told."""
        return self.finding or self.title

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All marks, those in groups too."""
        return tuple(item for item in flat(self.items) if isinstance(item, Mark))

    @property
    def texts(self) -> tuple[Text, ...]:
        """All texts, those in groups too."""
        return tuple(item for item in flat(self.items) if isinstance(item, Text))


def _inside(item: Item, width: float) -> Item:
    if not isinstance(item, Text):
        return item
    # No letter is wider than its size: most words need not be measured.
    most = item.size * len(item.text) * _WIDEST
    before = {"start": 0.0, "middle": most / 2, "end": most}[item.anchor]
    if item.x >= before and item.x + most - before <= width:
        return item
    left, _, right, _ = item.box
    spare = (right - left) * _UNSURE
    left, right = left - spare * (item.anchor != "start"), right + spare * (item.anchor != "end")
    shift = min(max(-left, 0.0), max(width - right, 0.0)) if left < 0 else -min(max(right - width, 0.0), left)
    return replace(item, x=item.x + shift) if shift else item


def flat(items: tuple[Item, ...]) -> Iterator[Item]:
    """Items in drawing order, groups opened."""
    for item in items:
        if isinstance(item, Group):
            yield from flat(item.items)
        else:
            yield item


def triangle(x: float, y: float, size: float, up: bool) -> tuple[Point, Point, Point]:
    """Corners of an equal-sided triangle whose centre of gravity is near (x, y)."""
    radius, half, sign = 1.1 * size, 0.953 * size, 1 if up else -1
    return (x, y - sign * radius), (x + half, y + sign * radius / 2), (x - half, y + sign * radius / 2)


def diamond(x: float, y: float, size: float) -> tuple[Point, ...]:
    """Corners of a square on its corner."""
    return (x, y - size), (x + size, y), (x, y + size), (x - size, y)


BOLD_ROLES = frozenset({"strong", "name"})
_WIDEST = 1.01  # of any letter, in its size
_UNSURE = 0.02  # of the width of words, which is estimated

# Advance widths of printable ASCII in thousandths of the size, for a sans face of usual width, 400 and
# 600 weight.
_REGULAR = (
    "281 278 403 631 638 812 639 222 362 362 500 659 280 460 276 357 625 464 605 636 642 608 624 571 "
    "616 624 276 280 659 659 659 507 936 676 651 727 719 598 587 743 740 264 543 652 562 889 753 761 "
    "635 761 639 638 642 741 676 949 642 665 625 362 357 362 469 452 497 564 621 558 621 582 361 609 "
    "591 237 237 544 237 869 585 597 609 609 372 523 364 581 557 812 540 557 541 362 327 362 659"
)
_BOLD = (
    "248 309 396 643 649 844 663 213 393 393 543 673 295 466 290 379 667 481 621 652 666 632 648 587 "
    "646 648 290 295 673 673 673 544 999 724 657 744 724 608 586 755 744 275 561 677 566 906 741 775 "
    "643 776 651 649 660 734 724 1007 690 705 653 393 379 393 481 468 497 575 630 577 630 593 377 625 "
    "613 261 261 569 261 898 610 608 625 625 397 549 380 608 576 837 562 576 562 393 358 393 673"
)
_DIGIT, _OTHER = 650.0, 660.0  # tabular figures are as wide as the widest


class _Widths(dict[str, float]):
    """Width of every letter, those that no table names too."""

    def __missing__(self, letter: str) -> float:
        return _DIGIT if letter.isdigit() else _OTHER


_WIDTHS = {
    bold: _Widths(
        {chr(32 + i): float(w) for i, w in enumerate(table.split())}
        | {"\u202f": 180.0, "–": 500.0, "·": 280.0}
        | dict.fromkeys("0123456789", _DIGIT)
    )
    for bold, table in ((False, _REGULAR), (True, _BOLD))
}


def text_width(text: str, size: float = 12.0, *, bold: bool = False) -> float:
    """Estimated width of words in pixels; letters beyond ASCII count as a wide letter."""
    return sum(map(_WIDTHS[bold].__getitem__, text)) * size / 1000


def shortened(text: str, room: float, size: float = 12.0, *, bold: bool = False) -> str:
    """The words, or their beginning and an ellipsis where they do not fit the room."""
    if text_width(text, size, bold=bold) <= room:
        return text
    widths = accumulate(map(_WIDTHS[bold].__getitem__, text), initial=_WIDTHS[bold]["…"])
    fitting = sum(1 for _ in takewhile(lambda width: width * size / 1000 <= room, widths)) - 1
    return text[: max(fitting, 0)].rstrip(" ,.-") + "…"


def lines_of(text: str, room: float, most: int, size: float = 12.0, *, bold: bool = False) -> tuple[str, ...]:
    """The words in at most so many lines of the room; the last one ends in an ellipsis where more would follow."""
    lines = wrapped(text, room, size, bold=bold)
    rest = " ".join(lines[most - 1 :])
    return tuple(shortened(line, room, size, bold=bold) for line in (*lines[: most - 1], *([rest] if rest else [])))


def wrapped(text: str, room: float, size: float = 12.0, *, bold: bool = False) -> tuple[str, ...]:
    """The words broken into lines that fit the room (a single word longer than it stays whole)."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and text_width(f"{lines[-1]} {word}", size, bold=bold) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return tuple(lines)

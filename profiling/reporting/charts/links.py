"""Who sees whose patients: providers by size at the left, inner ones by their number of providers at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from profiling.reporting.chart import Area, Bar, Chart, Form, Item, Point, Text, shortened, wrapped
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say

GAP, LEAST = 14.0, 1.5
NODE = 12.0


@dataclass(frozen=True)
class Node:
    """One block: its words, in one or two lines."""

    words: str
    note: str = ""


@dataclass(frozen=True)
class Link:
    """A ribbon between a left and a right block, by their places, with its share of all records."""

    left: int
    right: int
    share: float


def links(
    left: Sequence[Node],
    right: Sequence[Node],
    ribbons: Sequence[Link],
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    left_name: str = "Hospitals by number of patients",
    right_name: str = "Physicians",
) -> Chart:
    """Blocks as high as their share of the records; ribbons as wide as theirs. Links to the first block are paler."""
    title = title or say("title_links")
    wide = form == "wide"
    width, room = (1080.0, 300.0) if wide else (350.0, 340.0)
    left_x, right_x = (330.0, 740.0) if wide else (118.0, 232.0)
    top = 34.0
    heights = [[sum(r.share for r in ribbons if (r.left, r.right)[side] == place) for place in range(len(nodes))]
               for side, nodes in ((0, left), (1, right))]  # fmt: skip
    places = [_stacked(shares, room, top) for shares in heights]
    items: list[Item] = [Text(0, 13, left_name, "name"), Text(width, 13, right_name, "name", "end")]
    items += _ribbons(ribbons, places, room, left_x + NODE, right_x)
    items += [Bar(left_x, y, NODE, h, "total-own", node.words) for node, (y, h) in zip(left, places[0], strict=True)]
    items += [Bar(right_x, y, NODE, h, "total-own", node.words) for node, (y, h) in zip(right, places[1], strict=True)]
    items += _names(left, places[0], left_x - 10, "end", left_x - 14 if wide else left_x - 12)
    items += _names(right, places[1], right_x + NODE + 10, "start", width - right_x - NODE - 12)
    bottom = max(y + h for column in places for y, h in column)
    return Chart("links", title, finding, width, bottom + 26, tuple(items), form)


def _stacked(shares: Sequence[float], room: float, top: float) -> list[tuple[float, float]]:
    """Top and height of each block, with a gap between them."""
    found, y = [], top
    for share in shares:
        height = max(share * room, LEAST)
        found.append((y, height))
        y += height + GAP
    return found


def _ribbons(
    ribbons: Sequence[Link], places: list[list[tuple[float, float]]], room: float, start: float, end: float
) -> list[Item]:
    """Ribbons with their ends stacked in the order of the other side, so that they cross as little as they can."""
    offsets = [[y for y, _ in column] for column in places]
    drawn: list[tuple[int, Item]] = []
    for ribbon in sorted(ribbons, key=lambda r: (r.left, r.right)):
        height = ribbon.share * room
        if height <= 0:
            continue
        a, b = offsets[0][ribbon.left], offsets[1][ribbon.right]
        offsets[0][ribbon.left] += height
        offsets[1][ribbon.right] += height
        role = "band95" if ribbon.right == 0 else "total"
        drawn.append((ribbon.right, Area(_curve(start, a, end, b, height), role)))
    return [item for _, item in sorted(drawn, key=lambda pair: pair[0])]


def _curve(x1: float, y1: float, x2: float, y2: float, height: float, steps: int = 16) -> tuple[Point, ...]:
    """A band between two heights, eased at both ends."""
    shares = [step / steps for step in range(steps + 1)]
    middle = [(x1 + (x2 - x1) * t, y1 + (y2 - y1) * t * t * (3 - 2 * t)) for t in shares]
    return (*middle, *((x, y + height) for x, y in reversed(middle)))


def _names(
    nodes: Sequence[Node], places: list[tuple[float, float]], x: float, anchor: parts.Anchor, room: float
) -> list[Item]:
    """Words beside each block, spread apart where blocks are thin."""
    import numpy as np

    lines = [[*wrapped(node.words, room), *([node.note] if node.note else [])] for node in nodes]
    tall = max((len(line) for line in lines), default=1)
    wanted = np.array([y + h / 2 for y, h in places])
    spread = parts.spread(wanted, 14.0 * tall + 2, places[0][0] + 7 * tall - 7, 1e9)
    items: list[Item] = []
    for words, note, middle in zip(lines, nodes, spread.tolist(), strict=True):
        first = middle - 7.0 * (len(words) - 1) + 4
        for index, line in enumerate(words):
            is_note = bool(note.note) and index == len(words) - 1
            items.append(Text(x, first + 14 * index, shortened(line, room), "note" if is_note else "label", anchor))
    return items

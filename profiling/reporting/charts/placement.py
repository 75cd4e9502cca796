"""Greedy placement of names beside marks: 8 directions by 6 distances, a leader line when far.

Most surprising first (|z|). A place is refused when it leaves the chart, touches another name, a leader
or the neighbourhood of a flagged mark; plain dots may be covered at a price, for a name has a halo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiling.reporting.chart import Item, Point, Segments, Text, text_width

DISTANCES = (9.0, 14.0, 22.0, 34.0, 50.0, 72.0)
LEADER_BEYOND = 14.0
CROWD = 18.0
NEIGHBOURHOOD = (16.0, 13.0)
DOT_PRICE, DISTANCE_PRICE = 40.0, 1.0
MOST_COVERED = {False: 1, True: 3}  # dots a plain and a bold name may cover
_DIAGONAL = 0.7071
# Right first, then left, then the corners, above and below: where a reader looks for a name.
_DIRECTIONS = np.array(
    [
        (1, 0),
        (-1, 0),
        (_DIAGONAL, -_DIAGONAL),
        (_DIAGONAL, _DIAGONAL),
        (-_DIAGONAL, -_DIAGONAL),
        (-_DIAGONAL, _DIAGONAL),
        (0, -1),
        (0, 1),
    ]
)
_DIRECTION_PRICES = np.array([0.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0])

Boxes = NDArray[np.float64]  # rows of left, top, right, bottom


@dataclass(frozen=True)
class Anchor:
    """A mark that wants a name."""

    x: float
    y: float
    name: str
    strong: bool


def place_labels(
    anchors: list[Anchor], dots: Boxes, fixed: Boxes, bounds: tuple[float, float, float, float]
) -> list[Item]:
    """Names (and leaders) for `anchors`, given in order of importance.

    `dots` are boxes of plain marks, `fixed` boxes nothing may touch, `bounds` the room. A name for which
    there is no place is left out; its mark keeps its tooltip.
    """
    half = np.array(NEIGHBOURHOOD) / 2
    places = np.array([(a.x, a.y) for a in anchors]).reshape(-1, 2)
    marks = np.hstack([places - half, places + half])
    taken, leaders = fixed.reshape(-1, 4), np.empty((0, 4))
    texts: list[Item] = []
    for index, anchor in enumerate(anchors):
        others = np.delete(marks, index, axis=0)
        boxes, reach = _candidates(anchor)
        price = reach * DISTANCE_PRICE + np.tile(_DIRECTION_PRICES, len(DISTANCES))
        covered = _overlaps(boxes, dots).sum(axis=1)
        price += DOT_PRICE * covered
        ends = _nearest(boxes, anchor)
        far = np.hypot(ends[:, 0] - anchor.x, ends[:, 1] - anchor.y) > LEADER_BEYOND
        lines = np.column_stack([np.broadcast_to((anchor.x, anchor.y), ends.shape), ends])
        refused = _outside(boxes, bounds) | _overlaps(boxes, np.vstack([taken, others])).any(axis=1)
        refused |= covered > MOST_COVERED[anchor.strong]
        # Where marks crowd, a leader cannot but start among its neighbours.
        distant = others[np.abs(others[:, :2] + half - (anchor.x, anchor.y)).max(axis=1) > CROWD]
        refused |= _crossed(leaders, boxes) | (far & _crossed_by(lines, np.vstack([taken, distant])))
        if refused.all():
            continue
        best = int(np.argmin(np.where(refused, np.inf, price)))
        taken = np.vstack([taken, boxes[best]])
        if far[best]:
            leaders = np.vstack([leaders, lines[best]])
        texts.append(Text(boxes[best, 0] + 1, boxes[best, 1] + 10.5, anchor.name, _role(anchor), halo=True))
    return [*_leader_items(leaders), *texts]


def box_of(points: list[Point], half: float) -> Boxes:
    """Square boxes around points."""
    places = np.array(points).reshape(-1, 2)
    return np.hstack([places - half, places + half])


def _role(anchor: Anchor) -> str:
    return "strong" if anchor.strong else "label"


def _candidates(anchor: Anchor) -> tuple[Boxes, NDArray[np.float64]]:
    """48 boxes of the name's size, and how far each is from the mark."""
    width, height = text_width(anchor.name, bold=anchor.strong) + 2, 14.0
    reach = np.repeat(DISTANCES, len(_DIRECTIONS))
    way = np.tile(_DIRECTIONS, (len(DISTANCES), 1))
    centre = np.array([anchor.x, anchor.y]) + way * reach[:, None]
    centre += np.sign(np.round(way, 3)) * np.array([width / 2, 0.0]) + way * np.array([0.0, height / 2])
    corner = np.array([width / 2, height / 2])
    return np.hstack([centre - corner, centre + corner]), reach


def _nearest(boxes: Boxes, anchor: Anchor) -> NDArray[np.float64]:
    """The point of each box nearest to the mark."""
    return np.column_stack(
        [np.clip(anchor.x, boxes[:, 0], boxes[:, 2]), np.clip(anchor.y, boxes[:, 1] + 2, boxes[:, 3] - 2)]
    )


def _overlaps(a: Boxes, b: Boxes) -> NDArray[np.bool_]:
    """Which boxes of `a` (rows) touch which of `b` (columns)."""
    return np.asarray(
        (a[:, None, 0] < b[None, :, 2])
        & (a[:, None, 2] > b[None, :, 0])
        & (a[:, None, 1] < b[None, :, 3])
        & (a[:, None, 3] > b[None, :, 1])
    )


def _outside(boxes: Boxes, bounds: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    left, top, right, bottom = bounds
    return np.asarray((boxes[:, 0] < left) | (boxes[:, 1] < top) | (boxes[:, 2] > right) | (boxes[:, 3] > bottom))


def _samples(lines: Boxes) -> NDArray[np.float64]:
    """Points along each line, close enough for boxes of a name's height: lines by points by (x, y)."""
    share = np.linspace(0.15, 0.95, 12)[None, :, None]
    return np.asarray(lines[:, None, :2] + share * (lines[:, None, 2:] - lines[:, None, :2]))


def _inside(points: NDArray[np.float64], boxes: Boxes) -> NDArray[np.bool_]:
    """Which lines have a point in which box: lines by boxes."""
    x, y = points[:, :, None, 0], points[:, :, None, 1]
    inside = (x > boxes[:, 0]) & (x < boxes[:, 2]) & (y > boxes[:, 1]) & (y < boxes[:, 3])
    return np.asarray(inside.any(axis=1))


def _crossed(leaders: Boxes, boxes: Boxes) -> NDArray[np.bool_]:
    """Which boxes an earlier leader runs through."""
    return np.asarray(_inside(_samples(leaders), boxes).any(axis=0))


def _crossed_by(lines: Boxes, boxes: Boxes) -> NDArray[np.bool_]:
    """Which lines would run through a box."""
    return np.asarray(_inside(_samples(lines), boxes).any(axis=1))


def _leader_items(leaders: Boxes) -> list[Item]:
    pieces = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in leaders)
    return [Segments(pieces, "leader")] if pieces else []

"""Places of SVG in the fewest letters: to 0.1 px, and in paths each relative to the one before it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from profiling.reporting.chart import Point

Ends = tuple[float, float, float, float]


def number(value: float) -> str:
    """A place to 0.1 px. Raises ValueError for what is not finite."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a place in a chart")
    text = f"{value:.1f}"
    text = text[:-2] if text.endswith(".0") else text
    return "0" if text == "-0" else text


def path(points: Sequence[Point]) -> str:
    """A line through points."""
    if not points:
        return ""
    return f"M{number(points[0][0])} {number(points[0][1])}{steps(points)}"


def pieces(ends: Iterable[Ends]) -> str:
    """Separate straight lines, each as x1, y1, x2, y2."""
    made: list[str] = []
    x = y = 0
    for x1, y1, x2, y2 in ends:
        start, end = (_tenths(x1), _tenths(y1)), (_tenths(x2), _tenths(y2))
        made.append(_pair("m", start[0] - x, start[1] - y) if made else f"M{number(x1)} {number(y1)}")
        made.append(_step(end[0] - start[0], end[1] - start[1]) or "h0")
        x, y = end
    return "".join(made)


def steps(points: Sequence[Point]) -> str:
    """From the first of the points to the others. Rounding does not add up: each is rounded by itself."""
    if not points:
        return ""
    made: list[str] = []
    x, y = _tenths(points[0][0]), _tenths(points[0][1])
    for px, py in points[1:]:
        to_x, to_y = _tenths(px), _tenths(py)
        made.append(_step(to_x - x, to_y - y))
        x, y = to_x, to_y
    return "".join(made)


def _tenths(value: float) -> int:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a place in a chart")
    return round(float(f"{value:.1f}") * 10)


def _step(x: int, y: int) -> str:
    if y == 0:
        return f"h{_short(x)}" if x else ""
    return _pair("l", x, y) if x else f"v{_short(y)}"


def _pair(command: str, x: int, y: int) -> str:
    second = _short(y)
    return f"{command}{_short(x)}{second}" if second.startswith("-") else f"{command}{_short(x)} {second}"


def _short(tenths: int) -> str:
    """Tenths as a number without a needless zero: -.5, 12."""
    whole, rest = divmod(abs(tenths), 10)
    text = f"{whole or ''}.{rest}" if rest else str(whole)
    return f"-{text}" if tenths < 0 else text

"""Draws a chart with matplotlib as a file: SVG, PNG or PDF, the same bytes each time, in the light scheme.

One unit of the chart is one point; PNG has two pixels a unit. No date, no name of software and no random
id is written; text of SVG stays text.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, singledispatch
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, TypeAlias

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Polygon as PolygonPatch
from matplotlib.patches import Rectangle
from matplotlib.path import Path as Outline
from matplotlib.patheffects import Stroke
from matplotlib.transforms import Affine2D, Transform

from profiling.reporting.chart import (
    BOLD_ROLES,
    Area,
    Bar,
    Chart,
    Item,
    Line,
    Mark,
    Segments,
    Spots,
    Text,
    diamond,
    flat,
    triangle,
)
from profiling.reporting.roles import LIGHT, ROLES, Look
from profiling.reporting.svg import MARGIN, caption

Format: TypeAlias = Literal["svg", "png", "pdf"]
FORMATS: tuple[Format, ...] = ("svg", "png", "pdf")
FACES = ("Inter", "Segoe UI", "Noto Sans", "Helvetica", "Liberation Sans", "Arial")
FALLBACK = "DejaVu Sans"
PIXELS_A_UNIT = 2
_EMPTY_METADATA: dict[Format, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
}


def render_figure(chart: Chart, path: Path, format: Format) -> None:
    """Write the chart, with its title and finding above it, to `path`."""
    path.write_bytes(figure_bytes(chart, format))


def render_figures(chart: Chart, paths: Mapping[Format, Path]) -> None:
    """Write the chart in several formats; what they have in common is built once."""
    for format, content in _rendered(chart, tuple(paths)).items():
        paths[format].write_bytes(content)


def figure_bytes(chart: Chart, format: Format) -> bytes:
    """The file that `render_figure` writes."""
    return _rendered(chart, (format,))[format]


def _rendered(chart: Chart, formats: tuple[Format, ...]) -> dict[Format, bytes]:
    settings: Any = {
        "svg.hashsalt": "profiling",
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
        "font.family": list(_faces()),
        "path.simplify": False,
        "pdf.compression": 6,
    }
    made: dict[Format, bytes] = {}
    built: dict[bool, Figure] = {}
    with mpl.rc_context(settings):
        for format in formats:
            halos = format != "svg"
            if halos not in built:
                built[halos] = _figure(chart, halos)
            target = io.BytesIO()
            dpi = 72 * (PIXELS_A_UNIT if format == "png" else 1)
            built[halos].savefig(target, format=format, dpi=dpi, metadata=_EMPTY_METADATA[format])
            made[format] = target.getvalue()
    return made


@dataclass(frozen=True)
class _Canvas:
    """Where texts go and whether they have a halo (a path in a file whose text shall stay text)."""

    axes: Axes
    transform: Transform
    halos: bool


def _figure(chart: Chart, halos: bool) -> Figure:
    """A figure of the chart's size whose axes are the chart's pixels."""
    words, top = caption(chart)
    width, height = chart.width + 2 * MARGIN, chart.height + top + 2 * MARGIN
    figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor=LIGHT["paper"])
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(-MARGIN, chart.width + MARGIN)
    axes.set_ylim(chart.height + MARGIN, -MARGIN - top)
    canvas, above = _Canvas(axes, axes.transData, halos), _Canvas(axes, _lifted(axes, top), halos)
    order = 1.0
    for item in words:
        _draw(item, above, order)
    for (_, role), run in groupby(flat(chart.items), key=lambda item: (type(item), _role(item))):
        order += 1
        _draw_run(role, list(run), canvas, order)
    return figure


def _lifted(axes: Axes, top: float) -> Transform:
    """Pixels above the chart, for its caption."""
    return Affine2D().translate(0, -top) + axes.transData


def _role(item: Item) -> str:
    return getattr(item, "role", "")


def _draw_run(role: str, run: list[Item], canvas: _Canvas, order: float) -> None:
    """Draw neighbours of one kind and role; marks as one collection, the rest one by one."""
    if all(isinstance(item, Mark) for item in run):
        marks = [item for item in run if isinstance(item, Mark)]
        outlines = [_outline(mark) for mark in marks]
        canvas.axes.add_collection(PathCollection(outlines, zorder=order, **_style(ROLES[role])))
        return
    for item in run:
        _draw(item, canvas, order)


@singledispatch
def _draw(item: object, canvas: _Canvas, order: float) -> None:
    raise TypeError(f"nothing draws a {type(item).__name__}")


@_draw.register
def _(item: Area, canvas: _Canvas, order: float) -> None:
    canvas.axes.add_patch(PolygonPatch(item.points, closed=True, zorder=order, **_style(ROLES[item.role])))


@_draw.register
def _(item: Line, canvas: _Canvas, order: float) -> None:
    _lines(canvas.axes, [item.points], item.role, order)


@_draw.register
def _(item: Segments, canvas: _Canvas, order: float) -> None:
    _lines(canvas.axes, [((a, b), (c, d)) for a, b, c, d in item.pieces], item.role, order)


@_draw.register
def _(item: Bar, canvas: _Canvas, order: float) -> None:
    canvas.axes.add_patch(
        Rectangle((item.x, item.y), item.width, item.height, zorder=order, **_style(ROLES[item.role]))
    )


@_draw.register
def _(item: Spots, canvas: _Canvas, order: float) -> None:
    marks: list[Item] = [Mark(x, y, item.shape, item.role, item.size) for x, y in item.places]
    _draw_run(item.role, marks, canvas, order)


@_draw.register
def _(item: Text, canvas: _Canvas, order: float) -> None:
    side = {"start": "left", "middle": "center", "end": "right"}[item.anchor]
    style: dict[str, Any] = {
        "ha": side,
        "va": "baseline",
        "transform": canvas.transform,
        "fontsize": item.size,
        "fontweight": 700 if item.role in BOLD_ROLES else 400,
        "color": LIGHT[ROLES[item.role].fill],
        "zorder": order,
    }
    words = item.text.replace("\u202f", "\u00a0")
    if item.halo and canvas.halos:
        edge = [Stroke(linewidth=3, foreground=LIGHT["paper"])]
        canvas.axes.text(item.x, item.y, words, path_effects=edge, parse_math=False, **style)
    canvas.axes.text(item.x, item.y, words, parse_math=False, **style)


def _lines(axes: Axes, lines: Sequence[Sequence[tuple[float, float]]], role: str, order: float) -> None:
    look = ROLES[role]
    axes.add_collection(
        LineCollection(
            lines,
            colors=[to_rgba(LIGHT[look.stroke], look.stroke_opacity)],
            linewidths=look.width,
            linestyles=(0, look.dashes) if look.dashes else "solid",
            capstyle="butt",
            zorder=order,
        ),
        autolim=False,
    )


def _style(look: Look) -> dict[str, Any]:
    """Patch properties; a rim of paper lies behind the fill in SVG, here over it, hence half its width."""
    return {
        "facecolor": to_rgba(LIGHT[look.fill], look.fill_opacity) if look.fill else "none",
        "edgecolor": to_rgba(LIGHT[look.stroke], look.stroke_opacity) if look.stroke else "none",
        "linewidth": look.width * (0.5 if look.edge else 1.0) if look.stroke else 0.0,
    }


def _outline(mark: Mark) -> Outline:
    if mark.shape == "dot":
        return Outline.circle((mark.x, mark.y), mark.size)
    if mark.shape == "dash":
        return Outline([(mark.x - mark.size, mark.y), (mark.x + mark.size, mark.y)])
    corners = (
        diamond(mark.x, mark.y, mark.size)
        if mark.shape == "diamond"
        else triangle(mark.x, mark.y, mark.size, mark.shape == "up")
    )
    return Outline([*corners, corners[0]], closed=True)


@cache
def _faces() -> tuple[str, ...]:
    """The faces of the look that this machine has, and matplotlib's own, which is always there."""
    return (*_known(FACES), FALLBACK)


def _known(faces: tuple[str, ...]) -> Iterator[str]:
    there = set(font_manager.get_font_names())
    yield from (face for face in faces if face in there)

"""Draws a chart as SVG: roles as classes, never a colour; text stays text; places rounded to 0.1 px."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import singledispatch
from itertools import groupby

from markupsafe import Markup, escape

from profiling.reporting.chart import (
    Area,
    Bar,
    Chart,
    Group,
    Item,
    Line,
    Mark,
    Point,
    Segments,
    Spots,
    Text,
    diamond,
    triangle,
    wrapped,
)
from profiling.reporting.quieter import quieter
from profiling.reporting.svg_paths import number, path, pieces, steps

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SAFE_HREF = re.compile(r"(?:https?://|[^:]*(?:[/?#]|$))", re.IGNORECASE)
_CAPTION = 22.0
MARGIN = 24.0


def render_svg(chart: Chart, prefix: str = "", *, links: bool = True) -> Markup:
    """The chart for a page. `prefix` becomes its id (none when empty); `links=False` links nothing."""
    classes = f"chart {chart.form}".strip()
    width, height = number(chart.width), number(chart.height)
    identity = f' id="{_text(prefix)}"' if prefix else ""
    # Whatever is inside role="img" is hidden from assistive technology: a chart with links is a group that holds them.
    role = "group" if links and has_links(chart.items) else "img"
    head = (
        f'<svg class="{classes}"{identity} viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="{role}" aria-label="{_text(chart.alternative)}">'
    )
    return Markup(head + "".join(_drawn(chart.items, links)) + "</svg>")


def render_forms(charts: Iterable[Chart], prefix: str) -> Markup:
    """Several forms of one chart after each other, for a style sheet to switch; ids are prefix-form.

    Where marks are many not all have words and links (`quieter`).
    """
    return Markup("").join(render_svg(quieter(chart), f"{prefix}-{chart.form or 'chart'}") for chart in charts)


def standalone_svg(chart: Chart, style: str) -> str:
    """The chart as a file of its own: title and finding above it, `style` (the text of chart.css)
    embedded.
    """
    lines, top = caption(chart)
    width, height = number(chart.width + 2 * MARGIN), number(chart.height + top + 2 * MARGIN)
    body = "".join(_drawn(chart.items, links=False))
    words = "".join(_drawn(lines, links=False))
    # The form switch of a page must not hide a file of its own: no form class here.
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{_text(chart.alternative)}">'
        f"<title>{_text(chart.title)}</title><style>{_text(style)}</style>"
        f'<rect class="paper" width="{width}" height="{height}"/>'
        f'<g transform="translate({number(MARGIN)} {number(MARGIN)})">{words}'
        f'<g transform="translate(0 {number(top)})">{body}</g></g></svg>\n'
    )


def caption(chart: Chart) -> tuple[tuple[Item, ...], float]:
    """Title and finding as texts for a file of its own, and the height they take."""
    finding = wrapped(chart.finding, chart.width) if chart.finding else ()
    title = wrapped(chart.title, chart.width, 16, bold=True) if chart.title else ()
    items = [Text(0, 18 + _CAPTION * i, line, "strong", size=16) for i, line in enumerate(title)]
    base = _CAPTION * len(title)
    items += [Text(0, base + 14 + 16 * i, line, "note") for i, line in enumerate(finding)]
    return tuple(items), base + 16 * len(finding) + (14 if items else 0)


def has_links(items: tuple[Item, ...]) -> bool:
    """Whether a mark or a group among these items leads somewhere."""
    return any(
        bool(isinstance(item, (Mark, Group)) and safe_href(item.href))
        or (isinstance(item, Group) and has_links(item.items))
        for item in items
    )


def safe_href(href: str) -> str:
    """The address when it is relative or http(s), else nothing: no script may hide in a link."""
    return href if href and _SAFE_HREF.match(href.strip()) else ""


def _text(words: str) -> str:
    return str(escape(_FORBIDDEN.sub("\ufffd", words)))


def _drawn(items: tuple[Item, ...], links: bool) -> Iterator[str]:
    """Items in order; neighbours of one kind and look share one <g> with what they have in common."""
    for (_, shared), run in groupby(items, key=lambda item: (type(item), _shared(item))):
        members = list(run)
        if len(members) == 1 or not shared:
            yield from (_element(item, shared, links) for item in members)
        else:
            yield f"<g{shared}>"
            yield from (_element(item, "", links) for item in members)
            yield "</g>"


def _shared(item: Item) -> str:
    """Attributes that neighbours may share."""
    if isinstance(item, Group):
        return ""
    if not isinstance(item, Text):
        return f' class="{item.role}"'
    classes = f"{item.role} halo" if item.halo else item.role
    anchor = f' text-anchor="{item.anchor}"' if item.anchor != "start" else ""
    return f' class="{classes}"{anchor}'


@singledispatch
def _element(item: object, attributes: str, links: bool) -> str:
    raise TypeError(f"nothing draws a {type(item).__name__}")


@_element.register
def _(item: Area, attributes: str, links: bool) -> str:
    return f'<path{attributes} d="{path(item.points)}Z"/>'


@_element.register
def _(item: Line, attributes: str, links: bool) -> str:
    return f'<path{attributes} d="{path(item.points)}"/>'


@_element.register
def _(item: Segments, attributes: str, links: bool) -> str:
    return f'<path{attributes} d="{pieces(item.pieces)}"/>'


@_element.register
def _(item: Bar, attributes: str, links: bool) -> str:
    x, y, width, height = map(number, (item.x, item.y, item.width, item.height))
    place = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    return _titled("rect", f"{attributes} {place}", item.title)


@_element.register
def _(item: Mark, attributes: str, links: bool) -> str:
    href = safe_href(item.href) if links else ""
    if not href:
        return _titled(*_shape(item), item.title, attributes)
    # The title of the link, not of the shape in it: it names the link.
    title = f"<title>{_text(item.title)}</title>" if item.title else ""
    return f'<a href="{_text(href)}">{title}{_titled(*_shape(item), "", attributes)}</a>'


@_element.register
def _(item: Spots, attributes: str, links: bool) -> str:
    return f'<path{attributes} d="{"".join(_spots(item))}"/>'


@_element.register
def _(item: Text, attributes: str, links: bool) -> str:
    size = f' font-size="{number(item.size)}"' if item.size != 12 else ""
    place = f'x="{number(item.x)}" y="{number(item.y)}"'
    return f"<text{attributes} {place}{size}>{_text(item.text)}</text>"


@_element.register
def _(item: Group, attributes: str, links: bool) -> str:
    href = safe_href(item.href) if links else ""
    title = f"<title>{_text(item.title)}</title>" if item.title else ""
    body = title + "".join(_drawn(item.items, links))
    return f'<a href="{_text(href)}">{body}</a>' if href else f'<g class="row">{body}</g>'


def _shape(mark: Mark) -> tuple[str, str]:
    x, y, size = mark.x, mark.y, mark.size
    if mark.shape == "dot":
        return "circle", f' cx="{number(x)}" cy="{number(y)}" r="{number(size)}"'
    if mark.shape == "dash":
        return "path", f' d="{pieces([(x - size, y, x + size, y)])}"'
    return "path", f' d="{path(_corners(mark.shape, x, y, size))}Z"'


def _spots(item: Spots) -> Iterator[str]:
    """Each shape from its first corner, the rest of it relative to that and the same for all."""
    if item.shape == "dot":
        radius, width = number(item.size), number(2 * item.size)
        x, y, rest = -item.size, 0.0, f"a{radius} {radius} 0 1 0 {width} 0a{radius} {radius} 0 1 0 -{width} 0z"
    else:
        corners = _corners(item.shape, 0.0, 0.0, item.size)
        (x, y), rest = corners[0], steps(corners) + ("z" if item.shape != "dash" else "")
    return (f"M{number(place[0] + x)} {number(place[1] + y)}{rest}" for place in item.places)


def _corners(shape: str, x: float, y: float, size: float) -> tuple[Point, ...]:
    if shape == "dash":
        return (x - size, y), (x + size, y)
    return diamond(x, y, size) if shape == "diamond" else triangle(x, y, size, shape == "up")


def _titled(tag: str, places: str, title: str, attributes: str = "") -> str:
    if not title:
        return f"<{tag}{attributes}{places}/>"
    return f"<{tag}{attributes}{places}><title>{_text(title)}</title></{tag}>"

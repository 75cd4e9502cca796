"""A panel of a page: a title that states the finding, a drawing, a sentence, its figures as a table and a download."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from markupsafe import Markup

from profiling.reporting.chart import FORMS, Chart
from profiling.reporting.pages.shared import MeasureView, Site
from profiling.reporting.svg import render_forms

FOLDED_FROM = 8
FORMATS = {"csv": "CSV", "parquet": "Parquet"}
Cell: TypeAlias = str | Mapping[str, str]
Links: TypeAlias = tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Head:
    """Head of a column: its words, whether figures stand in it, and the definition they lead to."""

    text: str
    number: bool = True
    key: str = ""


@dataclass(frozen=True)
class PanelTable:
    """Figures of a panel. A cell is its words, or {"status": category} for a result; the first of a row heads it."""

    caption: str
    head: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def folded(self) -> bool:
        """Whether it opens on demand only, because it is long."""
        return len(self.rows) >= FOLDED_FROM


@dataclass(frozen=True)
class Panel:
    """What the macro `panel` of the templates prints.

    `beside`: what stands beside the drawing and not below it. `defined`: name and key of definitions it leads to.
    """

    title: str
    sub: str
    drawing: Markup | str = ""
    sentences: tuple[str, ...] = ()
    table: PanelTable | None = None
    links: Links = ()
    notes: tuple[str, ...] = ()
    defined: tuple[tuple[str, str], ...] = ()
    beside: Literal["", "words", "table", "both"] = ""


def status(category: str) -> dict[str, str]:
    """A cell that shows a result by mark and word."""
    return {"status": category}


def drawn(name: str, make: Callable[[Any], Chart]) -> Markup:
    """A chart in all its forms."""
    return render_forms([make(form) for form in FORMS], name)


def links_to(site: Site, measure: MeasureView, kind: str, root: str) -> Links:
    """Addresses of a panel's figures by format; none where no other file is linked, as in the bundle of a provider."""
    if not site.addresses:
        return ()
    return tuple(
        {"href": f"{root}downloads/{measure.name}_{kind}.{form}", "text": text} for form, text in FORMATS.items()
    )

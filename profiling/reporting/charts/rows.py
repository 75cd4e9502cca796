"""Rows of estimates: names at the left, intervals on a ratio axis, the same in figures at the right."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from profiling.reporting import numbers
from profiling.reporting.chart import (
    Bar,
    Chart,
    Form,
    Group,
    Item,
    Scale,
    Segments,
    Text,
    lines_of,
    shortened,
    text_width,
)
from profiling.reporting.charts import parts
from profiling.reporting.sentences import band, say

ROW, TALL_ROW = 24.0, 34.0
LINE = 13.0
TOP = 26.0
NAMES_SHARE = 0.36
# Stands beside another chart on a screen and alone on a phone, on every provider's page: one form for both.
NARROW_ENOUGH = 420.0


@dataclass(frozen=True)
class Row:
    """One row: numbers (nan where there is nothing to draw) and words."""

    name: str
    estimate: float
    lower: float
    upper: float
    words: str
    category: str = "as_expected"
    title: str = ""
    href: str = ""
    own: bool = False
    strong: bool = False

    @property
    def drawn(self) -> bool:
        """Whether there is an estimate to draw."""
        return self.estimate == self.estimate


def interval_rows(
    kind: str,
    rows: Sequence[Row],
    *,
    form: Form | Literal[""],
    title: str,
    finding: str,
    width: float,
    axis_name: str = "",
    words_name: str = "",
    inner: tuple[float, float] = (0.8, 1.25),
    outer: tuple[float, float] = (0.2, 5.0),
    difference: bool = False,
) -> Chart:
    """Chart of rows. A row without an estimate shows its words in the room of the interval.

    Ratios stand on a log axis around 1 (its ends between `inner` and `outer`), differences on a linear one
    around 0.
    """
    ends = [v for row in rows if row.drawn for v in (row.lower, row.upper)]
    names, words = _widths(rows, width, words_name)
    place = names + 14, max(width - words - 14, names + 60)
    if difference:
        scale, reference = Scale(*_around_zero(ends), *place), 0.0
        ticks = parts.linear_ticks(scale, max(int((place[1] - place[0]) / 60), 2))
    else:
        scale, reference = Scale(*parts.ratio_domain(ends, inner, outer), *place, "log"), 1.0
        ticks = parts.ratio_ticks(scale, 34 if form == "wide" else 25)
    top = TOP + (18 if axis_name else 0)
    told = [lines_of(row.name, names - 4, 2, bold=_bold(row)) for row in rows]
    pitch = TALL_ROW if any(len(lines) > 1 for lines in told) else ROW
    bottom = top + pitch * len(rows)
    own = [index for index, row in enumerate(rows) if row.own]
    items: list[Item] = [Bar(0, top + pitch * index, width, pitch, "highlight") for index in own]
    items += [Text(0, 13, axis_name, "name")] if axis_name else []
    items += [Text(width - 6, top - 10, words_name, "note", "end")] if words_name else []
    items += parts.grid_x(scale, ticks, top - 2, bottom, (top - 10,), reference=reference)
    places = [top + pitch * (index + 0.5) for index in range(len(rows))]
    placed = list(zip(rows, places, strict=True))
    # Things of one look stand together: they share their attributes.
    items += [text for (row, y), lines in zip(placed, told, strict=True) for text in _name(row, lines, y, names)]
    items += [_figures(row, scale, y, width) for row, y in placed]
    drawn = [(row, y) for row, y in placed if row.drawn]
    linked, plain = ([(row, y) for row, y in drawn if bool(row.href) is wanted] for wanted in (True, False))
    items += [line for row, y in plain for line in _line(row, scale, y)[:1]]
    items += [mark for row, y in plain for mark in _line(row, scale, y)[1:]]
    items += [Group(_line(row, scale, y), row.title or f"{row.name}: {row.words}", row.href) for row, y in linked]
    return Chart(kind, title, finding, width, bottom + 6, tuple(items), form, {"x": scale})


def _around_zero(ends: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis of differences that hold all ends of intervals and zero, with some room."""
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _widths(rows: Sequence[Row], width: float, words_name: str) -> tuple[float, float]:
    """Room of the names and of the figures."""
    most = width * NAMES_SHARE
    names = max((text_width(r.name, bold=r.own or r.strong) for r in rows), default=0.0) + 10
    figures = [text_width(r.words) for r in rows if r.drawn]
    return min(names, most), max([*figures, text_width(words_name), 40.0]) + 8


def _bold(row: Row) -> bool:
    return row.own or row.strong


def _name(row: Row, lines: Sequence[str], y: float, names: float) -> list[Text]:
    """A name in one line or two, about the middle of its row."""
    first = y + 4 - LINE * (len(lines) - 1) / 2
    role = "strong" if _bold(row) else "label"
    return [Text(names, first + LINE * index, line, role, "end") for index, line in enumerate(lines)]


def _figures(row: Row, scale: Scale, y: float, width: float) -> Text:
    if not row.drawn:
        return _instead(row.words, scale, y, width)
    return Text(width - 6, y + 4, row.words, "note", "end")


def _line(row: Row, scale: Scale, y: float) -> tuple[Item, ...]:
    """The interval and the mark of a row."""
    low, middle, high = (scale.at(value) for value in (row.lower, row.estimate, row.upper))
    role = parts.whisker_role(row.category) if row.category in parts.FLAGGED else "whisker-clear"
    return Segments(((low, y, high, y),), role), parts.status_mark(middle, y, row.category, 4.7, "", dot=3.4)


def _instead(words: str, scale: Scale, y: float, width: float) -> Text:
    """Words in place of an interval: right of the line at 1 when they fit there."""
    beside = scale.at(1.0) + 6
    start = beside if beside + text_width(words) <= width else scale.start + 2
    return Text(start, y + 4, shortened(words, width - start), "note", halo=True)


def peers(
    rows: Sequence[Mapping[Hashable, Any]],
    me: str,
    *,
    title: str = "",
    finding: str = "",
    status: Mapping[str, str] = parts.STATUS_WORDS,
) -> Chart:
    """The provider `me` among others, highest ratio first.

    `rows`: records of `parts.estimated`, few of one measure and level. Raises KeyError when `me` is not among them.
    """
    if not any(r["provider"] == me for r in rows):
        raise KeyError(f"provider {me!r} is not among the rows shown")
    ordered = sorted(rows, key=lambda r: (-r["ratio"], r["name"]))
    drawn = [_provider_row(r, me, status) for r in ordered]
    return interval_rows(
        "peers", drawn, form="", title=title or say("title_peers"), finding=finding, width=NARROW_ENOUGH
    )


def _provider_row(r: Mapping[Hashable, Any], me: str, status: Mapping[str, str]) -> Row:
    ratio, lower, upper = (float(r[c]) for c in ("ratio", "ratio_lower", "ratio_upper"))
    words, name, category = parts.ratio_words(ratio, lower, upper), str(r["name"]), str(r["category"])
    title = f"{name}: {words}. {status[category]}"
    own = r["provider"] == me
    return Row(name, ratio, lower, upper, words, category, title, "" if own else str(r["href"]), own)


def physicians(
    rows: Sequence[Mapping[Hashable, Any]],
    *,
    title: str = "",
    finding: str = "",
    words_name: str = "",
    hidden_words: str = "",
    status: Mapping[str, str] = parts.STATUS_WORDS,
) -> Chart:
    """Interval rows of a hospital's physicians, in their order; words in place of hidden numbers.

    `rows`: masked records with provider_name, n, ratio, ratio_lower, ratio_upper, category, shown. `{band}` in
    `hidden_words` is the row's case_band.
    """
    hidden_words = hidden_words or say("cases_hidden", band="{band}")
    return interval_rows(
        "physicians",
        [_physician_row(r, status, hidden_words) for r in rows],
        form="",
        title=title or say("title_inner"),
        finding=finding,
        width=NARROW_ENOUGH,
        words_name=words_name or say("patients_and_ratio"),
        inner=(0.5, 2.0),
    )


def _physician_row(r: Mapping[Hashable, Any], status: Mapping[str, str], hidden_words: str) -> Row:
    name = r.get("provider_name")
    name = str(name if isinstance(name, str) and name else r["provider"])
    href = str(r["href"]) if isinstance(r.get("href"), str) else ""
    ratio, lower, upper = (float(r[c]) for c in ("ratio", "ratio_lower", "ratio_upper"))
    if not r["shown"] or not all(numbers.known(value) for value in (ratio, lower, upper)):
        return Row(name, np.nan, np.nan, np.nan, hidden_words.format(band=band(str(r.get("case_band", "")))))
    category = str(r["category"]) if r["category"] in parts.SHAPES else "as_expected"
    words = f"{numbers.integer(float(r['n']))} · {parts.ratio_words(ratio, lower, upper)}"
    title = f"{name}: {parts.ratio_words(ratio, lower, upper)}. {status[category]}"
    return Row(name, ratio, lower, upper, words, category, title, href, strong=category in parts.BEYOND)


def forest(
    frame: pd.DataFrame,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    exponentiate: bool = True,
    difference: bool = False,
    axis_name: str = "",
    words_name: str = "",
) -> Chart:
    """Effects of the case mix with intervals: odds ratios or ratios of means on a log axis.

    `frame`: term (or label), estimate, lower, upper; on the scale of the link when `exponentiate`. The
    intercept is left out. `difference`: effects that add (Gaussian), on a linear axis and never exponentiated.
    """
    names = frame["label"] if "label" in frame else frame["term"]
    kept = (frame["term"] != "Intercept") if "term" in frame else pd.Series(True, frame.index)
    values = frame[["estimate", "lower", "upper"]].astype(float)
    values = values.transform(np.exp) if exponentiate and not difference else values
    table = values.assign(name=names.astype(str))[kept].to_dict("records")
    rows = [_forest_row(r) for r in table]
    return interval_rows(
        "forest",
        rows,
        form=form,
        title=title or say("title_forest"),
        finding=finding,
        width=720.0 if form == "wide" else 350.0,
        axis_name=axis_name or say("axis_effect", effect=say("effect_binomial")),
        words_name=words_name,
        difference=difference,
        outer=(0.02, 50.0),
    )


def _forest_row(r: Mapping[Hashable, Any]) -> Row:
    estimate, lower, upper = (float(r[c]) for c in ("estimate", "lower", "upper"))
    return Row(str(r["name"]), estimate, lower, upper, parts.ratio_words(estimate, lower, upper))

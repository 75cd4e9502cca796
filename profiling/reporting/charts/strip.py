"""One provider on every measure: fine strokes are all providers, the mark and bar are this one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from profiling.reporting.chart import Bar, Chart, Form, Group, Item, Scale, Segments, Text, shortened
from profiling.reporting.charts import parts

HIDDEN_WORDS = "small counts: not shown"


def strip(
    frame: pd.DataFrame,
    me: str,
    *,
    form: Form = "wide",
    title: str = "This hospital on every measure",
    finding: str = "",
    titles: Mapping[str, str] | None = None,
    status: Mapping[str, str] = parts.STATUS_WORDS,
    hidden_words: str = HIDDEN_WORDS,
    drawn: pd.DataFrame | None = None,
) -> Chart:
    """A strip a measure, in the order of the frame, all on one ratio axis.

    `frame`: masked provider rows of one level over all measures, with a column `measure`; `titles` gives
    the words of a measure. A measure without the provider has no strip; one where it is hidden has the
    words only. `drawn`: what `parts.estimated` makes of the frame, where it is there already.
    """
    table = parts.estimated(frame) if drawn is None else drawn
    everyone = table.assign(own=table["provider"] == me)
    mine = frame[frame["provider"] == me]
    order = list(dict.fromkeys(mine["measure"]))
    wide = form == "wide"
    width, left, right = (1080.0, 208.0, 836.0) if wide else (350.0, 0.0, 350.0)
    pitch, first = (52.0, 26.0) if wide else (78.0, 44.0)
    low, high = parts.ratio_domain(_extent(everyone), (0.7, 1.4), (0.3, 3.2))
    x = Scale(low, high, left + 12, right - 12, "log")
    bottom = first + pitch * (len(order) - 1) + 16 if order else first
    ticks = parts.ratio_ticks(x, 44)
    tracks: list[Item] = [Bar(left, first + pitch * i - 11, right - left, 22, "track") for i in range(len(order))]
    each = [(first + pitch * i - 11, first + pitch * i + 11) for i in range(len(order))]
    spans = [(first - 15, bottom)] if wide else each
    items = [*tracks, *_axis(x, ticks, spans, bottom)]
    for index, measure in enumerate(order):
        y = first + pitch * index
        rows = everyone[everyone["measure"] == measure]
        category = str(mine[mine["measure"] == measure]["category"].iloc[0])
        word = status.get(category, "")
        items += _words(y, (titles or {}).get(measure, measure), wide, left)
        items += _others(x, rows, y)
        items += _own(x, rows[rows["own"]], y, category, word, hidden_words, wide, right)
    return Chart("strip", title, finding, width, bottom + 24, tuple(items), form, {"x": x})


def _extent(rows: pd.DataFrame) -> list[float]:
    """What the axis must hold: the bulk of all ratios and the whole interval of this provider."""
    own = rows[rows["own"]]
    bulk = np.nanquantile(rows["ratio"], [0.005, 0.995]).tolist() if len(rows) else []
    return [*bulk, *own["ratio_lower"], *own["ratio_upper"]]


def _axis(x: Scale, ticks: tuple[float, ...], spans: list[tuple[float, float]], bottom: float) -> list[Item]:
    """The line at 1 along each of the spans, and the ticks' words below all."""
    words: list[Item] = [
        Text(x.at(t), bottom + 18, parts.tick_text(t), "label" if t == 1 else "tick", "middle") for t in ticks
    ]
    pieces = tuple((x.at(1.0), top, x.at(1.0), end) for top, end in spans)
    return [Segments(pieces, "reference"), *words]


def _words(y: float, words: str, wide: bool, left: float) -> list[Item]:
    if wide:
        return [Text(left - 16, y + 4, shortened(words, left - 20, bold=True), "strong", "end")]
    return [Text(0, y - 31, shortened(words, 350, bold=True), "strong")]


def _others(x: Scale, rows: pd.DataFrame, y: float) -> list[Item]:
    """A stroke a provider; strokes on the same half pixel are one."""
    places = np.unique(np.round(x(rows["ratio"]) * 2) / 2).tolist()
    return [Segments(tuple((p, y - 6, p, y + 6) for p in places), "fine")] if places else []


def _own(
    x: Scale,
    own: pd.DataFrame,
    y: float,
    category: str,
    word: str,
    hidden_words: str,
    wide: bool,
    right: float,
) -> list[Item]:
    if not len(own):
        return _figures(y, word, hidden_words, wide, right)
    row = own.iloc[0]
    low, middle, high = x(np.array([row["ratio_lower"], row["ratio"], row["ratio_upper"]])).tolist()
    figures = parts.ratio_words(row["ratio"], row["ratio_lower"], row["ratio_upper"])
    flagged = category in parts.FLAGGED
    line = Segments(((low, y, high, y),), parts.whisker_role(category) if flagged else "whisker-own")
    mark = parts.status_mark(middle, y, category, 6.0, "", dot=5.0)
    if category == "as_expected":
        mark = parts.own_mark(mark)
    return [Group((line, mark), f"{figures}. {word}"), *_figures(y, word, figures, wide, right)]


def _figures(y: float, word: str, figures: str, wide: bool, right: float) -> list[Item]:
    if wide:
        return [Text(right + 18, y - 3, word, "strong"), Text(right + 18, y + 13, figures, "note")]
    return [Text(0, y - 15, word, "label"), Text(350, y - 15, figures, "note", "end")]

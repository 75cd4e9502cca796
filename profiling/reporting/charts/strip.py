"""One provider on every measure: fine strokes are all providers, the mark and bar are this one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiling.reporting import numbers
from profiling.reporting.chart import Bar, Chart, Form, Group, Item, Scale, Segments, Text, lines_of, shortened
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say


@dataclass(frozen=True)
class Track:
    """One measure: its words, the shrunken ratios of all providers, the masked row and the status word of this one."""

    title: str
    ratios: NDArray[np.float64]
    row: Mapping[Hashable, Any]
    word: str = ""

    @property
    def shown(self) -> bool:
        """Whether this provider's estimate may be drawn."""
        ends = (self.row["ratio"], self.row["ratio_lower"], self.row["ratio_upper"])
        return bool(self.row["shown"]) and all(numbers.known(value) for value in ends)


def strip(
    tracks: Sequence[Track],
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    status: Mapping[str, str] = parts.STATUS_WORDS,
    hidden_words: str = "",
) -> Chart:
    """A strip a measure on which the provider is, all on one ratio axis; words only where it is hidden."""
    title, hidden_words = title or say("title_strip"), hidden_words or say("small_hidden")
    wide = form == "wide"
    width, left, right = (1080.0, 208.0, 836.0) if wide else (350.0, 0.0, 350.0)
    pitch, first = (52.0, 26.0) if wide else (78.0, 44.0)
    low, high = parts.ratio_domain(_extent(tracks), (0.7, 1.4), (0.3, 3.2))
    x = Scale(low, high, left + 12, right - 12, "log")
    bottom = first + pitch * (len(tracks) - 1) + 16 if tracks else first
    ticks = parts.ratio_ticks(x, 44)
    ground: list[Item] = [Bar(left, first + pitch * i - 11, right - left, 22, "track") for i in range(len(tracks))]
    each = [(first + pitch * i - 11, first + pitch * i + 11) for i in range(len(tracks))]
    spans = [(first - 15, bottom)] if wide else each
    items = [*ground, *_axis(x, ticks, spans, bottom)]
    for index, track in enumerate(tracks):
        y = first + pitch * index
        items += _words(y, track.title, wide, left)
        items += _others(x, track, y)
        word = track.word or status.get(str(track.row["category"]), "")
        items += _own(x, track, y, word, hidden_words, wide, right)
    return Chart("strip", title, finding, width, bottom + 24, tuple(items), form, {"x": x})


def _extent(tracks: Sequence[Track]) -> list[float]:
    """What the axis must hold: the bulk of all ratios and the whole interval of this provider."""
    every = np.concatenate([track.ratios for track in tracks]) if tracks else np.empty(0)
    bulk = np.quantile(every, [0.005, 0.995]).tolist() if len(every) else []
    return [*bulk, *(track.row[end] for track in tracks if track.shown for end in ("ratio_lower", "ratio_upper"))]


def _axis(x: Scale, ticks: tuple[float, ...], spans: list[tuple[float, float]], bottom: float) -> list[Item]:
    """The line at 1 along each of the spans, and the ticks' words below all."""
    words: list[Item] = [
        Text(x.at(t), bottom + 18, parts.tick_text(t), "label" if t == 1 else "tick", "middle") for t in ticks
    ]
    pieces = tuple((x.at(1.0), top, x.at(1.0), end) for top, end in spans)
    return [Segments(pieces, "reference"), *words]


def _words(y: float, words: str, wide: bool, left: float) -> list[Item]:
    if wide:
        lines = lines_of(words, left - 20, 2, bold=True)
        first = y + 4 - 6.5 * (len(lines) - 1)
        return [Text(left - 16, first + 13 * index, line, "strong", "end") for index, line in enumerate(lines)]
    return [Text(0, y - 31, shortened(words, 350, bold=True), "strong")]


def _others(x: Scale, track: Track, y: float) -> list[Item]:
    """A stroke a provider; strokes on the same half pixel are one."""
    own = [float(track.row["ratio"])] if track.shown else []
    places = np.unique(np.round(x(np.concatenate([track.ratios, own])) * 2) / 2).tolist()
    return [Segments(tuple((p, y - 6, p, y + 6) for p in places), "fine")] if places else []


def _own(
    x: Scale,
    track: Track,
    y: float,
    word: str,
    hidden_words: str,
    wide: bool,
    right: float,
) -> list[Item]:
    if not track.shown:
        return _figures(y, word, hidden_words, wide, right)
    row, category = track.row, str(track.row["category"])
    low, middle, high = (x.at(row[name]) for name in ("ratio_lower", "ratio", "ratio_upper"))
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

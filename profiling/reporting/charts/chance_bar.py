"""How many providers lie outside the limits, beside the number that chance alone would put there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from profiling.reporting import numbers
from profiling.reporting.chart import Bar, Chart, Item, Mark, Scale, Segments, Text, text_width
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say

LEVEL_HEIGHT = 46.0


@dataclass(frozen=True)
class ChanceLevel:
    """One pair of limits: its words, the number seen outside, and the 5-95 % range chance would put there."""

    words: str
    seen: int
    low: float
    high: float


def chance_bar(
    levels: Sequence[ChanceLevel],
    *,
    title: str = "",
    finding: str = "",
    width: float = 268.0,
) -> Chart:
    """A band (5-95 % of what chance does) and a diamond (what was seen) a level, on one axis."""
    title = title or say("title_chance_bar")
    most = max([4.0, *(float(max(level.seen, level.high)) for level in levels)])
    x = Scale(0.0, most * 1.25, 4.0, width - 6)
    items: list[Item] = []
    for index, level in enumerate(levels):
        items += _level(level, x, LEVEL_HEIGHT * index)
    bottom = LEVEL_HEIGHT * len(levels) - 4
    ticks = [t for t in parts.linear_ticks(x, 4) if t == round(t)]
    items.append(Segments(((x.start, bottom, x.end, bottom),), "axis"))
    items += [Text(x.at(t), bottom + 15, parts.tick_text(t), "tick", "middle") for t in ticks]
    return Chart("chance_bar", title, finding, width, bottom + 20, tuple(items), "", {"x": x})


def _level(level: ChanceLevel, x: Scale, top: float) -> list[Item]:
    low, high = x.at(level.low), x.at(level.high)
    centre, seen = top + 30, x.at(level.seen)
    span = span_words(level.low, level.high)
    chance = say("chance_range", range=span)
    count = say("seen", count=numbers.integer(level.seen))
    room = x.end - seen - 10 > text_width(count, bold=True)
    return [
        Text(0, top + 13, level.words, "label"),
        Text(x.end, top + 13, chance, "note", "end"),
        Bar(low, centre - 7, max(high - low, 3.0), 14, "band95", f"{level.words}, {chance}"),
        Mark(seen, centre, "diamond", "own", 5.5, f"{level.words}: {count}"),
        Text(seen + (10 if room else -10), centre + 4, count, "strong", "start" if room else "end", True),
    ]


def span_words(low: float, high: float) -> str:
    """What chance does, in words: 0 to 4."""
    ends = numbers.integer(low), numbers.integer(high)
    return ends[0] if ends[0] == ends[1] else say("range", low=ends[0], high=ends[1])

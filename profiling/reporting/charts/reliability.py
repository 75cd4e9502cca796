"""Volume and reliability: how much of what is seen of a provider is its own, by its number of cases."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from profiling.reporting import numbers
from profiling.reporting.chart import Chart, Form, Item, Line, Mark, Scale, Segments, Text
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say

MOST_MARKS = 400
GRID = 4.0
STEPS = 81
COUNT_STEPS = (1.0, 2.0, 5.0)


def reliability(
    frame: pd.DataFrame,
    needed: float,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    target: float = 0.7,
    x_name: str = "",
    y_name: str = "",
    target_words: str = "",
    needed_words: str = "",
    providers: str = "hospitals",
    hidden_words: str = "",
) -> Chart:
    """A mark a provider on the curve n/(n + k) that `needed` cases for a reliability of `target` imply.

    `frame`: masked provider rows with n and reliability. `needed` may be NaN: then there is no curve.
    """
    target_words = target_words or say("reliable_above")
    y_name = y_name or say("axis_reliability")
    x_name = x_name or say("axis_patients_log")
    title = title or say("title_reliability")
    rows = parts.providers(frame)
    rows = rows[rows["n"].notna() & rows["reliability"].notna()]
    wide = form == "wide"
    width, left, right, bottom = (720.0, 40.0, 712.0, 300.0) if wide else (350.0, 32.0, 346.0, 280.0)
    x = Scale(*_extent(rows, needed), left, right, "log")
    y = Scale(0.0, 1.0, bottom, 30.0)
    hidden = parts.hidden_count(frame)
    words = hidden_words.format(count=hidden) if hidden and hidden_words else ""
    items: list[Item] = [
        Text(0, 13, y_name, "name"),
        *parts.grid_y(y, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), left, right),
        Segments(((left, y.at(target), right, y.at(target)),), "threshold"),
        *_needed(x, y, needed, target, needed_words),
        *_curve(x, y, needed, target),
        *_marks(rows, x, y, providers),
        Text(right, y.at(target) + 15, target_words, "note", "end", halo=True),
        *_axis(x, bottom, 52 if wide else 40),
        Text(right, bottom + 35, x_name, "note", "end"),
        *parts.note(right, bottom + 52, words, "end"),
    ]
    height = bottom + (58 if words else 42)
    return Chart("reliability", title, finding, width, height, tuple(items), form, {"x": x, "y": y})


def _extent(rows: pd.DataFrame, needed: float) -> tuple[float, float]:
    told = [*rows["n"].astype(float), needed] if needed == needed else list(rows["n"].astype(float))
    known = [value for value in told if value > 0] or [10.0, 1000.0]
    return min(known) / 1.15, max(max(known) * 1.15, min(known) * 4)


def count_ticks(x: Scale, gap: float) -> tuple[float, ...]:
    """Round numbers of a logarithmic axis of counts: 1, 2, 5, 10 ..., or 1, 10, 100 where these stand too close."""
    powers = range(math.floor(math.log10(x.low)), math.ceil(math.log10(x.high)) + 1)
    for steps in (COUNT_STEPS, (1.0, 3.0), (1.0,)):
        ticks = tuple(step * 10.0**power for power in powers for step in steps if x.holds(step * 10.0**power))
        if len(ticks) < 2 or float(np.diff(x(np.array(ticks))).min()) >= gap:
            return ticks
    return ticks


def _axis(x: Scale, bottom: float, gap: float) -> list[Item]:
    words: list[Item] = [
        Text(x.at(tick), bottom + 16, parts.tick_text(tick), "tick", "middle") for tick in count_ticks(x, gap)
    ]
    return [Segments(((x.start, bottom, x.end, bottom),), "axis"), *words]


def _curve(x: Scale, y: Scale, needed: float, target: float) -> list[Item]:
    if not needed > 0 or not math.isfinite(needed):
        return []
    at = np.geomspace(x.low, x.high, STEPS)
    share = at / (at + needed * (1.0 - target) / target)
    return [Line(tuple(zip(x(at).tolist(), y(share).tolist(), strict=True)), "curve")]


def _needed(x: Scale, y: Scale, needed: float, target: float, words: str) -> list[Item]:
    """A line down from the curve where it reaches the target, with the number of cases."""
    if not words or not x.holds(needed):
        return []
    place = x.at(needed)
    text = Text(place + 6, y.start - 8, words, "strong", halo=True)
    if text.box[2] > x.end:
        text = Text(place - 6, y.start - 8, words, "strong", "end", halo=True)
    return [Segments(((place, y.at(target), place, y.start),), "threshold"), text]


def _marks(rows: pd.DataFrame, x: Scale, y: Scale, providers: str) -> list[Mark]:
    rows = rows.assign(flagged=rows["category"].isin(parts.FLAGGED)).sort_values(["flagged", "name"], kind="stable")
    places = np.column_stack([x(rows["n"]), y(rows["reliability"])])
    shared = ((len(rows) > MOST_MARKS) & ~rows["category"].isin(parts.BEYOND)).to_numpy()
    named = zip(
        places[~shared].tolist(),
        *(rows.loc[~shared, column] for column in ("category", "name", "n", "reliability", "href")),
        strict=True,
    )
    own = [
        parts.status_mark(px, py, category, 4.7, _told(name, n, value), href, dot=3.2)
        for (px, py), category, name, n, value, href in named
    ]
    return [*parts.shared_marks(places[shared], GRID, providers), *own]


def _told(name: str, n: float, value: float) -> str:
    return say("tip_reliability", name=name, cases=numbers.integer(n), reliability=numbers.ratio(value))

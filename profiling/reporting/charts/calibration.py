"""Calibration: observed against predicted rates by tenths of predicted risk."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from profiling.reporting import numbers
from profiling.reporting.chart import Chart, Form, Group, Item, Mark, Scale, Segments, Text
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say

Z95 = 1.959963984540054


def calibration(
    frame: pd.DataFrame,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    x_name: str = "",
    y_name: str = "",
    diagonal_words: str = "",
    unit: str = "",
) -> Chart:
    """Ten marks near the diagonal when the model is right, with 95 % intervals by Wilson (1927).

    `frame`: n, observed, expected as sums, a row a band; rows with `shown` False are left out. `unit`
    empty: rates are shares (per cent, with intervals); else means in that unit, without intervals.
    """
    diagonal_words = diagonal_words or say("as_predicted")
    y_name = y_name or say("axis_observed_rate")
    x_name = x_name or say("axis_predicted_rate")
    title = title or say("title_calibration")
    rows = frame[frame["shown"].fillna(False).astype(bool)] if "shown" in frame else frame
    n = rows["n"].to_numpy(float)
    observed, expected = rows["observed"].to_numpy(float) / n, rows["expected"].to_numpy(float) / n
    low, high = _wilson(observed, n) if not unit else (observed, observed)
    most = float(np.nanmax([*observed, *expected, 1e-9])) * 1.08
    wide = form == "wide"
    width, left, side = (520.0, 50.0, 360.0) if wide else (350.0, 46.0, 290.0)
    top, bottom = 28.0, 28.0 + side
    x, y = Scale(0.0, most, left, left + side), Scale(0.0, most, bottom, top)
    items: list[Item] = [
        Text(0, 13, y_name, "name"),
        *_axes(x, y, unit, wide),
        Segments(((x.start, y.start, x.end, y.end),), "diagonal"),
        _diagonal_name(x, y, diagonal_words, wide),
        *_points(x, y, expected, observed, low, high, n, unit),
        Text(x.end, bottom + 36, x_name, "note", "end"),
    ]
    return Chart("calibration", title, finding, width, bottom + 44, tuple(items), form, {"x": x, "y": y})


def _diagonal_name(x: Scale, y: Scale, words: str, wide: bool) -> Text:
    """At the upper end of the diagonal, or below its middle where there is no room beside the chart."""
    if wide:
        return Text(x.end + 8, y.end + 10, words, "note")
    return Text(x.at(0.66 * x.high) + 8, y.at(0.6 * y.high), words, "note", halo=True)


def _wilson(rate: NDArray[np.float64], n: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the 95 % score interval of shares."""
    centre = (rate + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * np.sqrt(rate * (1 - rate) / n + Z95**2 / (4 * n**2)) / (1 + Z95**2 / n)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def _axes(x: Scale, y: Scale, unit: str, wide: bool) -> list[Item]:
    ticks = parts.linear_ticks(x, 7 if wide else 5)
    words = [_rate(t, unit, 0 if max(ticks) >= 0.05 or unit else 1) for t in ticks]
    items = parts.grid_x(x, ticks, y.end, y.start, (y.start + 17,), words)
    rows = tuple((x.start, y.at(t), x.end, y.at(t)) for t in ticks)
    items.append(Segments(rows, "grid"))
    items += [Text(x.start - 7, y.at(t) + 4, w, "tick", "end") for t, w in zip(ticks, words, strict=True)]
    return [*items, Segments(((x.start, y.start, x.end, y.start),), "axis")]


def _points(
    x: Scale,
    y: Scale,
    expected: NDArray[np.float64],
    observed: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    n: NDArray[np.float64],
    unit: str,
) -> list[Item]:
    places = np.column_stack([x(expected), y(observed), y(low), y(high)]).tolist()
    values = zip(places, expected.tolist(), observed.tolist(), n.tolist(), strict=True)
    return [
        Group(
            (Segments(((px, a, px, b),), "whisker-clear"), Mark(px, py, "dot", "own", 4.0)),
            say("tip_calibration", cases=numbers.integer(k), predicted=_rate(e, unit, 1), observed=_rate(o, unit, 1)),
        )
        for (px, py, a, b), e, o, k in values
    ]


def _rate(value: float, unit: str, places: int) -> str:
    return f"{numbers.decimal(value, places)} {unit}" if unit else numbers.percent(value, places)

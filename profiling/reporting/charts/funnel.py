"""Funnel plot: observed over expected against size, inside the limits chance draws (Spiegelhalter 2005)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from profiling.reporting import numbers
from profiling.reporting.chart import Anchor as Side
from profiling.reporting.chart import Area, Chart, Form, Item, Mark, Point, Scale, Segments, Text, shortened
from profiling.reporting.charts import parts
from profiling.reporting.charts.placement import Anchor, Boxes, box_of, place_labels
from profiling.reporting.sentences import capital, say

BINNED_ABOVE = 2000
BIN = 9.0
MOST_LABELS = 40
MOST_NAME: Mapping[Form, float] = {"wide": 250.0, "narrow": 140.0}  # pixels of a name; else none fits where marks crowd
DOT, OPEN = 3.2, 4.7
LIMITS = ("lower_flag", "lower_watch", "upper_watch", "upper_flag")


def funnel(
    frame: pd.DataFrame,
    limits: pd.DataFrame,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    x_name: str = "",
    y_name: str = "",
    event: str = "deaths",
    providers: str = "hospitals",
    continuous: bool = False,
    status: Mapping[str, str] = parts.STATUS_WORDS,
    limit_words: tuple[str, str] | None = None,
    reference_words: str = "",
    hidden_words: str = "",
) -> Chart:
    """Funnel of one measure.

    `frame`: masked provider rows with observed, expected_marginal, oe_ratio (and n), category, z, name.
    `limits`: expected and lower_flag, lower_watch, upper_watch, upper_flag as ratios. A continuous measure
    has the number of cases on the x axis; its limits, given over the expected sum, are moved there.
    `hidden_words` is the note below the chart on the providers that are not drawn; `{count}` in it is their
    number. On the phone a limit is named by the first word of `limit_words`.
    """
    reference_words = reference_words or say("as_expected_line")
    y_name = y_name or say("axis_ratio", event=capital(event))
    x_name = x_name or say("axis_expected", event=event, providers=providers)
    title = title or say("title_funnel")
    rows = _rows(parts.providers(frame), continuous, event, status)
    wide = form == "wide"
    width, height = (720.0, 470.0) if wide else (350.0, 400.0)
    left, right, top, bottom = (46.0, 640.0, 30.0, 418.0) if wide else (34.0, 346.0, 30.0, 346.0)
    x = Scale(0.0, _largest(rows["size"], limits) * (1.02 if wide else 1.03), left, right)
    low, high = parts.ratio_domain(rows["y"], inner=(0.6, 1.6), outer=(0.25, 4.0))
    y = Scale(low, high, bottom, top, "log")
    hidden = parts.hidden_count(frame)
    words = parts.note(right, bottom + 52, hidden_words.format(count=hidden) if hidden and hidden_words else "", "end")
    named = limit_words or parts.limit_words()
    named = named if wide else (named[0].split(" ")[0], named[1].split(" ")[0])
    limits = _by_cases(limits, rows) if continuous else limits
    ends = _end_labels(limits, x, y, right, wide, named, reference_words)
    marks = _marks(rows, x, y, providers, status)
    fixed = np.array([text.box for text in ends]).reshape(-1, 4)
    room = (left + 2, top, width if wide else right, bottom - 2)
    items: list[Item] = [
        Text(0, 13, y_name, "name"),
        *_bands(limits, x, y),
        *parts.grid_y(y, parts.ratio_ticks(y, 26), left, right, reference=1.0),
        *_x_axis(x, bottom, x_name, right, wide),
        *ends,
        *marks,
        *place_labels(_anchors(rows, x, y, MOST_NAME[form]), _dot_boxes(marks), fixed, room),
        *words,
    ]
    scales = {"x": x, "y": y}
    return Chart("funnel", title, finding, width, height + 16 * bool(words), tuple(items), form, scales)


def _rows(rows: pd.DataFrame, continuous: bool, event: str, status: Mapping[str, str]) -> pd.DataFrame:
    """Size, ratio and tooltip of each provider, flagged last and the most surprising on top."""
    expected = rows["expected_marginal"].where(rows["expected_marginal"].notna(), rows["expected"])
    ratio = rows["oe_ratio"].astype(float).where(rows["oe_ratio"].notna(), rows["observed"] / expected)
    size = rows["n"] if continuous else expected
    rows = rows.assign(size=size.astype(float), y=ratio.astype(float))
    rows = rows[np.isfinite(rows["size"]) & np.isfinite(rows["y"])]
    titles = [
        tip or _tooltip(name, obs, exp, n, r, status[c], continuous, event)
        for tip, name, obs, exp, n, r, c in zip(
            rows["tooltip"],
            rows["name"],
            rows["observed"],
            expected[rows.index],
            rows["n"],
            rows["y"],
            rows["category"],
            strict=True,
        )
    ]
    rows = rows.assign(tooltip=titles, flagged=rows["category"].isin(parts.FLAGGED), surprise=rows["z"].abs())
    return rows.sort_values(["flagged", "surprise", "name"], kind="stable", ignore_index=True)


def _tooltip(
    name: str,
    observed: float,
    expected: float,
    n: float,
    ratio: float,
    word: str,
    continuous: bool,
    event: str,
) -> str:
    if continuous:
        return say("tip_cases", name=name, cases=numbers.integer(n), ratio=numbers.ratio(ratio), status=word)
    return say(
        "tip_events",
        name=name,
        observed=numbers.integer(observed),
        event=event,
        expected=numbers.amount(expected),
        ratio=numbers.ratio(ratio),
        status=word,
    )


def _largest(size: pd.Series, limits: pd.DataFrame) -> float:
    largest = size.max() if len(size) else limits["expected"].max() if len(limits) else 1.0
    return max(float(largest), 1e-6)


def _bands(limits: pd.DataFrame, x: Scale, y: Scale) -> list[Item]:
    """The outer band first, the inner on top; from x = 0, where chance allows anything."""
    if not len(limits):
        return []
    at, edges = _edges(limits, x)
    # At x = 0 any ratio is chance: the bands open to the whole height there.
    start = np.array([x.start]), np.array([y.start]), np.array([y.end])
    places = np.concatenate([start[0], x(at)])
    down = {k: np.concatenate([start[1], y(edges[k])]) for k in ("lower_flag", "lower_watch")}
    up = {k: np.concatenate([start[2], y(edges[k])]) for k in ("upper_flag", "upper_watch")}
    return [
        Area(_ring(places, up["upper_flag"], down["lower_flag"]), "band998"),
        Area(_ring(places, up["upper_watch"], down["lower_watch"]), "band95"),
    ]


def _by_cases(limits: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Limits of a continuous outcome, given over its expected sum, over the number of cases instead."""
    total, cases = float(rows["expected_marginal"].sum()), float(rows["size"].sum())
    return limits.assign(expected=limits["expected"] * cases / total) if total > 0 else limits


def _edges(limits: pd.DataFrame, x: Scale) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Limits at 120 places of x, dense where they bend, at the left.

    Left of the first given place they open as those of a normal log ratio, whose width goes by 1/√E; beyond
    the last they stay.
    """
    known = limits.sort_values("expected")
    given = known["expected"].to_numpy(float)
    at = x.high * np.linspace(0.02, 1, 120) ** 2
    widening = np.sqrt(np.maximum(given[0] / at, 1.0))
    edges = {}
    for name in LIMITS:
        edge = np.maximum(np.interp(at, given, known[name].to_numpy(float)), 1e-9)
        edges[name] = np.exp(np.clip(np.log(edge) * widening, -50, 50))
    return at, edges


def _ring(x: NDArray[np.float64], upper: NDArray[np.float64], lower: NDArray[np.float64]) -> tuple[Point, ...]:
    there = zip(x.tolist(), upper.tolist(), strict=True)
    back = zip(x[::-1].tolist(), lower[::-1].tolist(), strict=True)
    return (*there, *back)


def _end_labels(
    limits: pd.DataFrame,
    x: Scale,
    y: Scale,
    right: float,
    wide: bool,
    words: tuple[str, str],
    reference: str,
) -> list[Text]:
    """Names of the limits at the right end, on the edges of the bands; of the line at 1 as well."""
    anchor_x = right + 8 if wide else right - 3
    texts = [Text(anchor_x, y.at(1.0) + (4 if wide else -4), reference, "strong", _side(wide), not wide)]
    if not len(limits):
        return texts if wide else []
    _, edges = _edges(limits, x)
    wanted = [(y.at(float(edges[name][-1])), name) for name in LIMITS]
    shift = {"upper_flag": 4.0, "upper_watch": 4.0, "lower_watch": 4.0, "lower_flag": 4.0}
    if not wide:
        shift = {"upper_flag": -3.0, "upper_watch": 12.0, "lower_watch": -4.0, "lower_flag": 12.0}
        texts = []
    inner, outer = words
    named = sorted((place + shift[k], inner if "watch" in k else outer, "note") for place, k in wanted)
    if wide:
        named = sorted([*named, (y.at(1.0) + 4, reference, "strong")])
    places = parts.spread(np.array([n[0] for n in named]), 14, y.end + 10, y.start)
    if not wide:
        outside = y.end + 14 <= places.min() and len(set(np.round(places))) == len(places)
        named = named if outside else []
        places = places[: len(named)]
    return [
        Text(anchor_x, float(place), text, role, _side(wide), not wide)
        for place, (_, text, role) in zip(places, named, strict=True)
    ]


def _side(wide: bool) -> Side:
    return "start" if wide else "end"


def _x_axis(x: Scale, bottom: float, name: str, right: float, wide: bool) -> list[Item]:
    ticks = parts.linear_ticks(x, 6 if wide else 5)
    places = x(np.array(ticks))
    items: list[Item] = [Segments(((x.start, bottom, x.end, bottom),), "axis")]
    items += [
        Text(float(p), bottom + 16, parts.tick_text(t), "tick", "middle") for p, t in zip(places, ticks, strict=True)
    ]
    return [*items, Text(right, bottom + 35, name, "note", "end")]


def _marks(rows: pd.DataFrame, x: Scale, y: Scale, providers: str, status: Mapping[str, str]) -> list[Mark]:
    """A mark a provider; of very many those within the limits share marks."""
    if len(rows) <= BINNED_ABOVE:
        return _points(rows, x, y)
    alone = parts.alone(rows)
    return [*_bins(rows[~alone], x, y, providers, status), *_points(rows[alone], x, y)]


def _points(rows: pd.DataFrame, x: Scale, y: Scale) -> list[Mark]:
    columns = (rows["category"], rows["tooltip"], rows["href"])
    places = zip(x(rows["size"]).tolist(), y(rows["y"]).tolist(), *columns, strict=True)
    return [parts.status_mark(px, py, c, OPEN, title, href, dot=DOT) for px, py, c, title, href in places]


def _bins(rows: pd.DataFrame, x: Scale, y: Scale, providers: str, status: Mapping[str, str]) -> list[Mark]:
    """Many providers as one dot a square, its area by their number."""
    squares = pd.DataFrame({"x": x(rows["size"]) // BIN, "y": y(rows["y"]) // BIN})
    grouped = squares.groupby(["x", "y"], sort=True)
    counts = grouped.size()
    told = parts.tallies(np.asarray(grouped.ngroup(), dtype=np.int64), rows["category"], status, providers)
    radius = np.sqrt(counts / counts.max()) * (BIN / 2 - 0.4)
    return [
        Mark((cx + 0.5) * BIN, (cy + 0.5) * BIN, "dot", "bin", max(r, 1.0), words)
        for (cx, cy), r, words in zip(counts.index, radius, told, strict=True)
    ]


def _anchors(rows: pd.DataFrame, x: Scale, y: Scale, most: float) -> list[Anchor]:
    """Flagged marks in order of importance: beyond the outer limits first, then by |z|."""
    flagged = rows[rows["flagged"]].assign(beyond=lambda t: t["category"].isin(parts.BEYOND))
    flagged = flagged.sort_values(["beyond", "surprise", "name"], ascending=[False, False, True]).head(MOST_LABELS)
    places = zip(x(flagged["size"]).tolist(), y(flagged["y"]).tolist(), strict=True)
    named = zip(places, flagged["name"], flagged["beyond"], strict=True)
    return [Anchor(px, py, shortened(name, most, bold=strong), bool(strong)) for (px, py), name, strong in named]


def _dot_boxes(marks: list[Mark]) -> Boxes:
    return box_of([(m.x, m.y) for m in marks if m.role not in parts.FLAGGED], DOT)

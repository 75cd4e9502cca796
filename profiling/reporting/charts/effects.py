"""Do the effects of providers look like one normal family: their distribution, and beside it their quantiles."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from profiling.reporting import numbers
from profiling.reporting.chart import Area, Bar, Chart, Form, Item, Line, Mark, Scale, Segments, Text
from profiling.reporting.charts import parts
from profiling.reporting.charts.placement import Anchor, box_of, place_labels
from profiling.reporting.sentences import say

BIN = 0.5
LEAST_EDGE, MOST_EDGE = 3.0, 6.0
MOST_MARKS = 400
MOST_NAMES = 12
GRID = 3.0  # pixels a mark stands for where there are many
STEPS = 121


def effects(
    frame: pd.DataFrame,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    providers: str = "hospitals",
    count_name: str = "",
    value_name: str = "",
    normal_name: str = "",
    value_words: str = "",
    curve_words: str = "",
    hidden_words: str = "",
) -> Chart:
    """Two panels: how many effects lie where, under the normal curve; and their normal QQ plot in its 95 % envelope.

    `frame`: masked provider rows with value (the effect over its spread, N(0, 1) if the family is normal), theoretical,
    lower, upper and beyond, as `profiling.assessment.normality` gives them. Names stand at points beyond the envelope.
    """
    curve_words = curve_words or say("one_family")
    value_words = value_words or say("in_spreads")
    normal_name = normal_name or say("normal_where")
    value_name = value_name or say("axis_effect_spreads")
    count_name = count_name or say("axis_how_many", providers=providers)
    title = title or say("title_effects")
    rows = parts.providers(frame)
    rows = rows[rows["value"].notna()].sort_values(["value", "name"], kind="stable", ignore_index=True)
    wide = form == "wide"
    edge = min(max(float(rows["value"].abs().max()) * 1.08 if len(rows) else 0.0, LEAST_EDGE), MOST_EDGE)
    width, height = (1080.0, 352.0) if wide else (350.0, 664.0)
    first = (34.0, 500.0, 26.0, 300.0) if wide else (30.0, 346.0, 26.0, 272.0)
    second = (614.0, 1076.0, 26.0, 300.0) if wide else (30.0, 346.0, 352.0, 602.0)
    x, counts, left = _distribution(rows, first, edge, count_name, value_words, curve_words)
    horizontal, vertical, right = _quantiles(rows, second, edge, value_name, normal_name, curve_words, providers)
    hidden = parts.hidden_count(frame)
    words = hidden_words.format(count=hidden) if hidden and hidden_words else ""
    note = parts.note(second[1], second[3] + 50, words, "end")
    scales = {"x": x, "count": counts, "theoretical": horizontal, "value": vertical}
    return Chart("effects", title, finding, width, height + 6 * bool(words), (*left, *right, *note), form, scales)


def _distribution(
    rows: pd.DataFrame,
    place: tuple[float, float, float, float],
    edge: float,
    count_name: str,
    value_words: str,
    curve_words: str,
) -> tuple[Scale, Scale, list[Item]]:
    left, right, top, bottom = place
    x = Scale(-edge, edge, left, right)
    steps = math.ceil(edge / BIN - 1e-9)
    edges = np.arange(-steps, steps + 1) * BIN
    seen = np.histogram(rows["value"].clip(-edge, edge), edges)[0]
    at = np.linspace(-edge, edge, STEPS)
    curve = len(rows) * BIN * np.exp(-at * at / 2) / math.sqrt(2 * math.pi)
    y = Scale(0.0, max(float(seen.max()) if len(seen) else 0.0, float(curve.max()), 1.0) * 1.1, bottom, top + 8)
    ticks = [t for t in parts.linear_ticks(y, 4) if t == round(t)]
    bars = [
        Bar(
            x.at(a) + 1,
            y.at(k),
            x.at(b) - x.at(a) - 2,
            y.start - y.at(k),
            "total",
            f"{numbers.interval_text(a, b, 1)}: {numbers.integer(k)}",
        )
        for a, b, k in zip(edges[:-1].tolist(), edges[1:].tolist(), seen.tolist(), strict=True)
        if k
    ]
    side = int(np.argmax(at >= 1.4))
    return x, y, [
        Text(0.0 if left < 40 else left, top - 13, count_name, "name"),
        *parts.grid_y(y, ticks, left, right),
        *bars,
        Line(tuple(zip(x(at).tolist(), y(curve).tolist(), strict=True)), "curve"),
        _beside(x.at(at[side]) + 10, y.at(curve[side]) - 8, curve_words, right),
        *_axis_x(x, bottom),
        Text(right, bottom + 34, value_words, "note", "end"),
    ]  # fmt: skip


def _quantiles(
    rows: pd.DataFrame,
    place: tuple[float, float, float, float],
    edge: float,
    value_name: str,
    normal_name: str,
    curve_words: str,
    providers: str,
) -> tuple[Scale, Scale, list[Item]]:
    left, right, top, bottom = place
    reach = max(float(rows["theoretical"].abs().max()) * 1.08 if len(rows) else 2.0, 1.0)
    x, y = Scale(-reach, reach, left, right), Scale(-edge, edge, bottom, top + 8)
    marks = _marks(rows, x, y, providers)
    end = min(reach, edge)
    beyond = rows[rows["beyond"].astype(bool)]
    beyond = beyond.assign(surprise=(beyond["value"] - beyond["theoretical"]).abs())
    beyond = beyond.sort_values(["surprise", "name"], ascending=[False, True], kind="stable").head(MOST_NAMES)
    anchors = [
        Anchor(px, py, name, True)
        for px, py, name in zip(
            x(beyond["theoretical"]).tolist(), y(beyond["value"]).tolist(), beyond["name"], strict=True
        )
    ]
    diagonal = Text(right, min(y.at(0.7 * end) + 44, bottom - 8), curve_words, "note", "end", halo=True)
    dots = box_of([(mark.x, mark.y) for mark in marks], 3.0)
    return x, y, [
        Text(0.0 if left < 40 else left - 34, top - 13, value_name, "name"),
        *_band(rows, x, y),
        *parts.grid_y(y, parts.linear_ticks(y, 6), left, right),
        Segments(((x.at(-end), y.at(-end), x.at(end), y.at(end)),), "diagonal"),
        diagonal,
        *marks,
        *place_labels(anchors, dots, np.array([diagonal.box]), (left + 2, top, right, bottom - 2)),
        *_axis_x(x, bottom),
        Text(right, bottom + 34, normal_name, "note", "end"),
    ]  # fmt: skip


def _beside(x: float, y: float, words: str, right: float) -> Text:
    """Words that start at a place, or end at the right edge where there is no room for them."""
    text = Text(x, y, words, "note", halo=True)
    return text if text.box[2] <= right else Text(right, y, words, "note", "end", halo=True)


def _axis_x(x: Scale, bottom: float) -> list[Item]:
    ticks = parts.linear_ticks(x, 6)
    words: list[Item] = [Text(x.at(t), bottom + 16, parts.tick_text(t), "tick", "middle") for t in ticks]
    return [Segments(((x.start, bottom, x.end, bottom),), "axis"), *words]


def _band(rows: pd.DataFrame, x: Scale, y: Scale) -> list[Item]:
    """The envelope as a filled band through at most `STEPS` of its places."""
    if len(rows) < 2:
        return []
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), STEPS)).round().astype(int))
    at = x(rows["theoretical"].iloc[chosen])
    upper, lower = y(rows["upper"].iloc[chosen]), y(rows["lower"].iloc[chosen])
    there, back = (zip(a.tolist(), b.tolist(), strict=True) for a, b in ((at, upper), (at[::-1], lower[::-1])))
    return [Area((*there, *back), "band95")]


def _marks(rows: pd.DataFrame, x: Scale, y: Scale, providers: str) -> list[Mark]:
    """A mark a provider; where there are very many, neighbours without a flag inside the envelope share one."""
    places = np.column_stack([x(rows["theoretical"]), y(rows["value"])])
    single = (rows["beyond"].astype(bool) | rows["category"].isin(parts.BEYOND)).to_numpy()
    shared = ~single if len(rows) > MOST_MARKS else np.zeros(len(rows), dtype=bool)
    below = parts.shared_marks(places[shared], GRID, providers)
    named = zip(
        places[~shared].tolist(),
        *(rows.loc[~shared, name].tolist() for name in ("category", "name", "value", "theoretical", "href", "beyond")),
        strict=True,
    )
    own = [
        (beyond, parts.status_mark(px, py, category, 4.7, _told(name, value, normal), href, dot=4.2 if beyond else 3.0))
        for (px, py), category, name, value, normal, href, beyond in named
    ]
    return [*below, *(mark for beyond, mark in own if not beyond), *(mark for beyond, mark in own if beyond)]


def _told(name: str, value: float, normal: float) -> str:
    return say("tip_effect", name=name, value=numbers.signed(value), normal=numbers.signed(normal))

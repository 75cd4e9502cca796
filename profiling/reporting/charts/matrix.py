"""Every provider on every measure: one column a provider, from most to fewest patients, one row a measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from profiling.reporting.chart import Bar, Chart, Form, Group, Item, Mark, Scale, Segments, Text, lines_of, shortened
from profiling.reporting.charts import parts
from profiling.reporting.sentences import say

DOTS_UP_TO = 400
COLUMNS = {"wide": 44, "narrow": 18}
# Above the middle line those higher, below it those lower; outlined, beyond the filled part, those on watch.
SIDES = ((-1, (("higher", "spot-high"), ("higher_watch", "higher_watch"))),
         (1, (("lower", "spot-low"), ("lower_watch", "lower_watch"))))  # fmt: skip


def matrix(
    frame: pd.DataFrame,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    titles: Mapping[str, str] | None = None,
    ends: tuple[str, str] | None = None,
    status: Mapping[str, str] = parts.STATUS_WORDS,
    providers: str = "hospitals",
    grouped_words: str = "",
) -> Chart:
    """Matrix of statuses.

    `frame`: masked rows of one level over all measures with measure, provider, provider_name, n,
    category. Columns go by the largest n of a provider that is shown; providers without one stand last,
    by label. Above 400 providers a column is a group of them; `grouped_words` says so, `{count}` of them in each.
    """
    ends = ends or (say("most_patients"), say("fewest_patients"))
    title = title or say("title_matrix", providers=providers)
    grouped_words = grouped_words or say("grouped_columns", count="{count}", providers=providers)
    wide = form == "wide"
    order = _order(frame)
    if len(order) > DOTS_UP_TO:
        empty = Chart("matrix", title, finding, 0, 0, (), form)
        return _grouped(frame, order, form, empty, ends, titles or {}, status, providers, grouped_words)
    width, left, pitch, first = (1080.0, 200.0, 28.0, 40.0) if wide else (350.0, 0.0, 48.0, 56.0)
    x = Scale(0.0, max(len(order) - 1.0, 1.0), left + 6, width - 6)
    measures = list(dict.fromkeys(frame["measure"]))
    items: list[Item] = [
        Text(left, 13, ends[0], "note"),
        Text(width, 13, ends[1], "note", "end"),
    ]
    for index, measure in enumerate(measures):
        y = first + pitch * index
        words = (titles or {}).get(measure, str(measure))
        items.append(Bar(left, y - 9, width - left, 18, "track"))
        items += _measure_name(words, y, left, wide)
        items += _row(frame[frame["measure"] == measure], order, words, x, y, status)
    bottom = first + pitch * max(len(measures) - 1, 0) + 14
    return Chart("matrix", title, finding, width, bottom, tuple(items), form, {"x": x})


def _grouped(
    frame: pd.DataFrame,
    order: dict[str, int],
    form: Form,
    chart: Chart,
    ends: tuple[str, str],
    titles: Mapping[str, str],
    status: Mapping[str, str],
    providers: str,
    grouped_words: str,
) -> Chart:
    """The matrix of very many providers: neighbours in size share a column, which counts those beside the average."""
    wide = form == "wide"
    width, left, pitch, first = (1080.0, 200.0, 64.0, 58.0) if wide else (350.0, 0.0, 84.0, 74.0)
    count = COLUMNS[form]
    column = {provider: place * count // len(order) for provider, place in order.items()}
    rows = frame.assign(column=[column[str(provider)] for provider in frame["provider"]])
    measures = list(dict.fromkeys(rows["measure"]))
    flagged = rows[rows["category"].isin(parts.FLAGGED)]
    side = flagged["category"].map(parts.SIDES)
    most = flagged.groupby(["measure", "column", side]).size().max() if len(flagged) else 1
    step, unit = (width - left) / count, (pitch / 2 - 4) / most
    items: list[Item] = [Text(left, 13, ends[0], "note"), Text(width, 13, ends[1], "note", "end")]
    for index, measure in enumerate(measures):
        y = first + pitch * index
        words = titles.get(measure, str(measure))
        # On the phone the name stands above the row, clear of its tallest column.
        name_y = y if wide else y - pitch / 2 + 20
        items += _measure_name(words, name_y, left, wide)
        items += _columns(rows[rows["measure"] == measure], y, left, step, unit, status, providers)
        items.append(Segments(((left, y, width, y),), "axis"))
    bottom = first + pitch * max(len(measures) - 1, 0) + pitch / 2
    note = shortened(grouped_words.format(count=round(len(order) / count)), width - left)
    return replace(
        chart, width=width, height=bottom + 18, items=(*items, *parts.note(left, bottom + 12, note)),
        scales={"x": Scale(0.0, float(count), left, width)},
    )  # fmt: skip


def _columns(
    rows: pd.DataFrame, y: float, left: float, step: float, unit: float, status: Mapping[str, str], providers: str
) -> list[Item]:
    """A column a group: bars from the middle line up and down, with the tally of the whole group."""
    cells = rows["column"].to_numpy(np.int64)
    told = parts.tallies(cells, rows["category"], status, providers)
    counts = pd.crosstab(cells, rows["category"].to_numpy()).reindex(columns=list(parts.SHAPES), fill_value=0)
    made: list[Item] = []
    for place, seen in zip(counts.index.tolist(), counts.to_dict("records"), strict=True):
        bars: list[Item] = [Bar(left + step * place, y - 9, step - 1, 18, "track")]
        for direction, stack in SIDES:
            done = 0.0
            for category, role in stack:
                height = unit * seen[category]
                top = y + done if direction > 0 else y - done - height
                bars += [Bar(left + step * place + 1, top, step - 3, height, role)] if height else []
                done += height
        made.append(Group(tuple(bars), str(told[place])))
    return made


def _order(frame: pd.DataFrame) -> dict[str, int]:
    """Column of each provider."""
    size = pd.to_numeric(frame["n"])
    if "shown" in frame:
        size = size.where(frame["shown"].fillna(False).astype(bool))
    largest = pd.DataFrame({"provider": frame["provider"].astype(str), "size": size}).groupby("provider")["size"].max()
    table = largest.reset_index().sort_values(["size", "provider"], ascending=[False, True], na_position="last")
    return {provider: index for index, provider in enumerate(table["provider"])}


def _measure_name(words: str, y: float, left: float, wide: bool) -> list[Text]:
    if not wide:
        return [Text(0, y - 15, shortened(words, 350), "label")]
    lines = lines_of(words, left - 16, 2)
    first = y + 4 - 6.5 * (len(lines) - 1)
    return [Text(left - 14, first + 13 * index, line, "label", "end") for index, line in enumerate(lines)]


def _row(
    rows: pd.DataFrame, order: dict[str, int], words: str, x: Scale, y: float, status: Mapping[str, str]
) -> list[Mark]:
    """Plain marks first, flagged on top."""
    pitch = (x.end - x.start) / max(len(order) - 1, 1)
    kept = rows[rows["category"].isin(list(parts.SHAPES))]
    kept = kept.assign(flagged=kept["category"].isin(parts.FLAGGED)).sort_values(["flagged", "provider"])
    names = kept["provider_name"].where(kept["provider_name"].notna(), kept["provider"]).astype(str)
    places = x(np.array([order[str(p)] for p in kept["provider"]], dtype=float)).tolist()
    hrefs = kept["href"].fillna("").astype(str) if "href" in kept else pd.Series("", kept.index)
    dot = min(1.6, max(0.35 * pitch, 0.8))
    dash = min(3.0, 0.45 * pitch)
    return [
        parts.status_mark(
            px,
            y,
            category,
            dash / 0.8 if category == "too_few" else 4.6,
            f"{name}: {words}. {status[category]}",
            href if category in parts.FLAGGED else "",
            dot=dot,
        )
        for px, name, category, href in zip(places, names, kept["category"], hrefs, strict=True)
    ]

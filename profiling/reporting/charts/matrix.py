"""Every provider on every measure: one column a provider, from most to fewest patients, one row a measure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from profiling.reporting.chart import Bar, Chart, Form, Item, Mark, Scale, Text, shortened
from profiling.reporting.charts import parts

DOTS_UP_TO = 400


def matrix(
    frame: pd.DataFrame,
    *,
    form: Form = "wide",
    title: str = "Every hospital, every measure",
    finding: str = "",
    titles: Mapping[str, str] | None = None,
    ends: tuple[str, str] = ("← most patients", "fewest →"),
    status: Mapping[str, str] = parts.STATUS_WORDS,
) -> Chart:
    """Matrix of statuses.

    `frame`: masked rows of one level over all measures with measure, provider, provider_name, n,
    category. Columns go by the largest n of a provider that is shown; providers without one stand last,
    by label. Above 400 providers only those flagged are drawn.
    """
    wide = form == "wide"
    width, left, pitch, first = (1080.0, 200.0, 28.0, 40.0) if wide else (350.0, 0.0, 48.0, 56.0)
    order = _order(frame)
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
        items.append(_measure_name(words, y, left, wide))
        items += _row(frame[frame["measure"] == measure], order, words, x, y, status)
    bottom = first + pitch * max(len(measures) - 1, 0) + 14
    return Chart("matrix", title, finding, width, bottom, tuple(items), form, {"x": x})


def _order(frame: pd.DataFrame) -> dict[str, int]:
    """Column of each provider."""
    size = pd.to_numeric(frame["n"])
    if "shown" in frame:
        size = size.where(frame["shown"].fillna(False).astype(bool))
    largest = pd.DataFrame({"provider": frame["provider"].astype(str), "size": size}).groupby("provider")["size"].max()
    table = largest.reset_index().sort_values(["size", "provider"], ascending=[False, True], na_position="last")
    return {provider: index for index, provider in enumerate(table["provider"])}


def _measure_name(words: str, y: float, left: float, wide: bool) -> Text:
    if wide:
        return Text(left - 14, y + 4, shortened(words, left - 16), "label", "end")
    return Text(0, y - 15, shortened(words, 350), "label")


def _row(
    rows: pd.DataFrame, order: dict[str, int], words: str, x: Scale, y: float, status: Mapping[str, str]
) -> list[Mark]:
    """Plain marks first, flagged on top."""
    few = len(order) <= DOTS_UP_TO
    pitch = (x.end - x.start) / max(len(order) - 1, 1)
    kept = rows[rows["category"].isin(list(parts.SHAPES) if few else list(parts.FLAGGED))]
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

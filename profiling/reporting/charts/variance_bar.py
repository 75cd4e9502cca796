"""How much of the variation lies between hospitals, between physicians within them, and between patients."""

from __future__ import annotations

import pandas as pd

from profiling.reporting import numbers
from profiling.reporting.chart import Bar, Chart, Form, Item, Scale, Text
from profiling.reporting.sentences import say

ROLES = ("share-1", "share-2", "share-3")


def variance_bar(
    frame: pd.DataFrame,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
) -> Chart:
    """One bar of the whole, cut by level, with a line a level below it.

    `frame`: label and share (summing to 1), outermost level first.
    """
    title = title or say("title_variance")
    width = 720.0 if form == "wide" else 350.0
    x = Scale(0.0, 1.0, 0.0, width)
    items: list[Item] = []
    start = 0.0
    for index, (label, share) in enumerate(zip(frame["label"].astype(str), frame["share"].astype(float), strict=True)):
        role = ROLES[-1] if index == len(frame) - 1 else ROLES[min(index, 1)]
        words = numbers.percent(share, 1)
        items.append(Bar(x.at(start), 0, max(x.at(start + share) - x.at(start), 0.5), 26, role, f"{label}: {words}"))
        y = 48.0 + 22 * index
        items += [Bar(0, y - 10, 12, 12, role), Text(20, y, words, "strong"), Text(74, y, label, "label")]
        start += share
    height = 48.0 + 22 * max(len(frame) - 1, 0) + 10
    return Chart("variance_bar", title, finding, width, height, tuple(items), form, {"x": x})

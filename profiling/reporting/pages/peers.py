"""Peers of a provider: those nearest to it in number of patients and in case mix."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup
from scipy.spatial import cKDTree

from profiling.reporting import charts, numbers, sentences
from profiling.reporting.pages import drawings
from profiling.reporting.pages.shared import MeasureView, nouns, rate_words
from profiling.reporting.svg import render_svg

PEERS = 10

Record = Mapping[Hashable, Any]


def nearest(shown: pd.DataFrame, count: int = PEERS) -> npt.NDArray[np.int64]:
    """For each row the rows of the `count` nearest and its own (J, up to count + 1), the nearest first.

    Distance in log cases and in the logarithm of expected events (or the expected outcome) a case, each over its
    standard deviation, so that a doubling of volume weighs as much as a usual difference of case mix.
    """
    wanted = min(count + 1, len(shown))
    if wanted == 0:
        return np.empty((0, 0), dtype=np.int64)
    cases = shown["n"].to_numpy(dtype=np.float64)
    mix = shown["expected_marginal"].to_numpy(dtype=np.float64) / cases
    traits = np.column_stack([np.log(cases), np.log(np.maximum(mix, 1e-12))])
    spread = traits.std(axis=0)
    places = (traits - traits.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    found = np.asarray(cKDTree(places).query(places, k=[*range(1, wanted + 1)])[1], dtype=np.int64)
    # A twin may stand first: the provider itself always belongs.
    own = np.arange(len(places))
    lost = ~(found == own[:, None]).any(axis=1)
    found[lost, -1] = own[lost]
    return found


def words(measure: MeasureView, rows: Sequence[Record]) -> str:
    """Which providers these are: how many patients and which expected rate they have."""
    cases = [float(row["n"]) for row in rows]
    mix = [drawings.norm_rate(measure, row) for row in rows]
    return sentences.say(
        "peers_sub",
        count=numbers.in_words(len(rows) - 1),
        cases=sentences.say("range", low=numbers.integer(min(cases)), high=numbers.integer(max(cases))),
        expected=sentences.say("range", low=rate_words(measure, min(mix)), high=rate_words(measure, max(mix))),
    )


def finding(rows: Sequence[Record], provider: str) -> str:
    """How many of its peers lie above it, in words."""
    own = next(row for row in rows if row["provider"] == provider)
    higher = sum(float(row["ratio"]) > float(own["ratio"]) for row in rows)
    have = sentences.verb("have", higher)
    counts = {"higher": sentences.how_many(higher), "count": numbers.in_words(len(rows) - 1)}
    return sentences.say("peers_finding", have=have, **counts)


def drawing(measure: MeasureView, provider: str, rows: Sequence[Record]) -> Markup:
    """The peers with this provider among them."""
    said = finding(rows, provider)
    title = sentences.say("peers_title", providers=nouns(measure.outer))
    chart = charts.peers(rows, provider, title=title, finding=said, status=measure.status_words)
    return render_svg(chart, f"peers-{measure.name}")

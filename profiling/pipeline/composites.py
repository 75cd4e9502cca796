"""Composites of a run: several measures of the providers of one level in one figure each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
import pandas as pd

from profiling.config import Composite, Measure, Settings
from profiling.errors import ModelError

Frames = dict[str, pd.DataFrame]
PARTS = ("estimate", "error", "observed", "expected")


def composite_frames(settings: Settings, parts: Sequence[Mapping[str, pd.DataFrame]]) -> Frames:
    """composites and composite_scores; parts: by measure, in the order of the configuration, by level the table of
    provider, provider_name, estimate, error, observed, expected. One that cannot be made keeps the reason as its note.
    """
    by_measure = {measure.name: own for measure, own in zip(settings.measures, parts, strict=True)}
    specs, scores = [], []
    for position, composite in enumerate(settings.composites):
        try:
            table, note = _scored(settings, composite, by_measure)
            scores.append(table.assign(composite=composite.name, level=composite.level))
        except ModelError as error:
            note = f"not possible: {error.problems[0]}"
        spec = {"composite": composite.name, "spec_json": composite.model_dump_json(), "note": note}
        specs.append({"position": position} | spec)
    return {
        "composites": pd.DataFrame(specs),
        "composite_scores": pd.concat(scores, ignore_index=True) if scores else pd.DataFrame(),
    }


def _scored(
    settings: Settings, composite: Composite, by_measure: Mapping[str, Mapping[str, pd.DataFrame]]
) -> tuple[pd.DataFrame, str]:
    from profiling import assessment as a

    wide = _side_by_side([by_measure[name][composite.level] for name in composite.measures])
    estimate, error, observed, expected = (
        wide[[f"{part}_{place}" for place in range(len(composite.measures))]].to_numpy(dtype=np.float64)
        for part in PARTS
    )
    worse = np.array([1.0 if _higher_is_worse(settings.measure(name)) else -1.0 for name in composite.measures])
    weights = np.array(list(composite.measures.values()))
    found, note = a.composite_scores(composite.kind, estimate * worse, error, observed, expected, weights)
    names = dict(zip(composite.measures, note, strict=True))
    words = "; ".join(f"{name} {value:.3g}" for name, value in names.items())
    return pd.concat([wide[["provider", "provider_name"]], found], axis=1), words


def _side_by_side(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Every provider of any measure, by label, with the parts of each measure by its place; NaN where it has none."""
    named = [
        table.set_index(["provider", "provider_name"])[list(PARTS)].add_suffix(f"_{place}")
        for place, table in enumerate(tables)
    ]
    return reduce(lambda left, right: left.join(right, how="outer"), named).sort_index().reset_index()


def _higher_is_worse(measure: Measure) -> bool:
    return measure.direction == "higher_is_worse"

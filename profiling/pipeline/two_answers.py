"""What the model page says beside the model: the answer over the population, naive errors, structure of the data.

Kept as checks of the model: population_odds_ratio, gee_odds_ratio, naive_standard_error, clustered_standard_error of a
term (name:term); design_effect of a level's mean; structure_levels and structure_median (rows) of a level; structure
of a pair (child:parent; the relation as note, the share of children with several parents as value) and
structure_off_main, the share of rows away from the child's main parent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.errors import ModelError

if TYPE_CHECKING:
    from profiling.modeling import MixedModelResult

Entry = tuple[str, float, str]
UNAVAILABLE = "population_unavailable"


def two_answers(fit: MixedModelResult, rows: pd.DataFrame, levels: Sequence[str], threshold: int) -> pd.DataFrame:
    """Return name, value, note; counts of rows from 1 to `threshold` - 1 cannot be worked out from any of them."""
    entries = [*_population(fit, rows), *_structure(rows, levels, threshold)]
    return pd.DataFrame(entries, columns=["name", "value", "note"])


def _population(fit: MixedModelResult, rows: pd.DataFrame) -> list[Entry]:
    from profiling.modeling.error_comparison import compare_errors

    try:
        table = compare_errors(fit, rows)
    except (ModelError, np.linalg.LinAlgError):
        return [(UNAVAILABLE, math.nan, "The model without clusters could not be fitted beside this one")]
    columns = {"naive_standard_error": table["naive_error"], "clustered_standard_error": table["gee_error"]}
    if fit.link == "logit":
        columns |= {"population_odds_ratio": np.exp(table["marginal"]), "gee_odds_ratio": np.exp(table["gee"])}
    found = [
        (f"{name}:{term}", float(value), "")
        for name, values in columns.items()
        for term, value in values.items()
        if term != "Intercept"
    ]
    effects = fit.design_effects()
    means = effects[effects["term"] == "mean"]
    return found + [
        (f"design_effect:{group}", float(value), "of the mean")
        for group, value in zip(means["group"], means["design_effect"], strict=True)
    ]


def _structure(rows: pd.DataFrame, levels: Sequence[str], threshold: int) -> list[Entry]:
    from profiling.modeling.data_structure import structure

    found = structure(rows, list(levels))
    entries: list[Entry] = []
    for level, count, median in found.factors[["factor", "levels", "median"]].itertuples(index=False):
        entries.append((f"structure_levels:{level}", float(count), ""))
        # Two figures: a median of few rows would be the count of one provider.
        shown = float(f"{median:.2g}") if median >= threshold else math.nan
        entries.append((f"structure_median:{level}", shown, "" if median >= threshold else f"under {threshold}"))
    pairs = found.pairs[["child", "parent", "relation", "share_of_levels", "share_of_rows"]]
    for child, parent, relation, share, away in pairs.itertuples(index=False):
        entries.append((f"structure:{child}:{parent}", float(share), str(relation)))
        small = 0 < round(away * found.rows) < threshold
        entries.append((f"structure_off_main:{child}:{parent}", math.nan if small else float(away), ""))
    return entries

"""The model of a measure fitted a second time with social risk in it, beside the one without.

Adjusting for social risk may excuse worse care of poorer patients, leaving it out may blame who cares for them: both
are shown, and neither is chosen here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from profiling.config import Measure
from profiling.errors import ModelError
from profiling.pipeline.evidence import subgroup_frame

if TYPE_CHECKING:
    from profiling.modeling import MixedModelResult
    from profiling.pipeline.analysis import Examined

Frames = dict[str, pd.DataFrame]
CHECKED = ("c_statistic", "brier", "residual_sd")


def social_risk_frames(measure: Measure, examined: Examined, threshold: int) -> Frames:
    """social_risk, the subgroups under the second model, and its checks; nothing where the measure names none.

    A number of rows without social risk from 1 to `threshold` - 1 cannot be worked out from the checks.
    """
    if measure.social_risk is None:
        return {"model_checks": pd.DataFrame()}
    rows = examined.cases.rows
    held = rows[list(measure.social_risk_columns)].notna().all(axis=1)
    chosen = rows if held.all() else rows[held].reset_index(drop=True)
    try:
        fit = examined.fit.update(f". ~ . + {measure.social_risk}", chosen)
        if fit.converged:
            return _beside(measure, examined, fit, chosen, threshold)
        found = "its model has no maximum"
    except ModelError as error:
        found = str(error.problems[0])
    checks = [("social_risk_unavailable", math.nan, found)]
    return {"model_checks": pd.DataFrame(checks, columns=["name", "value", "note"])}


def _beside(
    measure: Measure, examined: Examined, fit: MixedModelResult, rows: pd.DataFrame, threshold: int
) -> Frames:
    from profiling import assessment as a

    again = a.assess_again(fit, examined.assessments)
    tables = [_side_by_side(published.frame, again[level].frame, level)
              for level, published in examined.assessments.items()]  # fmt: skip
    subgroups = [
        subgroup_frame(measure, examined.fit, examined.cases.rows, examined.options, "main"),
        subgroup_frame(measure, fit, rows, examined.options, "social_risk"),
    ]
    checks = a.model_checks(fit, None, examined.options)
    kept = [(f"social_risk_{name}", value, note) for name, value, note in checks.itertuples(index=False)
            if name in CHECKED]  # fmt: skip
    few = 0 < len(examined.cases.rows) - len(rows) < threshold
    used = (math.nan, f"all but under {threshold}") if few else (float(len(rows)), "")
    kept += [("social_risk_formula", math.nan, fit.formula), ("social_risk_rows", *used)]
    kept += [
        (f"social_risk_coefficient:{term}", float(value), f"standard error {error:.3g}")
        for term, value, error in zip(fit.fixed_effects.index, fit.fixed_effects, fit.standard_errors, strict=True)
        if term not in examined.fit.fixed_effects.index
    ]
    return {
        "social_risk": pd.concat(tables, ignore_index=True),
        "subgroups": pd.concat(subgroups, ignore_index=True),
        "model_checks": pd.DataFrame(kept, columns=["name", "value", "note"]),
    }


def _side_by_side(without: pd.DataFrame, adjusted: pd.DataFrame, level: str) -> pd.DataFrame:
    columns = ["provider", "ratio", "category"]
    both = without[columns].merge(adjusted[columns], on="provider", how="left", suffixes=("_without", "_with"))
    category = both["category_with"].astype(object)
    return both.assign(level=level, category_with=category.where(category.notna(), None))

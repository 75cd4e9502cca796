"""The rows a model is fitted to: attributed to their providers, complete, and what was left out counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.config import Measure
from profiling.errors import InputRejected, Problem
from profiling.pipeline.attribution import ATTRIBUTIONS, attributed_to

if TYPE_CHECKING:
    from profiling.etl import Cohort

ANY_COLUMN = "any of them"
COMPLETE_STEP = "case mix and outcome complete"
POSITIVE_STEP = "outcome above zero"


@dataclass(frozen=True)
class Cases:
    """The rows that a model is fitted to, provider columns named by level; and what was left out.

    otherwise: by name of the other way of attribution the innermost providers of these rows.
    """

    rows: pd.DataFrame
    flow: pd.DataFrame
    missing: pd.DataFrame
    otherwise: dict[str, pd.Series]


def complete_cases(cohort: Cohort, measure: Measure) -> Cases:
    """Attribute the rows, leave out those without outcome or case mix, and count these; InputRejected if none is left.

    The logarithm of the exposure, where the measure has one, is the column that `offset_of` names.
    """
    names = {level.column: level.level for level in measure.providers}
    levels = list(names.values())
    recorded = cohort.table.to_pandas(date_as_object=False).rename(columns=names)
    ways = {way: attributed_to(recorded, levels[-1], way) for way in ATTRIBUTIONS}
    rows = recorded.assign(**{levels[-1]: ways.pop(measure.attribution)})
    columns = list(dict.fromkeys([measure.outcome, *measure.case_mix_columns]))
    gaps = rows[columns].isna()
    complete = rows.loc[~gaps.any(axis=1)]
    steps = [(COMPLETE_STEP, len(complete))]
    if measure.family == "log_gaussian":
        complete = complete.loc[complete[measure.outcome] > 0]
        steps.append((POSITIVE_STEP, len(complete)))
    _possible(measure, complete)
    if measure.exposure:
        complete = complete.assign(**{offset_of(measure): np.log(complete[measure.exposure].astype(np.float64))})
    missing = pd.concat([missing_by(level, rows[level], gaps) for level in levels], ignore_index=True)
    otherwise = {
        way: other[complete.index].reset_index(drop=True)
        for way, other in ways.items()
        if (other[complete.index] != complete[levels[-1]]).any()
    }
    return Cases(complete.reset_index(drop=True), _flow(cohort.flow, steps), missing, otherwise)


def offset_of(measure: Measure) -> str:
    """The column of the logarithm of the exposure."""
    return f"log({measure.exposure})"


def _possible(measure: Measure, complete: pd.DataFrame) -> None:
    where = f"measure {measure.name}"
    if complete.empty:
        wanted = "some rows with outcome and case mix"
        raise InputRejected(Problem(where, "no row is left in its cohort", wanted, "See cohort and columns"))
    if measure.trials:
        more = int((complete[measure.outcome] > complete[measure.trials]).sum())
        if more:
            found = f"{more:,} rows with a larger {measure.outcome} than {measure.trials}"
            raise InputRejected(Problem(where, found, "no more events than trials", "Correct the records"))


def missing_by(level: str, provider: pd.Series[Any], gaps: pd.DataFrame) -> pd.DataFrame:
    """Rows missing by provider and column, for columns that miss any, and for any of them together."""
    kept = gaps.loc[:, gaps.any()]
    kept = kept.assign(**{ANY_COLUMN: kept.any(axis=1)}) if kept.shape[1] else kept
    counted = kept.groupby(provider.to_numpy(), sort=True).sum()
    totals = provider.groupby(provider.to_numpy(), sort=True).size()
    long = (
        counted.rename_axis("provider")
        .reset_index()
        .melt("provider", var_name="column_name", value_name="rows_missing")
    )
    return long.assign(level=level, rows_total=long["provider"].map(totals))


def _flow(flow: pd.DataFrame, steps: list[tuple[str, int]]) -> pd.DataFrame:
    first = int(flow["position"].max()) + 1 if len(flow) else 0
    added = pd.DataFrame(steps, columns=["step", "rows_left"])
    return pd.concat([flow, added.assign(position=range(first, first + len(added)))], ignore_index=True)

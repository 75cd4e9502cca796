"""What is told of a run beside its providers: cohort, missing values, calibration, limits, files and rejected rows.

A step of the cohort that drops 1 to threshold - 1 records is told together with its neighbour; bands of predicted risk
with so few events or non-events are joined; small numbers of missing, rejected or total records are withheld; funnel
limits are drawn on an even grid, so that their places tell no expected count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from profiling.vocabulary import COUNT_FAMILIES

MISSING_WARNING = 0.05
FUNNEL_STEPS = 120
LIMITS = ("lower_flag", "lower_watch", "upper_watch", "upper_flag")


DIGITS = 5
EXACT = "log_likelihood"


def coarse_checks(checks: pd.DataFrame) -> pd.DataFrame:
    """Checks to five digits: with all of them, sums over providers are equations for the few that are hidden."""
    values = checks["value"].astype(float)
    whole = (values == values.round()) | ~np.isfinite(values)
    size = np.floor(np.log10(values.abs().where(~whole & (values != 0), 1.0)))
    factor = 10.0 ** (DIGITS - 1 - size)
    rounded = ((values * factor).round() / factor).where(checks["name"] != EXACT, values.round(3))
    return checks.assign(value=values.where(whole, rounded))


def is_protected(count: float, threshold: int) -> bool:
    """Whether a count lies between 1 and threshold - 1."""
    return 1 <= round(count) < threshold


def of_measures(frame: pd.DataFrame, withheld: Iterable[str]) -> pd.DataFrame:
    """The rows of measures that are not withheld."""
    return frame[~frame["measure"].isin(list(withheld))].reset_index(drop=True)


def masked_flow(flow: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Steps that drop a protected number of records are told together with the step before them (or after)."""
    parts = [_joined_steps(part, threshold) for _, part in flow.groupby("measure", sort=False)]
    columns = ["measure", "position", "step", "rows_left", "excluded"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _joined_steps(part: pd.DataFrame, threshold: int) -> pd.DataFrame:
    steps: list[tuple[str, float]] = []
    waiting: list[str] = []
    for step, left in zip(part["step"].astype(str), part["rows_left"].astype(float), strict=True):
        waiting.append(step)
        dropped = steps[-1][1] - left if steps else 0.0
        if not is_protected(dropped, threshold):
            steps.append(("; ".join(waiting), left))
            waiting = []
    while waiting and steps:
        last, _ = steps.pop()
        waiting.insert(0, last)
        left = float(part["rows_left"].iloc[-1])
        if not steps or not is_protected(steps[-1][1] - left, threshold):
            steps.append(("; ".join(waiting), left))
            waiting = []
    rows_left = np.array([left for _, left in steps])
    return pd.DataFrame(
        {
            "measure": part["measure"].iloc[0],
            "position": np.arange(len(steps)),
            "step": [step for step, _ in steps],
            "rows_left": rows_left,
            "excluded": np.concatenate([[0.0], -np.diff(rows_left)]),
        }
    )


def masked_missing(missing: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Missing values by measure and column over the outer level; protected numbers withheld."""
    if missing.empty:
        return pd.DataFrame(columns=["measure", "column_name", "rows_missing", "rows_total"])
    outer = missing["level"] == missing.groupby("measure")["level"].transform("first")
    sums = (
        missing[outer]
        .groupby(["measure", "column_name"], sort=False)[["rows_missing", "rows_total"]]
        .sum()
        .reset_index()
    )
    small = np.array([is_protected(count, threshold) for count in sums["rows_missing"]], dtype=bool)
    return sums.assign(rows_missing=sums["rows_missing"].astype(float).mask(small))


def lacking_records(missing: pd.DataFrame) -> frozenset[tuple[str, str, str]]:
    """Measure, level and provider of which over 5 % of the records lack case mix or outcome."""
    over = missing[missing["rows_missing"] > MISSING_WARNING * missing["rows_total"]]
    return frozenset(zip(over["measure"], over["level"], over["provider"].astype(str), strict=True))


def masked_calibration(bands: pd.DataFrame, specs: Mapping[str, Mapping[str, Any]], threshold: int) -> pd.DataFrame:
    """Bands of predicted risk, neighbours joined until none holds a protected number of events or non-events."""
    parts = [
        _joined_bands(part, threshold if specs[str(name)]["family"] in COUNT_FAMILIES else 0)
        for name, part in bands.groupby("measure", sort=False)
    ]
    return pd.concat(parts, ignore_index=True) if parts else bands


def _joined_bands(part: pd.DataFrame, threshold: int) -> pd.DataFrame:
    columns = ["n", "observed", "expected"]
    joined: list[np.ndarray[Any, Any]] = []
    for row in part[columns].to_numpy(dtype=np.float64):
        if joined and _small_band(joined[-1], threshold):
            joined[-1] = joined[-1] + row
        else:
            joined.append(row.copy())
    while len(joined) > 1 and _small_band(joined[-1], threshold):
        last = joined.pop()
        joined[-1] = joined[-1] + last
    if joined and _small_band(joined[-1], threshold):
        joined = []
    table = pd.DataFrame(np.array(joined).reshape(-1, 3), columns=columns)
    return table.assign(measure=part["measure"].iloc[0], band=np.arange(1, len(table) + 1))


def _small_band(row: np.ndarray[Any, Any], threshold: int) -> bool:
    cases, events, _ = row
    return any(is_protected(count, threshold) for count in (cases, events, cases - events))


def masked_limits(limits: pd.DataFrame, providers: pd.DataFrame) -> pd.DataFrame:
    """Limits on an even grid up to the largest expected count shown."""
    parts = []
    for (measure, level), part in limits.groupby(["measure", "level"], sort=False):
        of_level = (providers["measure"] == measure) & (providers["level"] == level)
        column = "expected_marginal" if "expected_marginal" in providers else "expected"
        largest = providers.loc[of_level, column].max()
        source = part.sort_values("expected")
        if not np.isfinite(largest) or source.empty:
            continue
        start = max(float(source["expected"].min()), largest / FUNNEL_STEPS / 4)
        grid = np.geomspace(start, max(1.05 * largest, 1.01 * start), FUNNEL_STEPS)
        lines = {name: np.interp(grid, source["expected"], source[name]) for name in LIMITS}
        parts.append(
            pd.DataFrame(
                {"measure": measure, "level": level, "position": range(FUNNEL_STEPS), "expected": grid, **lines}
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else limits.iloc[:0]


def masked_counts(inputs: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Where few records of a file were rejected, how many were accepted is withheld, for it gives them back."""
    small = np.array([is_protected(count, threshold) for count in inputs["rows_rejected"]], dtype=bool)
    columns = ["rows_accepted", "rows_rejected"]
    return inputs.assign(few_rejected=small, **{name: inputs[name].astype(float).mask(small) for name in columns})


def masked_rejects(rejects: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Rejected rows by rule; small numbers withheld."""
    small = np.array([is_protected(count, threshold) for count in rejects["rows"]], dtype=bool)
    return rejects.assign(rows=rejects["rows"].astype(float).mask(small))

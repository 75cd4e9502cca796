"""The gate before publication: what jumps against the published run before is held until somebody has looked.

Most jumps are faults of the data: a file half delivered, a code that changed its meaning, a column gone empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profiling.config import Gate
from profiling.pipeline.cases import COMPLETE_STEP

if TYPE_CHECKING:
    import pandas as pd

    from profiling.store.runs import RunRecord

FLAGGED = ("higher", "lower")
NOT_ASSESSED = "too_few"
LEAST_FLAGS = 2


@dataclass(frozen=True)
class Reason:
    """Why a run is held. `kind` says of what the jump is, without a number: it may stand on a public page."""

    measure: str
    kind: str
    found: str
    expected: str


def reasons(run: RunRecord, before: RunRecord, gate: Gate) -> list[Reason]:
    """Every jump of a measure that both runs have, in the order of the configuration."""
    found: list[Reason] = []
    then = _numbers(before)
    for name, (volume, rate) in _numbers(run).items():
        if name in then:
            found += _relative(name, "number of patients", gate.volume, volume, then[name][0], ",.0f")
            found += _relative(name, "event rate or mean", gate.event_rate, rate, then[name][1], ".4g")
            found += _missing(name, gate.missingness, _lacking(run, name), _lacking(before, name))
            found += _flags(name, gate.flags, run.flags, before.flags)
    return found


def _numbers(run: RunRecord) -> dict[str, tuple[float, float]]:
    """Patients and overall rate by measure, in the order of the configuration."""
    columns = (run.measures[name].tolist() for name in ("measure", "rows_used", "overall_rate"))
    return {str(name): (float(volume), float(rate)) for name, volume, rate in zip(*columns, strict=True)}


def _relative(measure: str, what: str, limit: float | None, now: float, then: float, form: str) -> Iterator[Reason]:
    if limit is not None and abs(now - then) > limit * abs(then):
        found = f"the {what} went from {then:{form}} to {now:{form}}"
        yield Reason(measure, f"{what} of {measure}", found, f"a change of at most {limit:.0%}")


def _missing(measure: str, limit: float | None, now: float, then: float) -> Iterator[Reason]:
    if limit is not None and now - then > limit:
        found = f"records left out for missing case mix or outcome went from {then:.1%} to {now:.1%}"
        yield Reason(measure, f"missing values of {measure}", found, f"at most {limit:.0%} of the records more")


def _lacking(run: RunRecord, measure: str) -> float:
    """Share of the records of the cohort that the model could not use."""
    flow = run.cohort_flow[run.cohort_flow["measure"] == measure].sort_values("position")
    complete = (flow["step"] == COMPLETE_STEP).to_numpy()
    if not complete.any() or complete.argmax() == 0:
        return 0.0
    left = flow["rows_left"].to_numpy(dtype=float)
    eligible = left[complete.argmax() - 1]
    return float(1.0 - left[complete.argmax()] / eligible) if eligible else 0.0


def _flags(measure: str, limit: float | None, now: pd.DataFrame, then: pd.DataFrame) -> Iterator[Reason]:
    if limit is None:
        return
    old = {str(level): part for level, part in _of(then, measure).groupby("level", sort=True)}
    new = {str(level): part for level, part in _of(now, measure).groupby("level", sort=True)}
    for level, part in new.items():
        if level in old:
            new_flags, former_flags = (int(rows["category"].isin(FLAGGED).sum()) for rows in (part, old[level]))
            # One flag more or less is a provider's affair, however few providers there are.
            if abs(new_flags - former_flags) >= LEAST_FLAGS and abs(_share(part) - _share(old[level])) > limit:
                found = f"flags at the level {level} went from {former_flags:,} to {new_flags:,}"
                wanted = f"a change of at most {limit:.0%} of those assessed"
                yield Reason(measure, f"number of flags of {measure}", found, wanted)


def _of(flags: pd.DataFrame, measure: str) -> pd.DataFrame:
    return flags[(flags["measure"] == measure) & (flags["category"] != NOT_ASSESSED)]


def _share(rows: pd.DataFrame) -> float:
    return float(rows["category"].isin(FLAGGED).mean()) if len(rows) else 0.0

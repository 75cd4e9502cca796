"""What a reader of a run already has: the counts of runs published before that share records with it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy.engine import Engine

    from profiling.reporting.suppression_extra import Earlier
    from profiling.store.runs import RunRecord

KEY = ["measure", "level", "provider"]
SAME = ("outcome", "family", "trials", "providers")


def earlier_runs(engine: Engine, record: RunRecord, among: Collection[str] | None = None) -> list[Earlier]:
    """Runs published before this one with a measure of the same outcome of partly the same records, oldest first.

    among: only these runs.
    """
    from profiling.store.earlier import published_runs
    from profiling.store.runs import read_run

    names = [name for name in published_runs(engine, record.run_id) if among is None or name in among]
    found = (_earlier(engine, read_run(engine, name), record) for name in names)
    return [run for run in found if run is not None]


def with_decision(engine: Engine, record: RunRecord) -> tuple[RunRecord, list[Earlier]]:
    """The run with what is hidden of it decided, if it was not, and the runs that the decision stands on."""
    from profiling.reporting.decision import decide, kept
    from profiling.store.publications import history_of

    history = history_of(record.run)
    if history.disclosure:
        return record, earlier_runs(engine, record, history.disclosure["against"])
    earlier = earlier_runs(engine, record)
    history = replace(history, disclosure=kept(record, decide(record, earlier), earlier))
    return replace(record, run=record.run | {"output_json": history.as_json()}), earlier


def _earlier(engine: Engine, former: RunRecord, later: RunRecord) -> Earlier | None:
    """What was published of an earlier run, as far as its records are in the later one too."""
    import pandas as pd

    from profiling.reporting.decision import decision_of
    from profiling.reporting.provider_table import joined, specifications
    from profiling.reporting.suppression_extra import Earlier

    theirs, ours = specifications(former), specifications(later)
    measures = [name for name in theirs if name in ours and _same(theirs[name], ours[name])]
    made = decision_of(former)
    full = joined(former, theirs).assign(hidden=made.hidden, blind=made.blind)
    parts, came, went = [], {}, {}
    for name in measures:
        part = full[full["measure"] == name]
        changed = _changed(engine, former, later, name, part)
        if changed is not None:
            came[name], went[name] = bool(changed["came"].sum()), bool(changed["went"].sum())
            parts.append(part.assign(apart=(changed["came"] == 0) | (changed["went"] == 0)))
    if not parts:
        return None
    return Earlier(former.run_id, pd.concat(parts, ignore_index=True), made.withheld, came, went)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two measures count the same of the same providers; cohort, period and model may differ."""
    return all(json.dumps(one.get(key), sort_keys=True) == json.dumps(other.get(key), sort_keys=True) for key in SAME)


def _changed(
    engine: Engine, former: RunRecord, later: RunRecord, measure: str, providers: pd.DataFrame
) -> pd.DataFrame | None:
    """Records that came to and went from each of the providers (in their order); None if the runs share no records.

    Without records, in published tables, it is told from the counts: cumulative tables only grow.
    """
    import pandas as pd

    from profiling.store.earlier import changed_records

    changed, shared = changed_records(engine, former.run_id, later.run_id, measure)
    if shared:
        levels = providers["level"].to_numpy(dtype=object)
        found = pd.DataFrame({"came": 0.0, "went": 0.0}, index=providers.index)
        columns = zip(dict.fromkeys(levels), ("outer_provider", "inner_provider"), strict=False)
        for level, column in columns:
            sums = changed.groupby(changed[column].astype(object).astype(str))[["came", "went"]].sum()
            mine = providers["level"] == level
            found.loc[mine] = sums.reindex(providers.loc[mine, "provider"].astype(str)).fillna(0.0).to_numpy()
        return found
    if len(changed):
        return None
    now = later.provider_estimates.set_index(KEY)["n"]
    then = providers.set_index(KEY)["n"]
    change = now.reindex(then.index).fillna(0.0).to_numpy(dtype=float) - then.to_numpy(dtype=float)
    if (change > 0).any() and (change < 0).any():
        return None
    return pd.DataFrame({"came": change.clip(min=0), "went": (-change).clip(min=0)}, index=providers.index)

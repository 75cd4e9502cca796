"""The registry of runs: what each used, and everything it found, kept so that a report needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from profiling.errors import InternalError, Problem, UsageError
from profiling.store import tables as t
from profiling.store.bulk import read_frame, write_table
from profiling.store.engine import reading, writing

OUTCOMES: Final = ("source", "rule_id", "column_name", "rows_checked", "rows_broken")


def _no_outcomes() -> pd.DataFrame:
    return pd.DataFrame(columns=list(OUTCOMES))


def _empty(table: sa.Table) -> pd.DataFrame:
    return pd.DataFrame(columns=_names(table))


@dataclass(frozen=True)
class RunRecord:
    """Everything the store keeps of a run but the predictions per encounter; each frame in a fixed order."""

    run: dict[str, Any]
    inputs: pd.DataFrame
    timings: pd.DataFrame
    measures: pd.DataFrame
    cohort_flow: pd.DataFrame
    missing_counts: pd.DataFrame
    fixed_effects: pd.DataFrame
    variance_components: pd.DataFrame
    model_checks: pd.DataFrame
    calibration: pd.DataFrame
    provider_estimates: pd.DataFrame
    flags: pd.DataFrame
    funnel_limits: pd.DataFrame
    rejects: pd.DataFrame
    loads: pd.DataFrame
    rule_outcomes: pd.DataFrame = field(default_factory=_no_outcomes)
    provider_evidence: pd.DataFrame = field(default_factory=partial(_empty, t.provider_evidence))
    provider_periods: pd.DataFrame = field(default_factory=partial(_empty, t.provider_periods))
    subgroups: pd.DataFrame = field(default_factory=partial(_empty, t.subgroups))
    social_risk: pd.DataFrame = field(default_factory=partial(_empty, t.social_risk))
    sensitivity: pd.DataFrame = field(default_factory=partial(_empty, t.sensitivity))
    provider_comments: pd.DataFrame = field(default_factory=partial(_empty, t.provider_comments))
    composites: pd.DataFrame = field(default_factory=partial(_empty, t.composites))
    composite_scores: pd.DataFrame = field(default_factory=partial(_empty, t.composite_scores))

    @property
    def run_id(self) -> str:
        """The run's identifier."""
        return str(self.run["run_id"])


_FRAMES: Final = {
    "inputs": t.run_inputs,
    "timings": t.run_timings,
    "measures": t.measures,
    "cohort_flow": t.cohort_flow,
    "missing_counts": t.missing_counts,
    "fixed_effects": t.fixed_effects,
    "variance_components": t.variance_components,
    "model_checks": t.model_checks,
    "calibration": t.calibration,
    "provider_estimates": t.provider_estimates,
    "flags": t.flags,
    "funnel_limits": t.funnel_limits,
    "provider_evidence": t.provider_evidence,
    "provider_periods": t.provider_periods,
    "subgroups": t.subgroups,
    "social_risk": t.social_risk,
    "sensitivity": t.sensitivity,
    "provider_comments": t.provider_comments,
    "composites": t.composites,
    "composite_scores": t.composite_scores,
}


def current_inputs(engine: Engine) -> pd.DataFrame:
    """The files the records stand for: source, file_name, sha256, rows read, accepted, rejected, load_id."""
    columns = [t.loads.c[name] for name in _names(t.run_inputs) if name != "run_id"]
    return read_frame(
        engine, sa.select(*columns).where(t.loads.c.is_current).order_by(t.loads.c.source, t.loads.c.load_id)
    )


def new_run(
    engine: Engine,
    *,
    run_id: str,
    created_at: datetime,
    seed: int,
    version: str,
    title: str,
    config_text: str,
    config_sha256: str,
    threshold: int,
    output_json: str | None = None,
    status: str = "running",
) -> None:
    """Enter a run and the inputs it stands on. A run with the same id (same inputs and clock) is replaced."""
    row = {
        "run_id": run_id,
        "created_at": naive_utc(created_at),
        "status": status,
        "seed": seed,
        "version": version,
        "title": title,
        "config_text": config_text,
        "config_sha256": config_sha256,
        "threshold": threshold,
        "output_json": output_json,
    }
    inputs = current_inputs(engine).assign(run_id=run_id)
    with writing(engine) as connection:
        connection.execute(sa.delete(t.runs).where(t.runs.c.run_id == run_id))
        connection.execute(sa.insert(t.runs), row)
        write_table(connection, t.run_inputs, inputs)


def finish_run(engine: Engine, run_id: str, status: str, output_json: str | None = None) -> None:
    """Set the status of a run (`fitted`, `published`, `failed`), and what it wrote if given."""
    values = {"status": status} | ({} if output_json is None else {"output_json": output_json})
    with writing(engine) as connection:
        changed = connection.execute(sa.update(t.runs).where(t.runs.c.run_id == run_id).values(**values))
        if changed.rowcount != 1:
            raise unknown_run(run_id)


def write_results(engine: Engine, run_id: str, frames: Mapping[str, pd.DataFrame]) -> None:
    """Write what a run found, by table name, in one transaction; what stood in these tables is replaced.

    `run_id` is filled in; columns the table does not have are left out; absent nullable columns become NULL.
    """
    unknown = sorted(set(frames) - set(t.RESULTS))
    if unknown:
        raise InternalError(Problem("store", f"results for unknown tables {unknown}", f"some of {sorted(t.RESULTS)}"))
    with writing(engine) as connection:
        for name, frame in frames.items():
            _replace(connection, t.RESULTS[name], run_id, frame)


def _replace(connection: Connection, table: sa.Table, run_id: str, frame: pd.DataFrame) -> None:
    connection.execute(sa.delete(table).where(table.c.run_id == run_id))
    known = [name for name in _names(table) if name in frame.columns and name != "run_id"]
    write_table(connection, table, frame[known].assign(run_id=run_id))


def list_runs(engine: Engine) -> pd.DataFrame:
    """All runs, newest first, without the text of their configuration."""
    columns = [column for column in t.runs.c if column.name not in ("config_text", "output_json")]
    return read_frame(engine, sa.select(*columns).order_by(t.runs.c.created_at.desc(), t.runs.c.run_id))


def latest_run(engine: Engine, statuses: tuple[str, ...] = ("fitted", "published")) -> str | None:
    """The id of the newest run with one of these statuses, or None."""
    newest = (
        sa.select(t.runs.c.run_id)
        .where(t.runs.c.status.in_(statuses))
        .order_by(t.runs.c.created_at.desc(), t.runs.c.run_id)
        .limit(1)
    )
    with reading(engine) as connection:
        return connection.execute(newest).scalar()


def read_run(engine: Engine, run_id: str) -> RunRecord:
    """All that is known of a run. Raises UsageError for an id that is not in the registry."""
    with reading(engine) as connection:
        row = connection.execute(sa.select(t.runs).where(t.runs.c.run_id == run_id)).mappings().first()
    if row is None:
        raise unknown_run(run_id)
    frames = {field: _read(engine, table, run_id) for field, table in _FRAMES.items()}
    return RunRecord(
        run=dict(row),
        rejects=read_frame(engine, _rejects_of(run_id)),
        loads=read_frame(engine, _loads_of(run_id)),
        rule_outcomes=read_frame(engine, _outcomes_of(run_id)),
        **frames,
    )


def read_predictions(engine: Engine, run_id: str, measure: str) -> pd.DataFrame:
    """The predictions of a measure, one row an encounter, by encounter_id."""
    table = t.predictions
    chosen = sa.select(table).where(table.c.run_id == run_id, table.c.measure == measure)
    return read_frame(engine, chosen.order_by(table.c.encounter_id))


def naive_utc(moment: datetime) -> datetime:
    """The same moment in UTC without its zone, as the tables keep it."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _names(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns]


def unknown_run(run_id: str) -> UsageError:
    """The error for a run that the registry does not have."""
    return UsageError(Problem("run", f"no run {run_id!r} in this database", "an id from `profiling runs`"))


def _read(engine: Engine, table: sa.Table, run_id: str) -> pd.DataFrame:
    key = list(table.primary_key.columns)[1:]
    # Measures come in the order of the configuration, everything else by its key.
    order = [table.c.position, *key] if table is t.measures else key
    return read_frame(engine, sa.select(table).where(table.c.run_id == run_id).order_by(*order))


def _of_run(run_id: str) -> sa.Select[Any]:
    return sa.select(t.run_inputs.c.load_id).where(t.run_inputs.c.run_id == run_id)


def _loads_of(run_id: str) -> sa.Select[Any]:
    return (
        sa.select(t.loads).where(t.loads.c.load_id.in_(_of_run(run_id))).order_by(t.loads.c.source, t.loads.c.load_id)
    )


def _outcomes_of(run_id: str) -> sa.Select[Any]:
    rule = t.rule_outcomes.c
    keys = (t.loads.c.source, rule.rule_id, rule.column_name)
    counts = [sa.cast(sa.func.sum(rule[name]), sa.BigInteger).label(name) for name in ("rows_checked", "rows_broken")]
    return (
        sa.select(*keys, *counts)
        .join_from(t.rule_outcomes, t.loads)
        .where(t.loads.c.load_id.in_(_of_run(run_id)))
        .group_by(*keys)
        .order_by(*keys)
    )


def _rejects_of(run_id: str) -> sa.Select[Any]:
    keys = (t.loads.c.source, t.rejects.c.rule_id, t.rejects.c.column_name)
    return (
        sa.select(*keys, sa.func.count().label("rows"))
        .join_from(t.rejects, t.loads)
        .where(t.loads.c.load_id.in_(_of_run(run_id)))
        .group_by(*keys)
        .order_by(*keys)
    )

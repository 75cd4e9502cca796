"""Writing judged batches: loads, rejects, outcomes of rules and records, with the count of rows asserted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from profiling.config import RECORD_IDS, Settings
from profiling.errors import InternalError, Problem
from profiling.etl.batches import Batch, FileOutcome, declaration
from profiling.etl.columns import LOAD_ORDER, NUMBERED, REFERENCES
from profiling.store import tables as t
from profiling.store.attributes import record_table, sync_attributes
from profiling.store.bulk import write_table
from profiling.store.runs import naive_utc


def write_batches(connection: Connection, settings: Settings, batches: list[Batch], now: datetime) -> None:
    """Replace the rows of these sources, and of tables derived from them, in the caller's transaction."""
    by_source = {batch.source: batch for batch in batches}
    derived = _derived(settings, batches) if "encounters" in by_source else {}
    # Tables derived from encounters stay with them, whatever else is read again.
    _clear(connection, [*by_source, *derived, *(set(LOAD_ORDER) - set(settings.sources) - set(RECORD_IDS))])
    for name in LOAD_ORDER:
        if name in by_source:
            _write_batch(connection, by_source[name], declaration(settings, name), now)
        elif name in derived:
            sync_attributes(connection, name, {})
            write_table(connection, t.RECORDS[name], derived[name])


def _clear(connection: Connection, sources: Iterable[str]) -> None:
    going = set(sources)
    for name in reversed(LOAD_ORDER):
        if name in going:
            connection.execute(sa.delete(t.RECORDS[name]))
    past = sa.update(t.loads).where(t.loads.c.source.in_(sorted(going)), t.loads.c.is_current)
    connection.execute(past.values(is_current=False))


def _derived(settings: Settings, batches: list[Batch]) -> dict[str, pa.Table]:
    """Tables that no file gives: one row for each distinct id that others refer to, named by its id."""
    return {
        name: _distinct(name, batches) for name in LOAD_ORDER if name not in settings.sources and name in RECORD_IDS
    }


def _distinct(name: str, batches: list[Batch]) -> pa.Table:
    mentions = [
        batch.accepted.column(column)
        for batch in batches
        for column, target in REFERENCES[batch.source].items()
        if target == name and column in batch.accepted.column_names
    ]
    ids = pa.chunked_array([chunk for mention in mentions for chunk in mention.chunks], pa.string())
    distinct = pc.unique(ids).drop_null()
    distinct = distinct.take(pc.sort_indices(distinct))
    columns = {RECORD_IDS[name]: distinct}
    return pa.table(columns | ({"name": distinct} if "name" in t.RECORDS[name].c else {}))


def _write_batch(connection: Connection, batch: Batch, declared: str, now: datetime) -> None:
    attributes = {column.name: column.sql_type for column in batch.columns if not column.canonical}
    sync_attributes(connection, batch.source, attributes)
    table = record_table(connection, batch.source)
    for outcome in batch.outcomes:
        load_id = _next(connection, t.loads.c.load_id)
        connection.execute(sa.insert(t.loads), _load_row(batch, outcome, load_id, declared, now))
        _write_rules(connection, outcome, load_id)
        write_table(connection, t.rejects, _reject_rows(connection, outcome, load_id))
        write_table(connection, table, _records(connection, batch, outcome, load_id))
        _assert_nothing_lost(connection, table, outcome, load_id)


def _load_row(batch: Batch, outcome: FileOutcome, load_id: int, declared: str, now: datetime) -> dict[str, object]:
    file = outcome.file
    return {
        "load_id": load_id,
        "source": batch.source,
        "file_name": file.path.name,
        "sha256": file.sha256,
        "declaration_sha256": declared,
        "bytes": file.size,
        "rows_read": file.rows_read,
        "rows_accepted": outcome.accepted.num_rows,
        "rows_rejected": outcome.rows_rejected,
        "loaded_at": naive_utc(now),
        "is_current": True,
    }


def _write_rules(connection: Connection, outcome: FileOutcome, load_id: int) -> None:
    rows = [
        {
            "load_id": load_id,
            "rule_id": rule.rule_id,
            "column_name": rule.column,
            "rows_checked": rule.checked,
            "rows_broken": rule.broken,
        }
        for rule in outcome.rules
    ]
    write_table(connection, t.rule_outcomes, pa.Table.from_pylist(rows))


def _reject_rows(connection: Connection, outcome: FileOutcome, load_id: int) -> pa.Table:
    first = _next(connection, t.rejects.c.reject_id)
    count = outcome.rejects.num_rows
    numbers = pa.array(np.arange(first, first + count))
    return outcome.rejects.append_column("reject_id", numbers).append_column("load_id", _repeat(load_id, count))


def _records(connection: Connection, batch: Batch, outcome: FileOutcome, load_id: int) -> pa.Table:
    rows = outcome.accepted
    if batch.source in NUMBERED:
        number = NUMBERED[batch.source]
        first = _next(connection, t.RECORDS[batch.source].c[number])
        rows = rows.append_column(number, pa.array(np.arange(first, first + rows.num_rows)))
    return rows.append_column("load_id", _repeat(load_id, rows.num_rows))


def _assert_nothing_lost(connection: Connection, table: sa.Table, outcome: FileOutcome, load_id: int) -> None:
    """Rows read = rows in the table + distinct rows among the rejects, counted by the database itself."""
    accepted = sa.select(sa.func.count()).select_from(table).where(table.c.load_id == load_id)
    distinct = sa.func.count(sa.distinct(t.rejects.c.source_row))
    rejected = sa.select(distinct).where(t.rejects.c.load_id == load_id)
    found = [connection.execute(statement).scalar_one() for statement in (accepted, rejected)]
    if sum(found) != outcome.file.rows_read or found != [outcome.accepted.num_rows, outcome.rows_rejected]:
        counts = f"{outcome.file.rows_read} rows read, {found[0]} accepted, {found[1]} rejected"
        raise InternalError(Problem(table.name, counts, "every row accepted or rejected", "Report this fault"))


def _next(connection: Connection, key: sa.Column[int]) -> int:
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(key), 0) + 1)).scalar_one())


def _repeat(value: int, count: int) -> pa.Array:
    return pa.array(np.full(count, value, dtype=np.int64))

"""Bulk transfer: whole Arrow tables in and out of SQL, never row by row.

Reading outside a transaction goes through ADBC. A write must belong to its caller's transaction, which
ADBC's own connection cannot join; so a large one goes through ADBC into a staging place (a table in
PostgreSQL, a file for SQLite) and from there by one INSERT ... SELECT inside the transaction. All else goes in chunks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from profiling.store import adbc
from profiling.store.arrow import Frame, arrow_type, for_sqlite, from_database, to_arrow
from profiling.store.engine import STAGED, reading

CHUNK: Final = 20_000
STAGE_FROM: Final = 50_000


def write_table(connection: Connection, table: sa.Table, data: Frame, *, stage_from: int = STAGE_FROM) -> int:
    """Insert all rows of an Arrow table or frame into `table` inside the caller's transaction.

    Columns go by name; those that are absent become NULL, and so does NaN. `stage_from`: rows from which a
    write goes through ADBC's staging; that needs a transaction of `profiling.store.engine.writing`.
    """
    arrow = to_arrow(table, data)
    if arrow.num_rows == 0:
        return 0
    if connection.dialect.name == "sqlite":
        arrow = for_sqlite(arrow)
    staged = arrow.num_rows >= stage_from and STAGED in connection.info and adbc.available(connection.engine.url)
    (_write_staged if staged else _write_plain)(connection, table, arrow)
    return int(arrow.num_rows)


def read_table(source: Engine | Connection, statement: sa.Select[Any]) -> pa.Table:
    """The result of a SELECT as one Arrow table in the types of its columns.

    From an engine through ADBC where it can; from a connection inside its transaction, in chunks.
    """
    names = [column.name for column in statement.selected_columns]
    types = [arrow_type(column.type) for column in statement.selected_columns]
    if isinstance(source, Connection):
        return from_database(names, _read_plain(source, statement, len(names)), types)
    if adbc.available(source.url):
        return from_database(names, adbc.fetch(source.url, statement).columns, types)
    with reading(source) as connection:
        return from_database(names, _read_plain(connection, statement, len(names)), types)


def read_frame(source: Engine | Connection, statement: sa.Select[Any]) -> pd.DataFrame:
    """The result of a SELECT as a frame, for tables of results. NULL in a text column is None."""
    frame: pd.DataFrame = read_table(source, statement).to_pandas(date_as_object=True)
    texts = frame.select_dtypes(include=["object", "str"]).columns
    return frame.assign(**{name: frame[name].astype(object).where(frame[name].notna(), None) for name in texts})


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _write_plain(connection: Connection, table: sa.Table, arrow: pa.Table) -> None:
    places = ", ".join(["?" if connection.dialect.name == "sqlite" else "%s"] * arrow.num_columns)
    columns = ", ".join(_quoted(connection, name) for name in arrow.column_names)
    sql = f"INSERT INTO {_quoted(connection, table.name)} ({columns}) VALUES ({places})"
    for batch in arrow.to_batches(max_chunksize=CHUNK):
        rows = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        connection.exec_driver_sql(sql, rows)


def _write_staged(connection: Connection, table: sa.Table, arrow: pa.Table) -> None:
    columns = ", ".join(_quoted(connection, name) for name in arrow.column_names)
    target = f"{_quoted(connection, table.name)} ({columns})"
    # A second write in one transaction needs its own place: the first is locked until the end.
    name = f"staging_{len(connection.info[STAGED])}"
    url = connection.engine.url
    if connection.dialect.name == "postgresql":
        connection.info[STAGED].append(name)
        adbc.ingest(url, name, arrow)
        connection.exec_driver_sql(f"INSERT INTO {target} SELECT {columns} FROM {name}")
        return
    with tempfile.TemporaryDirectory(prefix="staging-") as folder:
        file = Path(folder) / "rows.db"
        adbc.ingest(url.set(database=str(file)), "rows", arrow)
        connection.exec_driver_sql(f"ATTACH DATABASE ? AS {name}", (str(file),))
        connection.info[STAGED].append(name)
        connection.exec_driver_sql(f"INSERT INTO {target} SELECT {columns} FROM {name}.rows")


def _read_plain(connection: Connection, statement: sa.Select[Any], width: int) -> list[list[Any]]:
    columns: list[list[Any]] = [[] for _ in range(width)]
    for rows in _partitions(connection, statement):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return columns


def _partitions(connection: Connection, statement: sa.Select[Any]) -> Iterator[Any]:
    return iter(connection.execute(statement).partitions(CHUNK))

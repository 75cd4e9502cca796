"""Between SQL types and Arrow types: the one place that knows how each database keeps a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

Frame: TypeAlias = pa.Table | pd.DataFrame


def arrow_type(kind: sa.types.TypeEngine[Any]) -> pa.DataType | None:
    """The Arrow type that holds a column of this SQL type; None where the type is not known."""
    known: tuple[tuple[type[sa.types.TypeEngine[Any]], pa.DataType], ...] = (
        (sa.Boolean, pa.bool_()),
        (sa.Integer, pa.int64()),
        (sa.Float, pa.float64()),
        (sa.Numeric, pa.float64()),
        (sa.Date, pa.date32()),
        (sa.DateTime, pa.timestamp("us")),
        (sa.String, pa.string()),
    )
    return next((arrow for sql, arrow in known if isinstance(kind, sql)), None)


def to_arrow(table: sa.Table, data: Frame) -> pa.Table:
    """The columns of `data` in the types of `table`, NaN as null. Raises KeyError for an unknown column."""
    arrow = pa.Table.from_pandas(data, preserve_index=False) if isinstance(data, pd.DataFrame) else data
    columns = {name: _fit(arrow.column(name), arrow_type(table.c[name].type)) for name in arrow.column_names}
    return pa.table(columns)


def for_sqlite(arrow: pa.Table) -> pa.Table:
    """The same table as SQLite keeps it: dates as ISO text, booleans as 0 and 1."""
    return pa.table({name: _sqlite_column(arrow.column(name)) for name in arrow.column_names})


def from_database(names: Iterable[str], columns: Iterable[Any], types: Iterable[pa.DataType | None]) -> pa.Table:
    """A table of columns as a database gave them (Arrow or lists of Python values), each cast to its type."""
    made = [
        _fit(column, kind) if isinstance(column, pa.ChunkedArray) else pa.array(column, type=kind)
        for column, kind in zip(columns, types, strict=True)
    ]
    return pa.table(made, names=list(names))


def _fit(column: pa.ChunkedArray, kind: pa.DataType | None) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if kind is None or column.type == kind:
        return column
    if column.null_count == len(column):
        # SQLite gives a column without values, or without rows, as whole numbers.
        return pa.chunked_array([pa.nulls(len(column), kind)])
    if pa.types.is_timestamp(kind) and pa.types.is_timestamp(column.type) and column.type.tz:
        return column.cast(pa.timestamp("us", "UTC"), safe=False).cast(kind)
    return column.cast(kind)


def _sqlite_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_date(column.type):
        return column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%d %H:%M:%S")
    return column.cast(pa.int64()) if pa.types.is_boolean(column.type) else column

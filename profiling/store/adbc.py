"""Arrow straight in and out of the database through ADBC, where its driver is installed and can reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import URL, Dialect

from profiling.errors import DatabaseError
from profiling.store.engine import refused

_DRIVERS: Final = {"sqlite": "adbc_driver_sqlite", "postgresql": "adbc_driver_postgresql"}
_DIALECTS: Final[dict[str, tuple[Callable[..., Dialect], str]]] = {
    "sqlite": (SQLiteDialect, "qmark"),
    "postgresql": (PGDialect, "numeric_dollar"),
}
# The SQLite driver infers types from its first batch: one batch, so that late values cannot surprise it.
_SQLITE_BATCH: Final = {"adbc.sqlite.query.batch_rows": str(2**31 - 2)}


def available(url: URL) -> bool:
    """Whether ADBC can reach this database: its driver is there, and SQLite is a plain file."""
    backend = url.get_backend_name()
    if backend not in _DRIVERS or find_spec(_DRIVERS[backend]) is None:
        return False
    return backend != "sqlite" or bool(url.database and url.database != ":memory:" and not url.query)


@contextmanager
def connect(url: URL) -> Iterator[Any]:
    """A connection of ADBC's own, beside SQLAlchemy's: it sees what is committed."""
    backend = url.get_backend_name()
    address = f"file:{_quoted(url.database or '')}" if backend == "sqlite" else _libpq(url)
    driver = import_module(f"{_DRIVERS[backend]}.dbapi")
    try:
        with closing(driver.connect(address)) as connection:
            yield connection
    except driver.Error as error:
        raise DatabaseError(refused(url, error)) from error


def ingest(url: URL, name: str, data: pa.Table) -> None:
    """Create the table `name` with these rows, replacing one of that name, and commit."""
    with connect(url) as connection:
        with connection.cursor() as cursor:
            cursor.adbc_ingest(name, data, mode="replace")
        connection.commit()


def fetch(url: URL, statement: sa.Select[Any]) -> pa.Table:
    """The result of a statement as ADBC gives it, parameters bound."""
    sqlite_file = url.get_backend_name() == "sqlite"
    sql, values = bound(statement, sqlite_file)
    with connect(url) as connection, connection.cursor() as cursor:
        if sqlite_file:
            cursor.adbc_statement.set_options(**_SQLITE_BATCH)
        cursor.execute(sql, values or None)
        return cursor.fetch_arrow_table()


def bound(statement: sa.Select[Any], sqlite_file: bool) -> tuple[str, list[Any]]:
    """SQL text with positional placeholders, and the values in their order."""
    make, style = _DIALECTS["sqlite" if sqlite_file else "postgresql"]
    dialect = make(paramstyle=style)
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    values = [compiled.params[name] for name in compiled.positiontup or ()]
    return str(compiled), [_sqlite_value(value) for value in values] if sqlite_file else values


def _sqlite_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, date) else value


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)

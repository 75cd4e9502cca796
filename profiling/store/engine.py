"""Opening the database: foreign keys on, real transactions on SQLite, and errors a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Connection, Engine, make_url

from profiling.errors import DatabaseError, Problem

BUSY_SECONDS = 30
WRITES = "profiling_writes"
STAGED = "profiling_staged"


def open_database(url: str | URL) -> Engine:
    """The engine of a database URL (`sqlite:///file`, `postgresql+psycopg://...`), after it has answered.

    Raises DatabaseError when the URL cannot be read, the driver is missing, or nothing answers.
    """
    address = _address(url)
    sqlite = address.get_backend_name() == "sqlite"
    try:
        if sqlite:
            _make_folder(address)
        engine = sa.create_engine(address, connect_args={"timeout": BUSY_SECONDS} if sqlite else {})
        if sqlite:
            _behave(engine)
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT count(*) FROM sqlite_master" if sqlite else "SELECT 1"))
    except (exc.SQLAlchemyError, ImportError, OSError) as error:
        raise DatabaseError(_unreachable(address, error)) from error
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: committed as a whole at the end, or leaving everything as it was.

    Raises DatabaseError, without the statement or its values, when the database refuses.
    """
    try:
        with engine.connect() as connection:
            staged = connection.info[STAGED] = []
            try:
                with connection.execution_options(**{WRITES: True}).begin():
                    yield connection
            finally:
                del connection.info[STAGED]
                _sweep(connection, staged)
    except exc.SQLAlchemyError as error:
        raise DatabaseError(refused(engine.url, error)) from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads. Raises DatabaseError as `writing` does."""
    try:
        with engine.connect() as connection:
            yield connection
    except exc.SQLAlchemyError as error:
        raise DatabaseError(refused(engine.url, error)) from error


def _sweep(connection: Connection, staged: list[str]) -> None:
    """Remove the staging places of a bulk write; only possible once its transaction is over, either way."""
    if not staged:
        return
    raw = connection.connection.dbapi_connection
    sql = "DETACH DATABASE {}" if connection.dialect.name == "sqlite" else "DROP TABLE IF EXISTS {}"
    assert raw is not None
    cursor = raw.cursor()
    for name in staged:
        cursor.execute(sql.format(name))
    raw.commit()


def _address(url: str | URL) -> URL:
    try:
        address = make_url(url)
    except exc.ArgumentError as error:
        raise DatabaseError(
            Problem(
                "database",
                "an address that is not a database URL",
                "sqlite:///folder/file.db or postgresql+psycopg://...",
            )
        ) from error
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        found = f"a {address.get_backend_name()} address"
        raise DatabaseError(Problem("database", found, "sqlite or postgresql", "Use one of the two."))
    return address.set(drivername="postgresql+psycopg") if address.drivername == "postgresql" else address


def _make_folder(address: URL) -> None:
    if address.database and address.database != ":memory:" and not address.database.startswith("file:"):
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)


def _behave(engine: Engine) -> None:
    """SQLite with foreign keys held, and BEGIN under our control so that DDL is part of the transaction."""

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        raw.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # A transaction that will write takes the lock at once: it can wait then, and not in the middle.
        immediate = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _shown(address: URL) -> str:
    return address.render_as_string(hide_password=True)


def _unreachable(address: URL, error: BaseException) -> Problem:
    if isinstance(error, ImportError):
        advice = "Install it: pip install 'profiling[postgresql]'"
        return Problem("database", f"no driver for {address.drivername}", "an installed driver", advice)
    reason = _first_line(error)
    advice = "Check `database:` in the configuration, that the server runs and that the folder can be written"
    return Problem(_shown(address), f"the database cannot be opened ({reason})", "a reachable database", advice)


def refused(address: URL, error: Exception) -> Problem:
    """The problem of a statement that the database did not carry out."""
    # The driver's own text may quote a row; the kind of error and the statement's first words may not.
    cause = getattr(error, "orig", None) or error
    found = f"the database refused a statement ({type(cause).__name__}); nothing was changed"
    advice = "Run `profiling db current`; free disk space and permissions are the usual causes"
    return Problem(_shown(address), found, "a database with the current schema", advice)


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)

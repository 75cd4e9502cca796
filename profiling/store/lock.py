"""One run at a time on a database: a second one is told so at once, and a dead one never blocks."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.errors import LockHeld, Problem

ADVISORY_KEY: Final = 0x70726F66  # "prof"


@contextmanager
def run_lock(engine: Engine) -> Iterator[None]:
    """Hold the database for one run. Raises LockHeld when another run holds it.

    The system gives the lock back when the process ends, however it ends: SQLite by a locked file beside the
    database, PostgreSQL by an advisory lock of the session.
    """
    if engine.dialect.name == "postgresql":
        with _advisory(engine):
            yield
    elif engine.url.database in (None, "", ":memory:"):
        yield
    else:
        with _locked_file(Path(f"{engine.url.database}.lock")):
            yield


@contextmanager
def _advisory(engine: Engine) -> Iterator[None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(ADVISORY_KEY))).scalar():
            raise _held(engine.url.render_as_string(hide_password=True))
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(ADVISORY_KEY)))


@contextmanager
def _locked_file(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _held(str(path)) from error
        yield


def _held(where: str) -> LockHeld:
    return LockHeld(
        Problem(where, "another run is at work on this database", "one run at a time", "Wait for it to end")
    )

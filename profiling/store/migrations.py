"""The schema's history: upgrade a database, say where it stands, compare it with the metadata."""

from __future__ import annotations

from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import Engine

from profiling.errors import DatabaseError, Problem
from profiling.shipped import migrations_folder
from profiling.store.engine import writing
from profiling.store.tables import metadata


def head() -> str:
    """The newest revision this program knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None, "the program ships no migration"
    return newest


def current(engine: Engine) -> str | None:
    """The revision a database is at; None before the first upgrade."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring a database to a revision in one transaction. Raises DatabaseError for one of a newer program."""
    _move(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take a database back to a revision (`base` removes every table)."""
    _move(engine, command.downgrade, revision)


def require_head(engine: Engine) -> None:
    """Raise DatabaseError unless the database is at the newest revision."""
    found, expected = current(engine), head()
    if found != expected:
        shown = engine.url.render_as_string(hide_password=True)
        advice = "Run `profiling db upgrade`"
        raise DatabaseError(Problem(shown, f"a database at revision {found}", f"revision {expected}", advice))


def differences(engine: Engine) -> list[Any]:
    """What alembic would change to make the database equal to the metadata; empty when they agree."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


def _move(engine: Engine, step: Any, revision: str) -> None:
    config = _config()
    try:
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            step(config, revision)
    except CommandError as error:
        shown = engine.url.render_as_string(hide_password=True)
        found = f"a schema this program does not know ({error})"
        raise DatabaseError(
            Problem(shown, found, f"revision {head()} or earlier", "Install a newer version")
        ) from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config

"""Options that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from profiling.cli.console import Console
from profiling.errors import DatabaseError, Problem

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from profiling.config import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """A moment in ISO form; without a zone it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment with its zone; a usage error for anything else."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2024-01-31T12:00:00", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _set(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def store(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
        setattr(ctx.ensure_object(Console), name, value)

    return store


def voice(command: Command) -> Command:
    """`--json` and `--quiet`, which every command has."""
    command = click.option(
        "--json", "as_json", is_flag=True, expose_value=False, is_eager=True, callback=_set("as_json"),
        help="One JSON document on standard output instead of lines; errors as JSON on standard error.",
    )(command)  # fmt: skip
    return click.option(
        "--quiet", is_flag=True, expose_value=False, is_eager=True, callback=_set("quiet"),
        help="Say nothing but errors.",
    )(command)  # fmt: skip


config_option = click.option(
    "--config", "config", type=click.Path(path_type=Path), default=Path("config.yaml"), show_default=True,
    help="The configuration file.",
)  # fmt: skip

now_option = click.option(
    "--now", type=Moment(), default=lambda: datetime.now(UTC).replace(microsecond=0),
    show_default="the clock", help="The time of this run, as 2024-01-31T12:00:00; without a zone it is UTC.",
)  # fmt: skip


def read_settings(path: Path, console: Console) -> Settings:
    """The settings of a file and of this environment; from here faults are logged beside its database."""
    from profiling.config import load_settings

    settings = load_settings(path, os.environ)
    file = _database_file(settings)
    console.log_folder = (file or settings.path.parent / "var" / "any").parent
    return settings


def open_store(settings: Settings) -> Engine:
    """The database, created and migrated as needed."""
    from profiling.store.engine import open_database
    from profiling.store.migrations import upgrade

    engine = open_database(settings.database)
    upgrade(engine)
    return engine


def open_existing(settings: Settings) -> Engine:
    """The database as it is; DatabaseError if there is none yet."""
    from profiling.store.engine import open_database

    file = _database_file(settings)
    if file is not None and not file.exists():
        advice = "Load records first: profiling load, or profiling run"
        raise DatabaseError(Problem(shown(file), "no such database", "one with records", advice))
    return open_database(settings.database)


def open_results(settings: Settings) -> Engine:
    """The database for reading; DatabaseError if there is none or its schema is not this version's."""
    from profiling.store.migrations import require_head

    engine = open_existing(settings)
    require_head(engine)
    return engine


def shown(path: Path) -> str:
    """A path as a person at this place would write it."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def _database_file(settings: Settings) -> Path | None:
    prefix = "sqlite:///"
    return Path(settings.database.removeprefix(prefix)) if settings.database.startswith(prefix) else None

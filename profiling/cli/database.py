"""Commands for the database's schema."""

from __future__ import annotations

from pathlib import Path

import click

from profiling.cli.console import Console
from profiling.cli.options import config_option, read_settings, voice


@click.group()
def db() -> None:
    """Bring the database's schema up to date, or say where it stands.

    \b
    Example:
      profiling db upgrade
    """


@db.command()
@config_option
@voice
@click.pass_obj
def upgrade(console: Console, config: Path) -> None:
    """Create the tables, or change them to what this version needs; records and results are kept.

    \b
    Example:
      profiling db upgrade
    """
    settings = read_settings(config, console)
    from profiling.store.engine import open_database
    from profiling.store.lock import run_lock
    from profiling.store.migrations import current as revision_of
    from profiling.store.migrations import upgrade as bring_up

    engine = open_database(settings.database)
    with run_lock(engine):
        before = revision_of(engine)
        bring_up(engine)
        after = revision_of(engine)
    said = f"The database is at revision {after}" + ("" if before == after else f" (before: {before or 'empty'})")
    console.answer({"before": before, "after": after}, [said])


@db.command()
@config_option
@voice
@click.pass_obj
def current(console: Console, config: Path) -> None:
    """Say at which revision the schema is, and which one this version needs.

    \b
    Example:
      profiling db current
    """
    settings = read_settings(config, console)
    from profiling.cli.options import open_existing
    from profiling.store.migrations import current as revision_of
    from profiling.store.migrations import head

    found, needed = revision_of(open_existing(settings)), head()
    advice = "" if found == needed else " Run profiling db upgrade."
    said = f"The database is at revision {found or 'none'}; this version needs {needed}.{advice}"
    console.answer({"revision": found, "needed": needed}, [said])

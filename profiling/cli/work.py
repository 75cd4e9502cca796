"""Commands that work: load, fit, report, and run, which is all of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from profiling.cli.console import Console
from profiling.cli.options import config_option, now_option, open_results, open_store, read_settings, voice
from profiling.cli.words import load_document, load_lines, published_document, published_lines


@click.command()
@config_option
@now_option
@voice
@click.pass_obj
def load(console: Console, config: Path, now: datetime) -> None:
    """Load the records: every file in one transaction, rejected rows kept aside.

    A file that was loaded before (the same SHA-256) is recognised and not loaded again.

    \b
    Example:
      profiling load
    """
    settings = read_settings(config, console)
    from profiling.pipeline import load_records
    from profiling.store.lock import run_lock

    engine = open_store(settings)
    with run_lock(engine), console.progress() as progress:
        loaded = load_records(settings, engine, now, progress)
    console.answer(load_document(loaded), load_lines(loaded))


@click.command()
@config_option
@now_option
@voice
@click.pass_obj
def fit(console: Console, config: Path, now: datetime) -> None:
    """Fit and assess every measure on the records that are loaded, and keep the results.

    \b
    Example:
      profiling fit
    """
    settings = read_settings(config, console)
    from profiling.pipeline import fit_measures
    from profiling.store.lock import run_lock

    engine = open_results(settings)
    with run_lock(engine), console.progress() as progress:
        run_id = fit_measures(settings, engine, now, progress)
    console.answer({"run": run_id}, [f"Run {run_id} is fitted", f"Next: profiling report {run_id}"])


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--pdf", is_flag=True, help="Overview, measures and providers as PDF too, as `output: {pdf: true}`.")
@config_option
@voice
@click.pass_obj
def report(console: Console, run_id: str | None, pdf: bool, config: Path) -> None:
    """Draw the pages of a run from the database alone; without RUN those of the newest.

    \b
    Example:
      profiling report
      profiling report r-1a2b3c4d --pdf
    """
    settings = read_settings(config, console)
    if pdf:
        settings = settings.model_copy(update={"output": settings.output.model_copy(update={"pdf": True})})
    from profiling.pipeline import publish_run
    from profiling.store.lock import run_lock

    engine = open_results(settings)
    with run_lock(engine), console.progress() as progress:
        published = publish_run(settings, engine, run_id, progress)
    console.answer(published_document(published), published_lines(published))


@click.command()
@config_option
@now_option
@voice
@click.pass_obj
def run(console: Console, config: Path, now: datetime) -> None:
    """All of it: load, fit, assess and publish.

    \b
    Example:
      profiling run
      profiling run --config examples/gusto.yaml
    """
    settings = read_settings(config, console)
    from profiling.pipeline import run_all
    from profiling.store.lock import run_lock

    engine = open_store(settings)
    with run_lock(engine), console.progress() as progress:
        published = run_all(settings, engine, now, progress)
    console.answer(published_document(published), published_lines(published))

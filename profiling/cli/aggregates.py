"""`profiling assess`: a report from a published table, without patient rows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import get_args

import click

from profiling.cli.console import Console
from profiling.cli.options import now_option, voice
from profiling.cli.words import published_document, published_lines
from profiling.vocabulary import FlagRuleName

DATABASE = "assess.db"
RULES = get_args(FlagRuleName)


def _mapping(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    """`provider=CODE,n=PATIENTS` as a mapping; may be given more than once."""
    pairs = [part for text in texts for part in text.split(",") if part.strip()]
    wrong = [part for part in pairs if part.count("=") != 1]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not of the form name=COLUMN")
    return {ours.strip(): theirs.strip() for ours, theirs in (part.split("=") for part in pairs)}


@click.command()
@click.argument("table", metavar="TABLE.csv", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--columns", multiple=True, callback=_mapping, metavar="NAME=COLUMN,...",
    help="Which columns hold provider, provider_name, n, observed, expected (or observed_rate, expected_rate).",
)  # fmt: skip
@click.option("--per", type=float, default=1.0, show_default=True, help="Rates are numbers per this many cases.")
@click.option("--title", default="Observed against expected", show_default=True, help="Title of the report.")
@click.option("--event", default="events", show_default=True, help="What is counted, in the plural: deaths.")
@click.option("--level", default="hospital", show_default=True, help="What a provider is: hospital, trust, surgeon.")
@click.option("--better", is_flag=True, help="More of the event is better.")
@click.option("--rule", type=click.Choice(RULES), default="funnel", show_default=True, help="The rule that flags.")
@click.option(
    "--overdispersion", type=click.Choice(["none", "multiplicative", "additive"]), default="none", show_default=True,
    help="Widen the funnel's limits for more spread than chance explains.",
)  # fmt: skip
@click.option(
    "--minimum-cases", type=click.IntRange(0), default=25, show_default=True, help="Fewer are too few to say."
)
@click.option(
    "--threshold", type=click.IntRange(1), default=11, show_default=True,
    help="Counts from 1 to one less than this are hidden; 1 shows all, for tables that are public anyway.",
)  # fmt: skip
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("site"), show_default=True,
    help="Where the pages go.",
)  # fmt: skip
@click.option(
    "--database", type=click.Path(path_type=Path, dir_okay=False), default=Path("var") / DATABASE, show_default=True,
    help="The embedded database that keeps what was found.",
)  # fmt: skip
@now_option
@voice
@click.pass_obj
def assess(
    console: Console,
    table: Path,
    columns: dict[str, str],
    per: float,
    title: str,
    event: str,
    level: str,
    better: bool,
    rule: str,
    overdispersion: str,
    minimum_cases: int,
    threshold: int,
    folder: Path,
    database: Path,
    now: datetime,
) -> None:
    """Assess a published table: a row a provider with cases, observed and expected events.

    The same funnel, flags, ranks, shrinkage and pages as for patient records, without a model of them.

    \b
    Example:
      profiling assess table.csv
      profiling assess shmi.csv --columns provider=PROVIDER,n=DENOMINATOR,observed=OBSERVED,expected=EXPECTED \\
        --level trust --event deaths --overdispersion additive
    """
    console.log_folder = database.parent
    from profiling.assessment import ProfileOptions
    from profiling.pipeline.aggregates import TableWords, assess_table, read_aggregates
    from profiling.store.engine import open_database
    from profiling.store.lock import run_lock
    from profiling.store.migrations import upgrade

    options = ProfileOptions(
        rule=rule,  # type: ignore[arg-type]
        overdispersion=overdispersion,  # type: ignore[arg-type]
        minimum_cases=minimum_cases,
    )
    rows = read_aggregates(table, columns, per)
    database.parent.mkdir(parents=True, exist_ok=True)
    engine = open_database(f"sqlite:///{database.resolve()}")
    upgrade(engine)
    words = TableWords(title, event, level, not better)
    with run_lock(engine), console.progress() as progress:
        published = assess_table(table, rows, words, options, engine, folder, now, threshold, progress)
    console.answer(published_document(published), published_lines(published))

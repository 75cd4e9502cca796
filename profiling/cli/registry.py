"""Commands that look back: which runs there are, and what one of them used and found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profiling.cli.console import Console, table
from profiling.cli.options import config_option, open_results, read_settings, voice

if TYPE_CHECKING:
    import pandas as pd

    from profiling.store.runs import RunRecord

Row = tuple[object, ...]
SHOWN = (
    "inputs",
    "timings",
    "measures",
    "cohort_flow",
    "fixed_effects",
    "variance_components",
    "model_checks",
    "composites",
    "composite_scores",
)
TOLD = ("observed_over_expected", "expected_false_", "power_", "rankability_")
SCORES = ("measures", "value", "lower", "upper", "expected_rank")


@click.command()
@config_option
@voice
@click.pass_obj
def runs(console: Console, config: Path) -> None:
    """List the runs the database keeps, the newest first.

    \b
    Example:
      profiling runs
    """
    settings = read_settings(config, console)
    from profiling.store.runs import list_runs

    found = list_runs(open_results(settings))
    columns = ("run_id", "created_at", "status", "version", "title")
    rows: list[Row] = [("run", "time (UTC)", "state", "version", "title"), *rows_of(found, columns)]
    console.answer({"runs": records(found)}, table(rows) if len(rows) > 1 else ["No run yet: profiling run"])


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option(
    "--worse", nargs=2, metavar="A B", help="Instead, the probability that provider A has worse results than B."
)
@config_option
@voice
@click.pass_obj
def show(console: Console, run_id: str, worse: tuple[str, str] | None, config: Path) -> None:
    """Say what a run used and found: files, measures, models, flags, composites.

    \b
    Example:
      profiling show r-1a2b3c4d
      profiling show r-1a2b3c4d --worse H07 H12
    """
    settings = read_settings(config, console)
    from profiling.store.runs import read_run

    record = read_run(open_results(settings), run_id)
    if worse is None:
        console.answer(_document(record), _lines(record))
        return
    from profiling.pipeline.pairs import worse_of

    pairs = worse_of(record, *worse)
    head = ("measure", "level", f"chance that {worse[0]} is worse than {worse[1]}")
    console.answer({"pairs": records(pairs)}, table([head, *rows_of(pairs, tuple(pairs.columns))], right=(2,)))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as JSON values; what is missing becomes null."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", date_format="iso"))
    return rows


def rows_of(frame: pd.DataFrame, columns: Sequence[str]) -> list[Row]:
    """Rows of a frame as tuples of text, numbers with four decimals."""
    words = [[f"{value:.4f}" if isinstance(value, float) else value for value in frame[name]] for name in columns]
    return list(zip(*words, strict=True))


def _document(record: RunRecord) -> dict[str, Any]:
    about = {key: value for key, value in record.run.items() if key not in ("config_text", "output_json")}
    return {
        "run": about,
        **{name: records(getattr(record, name)) for name in SHOWN},
        "flags": records(_flags(record)),
    }


def _flags(record: RunRecord) -> pd.DataFrame:
    counts = record.flags.groupby(["measure", "level", "category"], sort=True).size()
    return counts.rename("providers").reset_index()


def _lines(record: RunRecord) -> list[str]:
    run = record.run
    files = rows_of(record.inputs, ("source", "file_name", "rows_read", "rows_rejected"))
    effects = rows_of(record.fixed_effects, ("measure", "term", "estimate", "standard_error"))
    spread = rows_of(record.variance_components, ("measure", "grouping", "term_a", "term_b", "covariance"))
    flags = rows_of(_flags(record), ("measure", "level", "category", "providers"))
    told = record.model_checks[record.model_checks["name"].str.startswith(TOLD)]
    checks = rows_of(told, ("measure", "name", "value"))
    composites = rows_of(record.composites, ("composite", "note"))
    scores = rows_of(record.composite_scores, ("composite", "level", "provider", *SCORES))
    return [
        f"{run['run_id']}  {run['title']}",
        f"{run['created_at']:%Y-%m-%d %H:%M:%S} UTC, {run['status']}, version {run['version']}, seed {run['seed']}",
        *("", *table([("source", "file", "read", "rejected"), *files], right=(2, 3))),
        *("", *table([("measure", "term", "estimate", "standard error"), *effects], right=(2, 3))),
        *("", *table([("measure", "effects of", "term", "with", "covariance"), *spread], right=(4,))),
        *("", *table([("measure", "level", "category", "providers"), *flags], right=(3,))),
        *("", *table([("measure", "check", "value"), *checks], right=(2,))),
        *(("", *table([("composite", "made of"), *composites])) if composites else ()),
        *(("", *table([("composite", "level", "provider", *SCORES), *scores], right=range(3, 8))) if scores else ()),
    ]

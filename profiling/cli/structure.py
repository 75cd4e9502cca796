"""`profiling structure`: what is nested in what, in a file or in the records that are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profiling.cli.console import Console
from profiling.cli.options import config_option, open_results, read_settings, voice
from profiling.cli.registry import records
from profiling.errors import InputRejected, Problem, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from profiling.modeling.data_structure import DataStructure

# The usual factors, innermost first, and the usual time of an encounter.
FACTORS = ("patient_id", "physician_id", "clinic_id")
TIME = "admitted"


def _names(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """`a,b,c` and repeated options as one tuple without doubles."""
    parts = [part.strip() for text in texts for part in text.replace(" ", ",").split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


@click.command()
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--factors", multiple=True, callback=_names, metavar="A,B,C",
    help="Columns that group the rows; patient_id, physician_id and clinic_id if not given.",
)  # fmt: skip
@click.option("--time", metavar="COLUMN", help="A column that orders the rows: who moved, and who goes to and fro.")
@config_option
@voice
@click.pass_obj
def structure(console: Console, file: Path | None, factors: tuple[str, ...], time: str | None, config: Path) -> None:
    """Find what is nested in what, and the random part of a model that follows from it.

    For each pair of factors: nested, crossed, partially crossed or one to one, with shares and pieces; with a time
    also who moved. FILE is CSV, CSV.gz or Parquet; without it the encounters that are loaded are looked at.

    \b
    Example:
      profiling structure
      profiling structure visits.csv --factors patient,physician,clinic --time day
    """
    if file is not None:
        columns, read = _of_file(file)
    else:
        columns, read = _of_records(config, console)
        time = time or (TIME if TIME in columns else None)
    chosen = factors or tuple(name for name in FACTORS if name in columns)
    _check(chosen, time, columns, str(file or "encounters"))
    rows = read([*chosen, *([time] if time else [])])
    if file is None and time == TIME and not rows[TIME].notna().any():
        rows, time = rows.drop(columns=TIME), None
    if not factors:
        chosen = tuple(name for name in chosen if rows[name].notna().any())
        rows = rows[[*chosen, *([time] if time else [])]]
    from profiling.modeling.data_structure import structure as find

    complete = rows.dropna()
    found = find(complete, chosen, time)
    left_out = len(rows) - len(complete)
    lines = found.text().splitlines()
    if left_out:
        lines.insert(1, f"{left_out} rows left out: no value in {', '.join(rows.columns[rows.isna().any()])}")
    console.answer(_document(found, left_out), lines)


def _of_file(path: Path) -> tuple[list[str], Any]:
    """Return the columns of a file, and what reads some of them as a frame."""
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            return list(pq.read_schema(path).names), lambda names: pd.read_parquet(path, columns=names)
        header = list(pd.read_csv(path, nrows=0).columns)
    except (OSError, ValueError):
        wanted = "CSV, CSV.gz or Parquet with a row of names"
        raise InputRejected(Problem(str(path), "not a table that can be read", wanted)) from None
    return header, lambda names: pd.read_csv(path, usecols=names, low_memory=False)


def _of_records(config: Path, console: Console) -> tuple[list[str], Any]:
    """Return the columns of the loaded encounters, and what reads some of them as a frame."""
    engine = open_results(read_settings(config, console))
    import sqlalchemy as sa

    from profiling.store.bulk import read_frame

    encounters = sa.Table("encounters", sa.MetaData(), autoload_with=engine, resolve_fks=False)

    def read(names: list[str]) -> pd.DataFrame:
        return read_frame(engine, sa.select(*(encounters.c[name] for name in names)))

    return list(encounters.c.keys()), read


def _check(factors: tuple[str, ...], time: str | None, columns: list[str], where: str) -> None:
    wanted = f"columns among {', '.join(columns)}"
    unknown = [name for name in (*factors, *([time] if time else [])) if name not in columns]
    if unknown:
        raise UsageError(Problem(where, f"no column {', '.join(unknown)}", wanted))
    if not factors:
        raise UsageError(Problem(where, "no patient_id, physician_id or clinic_id", wanted, "Name them: --factors A,B"))
    if time in factors:
        raise UsageError(Problem("--time", f"{time} is a factor too", "a column of its own"))


def _document(found: DataStructure, left_out: int) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "rows_left_out": left_out,
        "factors": records(found.factors),
        "pairs": records(found.pairs),
        "random_part": found.random_part,
        "reasons": list(found.reasons),
    }

"""Downloads: the masked tables as CSV that spreadsheets read as text and numbers only, figures, and run.json."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from profiling.reporting.chart import Chart
from profiling.reporting.disclosure import MaskedRun
from profiling.reporting.figure import Format, render_figures
from profiling.reporting.pages import drawings
from profiling.reporting.pages.shared import MeasureView, Site, category_counts, nouns
from profiling.reporting.panel_tables import site_files
from profiling.reporting.processes import in_processes
from profiling.reporting.sentences import say
from profiling.reporting.svg import standalone_svg
from profiling.shipped import templates_folder

# What makes a cell a formula, full-width signs too; and what stands before it that a reader does not see.
_SIGNS, _UNSEEN = "[=+\\-@\uff1d\uff0b\uff0d\uff20]", "\\s\ufeff\u200b-\u200f\u2060"
FORMULA = re.compile(f"[\t\r]|[{_UNSEEN}]*{_SIGNS}")
INNER_FORMULA = re.compile(f"([;\t\r\n][{_UNSEEN}\"']*)(?={_SIGNS})")
FIGURES = {"funnel": drawings.funnel_charts, "caterpillar": drawings.caterpillar_charts}
FIGURE_FORMATS: tuple[Format, ...] = ("svg", "png", "pdf")
LEFT_OUT = ("run_id", "measure", "level", "oe_numerator")
SIGNIFICANT = 10
EXACT = 17

COLUMNS: dict[str, str] = {
    "provider": "identifier of the provider",
    "provider_name": "name of the provider",
    "parent": "the outer provider with most of this provider's cases",
    "parent_name": "name of that outer provider",
    "n_parents": "number of outer providers this one has cases at",
    "n": "cases",
    "observed": "observed events, or the sum of the outcome",
    "expected": "expected at an average provider, own effect zero",
    "expected_marginal": "expected, averaged over the spread of providers; for tests, funnels and raw ratios",
    "predicted": "predicted with the provider's own effect",
    "observed_rate": "observed / n",
    "expected_rate": "expected / n",
    "predicted_rate": "predicted / n",
    "oe_ratio": "raw ratio, observed / expected_marginal",
    "oe_lower": "lower end of its exact 95 % interval",
    "oe_upper": "upper end of its exact 95 % interval",
    "ratio": "shrunken ratio, predicted / expected",
    "ratio_lower": "lower end of its 95 % posterior interval",
    "ratio_upper": "upper end of its 95 % posterior interval",
    "risk_standardized_rate": "ratio times the overall rate",
    "rsr_lower": "lower end of its 95 % interval",
    "rsr_upper": "upper end of its 95 % interval",
    "mode": "conditional mode of the provider's effect, on the scale of the model",
    "mode_sd": "its standard deviation",
    "probability_above": "posterior probability that the ratio is above 1",
    "z": "signed normal score of the test against the norm",
    "probability_by_chance": "two-sided chance of a result this far from the norm at an average provider",
    "reliability": "share of the differences between providers of this size that is real",
    "expected_rank": "posterior mean of the rank by ratio, 1 the lowest; read with its interval only",
    "rank_lower": "lower end of the 95 % interval of the rank",
    "rank_upper": "upper end of the 95 % interval of the rank",
    "percentile": "expected rank as a percentile",
    "cases_for_reliability": "cases needed for a reliability of 0.7",
    "rule": "rule of the flag, as the methods page words it",
    "category": "higher, higher_watch, as_expected, lower_watch, lower, too_few",
    "watch_limit": "the inner limit on this provider's side",
    "flag_limit": "the outer limit on this provider's side",
    "hidden": "1 where counts are hidden: only name, case band and category are published",
    "case_band": "band of the number of cases",
}  # fmt: skip


def defuse(value: object) -> object:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it; numbers stay numbers.

    So does what would be a cell of its own where semicolons or tabs part cells, as spreadsheets of many countries read
    them, or after a line break.
    """
    if not isinstance(value, str):
        return value
    inner = INNER_FORMULA.sub(r"\1'", value)
    return f"'{inner}" if FORMULA.match(value) else inner


def write_csv(table: pd.DataFrame, path: Path, digits: int = SIGNIFICANT) -> None:
    """A table as CSV: UTF-8, RFC 4180, empty cells for what is missing, `digits` significant digits."""
    _write_cells({str(name): _cells(table[name], digits) for name in table.columns}, path)


def write_table(table: pd.DataFrame, path: Path, meanings: Mapping[str, str]) -> None:
    """A table as CSV and, with the same figures, as Parquet beside it; `path` is that of the CSV."""
    cells = {str(name): _cells(table[name], SIGNIFICANT) for name in table.columns}
    _write_cells(cells, path)
    arrays = {name: _array(table[name], cells[name]) for name in cells}
    fields = [
        pa.field(name, array.type, metadata={"meaning": meanings.get(name, "")}) for name, array in arrays.items()
    ]
    # Typed columns, each with its meaning; no time and no name of software in the file.
    found = pa.table(list(arrays.values()), schema=pa.schema(fields))
    parquet.write_table(found, path.with_suffix(".parquet"), compression="zstd", store_schema=True)


def _write_cells(cells: Mapping[str, list[object]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([defuse(name) for name in cells])
        writer.writerows(zip(*cells.values(), strict=True))


def _cells(column: pd.Series, digits: int) -> list[object]:
    if pd.api.types.is_bool_dtype(column):
        return [int(value) for value in column]
    if pd.api.types.is_numeric_dtype(column):
        form = f"%.{digits}g"
        values = column.to_numpy(dtype=float, na_value=np.nan)
        known = np.isfinite(values).tolist()
        return [form % value if there else "" for value, there in zip(values.tolist(), known, strict=True)]
    missing = column.isna().tolist()
    return ["" if gone else defuse(str(value)) for value, gone in zip(column.tolist(), missing, strict=True)]


def _array(column: pd.Series, cells: list[object]) -> pa.Array:
    """A column with the figures its cells of the CSV hold."""
    if pd.api.types.is_bool_dtype(column):
        return pa.array([bool(value) for value in column], pa.bool_())
    if pd.api.types.is_numeric_dtype(column):
        return pa.array([cell or None for cell in cells], pa.string()).cast(pa.float64())
    missing = column.isna().tolist()
    words = [None if gone else str(value) for value, gone in zip(column.tolist(), missing, strict=True)]
    return pa.array(words, pa.string())


def provider_download(measure: MeasureView, level: str) -> pd.DataFrame:
    """The masked providers of one measure and level, in the order of their labels."""
    rows = measure.providers[level].drop(columns=list(LEFT_OUT), errors="ignore").reset_index(drop=True)
    known = [name for name in COLUMNS if name in rows.columns]
    return rows[known + sorted(set(rows.columns) - set(known))]


def data_dictionary(site: Site) -> pd.DataFrame:
    """What each column of each download means."""
    rows = [
        {"file": f"{measure.name}_{level}.csv", "column": name, "meaning": COLUMNS.get(str(name), "")}
        for measure in site.measures
        for level in measure.levels
        for name in provider_download(measure, level).columns
    ]
    rows += [
        {"file": f"{name}.csv", "column": column, "meaning": meanings[str(column)]}
        for name, table, meanings in site_files(site)
        for column in table.columns
    ]
    return pd.DataFrame(rows, columns=["file", "column", "meaning"])


def listing(site: Site, root: str = "") -> list[dict[str, str]]:
    """Every download with its address and words; `kind` is table, funnel, caterpillar or run.

    The figures of a panel are linked from the panel alone.
    """
    tables = [
        {
            "kind": "table",
            "measure": measure.name,
            "href": f"{root}downloads/{measure.name}_{level}.{form.lower()}",
            "text": f"{measure.title}, {nouns(level)} ({form})",
        }
        for measure in site.measures
        for level in measure.levels
        for form in ("CSV", "Parquet")
    ]
    figures = [
        {
            "kind": kind,
            "measure": measure.name,
            "href": f"{root}downloads/{measure.name}_{kind}.{form}",
            "text": form.upper(),
        }
        for measure in site.measures
        for kind in ("funnel", "caterpillar")
        for form in FIGURE_FORMATS
    ]
    whole = [
        {
            "kind": "run",
            "measure": "",
            "href": f"{root}downloads/data_dictionary.csv",
            "text": say("download_columns"),
        },
        {"kind": "run", "measure": "", "href": f"{root}downloads/run.json", "text": say("download_run")},
    ]
    return [*tables, *whole, *figures]


def write_downloads(site: Site, folder: Path, processes: int = 1) -> None:
    """Write every download into `folder`, which exists; figures by as many processes."""
    write_csv(data_dictionary(site), folder / "data_dictionary.csv")
    write_json(run_summary(site), folder / "run.json")
    jobs = list(_jobs(site, folder))

    def some(share: list[Callable[[], None]]) -> None:
        for job in share:
            job()

    shares = [jobs[start::processes] for start in range(processes)]
    in_processes(some, [share for share in shares if share])


def _jobs(site: Site, folder: Path) -> Iterator[Callable[[], None]]:
    """What writes each table and each figure, those that take longest first."""
    style = (templates_folder() / "chart.css").read_text(encoding="utf-8")
    for measure in site.measures:
        for kind, make in FIGURES.items():
            yield partial(
                _write_figure, partial(make, site, measure, measure.outer), folder, f"{measure.name}_{kind}", style
            )
    for measure in site.measures:
        for level in reversed(measure.levels):
            yield partial(
                write_table, provider_download(measure, level), folder / f"{measure.name}_{level}.csv", COLUMNS
            )
    for name, table, meanings in site_files(site):
        yield partial(write_table, table, folder / f"{name}.csv", meanings)


def _write_figure(make: Callable[[], tuple[Chart, ...]], folder: Path, name: str, style: str) -> None:
    chart = make()[0]
    (folder / f"{name}.svg").write_text(standalone_svg(chart, style), encoding="utf-8")
    render_figures(chart, {"png": folder / f"{name}.png", "pdf": folder / f"{name}.pdf"})


def write_json(content: object, path: Path) -> None:
    """JSON with sorted keys; what is not a finite number becomes null."""
    text = json.dumps(_plain(content), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def run_summary(site: Site) -> dict[str, Any]:
    """The run for machines: what it used, the rules, totals, checks and counts by category."""
    masked = site.masked
    run = {name: str(masked.run[name]) for name in ("run_id", "created_at", "version", "title", "config_sha256")}
    return {
        "run": run | {"seed": masked.run["seed"]},
        "edition": masked.edition,
        "disclosure_threshold": masked.threshold,
        "inputs": masked.inputs.drop(columns=["run_id", "load_id"], errors="ignore").to_dict("records"),
        "measures": [_measure_summary(masked, measure) for measure in site.measures],
    }


def _measure_summary(masked: MaskedRun, measure: MeasureView) -> dict[str, Any]:
    totals = measure.totals
    return {
        "name": measure.name,
        "specification": dict(measure.spec),
        "totals": {"cases": totals.cases, "observed": totals.observed, "rate": totals.rate},
        "levels": {
            level: {
                "providers": len(measure.providers[level]),
                "hidden": int(measure.providers[level]["hidden"].sum()),
                "categories": category_counts(measure.providers[level]),
                "file": f"{measure.name}_{level}.csv",
            }
            for level in measure.levels
        },
        "fixed_effects": _records(
            measure.of("fixed_effects"), ("term", "estimate", "standard_error", "lower", "upper")
        ),
        "variance_components": _records(
            measure.of("variance_components"), ("grouping", "term_a", "term_b", "covariance")
        ),
        "model_checks": dict(measure.checks),
        "calibration": _records(measure.of("calibration"), ("n", "observed", "expected")),
        "cohort_flow": _records(measure.of("cohort_flow"), ("step", "rows_left")),
    }


def _records(table: pd.DataFrame, columns: Iterable[str]) -> list[dict[str, Any]]:
    return table[[name for name in columns if name in table.columns]].to_dict("records")  # type: ignore[return-value]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{SIGNIFICANT}g}") if np.isfinite(value) else None
    return None if value is None or value is pd.NA or value is pd.NaT else str(value)

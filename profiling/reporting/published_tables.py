"""What the downloads of a folder of pages tell of each provider, read back from the files as anybody reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import parquet

KEY = ["measure", "level", "provider"]
# Columns that say nothing of counts; every other column of a hidden provider has to be empty.
SILENT = frozenset(
    {
        *("measure", "level", "provider", "provider_name", "parent", "parent_name", "category", "rule", "hidden"),
        *("case_band", "composite", "measures", "column_name", "value", "model", "position", "period"),
    }
)


@dataclass(frozen=True)
class Published:
    """What stands in the downloads.

    `providers`: measure, level, provider, n, observed, hidden, case_band. `series`: measure and provider with periods.
    `subgroups`: measure, column_name, value that are shown. `totals`: measures whose number of cases is told. `told`:
    file, level, provider and column of every figure of a provider that calls itself hidden.
    """

    providers: pd.DataFrame
    series: frozenset[tuple[str, str]]
    subgroups: frozenset[tuple[str, str, str]]
    totals: frozenset[str]
    told: tuple[tuple[str, str, str, str], ...]


def read_published(folder: Path, measures: Sequence[str], levels: Sequence[str]) -> Published:
    """Read downloads/ of a site; CSV and Parquet must agree on what is told."""
    downloads = folder / "downloads"
    providers, told = [], []
    for measure in measures:
        for level in levels:
            path = downloads / f"{measure}_{level}.csv"
            if path.is_file():
                table = _read(path)
                providers.append(table.assign(measure=measure, level=level))
                told += _told(path, table.assign(level=level), set())
    known = pd.concat(providers, ignore_index=True) if providers else pd.DataFrame(columns=[*KEY, "hidden"])
    hidden = known[known["hidden"] != "0"]
    names = {
        measure: set(zip(part["level"], part["provider"], strict=True)) for measure, part in hidden.groupby("measure")
    }
    series: set[tuple[str, str]] = set()
    subgroups: set[tuple[str, str, str]] = set()
    for measure, path, table in _further(downloads, measures):
        told += _told(path, table, names.get(measure, set()))
        if path.stem == f"{measure}_periods":
            series |= {(measure, provider) for provider in table["provider"]}
        if path.stem == f"{measure}_subgroups":
            shown = table[table["hidden"] == "0"]
            subgroups |= {(measure, *row) for row in zip(shown["column_name"], shown["value"], strict=True)}
    run = json.loads((downloads / "run.json").read_text(encoding="utf-8"))
    totals = frozenset(str(part["name"]) for part in run["measures"] if part["totals"]["cases"] is not None)
    return Published(_numbers(known), frozenset(series), frozenset(subgroups), totals, tuple(told))


def _read(path: Path) -> pd.DataFrame:
    """Every cell as text, empty where there is nothing."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _further(downloads: Path, measures: Sequence[str]) -> Iterator[tuple[str, Path, pd.DataFrame]]:
    """Other tables of a measure with rows of providers or groups."""
    for measure in measures:
        others = [name for name in measures if name != measure and name.startswith(f"{measure}_")]
        for path in sorted(downloads.glob(f"{measure}_*.csv")):
            if not any(path.stem.startswith(f"{name}_") for name in others):
                table = _read(path)
                if "provider" in table or "hidden" in table:
                    yield measure, path, table


def _told(path: Path, table: pd.DataFrame, hidden: set[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    """Figures of hidden rows in a table and in the Parquet file beside it."""
    away = table["hidden"].ne("0").to_numpy() if "hidden" in table else np.zeros(len(table), dtype=bool)
    if hidden and {"level", "provider"} <= set(table.columns):
        keys = zip(table["level"], table["provider"], strict=True)
        away = away | np.array([key in hidden for key in keys], dtype=bool)
    if not away.any():
        return []
    columns = [name for name in table.columns if name not in SILENT]
    beside = path.with_suffix(".parquet")
    frame = parquet.read_table(beside, columns=columns).to_pandas() if beside.is_file() else None
    found = []
    for name in columns:
        filled = table[name].ne("").to_numpy()
        if frame is not None:
            filled = filled | frame[name].notna().to_numpy()
        for place in np.flatnonzero(filled & away):
            row: Any = table.iloc[place]
            found.append((path.name, str(row.get("level", "")), str(row.get("provider", row.get("value", ""))), name))
    return found


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    columns = {name: pd.to_numeric(table[name], errors="coerce") for name in ("n", "observed") if name in table}
    kept = [name for name in (*KEY, "case_band") if name in table]
    return table[kept].assign(**columns, hidden=table["hidden"].ne("0"))

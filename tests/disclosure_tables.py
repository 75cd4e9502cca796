"""Random runs for attacks: a few hospitals and physicians, measures, periods and subgroups, with many small counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from profiling.store import tables
from profiling.store.runs import RunRecord

THRESHOLD = 11
MINIMUM = 25
RATES = (0.0, 0.01, 0.03, 0.08, 0.15, 0.3, 0.6, 0.9, 0.97, 1.0)
FRAMES = (
    *("inputs", "timings", "cohort_flow", "missing_counts", "fixed_effects", "variance_components", "model_checks"),
    *("calibration", "funnel_limits"),
)


@dataclass(frozen=True)
class Shape:
    """What a random run has: chances of its parts."""

    periods: bool = True
    subgroups: bool = True
    shared: float = 0.1
    hospitals: int = 6
    physicians: int = 5
    measures: int = 3


def _sizes(draw: np.random.Generator, count: int) -> np.ndarray:
    kind = draw.random()
    top = (
        np.where(draw.random(count) < 0.5, 30.0, 400.0) if kind < 0.6 else np.full(count, 30.0 if kind < 0.8 else 1500)
    )
    return np.maximum(1, np.floor(np.exp(draw.random(count) * np.log(top)))).astype(int)


def _physicians(draw: np.random.Generator, shape: Shape) -> pd.DataFrame:
    """A row a physician: hospital and cases; a hospital may have one, several or none but unknown ones."""
    hospitals = int(draw.integers(1, shape.hospitals + 1))
    rows = [
        (f"h{h}", f"p{h}-{i}", int(n))
        for h in range(hospitals)
        for i, n in enumerate(_sizes(draw, int(draw.integers(1, shape.physicians + 1))))
    ]
    return pd.DataFrame(rows, columns=["parent", "provider", "n"])


def _measure(draw: np.random.Generator, people: pd.DataFrame, name: str, counts: bool, shared: float) -> pd.DataFrame:
    """Hospitals and physicians of a measure, hospitals summed over their physicians and, at times, more."""
    n = people["n"].to_numpy()
    rate = draw.choice(RATES) if draw.random() < 0.5 else draw.choice(RATES, len(people))
    observed = draw.binomial(n, rate) if counts else np.round(draw.gamma(2.0, 2.0, len(people)) * n, 2)
    inner = people.assign(level="physician", observed=observed.astype(float))
    outer = inner.groupby("parent", as_index=False)[["n", "observed"]].sum().rename(columns={"parent": "provider"})
    unknown = draw.random(len(outer)) < shared
    extra = draw.integers(1, 40, len(outer)) * unknown
    outer = outer.assign(n=outer["n"] + extra, observed=outer["observed"] + draw.binomial(extra, 0.2))
    parts = [outer.assign(level="hospital", parent=None), inner]
    return pd.concat(parts[: 1 + (draw.random() < 0.8)], ignore_index=True).assign(measure=name, counts=counts)


def random_providers(draw: np.random.Generator, shape: Shape) -> pd.DataFrame:
    """Measures, levels and providers with n, observed, counts, category and minimum."""
    people = _physicians(draw, shape)
    parts = []
    for index in range(int(draw.integers(1, shape.measures + 1))):
        same = index == 0 or draw.random() < 0.6
        cohort = people if same else people.assign(n=draw.binomial(people["n"], 0.9)).query("n > 0")
        if len(cohort):
            parts.append(_measure(draw, cohort, f"m{index}", draw.random() < 0.75, shape.shared))
    table = pd.concat(parts, ignore_index=True)
    table["minimum"] = int(draw.choice([1, MINIMUM, 50]))
    table["category"] = np.where(table["n"] < table["minimum"], "too_few", "as_expected")
    return table


def _split(draw: np.random.Generator, total: np.ndarray, parts: int) -> np.ndarray:
    """Each total shared out to parts, unevenly."""
    weights = draw.dirichlet(np.full(parts, 0.7), len(total))
    return np.array([draw.multinomial(int(n), w) for n, w in zip(total, weights, strict=True)]).reshape(-1, parts)


def _periods(draw: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    outer, parts = table[table["parent"].isna()], int(draw.integers(2, 5))
    rows = []
    for measure, own in outer.groupby("measure", sort=False):
        n = _split(draw, own["n"].to_numpy(), parts)
        if own["counts"].all():
            events = _split(draw, own["observed"].to_numpy(), parts)
            n = events + _split(draw, (own["n"] - own["observed"]).to_numpy(), parts)
        else:
            events = n * 2.5
        for place, provider in enumerate(own["provider"]):
            for t in np.flatnonzero(n[place] > 0):
                figures = {"n": int(n[place, t]), "observed": float(events[place, t])}
                rows.append(
                    {"measure": measure, "level": "hospital", "provider": provider, "position": int(t)} | figures
                )
    return pd.DataFrame(rows).assign(period=lambda frame: frame["position"].map("{}".format))


def _subgroups(draw: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for measure, own in table[table["parent"].isna()].groupby("measure", sort=False):
        counts, position = bool(own["counts"].all()), 0
        cases, observed = int(own["n"].sum()), float(own["observed"].sum())
        for column in ("sex", "payer")[: int(draw.integers(1, 3))]:
            parts = int(draw.integers(2, 6))
            n = _split(draw, np.array([cases]), parts)[0]
            events = n * 2.5
            if counts:
                events = _split(draw, np.array([observed]), parts)[0]
                n = events + _split(draw, np.array([cases - observed]), parts)[0]
            for value in range(parts):
                for model in ("main", "social_risk"):
                    key = {"measure": measure, "position": position, "model": model, "column_name": column}
                    rows.append(key | {"value": f"v{value}", "n": int(n[value]), "observed": float(events[value])})
                position += 1
    return pd.DataFrame(rows)


def _with_columns(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    columns = [column.name for column in tables.metadata.tables[name].columns]
    return frame.reindex(columns=columns).assign(run_id="r-0")


def record_of(
    table: pd.DataFrame, periods: pd.DataFrame | None = None, subgroups: pd.DataFrame | None = None
) -> RunRecord:
    """A run with these providers and nothing else that could tell anything."""
    measures = list(dict.fromkeys(table["measure"]))
    own = {m: table[table["measure"] == m] for m in measures}
    specs = {m: _specification(m, own[m]) for m in measures}
    empty = pd.DataFrame()
    frames = {name: _with_columns(empty, "run_" + name if name in ("inputs", "timings") else name) for name in FRAMES}
    estimates = table.assign(
        provider_name=table["provider"],
        parent_name=table["parent"],
        n_parents=table["parent"].notna().map({True: 1, False: None}),
        **{
            name: table["observed"] * factor
            for name, factor in (("expected", 1.1), ("predicted", 1.05), ("mode", 0.01))
        },
    )
    found = {"provider_periods": periods, "subgroups": subgroups}
    extra = {name: _with_columns(frame, name) for name, frame in found.items() if frame is not None and len(frame)}
    return RunRecord(
        run={
            "run_id": "r-0",
            "created_at": datetime(2024, 1, 1),
            "threshold": THRESHOLD,
            "status": "fitted",
            "title": "t",
        },
        measures=_with_columns(
            pd.DataFrame(
                {
                    "measure": measures,
                    "position": range(len(measures)),
                    "spec_json": [json.dumps(specs[m]) for m in measures],
                    "rows_used": [int(part[part["parent"].isna()]["n"].sum()) for part in own.values()],
                    "overall_rate": [0.5] * len(measures),
                }
            ),
            "measures",
        ),
        provider_estimates=_with_columns(estimates, "provider_estimates"),
        flags=_with_columns(table.assign(rule="funnel"), "flags"),
        rejects=pd.DataFrame(columns=["source", "rule_id", "column_name", "rows"]),
        loads=empty,
        **frames,
        **extra,
    )


def _specification(measure: str, own: pd.DataFrame) -> Mapping[str, object]:
    levels = [{"level": level, "column": level, "random": "1"} for level in dict.fromkeys(own["level"])]
    family = "binomial" if own["counts"].all() else "log_gaussian"
    flag = {"rule": "funnel", "watch": 0.95, "flag": 0.998}
    return {
        "name": measure, "title": measure, "question": "?", "family": family, "providers": levels, "outcome": measure,
        "case_mix": "1", "direction": "higher_is_worse", "minimum_cases": int(own["minimum"].iloc[0]), "flag": flag,
        "event": "events",
    }  # fmt: skip


def random_tables(seed: int, shape: Shape | None = None) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Providers, periods and subgroups of a random run; the last two may be empty."""
    shape = shape or Shape()
    draw = np.random.default_rng(seed)
    table = random_providers(draw, shape)
    periods = _periods(draw, table) if shape.periods and draw.random() < 0.6 else pd.DataFrame()
    subgroups = _subgroups(draw, table) if shape.subgroups and draw.random() < 0.6 else pd.DataFrame()
    return table, periods, subgroups


def random_record(seed: int, shape: Shape | None = None) -> tuple[RunRecord, pd.DataFrame]:
    """A random run, and its providers with what an attack needs to know beside the record."""
    table, periods, subgroups = random_tables(seed, shape)
    return record_of(table, periods, subgroups), table


def grown(record: RunRecord, table: pd.DataFrame, seed: int) -> tuple[RunRecord, pd.DataFrame]:
    """The run after more records came: the same hospitals and physicians with some cases more."""
    draw = np.random.default_rng(seed)
    inner = table["parent"].notna()
    new = table.copy()
    base = new["parent"].notna() if inner.any() else pd.Series(True, new.index)
    busy = float(draw.choice([0.02, 0.1, 0.5]))
    more = pd.Series(0, new.index)
    for rows in new[base].groupby(["provider", "level"], sort=False).groups.values():
        n = int(new.loc[rows[0], "n"])
        more[rows] = int(draw.binomial(max(n, 5), busy)) if draw.random() < 0.7 else 0
    events = pd.Series(np.where(new["counts"], draw.binomial(more, 0.25), more * 2.5), new.index)
    for _measure, own in new.groupby("measure", sort=False):
        mine = own.index[own["parent"].notna()]
        if not len(mine):
            continue
        above = own.index[own["parent"].isna()]
        sums = {str(p): part.index for p, part in own.loc[mine].groupby("parent")}
        for place in above:
            rows = sums.get(str(new.loc[place, "provider"]), [])
            more[place], events[place] = more[rows].sum(), events[rows].sum()
    new["n"], new["observed"] = new["n"] + more, new["observed"] + events
    new["category"] = np.where(new["n"] < new["minimum"], "too_few", "as_expected")
    return replace(record_of(new), run=record.run | {"run_id": "r-1"}), new

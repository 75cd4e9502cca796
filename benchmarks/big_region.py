"""Results of a region as large as one likes, written straight to a database: hospitals, their physicians, two measures.

No patients are drawn and no model is fitted: every physician gets cases, expected and observed events from a law with
known spread, hospitals are their sums, and both levels are assessed as published tables are. What a report of such a
region costs does not depend on where its results came from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.big_evidence import evidence_of
from profiling import assessment as a
from profiling.store.engine import open_database
from profiling.store.migrations import upgrade
from profiling.store.runs import finish_run, new_run, write_results

RUN = "r-5ca1e000"
LEVELS = ("hospital", "physician")
SPREAD = {"hospital": 0.15, "physician": 0.08}
MEASURES = {
    "mortality_30d": ("Death within 30 days", "deaths", 0.08),
    "readmission_30d": ("Readmission within 30 days", "readmissions", 0.15),
}
FIRST = ("Ald", "Brack", "Cray", "Dor", "Elm", "Fen", "Gar", "Hes", "Ist", "Kirk", "Lorn", "Mir", "Oak", "Pell",
         "Quill", "Rush", "Sorr", "Tarn", "Ulv", "Wyth", "Yar")  # fmt: skip
LAST = ("wick", "den", "mere", "holt", "stow", "garth", "combe", "haven", "ford", "ley", "thorpe", "bury")
KINDS = ("University", "District", "General", "Memorial", "County", "Royal")
SURNAMES = ("Abernock", "Birchall", "Calloway", "Darnley", "Eastlake", "Fairlow", "Garside", "Halloway", "Inchbald",
            "Jermyn", "Kellaway", "Langmoor", "Marwood", "Norwell", "Oakeshott", "Penrose", "Quartley")  # fmt: skip


@dataclass(frozen=True)
class Region:
    """How many hospitals, how many physicians in each, cases of the median hospital, and the seed."""

    hospitals: int = 5_000
    physicians_each: int = 10
    cases: float = 1500.0
    seed: int = 1


def write_region(region: Region, database: str) -> str:
    """Write the results of a region as a fitted run into a database, made if absent; the run's id."""
    generator = np.random.default_rng(region.seed)
    physicians = _physicians(generator, region)
    parts = [_measure(generator, physicians, name, place) for place, name in enumerate(MEASURES)]
    frames = {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}
    engine = open_database(database)
    upgrade(engine)
    new_run(
        engine,
        run_id=RUN,
        created_at=datetime(2024, 6, 11, 9, 14, tzinfo=UTC),
        seed=region.seed,
        version="0",
        title=f"A region of {region.hospitals:,} hospitals",
        config_text="",
        config_sha256="0" * 64,
        threshold=11,
    )
    write_results(engine, RUN, frames)
    finish_run(engine, RUN, "fitted")
    engine.dispose()
    return RUN


def write_configuration(folder: Path, database: str, output: str = "") -> Path:
    """A configuration for `profiling report` on such a database; `output` holds further lines of its `output:`."""
    path = folder / "config.yaml"
    path.write_text(
        f"title: A region\ndatabase: {database}\n"
        "sources:\n  encounters: {file: none.csv, columns: {died: {type: integer}}}\n"
        "measures:\n  - {name: any, title: Any, question: Any?, event: deaths, outcome: died, family: binomial,\n"
        '     direction: higher_is_worse, case_mix: "1", flag: {rule: funnel},\n'
        '     providers: [{level: hospital, column: clinic_id, random: "1"}]}\n'
        f"output:\n  folder: site\n{output}publication: {{gate: null}}\n",
        encoding="utf-8",
    )
    return path


def _physicians(generator: np.random.Generator, region: Region) -> pd.DataFrame:
    """A row a physician: names, hospital, cases."""
    hospitals, each = region.hospitals, region.physicians_each
    size = region.cases * np.exp(generator.normal(0.0, 0.9, hospitals))
    share = generator.dirichlet(np.full(each, 3.0), hospitals)
    code = np.repeat(np.arange(hospitals), each)
    places = np.array([f"{first}{last}" for first in FIRST for last in LAST])
    names = pd.Series(places[np.arange(hospitals) % len(places)]) + " " + np.array(KINDS)[np.arange(hospitals) % 6]
    again = names.groupby(names).cumcount()
    names = names.where(again == 0, names + " " + (again + 1).astype(str))
    surnames = np.array(SURNAMES)[generator.integers(0, len(SURNAMES), hospitals * each)]
    initials = np.array(list("ABCDEFGHJKLMNPRSTW"))[generator.integers(0, 18, hospitals * each)]
    return pd.DataFrame(
        {
            "provider": [f"P{place:06d}" for place in range(hospitals * each)],
            "provider_name": [f"Dr {initial}. {name}" for initial, name in zip(initials, surnames, strict=True)],
            "code": code,
            "parent": np.char.add("H", np.char.zfill(code.astype(str), 5)),
            "parent_name": names.to_numpy()[code],
            "n": 1 + generator.poisson((size[:, None] * share).ravel()),
        }
    )


def _measure(
    generator: np.random.Generator, physicians: pd.DataFrame, name: str, place: int
) -> dict[str, pd.DataFrame]:
    """The frames of the store for one measure."""
    title, event, rate = MEASURES[name]
    code, n = physicians["code"].to_numpy(), physicians["n"].to_numpy()
    effect = generator.normal(0.0, SPREAD["hospital"], int(code.max()) + 1)[code]
    effect = effect + generator.normal(0.0, SPREAD["physician"], len(code))
    expected = n * rate * np.exp(generator.normal(0.0, 0.2, len(code)))
    observed = np.minimum(generator.poisson(expected * np.exp(effect)), n)
    inner = physicians.assign(observed=observed, expected=expected)
    sums = inner.groupby("parent")[["n", "observed", "expected"]].sum().reset_index(names="provider")
    options = a.ProfileOptions(seed=place)
    outer = a.assess_aggregates(sums, "provider", options)
    kept = outer.frame.set_index("provider")["ratio"].reindex(inner["parent"]).to_numpy()
    within = a.assess_aggregates(inner.assign(expected=inner["expected"] * kept), "provider", options)
    assessed = dict(zip(LEVELS, (outer, within), strict=True))
    estimates = [
        outer.frame.assign(level="hospital", provider_name=_names(physicians, outer.frame["provider"])),
        within.frame.assign(level="physician", **_labels(inner, within.frame["provider"])),
    ]
    every = pd.concat(estimates, ignore_index=True)
    checks = [check for level, found in assessed.items() for check in a.level_checks(level, found)]
    found = {
        "measures": _specification(name, title, event, place, sums),
        "provider_estimates": every,
        "flags": pd.concat([a.flags(found, level) for level, found in assessed.items()], ignore_index=True),
        "funnel_limits": pd.concat([a.funnel_limits(found, level) for level, found in assessed.items()]),
        "model_checks": pd.DataFrame([*checks, *_fit(sums)], columns=["name", "value", "note"]),
        **_model(sums),
        **evidence_of(generator, every),
    }
    return {key: frame.assign(measure=name) for key, frame in found.items()}


def _names(physicians: pd.DataFrame, order: pd.Series) -> np.ndarray:
    return physicians.drop_duplicates("parent").set_index("parent")["parent_name"].reindex(order).to_numpy()


def _labels(inner: pd.DataFrame, order: pd.Series) -> dict[str, Any]:
    rows = inner.set_index("provider").reindex(order)
    return {name: rows[name].to_numpy() for name in ("provider_name", "parent", "parent_name")} | {"n_parents": 1}


def _specification(name: str, title: str, event: str, place: int, sums: pd.DataFrame) -> pd.DataFrame:
    levels = [{"level": level, "column": f"{level}_id", "random": "1"} for level in LEVELS]
    spec = {
        "name": name,
        "title": title,
        "question": f"Did more patients have {event} than their condition on arrival explains?",
        "event": event,
        "outcome": name,
        "direction": "higher_is_worse",
        "family": "binomial",
        "case_mix": "age + C(sex)",
        "providers": levels,
        "inner_expected": "within_hospital",
        "minimum_cases": 25,
        "flag": {"rule": "funnel", "watch": 0.95, "flag": 0.998},
    }
    cases, events = int(sums["n"].sum()), float(sums["observed"].sum())
    row = {"position": place, "spec_json": json.dumps(spec), "formula": "age + C(sex)", "cohort_sql": "SELECT 1"}
    return pd.DataFrame([row | {"rows_used": cases, "overall_rate": events / cases}])


def _fit(sums: pd.DataFrame) -> list[tuple[str, float, str]]:
    values = {
        "converged": 1.0,
        "c_statistic": 0.74,
        "calibration_slope": 0.99,
        "observed_over_expected": float(sums["observed"].sum() / sums["expected"].sum()),
    }
    return [(name, value, "") for name, value in values.items()]


def _model(sums: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Just enough of a model for its page: two traits, two spreads, ten bands, three steps."""
    effects = pd.DataFrame({"position": [0, 1, 2], "term": ["Intercept", "age", "C(sex)[T.M]"]})
    effects = effects.assign(estimate=[-2.5, 0.03, 0.2], standard_error=0.01)
    effects = effects.assign(lower=effects["estimate"] - 0.02, upper=effects["estimate"] + 0.02)
    spreads = pd.DataFrame({"position": [0, 1], "grouping": list(LEVELS), "term_a": "Intercept", "term_b": "Intercept"})
    bands = np.linspace(0.02, 0.3, 10)
    cases = float(sums["n"].sum()) / 10
    return {
        "fixed_effects": effects,
        "variance_components": spreads.assign(covariance=[SPREAD[level] ** 2 for level in LEVELS]),
        "calibration": pd.DataFrame(
            {"band": range(1, 11), "n": int(cases), "observed": np.round(cases * bands), "expected": cases * bands}
        ),
        "cohort_flow": pd.DataFrame(
            {
                "position": range(3),
                "step": ["all accepted encounters", "age at least 18", "case mix and outcome complete"],
                "rows_left": [int(12 * cases), int(11 * cases), int(sums["n"].sum())],
            }
        ),
    }

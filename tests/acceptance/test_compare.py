"""Two runs side by side: every cause is found where it is the only one, and the parts add up."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_region import CONFIGURATION, visits, write_region

from profiling.cli.main import execute
from profiling.reporting.comparison import PARTS, compare, contributions
from profiling.reporting.disclosure import mask
from profiling.store.engine import open_database
from profiling.store.runs import read_predictions, read_run

MOMENTS = iter(f"2024-01-01T00:{minute:02d}:00" for minute in range(60))
OPEN_GATE = "publication: {gate: null}\n"
TEXT = CONFIGURATION + OPEN_GATE
ROWS = 5000


def command(folder: Path, *words: str) -> int:
    return execute([*words, "--config", str(folder / "config.yaml"), "--quiet"])


def run(folder: Path, *, table: pd.DataFrame | None = None, text: str = TEXT) -> str:
    write_region(folder, table=visits(rows=ROWS) if table is None else table, text=text)
    assert command(folder, "run", "--now", next(MOMENTS)) == 0
    return (folder / "site/current").resolve().name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def base(folder: Path) -> str:
    return run(folder)


def compared(folder: Path, former: str, later: str) -> pd.DataFrame:
    assert command(folder, "compare", former, later) == 0
    place = folder / "site/compare" / f"{former}-{later}"
    assert (place / "index.html").is_file()
    return pd.read_csv(place / "changes.csv", keep_default_na=True).query(
        "level == 'hospital' and measure == 'mortality'"
    )


def test_another_rule_is_the_cause_where_it_is_the_only_change(folder: Path, base: str) -> None:
    later = run(
        folder, text=TEXT.replace("    outcome: died\n", "    outcome: died\n    flag: {watch: 0.3, flag: 0.8}\n")
    )
    rows = compared(folder, base, later)
    moved = rows[rows["cause"].notna()]
    assert len(moved) > 2
    assert set(moved.loc[moved["hidden"] == 0, "cause"]) == {"rule"}
    assert np.allclose(rows[list(PARTS)].fillna(0.0), 0.0, atol=1e-12)
    page = (folder / "site/compare" / f"{base}-{later}" / "index.html").read_text()
    assert "Both runs read the same files." in page
    assert re.search(r"setup|set up|asked of the data changed", page)


def test_other_outcomes_are_the_cause_where_one_hospital_loses_more_patients(folder: Path, base: str) -> None:
    table = visits(rows=ROWS)
    engine = open_database(f"sqlite:///{folder}/var/profiling.db")
    flags = read_run(engine, base).flags.query("measure == 'mortality' and level == 'hospital'").set_index("provider")
    chosen = str(flags.index[flags["category"] == "as_expected"][0])
    changed = table["clinic_id"].eq(chosen) & (np.arange(len(table)) % 2 == 0)
    later = run(folder, table=table.assign(died=np.where(changed, 1, table["died"])))
    rows = compared(folder, base, later).set_index("provider")
    assert rows.loc[chosen, "cause"] == "outcomes"
    assert rows.loc[chosen, "outcomes"] > 1
    assert (rows["model"].abs() < rows.loc[chosen, "outcomes"] / 2).all()
    assert rows["case_mix"].abs().max() < 1e-9


def test_the_model_changes_expected_numbers_of_the_same_patients(folder: Path, base: str) -> None:
    later = run(folder, text=TEXT.replace("case_mix: I(age / 10)", "case_mix: I(np.minimum(age, 50))", 1))
    rows = compared(folder, base, later)
    assert rows["outcomes"].abs().max() < 1e-12
    assert rows["case_mix"].abs().max() < 1e-12
    assert rows["model"].abs().max() > 1e-3


def test_contributions_add_up_to_the_change_of_the_ratio(folder: Path, base: str) -> None:
    table = pd.concat(
        [visits(rows=ROWS).iloc[200:], visits(seed=9, rows=500).assign(encounter_id=lambda t: "n" + t["encounter_id"])]
    )
    later = run(folder, table=table)
    engine = open_database(f"sqlite:///{folder}/var/profiling.db")
    before, after = (read_predictions(engine, run_id, "mortality") for run_id in (base, later))
    parts = contributions(before, after).set_index("provider")
    ratios = [
        t.groupby("outer_provider")[["observed", "expected_marginal"]]
        .sum()
        .pipe(lambda s: s["observed"] / s["expected_marginal"])
        for t in (before, after)
    ]
    assert np.allclose(parts.sum(axis=1), np.log(ratios[1] / ratios[0]), atol=1e-12)
    assert (parts.abs() > 1e-4).all().all()
    records = [read_run(engine, run_id) for run_id in (base, later)]
    found = compare(
        mask(records[0]),
        mask(records[1]),
        {"mortality": (before, after), "stay": tuple(read_predictions(engine, r.run_id, "stay") for r in records)},
    )
    totals = found.totals.query("measure == 'mortality'").set_index("step").drop(columns="measure").astype(float)
    sums = totals.loc["before"] - totals.loc["left"] + totals.loc["came"] + totals.loc["same"] - totals.loc["after"]
    assert sums.abs().max() < 1e-9


def test_counts_that_differ_by_few_are_shown_of_neither_run(folder: Path, base: str) -> None:
    table = visits(rows=ROWS)
    mine = table.index[table["clinic_id"].eq("h05") & table["died"].eq(0)][:3]
    later = run(folder, table=table.drop(mine))
    rows = compared(folder, base, later).set_index("provider")
    assert rows.loc["h05", "hidden"] == 1
    assert rows.loc["h05", ["n_before", "n_after", "observed_before", "oe_ratio_after", *PARTS]].isna().all()


def test_what_cannot_be_compared(folder: Path, base: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(folder, "compare", base, base) == 2
    assert command(folder, "compare", base, "r-00000000") == 2
    assert execute(["fit", "--config", str(folder / "config.yaml"), "--json", "--now", "2024-03-01"]) == 0
    fitted = json.loads(capsys.readouterr().out)["run"]
    assert command(folder, "compare", base, fitted) == 2
    assert "Publish it first" in capsys.readouterr().err

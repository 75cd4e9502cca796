"""`profiling assess`: from a published table to pages, in one command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from profiling.cli.main import execute
from profiling.store.engine import open_database
from profiling.store.runs import latest_run, read_run

NOW = "2024-05-06T07:08:09"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assess")
    random = np.random.default_rng(1)
    expected = random.uniform(3, 120, 60)
    rows = pd.DataFrame(
        {
            "CODE": [f"T{i:02d}" for i in range(60)],
            "NAME": [f"Trust {chr(65 + i % 26)}{i}" for i in range(60)],
            "CASES": np.rint(expected * 15).astype(int),
            "DEATHS": random.poisson(expected * np.exp(0.25 * random.normal(size=60))),
            "EXPECTED": np.round(expected, 4),
        }
    )
    rows.to_csv(folder / "table.csv", index=False)
    assert assess(folder, "site", "--overdispersion", "additive") == 0
    return folder


def assess(folder: Path, site: str, *words: str) -> int:
    columns = "provider=CODE,provider_name=NAME,n=CASES,observed=DEATHS,expected=EXPECTED"
    return execute(
        [
            *("assess", str(folder / "table.csv"), "--columns", columns, "--level", "trust", "--event", "deaths"),
            *("--folder", str(folder / site), "--database", str(folder / "var" / "a.db"), "--now", NOW, "--quiet"),
            *words,
        ]
    )


def test_pages_are_complete_and_speak_of_no_model(published: Path) -> None:
    current = published / "site" / "current"
    pages = sorted(current.rglob("*.html"))
    assert len([page for page in pages if page.parent.name == "hospitals"]) == 60
    assert not list((current / "models").glob("*.html"))
    for page in pages:
        text = page.read_text()
        for link in re.findall(r'href="([^"#:]+)', text):
            assert (page.parent / link).exists(), f"{page.name} leads to {link}"
        assert not re.search(r">\s*(nan|None)\b", text)
    measure = (current / "measures" / "table.html").read_text()
    assert "Within usual spread" in measure
    assert "the limits were widened" in measure
    assert "There are no patient records behind this report" in measure.replace("\n", " ")
    assert "The whole model" not in measure


def test_small_counts_are_hidden_by_default_and_shown_when_asked(published: Path) -> None:
    table = pd.read_csv(published / "site" / "current" / "downloads" / "table_trust.csv")
    small = pd.read_csv(published / "table.csv").set_index("CODE")["DEATHS"].between(1, 10)
    hidden = table.set_index("provider")["hidden"].astype(bool)
    assert small.any()
    assert hidden[small[small].index].all()
    assert assess(published, "open", "--threshold", "1") == 0
    opened = pd.read_csv(published / "open" / "current" / "downloads" / "table_trust.csv")
    assert not opened["hidden"].any()
    assert opened["observed"].notna().all()
    assert "No count is hidden" in (published / "open" / "current" / "index.html").read_text()


def test_the_run_is_kept_and_says_what_the_rule_allowed_for(published: Path) -> None:
    run = json.loads((published / "site" / "current" / "downloads" / "run.json").read_text())
    checks = run["measures"][0]["model_checks"]
    assert checks["overdispersion_tau_squared_trust"] > 0
    assert 0 < checks["power_flag_trust"] < 1
    # Limits from a winsorised spread of normal effects let through .107 instead of .05 (simulated with 10^6 draws).
    assert checks["expected_false_watch_trust"] == pytest.approx(0.107 * 60, abs=0.5)


def test_the_audit_says_what_the_table_holds_and_how_to_repeat_it(published: Path) -> None:
    text = re.sub(r"\s+", " ", (published / "site" / "current" / "audit.html").read_text())
    table = pd.read_csv(published / "table.csv")
    assert f"<dd>{table['CASES'].sum():,}</dd>" in text
    assert f"<dd>{table['DEATHS'].sum():,}</dd>" in text
    assert f"profiling assess table.csv --now {NOW}" in text
    for said in ("overdispersion: additive", "level: trust", "minimum cases: 25", "<b>scipy</b>"):
        assert said in text
    for foreign in ("profiling run", "profiling verify", "as the database was asked", "No run was published before"):
        assert foreign not in text


def test_a_table_without_the_columns_ends_in_exit_11(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["assess", str(published / "table.csv"), "--folder", str(published / "no"), "--now", NOW]
    assert execute([*arguments, "--database", str(published / "var" / "b.db")]) == 11
    assert "--columns provider=CODE" in capsys.readouterr().err
    assert not (published / "no").exists()


def test_a_table_has_the_evidence_that_needs_no_patients(published: Path) -> None:
    engine = open_database(f"sqlite:///{published}/var/a.db")
    run_id = latest_run(engine)
    assert run_id is not None
    record = read_run(engine, run_id)
    evidence, flags = record.provider_evidence, record.flags
    assert len(evidence) == 60
    known = ["methods", "events_to_higher_flag", "e_value", "top_fifth", "rank_set_lower"]
    assert evidence[known].notna().all(axis=None)
    assert evidence[["direct_rate", "overlap", "exposure"]].isna().all(axis=None)
    there = evidence["events_to_higher_watch"] <= 0
    assert list(there) == list(flags["category"].isin(["higher", "higher_watch"]))
    variants = set(record.sensitivity["variant"])
    assert {"interval", "empirical_null"} < variants < {"interval", "empirical_null", "funnel", "overdispersed"}
    assert record.provider_periods.empty
    assert record.composites.empty

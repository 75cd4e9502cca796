"""`profiling structure` on files of known nesting and on loaded records."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_region import write_region

from profiling.cli.main import execute


@pytest.fixture
def visits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """60 patients of 4 visits, of 12 physicians, of 6 clinics; ten patients move once to the next physician."""
    monkeypatch.chdir(tmp_path)
    patient, day = np.repeat(np.arange(60), 4), np.tile(np.arange(4), 60)
    physician = patient // 5
    physician[(patient < 10) & (day >= 2)] += 1
    frame = pd.DataFrame({"patient": patient, "physician": physician, "clinic": physician // 2, "day": day})
    frame.to_csv(tmp_path / "visits.csv", index=False)
    frame.to_parquet(tmp_path / "visits.parquet")
    return tmp_path


@pytest.mark.parametrize("name", ["visits.csv", "visits.parquet"])
def test_a_file_in_words(visits: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["structure", name, "--factors", "patient,physician", "--factors", "clinic", "--time", "day"]) == 0
    shown = capsys.readouterr().out
    assert "240 rows" in shown
    assert "physician is nested in clinic" in shown
    assert "16.7% of patient levels have more than one physician" in shown
    assert "10 moved and stayed, 0 go to and fro" in shown
    assert "Random part: (1 | clinic) + (1 | physician) + (1 | patient)" in shown


def test_rows_without_a_level_are_counted_and_left_out(visits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.read_csv("visits.csv")
    frame.loc[:6, "clinic"] = np.nan
    frame.to_csv("visits.csv", index=False)
    assert execute(["structure", "visits.csv", "--factors", "patient,clinic", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["rows_left_out"]) == (233, 7)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["visits.csv"], "--factors"),
        (["visits.csv", "--factors", "ward"], "no column ward"),
        (["visits.csv", "--factors", "day", "--time", "day"], "a factor too"),
    ],
)
def test_what_is_not_there_is_named(
    visits: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["structure", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_loaded_records_need_no_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_region(tmp_path)
    assert execute(["load", "--quiet"]) == 0
    assert execute(["structure", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    loaded = pd.read_csv("visits.csv")
    levels = {row["factor"]: row["levels"] for row in found["factors"]}
    assert found["rows"] == len(loaded)
    assert levels["clinic_id"] == loaded["clinic_id"].nunique()

"""A run that jumps against the published run before it is held until somebody releases it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reporting_fixture import simulated_run
from small_region import CONFIGURATION, visits, write_region

from profiling.cli.main import execute
from profiling.config import Gate
from profiling.pipeline.cases import COMPLETE_STEP
from profiling.pipeline.gate import reasons
from profiling.store.runs import RunRecord


@pytest.fixture(scope="module")
def before() -> RunRecord:
    return simulated_run(rows=3000, hospitals=20, physicians_each=2)


def with_volume(record: RunRecord, by: float) -> RunRecord:
    return replace(record, measures=record.measures.assign(rows_used=record.measures["rows_used"] * by))


def with_rate(record: RunRecord, by: float) -> RunRecord:
    return replace(record, measures=record.measures.assign(overall_rate=record.measures["overall_rate"] * by))


def with_missing(record: RunRecord, share: float) -> RunRecord:
    flow = record.cohort_flow.copy()
    complete = flow["step"] == COMPLETE_STEP
    flow.loc[complete, "rows_left"] = (flow["rows_left"].shift()[complete] * (1 - share)).round().astype(int)
    return replace(record, cohort_flow=flow)


def with_flags(record: RunRecord, share: float) -> RunRecord:
    flags = record.flags.copy()
    mine = flags.index[(flags["level"] == "hospital") & (flags["category"] != "too_few")]
    flags.loc[mine, "category"] = "as_expected"
    for _, rows in flags.loc[mine].groupby("measure"):
        flags.loc[rows.index[: round(share * len(rows))], "category"] = "higher"
    return replace(record, flags=flags)


@pytest.mark.parametrize(
    ("change", "quiet", "loud", "kind"),
    [
        (with_volume, 1.24, 1.26, "number of patients"),
        (with_volume, 0.76, 0.74, "number of patients"),
        (with_rate, 1.24, 1.26, "event rate or mean"),
        (with_missing, 0.049, 0.052, "missing values"),
        (with_flags, 0.05, 0.2, "number of flags"),
    ],
)
def test_each_jump_is_found_at_its_limit(
    before: RunRecord, change: Callable[[RunRecord, float], RunRecord], quiet: float, loud: float, kind: str
) -> None:
    base = with_flags(with_missing(before, 0.0), 0.0)
    gate = Gate(volume=0.25, event_rate=0.25, missingness=0.05, flags=0.101)
    assert reasons(change(base, quiet), base, gate) == []
    found = reasons(change(base, loud), base, gate)
    assert all(reason.kind == f"{kind} of {reason.measure}" for reason in found)
    assert {reason.measure for reason in found} == set(base.measures["measure"])
    off = Gate(volume=None, event_rate=None, missingness=None, flags=None)
    assert reasons(change(base, loud), base, off) == []


def test_a_run_is_no_jump_from_itself_and_new_measures_have_no_past(before: RunRecord) -> None:
    strict = Gate(volume=0, event_rate=0, missingness=0, flags=0)
    assert reasons(before, before, strict) == []
    other = replace(before, measures=before.measures.assign(measure="another"))
    assert reasons(before, other, strict) == []


def command(folder: Path, *words: str) -> int:
    return execute([*words, "--config", str(folder / "config.yaml"), "--quiet"])


def current(folder: Path) -> str:
    return (folder / "site/current").resolve().name


def test_a_held_run_publishes_nothing_until_it_is_released(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_region(tmp_path)
    assert command(tmp_path, "run", "--now", "2024-01-01") == 0
    first = current(tmp_path)
    records = visits()
    jumped = records.assign(died=np.where(np.arange(len(records)) % 3 == 0, 1, records["died"])).iloc[:800]
    write_region(tmp_path, table=pd.DataFrame(jumped))
    assert command(tmp_path, "run", "--now", "2024-02-01", "--json") == 17
    problems = json.loads(capsys.readouterr().err)["error"]["problems"]
    said = " ".join(problem["found"] for problem in problems)
    assert "number of patients went from 1,1" in said
    assert "event rate or mean went from" in said
    advice = {problem["advice"] for problem in problems}
    assert len(advice) == 1
    held = advice.pop().rpartition(" ")[2]
    assert current(tmp_path) == first
    assert command(tmp_path, "report") == 17
    assert command(tmp_path, "release", held) == 0
    assert current(tmp_path) == held
    assert command(tmp_path, "verify", held) == 0
    assert command(tmp_path, "report", held) == 0
    assert current(tmp_path) == held
    assert [path.name for path in sorted((tmp_path / "site/runs").iterdir())] == sorted([first, held])


def test_without_a_gate_nothing_is_held(tmp_path: Path) -> None:
    text = CONFIGURATION + "publication: {gate: null}\n"
    write_region(tmp_path, text=text)
    assert command(tmp_path, "run", "--now", "2024-01-01") == 0
    write_region(tmp_path, table=visits(rows=700), text=text)
    assert command(tmp_path, "run", "--now", "2024-02-01") == 0

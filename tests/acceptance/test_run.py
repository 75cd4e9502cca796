"""The whole way: records to pages, again to the same bytes, on two databases, and on records that none of us made."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from small_region import CONFIGURATION, visits, write_region

from profiling.cli.main import execute
from profiling.store.engine import open_database
from profiling.store.runs import RunRecord, latest_run, read_run

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("PROFILING_SHARED", ROOT.parent / "shared"))
NOW = ("--now", "2024-05-06T07:08:09")
RESULTS = ("fixed_effects", "variance_components", "provider_estimates", "flags", "funnel_limits", "calibration")


def run(folder: Path, *more: str) -> int:
    return execute(["run", "--config", str(folder / "config.yaml"), "--quiet", *NOW, *more])


def bytes_of(site: Path) -> dict[str, bytes]:
    """Every file of the current site by name, without those that its manifest calls volatile."""
    current = (site / "current").resolve()
    volatile = json.loads((current / "manifest.json").read_text())["volatile"]
    files = {path.relative_to(current).as_posix(): path for path in current.rglob("*") if path.is_file()}
    assert set(volatile) <= set(files)
    return {name: path.read_bytes() for name, path in files.items() if name not in volatile}


def record_of(url: str) -> RunRecord:
    engine = open_database(url)
    run_id = latest_run(engine)
    assert run_id is not None
    return read_run(engine, run_id)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("region")
    write_region(folder)
    assert run(folder) == 0
    return folder


@pytest.fixture(scope="module")
def record(region: Path) -> RunRecord:
    return record_of(f"sqlite:///{region}/var/profiling.db")


def test_a_run_ends_published_with_every_part_in_the_store(record: RunRecord) -> None:
    assert record.run["status"] == "published"
    assert set(record.timings["stage"]) == {"load", "cohort", "fit", "assess", "evidence", "publish"}
    assert record.provider_estimates.groupby(["measure", "level"]).size().to_dict() == {
        ("mortality", "hospital"): 12,
        ("mortality", "physician"): 24,
        ("stay", "hospital"): 12,
    }
    assert all(len(getattr(record, name)) for name in RESULTS)


def test_observed_of_the_store_are_those_of_the_records(record: RunRecord) -> None:
    kept = visits().dropna()
    estimates = record.provider_estimates.set_index(["measure", "level", "provider"])["observed"]
    died = kept.groupby("clinic_id")["died"].sum()
    stay = kept.groupby("clinic_id")["stay"].sum()
    for measure, sums in (("mortality", died), ("stay", stay)):
        found = estimates[measure, "hospital"]
        assert found.to_dict() == pytest.approx(sums.to_dict(), rel=1e-9)


def test_flow_ends_with_the_rows_that_were_used(record: RunRecord) -> None:
    last = record.cohort_flow.sort_values("position").groupby("measure")["rows_left"].last()
    assert last.to_dict() == record.measures.set_index("measure")["rows_used"].to_dict()
    assert last["mortality"] == len(visits().dropna())


def test_names_of_providers_without_a_file_are_their_ids(record: RunRecord) -> None:
    assert (record.provider_estimates["provider_name"] == record.provider_estimates["provider"]).all()
    physicians = record.provider_estimates.query("level == 'physician'").set_index("provider")
    assert physicians["parent"].to_dict() == {f"d{index:02d}": f"h{index // 2:02d}" for index in range(24)}


def test_drawing_a_run_again_gives_the_same_bytes(region: Path) -> None:
    first = bytes_of(region / "site")
    assert execute(["report", "--config", str(region / "config.yaml"), "--quiet"]) == 0
    assert bytes_of(region / "site") == first


def test_a_run_from_an_empty_database_gives_the_same_bytes(region: Path, tmp_path: Path) -> None:
    write_region(tmp_path)
    assert run(tmp_path) == 0
    assert bytes_of(tmp_path / "site") == bytes_of(region / "site")


@pytest.mark.postgresql
def test_postgresql_gives_the_same_estimates(record: RunRecord, postgresql_url: str, tmp_path: Path) -> None:
    write_region(tmp_path, text=f"database: {postgresql_url}\n{CONFIGURATION}")
    assert run(tmp_path) == 0
    other = record_of(postgresql_url)
    for name in RESULTS:
        mine, theirs = (getattr(one, name).drop(columns="run_id") for one in (record, other))
        pd.testing.assert_frame_equal(mine, theirs, rtol=1e-12, atol=1e-12)


def test_a_run_that_fails_leaves_the_site_as_it_was(region: Path) -> None:
    before = bytes_of(region / "site")
    separated = visits().dropna().assign(died=lambda t: (t["age"] > 60).astype(int))
    try:
        write_region(region, table=separated)
        assert run(region, "--now", "2024-06-01") == 13
        assert bytes_of(region / "site") == before
    finally:
        write_region(region)


def test_the_end_of_a_run_says_page_records_providers_flags_and_seconds(
    region: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(region)
    assert execute(["run", *NOW]) == 0
    lines = capsys.readouterr().out.strip().split("\n")
    assert lines[-1] == "First page: site/current/index.html"
    said = "\n".join(lines)
    for words in ("encounters   1,200         0", "hospital 12, physician 24", "mortality  physician", "publish "):
        assert words in said


@pytest.mark.skipif(not (SHARED / "data/gusto").exists(), reason="GUSTO-I is not here (PROFILING_SHARED)")
def test_gusto_gives_the_published_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against lme4's Laplace fit of the same formula."""
    monkeypatch.setenv("PROFILING_SHARED", str(SHARED.resolve()))
    text = (ROOT / "examples/gusto.yaml").read_text().replace("../", "")
    (tmp_path / "config.yaml").write_text(text)
    assert run(tmp_path) == 0
    record = record_of(f"sqlite:///{tmp_path}/var/gusto.db")
    lme4 = [-0.0078, 0.7973, 0.6053, 1.2246, 1.9482, -0.4003, 0.1892, 0.4712, -0.5400, -0.2332]
    assert record.fixed_effects["estimate"].tolist() == pytest.approx(lme4, abs=1e-3)
    assert record.variance_components["covariance"].iloc[0] ** 0.5 == pytest.approx(0.1409, abs=1e-3)
    checks = record.model_checks.set_index("name")["value"]
    assert checks["log_likelihood"] == pytest.approx(-8274.532, abs=1e-2)
    assert record.measures["rows_used"].tolist() == [40830]
    assert (record.provider_estimates["level"] == "hospital").sum() == 121

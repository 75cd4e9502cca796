from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from reporting_fixture import RUN_ID, simulated_run

from profiling.errors import VerificationFailed
from profiling.reporting import publication
from profiling.reporting.manifest import verify
from profiling.reporting.publication import publish
from profiling.reporting.site import SiteSummary, write_site
from profiling.store.runs import RunRecord


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return simulated_run(rows=1500, hospitals=5, physicians_each=2)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site of two small files, for tests of what happens around it."""

    def write(record: RunRecord, folder: Path, **_: object) -> SiteSummary:
        (folder / "assets").mkdir()
        (folder / "index.html").write_text(str(record.run["title"]))
        (folder / "assets" / "style.css").write_text("a{}")
        (folder / "timings.json").write_text(json.dumps(record.timings["seconds"].tolist()))
        return SiteSummary(folder / "index.html", 1, 3, 0, 0, 0)

    monkeypatch.setattr(publication, "write_site", write)
    monkeypatch.setattr(publication, "audit_site", lambda *_: None)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_run_written_twice_has_the_same_bytes(record: RunRecord, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_site(record, tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_publishing_makes_a_whole_site(record: RunRecord, tmp_path: Path, quick: None) -> None:
    made = publish(record, tmp_path)
    index = made.page
    assert made.folder == tmp_path / "runs" / RUN_ID
    assert index == tmp_path / "current" / "index.html"
    assert index.read_text() == record.run["title"]
    assert os.readlink(tmp_path / "current") == f"runs/{RUN_ID}"
    assert "current/index.html" in (tmp_path / "index.html").read_text()
    assert (tmp_path / "runs" / RUN_ID).stat().st_mode & 0o777 == 0o755
    verify(tmp_path / "runs" / RUN_ID)


def test_publishing_again_leaves_the_run_as_it_stands(record: RunRecord, tmp_path: Path, quick: None) -> None:
    publish(record, tmp_path)
    place = (tmp_path / "runs" / RUN_ID).stat().st_ino
    slower = replace(record, timings=record.timings.assign(seconds=99.0))
    publish(slower, tmp_path)
    assert (tmp_path / "runs" / RUN_ID).stat().st_ino == place
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [RUN_ID]


def test_other_bytes_never_overwrite_a_published_run(record: RunRecord, tmp_path: Path, quick: None) -> None:
    publish(record, tmp_path)
    publish(replace(record, run=record.run | {"title": "corrected"}), tmp_path)
    assert (tmp_path / "runs" / RUN_ID / "index.html").read_text() == record.run["title"]
    assert (tmp_path / "current" / "index.html").read_text() == "corrected"
    assert os.readlink(tmp_path / "current") == f"runs/{RUN_ID}-2"


def test_a_damaged_run_is_published_anew_beside_it(record: RunRecord, tmp_path: Path, quick: None) -> None:
    publish(record, tmp_path)
    (tmp_path / "runs" / RUN_ID / "index.html").write_text("damaged")
    publish(record, tmp_path)
    assert (tmp_path / "current" / "index.html").read_text() == record.run["title"]


def test_a_failure_leaves_the_current_site_and_no_rubbish(
    record: RunRecord, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(record, tmp_path)
    before = contents(tmp_path)

    def fail(record: RunRecord, folder: Path, **_: object) -> SiteSummary:
        (folder / "index.html").write_text("half")
        raise RuntimeError("disk full")

    monkeypatch.setattr(publication, "write_site", fail)
    with pytest.raises(RuntimeError):
        publish(replace(record, run=record.run | {"title": "new"}), tmp_path)
    assert contents(tmp_path) == before
    assert not list(tmp_path.glob(".staging-*"))


def test_what_an_interrupted_publication_left_is_swept(record: RunRecord, tmp_path: Path, quick: None) -> None:
    (tmp_path / ".staging-old").mkdir()
    (tmp_path / ".staging-old" / "half.html").write_text("half")
    publish(record, tmp_path)
    assert not list(tmp_path.glob(".staging-*"))


def test_current_is_switched_by_one_rename(
    record: RunRecord, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(record, tmp_path)
    seen: list[bool] = []
    rename = os.replace

    def watched(source: Path, target: Path) -> None:
        seen.append((tmp_path / "current" / "index.html").is_file())
        rename(source, target)

    monkeypatch.setattr(publication.os, "replace", watched)
    publish(replace(record, run=record.run | {"title": "next"}), tmp_path)
    assert seen
    assert all(seen)


def test_the_manifest_names_every_file_and_what_is_volatile(record: RunRecord, tmp_path: Path, quick: None) -> None:
    publish(record, tmp_path)
    folder = tmp_path / "runs" / RUN_ID
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["volatile"] == ["timings.json"]
    assert set(manifest["files"]) == {"index.html", "assets/style.css"}


@pytest.mark.parametrize(
    ("harm", "name", "said"),
    [
        ("change", "index.html", "changed"),
        ("change", "assets/style.css", "changed"),
        ("change", "manifest.json", "changed"),
        ("remove", "index.html", "missing"),
        ("remove", "timings.json", "missing"),
        ("remove", "manifest.json", "missing"),
        ("add", "more.html", "added"),
        ("add", "assets/timings.json", "added"),
    ],
)
def test_verify_finds_one_byte(record: RunRecord, tmp_path: Path, quick: None, harm: str, name: str, said: str) -> None:
    made = publish(record, tmp_path)
    assert verify(made.folder, made.manifest_sha256) == 2
    target = made.folder / name
    if harm == "remove":
        target.unlink()
    elif harm == "add":
        target.write_bytes(b"")
    else:
        # In the manifest a byte between two values: it reads the same.
        old = target.read_bytes()
        target.write_bytes(old + b" " if name == "manifest.json" else bytes([old[0] ^ 1]) + old[1:])
    with pytest.raises(VerificationFailed, match=said) as caught:
        verify(made.folder, made.manifest_sha256)
    assert [problem.where for problem in caught.value.problems] == [str(target)]


def test_timings_may_change(record: RunRecord, tmp_path: Path, quick: None) -> None:
    publish(record, tmp_path)
    (tmp_path / "runs" / RUN_ID / "timings.json").write_text("{}")
    verify(tmp_path / "runs" / RUN_ID)

"""What is published stays what was published, or somebody is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_region import write_region

from profiling.cli.main import execute

NOW = "2024-05-06T07:08:09"


def command(folder: Path, *words: str) -> int:
    return execute([*words, "--config", str(folder / "config.yaml")])


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    write_region(folder)
    assert command(folder, "run", "--quiet", "--now", NOW) == 0
    return folder


def test_verify_says_that_all_is_as_published(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = (published / "site/current").resolve().name
    assert command(published, "verify", run_id, "--json") == 0
    named = json.loads(capsys.readouterr().out)["folders"]
    assert command(published, "verify", "--json") == 0
    assert json.loads(capsys.readouterr().out)["folders"] == named
    files = [path for path in (published / "site/runs" / run_id).rglob("*") if path.is_file()]
    assert [folder["files"] for folder in named] == [len(files) - 2]


@pytest.mark.parametrize("name", ["index.html", "downloads/run.json", "manifest.json"])
def test_verify_finds_a_changed_byte(published: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    target = published / "site/current" / name
    before = target.read_bytes()
    try:
        target.write_bytes(before.replace(b"\n", b" ", 1))
        assert command(published, "verify") == 16
        said = capsys.readouterr().err
        assert name in said
        assert "changed" in said
    finally:
        target.write_bytes(before)
    assert command(published, "verify", "--quiet") == 0


@pytest.mark.parametrize("words", [("r-00000000",), ("../x",), ("",)])
def test_verify_wants_a_published_run(published: Path, words: tuple[str, ...]) -> None:
    assert command(published, "verify", *words) == 2


def test_verify_of_a_run_that_was_only_fitted(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(published, "fit", "--json", "--now", "2024-05-07") == 0
    run_id = json.loads(capsys.readouterr().out)["run"]
    assert command(published, "verify", run_id) == 2
    assert "never published" in capsys.readouterr().err

"""What is shipped: templates, migrations and the commented configuration travel inside wheel and sdist."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import profiling
from profiling.shipped import default_configuration, migrations_folder, templates_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as pip would lay it, without its dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder


def away(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python away from the checkout, with the wheel's content before anything installed."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_files_are_found_in_the_checkout() -> None:
    assert templates_folder() == ROOT / "reports/templates"
    assert migrations_folder() == ROOT / "migrations"
    assert default_configuration() == ROOT / "config.yaml"


def test_wheel_holds_templates_migrations_and_configuration(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        assert wheel.read("profiling/_shipped/config.yaml") == (ROOT / "config.yaml").read_bytes()
    for home, shipped in ((ROOT / "reports/templates", "templates"), (ROOT / "migrations", "migrations")):
        files = [path for path in home.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert files
        assert {f"profiling/_shipped/{shipped}/{path.relative_to(home).as_posix()}" for path in files} <= names


def test_sdist_holds_what_a_build_needs(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"config.yaml", "Makefile", "README.md", "requirements/lock.txt", "migrations/env.py"} <= names
    assert any(name.startswith("reports/templates/") for name in names)
    assert any(name.startswith("tests/") for name in names)


def test_installed_package_works_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = away(installed, tmp_path, "-c", "import profiling; print(profiling.__file__)")
    assert where.stdout.startswith(str(installed))
    assert away(installed, tmp_path, "-m", "profiling", "init").returncode == 0
    assert (tmp_path / "config.yaml").read_bytes() == (ROOT / "config.yaml").read_bytes()
    upgraded = away(installed, tmp_path, "-m", "profiling", "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert (tmp_path / "var/profiling.db").exists()


def test_installed_package_runs_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    """Records to pages with nothing but the wheel: templates and migrations are those it brought."""
    shutil.copytree(ROOT / "tests/acceptance", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    write = "import sys; sys.path.insert(0, 'tests'); import pathlib, small_region as s; s.write_region(pathlib.Path())"
    written = away(installed, tmp_path, "-c", write)
    assert written.returncode == 0, written.stderr
    done = away(installed, tmp_path, "-m", "profiling", "run")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site/current/index.html").stat().st_size > 1000


def test_one_version_everywhere() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert profiling.__version__ == declared


@pytest.mark.parametrize("name", ["lock.txt", "dev.txt"])
def test_lock_files_say_versions_and_hashes_and_no_address(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    assert "--find-links" not in text
    assert "--index" not in text
    assert "torch" not in text
    entries = text.split("\n")
    pinned = [line for line in entries if line and line[0].isalnum()]
    assert len(pinned) > 40
    assert all("==" in line and line.endswith("\\") for line in pinned)
    assert text.count("--hash=sha256:") > len(pinned)


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    for name, wanted in (
        ("lock.txt", [*project["dependencies"], *optional["postgresql"]]),
        ("dev.txt", [*project["dependencies"], *optional["postgresql"], *optional["dev"]]),
    ):
        text = (ROOT / "requirements" / name).read_text().lower()
        names = {requirement.split(">")[0].split("[")[0].lower().replace(".", "-") for requirement in wanted}
        assert {n for n in names if f"\n{n}==" not in f"\n{text}"} == set()

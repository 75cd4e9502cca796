"""The software that made a run, noted when its models are fitted, so that its pages never depend on a later one."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    *("numpy", "scipy", "pandas", "numba", "llvmlite", "formulaic", "pyarrow", "sqlalchemy"),
    *("adbc-driver-sqlite", "adbc-driver-postgresql", "psycopg", "pydantic", "matplotlib", "jinja2"),
)


def software() -> dict[str, str]:
    """Name and version of Python, of the machine's kind, and of every package that touches a number or a page."""
    found = {"Python": platform.python_version(), "Machine": f"{platform.system()} {platform.machine()}"}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

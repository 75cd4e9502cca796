"""From files to records: reading, rules, loading, and the cohort of a measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Cohort", "LoadReport", "check_inputs", "load", "read_cohort"]

if TYPE_CHECKING:
    from profiling.etl.cohort import Cohort, read_cohort
    from profiling.etl.load import LoadReport, check_inputs, load

_HOMES = {
    "Cohort": "profiling.etl.cohort",
    "read_cohort": "profiling.etl.cohort",
    "LoadReport": "profiling.etl.load",
    "check_inputs": "profiling.etl.load",
    "load": "profiling.etl.load",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'profiling.etl' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)

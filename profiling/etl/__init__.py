"""From files to records: reading, rules, loading, and the cohort of a measure.

`profiling.etl.load` brings records in, `profiling.etl.cohort` selects the rows of a measure and
`profiling.etl.sample` draws generated records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Cohort", "LoadReport", "check_inputs", "read_cohort"]

if TYPE_CHECKING:
    from profiling.etl.cohort import Cohort, read_cohort
    from profiling.etl.load import LoadReport, check_inputs

_HOMES = {"Cohort": "cohort", "read_cohort": "cohort", "LoadReport": "load", "check_inputs": "load"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'profiling.etl' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"profiling.etl.{_HOMES[name]}"), name)

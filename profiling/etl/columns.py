"""What each source must and may hold: the configuration's columns joined with the canonical ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from profiling.config import CANONICAL_COLUMNS, RECORD_IDS, ColumnSpec, Source
from profiling.errors import Problem
from profiling.store.tables import TEXT

LOAD_ORDER: Final = ("patients", "clinics", "physicians", "encounters", "diagnoses", "comments")
REFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "patients": {},
    "clinics": {},
    "physicians": {"clinic_id": "clinics"},
    "encounters": {"patient_id": "patients", "clinic_id": "clinics", "physician_id": "physicians"},
    "diagnoses": {"encounter_id": "encounters"},
    "comments": {},
}
"""Which column of a source names a record of which other."""

_TYPES: Final = {"birth_date": "date", "admitted": "date", "discharged": "date", "position": "integer"}
_REQUIRED: Final = {"diagnoses": ("encounter_id", "code"), "comments": ("level", "provider", "comment")}
NUMBERED: Final = {"diagnoses": "diagnosis_id", "comments": "comment_id"}
"""The number that a load gives each row of a source without ids of its own."""
_SQL: Final[Mapping[str, sa.types.TypeEngine[Any]]] = {
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "text": TEXT,
    "date": sa.Date(),
    "boolean": sa.Boolean(),
}


@dataclass(frozen=True)
class Column:
    """One column as it will be read: its name, its name in the file, its type and its rules."""

    name: str
    in_file: str
    kind: str
    canonical: bool
    declared: bool
    required: bool
    unique: bool
    row_number: bool = False
    allowed: tuple[Any, ...] | None = None
    minimum: float | date | None = None
    maximum: float | date | None = None

    @property
    def sql_type(self) -> sa.types.TypeEngine[Any]:
        """The type of the column in the database."""
        return _SQL[self.kind]


def columns_of(name: str, source: Source) -> tuple[Column, ...]:
    """The columns of a source: canonical ones first, then the declared attributes in their order."""
    canonical = CANONICAL_COLUMNS[name]
    attributes = [column for column in source.columns if column not in canonical]
    return tuple(_column(name, column, source.columns.get(column)) for column in (*canonical, *attributes))


def must_be_in_file(column: Column) -> bool:
    """Whether a file without this column cannot be read: declared columns and the ids."""
    return not column.row_number and (column.declared or (column.canonical and column.required))


def _column(source: str, name: str, spec: ColumnSpec | None) -> Column:
    canonical = name in CANONICAL_COLUMNS[source]
    given = spec or ColumnSpec()
    identifies = RECORD_IDS.get(source) == name
    kind = _TYPES.get(name, "text") if canonical else given.type or "text"
    return Column(
        name=name,
        in_file=given.source or name,
        kind=kind,
        canonical=canonical,
        declared=spec is not None,
        required=given.required or identifies or name in _REQUIRED.get(source, ()),
        unique=identifies,
        row_number=given.row_number,
        allowed=given.allowed,
        minimum=given.minimum,
        maximum=given.maximum,
    )


def unfit(name: str, source: Source) -> list[Problem]:
    """Rules that do not fit the type of their column: a range of a text, a code that is no number."""
    problems = [_unfit_column(name, column) for column in columns_of(name, source)]
    return [problem for problem in problems if problem]


def _unfit_column(source: str, column: Column) -> Problem | None:
    where, expected = f"sources.{source}.columns.{column.name}", f"what fits the type {column.kind}"
    bounds = [value for value in (column.minimum, column.maximum) if value is not None]
    if any(not _bounds(value, column.kind) for value in bounds):
        return Problem(where, "minimum or maximum of another type", expected, "Give the column a `type:`")
    if column.kind != "text" and any(not _names(value, column.kind) for value in column.allowed or ()):
        return Problem(where, "allowed values of another type", expected, "Give the column a `type:`")
    return None


def _bounds(value: object, kind: str) -> bool:
    if kind == "date":
        return isinstance(value, date)
    return kind in ("integer", "number") and isinstance(value, int | float)


def _names(value: object, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "date":
        return isinstance(value, date)
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return not isinstance(value, bool) and (whole or (kind == "number" and isinstance(value, float)))

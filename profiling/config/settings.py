"""The settings as a whole, frozen, as every other room receives them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from profiling.config.canonical import SourceName
from profiling.config.composites import Composite
from profiling.config.fields import Count, Line, Whole, expected
from profiling.config.measures import Measure
from profiling.config.sources import Frozen, Output, Period, Publishing, Source, absolute

DEFAULT_DATABASE = "sqlite:///var/profiling.db"
_SQLITE = "sqlite:///"
_POSTGRESQL = "postgresql+psycopg://"


class Disclosure(Frozen):
    """Counts from 1 to `threshold` - 1 are never shown."""

    threshold: Count = 11


class Settings(Frozen):
    """Everything `config.yaml` says. `database` and all file names are absolute.

    `path`, `text` and `sha256` describe the file itself: where it is, what it says (variables not expanded).
    """

    title: Line
    database: str = Field(default=DEFAULT_DATABASE, validate_default=True)
    seed: Whole = Field(default=20240101, ge=0, lt=2**63)
    sources: Mapping[SourceName, Source]
    periods: tuple[Period, ...] = ()
    measures: tuple[Measure, ...] = Field(min_length=1)
    composites: tuple[Composite, ...] = ()
    output: Output = Field(default_factory=dict, validate_default=True)
    disclosure: Disclosure = Disclosure()
    publication: Publishing = Publishing()
    path: Path
    text: str
    sha256: str

    @field_validator("database", mode="before")
    @classmethod
    def _absolute(cls, value: Any, info: ValidationInfo) -> str:
        # The message never repeats the address: it may hold a password.
        if not isinstance(value, str) or not value.startswith((_SQLITE, _POSTGRESQL)):
            raise expected(f"an address that begins with {_SQLITE} or {_POSTGRESQL}")
        if value.startswith(_POSTGRESQL):
            return value
        name = value.removeprefix(_SQLITE)
        if not name:
            raise expected(f"a file name after {_SQLITE}")
        return f"{_SQLITE}{absolute(Path(name), info)}"

    def measure(self, name: str) -> Measure:
        """The measure of that name; KeyError if there is none."""
        return next(measure for measure in self.measures if measure.name == name)

    def period_of(self, measure: Measure) -> Period | None:
        """The period a measure covers; None for all days."""
        return next((period for period in self.periods if period.name == measure.period), None)

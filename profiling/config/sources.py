"""Settings of the input: which files hold which records, and how each column is read."""

from __future__ import annotations

from collections.abc import Mapping
from os.path import normpath
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from profiling.config.fields import Bound, ColumnName, Day, Line, Share, Value, expected
from profiling.vocabulary import Language

ColumnType = Literal["integer", "number", "text", "date", "boolean"]
SUFFIXES = (".csv", ".csv.gz", ".parquet")


class Frozen(BaseModel):
    """Base of all settings: unknown keys are refused and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ColumnSpec(Frozen):
    """How one column is read: its name in the file (`from`), its type and the rules its values keep.

    Without a type a canonical column has its own and an attribute is text.
    """

    source: Line | None = Field(default=None, alias="from")
    row_number: bool = False
    type: ColumnType | None = None
    required: bool = False
    allowed: tuple[Value, ...] | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str) else value

    @field_validator("allowed")
    @classmethod
    def _some_allowed(cls, value: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if value is not None and not value:
            raise expected("at least one allowed value")
        return value


class Source(Frozen):
    """Files of one kind of record. `files` are absolute; `columns` maps our names to their reading."""

    files: tuple[Path, ...] = Field(alias="file")
    reject_above: Share = 0.05
    columns: Mapping[ColumnName, ColumnSpec] = Field(default_factory=dict)

    @field_validator("files", mode="before")
    @classmethod
    def _resolve(cls, value: Any, info: ValidationInfo) -> Any:
        names = value if isinstance(value, list | tuple) else [value]
        if not names or not all(isinstance(name, str | Path) and str(name) for name in names):
            raise expected("the name of a file or a list of names")
        if not all(str(name).endswith(SUFFIXES) for name in names):
            raise expected("files that end in .csv, .csv.gz or .parquet")
        return tuple(absolute(Path(name), info) for name in names)


class Period(Frozen):
    """A named span of days, both ends included, by the day of admission."""

    name: Line
    start: Day
    end: Day


class Output(Frozen):
    """Where the site is written and what is in it. `folder` is absolute.

    `physician_pages`: a page for every inner provider too. `pdf`: the overview, measures and providers as PDF beside
    their pages. `language`: of all words and numbers of the pages.
    """

    folder: Path = Field(default=Path("site"), validate_default=True)
    physician_pages: bool = False
    pdf: bool = False
    language: Language = "en"

    @field_validator("folder")
    @classmethod
    def _resolve(cls, value: Path, info: ValidationInfo) -> Path:
        return absolute(value, info)


class Gate(Frozen):
    """By how much a run may differ from the published run before it and still be published unasked; None: by any.

    `volume`, `event_rate`: share of the former number of patients, and of the former rate or mean. `missingness`:
    rise of the share of records without case mix. `flags`: change of the share of providers that are flagged.
    """

    volume: Share | None = 0.25
    event_rate: Share | None = 0.25
    missingness: Share | None = 0.05
    flags: Share | None = 0.1


class Publishing(Frozen):
    """What holds publication. Without `gate` nothing does."""

    gate: Gate | None = Gate()


def absolute(name: Path, info: ValidationInfo) -> Path:
    """A file name made absolute: relative ones refer to the folder of the configuration file."""
    folder = Path(info.context["folder"]) if info.context else Path()
    return Path(normpath(folder / name.expanduser()))

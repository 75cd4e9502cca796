"""Types of single values in the configuration: what each accepts, said in words a person can act on."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

SLUG = re.compile(r"[a-z][a-z0-9_]*")
RESERVED_NAMES = frozenset({"load_id", "run_id"})

Scalar = str | int | float | bool | date


def expected(what: str) -> PydanticCustomError:
    """The error of a value that is not `what`; messages say what was expected."""
    return PydanticCustomError("expected", "{what}", {"what": what})


def _slug(text: str) -> str:
    if not SLUG.fullmatch(text):
        raise expected("a name of small letters, digits and underscores that begins with a letter")
    if len(text) > 60:
        raise expected("a name of at most 60 characters")
    return text


def _column_name(text: str) -> str:
    if text in RESERVED_NAMES:
        raise expected("another name: this one is kept for the store")
    return _slug(text)


def _not_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise expected("a number")
    return value


def _bound(value: Any) -> float | date:
    if isinstance(value, str):
        value = _iso_date(value)
    if isinstance(value, bool | datetime) or not isinstance(value, int | float | date):
        raise expected("a number or a date as 2021-12-31")
    return value


def _iso_date(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        return value


def _day(value: Any) -> date:
    value = _iso_date(value)
    if isinstance(value, datetime) or not isinstance(value, date):
        raise expected("a date as 2021-12-31")
    return value


def _scalar(value: Any) -> Scalar:
    if isinstance(value, datetime) or not isinstance(value, str | int | float | bool | date):
        raise expected("a single text, number, date, true or false")
    return value


def _one_line(text: str) -> str:
    if not text.strip():
        raise expected("some text")
    if "\n" in text.strip():
        raise expected("text on one line")
    return text.strip()


Slug = Annotated[str, AfterValidator(_slug)]
ColumnName = Annotated[str, AfterValidator(_column_name)]
Line = Annotated[str, AfterValidator(_one_line)]
Whole = Annotated[int, BeforeValidator(_not_boolean)]
Count = Annotated[int, BeforeValidator(_not_boolean), Field(ge=1)]
Share = Annotated[float, BeforeValidator(_not_boolean), Field(ge=0, le=1)]
Probability = Annotated[float, BeforeValidator(_not_boolean), Field(gt=0, lt=1)]
Positive = Annotated[float, BeforeValidator(_not_boolean), Field(gt=0)]
Day = Annotated[date, BeforeValidator(_day)]
Bound = Annotated[Any, BeforeValidator(_bound)]
Value = Annotated[Any, BeforeValidator(_scalar)]

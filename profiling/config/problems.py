"""From errors of validation to sentences: file and line, what was found and expected, the nearest key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from profiling.config.canonical import SOURCE_NAMES
from profiling.config.composites import Composite
from profiling.config.measures import Condition, FlagRule, Measure, ProviderLevel
from profiling.config.settings import Disclosure, Settings
from profiling.config.sources import ColumnSpec, Gate, Output, Period, Publishing, Source
from profiling.config.yaml_text import Document, KeyPath
from profiling.errors import Problem

FILE_FIELDS = ("path", "text", "sha256")
_SECRET_KEYS = ("database",)

# Where each model stands in the file; None matches any one key or position.
_PLACES: dict[tuple[str | None, ...], type[BaseModel]] = {
    (): Settings,
    ("sources", None): Source,
    ("sources", None, "columns", None): ColumnSpec,
    ("periods", None): Period,
    ("measures", None): Measure,
    ("measures", None, "cohort", None): Condition,
    ("measures", None, "providers", None): ProviderLevel,
    ("measures", None, "flag"): FlagRule,
    ("composites", None): Composite,
    ("output",): Output,
    ("disclosure",): Disclosure,
    ("publication",): Publishing,
    ("publication", "gate"): Gate,
}


def explain(errors: Iterable[ErrorDetails], document: Document) -> list[Problem]:
    """One problem per error, in the order of the file, without those that follow from an unset variable."""
    return [_explain(error, document) for error in errors if not _follows(_path(error), document)]


def _follows(path: KeyPath, document: Document) -> bool:
    return path in document.spoilt or path[0] in FILE_FIELDS


def unknown_key(path: KeyPath, document: Document) -> Problem:
    """The problem of a key that has no meaning where it stands."""
    key, keys = str(path[-1]), valid_keys(path[:-1])
    wanted, advice = f"one of {', '.join(keys)}", nearest(key, keys, "key")
    return Problem(document.where(path), f"found unknown key '{key}'", wanted, advice)


def nearest(word: str, words: Iterable[str], kind: str) -> str:
    """`nearest valid key 'x'`, or nothing if no word is near."""
    close = get_close_matches(word.lower(), list(words), n=1, cutoff=0.5)
    return f"The nearest valid {kind} is '{close[0]}'" if close else ""


def valid_keys(path: KeyPath) -> tuple[str, ...]:
    """Keys that may stand under a path, as the file spells them."""
    if path == ("sources",):
        return SOURCE_NAMES
    model = next((model for place, model in _PLACES.items() if _matches(place, path)), None)
    fields: Mapping[str, Any] = model.model_fields if model else {}
    return tuple(info.alias or name for name, info in fields.items() if (model, name) not in _FILE_KEYS)


_FILE_KEYS = {(Settings, name) for name in FILE_FIELDS}


def _matches(place: tuple[str | None, ...], path: KeyPath) -> bool:
    return len(place) == len(path) and all(part is None or part == key for part, key in zip(place, path, strict=True))


def _path(error: ErrorDetails) -> KeyPath:
    return tuple(part for part in error["loc"] if part != "[key]")


def _explain(error: ErrorDetails, document: Document) -> Problem:
    path, kind = _path(error), error["type"]
    if kind == "extra_forbidden" or (kind == "literal_error" and error["loc"][-1] == "[key]"):
        return unknown_key(path, document)
    if kind == "missing":
        return Problem(document.where(path[:-1]), f"found no key '{path[-1]}'", "it to be given")
    found = "another kind of address" if path[0] in _SECRET_KEYS else described(error["input"])
    return Problem(document.where(path), f"found {found}", _expected(error), _nearest_value(error))


def described(value: Any) -> str:
    """A configured value in words, shortened."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float() | date():
            return str(value)
        case str():
            return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}...'"
        case dict():
            return "a group of keys"
        case list() | tuple():
            return f"a list of {len(value)}"
    return "another kind of value"


def _expected(error: ErrorDetails) -> str:
    match error["type"]:
        case "string_type":
            return "text" + (" (in quotes)" if isinstance(error["input"], int | float | date) else "")
        case "too_short":
            return f"at least {error['ctx']['min_length']}"
        case "too_long":
            return f"at most {error['ctx']['max_length']}"
        case "model_type" | "model_attributes_type" | "mapping_type" | "dict_type":
            return "a group of keys"
        case "tuple_type":
            return "a list"
    return error["msg"].removeprefix("Input should be ")


def _nearest_value(error: ErrorDetails) -> str:
    if error["type"] != "literal_error" or not isinstance(error["input"], str):
        return ""
    choices = [word.strip("' ") for word in error["ctx"]["expected"].replace(" or ", ", ").split(",")]
    return nearest(error["input"], choices, "value")

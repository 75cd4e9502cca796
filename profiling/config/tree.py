"""Looking into the plain file, whatever is wrong with it: a part that is not there, or of another kind, is empty."""

from __future__ import annotations

from typing import Any

from profiling.config.canonical import CANONICAL_COLUMNS
from profiling.config.formulas import FormulaError, formula_columns
from profiling.config.yaml_text import KeyPath

Finding = tuple[KeyPath, str, str, str]


def group(tree: Any, key: str | int) -> dict[str, Any]:
    """The group of keys under a key."""
    value = tree.get(key) if isinstance(tree, dict) else None
    return value if isinstance(value, dict) else {}


def items(tree: Any, key: str) -> list[dict[str, Any]]:
    """The groups of a list under a key."""
    value = tree.get(key) if isinstance(tree, dict) else None
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


def is_name(value: Any) -> bool:
    """Whether a value is a text."""
    return isinstance(value, str)


def texts(tree: Any, key: str) -> list[tuple[int, str]]:
    """Place and text of the texts of a list under a key."""
    value = tree.get(key) if isinstance(tree, dict) else None
    return [(place, text) for place, text in enumerate(value) if is_name(text)] if isinstance(value, list) else []


def names(parts: list[dict[str, Any]], key: str) -> set[str]:
    """The texts that these groups have under a key."""
    return {str(part[key]) for part in parts if is_name(part.get(key))}


def columns(text: Any) -> tuple[str, ...]:
    """Columns that a formula names; none where it cannot be read."""
    try:
        return formula_columns(text) if isinstance(text, str) else ()
    except FormulaError:
        return ()


def declared(tree: dict[str, Any], sources: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that these sources have."""
    found = group(tree, "sources")
    listed = [
        column
        for source in sources
        for column in (*CANONICAL_COLUMNS[source], *group(group(found, source), "columns"))
    ]
    return tuple(dict.fromkeys(listed))

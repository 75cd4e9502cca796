"""Sentences for very many providers: charts group them, tables and lists go over several pages."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "one_mark": "One mark is one {provider}, in the same column on every measure.",
    "one_column": "A column holds {providers} of about the same size, the same ones on every measure.",
    "grouped_rows": "Bars: neighbouring {providers} together, with their mean ratio and interval",
    "grouped_columns": (
        "A column is about {count} {providers}: above the line those higher, below it those lower, outlined those on "
        "watch"
    ),
}

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
    "pages_label": "Pages of all {things}",
    "pages_shown": "{first} to {last} of {all} {things}",
    "pages_before": "Before",
    "pages_after": "Next",
    "further_title": "{title}, {providers}, page {number}",
    "further_headline": "All {providers}, page {number}: {title}",
    "further_lede": "The most surprising results come first; to find a {provider} by name, go to the first page.",
    "further_inner": "{name}: its {providers}, page {number}, {title}",
    "found_on_page": "on page {page} of this table",
    "directory_few": "Each has a page of its own.",
    "directory_title": "All {providers}, page {number}",
    "directory_lede": "In the order of their names; each has a page of its own.",
    "directory_range": "{first} to {last}",
    "directory_sub": "Each has a page of its own; they are listed by name over {count} pages.",
}

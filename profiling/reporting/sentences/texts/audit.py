"""Sentences of the audit."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "audit_headline": "What this report was made from, and how to check it",
    "audit_lede": "Every number of these pages follows from the files, the settings and the programs named here.",
    "audit_kept": "{rules} more, broken by no row.",
    "audit_first": "No run was published before this one, so there is nothing it could be compared with.",
    "audit_previous": (
        "Before this run {previous} was published. What changed between the two: profiling compare {previous} {run}."
    ),
    "audit_passed": "The gate found no jump in volume, event rate, missing values or flags against it.",
    "audit_released": (
        "The gate held this run for a jump in the {reasons}. It was released after somebody had looked at the reasons."
    ),
    "audit_table_columns": (
        "The table has a row a provider: its cases, the events observed and the events expected. Nothing else was "
        "read, and no record of a patient lies behind this report."
    ),
    "audit_table_judged": (
        "A table is judged on its own and not compared with a run before it. What the expected events rest on is a "
        "matter of whoever published them."
    ),
    "audit_table_check": "The same table, the same options and the same moment give the same pages:",
}

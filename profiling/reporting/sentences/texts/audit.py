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
    "audit_files": "What came in",
    "audit_files_sub": "The files as they were read. The same bytes have the same SHA-256.",
    "audit_files_label": "Files read",
    "audit_rules": "Which rules they broke",
    "audit_rules_sub": (
        "A row may break several rules; it is rejected once, and kept aside with the names of the rules."
    ),
    "audit_all_but_few": "all but a few",
    "audit_whole_row": "whole row",
    "audit_table": "What the table holds",
    "audit_check": "How to check this run",
    "audit_manifest": "The manifest",
    "audit_manifest_any": (
        "names every file of this folder with its SHA-256, so that any program that computes it finds a changed byte."
    ),
    "audit_manifest_names": "names every file of this folder with its SHA-256.",
    "audit_verify": "compares them, and finds a changed, missing or added byte.",
    "audit_only": "Only",
    "audit_seconds": "the seconds of each stage",
    "audit_volatile": "differ; the manifest names that file as volatile.",
    "audit_same": "The same files, settings and moment give the same run:",
    "audit_cohorts": "Who was counted, as the database was asked",
    "audit_each_step": "Each step with its counts:",
    "audit_sql": "SQL of the cohort of {title}",
    "audit_before": "The run before",
    "audit_software": "Software",
    "audit_software_assessed": "As it was when the table was assessed.",
    "audit_software_fitted": "As it was when the models were fitted.",
    "audit_configuration": "Configuration",
    "audit_told": "What the command was told.",
    "audit_config_read": "The file as it was read; addresses of databases are withheld.",
    "fact_run": "Run",
    "fact_made": "Made",
    "fact_seed": "Seed",
    "fact_hidden": "Counts hidden",
    "fact_edition": "Edition",
}

"""Sentences of the page of two runs."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "compare_none": "No {provider} has another result than in run {before}",
    "compare_some": "{moved} of {all} {providers} have another result than in run {before}",
    "compare_one": "One of {all} {providers} has another result than in run {before}",
    "compare_same_files": "Both runs read the same files.",
    "compare_other_files": "{files} changed between the runs.",
    "compare_same_settings": "The measures were set up alike.",
    "compare_other_settings": "What was asked of the data changed as well: {settings}.",
    "cause_outcomes": "Other outcomes",
    "cause_case_mix": "Other patients",
    "cause_model": "Another model",
    "cause_rule": "Another rule",
    "cause_size": "More or fewer cases",
    "cause_hidden": "Counts not shown",
    "cause_unknown": "No figures to compare",
    "cause_came": "Not in the former run",
    "cause_left": "Not in the later run",
    "cause_": "",
    "compare_reading": (
        "The raw ratio changed by the product of three factors: what happened to the patients (outcomes), who the "
        "patients were (case mix), and how the same patients are valued (model). A result may also change by the rule "
        "alone, the figures being as before."
    ),
    "compare_inner": "{moved} of {all} moved too; they stand in the table for download.",
    "compare_few": (
        "Where the two runs differ by 1 to {most} cases, events or cases without the event, the figures of both are "
        "withheld here: their difference would be such a count."
    ),
    "step_before": "Run {before}",
    "step_left": "Records of it alone, taken away",
    "step_came": "Records of the later run alone, added",
    "step_same": "Same records, valued anew",
    "step_after": "Run {after}",
    "compare_title": "{before} and {after}",
    "compare_runs": "Run {before} and run {after}",
    "compare_csv": "Every provider of both runs (CSV)",
    "compare_who": "Who moved, {title}",
    "compare_totals": "All records together",
    "compare_changed": "What changed between the runs",
    "compare_measures": "the measures",
    "compare_same": "same",
    "compare_other": "changed",
    "compare_moved": "{moved} of {all} moved",
    "not_read": "not read",
    "sum_of": "Sum of {what}",
    "the_outcome": "the outcome",
}

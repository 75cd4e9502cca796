"""Sentences that stand on every page."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "disclosure_none": "No count is hidden in this report.",
    "verdict": (
        "A flag is a reason to look, not a verdict. Check the data first, then the case mix, then the "
        "structure, then the process, and the people last."
    ),
    "disclosure": (
        "Counts of patients or events from 1 to {most} are not shown, nor is any figure that would give them "
        "back: such a {provider} shows its case band and result only. Totals include it."
    ),
    "and": "and",
    "none_of": "none",
    "as_pdf": "This page as PDF",
    "show_table": "The figures of this chart as a table",
    "figures_of_panel": "Figures:",
    "definitions_of_panel": "Defined:",
    "language": "en",
    "skip_link": "Skip to the findings",
    "navigation_label": "Report",
    "nav_overview": "Overview",
    "nav_methods": "Methods",
    "nav_audit": "Audit",
    "run_name": "run {run}",
    "seed_name": "seed {seed}",
    "how_hidden": "How counts are hidden",
    "made": "made {moment}. The same data, settings and version give this page again, byte for byte.",
    "current_title": "Report",
    "current_report": "The current report",
    "how_to_read": "How to read this",
    "the_model": "the model",
    "formula_is": "Formula:",
    "look": "! look",
    "passed": "✓ passed",
    "beyond_outer": "(beyond the outer limits)",
    "beyond_inner": "(beyond the inner limits)",
    "not_shown": "not shown",
    "counts_not_shown": "counts not shown",
    "band_not_shown": "{band} cases; counts not shown",
    "few_word": "few",
    "of_all": "{count} of {all}",
    "events_word": "events",
    "units_word": "units",
    "yes": "yes",
    "no": "no",
    "all_records": "All records",
    # verbs, for none, for one and for many
    "lie_none": "lie",
    "lie_one": "lies",
    "lie_many": "lie",
    "have_none": "has",
    "have_one": "has",
    "have_many": "have",
    "had_none": "had",
    "had_one": "had",
    "had_many": "had",
    "leave_none": "leave",
    "leave_one": "leaves",
    "leave_many": "leave",
    "do_none": "does",
    "do_one": "does",
    "do_many": "do",
    "say_none": "says",
    "say_one": "says",
    "say_many": "say",
}

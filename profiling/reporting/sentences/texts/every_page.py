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
}

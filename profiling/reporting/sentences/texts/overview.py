"""Sentences of the overview."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "none_anywhere": "No {provider} stands out on {measures}",
    "counts_anywhere": "{flagged} of {all} {providers} stand out on {measures}",
    "counts_anywhere_one": "One of {all} {providers} stands out on {measures}",
    "any_measure": "any of {count} measures",
    "least_one": "at least one of {count} measures",
    "watched_one": "One {provider} lies just beyond what chance usually does and is worth watching.",
    "watched": "{count} {providers} lie just beyond what chance usually does and are worth watching.",
    "conversation": (
        "Beyond the {flag} limits on any measure, or beyond the {watch} limits on {first}. Beside each word: the "
        "shrunken ratio and its 95\u202f% interval."
    ),
    "changes_none": "No result changed since run {before}",
    "changes_one": "One of {all} results changed since run {before}",
    "changes_some": "{moved} of {all} results changed since run {before}",
    "changes_sub": (
        "By how much and why, because of outcomes, patients, model or rule: profiling compare {before} {run}."
    ),
    "changes_flags": "Newly beyond the outer limits: {fresh}; no longer: {gone}.",
    "changes_inner": "{title}: {moved} of {all} results of {providers} changed.",
    "changes_ends": "{title}: new in this run {came}, no longer in it {left}.",
    "changes_table": "Results that changed since run {before}",
    "changes_more": "{count} more in the page that profiling compare writes.",
}

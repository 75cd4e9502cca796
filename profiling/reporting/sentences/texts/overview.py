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
    "composite_some": "{count} of {all} {providers} {lie} clear of the average on {title}",
    "composite_none": "No {provider} lies clear of the average on {title}",
    "composite_sub": (
        "Several measures of each {provider} in one figure, above 1 the less preferred. It hides which of them "
        "drives it: each has its own page."
    ),
    "composite_weighted": (
        "The weighted mean of the ratios (of their logarithms), with weights that are an opinion: {weights}."
    ),
    "composite_opportunity": "All events over all expected events, so that frequent ones rule, of {weights}.",
    "composite_latent": "One trait behind the measures, found from how they go together: {weights}.",
    "composite_axis": "Composite, 95\u202f% interval",
    "composite_table": "{providers} whose composite lies clear of the average",
}

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
        "Several measures of each {provider} in one figure, above {neutral} the less preferred. It hides which of them "
        "drives it: each has its own page."
    ),
    "composite_weighted": (
        "The weighted mean of the ratios (of their logarithms), with weights that are an opinion: {weights}."
    ),
    "composite_opportunity": "All events over all expected events, so that frequent ones rule, of {weights}.",
    "composite_latent": "One trait behind the measures, found from how they go together: {weights}.",
    "composite_axis": "Composite, 95\u202f% interval",
    "composite_axis_trait": "Trait in standard deviations of providers, 95\u202f% interval",
    "composite_table": "{providers} whose composite lies clear of the average",
    # the page around them
    "measures_label": "Measures",
    "matrix_title": "Every {provider}, every measure",
    "not_measured": "not measured",
    "counts_title": "How many stand where",
    "counts_sub": "Providers by result, on each measure and level.",
    "counts_by_all": "Number of providers by result, measure and level",
    "health_title": "Health of the data",
    "all_providers": "All {providers}",
    "downloads_title": "Downloads",
    "downloads_sub": "The same figures as on these pages, with the same counts hidden.",
    "download_columns": "What the columns mean (CSV)",
    "download_run": "The run for machines (JSON)",
    "overview_all": "The {rest} cannot be told apart from the average with confidence.",
    "overview_other": "The other {rest} cannot be told apart from the average with confidence.",
    "overview_all_spread": "The {rest} lie within the usual spread of {providers}.",
    "overview_other_spread": "The other {rest} lie within the usual spread of {providers}.",
    "patients_in": "{patients} patients in {providers}",
    "fact_who": "Who",
    "fact_measured": "Measured",
    "fact_compared": "Compared with",
    "compared_with": "the average {provider}, same patients",
    "overall_hidden": "overall rate not shown",
    "overall_rate": "{rate} overall",
    "overall_mean": "{mean} {unit} on average",
    "patients_count": "{count} patients",
    "patients_few": "few patients",
    "conversation_title": "The {counted} worth a conversation",
    "conversation_none": "No {provider} stands out",
    "conversation_more": "{counted} more on the pages of the measures.",
    "health_small": "{providers} with too few cases to say on a measure",
    "health_hidden": "{providers} with counts hidden on a measure",
    "health_records": "records read; {rejected} rejected",
    "health_records_all": "records read; none rejected",
    "health_records_few": "records read, to the nearest thousand; few rejected",
    "health_missing": "missing in the trait of the case mix that lacks most",
    "health_c": "c-statistic; 0.5 is guessing, 1 is complete",
    "health_c_lowest": "c-statistic (the lowest of the measures); 0.5 is guessing, 1 is complete",
    "health_balance": "observed ÷ expected over all",
    "health_balance_farthest": "observed ÷ expected over all, where it is farthest from 1",
}

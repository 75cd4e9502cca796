"""Sentences of a measure's page."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "read_events": (
        "A {provider} at 1.4 had 40\u202f% more {event} than the average {provider} would have had with the same "
        "patients."
    ),
    "read_values": (
        "A {provider} at 1.4 had an average 40\u202f% higher than the average {provider} would have had with the "
        "same patients."
    ),
    "read_inner": "{level} limits: inside, no sign that the {provider} differs; chance alone puts {chance} outside.",
    "read_outer": "{level} limits: outside, chance alone would do this to {chance}.",
    "judged_by_interval": (
        "The marks are judged by the interval of the shrunken ratio, not by these bands, so a {provider} may lie "
        "inside a band and be flagged."
    ),
    "intervals": (
        "Intervals hold the true value with 95\u202f% probability under the model. Two intervals that overlap, or do "
        "not, are no test of one {provider} against another."
    ),
    "intervals_and_limits": (
        "Interval and limits answer different questions, so a {provider} may lie outside the limits while its "
        "interval touches 1."
    ),
    "inner_note": "Each {inner} stands on the page of its {outer}. Counts of {hidden} are not shown.",
    "aggregates": (
        "These are published figures of each {provider}: {cases} cases, observed and expected {event}. There are no "
        "patient records behind this report, so the case mix is taken as it was published."
    ),
    "aggregates_shrunken": (
        "The shrunken ratio takes the ratios of all {providers} to come from one gamma distribution, whose mean and "
        "spread are estimated from the table."
    ),
    "read_inner_spread": (
        "{level} limits: inside, within the usual spread of {providers}; the usual spread puts {chance} outside."
    ),
    "read_outer_spread": "{level} limits: outside, the usual spread would do this to {chance}.",
    # effects as one family
    "effects_sub": (
        "The effect of each {provider} in spreads of its own: 0 is the average {provider}, two thirds lie within 1. "
        "First how many lie where; then in their order, beside what one normal family would show there. The band "
        "holds all of them in 19 of 20 such families."
    ),
    "effects_normal": "The effects of {providers} look like one normal family",
    "effects_inside": (
        "None of the {count} {providers} shown lies outside the 95\u202f% envelope, so the family that the model "
        "takes them from describes them."
    ),
    "effects_beyond": "{who} {lie} further out than one normal family allows",
    "effects_outside": (
        "Of {all} {providers} shown {who} {lie} outside the 95\u202f% envelope, as if not of the family that the "
        "model takes {providers} from. What lies far from it is drawn in too much: read the raw ratio beside the "
        "shrunken one."
    ),
    "effects_closer": "The effects of {providers} lie closer together than one normal family of their spread",
    "effects_narrow": (
        "Some {providers} lie nearer to the average than the 95\u202f% envelope allows: most differ little, and the "
        "spread comes from a few. Most are then drawn in too little, the few too much."
    ),
    "effects_table": "Effects farthest from one normal family of {providers}",
    # volume and reliability
    "reliable_sub": (
        "Each mark is a {provider}. Reliability is the share of the differences between {providers} of its size that "
        "is real. The line is that of a {provider} with the usual case mix."
    ),
    "reliable_none": "None of {all} {providers} has a reliability of {target} or more",
    "reliable_all": "All {all} {providers} have a reliability of {target} or more",
    "reliable_one": "One of {all} {providers} has a reliability of {target} or more",
    "reliable_some": "{count} of {all} {providers} have a reliability of {target} or more",
    "reliable_needed": (
        "It takes about {cases} patients before {share} of the difference seen at a {provider} is its own. With "
        "fewer the shrunken ratio is mostly what is usual, not what happened there."
    ),
    "reliable_never": "The data show no lasting differences between {providers}, so no number of patients would do.",
    "reliable_mark": "about {cases} patients",
    "reliable_table": "Reliability of {providers} by number of patients",
    # groups of patients
    "groups_axis": "Observed ÷ expected, 95\u202f% interval (log scale)",
    "groups_axis_values": "Observed ÷ expected (log scale)",
    "groups_without": "social risk left out",
    "groups_with": "social risk in the case mix",
    "groups_sub": (
        "Each row is a group of all patients together. The case mix says what to expect of them; the second mark "
        "adds what is known of their social risk."
    ),
    "groups_sub_one": "Each row is a group of all patients together; the case mix says what to expect of them.",
    "groups_none": "No group of patients fares otherwise than the case mix says",
    "groups_values": "Observed against expected of groups of patients",
    "groups_more": "Patients of {trait} {value} had {ratio} times the expected {event}",
    "groups_fewer": "Patients of {trait} {value} had only {ratio} times the expected {event}",
    "groups_outside": "{count} of {all} intervals {leave} 1 out, where chance alone would put {chance}.",
    "groups_outside_social": "With social risk in the case mix {count} of them {do}.",
    "groups_hidden": "not shown: counts of 1–{most}, or they would give one",
    "groups_table": "Groups of patients",
    "social_sub": (
        "Social risk belongs to patients, not to care; but where it goes along with worse care, putting it into the "
        "case mix hides that. So both are shown, and results are given without it."
    ),
    "social_none": "No result of {all} {providers} changes when social risk enters the case mix",
    "social_one": "One of {all} {providers} gets another result when social risk enters the case mix",
    "social_some": "{count} of {all} {providers} get another result when social risk enters the case mix",
    "social_ratios": "Shrunken ratios change by a factor from {low} to {high}.",
    "social_ratios_same": "No shrunken ratio changes by as much as one in a hundred.",
    "social_table": "Results of {providers} with and without social risk",
    # the page around them
    "caterpillar_title": "How sure are we of each {provider}, and of its rank?",
    "caterpillar_sub": (
        "Ratios drawn in toward the average by as much as each {provider}’s numbers leave in doubt. Most {providers} "
        "could hold a wide range of ranks."
    ),
    "shrinkage_sub": (
        "Top: the raw ratio. Bottom: the shrunken ratio. A {provider} with few patients is believed less, and is drawn "
        "further toward 1."
    ),
    "funnel_sub": (
        "Each mark is a {provider}. Small {providers} swing more by chance, so the limits open to the left."
    ),
    "figure_files": "Figure:",
    "all_counted": "All {count} {providers}",
    "surprising_first": "The most surprising results first.",
    "counts_by_result": "Number of providers by result",
    "whole_model": "The whole model",
    "whole_model_is": ": who was counted, what the case mix does, calibration and fit.",
    "rule_title": "The rule",
    "definitions_title": "Definitions",
    "fact_average": "Average",
    "fact_period": "Period",
    "cases_in": "{cases} in {providers}",
    "few_in": "few, in {providers}",
    "lower_preferred": "Lower is preferred",
    "higher_preferred": "Higher is preferred",
    "one_means": "1 means as expected",
    "model_short": "The model in short",
    "figures_from": "Where the figures come from",
    "norm_within": "the average {inner} of its {provider}",
    "inner_against": "{providers}, each against {norm}",
    "mean_of": "Mean {unit}",
    "event_observed": "{event} observed",
}

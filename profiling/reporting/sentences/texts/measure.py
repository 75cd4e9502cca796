"""Sentences of a measure's page."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "read_events": (
        "A {provider} at 1.4 had 40\u202f% more {event} than the average {provider} would have had with "
        "the same patients."
    ),
    "read_values": (
        "A {provider} at 1.4 had an average 40\u202f% higher than the average {provider} would have had "
        "with the same patients."
    ),
    "read_inner": ("{level} limits: inside, no sign that the {provider} differs; chance alone puts {chance} outside."),
    "read_outer": "{level} limits: outside, chance alone would do this to {chance}.",
    "judged_by_interval": (
        "The marks are judged by the interval of the shrunken ratio, not by these bands, so a {provider}"
        " may lie inside a band and be flagged."
    ),
    "intervals": (
        "Intervals hold the true value with 95\u202f% probability under the model. Two intervals that "
        "overlap, or do not, are no test of one {provider} against another."
    ),
    "intervals_and_limits": (
        "Interval and limits answer different questions, so a {provider} may lie outside the limits "
        "while its interval touches 1."
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
}

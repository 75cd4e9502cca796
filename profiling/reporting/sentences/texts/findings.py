"""Results in words: statuses, headlines, what was seen beside what chance does."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "higher": "Higher than expected",
    "higher_watch": "Higher, watch",
    "as_expected": "As expected",
    "lower_watch": "Lower, watch",
    "lower": "Lower than expected",
    "too_few": "Too few to say",
    "usual_spread": "Within usual spread",
    "names_more": "{names} {had} more {event} than expected",
    "names_fewer": "{names} {had} fewer {event} than expected",
    "names_fewer_short": "{names} {had} fewer",
    "names_above": "{names} {had} a higher {title} than expected",
    "names_below": "{names} {had} a lower {title} than expected",
    "names_below_short": "{names} {had} a lower one",
    "count_more": "{count} {providers} {had} more {event} than expected",
    "count_fewer": "{count} {providers} {had} fewer {event} than expected",
    "count_fewer_short": "{count} {had} fewer",
    "count_above": "{count} {providers} {had} a higher {title} than expected",
    "count_below": "{count} {providers} {had} a lower {title} than expected",
    "count_below_short": "{count} {had} a lower one",
    "none_events": "No {provider} had more or fewer {event} than chance explains",
    "none_values": "No {provider} differs in {title} by more than chance explains",
    "outside": (
        "{watch} of {all} {providers} {lie} outside the {watch_level} limits, where {null} would put {by_chance}."
    ),
    "beyond_none": "None lies beyond the {flag_level} limits, where {null} would put {by_chance}.",
    "beyond": "{flag} {lie} beyond the {flag_level} limits, where {null} would put {by_chance}.",
    "null_chance": "chance alone",
    "null_spread": "chance and the usual spread",
    "excludes": (
        "For {watch} of {all} {providers} the {watch_level} interval leaves out the norm, where chance alone "
        "would put {by_chance}."
    ),
    "excludes_none": (
        "For none does the {flag_level} interval leave it out, where chance alone would put {by_chance}."
    ),
    "excludes_flag": (
        "For {flag} the {flag_level} interval leaves it out too, where chance alone would put {by_chance}."
    ),
    "rest": "For the other {rest} the data show no clear difference from the average.",
    "rest_spread": "The other {rest} lie within the usual spread of {providers}.",
    "rest_one_spread": "The other one lies within the usual spread of {providers}.",
    "rest_one": "For the other one the data show no clear difference from the average.",
    "too_small": "{count} {providers} had too few cases to say.",
    "too_small_one": "One {provider} had too few cases to say.",
    "no_chance": "{watch} of {all} {providers} {lie} outside the {watch_level} limits.",
    "stand_out_both": "Stand out: {higher} higher and {lower} lower",
    "stand_out_higher": "Stand out: {higher} higher",
    "stand_out_lower": "Stand out: {lower} lower",
    "stand_out_none": "Stand out: none",
}

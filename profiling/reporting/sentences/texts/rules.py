"""The rules by which providers are flagged, in words."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "rule_funnel": (
        "A {provider} is flagged by an exact test of its observed {event} against the number expected: beyond"
        " the {flag_level} limits “higher” or “lower than expected”, beyond the {watch_level} limits “watch”."
    ),
    "rule_interval": (
        "A {provider} is flagged by the posterior interval of its shrunken ratio: where the {flag_level} "
        "interval leaves out the norm “higher” or “lower than expected”, where the {watch_level} interval "
        "does “watch”."
    ),
    "rule_meaningful_difference": (
        "A {provider} is flagged by the posterior probability that its ratio differs from 1 by more than is worth "
        "acting on: above {flag_level} “higher” or “lower than expected”, above {watch_level} “watch”."
    ),
    "rule_empirical_null": (
        "A {provider} is flagged by how far its result lies from those of the bulk of {providers}: beyond their "
        "{flag_level} limits “higher” or “lower than expected”, beyond the {watch_level} limits “watch”."
    ),
    "rule_false_discovery": (
        "{Providers} are flagged so that the share of false ones among them stays small: less than one minus "
        "{flag_level} among those “higher” or “lower than expected”, less than one minus {watch_level} with “watch”."
    ),
    "rule_local_false_discovery": (
        "A {provider} is flagged where {providers} with its result are, with a probability of at least {flag_level}, "
        "not of the average kind (“higher” or “lower than expected”); from {watch_level} on “watch”."
    ),
    "rule_srtr": (
        "A {provider} is flagged, on the higher side only, where the probability that its ratio is above 1.2 exceeds "
        "75 %, or that it is above 2.5 exceeds 10 %."
    ),
    "rule_ahrq": (
        "A {provider} is flagged by its smoothed rate: where its {flag_level} interval leaves out the overall rate "
        "“higher” or “lower than expected”, where the {watch_level} interval does “watch”."
    ),
    "limits_widened": (
        "{Providers} differ by more than chance explains, so the limits were widened: inside them a {provider} is "
        "within the usual spread."
    ),
    "power": (
        "A typical {provider} whose true ratio is 1.5 would be found beyond the outer limit with a probability of "
        "{power}."
    ),
    "false_flags_spread": (
        "If {providers} differed by the usual spread alone, this rule would put about {watch} outside the"
        " {watch_level} limits and {flag} beyond the {flag_level} limits."
    ),
    "false_flags": (
        "If all {providers} were exactly average, this rule would put about {watch} outside the {watch_level}"
        " limits and {flag} beyond the {flag_level} limits."
    ),
}

"""Sentences of what a provider's result rests on: other methods, more or fewer events, periods, comments."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # what would change a result
    "firm_title": "How firm the result of this {provider} is",
    "firm_sub": (
        "How many {event} it would take. Inside the darker band it would be as expected, between the bands worth "
        "watching, outside both higher or lower than expected."
    ),
    "firm_sub_three": (
        "How many {event} it would take. Inside the band it would be as expected, outside it higher or lower than "
        "expected."
    ),
    "firm_now": "At {observed} {event} it is “{status}”.",
    "firm_more": "{count} more {event} would make it “{status}”",
    "firm_fewer": "{count} fewer {event} would make it “{status}”",
    "firm_near": "By this rule the numbers are near, not exact.",
    "firm_table": "Numbers of {event} at which the result would change",
    "from_up": "{count} or more",
    "from_down": "{count} or fewer",
    "agree_all": "All {all} other ways of judging say the same.",
    "agree_one": "The one other way of judging says the same.",
    "agree_some": "{agree} of {all} other ways of judging {say} the same. {dissent} would not.",
    "agree_none": "None of {all} other ways of judging says the same: {dissent} would not.",
    "agree_others": "the others",
    "method_funnel": "an exact test against chance alone",
    "method_interval": "the interval of the shrunken ratio",
    "method_empirical_null": "limits set by the bulk of {providers}",
    "method_overdispersed": "limits widened to the usual spread",
    "method_fixed_effect": "a model without shrinkage",
    "method_without": "the model without {term}",
    "method_without_largest": "the model without the largest {level}",
    "trait_none": "The interval from {interval} holds 1, so that no unrecorded trait is needed to explain the ratio.",
    "trait_needed": (
        "To explain the ratio of {ratio} away, a trait that nobody recorded would have to be {value} times as common "
        "among its patients and make the event {value} times as likely; to bring the interval to 1, {limit} times."
    ),
    "rank_fifths": (
        "It could rank from {low} to {high} of {all}; the chance of being among the fifth of {providers} with the "
        "highest ratios is {top}, with the lowest {bottom}."
    ),
    "rank_together": "Held for all {providers} together, its rank lies from {low} to {high}.",
    "under_one_percent": "under 1\u202f%",
    "over_99_percent": "over 99\u202f%",
    "social_same": (
        "With social risk in the case mix the result stays the same (shrunken ratio {ratio} in place of {without})."
    ),
    "social_unchanged": "With social risk in the case mix result and ratio stay the same.",
    "social_moved": (
        "With social risk in the case mix the result would be “{status}” (shrunken ratio {ratio} in place of "
        "{without})."
    ),
    "overlap_little": (
        "Only {share} of its case mix is found at other {providers} as well: read any comparison with care."
    ),
    # over time
    "trend_sub": (
        "Each mark is a period of this {provider} in its own limits. Below: what added up, and charts that climb "
        "with each event and fall with each patient without one."
    ),
    "trend_sub_values": "Each mark is a period of this {provider} in its own limits. Below: what added up.",
    "trend_ratio": "Observed ÷ expected (log scale)",
    "trend_total": "{event} beyond expected, added up",
    "trend_more": "A lasting rise was signalled in {periods}",
    "trend_fewer": "A lasting fall was signalled in {periods}",
    "trend_rose": "More {event} than expected built up over the periods",
    "trend_fell": "Fewer {event} than expected built up over the periods",
    "trend_quiet": "Nothing built up: by period the ratio went from {ratios}",
    "trend_added": "Over {periods} {difference} {event} more than expected added up.",
    "trend_saved": "Over {periods} {difference} {event} fewer than expected added up.",
    "trend_outside": "{count} {lie} outside its {level} limits, where chance alone would put {chance}.",
    "trend_no_signal": "The charts below, tuned to twice and to half the odds, stayed within their lines.",
    "trend_alarm": (
        "The lines are set so that at a {provider} exactly as expected one is passed in a year by {chance} such "
        "{providers}."
    ),
    "trend_untold": (
        "The course over the periods is not shown: a period of this {provider} has a count too small to publish, or "
        "too few periods have patients. It is shown of {count} on this measure."
    ),
    "trend_table": "{title} by period",
    "comment_title": "What the {provider} says",
    "comment_note": "Given by the {provider}; it stands here unchanged.",
}

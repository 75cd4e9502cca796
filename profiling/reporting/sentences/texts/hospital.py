"""Sentences of a provider's page."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "provider_events": "{name} had {observed} {event} where {expected} were expected",
    "provider_values": "{name}: {title} averaged {observed} {unit} where {expected} were expected",
    "within_chance": ", which is within what chance does",
    "within_spread": ", which is within the usual spread of {providers}",
    "provider_chance": "; chance alone would do this to {chance} {providers}",
    "provider_hidden": "{name}: counts are not published",
    "drawn_in": (
        "With {cases} patients the ratio of {raw} is drawn in to {ratio}, and anything from {lower} to {upper} is "
        "plausible."
    ),
    "not_drawn_in": (
        "With {cases} patients the ratio we believe is {ratio}, and anything from {lower} to {upper} is plausible."
    ),
    "ranks": "Among {all} {providers} it could rank anywhere from {low} to {high}.",
    "ranks_narrow": "Among {all} {providers} its rank lies between {low} and {high}.",
    "hidden_lede": (
        "It had {band} cases. Counts from 1 to {most} of cases, events or patients without the event are not "
        "published, nor is any figure that would give one back, here or at another {provider}."
    ),
    "why_expected_lower": (
        "All patients together: {overall}. With this {provider}’s case mix the average {provider} would have "
        "{expected}: its patients are at lower risk than most."
    ),
    "why_expected_higher": (
        "All patients together: {overall}. With this {provider}’s case mix the average {provider} would have "
        "{expected}: its patients are at higher risk than most."
    ),
    "why_expected": (
        "All patients together: {overall}. With this {provider}’s case mix the average {provider} would have "
        "{expected}."
    ),
    "why_expected_alone": "With this {provider}’s case mix the average {provider} would have {expected}.",
    "why_believed": (
        "It had {observed}. With a reliability of {reliability} we believe about {share} of the difference is its "
        "own, and put its long-run figure at {predicted}."
    ),
    "bundle_note": (
        "For {name} only: this page shows its own small counts, which are never published. Others have no names here."
    ),
    "missing_warning": (
        "More than {share} of this {provider}’s records for {measures} lacked a value of the case mix and were left "
        "out. Read its figures with care."
    ),
    "peers_sub": "The {count} nearest in patients ({cases}) and in what was expected of them ({expected}).",
    "peers_finding": "Of the {count} nearest in size and case mix {higher} {have} a higher shrunken ratio.",
    "strip_title": "This {provider} on every measure",
    "strip_sub": "Fine strokes: all {providers}. Mark and bar: this {provider} and its 95 % interval.",
    "why_sub": "From the average {provider}’s rate to the rate we believe, step by step.",
    "peers_title": "Similar {providers}",
    "how_judged": "How these results are judged",
    "all_defined": "Every figure is defined on the page of",
    "methods_page": "methods",
    "provider_too_few": "{name} had too few cases to say",
    "provider_expected_both": "{name}: as expected on both measures",
    "provider_expected_all": "{name}: as expected on all {count} measures",
    "chance_too_few": "fewer cases than the measure asks for",
    "by_chance_alone": "by chance alone {chance}",
    "rate_of_patients": "{rate} of {cases} patients",
    "rate_and_patients": "{rate}; {cases} patients",
    "rate_per": "{rate} per {per} {exposure}",
    "unit_per": "per {per} {exposure}",
    "mean_of_patients": "{unit} on average, {cases} patients",
    "observed_over_expected": "observed ÷ expected",
    "at_the_average": "at the average {provider}",
    "in_the_long_run": "what we believe, in the long run",
    "shrunken_is": "{interval}; {predicted} ÷ {expected}, what an effect of zero gives",
    "in_interval": "95\u202f% interval {interval}",
    # the inner providers of one
    "inner_title": "Its {providers}",
    "inner_sub": "Each beside {norm}. {told}",
    "inner_some": "{count} can be told apart from it.",
    "inner_none": "No {inner} can be told apart from it with confidence.",
    "inner_shared": "* Also at other {providers}; all its patients are counted here.",
    "norm_own": "this {provider}’s own average",
    "norm_all": "the average {inner}",
}

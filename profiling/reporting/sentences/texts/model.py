"""Sentences of the page of a model."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "model_risk": (
        "For each patient we estimate the {what} {known}. Adding these over a {provider}’s patients "
        "gives its expected {total}."
    ),
    "model_family": (
        "Each {provider} then gets its own effect. {Providers} are taken to come from one family whose "
        "spread is estimated from the data{spread}. A small {provider}’s effect is drawn toward the "
        "family average, a large one’s hardly."
    ),
    "model_spread": ": for the same patient, two typical {providers} differ by a factor of about {ratio} in the odds",
    "model_discrimination": (
        "The model tells patients with and without the event apart with a c-statistic of {value}; 0.5 "
        "would be guessing and 1 complete."
    ),
    "model_balance": "Over all {providers} observed ÷ expected is {value}.",
    "model_converged": "The fit found its maximum: no small change of any parameter makes the data more likely.",
    "model_unknown": "Nothing is known about how the fit ended.",
    "model_headline": "How the expected {event} are made, and how far they can be trusted",
    "model_headline_values": "How the expected {title} is made, and how far it can be trusted",
    "two_ways_one": "For a patient of one {provider}, {trait} multiplies the odds of the event by {ratio}.",
    "two_ways_all": "Over the patients of all {providers} together it multiplies them by {ratio}.",
    "two_ways_naive": (
        "A model that ignores {providers} would have been overconfident: its standard error of {trait} would have to "
        "be {factor} times as large."
    ),
    "two_ways_modest": "A model that ignores {providers} would not have been overconfident about any of these traits.",
    "two_ways_design": "Patients of one {provider} are alike: for the overall rate, {effect} of them count as one.",
    "structure_sizes": "There are {count} {providers}, half of them with about {size} records or more.",
    "structure_sizes_small": "There are {count} {providers}, half of them with fewer than {size} records.",
    "structure_nested": "Each {child} belongs to one {parent}.",
    "structure_twins": "Each {parent} has one {child} of its own, so that their effects cannot be told apart.",
    "structure_crossed": "Every {child} has patients in every {parent}.",
    "structure_partial": "Of the {children}, {share} have patients in more than one {parent}.",
    "structure_off_main": "Away from a {child}’s main {parent} lie {share} of the records.",
    "model_shares": "Of what the case mix leaves unexplained, {first} lies {rest}.",
    "calibration_providers": (
        "Observed ÷ predicted, each {provider}’s own effect in its prediction. Where the model describes "
        "{providers} well, the marks lie inside the limits, closer to 1 than chance alone would put them."
    ),
}

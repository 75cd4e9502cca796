"""Sentences of the page of a model."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "model_withheld": (
        "The totals of this measure are not shown, since they would give counts from 1 to {most} of a {provider} "
        "back; nor is anything of its model that would."
    ),
    "model_risk": (
        "For each patient we estimate the {what} {known}. Adding these over a {provider}’s patients gives its "
        "expected {total}."
    ),
    "model_family": (
        "Each {provider} then gets its own effect. {Providers} are taken to come from one family whose spread is "
        "estimated from the data{spread}. A small {provider}’s effect is drawn toward the family average, a large "
        "one’s hardly."
    ),
    "model_spread": ": for the same patient, two typical {providers} differ by a factor of about {ratio} in the odds",
    "model_discrimination": (
        "The model tells patients with and without the event apart with a c-statistic of {value}; 0.5 would be "
        "guessing and 1 complete."
    ),
    "model_balance": "Over all {providers} observed ÷ expected is {value}.",
    "model_converged": "The fit found its maximum: no small change of any parameter makes the data more likely.",
    "model_unknown": "Nothing is known about how the fit ended.",
    "model_headline": "How the expected {event} are made, and how far they can be trusted",
    "model_headline_values": "How the expected {title} is made, and how far it can be trusted",
    "effects_clearest": "Clearest is the effect of {term}: {column} {estimate} ({interval}).",
    "two_ways_one": "For a patient of one {provider}, {trait} multiplies the odds of the event by {ratio}.",
    "two_ways_all": "Over the patients of all {providers} together it multiplies them by {ratio}.",
    "two_ways_naive": (
        "A model that ignores {providers} would have been overconfident: its standard error of {trait} would have to "
        "be {factor} times as large."
    ),
    "two_ways_modest": (
        "A model that ignores {providers} would not have been overconfident about any of these traits."
    ),
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
        "Observed ÷ predicted, each {provider}’s own effect in its prediction. Where the model describes {providers} "
        "well, the marks lie inside the limits, closer to 1 than chance alone would put them."
    ),
    "two_ways_title": "At one {provider} {trait} multiplies the odds by {one}, over the population by {population}",
    "two_ways_sub": (
        "Each row is a trait: by how much its standard error grows once patients of one {provider} may be alike. At "
        "1 a model without {providers} would have been right; to the right of it overconfident."
    ),
    "two_ways_question": "How sure would a model without {providers} have been?",
    "two_ways_axis": "Standard error with them ÷ without",
    "two_ways_attenuation": (
        "Averaging over {providers} draws odds ratios in toward 1: with this spread of {providers} their logarithms "
        "keep about {kept}."
    ),
    "two_ways_gee": (
        "Estimating equations, which ask the population alone and take no family of {providers} for granted, give "
        "{ratio}."
    ),
    "two_ways_table": "Two ways to say it, and two standard errors",
    # who sees whom
    "links_sub": (
        "Left the {parents}, right the {children}, each block as high as its share of the records. Darker: patients "
        "of {children} who work in several {parents}."
    ),
    "links_left": "{parents} by patients",
    "links_band": "{count} of {band}",
    "links_group_1": "{count} in one {parent}",
    "links_group_2": "{count} in two {parents}",
    "links_group_3": "{count} in three or more {parents}",
    "links_head_1": "{children} of one {parent}",
    "links_head_2": "of two",
    "links_head_3": "of three or more",
    "links_nested": "Every {child} works in one {parent} alone",
    "links_several": (
        "{share} of {children} work in more than one {parent}, with {away} of the records away from their main one"
    ),
    "links_several_few": "{share} of {children} work in more than one {parent}",
    "links_table": "Share of the records by size and number of places of work",
    "moves_question": "How often is the next visit elsewhere?",
    "moves_title": "Of the patients who come back {share} are seen at another {provider} than the last time",
    "moves_sub": "Each row holds equally many visits of patients seen before, in the order of time.",
    "moves_axis": "Seen elsewhere than the last time, per cent",
    "moves_same": "It was {first} at the start and at the end.",
    "moves_over_time": "It was {first} at the start and {last} at the end.",
    "moves_shared": "Of all patients {share} were seen at more than one {provider}.",
    "moves_table": "Visits at another {provider} than the last one, over time",
    # other choices
    "sensitivity_question": "What would other choices change?",
    "sensitivity_sub": (
        "Each row is another reasonable choice. Its mark is the rank correlation of the {providers} with the "
        "published order: at 1 the order stays as it is."
    ),
    "sensitivity_axis": "Rank correlation with the published order",
    "sensitivity_words": "results changed",
    "sensitivity_most": "{count} of {all} results change with {variant}; no other choice changes more",
    "sensitivity_none": "No other choice changes a result",
    "sensitivity_order": "The order of {providers} changes most with {variant}: rank correlation {correlation}.",
    "sensitivity_table": "Other reasonable choices",
    # the page around them
    "model_title": "{title}, the model",
    "model_plain": "The model in plain words",
    "model_flow": "Who was counted",
    "model_flow_sub": "From all records to the ones used.",
    "model_missing": "Missing in the case mix",
    "model_missing_sub": "Records that lack a trait are left out.",
    "model_missing_none": "No record lacks a trait of the case mix.",
    "model_effects": "What the case mix does",
    "model_effects_label": "Effects of the case mix",
    "model_shares_title": "Where the variation lies",
    "model_what_risk": "risk",
    "model_what_value": "expected outcome",
    "model_known": "from {traits}",
    "model_known_none": "from the overall rate alone",
    "word_total": "total",
    "fact_model": "Model",
    "fact_effects": "Effects of",
    "fact_fitted": "Fitted by",
    "fact_records": "Records used",
    "family_binomial": "mixed logistic",
    "family_poisson": "mixed Poisson",
    "family_log_gaussian": "mixed linear, of the logarithm",
    "family_gaussian": "mixed linear",
    "shares_patients": "patients of the same provider",
    "shares_none": "Not available for this model.",
    "shares_sub_odds": "What the case mix leaves unexplained, on the scale of log-odds.",
    "shares_sub": "What the case mix leaves unexplained, on the scale of the model.",
    "share_between": "between {label}",
    "share_within": "{providers} of the same {provider}",
    "effects_what_binomial": "the odds of the event",
    "effects_what_poisson": "the rate of the event",
    "effects_what": "the outcome",
    "effects_factor": "By what factor each trait changes {what}, the others being equal; 1 is no change.",
    "effects_difference": "By how much each trait changes {what}, the others being equal; 0 is no change.",
    "calibration_title": "From the lowest to the highest risk",
    "calibration_sub": "Patients in bands of predicted risk, lowest first.",
    "calibration_sub_values": "Patients in bands of predicted outcome, lowest first.",
    "calibration_table": "Calibration by band of predicted risk",
    "checks_table": "Calibration and discrimination in single figures",
    "by_provider_title": "Does it describe each {provider}?",
    "check_balance": "Observed ÷ expected, over all",
    "check_intercept": "Intercept of calibration",
    "check_slope": "Slope of calibration",
    "check_c": "c-statistic",
    "check_brier": "Brier score",
    "check_rankability": "Rankability of {providers}",
    "check_mor": "Median odds ratio of {providers}",
    "ideal_c": "1; guessing gives 0.5",
    "ideal_rank": "1; near 0 a ranking is noise",
    "ideal_none": "no ideal",
    "fit_title": "Did the fit find its maximum?",
    "fit_table": "How the fit ended",
    "fit_notes": "What the fit wants to be known",
    "fit_method": "Method",
    "fit_likelihood": "Log-likelihood",
    "fit_decrement": "Newton decrement",
    "fit_iterations": "Iterations",
    "fit_residual": "Residual standard deviation",
    # the page of methods
    "methods_headline": "How every figure is made",
    "methods_lede": (
        "Each figure of this report has one meaning and one formula. O, E and P are observed, expected and predicted; "
        "y is the outcome, x the case mix, b the effect of a provider, σ² the variance of these effects."
    ),
    "methods_rules": "The rules of this run",
    "methods_marks": "The marks",
}

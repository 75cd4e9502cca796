"""Words that a run keeps in the database in English, and how they are said: names of records, steps, notes."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "stored_encounters": "encounters",
    "stored_patients": "patients",
    "stored_clinics": "clinics",
    "stored_physicians": "physicians",
    "stored_diagnoses": "diagnoses",
    "stored_comments": "comments",
    "stored_public": "public",
    "stored_bundle": "bundle",
    "stored_any": "any of them",
    # bands of cases and of numbers
    "band_some": "some",
    "band_under": "under {count}",
    "band_from": "{count} or more",
    "band_over": "{count} and over",
    "band_to": "{low} to {high}",
    "band_to_under": "{low} to under {high}",
    # steps of a cohort
    "stored_all": "all encounters",
    "stored_admitted": "admitted {start} to {end}",
    "stored_least": "{column} at least {value}",
    "stored_most": "{column} at most {value}",
    "stored_recorded": "{column} recorded",
    "stored_above": "{column} above zero",
    "stored_complete": "case mix and outcome complete",
    "stored_positive": "outcome above zero",
    # what other choices are
    "stored_no_shrinkage": "no shrinkage: an intercept a provider, exact test against the median one",
    "stored_no_term": "the case mix without this term",
    "stored_no_largest": "without the rows of the largest {level}",
    "stored_not_possible": "not possible: {reason}",
    # what the gate held
    "stored_gate_missing": "missing values of {measure}",
    "stored_gate_flags": "number of flags of {measure}",
    "stored_gate_volume": "number of patients of {measure}",
    "stored_gate_rate": "event rate or mean of {measure}",
    # ways of judging
    "stored_same_order": "another rule for the same estimates",
    "stored_mean_residual": "test of the mean residual",
    "stored_as_recorded": "every visit attributed to the provider it is recorded with",
    "stored_most_visits": "every visit attributed to the provider its patient sees most",
    "stored_way_recorded": "attribution attending",
    "stored_way_visits": "attribution most visits",
    "stored_unshrunken": "unshrunken",
}

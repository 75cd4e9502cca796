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
    # bands of cases
    "stored_some": "some",
    "stored_under": "under {count}",
    "stored_from": "{count} or more",
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
}

"""The known truth behind the generated records: coefficients, and how an outcome follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[np.float64]

MORTALITY: Final[Mapping[str, float]] = {
    "Intercept": -4.70,
    "I(age / 10)": 0.40,
    "C(sex)[T.M]": 0.10,
    "C(admission_type)[T.emergency]": 0.60,
    "C(admission_type)[T.transfer]": 0.40,
    "severity": 0.50,
    "heart_failure": 0.45,
    "diabetes": 0.12,
    "renal_disease": 0.40,
    "copd": 0.25,
    "I(np.minimum(systolic_bp, 120) / 10)": -0.15,
}
"""Log odds of death within 30 days, by the terms of the formula as formulaic names them."""

LENGTH_OF_STAY: Final[Mapping[str, float]] = {
    "Intercept": 1.00,
    "I(age / 10)": 0.03,
    "C(sex)[T.M]": -0.02,
    "C(admission_type)[T.emergency]": 0.25,
    "C(admission_type)[T.transfer]": 0.35,
    "severity": 0.12,
    "heart_failure": 0.15,
    "diabetes": 0.05,
    "renal_disease": 0.12,
    "copd": 0.10,
}
"""Logarithm of the days of stay."""

DEVIATIONS: Final[Mapping[str, Mapping[str, float]]] = {
    "mortality_30d": {"hospital": 0.30, "physician": 0.25},
    "length_of_stay": {"hospital": 0.12, "physician": 0.10, "residual": 0.55},
}
"""Standard deviations of the effects, by measure."""

COEFFICIENTS: Final = {"mortality_30d": MORTALITY, "length_of_stay": LENGTH_OF_STAY}


def linear_predictor(measure: str, cases: pd.DataFrame) -> Values:
    """The fixed part of a measure's model for each case; needs all columns of the case mix, none missing."""
    values = _terms(cases)
    parts = [weight * values[term] for term, weight in COEFFICIENTS[measure].items()]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)


def coefficients_frame() -> pd.DataFrame:
    """The truth as a table: measure, term, value; standard deviations as `sd(hospital)` and so on."""
    rows = [
        (measure, term, value)
        for measure, fixed in COEFFICIENTS.items()
        for term, value in (*fixed.items(), *((f"sd({g})", sd) for g, sd in DEVIATIONS[measure].items()))
    ]
    return pd.DataFrame(rows, columns=["measure", "term", "value"])


def _terms(cases: pd.DataFrame) -> dict[str, Values]:
    numbers = ("severity", "heart_failure", "diabetes", "renal_disease", "copd")
    return {
        "Intercept": np.ones(len(cases)),
        "I(age / 10)": cases["age"].to_numpy(float) / 10,
        "C(sex)[T.M]": (cases["sex"] == "M").to_numpy(float),
        "C(admission_type)[T.emergency]": (cases["admission_type"] == "emergency").to_numpy(float),
        "C(admission_type)[T.transfer]": (cases["admission_type"] == "transfer").to_numpy(float),
        "I(np.minimum(systolic_bp, 120) / 10)": np.minimum(cases["systolic_bp"].to_numpy(float), 120) / 10,
        **{name: cases[name].to_numpy(float) for name in numbers},
    }

"""The worksheet of a provider, one row an encounter, and the figures that follow from it.

O = Σ y, E = Σ g⁻¹(η + norm), P = Σ g⁻¹(η + own): the form of the hospital-specific reports of CMS, whose own
worksheets go through the same `recompute`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.assessment.standardization import inverse_response, response

LINKS = {"binomial": "logit", "poisson": "log", "log_gaussian": "log", "gaussian": "identity"}
COLUMNS = (
    *("encounter_id", "hospital", "physician", "physician_name", "observed"),
    *("linear_predictor", "hospital_effect", "physician_effect", "expected", "expected_marginal", "predicted"),
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """Sums over the rows of a worksheet: observed, expected, predicted; `cases` rows."""

    cases: int
    observed: float
    expected: float
    predicted: float

    @property
    def ratio(self) -> float:
        """Predicted over expected."""
        return self.predicted / self.expected


def recompute(
    linear_predictor: Floats, own: Floats | float, norm: Floats | float, link: str, observed: Floats | None = None
) -> Figures:
    """Figures of a provider from its rows.

    linear_predictor (n,): xβ of each row, without any effect of the provider. own, norm: the provider's effect and
    the norm's, on the scale of the link. observed (n,): outcomes, zeros if None.
    """
    expected, predicted = response(linear_predictor + norm, link), response(linear_predictor + own, link)
    outcomes = np.zeros(len(linear_predictor)) if observed is None else observed
    return Figures(len(linear_predictor), *(float(np.sum(values)) for values in (outcomes, expected, predicted)))


def worksheet(predictions: pd.DataFrame, estimates: pd.DataFrame, hospital: str, family: str) -> pd.DataFrame:
    """Rows of one outer provider with `COLUMNS`, by encounter.

    predictions: of one measure, as the store keeps them. estimates: the providers of the same measure, all levels.
    The linear predictor is that of the expected outcome: the case mix with every effect at zero.
    """
    rows = predictions[predictions["outer_provider"].astype(str) == hospital].sort_values("encounter_id")
    effects = {level: part.set_index("provider") for level, part in estimates.groupby("level", sort=False)}
    outer = next(iter(effects.values()))
    inner = next((part for level, part in effects.items() if part is not outer), None)
    physician = rows["inner_provider"]
    told = inner is not None and physician.notna().any()
    return rows.assign(
        hospital=hospital,
        physician=physician if told else None,
        physician_name=physician.map(inner["provider_name"]) if told and inner is not None else None,
        linear_predictor=inverse_response(rows["expected"].to_numpy(dtype=np.float64), LINKS[family]),
        hospital_effect=outer["mode"].astype(float).to_dict()[hospital],
        physician_effect=physician.map(inner["mode"]).astype(float) if told and inner is not None else np.nan,
    )[list(COLUMNS)].reset_index(drop=True)

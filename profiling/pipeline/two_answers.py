"""What the model page says beside the model: the answer over the population, naive errors, structure of the data.

Kept as checks of the model: population_odds_ratio, gee_odds_ratio, naive_standard_error, clustered_standard_error of a
term (name:term), and population_standard_error of its logarithm; attenuation, what the coefficients keep of themselves
over the population by the formula of Zeger, Liang & Albert (1988), with the variance of the effects as note;
design_effect of a level's mean; and the structure of the data (`profiling.pipeline.structure_found`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.errors import ModelError
from profiling.pipeline.structure_found import Entry, structure_found

if TYPE_CHECKING:
    from profiling.modeling import MixedModelResult

UNAVAILABLE = "population_unavailable"


def two_answers(fit: MixedModelResult, rows: pd.DataFrame, levels: Sequence[str], threshold: int) -> pd.DataFrame:
    """Return name, value, note; counts of rows from 1 to `threshold` - 1 cannot be worked out from any of them."""
    entries = [*_population(fit, rows), *structure_found(rows, levels, threshold)]
    return pd.DataFrame(entries, columns=["name", "value", "note"])


def _population(fit: MixedModelResult, rows: pd.DataFrame) -> list[Entry]:
    from profiling.modeling.error_comparison import compare_errors

    try:
        table = compare_errors(fit, rows)
    except (ModelError, np.linalg.LinAlgError):
        return [(UNAVAILABLE, math.nan, "The model without clusters could not be fitted beside this one")]
    columns = {"naive_standard_error": table["naive_error"], "clustered_standard_error": table["gee_error"]}
    if fit.link == "logit":
        columns |= {
            "population_odds_ratio": np.exp(table["marginal"]),
            "population_standard_error": table["marginal_error"],
            "gee_odds_ratio": np.exp(table["gee"]),
        }
    found = [
        (f"{name}:{term}", float(value), "")
        for name, values in columns.items()
        for term, value in values.items()
        if term != "Intercept"
    ]
    if fit.link == "logit":
        found += [_attenuation(fit)]
    effects = fit.design_effects()
    means = effects[effects["term"] == "mean"]
    return found + [
        (f"design_effect:{group}", float(value), "of the mean")
        for group, value in zip(means["group"], means["design_effect"], strict=True)
    ]


def _attenuation(fit: MixedModelResult) -> Entry:
    """1/√(1 + c²σ²) over all random effects, c = 16√3/(15π), and σ² in words."""
    from profiling.modeling.marginal import ZEGER

    variance = sum(float(np.diag(covariance.to_numpy())[0]) for covariance in fit.variance_components.values())
    return ("attenuation", 1 / math.sqrt(1 + ZEGER**2 * variance), f"variance of the effects {variance:.4f}")

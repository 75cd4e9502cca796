"""Standards from outside: published or frozen coefficients, or the model of an earlier period, on today's patients.

What they give is the column `expected` of a table of predictions, which `profile_providers` takes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from profiling.assessment.fitted import Floats
from profiling.assessment.standardization import LINKS, response
from profiling.errors import ModelError, Problem


def from_coefficients(
    traits: pd.DataFrame, coefficients: pd.Series, intercept: float = 0.0, link: str = "logit"
) -> Floats:
    """g⁻¹(intercept + xβ) of each patient (n,).

    traits: a column for each name in `coefficients`. intercept: the standard's constant; with a provider's effect
    added it gives the predicted outcome instead of the expected one. Raises ModelError for a trait that is absent or
    missing somewhere, and for an unknown link.
    """
    absent = [str(name) for name in coefficients.index if name not in traits.columns]
    if absent:
        raise _refused("columns", f"no column {', '.join(absent)}", "a column for every coefficient")
    if link not in LINKS:
        raise _refused("link", f"found {link!r}", f"one of {', '.join(LINKS)}")
    values = traits[list(coefficients.index)].to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        rows = int((~np.isfinite(values)).any(axis=1).sum())
        raise _refused("traits", f"{rows} rows with a missing value", "complete rows")
    return response(values @ coefficients.to_numpy(dtype=np.float64) + intercept, link)


def recalibrated(expected: Floats, observed: Floats) -> Floats:
    """The standard's expected outcomes times ΣO/ΣE: its case mix with today's overall rate."""
    return np.asarray(expected * (observed.sum() / expected.sum()), dtype=np.float64)


def _refused(where: str, found: str, wanted: str) -> ModelError:
    return ModelError(Problem(f"external standard, {where}", found, wanted, "See the source of the coefficients"))

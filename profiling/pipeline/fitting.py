"""The model of a measure, and what it says of itself as frames of the store."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.config import Measure
from profiling.errors import NotConverged, Problem
from profiling.pipeline.cases import offset_of

if TYPE_CHECKING:
    from profiling.modeling import MixedModelResult

NORMAL_95 = 1.959963984540054


def model_formula(measure: Measure) -> str:
    """The whole formula: outcome, case mix and random terms by the names of the levels."""
    random = " + ".join(f"({level.random} | {level.level})" for level in measure.providers)
    return f"{_outcome(measure)} ~ {measure.case_mix} + {random}"


def _outcome(measure: Measure) -> str:
    if measure.trials:
        return f"cbind({measure.outcome}, {measure.trials} - {measure.outcome})"
    return f"np.log({measure.outcome})" if measure.family == "log_gaussian" else measure.outcome


def fit_model(measure: Measure, rows: pd.DataFrame) -> MixedModelResult:
    """The model of a measure; NotConverged, with the engine's diagnosis, if it has no trustworthy maximum."""
    from profiling.modeling import glmm, lmm

    formula = model_formula(measure)
    if measure.family in ("binomial", "poisson"):
        offset = offset_of(measure) if measure.exposure else None
        fit = glmm(formula, rows, family=measure.family, method=measure.method, offset=offset)
    else:
        fit = lmm(formula, rows, reml=True)
    if not fit.converged:
        grave = [note for note in fit.diagnostics if note.severity == "error"] or list(fit.diagnostics)
        said = "; ".join(diagnosis.message for diagnosis in grave) or "no further diagnosis"
        raise not_converged(measure, f"its model has no maximum: {said}")
    return fit


def not_converged(measure: Measure, found: str) -> NotConverged:
    """The error of a measure whose model has no trustworthy maximum."""
    advice = "Simplify the case mix or the random terms; nothing was published"
    return NotConverged(Problem(f"measure {measure.name}", found, "a model with a maximum", advice))


def fixed_effects(fit: MixedModelResult) -> pd.DataFrame:
    """Coefficients in the order of the model, with 95 % Wald limits."""
    estimate, error = fit.fixed_effects.to_numpy(), fit.standard_errors.to_numpy()
    half = NORMAL_95 * error
    return pd.DataFrame({
        "position": np.arange(len(estimate)), "term": fit.fixed_effects.index.astype(str),
        "estimate": estimate, "standard_error": error, "lower": estimate - half, "upper": estimate + half,
    })  # fmt: skip


def variance_components(fit: MixedModelResult) -> pd.DataFrame:
    """The lower triangle of each group's covariance, row by row, and the residual variance."""
    rows = [
        (group, term_a, term_b, covariance.to_numpy()[i, j])
        for group, covariance in fit.variance_components.items()
        for i, term_a in enumerate(covariance.index)
        for j, term_b in enumerate(covariance.columns[: i + 1])
    ]
    if fit.residual_sd is not None and np.isfinite(fit.residual_sd):
        rows.append(("Residual", "Intercept", "Intercept", float(fit.residual_sd) ** 2))
    frame = pd.DataFrame(rows, columns=["grouping", "term_a", "term_b", "covariance"])
    return frame.assign(position=range(len(frame)))


def diagnoses(fit: MixedModelResult) -> pd.DataFrame:
    """What the fit wants to be known about itself, as checks without a value."""
    said = {f"diagnosis_{diagnosis.code}": diagnosis.message for diagnosis in fit.diagnostics}
    return pd.DataFrame([(code, math.nan, note) for code, note in said.items()], columns=["name", "value", "note"])



"""What a design must be before anything is fitted: every fault is named, with what was expected and what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.design import Design
from profiling.modeling.families import Family

VARIES = "an outcome that varies"
SAME = "Look for a covariate that repeats the outcome"
ROUNDING = 1e-13
COUNTS = ("poisson", "negative_binomial")


def check_outcome(design: Design, family: Family) -> None:
    """Refuse outcomes that the family cannot have or that do not vary, and more to estimate than rows can tell."""
    y = design.y[design.weights > 0]
    where = f"outcome {design.formula.outcome}"
    if family.name == "binomial" and ((y < 0) | (y > 1)).any():
        raise ModelError(Problem(where, "values outside of 0 to 1", "0/1, proportions or cbind()"))
    if family.name in COUNTS and ((y < 0) | (y != np.floor(y))).any():
        raise ModelError(Problem(where, "values that are no counts", "whole numbers from 0"))
    extreme = family.name == "gaussian" or y[0] == 0 or (family.name == "binomial" and y[0] == 1)
    if (y == y[0]).all() and extreme:
        raise ModelError(Problem(where, "the same in every row", VARIES, "There is nothing to explain"))
    rows, p = len(y), design.X.shape[1]
    if p >= rows:
        advice = "Use fewer covariates"
        raise ModelError(Problem("fixed part", f"{p} coefficients for {rows} rows", "more rows than terms", advice))
    if family.name == "gaussian":
        _check_residual(design, rows)


def check_residual_variance(cross: np.ndarray) -> None:
    """Refuse an outcome that the fixed part explains to within rounding; `cross` (p+1, p+1) of [X y]."""
    p = len(cross) - 1
    explained = cross[:p, p] @ np.linalg.solve(cross[:p, :p], cross[:p, p]) if p else 0.0
    if not cross[p, p] - explained > ROUNDING * cross[p, p]:
        found = "the fixed part explains it to within rounding: no residual variance is left"
        raise ModelError(Problem("outcome", found, "an outcome that varies beside its covariates", SAME))


def _check_residual(design: Design, rows: int) -> None:
    """Refuse a level for every row (of equal weight): its variance and the residual one are one number."""
    weights = design.weights[design.weights > 0]
    if (weights != weights[0]).any():
        return
    problems = [
        Problem(
            f"grouping factor {factor.name}",
            f"{factor.size} levels for {rows} rows: no residual is left beside it",
            "fewer levels than rows",
            "Leave the random term out",
        )
        for factor in design.factors
        if factor.columns is None and factor.size >= rows
    ]
    if problems:
        raise ModelError(problems)


def rows_of(values: object, data: pd.DataFrame, what: str) -> np.ndarray | None:
    """Return row values given as an array or as a column's name; raise ModelError where that column is not there."""
    if values is None:
        return None
    if isinstance(values, str):
        if values not in data.columns:
            raise ModelError(Problem(what, f"no column {values!r}", "a column of the data or one value a row"))
        values = data[values]
    try:
        return np.asarray(pd.to_numeric(pd.Series(values), errors="raise"), dtype=float)
    except (ValueError, TypeError):
        raise ModelError(Problem(what, "values that are no numbers", "one number a row")) from None

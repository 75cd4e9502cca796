"""Likelihood-ratio tests of nested models, with the mixture for variances tested at zero.

Under the hypothesis that a variance is zero the parameter lies on the boundary and 2 (l1 - l0) is no chi-square: with
one more variance (and its q covariances) it is the half-and-half mixture of chi-squares with d - 1 and d degrees of
freedom (Self & Liang 1987, cases 5 and 6; Stram & Lee 1994; Stram & Lee 1995, a correction), d counting all parameters
added. With several added variances the weights depend on the data; then the plain chi-square, which is conservative,
stands alone.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from profiling.errors import ModelError, Problem
from profiling.modeling.state import source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


def anova(*fits: MixedModelResult) -> pd.DataFrame:
    """Compare fits of nested models to the same outcome, smallest first.

    One row a fit: formula, parameters, log_likelihood, aic, bic, chi_square (2 (l - l of the row before)), df,
    p_value (plain chi-square) and p_value_boundary (the half-and-half mixture, where exactly one variance is added;
    NaN elsewhere). Raises ModelError for other outcomes, other families, REML beside ML, and REML fits whose fixed
    parts differ: their likelihoods are of different data.
    """
    if len(fits) < 2:
        raise ModelError(Problem("anova", f"{len(fits)} fit", "two or more fits of nested models"))
    ordered = sorted(fits, key=lambda fit: fit.n_parameters)
    for fit in ordered[1:]:
        _refuse(ordered[0], fit)
    rows = [_row(None, ordered[0])]
    rows += [_row(small, large) for small, large in itertools.pairwise(ordered)]
    return pd.DataFrame(rows)


def _refuse(first: MixedModelResult, other: MixedModelResult) -> None:
    """Raise ModelError where two likelihoods cannot be compared."""
    if first.n_observations != other.n_observations or not np.array_equal(first.outcome, other.outcome):
        raise ModelError(Problem("anova", "fits to different outcomes or rows", "fits to the same rows"))
    if not np.array_equal(first.weights, other.weights):
        raise ModelError(Problem("anova", "fits with different weights", "the same weights"))
    if (first.family, first.link) != (other.family, other.link):
        raise ModelError(Problem("anova", f"{first.family} and {other.family}", "one family and link"))
    reml = (source_of(first).call.reml, source_of(other).call.reml)
    if reml[0] != reml[1]:
        raise ModelError(Problem("anova", "REML beside maximum likelihood", "one method", "Fit both with reml=False"))
    if reml[0] and list(first.fixed_effects.index) != list(other.fixed_effects.index):
        raise ModelError(
            Problem("anova", "REML fits with different fixed parts", "maximum likelihood", "Fit both with reml=False")
        )
    if first.method.split(" (")[0] != other.method.split(" (")[0]:
        raise ModelError(Problem("anova", f"{first.method} beside {other.method}", "one approximation"))


def _row(small: MixedModelResult | None, large: MixedModelResult) -> dict[str, object]:
    row: dict[str, object] = {
        "formula": large.formula,
        "parameters": large.n_parameters,
        "log_likelihood": large.log_likelihood,
        "aic": large.aic,
        "bic": large.bic,
        "chi_square": np.nan,
        "df": 0,
        "p_value": np.nan,
        "p_value_boundary": np.nan,
    }
    if small is None:
        return row
    df = large.n_parameters - small.n_parameters
    if df == 0:
        return row
    statistic = max(2 * (large.log_likelihood - small.log_likelihood), 0.0)
    row |= {"chi_square": statistic, "df": df, "p_value": float(stats.chi2.sf(statistic, df))}
    if _variances(large) - _variances(small) == 1:
        row["p_value_boundary"] = boundary_p_value(statistic, df)
    return row


def _variances(fit: MixedModelResult) -> int:
    return sum(len(covariance) for covariance in fit.variance_components.values())


def boundary_p_value(statistic: float, df: int) -> float:
    """Return P(1/2 chi2_{df-1} + 1/2 chi2_df >= statistic); chi2_0 is a point at zero (Self & Liang 1987)."""
    below = float(statistic <= 0) if df == 1 else float(stats.chi2.sf(statistic, df - 1))
    return 0.5 * below + 0.5 * float(stats.chi2.sf(statistic, df))

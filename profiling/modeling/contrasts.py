"""Tests of coefficients and of variances: tables with degrees of freedom, F tests, variances against zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from profiling.errors import ModelError, Problem
from profiling.modeling.comparison import boundary_p_value
from profiling.modeling.intervals import maximum_likelihood
from profiling.modeling.kenward_roger import f_from, kenward_roger
from profiling.modeling.parameters import estimate_and_gradient, variance_parameters
from profiling.modeling.profile import profile_of
from profiling.modeling.satterthwaite import satterthwaite, satterthwaite_f
from profiling.modeling.threads import threads_for

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

METHODS = ("satterthwaite", "kenward_roger", "normal")


def _method(fit: MixedModelResult, method: str | None) -> str:
    chosen = method or ("satterthwaite" if fit.family == "gaussian" else "normal")
    if chosen not in METHODS:
        raise ModelError(Problem("method", chosen, f"one of {', '.join(METHODS)}"))
    if fit.family != "gaussian" and chosen != "normal":
        raise ModelError(Problem("method", chosen, "normal for a generalized linear mixed model"))
    return chosen


def coefficients(fit: MixedModelResult, method: str | None, level: float) -> pd.DataFrame:
    """Return the table of coefficients; see `MixedModelResult.coefficients`."""
    chosen = _method(fit, method)
    beta, error = fit.fixed_effects.to_numpy(), fit.standard_errors.to_numpy()
    identity = np.eye(len(beta))
    freedom = np.full(len(beta), np.inf)
    with threads_for(fit.n_observations):
        if chosen == "satterthwaite" and len(beta):
            freedom = satterthwaite(fit, identity)
        elif chosen == "kenward_roger":
            made = kenward_roger(fit)
            error = np.sqrt(np.diag(made.adjusted))
            freedom = np.array([f_from(made, row[None], beta)[2] for row in identity])
    statistic = np.divide(beta, error, out=np.full(len(beta), np.nan), where=error > 0)
    half = stats.t.ppf(0.5 + level / 2, freedom) * error
    return pd.DataFrame(
        {
            "estimate": beta,
            "standard_error": error,
            "df": freedom,
            "statistic": statistic,
            "p_value": 2 * stats.t.sf(np.abs(statistic), freedom),
            "lower": beta - half,
            "upper": beta + half,
        },
        index=fit.fixed_effects.index,
    )


def joint_test(fit: MixedModelResult, contrasts: Any, method: str | None) -> pd.Series:
    """Return the test of several contrasts at once; see `MixedModelResult.test`."""
    chosen = _method(fit, method)
    L = contrast_matrix(fit, contrasts)
    with threads_for(fit.n_observations):
        if chosen == "satterthwaite":
            F, q, freedom = satterthwaite_f(fit, L)
        elif chosen == "kenward_roger":
            F, q, freedom = f_from(kenward_roger(fit), L, fit.fixed_effects.to_numpy())
        else:
            value = L @ fit.fixed_effects.to_numpy()
            q, freedom = int(np.linalg.matrix_rank(L)), np.inf
            F = float(value @ np.linalg.pinv(L @ fit.covariance.to_numpy() @ L.T, hermitian=True) @ value) / q
    p_value = stats.chi2.sf(q * F, q) if np.isinf(freedom) else stats.f.sf(F, q, freedom)
    return pd.Series({"statistic": F, "df": float(q), "denominator_df": freedom, "p_value": float(p_value)})


def contrast_matrix(fit: MixedModelResult, contrasts: Any) -> np.ndarray:
    """Return contrasts (q, p) from a matrix, a vector or a list of terms."""
    terms = list(fit.fixed_effects.index)
    if isinstance(contrasts, str):
        contrasts = [contrasts]
    if isinstance(contrasts, (list, tuple)) and all(isinstance(each, str) for each in contrasts):
        unknown = [each for each in contrasts if each not in terms]
        if unknown or not contrasts:
            raise ModelError(Problem("contrasts", f"terms {', '.join(unknown)}", f"terms among {', '.join(terms)}"))
        return np.eye(len(terms))[[terms.index(each) for each in contrasts]]
    L = np.atleast_2d(np.asarray(contrasts, dtype=float))
    if L.ndim != 2 or L.shape[1] != len(terms) or not np.isfinite(L).all() or not (L != 0).any():
        raise ModelError(Problem("contrasts", f"shape {L.shape}", f"finite rows of {len(terms)} coefficients"))
    return L


def variance_test(fit: MixedModelResult, group: str, term: str) -> pd.Series:
    """Return the likelihood-ratio test of a variance against zero; see `MixedModelResult.test_variance`.

    The likelihood (not the restricted one) is maximised without the term and its covariances; the reference is the
    half-and-half mixture of chi-squares with q and q + 1 degrees of freedom, q covariances (Stram & Lee 1994).
    """
    name = f"sd({term} | {group})"
    with threads_for(fit.n_observations):
        model = maximum_likelihood(fit)
        known = {parameter.name: parameter for parameter in variance_parameters(model)}
        if name not in known or known[name].kind != "sd":
            sds = [each for each, parameter in known.items() if parameter.kind == "sd"]
            raise ModelError(Problem("test_variance", name, f"one of {', '.join(sds)}"))
        parameter = known[name]
        sigma = model.residual_sd if model.family == "gaussian" else 1.0
        value, _ = estimate_and_gradient(parameter, model, model.theta, sigma)
        profile = profile_of(model, parameter, value)
        statistic = profile.zeta(0.0) ** 2 if value > 0 else 0.0
        df = 1 + len(profile.vanishing)
    p_value = boundary_p_value(statistic, df)
    return pd.Series({"chi_square": statistic, "df": float(df), "p_value": p_value})

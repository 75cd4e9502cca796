"""Confidence intervals of coefficients, standard deviations, correlations and sigma: Wald or profile likelihood.

Wald intervals are symmetric for coefficients, on the logarithm for standard deviations and on Fisher's z for
correlations; a standard deviation estimated as zero has none. Profiles need no such choice (see `profile`); the
adjusted one of a variance parameter makes up for the estimated coefficients, where levels are few.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from profiling.errors import ModelError, Problem
from profiling.modeling.parameters import (
    VarianceParameter,
    estimate_and_gradient,
    theta_covariance,
    variance_parameters,
)
from profiling.modeling.profile import Profile, adjust, first_step, profile_interval, profile_of
from profiling.modeling.source import warm_point
from profiling.modeling.state import source_of
from profiling.modeling.threads import threads_for

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


METHODS = ("wald", "profile", "adjusted")


@dataclass(frozen=True)
class Estimate:
    """One parameter: what it is, its estimate and its Wald standard error."""

    name: str
    kind: str
    value: float
    error: float
    target: int | VarianceParameter


def estimates(fit: MixedModelResult) -> list[Estimate]:
    """Return every coefficient and variance parameter with its standard error."""
    errors = fit.standard_errors.to_numpy()
    found = [
        Estimate(str(term), "fixed", float(value), float(error), position)
        for position, (term, value, error) in enumerate(
            zip(fit.fixed_effects.index, fit.fixed_effects.to_numpy(), errors, strict=True)
        )
    ]
    covariance = theta_covariance(fit)
    sigma = fit.residual_sd if fit.family == "gaussian" else 1.0
    for parameter in variance_parameters(fit):
        value, gradient = estimate_and_gradient(parameter, fit, fit.theta, sigma)
        variance = float(gradient @ covariance @ gradient) if np.isfinite(gradient).all() else np.nan
        error = float(np.sqrt(variance)) if variance > 0 else float("nan")
        found.append(Estimate(parameter.name, parameter.kind, value, error, parameter))
    return found


def maximum_likelihood(fit: MixedModelResult) -> MixedModelResult:
    """Return the fit, or the maximum likelihood fit of the same model where it is by REML."""
    from profiling.modeling.fit import fit_design

    source = source_of(fit)
    if not source.call.reml:
        return fit
    call = replace(source.call, reml=False, method="ml")
    start = warm_point(source.design, fit.fixed_effects.to_numpy(), fit.theta)
    return replace(fit_design(source.design, call, start), source=replace(source, call=call))


def intervals(
    fit: MixedModelResult, method: str = "wald", level: float = 0.95, parameters: list[str] | None = None
) -> pd.DataFrame:
    """Return kind, estimate, lower and upper by parameter; `parameters` chooses some by name."""
    if method not in METHODS:
        found = "bootstrap() gives percentile intervals"
        raise ModelError(Problem("method", method, f"one of {', '.join(METHODS)}", found))
    if not 0 < level < 1:
        raise ModelError(Problem("level", str(level), "a share between 0 and 1"))
    with threads_for(fit.n_observations):
        return _table(fit if method == "wald" else maximum_likelihood(fit), method, level, parameters)


def _table(model: MixedModelResult, method: str, level: float, parameters: list[str] | None) -> pd.DataFrame:
    chosen = estimates(model)
    if parameters is not None:
        known = {each.name for each in chosen}
        unknown = [name for name in parameters if name not in known]
        if unknown:
            raise ModelError(Problem("parameters", ", ".join(unknown), f"names among {', '.join(sorted(known))}"))
        chosen = [each for each in chosen if each.name in parameters]
    if method == "wald":
        bounds = [_wald(each, level) for each in chosen]
    else:
        bounds = [_profile(profile_for(model, each, method == "adjusted"), model, each, level) for each in chosen]
    return pd.DataFrame(
        {
            "kind": [each.kind for each in chosen],
            "estimate": [each.value for each in chosen],
            "lower": [low for low, _ in bounds],
            "upper": [high for _, high in bounds],
        },
        index=pd.Index([each.name for each in chosen], name="parameter"),
    )


def _wald(each: Estimate, level: float) -> tuple[float, float]:
    z = float(stats.norm.ppf(0.5 + level / 2))
    value, error = each.value, each.error
    if each.kind == "fixed":
        return value - z * error, value + z * error
    if each.kind == "correlation":
        if not abs(value) < 1:
            return float("nan"), float("nan")
        center, half = np.arctanh(value), z * error / (1 - value**2)
        return float(np.tanh(center - half)), float(np.tanh(center + half))
    if not value > 0:
        return float("nan"), float("nan")
    return float(value * np.exp(-z * error / value)), float(value * np.exp(z * error / value))


def profile_for(fit: MixedModelResult, each: Estimate, adjusted: bool) -> Profile:
    """Return the profile of a parameter; adjusted, where it is one of the variances'."""
    profile = profile_of(fit, each.target, each.value)
    if adjusted and each.kind != "fixed" and each.value < _bounds(each)[1]:
        error = each.error if np.isfinite(each.error) else first_step(fit)
        adjust(profile, error, *_bounds(each))
    return profile


def _bounds(each: Estimate) -> tuple[float, float]:
    """Return the lowest and highest value of a parameter."""
    if each.kind == "correlation":
        return -1.0, 1.0
    return (0.0, np.inf) if each.kind == "sd" else (-np.inf, np.inf)


def _profile(profile: Profile, fit: MixedModelResult, each: Estimate, level: float) -> tuple[float, float]:
    z, value, bounds = float(stats.norm.ppf(0.5 + level / 2)), profile.estimate, _bounds(each)
    if each.kind == "fixed":
        return profile_interval(profile, z * each.error, level)
    if each.kind == "correlation":
        if not abs(value) < 1:
            return float("nan"), float("nan")
        error = each.error if np.isfinite(each.error) else 0.3
        return profile_interval(profile, min(z * error, 0.9 * (1 - abs(value))), level, *bounds)
    if value > 0:
        error = each.error if np.isfinite(each.error) else 0.3 * value
        return profile_interval(profile, min(z * error, 0.8 * value), level, bounds[0])
    return profile_interval(profile, first_step(fit), level, 0.0)

"""Intervals of the partition of variance: by the delta method, by the likelihood's profile, by the bootstrap.

Delta: limits on the logit of a share (the log of a variance; the log of log MOR), from the covariance of coefficients
and variance parameters; none where a variance is zero. Profile: with one factor of one intercept every share rises
with its sd (of a linear model with the sd over sigma), so the limits are those of the profile carried over, the
average linear predictor held; otherwise see `profile_shares`. Shares of a linear model are profiled on the likelihood
that was maximised: the restricted one for REML, which holds the truth more often where clusters are few. Bootstrap:
percentiles (Efron & Tibshirani 1993).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from profiling.errors import ModelError, Problem
from profiling.modeling.columns import transposed_times
from profiling.modeling.intervals import maximum_likelihood
from profiling.modeling.parameters import theta_covariance, variance_parameters
from profiling.modeling.partition import (
    UPPER_QUARTILE,
    average_predictor,
    enclosing,
    latent_residual,
    observed_share,
    partition,
    shares,
)
from profiling.modeling.profile_shares import share_limits
from profiling.modeling.share_coordinates import Share
from profiling.modeling.state import linear_state, source_of
from profiling.modeling.threads import threads_for

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

METHODS = ("delta", "profile", "bootstrap")
_STEP = 1e-5
# theta beyond which a share is 1 for all purposes.
_FARTHEST = 1e4


def with_intervals(fit: MixedModelResult, method: str, level: float, draws: int, seed: int) -> pd.DataFrame:
    """Return the partition with limits; see `MixedModelResult.icc`."""
    if method not in METHODS:
        raise ModelError(Problem("intervals", repr(method), f"one of {', '.join(METHODS)}"))
    if not 0 < level < 1:
        raise ModelError(Problem("level", str(level), "a share between 0 and 1"))
    table = partition(fit)
    if method == "delta":
        lower, upper = _delta(fit, table, level)
    elif method == "profile":
        lower, upper = _profile(fit, level)
    else:
        lower, upper = _bootstrap(fit, level, draws, seed)
    for column, name in enumerate(table.columns[1:]):
        table[f"{name}_lower"], table[f"{name}_upper"] = lower[:, column], upper[:, column]
    return table


def _values(table: pd.DataFrame) -> np.ndarray:
    """Return the figures of a partition (groups, columns)."""
    return np.array(table.iloc[:, 1:], dtype=float)


def _moments(fit: MixedModelResult) -> list[np.ndarray]:
    """Return the mean of zz' of each group: its variance is the sum of S times this."""
    factors = {factor.name: factor.columns for factor in fit.factors}
    chosen = [factors[group] for group in fit.groups]
    return [np.ones((1, 1)) if Z is None else Z.T @ Z / len(Z) for Z in chosen]


def _variances(fit: MixedModelResult) -> Callable[[np.ndarray, MixedModelResult], np.ndarray]:
    """Return what gives the groups' variances (g) at theta, with the residual sd of the fit it is given."""
    design, moments = source_of(fit).design, _moments(fit)
    form, names = design.form, [factor.name for factor in design.factors]

    def parts(theta: np.ndarray, model: MixedModelResult) -> np.ndarray:
        Lambda = form.matrix(theta) * (model.residual_sd if model.family == "gaussian" else 1.0)
        S, found = Lambda @ Lambda.T, []
        for group, M in zip(fit.groups, moments, strict=True):
            f = names.index(group)
            own = slice(form.offsets[f], form.offsets[f + 1])
            found.append(float((S[own, own] * M).sum()))
        return np.array(found)

    return parts


def _delta(fit: MixedModelResult, table: pd.DataFrame, level: float) -> tuple[np.ndarray, np.ndarray]:
    parts, around, eta = _variances(fit), enclosing(fit), average_predictor(fit)

    def at(theta: np.ndarray, log_sigma: float, predictor: float) -> np.ndarray:
        moved = replace(fit, residual_sd=fit.residual_sd * np.exp(log_sigma))
        return _onto_line(_values(shares(moved, parts(theta, moved), predictor, around)), table)

    t = len(fit.theta)
    gradient = np.empty((t + 2, *_values(table).shape))
    for k in range(t + 2):
        step = np.eye(t + 2)[k] * _STEP
        high, low = (at(fit.theta + s[:t], s[t], eta + s[t + 1]) for s in (step, -step))
        with np.errstate(invalid="ignore"):
            gradient[k] = (high - low) / (2 * _STEP)
    joint = _covariance(fit)
    variance = np.einsum("kgc,kl,lgc->gc", gradient, joint, gradient)
    center = _onto_line(_values(table), table)
    with np.errstate(invalid="ignore"):
        half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance)
        limits = _from_line(center - half, table), _from_line(center + half, table)
    vanished = table["variance"].to_numpy() <= 0
    for limit in limits:
        limit[vanished] = np.nan
    return limits


def _covariance(fit: MixedModelResult) -> np.ndarray:
    """Return the covariance of (theta, log sigma, average linear predictor) (t + 2, t + 2)."""
    t = len(fit.theta)
    joint = np.zeros((t + 2, t + 2))
    joint[: t + 1, : t + 1] = theta_covariance(fit)
    x = _average_row(fit)
    joint[t + 1, t + 1] = x @ fit.covariance.to_numpy() @ x
    if fit.covariance_cross.shape == (len(x), t):
        joint[t + 1, :t] = joint[:t, t + 1] = x @ fit.covariance_cross
    return joint


def _average_row(fit: MixedModelResult) -> np.ndarray:
    """Return the weighted mean of x (p), raw."""
    design = source_of(fit).design
    mean = transposed_times(design.X, design.weights) / design.weights.sum()
    return np.asarray(mean * design.scaling.scale + design.scaling.center)


def _kinds(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return which columns are shares, and which is the median odds ratio; the variance is neither."""
    names = list(table.columns[1:])
    return np.array(["icc" in name for name in names]), np.array([name == "median_odds_ratio" for name in names])


def _onto_line(values: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    share, ratio = _kinds(table)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share, special.logit(values), np.log(np.where(ratio, np.log(values), values)))


def _from_line(line: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    share, ratio = _kinds(table)
    with np.errstate(over="ignore"):
        positive = np.exp(line)
        return np.asarray(np.where(share, special.expit(line), np.where(ratio, np.exp(positive), positive)))


def _profile(fit: MixedModelResult, level: float) -> tuple[np.ndarray, np.ndarray]:
    parameters = [each for each in variance_parameters(fit) if each.kind in ("sd", "correlation")]
    if len(parameters) != 1 or fit.factors[0].columns is not None:
        return _profile_several(fit, level)
    name = parameters[0].name
    absolute = fit.intervals("profile", level, [name]).loc[name, ["lower", "upper"]].to_numpy(dtype=float)
    around, eta = enclosing(fit), average_predictor(fit)
    limits = [_values(shares(fit, np.array([sd**2]), eta, around)) for sd in absolute]
    if fit.family == "gaussian":
        # A share is a function of sd / sigma, whose profile is not that of the sd; the variance keeps the latter.
        for limit, ratio in zip(limits, _relative_limits(fit, level), strict=True):
            limit[:, 1:] = _values(shares(fit, np.array([(ratio * fit.residual_sd) ** 2]), eta, around))[:, 1:]
    return limits[0], limits[1]


def _profile_several(fit: MixedModelResult, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return limits of shares with the share held; those of variances where a group is one intercept."""
    table, around, eta = partition(fit), enclosing(fit), average_predictor(fit)
    model = maximum_likelihood(fit)
    names = list(table.columns[1:])
    lower, upper = (np.full((len(table), len(names)), np.nan) for _ in range(2))
    for g, group in enumerate(fit.groups):
        for c, name in enumerate(names):
            if "icc" not in name:
                continue
            # A linear model has one scale, and a factor in no other has one share.
            same = name.removesuffix("_observed") if fit.family == "gaussian" else name
            same = same.removeprefix("cumulative_") if around[g] == [g] else same
            if same != name:
                lower[g, c], upper[g, c] = lower[g, names.index(same)], upper[g, names.index(same)]
                continue
            inside = around[g] if name.startswith("cumulative") else [g]
            share = _share(fit, eta, inside, name.endswith("observed"))
            with threads_for(fit.n_observations):
                lower[g, c], upper[g, c] = share_limits(fit, share, f"{name} of {group}", level)
        if fit.factors[g].columns is None:
            sd = f"sd(Intercept | {group})"
            limits = model.intervals("profile", level, [sd]).loc[sd, ["lower", "upper"]].to_numpy(dtype=float)
            for bound, value in zip((lower, upper), limits, strict=True):
                bound[g, 0] = value**2
                if "median_odds_ratio" in names:
                    ratio = np.exp(np.sqrt(2) * UPPER_QUARTILE * value)
                    bound[g, names.index("median_odds_ratio")] = ratio
    return lower, upper


def _share(model: MixedModelResult, eta: float, inside: list[int], observed: bool) -> Share:
    """Return the share of the groups at the positions `inside`; a linear model's is in units of sigma."""
    unit = replace(model, residual_sd=1.0) if model.family == "gaussian" else model

    def of(part: float, total: float, shape: float) -> float:
        own = unit if shape == unit.dispersion or np.isnan(shape) else replace(unit, dispersion=shape)
        return observed_share(own, eta, part, total) if observed else part / (total + latent_residual(own, eta, total))

    order = [factor.name for factor in source_of(model).design.factors]
    moments = dict(zip(model.groups, _moments(model), strict=True))
    positions = tuple(order.index(model.groups[i]) for i in inside)
    return Share(of, positions, tuple(moments[name] for name in order), model.dispersion)


def _relative_limits(fit: MixedModelResult, level: float) -> tuple[float, float]:
    """Return where the (restricted) log-likelihood, beta and sigma profiled out, has fallen by half a quantile."""
    criterion, at = linear_state(fit)
    estimate, cutoff = float(abs(fit.theta[0])), at.value - stats.chi2.ppf(level, 1) / 2

    def above(theta: float) -> float:
        return float(criterion.evaluate(np.array([theta])).value - cutoff)

    lower = 0.0 if estimate == 0 or above(0.0) >= 0 else optimize.brentq(above, 0.0, estimate, xtol=1e-10)
    farther = 2 * estimate + 0.1
    while above(farther) > 0 and farther < _FARTHEST:
        farther *= 2
    return float(lower), float(optimize.brentq(above, estimate, farther, xtol=1e-10))


def _bootstrap(fit: MixedModelResult, level: float, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    found = fit.bootstrap(draws, seed)
    moments, around, eta = _moments(fit), enclosing(fit), average_predictor(fit)
    beta = fit.fixed_effects.to_numpy()
    moved = eta + (found.draws.iloc[:, : len(beta)].to_numpy() - beta) @ _average_row(fit)
    parts = np.stack(
        [_drawn_variance(fit, group, M, found.draws) for group, M in zip(fit.groups, moments, strict=True)]
    )
    scale = found.draws["sigma"].to_numpy() if fit.family == "gaussian" else np.full(len(found.draws), fit.residual_sd)
    shape = (
        found.draws["shape"].to_numpy()
        if fit.family == "negative_binomial"
        else np.full(len(found.draws), fit.dispersion)
    )
    tables = [
        _values(shares(replace(fit, residual_sd=float(s), dispersion=float(k)), parts[:, d], float(moved[d]), around))
        for d, (s, k) in enumerate(zip(scale, shape, strict=True))
    ]
    tails = np.quantile(np.stack(tables), [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return tails[0], tails[1]


def _drawn_variance(fit: MixedModelResult, group: str, M: np.ndarray, draws: pd.DataFrame) -> np.ndarray:
    """Return the group's mean variance in every draw, from its sds and correlations."""
    terms = list(fit.variance_components[group].index)
    total = np.zeros(len(draws))
    sds = [draws[f"sd({term} | {group})"].to_numpy() for term in terms]
    for a, sd in enumerate(sds):
        total += M[a, a] * sd**2
        for b in range(a):
            name = f"cor({terms[a]}, {terms[b]} | {group})"
            if name in draws:
                total += 2 * M[a, b] * np.nan_to_num(draws[name].to_numpy()) * sd * sds[b]
    return total

"""Rows of a fitted model: what "expected" and "predicted" mean for each of its levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from profiling.assessment.fitted import FittedModel, Floats, Integers, full_sd, named, variance_of
from profiling.assessment.options import Family, ProfileOptions
from profiling.assessment.rows import ProviderRows, means_by, no_parents, parents, shares, sort_by_provider
from profiling.assessment.standardization import marginal_response, response
from profiling.errors import ModelError, Problem
from profiling.modeling.state import source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


@dataclass(frozen=True)
class Scale:
    """Family, link on the reported scale, residual variance."""

    family: Family
    link: str
    residual_variance: float

    @property
    def raised_by(self) -> float:
        """σ²/2, the logarithm of the mean of exp(ε)."""
        return self.residual_variance / 2.0 if self.family == "log_gaussian" else 0.0

    def reported(self, outcome: Floats) -> Floats:
        """The modelled outcome on its own scale."""
        return np.exp(outcome) if self.family == "log_gaussian" else outcome


@dataclass(frozen=True)
class Standard:
    """Definition of a level's figures: linear predictors (n,) of the expected and of the predicted number (to
    which the own effect is added), factors averaged over in the marginal one, factors that only blur the
    provider's mean."""

    expected: Floats
    predicted: Floats
    averaged: tuple[str, ...]
    nuisance: tuple[str, ...]


def resolve_levels(fit: FittedModel, provider: str | None, options: ProfileOptions) -> tuple[str, str | None]:
    """Outer and inner grouping factor; ModelError names a factor that the model does not have."""
    known = list(fit.groups)
    for name in (provider, options.outer, options.inner):
        if name is not None and name not in known:
            raise ModelError(
                Problem(
                    "provider level",
                    f"found {name}",
                    f"one of {', '.join(known)}",
                    "Profile a grouping factor of the model.",
                )
            )
    if options.outer is not None:
        return options.outer, options.inner
    others = [name for name in known if name != options.inner]
    if options.inner is not None:
        return others[0] if others else options.inner, options.inner if others else None
    ranked = sorted(known, key=lambda name: (len(fit.levels(name)), known.index(name)))
    return ranked[0], ranked[1] if len(ranked) > 1 else None


def rows_of_fit(fit: FittedModel, provider: str, options: ProfileOptions) -> ProviderRows:
    """Rows of a fitted model for one of its grouping factors; see `standard_of` for the definitions."""
    outer, inner = resolve_levels(fit, provider, options)
    scale, standard = scale_of(fit, options), standard_of(fit, provider, options)
    trials = whole_trials(fit)
    order, starts = sort_by_provider(by_trial(_codes(fit, provider), trials), len(fit.levels(provider)))
    source = order if len(order) == len(trials) else np.repeat(np.arange(len(trials)), trials)[order]
    outcome = outcome_by_trial(fit, trials)[order]
    averaged = sum(variance_of(fit, group) for group in standard.averaged)
    null, points = standard.expected + scale.raised_by, options.quadrature_points
    parent, n_parents = _parents_of(fit, provider, outer, inner, source, starts)
    return ProviderRows(
        labels=np.asarray(fit.levels(provider), dtype=object),
        order=source,
        starts=starts,
        observed=scale.reported(outcome),
        expected=response(null, scale.link)[source],
        expected_marginal=marginal_response(null, scale.link, averaged, points)[source],
        eta=(standard.predicted + scale.raised_by)[source],
        residual=_residual(outcome, standard.expected, source, scale),
        mode=_values(fit.mode(provider)),
        sd=_values(fit.mode_sd(provider)),
        sd_full=_posterior_sd(fit, provider, outer, inner, options, source, starts),
        shared_variance=_shared_variance(fit, standard, source, starts),
        parent=parent,
        n_parents=n_parents,
        variance=variance_of(fit, provider),
        residual_variance=scale.residual_variance,
        family=scale.family,
        link=scale.link,
        same_base=standard.expected is standard.predicted,
        single=len(fit.groups) == 1,
        exposure=_exposure(fit)[source] if options.per_exposure else None,
        within_cases=options.trials_within_cases,
    )


def standard_of(fit: FittedModel, provider: str, options: ProfileOptions) -> Standard:
    """The definitions for a level of the model.

    Outer provider: expected with every effect at zero, averaged over all of them; predicted with its own
    effect (and its inner providers', `include_inner`). Inner provider: predicted with its own and the outer
    effect; expected with the outer effect, averaged over the others ("within_hospital"), or without, averaged
    over all ("statewide").
    """
    outer, inner = resolve_levels(fit, provider, options)
    eta, every = np.asarray(fit.linear_predictor, dtype=np.float64), tuple(fit.groups)
    if provider != inner or provider == outer:
        with_inner = (
            eta + group_effect(fit, inner) if inner and inner != provider and options.include_inner else eta
        )
        return Standard(eta, with_inner, every, _without(every, provider))
    with_outer = eta + group_effect(fit, outer)
    if options.inner_expected == "within_hospital":
        return Standard(with_outer, with_outer, _without(every, outer), _without(every, outer, provider))
    return Standard(eta, with_outer, every, _without(every, outer, provider))


def scale_of(fit: FittedModel, options: ProfileOptions) -> Scale:
    """Scale of a fit's outcome; ModelError for a family that has no assessment yet."""
    family = options.family or named(fit.family)
    noise = float(fit.residual_sd or 0.0) ** 2
    if family == "binomial":
        return Scale("binomial", named(fit.link), 0.0)
    if family == "poisson":
        return Scale("poisson", named(fit.link), 0.0)
    if family == "log_gaussian":
        return Scale("log_gaussian", "log", noise)
    if family == "gaussian":
        return Scale("gaussian", named(fit.link), noise)
    raise ModelError(Problem("family", f"found {family}", "binomial, poisson, gaussian or log_gaussian"))


def whole_trials(fit: FittedModel) -> Integers:
    """Trials of each row: w trials stand for w rows; ModelError for weights that are no counts."""
    weights = getattr(fit, "weights", None)
    if weights is None:
        return np.ones(len(fit.outcome), dtype=np.int64)
    values = np.asarray(weights, dtype=np.float64)
    if (values == 1.0).all():
        return np.ones(len(values), dtype=np.int64)
    if named(fit.family) != "binomial" or (values < 1).any() or (values != np.rint(values)).any():
        raise ModelError(
            Problem(
                "weights",
                "found weights that are not numbers of trials",
                "whole trials of a binomial",
                "Profile a fit without weights.",
            )
        )
    return values.astype(np.int64)


def by_trial(values: Integers, trials: Integers) -> Integers:
    """Values of rows, repeated for each of their trials; the values themselves where each row is one."""
    return values if (trials == 1).all() else np.repeat(values, trials)


def outcome_by_trial(fit: FittedModel, trials: Integers) -> Floats:
    """The outcome with one row a trial: a proportion k/w becomes k ones and w − k zeros."""
    outcome = np.asarray(fit.outcome, dtype=np.float64)
    if (trials == 1).all():
        return outcome
    first = np.repeat(np.cumsum(trials) - trials, trials)
    events = np.repeat(np.rint(outcome * trials), trials)
    return (np.arange(len(first)) - first < events).astype(np.float64)


def group_effect(fit: FittedModel, group: str) -> Floats:
    """The conditional mode of each row's level."""
    return np.asarray(_values(fit.mode(group))[_codes(fit, group)])


def statewide_sd(variance: float, conditional: Floats, full: Floats, outer_variance: Floats) -> Floats:
    """Posterior sd of an inner effect plus the outer one, whose estimates are negatively correlated.

    The rows of the provider say v⁻¹ = s⁻² − (σ²)⁻¹ of the sum; its prior variance is σ² plus what remains
    unknown of the outer effect. The uncertainty of the fixed effects (full² − conditional²) is added.
    """
    information = (
        np.maximum(1.0 / conditional**2 - 1.0 / variance, 0.0) if variance > 0 else np.zeros_like(conditional)
    )
    prior = np.maximum(variance + outer_variance, 1e-300)
    return np.asarray(np.sqrt(1.0 / (information + 1.0 / prior) + np.maximum(full**2 - conditional**2, 0.0)))


def _without(names: tuple[str, ...], *left_out: str) -> tuple[str, ...]:
    return tuple(name for name in names if name not in left_out)


def _values(column: npt.ArrayLike) -> Floats:
    return np.asarray(column, dtype=np.float64).reshape(-1)


def _codes(fit: FittedModel, group: str) -> Integers:
    return np.asarray(fit.level_codes(group), dtype=np.int64)


def _residual(outcome: Floats, expected: Floats, source: Integers, scale: Scale) -> Floats:
    """Sorted outcomes less expectations on the scale of the model; zeros, which take no memory, for counts."""
    if scale.family in ("log_gaussian", "gaussian"):
        return np.asarray(outcome - expected[source])
    return np.zeros(len(outcome))


def _exposure(fit: FittedModel) -> Floats:
    """exp(offset) of each row of the data."""
    design = source_of(cast("MixedModelResult", fit)).design
    exposure = np.empty(design.n)
    exposure[design.order] = np.exp(design.offset)
    return exposure


def _posterior_sd(
    fit: FittedModel,
    provider: str,
    outer: str,
    inner: str | None,
    options: ProfileOptions,
    source: Integers,
    starts: Integers,
) -> Floats:
    full = full_sd(fit, provider)
    if provider != inner or provider == outer or options.inner_expected == "within_hospital":
        return full
    outer_variance = means_by(_values(fit.mode_sd(outer))[_codes(fit, outer)][source] ** 2, starts)
    return statewide_sd(variance_of(fit, provider), _values(fit.mode_sd(provider)), full, outer_variance)


def _shared_variance(fit: FittedModel, standard: Standard, source: Integers, starts: Integers) -> Floats:
    total = np.zeros(len(starts) - 1)
    for group in standard.nuisance:
        total += variance_of(fit, group) * shares(_codes(fit, group)[source], starts)
    return total


def _parents_of(
    fit: FittedModel, provider: str, outer: str, inner: str | None, source: Integers, starts: Integers
) -> tuple[npt.NDArray[np.object_], Integers]:
    if provider != inner or provider == outer:
        return no_parents(len(starts) - 1)
    codes = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    return parents(codes, _codes(fit, outer)[source], np.asarray(fit.levels(outer)), starts)

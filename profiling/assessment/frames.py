"""Frames of an assessment for the store: model checks, calibration, predictions by case, funnel limits,
flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from profiling.assessment.checks import (
    brier_score,
    c_statistic,
    calibration_bands,
    calibration_line,
    latent_icc,
    median_odds_ratio,
)
from profiling.assessment.fitted import FittedModel, Floats, variance_of
from profiling.assessment.funnel import log_normal_limits, smooth_limits
from profiling.assessment.level import LevelAssessment
from profiling.assessment.options import ProfileOptions
from profiling.assessment.overdispersion import two_sided
from profiling.assessment.profile import Assessment
from profiling.assessment.rows import ProviderRows
from profiling.assessment.rows_of_fit import (
    group_effect,
    outcome_by_trial,
    resolve_levels,
    rows_of_fit,
    scale_of,
    whole_trials,
)
from profiling.assessment.rules import FARTHEST, inflation
from profiling.assessment.standardization import marginal_response, predicted_at, provider_sums, response

LATENT = {"logit": np.pi**2 / 3.0, "probit": 1.0, "cloglog": np.pi**2 / 6.0}
FUNNEL_POINTS, FUNNEL_MARGIN = 240, 1.25
MARGINAL_NOTE = "observed over expected, averaged over the provider effects"
CONDITIONAL_NOTE = "predictions with the estimated provider effects, in the sample itself"
FALSE_NOTE = {
    "funnel": "exact, if every provider met the norm",
    "interval": "at most, if every provider met the norm",
}
NEAR_NOTE = "nearly, if every provider met the norm"
SPREAD_NOTE = "if providers differed by the usual spread alone"
POWER_NOTE = "chance to be beyond the limit if truly 1.5 times the norm, at the median provider with enough cases"


def funnel_limits(assessment: LevelAssessment, level: str, points: int = FUNNEL_POINTS) -> pd.DataFrame:
    """Limits of O/E (observed over expected_marginal) as smooth curves over the expected number of events.

    Columns level, position, expected, lower_flag, lower_watch, upper_watch, upper_flag; `expected` runs
    evenly on the log scale past the providers at both ends. A lower limit of 0 means that no number of events
    would be too few.
    """
    options = assessment.options
    expected = _funnel_axis(assessment.frame["expected_marginal"].to_numpy(dtype=np.float64), points)
    watch, flag = (
        _ratio_limits(assessment, expected, p) for p in (options.watch_probability, options.flag_probability)
    )
    return pd.DataFrame(
        {
            "level": level,
            "position": np.arange(len(expected)),
            "expected": expected,
            "lower_flag": flag[0],
            "lower_watch": watch[0],
            "upper_watch": watch[1],
            "upper_flag": flag[1],
        }
    )


def _funnel_axis(expected: Floats, points: int) -> Floats:
    positive = expected[expected > 0]
    if len(positive) == 0:
        return np.zeros(0)
    return np.geomspace(positive.min() / FUNNEL_MARGIN, positive.max() * FUNNEL_MARGIN, points)


def _ratio_limits(assessment: LevelAssessment, expected: Floats, probability: float) -> tuple[Floats, Floats]:
    kind, spread, shape = assessment.options.overdispersion, assessment.ruling.spread, assessment.shape
    if shape is not None:
        wide = inflation(kind, spread, expected / max(shape.variance, 1e-300))
        score = -special.ndtri(probability / 2.0) * wide
        lower, upper = smooth_limits(expected, two_sided(np.minimum(score, FARTHEST)), shape)
        return lower / expected, upper / expected
    variance = _relative_variance(assessment.rows) if isinstance(assessment, Assessment) else float("nan")
    return log_normal_limits(variance, expected, probability)


def _relative_variance(rows: ProviderRows) -> float:
    """Variance of log(ΣO/ΣE) times ΣE over the whole cohort, by the delta method.

    From the residual variance, and what other random effects share among a provider's rows (on average over
    providers).
    """
    mean, expected = rows.expected_marginal, provider_sums(rows.expected_marginal, rows.starts)
    noise = np.expm1(rows.residual_variance) * mean**2 if rows.family == "log_gaussian" else rows.residual_variance
    shared = rows.shared_variance
    if rows.family == "gaussian":
        shared = shared * (rows.cases / expected) ** 2
    return float(np.sum(noise * np.ones_like(mean)) / mean.sum() + np.mean(shared * expected))


def flags(assessment: LevelAssessment, level: str) -> pd.DataFrame:
    """Rule and category of each provider; watch_limit and flag_limit are probabilities (.05 and .002)."""
    frame, options = assessment.frame, assessment.options
    return pd.DataFrame(
        {
            "level": level,
            "provider": frame["provider"],
            "rule": assessment.rule,
            "category": frame["category"],
            "probability_by_chance": frame["probability_by_chance"],
            "watch_limit": options.watch_probability,
            "flag_limit": options.flag_probability,
        }
    )


def predictions(
    fit: FittedModel,
    encounter_id: Sequence[object],
    options: ProfileOptions | None = None,
    level: str | None = None,
) -> pd.DataFrame:
    """One row a case, in the order of the data: what the worksheet of a provider sums up.

    Columns encounter_id, outer_provider, inner_provider (None for one level), observed, expected,
    expected_marginal, predicted; their sums by provider are the profile of `level` (a grouping factor; the
    outer one by default).
    """
    chosen = options or ProfileOptions()
    outer, inner = resolve_levels(fit, level, chosen)
    rows = rows_of_fit(fit, level or outer, chosen)
    size = np.diff(rows.starts)
    by_row = np.arange(len(rows.order) + 1)
    predicted = predicted_at(rows.eta, by_row, np.repeat(rows.mode, size), rows.link)
    count = len(fit.outcome)
    columns = {
        "observed": rows.observed,
        "expected": rows.expected,
        "expected_marginal": rows.expected_marginal,
        "predicted": predicted,
    }
    return pd.DataFrame(
        {
            "encounter_id": np.asarray(encounter_id, dtype=object),
            "outer_provider": _labels_by_row(fit, outer),
            "inner_provider": _labels_by_row(fit, inner) if inner else np.full(count, None, dtype=object),
        }
        | {name: np.bincount(rows.order, weights=values, minlength=count) for name, values in columns.items()}
    )


def _labels_by_row(fit: FittedModel, group: str) -> npt.NDArray[np.object_]:
    return np.asarray(np.asarray(fit.levels(group), dtype=object)[np.asarray(fit.level_codes(group))])


def calibration(fit: FittedModel, options: ProfileOptions | None = None, bands: int = 10) -> pd.DataFrame:
    """Cases by tenth of prediction with all effects: columns band, n, observed, expected (sums)."""
    observed, predicted, _, _ = conditional(fit, options or ProfileOptions())
    return calibration_bands(observed, predicted, bands)


def model_checks(
    fit: FittedModel,
    assessments: Mapping[str, LevelAssessment] | None = None,
    options: ProfileOptions | None = None,
) -> pd.DataFrame:
    """Name, value, note: the fit, its predictions, its random effects, each assessed level by its name."""
    chosen = options or ProfileOptions()
    entries = _fit_entries(fit) + _prediction_entries(fit, chosen) + _variance_entries(fit, chosen)
    for level, assessment in (assessments or {}).items():
        entries += level_checks(level, assessment)
    return pd.DataFrame(entries, columns=["name", "value", "note"])


Entry = tuple[str, float, str]


def _fit_entries(fit: FittedModel) -> list[Entry]:
    known: list[Entry] = [
        (name, float(getattr(fit, name)), "")
        for name in ("log_likelihood", "newton_decrement", "iterations", "converged")
        if getattr(fit, name, None) is not None
    ]
    method = str(getattr(fit, "method", ""))
    return [*known, ("method", float("nan"), method), ("rows", float(len(fit.outcome)), "")]


def conditional(fit: FittedModel, options: ProfileOptions) -> tuple[Floats, Floats, Floats, Floats]:
    """With all effects: outcome and prediction as reported, outcome and linear predictor as modelled."""
    scale, trials = scale_of(fit, options), whole_trials(fit)
    effects = [group_effect(fit, group) for group in fit.groups]
    eta = np.repeat(np.sum([np.asarray(fit.linear_predictor, dtype=np.float64), *effects], axis=0), trials)
    outcome = outcome_by_trial(fit, trials)
    return scale.reported(outcome), response(eta + scale.raised_by, scale.link), outcome, eta


def _prediction_entries(fit: FittedModel, options: ProfileOptions) -> list[Entry]:
    observed, predicted, outcome, eta = conditional(fit, options)
    scale = scale_of(fit, options)
    line = calibration_line(outcome, eta, logistic=scale.family == "binomial")
    # The line of counts on a logarithm would be no calibration.
    intercept, slope = line if scale.family != "poisson" else (float("nan"), float("nan"))
    entries: list[Entry] = [
        ("calibration_intercept", intercept, CONDITIONAL_NOTE),
        ("calibration_slope", slope, CONDITIONAL_NOTE),
        ("observed_over_expected", _observed_over_expected(fit, options), MARGINAL_NOTE),
    ]
    if scale.family == "binomial":
        return [
            ("c_statistic", c_statistic(observed, predicted), CONDITIONAL_NOTE),
            ("brier", brier_score(observed, predicted), CONDITIONAL_NOTE),
            *entries,
        ]
    if scale.family == "poisson":
        return entries
    return [("residual_sd", float(np.sqrt(scale.residual_variance)), ""), *entries]


def _observed_over_expected(fit: FittedModel, options: ProfileOptions) -> float:
    scale, trials = scale_of(fit, options), whole_trials(fit)
    eta = np.asarray(fit.linear_predictor, dtype=np.float64) + scale.raised_by
    total = sum(variance_of(fit, group) for group in fit.groups)
    observed = scale.reported(np.asarray(fit.outcome, dtype=np.float64))
    expected = marginal_response(eta, scale.link, total, options.quadrature_points)
    return float((observed * trials).sum() / (expected * trials).sum())


def _variance_entries(fit: FittedModel, options: ProfileOptions) -> list[Entry]:
    scale = scale_of(fit, options)
    binomial = scale.family == "binomial"
    residual = LATENT.get(scale.link, float("nan")) if binomial else scale.residual_variance
    note = "latent scale" if binomial else "scale of the model"
    variances = {group: variance_of(fit, group) for group in fit.groups}
    total = sum(variances.values())
    entries: list[Entry] = [(f"icc_{group}", latent_icc(v, total, residual), note) for group, v in variances.items()]
    if scale.link == "logit":
        entries += [(f"median_odds_ratio_{group}", median_odds_ratio(v), "") for group, v in variances.items()]
    return entries


def level_checks(level: str, assessment: LevelAssessment) -> list[Entry]:
    """Name, value and note of what one level shows as a whole."""
    usual = assessment.rule == "empirical_null" or assessment.options.overdispersion != "none"
    note = SPREAD_NOTE if usual else FALSE_NOTE.get(assessment.rule, NEAR_NOTE)
    spread = assessment.ruling.spread
    allowed: list[Entry] = (
        []
        if spread is None
        else [
            (f"overdispersion_phi_{level}", spread.phi, "mean square of the z-scores, extremes drawn in"),
            (f"overdispersion_tau_squared_{level}", spread.tau_squared, "variance of log ratios beyond chance"),
        ]
    )
    power: list[Entry] = [
        (f"power_watch_{level}", assessment.power_watch, POWER_NOTE),
        (f"power_flag_{level}", assessment.power_flag, POWER_NOTE),
    ]
    return [
        *allowed,
        *power,
        (f"rankability_{level}", assessment.rankability, ""),
        (
            f"expected_false_watch_{level}",
            assessment.expected_false_watch,
            f"{note}; beyond the inner limits or further",
        ),
        (f"expected_false_flag_{level}", assessment.expected_false_flag, f"{note}; beyond the outer limits"),
    ]

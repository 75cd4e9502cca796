"""One provider kind of one measure, from a fitted model or a table of predictions to one row a provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from profiling.assessment.aggregates import assess_aggregates, is_aggregated
from profiling.assessment.evidence import evidence_of, expected_false
from profiling.assessment.fitted import FittedModel, Floats
from profiling.assessment.intervals import poisson_exact
from profiling.assessment.level import LevelAssessment, judged, rule_for
from profiling.assessment.mixture import mixture_posterior
from profiling.assessment.mixture_of_fit import effect_mixture, grid_of
from profiling.assessment.norm import compare_with_norm
from profiling.assessment.options import ProfileOptions
from profiling.assessment.posterior import Posterior, gaussian_posterior, logistic_posterior
from profiling.assessment.rank_columns import provider_ranks
from profiling.assessment.reliability import (
    cases_for_reliability,
    rankability,
    reliability,
    sampling_variance,
)
from profiling.assessment.rows import ProviderRows
from profiling.assessment.rows_of_fit import rows_of_fit
from profiling.assessment.rows_of_table import rows_of_table
from profiling.assessment.standardization import norm_shift, predicted_at, provider_sums
from profiling.modeling.variance_grid import VarianceGrid

COLUMNS = (
    "provider",
    "parent",
    "n_parents",
    "n",
    "observed",
    "expected",
    "expected_marginal",
    "predicted",
    "observed_rate",
    "expected_rate",
    "predicted_rate",
    "oe_ratio",
    "oe_lower",
    "oe_upper",
    "ratio",
    "ratio_lower",
    "ratio_upper",
    "risk_standardized_rate",
    "rsr_lower",
    "rsr_upper",
    "mode",
    "mode_sd",
    "probability_above",
    "z",
    "probability_by_chance",
    "reliability",
    "expected_rank",
    "rank_lower",
    "rank_upper",
    "percentile",
    "cases_for_reliability",
    "category",
)
QUANTILES = (0.025, 0.975)


@dataclass(frozen=True)
class Assessment(LevelAssessment):
    """A provider kind with its rows."""

    rows: ProviderRows


def profile_providers(
    fit_or_table: FittedModel | pd.DataFrame,
    provider: str = "hospital",
    options: ProfileOptions | None = None,
) -> pd.DataFrame:
    """One row a provider, ordered by label, with the columns COLUMNS.

    fit_or_table: a fitted mixed model with random intercepts; or a DataFrame with one row a case and the columns
    named `provider`, observed, expected (and expected_marginal); or one with one row a provider and the columns named
    `provider`, n, observed, expected (published aggregates). provider: the grouping factor or column. Raises
    ModelError when the factor is unknown, has random slopes or the weights are no numbers of
    trials; UsageError for impossible options.
    """
    if isinstance(fit_or_table, pd.DataFrame) and is_aggregated(fit_or_table):
        return assess_aggregates(fit_or_table, provider, options).frame
    return assess(fit_or_table, provider, options).frame


def assess(
    fit_or_table: FittedModel | pd.DataFrame,
    provider: str = "hospital",
    options: ProfileOptions | None = None,
    grid: VarianceGrid | None = None,
) -> Assessment:
    """As `profile_providers`, with the figures of the level as a whole beside the frame.

    grid: the fit's lattice of standard deviations, for a caller who profiles several levels (`variance_grid(fit)`);
    None: made here where `options.posterior` needs it.
    """
    chosen = options or ProfileOptions()
    if isinstance(fit_or_table, pd.DataFrame):
        return _assess_rows(rows_of_table(fit_or_table, provider, chosen), chosen)
    rows = rows_of_fit(fit_or_table, provider, chosen)
    if chosen.posterior == "full":
        grid = grid_of(fit_or_table, provider) if grid is None else grid
        if grid is not None:
            rows = replace(rows, mixture=effect_mixture(fit_or_table, provider, chosen, rows, grid))
    return _assess_rows(rows, chosen)


def _assess_rows(rows: ProviderRows, options: ProfileOptions) -> Assessment:
    sums = {
        name: provider_sums(getattr(rows, name), rows.starts) for name in ("observed", "expected", "expected_marginal")
    }
    norm = np.zeros(len(rows.labels))
    if not rows.same_base:
        norm = norm_shift(rows.eta, rows.starts, sums["expected"], rows.link, norm)
    posterior = posterior_of(rows, sums["observed"], norm, options)
    effect = posterior.mean - norm
    test = compare_with_norm(rows, options)
    rule = rule_for(rows.counts, options)
    sampling = sampling_variance(rows.variance, rows.sd)
    evidence = evidence_of(
        rows, test, posterior.above, reliability(rows.variance, sampling), _above_at(rows, sums, norm, options)
    )
    ruling, category = judged(evidence, options)
    columns = (
        {
            "provider": rows.labels,
            "parent": rows.parent,
            "n_parents": rows.n_parents,
            "n": rows.patients.astype(np.int64),
        }
        | sums
        | _ratios(rows, sums, posterior, options)
        | {
            "mode": rows.mode,
            "mode_sd": rows.sd,
            "probability_above": posterior.above,
            "z": test.z,
            "probability_by_chance": test.probability,
            "reliability": reliability(rows.variance, sampling),
        }
        | provider_ranks(effect, posterior.sd, options)
        | {
            "cases_for_reliability": cases_for_reliability(
                rows.variance, sampling, rows.patients, options.reliability_target
            ),
            "category": category,
        }
    )
    frame = pd.DataFrame({name: columns[name] for name in COLUMNS})
    counted = category != "too_few"
    false_watch, false_flag = expected_false(evidence, test, ruling, counted, rule, options)
    return Assessment(
        frame=frame,
        options=options,
        rule=rule,
        rankability=rankability(rows.variance, sampling),
        expected_false_watch=false_watch,
        expected_false_flag=false_flag,
        ruling=ruling,
        shape=evidence.shape if evidence.counts else None,
        evidence=evidence,
        effect=effect,
        effect_sd=posterior.sd,
        rows=rows,
    )


def _above_at(
    rows: ProviderRows, sums: dict[str, Floats], norm: Floats, options: ProfileOptions
) -> Callable[[float], Floats]:
    """P(ratio > r) as a function of r: the posterior beyond the effect at which P = r·E."""

    def above(ratio: float) -> Floats:
        shift = norm_shift(rows.eta, rows.starts, ratio * sums["expected"], rows.link, norm + np.log(ratio))
        return posterior_of(rows, sums["observed"], shift, options).above

    return above


def posterior_of(rows: ProviderRows, observed: Floats, norm: Floats, options: ProfileOptions) -> Posterior:
    """Posterior of each effect; its norm is the effect at which predicted and expected agree."""
    if rows.mixture is not None and options.posterior == "full":
        return mixture_posterior(rows.mixture, norm, QUANTILES)
    exact_possible = rows.single and rows.family == "binomial" and rows.link == "logit" and rows.variance > 0
    if exact_possible and options.posterior != "delta":
        return logistic_posterior(
            rows.eta, observed, rows.starts, float(np.sqrt(rows.variance)), norm, QUANTILES, rows.mode
        )
    sd = rows.sd if options.posterior == "plug_in" and rows.same_base else rows.sd_full
    return gaussian_posterior(rows.mode, sd, norm, QUANTILES)


def _ratios(
    rows: ProviderRows, sums: dict[str, Floats], posterior: Posterior, options: ProfileOptions
) -> dict[str, Floats]:
    shifts = np.column_stack([rows.mode, posterior.quantiles])
    predicted, low, high = predicted_at(rows.eta, rows.starts, shifts, rows.link).T
    expected, marginal, base = sums["expected"], sums["expected_marginal"], rows.base
    overall = float(rows.observed.sum() / base.sum())
    reference = overall if options.reference_rate is None else options.reference_rate
    oe_low, oe_high = _observed_limits(rows, sums["observed"])
    ratio, lower, upper = predicted / expected, low / expected, high / expected
    return {
        "predicted": predicted,
        "observed_rate": sums["observed"] / base,
        "expected_rate": expected / base,
        "predicted_rate": predicted / base,
        "oe_ratio": sums["observed"] / marginal,
        "oe_lower": oe_low / marginal,
        "oe_upper": oe_high / marginal,
        "ratio": ratio,
        "ratio_lower": lower,
        "ratio_upper": upper,
        "risk_standardized_rate": ratio * reference,
        "rsr_lower": lower * reference,
        "rsr_upper": upper * reference,
    }


def _observed_limits(rows: ProviderRows, observed: Floats) -> tuple[Floats, Floats]:
    """Exact Poisson limits of the observed number; a continuous outcome has none."""
    unknown = np.full(len(observed), np.nan)
    return poisson_exact(np.rint(observed), 0.95) if rows.counts else (unknown, unknown)

"""One masked run feeds every output: pages, charts, tooltips, CSV and JSON all read what `mask` gives, nothing else.

Public edition (CMS cell-size policy; threshold 11 by default). A provider with 1 to threshold - 1 cases, events or
non-events, or hidden so that totals do not give such a count back (`profiling.reporting.suppression` says how), keeps
its name, its case band and its flag category. Every other figure of it is removed from the table: observed, expected,
predicted, ratios, rates, effect, rank, reliability, chance. For continuous outcomes only the cases count.

The rest of a run is masked too: `masked_frames` for cohort, calibration and files, `masked_tables` for what rests on
the estimates. What is hidden is decided once (`decision`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.errors import DisclosureError, Problem
from profiling.reporting.audit_trail import masked_rules
from profiling.reporting.decision import decision_of
from profiling.reporting.masked_frames import MISSING_WARNING as MISSING_WARNING
from profiling.reporting.masked_frames import (
    coarse_checks,
    lacking_records,
    masked_calibration,
    masked_counts,
    masked_flow,
    masked_limits,
    masked_missing,
    masked_rejects,
    of_measures,
)
from profiling.reporting.masked_tables import (
    coarse,
    masked_periods,
    masked_scores,
    masked_subgroups,
    of_shown,
    periods_of,
)
from profiling.reporting.provider_table import FOR_CONTROL, cleaned, joined, specifications
from profiling.reporting.provider_table import clean as clean
from profiling.reporting.suppression import Suppression, case_bands
from profiling.reporting.suppression_units import counts_of, is_small
from profiling.store.publications import History, history_of

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

UNTOLD = "some"
KEPT = ("measure", "level", "provider", "provider_name", "parent", "parent_name", "category", "rule")


@dataclass(frozen=True)
class Totals:
    """Sums of one measure over all providers of its outer level; None where withheld."""

    cases: float | None
    observed: float | None
    rate: float | None


@dataclass(frozen=True)
class MaskedRun:
    """What may be published of a run. Frames carry the columns of the store.

    `providers`: estimates joined with flags, one row a measure, level and provider, with `hidden` and `case_band`;
    numbers of hidden providers are missing. `specs`: the measures as they were run. `lacking`: measure, level and
    provider of which over 5 % of the records were left out for missing case mix. `missing`: by measure and column.
    `provider_evidence`, `provider_periods`, `social_risk`: rows of providers that are shown, no others; `subgroups` and
    `composite_scores`: all rows, figures missing where `hidden`.
    """

    run: Mapping[str, Any]
    edition: str
    threshold: int
    specs: Mapping[str, Mapping[str, Any]]
    measures: pd.DataFrame
    providers: pd.DataFrame
    totals: Mapping[str, Totals]
    withheld: frozenset[str]
    cohort_flow: pd.DataFrame
    missing: pd.DataFrame
    lacking: frozenset[tuple[str, str, str]]
    fixed_effects: pd.DataFrame
    variance_components: pd.DataFrame
    model_checks: pd.DataFrame
    calibration: pd.DataFrame
    funnel_limits: pd.DataFrame
    inputs: pd.DataFrame
    rejects: pd.DataFrame
    timings: pd.DataFrame
    rules: pd.DataFrame
    history: History
    configuration: str
    provider_evidence: pd.DataFrame
    provider_periods: pd.DataFrame
    subgroups: pd.DataFrame
    social_risk: pd.DataFrame
    sensitivity: pd.DataFrame
    provider_comments: pd.DataFrame
    composites: pd.DataFrame
    composite_scores: pd.DataFrame


def mask(record: RunRecord, edition: str = "public") -> MaskedRun:
    """The run as this edition may show it. Raises DisclosureError for an edition that is not known."""
    if edition != "public":
        raise DisclosureError(
            Problem("edition", repr(edition), "'public'", "Other editions are not published as a site")
        )
    threshold = int(record.run["threshold"])
    specs = specifications(record)
    full = joined(record, specs)
    made = decision_of(record, full)
    periods = periods_of(record, full)
    providers = _masked_providers(full, made, threshold)
    nothing = Totals(None, None, None)
    totals = {
        name: nothing if name in made.withheld else _totals(full, name, threshold, _rate(record, specs[name], name))
        for name in specs
    }
    few = made.withheld | {name for name, sums in totals.items() if sums.cases is None}
    return MaskedRun(
        run={key: cleaned(value) for key, value in record.run.items() if key not in ("config_text", "output_json")},
        edition=edition,
        threshold=threshold,
        specs=specs,
        measures=_masked_measures(record.measures, totals),
        providers=providers,
        totals=totals,
        withheld=made.withheld,
        cohort_flow=of_measures(masked_flow(record.cohort_flow, threshold), few),
        missing=of_measures(masked_missing(record.missing_counts, threshold), made.withheld),
        lacking=lacking_records(record.missing_counts),
        fixed_effects=of_measures(record.fixed_effects, made.withheld),
        variance_components=record.variance_components,
        model_checks=coarse_checks(of_measures(record.model_checks, made.withheld)),
        calibration=of_measures(masked_calibration(record.calibration, specs, threshold), made.withheld),
        funnel_limits=masked_limits(record.funnel_limits, providers),
        inputs=masked_counts(record.inputs, threshold),
        rejects=masked_rejects(record.rejects, threshold),
        timings=record.timings,
        rules=masked_rules(record.rule_outcomes, threshold),
        history=history_of(record.run),
        configuration=str(record.run.get("config_text") or ""),
        provider_evidence=of_shown(record.provider_evidence, providers),
        provider_periods=masked_periods(periods, made.series),
        subgroups=masked_subgroups(record.subgroups, made.subgroups),
        social_risk=of_shown(record.social_risk, providers),
        sensitivity=coarse(of_measures(record.sensitivity, made.withheld)),
        provider_comments=record.provider_comments.assign(comment=record.provider_comments["comment"].map(clean)),
        composites=record.composites,
        composite_scores=masked_scores(record, providers),
    )


def _masked_providers(full: pd.DataFrame, made: Suppression, threshold: int) -> pd.DataFrame:
    hidden = made.hidden
    bands = np.where(made.blind > 0, UNTOLD, case_bands(full["n"].to_numpy(dtype=np.float64), threshold))
    masked = full.drop(columns=list(FOR_CONTROL))
    masked["category"] = masked["category"].mask(made.blind > 1, "too_few")
    for column in masked.columns.difference(list(KEPT)):
        values = masked[column]
        masked[column] = (values.astype(float) if pd.api.types.is_numeric_dtype(values) else values).mask(hidden)
    return coarse(masked.assign(hidden=hidden, case_band=bands))


def _rate(record: RunRecord, spec: Mapping[str, Any], measure: str) -> float | None:
    """The overall rate where it is not events over cases: per unit of exposure or per trial."""
    if not (spec.get("exposure") or spec.get("trials")):
        return None
    return float(record.measures.set_index("measure")["overall_rate"][measure])


def _totals(full: pd.DataFrame, measure: str, threshold: int, rate: float | None = None) -> Totals:
    rows = full[(full["measure"] == measure) & full["parent"].isna()]
    cases, observed = float(rows["n"].sum()), float(rows["observed"].sum())
    small = is_small(np.nansum(counts_of(rows), axis=0), threshold)
    if small.any() or cases == 0:
        return Totals(None if small[0] else cases, None, None)
    return Totals(cases, observed, observed / cases if rate is None else rate)


def _masked_measures(measures: pd.DataFrame, totals: Mapping[str, Totals]) -> pd.DataFrame:
    no_cases = measures["measure"].map({name: sums.cases is None for name, sums in totals.items()}).astype(bool)
    no_rate = measures["measure"].map({name: sums.rate is None for name, sums in totals.items()}).astype(bool)
    return measures.assign(
        rows_used=measures["rows_used"].mask(no_cases), overall_rate=measures["overall_rate"].mask(no_rate)
    )

"""One masked run feeds every output: pages, charts, tooltips, CSV and JSON all read what `mask` gives, nothing else.

Public edition (CMS cell-size policy; threshold 11 by default). A provider with 1 to threshold - 1 cases, events or
non-events, or hidden so that totals do not give such a count back (`profiling.reporting.suppression` says how), keeps
its name, its case band and its flag category. Every other figure of it is removed from the table: observed, expected,
predicted, ratios, rates, effect, rank, reliability, chance. For continuous outcomes only the cases count.

The rest of a run is masked too: a step of the cohort that drops 1 to threshold - 1 records is told together with its
neighbour; bands of predicted risk with so few events or non-events are joined; small numbers of missing, rejected or
total records are withheld; funnel limits are drawn on an even grid, so that their places tell no expected count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.errors import DisclosureError, Problem
from profiling.reporting.audit_trail import masked_rules
from profiling.reporting.masked_tables import (
    MAIN,
    coarse,
    masked_periods,
    masked_scores,
    masked_subgroups,
    of_shown,
    periods_of,
)
from profiling.reporting.suppression import case_bands, suppress
from profiling.reporting.suppression_units import counts_of, is_small
from profiling.store.publications import History, history_of
from profiling.vocabulary import COUNT_FAMILIES

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

KEPT = ("measure", "level", "provider", "provider_name", "parent", "parent_name", "category", "rule")
MISSING_WARNING = 0.05
FUNNEL_STEPS = 120
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
LIMITS = ("lower_flag", "lower_watch", "upper_watch", "upper_flag")


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
    specs = {str(row.measure): _clean_spec(json.loads(str(row.spec_json))) for row in record.measures.itertuples()}
    full = joined(record, specs)
    periods, subgroups = periods_of(record, full), record.subgroups
    main = subgroups[subgroups["model"] == MAIN].reset_index(drop=True)
    suppression = suppress(full, threshold, periods=periods, subgroups=main)
    providers = _masked_providers(full, suppression.hidden, threshold)
    shown_measures = {name: name not in suppression.withheld for name in specs}
    return MaskedRun(
        run={key: _cleaned(value) for key, value in record.run.items() if key not in ("config_text", "output_json")},
        edition=edition,
        threshold=threshold,
        specs=specs,
        measures=_masked_measures(record.measures, suppression.withheld),
        providers=providers,
        totals={
            name: _totals(full, name, threshold, _rate(record, specs[name], name))
            if shown_measures[name]
            else Totals(None, None, None)
            for name in specs
        },
        withheld=suppression.withheld,
        cohort_flow=_of_shown(_masked_flow(record.cohort_flow, threshold), suppression.withheld),
        missing=_of_shown(_masked_missing(record.missing_counts, threshold), suppression.withheld),
        lacking=_lacking(record.missing_counts),
        fixed_effects=_of_shown(record.fixed_effects, suppression.withheld),
        variance_components=record.variance_components,
        model_checks=_of_shown(record.model_checks, suppression.withheld),
        calibration=_of_shown(_masked_calibration(record.calibration, specs, threshold), suppression.withheld),
        funnel_limits=_masked_limits(record.funnel_limits, providers),
        inputs=_masked_counts(record.inputs, threshold),
        rejects=_masked_rejects(record.rejects, threshold),
        timings=record.timings,
        rules=masked_rules(record.rule_outcomes, threshold),
        history=history_of(record.run),
        configuration=str(record.run.get("config_text") or ""),
        provider_evidence=of_shown(record.provider_evidence, providers),
        provider_periods=masked_periods(periods, suppression.series),
        subgroups=masked_subgroups(subgroups, suppression.subgroups),
        social_risk=of_shown(record.social_risk, providers),
        sensitivity=coarse(_of_shown(record.sensitivity, suppression.withheld)),
        provider_comments=record.provider_comments.assign(comment=record.provider_comments["comment"].map(clean)),
        composites=record.composites,
        composite_scores=masked_scores(record, providers),
    )


def clean(text: object) -> str:
    """Text without control characters and without those that turn the direction of what stands beside it."""
    return UNPRINTABLE.sub("\ufffd", str(text))


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


def _clean_spec(spec: dict[str, Any]) -> dict[str, Any]:
    return {key: _cleaned(value) for key, value in spec.items()}


def is_protected(count: float, threshold: int) -> bool:
    """Whether a count lies between 1 and threshold - 1."""
    return 1 <= round(count) < threshold


def joined(record: RunRecord, specs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Estimates with their flags, what suppression needs beside them, in the order of the measures."""
    key = ["measure", "level", "provider"]
    estimates = record.provider_estimates.drop(columns=["category", "run_id"], errors="ignore")
    flags = record.flags.drop(columns=["run_id", "probability_by_chance"], errors="ignore")
    full = estimates.merge(flags, on=key, how="left", validate="one_to_one")
    full["category"] = full["category"].fillna("too_few")
    full["provider_name"] = full["provider_name"].fillna(full["provider"]).map(clean)
    # A bare number is no name: hospital 102 reads better in a sentence than 102.
    bare = full["provider_name"].str.fullmatch(r"[\d\s./-]*\d[\d\s./-]*")
    levels = full["level"].str.replace("_", " ").str.capitalize()
    full.loc[bare, "provider_name"] = (levels + " " + full["provider_name"])[bare]
    full["parent_name"] = full["parent_name"].where(full["parent_name"].isna(), full["parent_name"].map(clean))
    full["counts"] = full["measure"].map({name: spec["family"] in COUNT_FAMILIES for name, spec in specs.items()})
    full["possible"] = _possible(record, full, specs)
    full["minimum"] = full["measure"].map({name: spec.get("minimum_cases", 0) for name, spec in specs.items()})
    return full


def _possible(
    record: RunRecord, full: pd.DataFrame, specs: Mapping[str, Mapping[str, Any]]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How many events there could have been where it is not the number of cases: trials, or without limit."""
    family = full["measure"].map({name: str(spec["family"]) for name, spec in specs.items()})
    trials = full["measure"].map({name: bool(spec.get("trials")) for name, spec in specs.items()}).astype(bool)
    key = ["measure", "level", "provider"]
    sums = record.provider_evidence.drop_duplicates(key).set_index(key)["exposure"].astype(float)
    own = sums.reindex(pd.MultiIndex.from_frame(full[key])).to_numpy(dtype=np.float64)
    return np.where(family == "poisson", np.inf, np.where(trials, np.where(np.isnan(own), np.inf, own), np.nan))


def _masked_providers(full: pd.DataFrame, hidden: np.ndarray[Any, Any], threshold: int) -> pd.DataFrame:
    bands = case_bands(full["n"].to_numpy(dtype=np.float64), threshold)
    masked = full.drop(columns=["counts", "minimum", "possible"])
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


def _masked_measures(measures: pd.DataFrame, withheld: frozenset[str]) -> pd.DataFrame:
    hidden = measures["measure"].isin(withheld)
    return measures.assign(
        rows_used=measures["rows_used"].mask(hidden), overall_rate=measures["overall_rate"].mask(hidden)
    )


def _of_shown(frame: pd.DataFrame, withheld: Iterable[str]) -> pd.DataFrame:
    return frame[~frame["measure"].isin(list(withheld))].reset_index(drop=True)


def _masked_flow(flow: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Steps that drop a protected number of records are told together with the step before them (or after)."""
    parts = [_joined_steps(part, threshold) for _, part in flow.groupby("measure", sort=False)]
    columns = ["measure", "position", "step", "rows_left", "excluded"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _joined_steps(part: pd.DataFrame, threshold: int) -> pd.DataFrame:
    steps: list[tuple[str, float]] = []
    waiting: list[str] = []
    for step, left in zip(part["step"].astype(str), part["rows_left"].astype(float), strict=True):
        waiting.append(step)
        dropped = steps[-1][1] - left if steps else 0.0
        if not is_protected(dropped, threshold):
            steps.append(("; ".join(waiting), left))
            waiting = []
    while waiting and steps:
        last, _ = steps.pop()
        waiting.insert(0, last)
        left = float(part["rows_left"].iloc[-1])
        if not steps or not is_protected(steps[-1][1] - left, threshold):
            steps.append(("; ".join(waiting), left))
            waiting = []
    rows_left = np.array([left for _, left in steps])
    return pd.DataFrame(
        {
            "measure": part["measure"].iloc[0],
            "position": np.arange(len(steps)),
            "step": [step for step, _ in steps],
            "rows_left": rows_left,
            "excluded": np.concatenate([[0.0], -np.diff(rows_left)]),
        }
    )


def _masked_missing(missing: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Missing values by measure and column over the outer level; protected numbers withheld."""
    if missing.empty:
        return pd.DataFrame(columns=["measure", "column_name", "rows_missing", "rows_total"])
    outer = missing["level"] == missing.groupby("measure")["level"].transform("first")
    sums = (
        missing[outer]
        .groupby(["measure", "column_name"], sort=False)[["rows_missing", "rows_total"]]
        .sum()
        .reset_index()
    )
    small = np.array([is_protected(count, threshold) for count in sums["rows_missing"]], dtype=bool)
    return sums.assign(rows_missing=sums["rows_missing"].astype(float).mask(small))


def _lacking(missing: pd.DataFrame) -> frozenset[tuple[str, str, str]]:
    over = missing[missing["rows_missing"] > MISSING_WARNING * missing["rows_total"]]
    return frozenset(zip(over["measure"], over["level"], over["provider"].astype(str), strict=True))


def _masked_calibration(bands: pd.DataFrame, specs: Mapping[str, Mapping[str, Any]], threshold: int) -> pd.DataFrame:
    """Bands of predicted risk, neighbours joined until none holds a protected number of events or non-events."""
    parts = [
        _joined_bands(part, threshold if specs[str(name)]["family"] in COUNT_FAMILIES else 0)
        for name, part in bands.groupby("measure", sort=False)
    ]
    return pd.concat(parts, ignore_index=True) if parts else bands


def _joined_bands(part: pd.DataFrame, threshold: int) -> pd.DataFrame:
    columns = ["n", "observed", "expected"]
    joined: list[np.ndarray[Any, Any]] = []
    for row in part[columns].to_numpy(dtype=np.float64):
        if joined and _small_band(joined[-1], threshold):
            joined[-1] = joined[-1] + row
        else:
            joined.append(row.copy())
    while len(joined) > 1 and _small_band(joined[-1], threshold):
        last = joined.pop()
        joined[-1] = joined[-1] + last
    if joined and _small_band(joined[-1], threshold):
        joined = []
    table = pd.DataFrame(np.array(joined).reshape(-1, 3), columns=columns)
    return table.assign(measure=part["measure"].iloc[0], band=np.arange(1, len(table) + 1))


def _small_band(row: np.ndarray[Any, Any], threshold: int) -> bool:
    cases, events, _ = row
    return any(is_protected(count, threshold) for count in (cases, events, cases - events))


def _masked_limits(limits: pd.DataFrame, providers: pd.DataFrame) -> pd.DataFrame:
    """Limits on an even grid up to the largest expected count shown."""
    parts = []
    for (measure, level), part in limits.groupby(["measure", "level"], sort=False):
        of_level = (providers["measure"] == measure) & (providers["level"] == level)
        column = "expected_marginal" if "expected_marginal" in providers else "expected"
        largest = providers.loc[of_level, column].max()
        source = part.sort_values("expected")
        if not np.isfinite(largest) or source.empty:
            continue
        start = max(float(source["expected"].min()), largest / FUNNEL_STEPS / 4)
        grid = np.geomspace(start, max(1.05 * largest, 1.01 * start), FUNNEL_STEPS)
        lines = {name: np.interp(grid, source["expected"], source[name]) for name in LIMITS}
        parts.append(
            pd.DataFrame(
                {"measure": measure, "level": level, "position": range(FUNNEL_STEPS), "expected": grid, **lines}
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else limits.iloc[:0]


def _masked_counts(inputs: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Where few records of a file were rejected, how many were accepted is withheld, for it gives them back."""
    small = np.array([is_protected(count, threshold) for count in inputs["rows_rejected"]], dtype=bool)
    columns = ["rows_accepted", "rows_rejected"]
    return inputs.assign(few_rejected=small, **{name: inputs[name].astype(float).mask(small) for name in columns})


def _masked_rejects(rejects: pd.DataFrame, threshold: int) -> pd.DataFrame:
    small = np.array([is_protected(count, threshold) for count in rejects["rows"]], dtype=bool)
    return rejects.assign(rows=rejects["rows"].astype(float).mask(small))

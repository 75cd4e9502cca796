"""One measure from cohort to the frames of the store: what is fitted, on which rows, and what it found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.config import Measure, Settings
from profiling.errors import InputRejected, NotConverged, Problem
from profiling.pipeline.clock import Clock, Progress
from profiling.pipeline.two_answers import two_answers

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from profiling.etl import Cohort
    from profiling.modeling import MixedModelResult

ANY_COLUMN = "any of them"
NORMAL_95 = 1.959963984540054
COMPLETE_STEP = "case mix and outcome complete"
POSITIVE_STEP = "outcome above zero"

Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Cases:
    """The rows that a model is fitted to, provider columns named by level; and what was left out."""

    rows: pd.DataFrame
    flow: pd.DataFrame
    missing: pd.DataFrame


def analyse(
    settings: Settings, measure: Measure, position: int, engine: Engine, progress: Progress, clock: Clock
) -> Frames:
    """Frames of one measure by table of the store; NotConverged if its model has no trustworthy maximum."""
    from profiling.etl import read_cohort

    total = len(settings.measures)
    with clock.stage("cohort"):
        progress(f"Reading the cohort of {measure.name}", position, total)
        cohort = read_cohort(engine, measure, settings)
        cases = complete_cases(cohort, measure)
    with clock.stage("fit"):
        progress(f"Fitting {measure.name} to {len(cases.rows):,} rows", position, total)
        fit = fit_model(measure, cases.rows)
    with clock.stage("assess"):
        progress(f"Assessing the providers of {measure.name}", position, total)
        found = assessed(settings, measure, cases, fit, provider_names(engine, measure))
    specification = _specification(measure, position, cohort, cases)
    frames = {"measures": specification, "cohort_flow": cases.flow, "missing_counts": cases.missing, **found}
    return {name: frame.assign(measure=measure.name) for name, frame in frames.items()}


def stacked(parts: Sequence[Frames]) -> Frames:
    """The frames of all measures, one under the other, by table."""
    return {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}


def complete_cases(cohort: Cohort, measure: Measure) -> Cases:
    """Leave out rows without outcome or case mix, and count them; InputRejected if none is left."""
    names = {level.column: level.level for level in measure.providers}
    levels = list(names.values())
    rows = cohort.table.to_pandas().rename(columns=names)
    columns = list(dict.fromkeys([measure.outcome, *measure.case_mix_columns]))
    gaps = rows[columns].isna()
    complete = rows.loc[~gaps.any(axis=1)]
    steps = [(COMPLETE_STEP, len(complete))]
    if measure.family == "log_gaussian":
        complete = complete.loc[complete[measure.outcome] > 0]
        steps.append((POSITIVE_STEP, len(complete)))
    if complete.empty:
        where, wanted = f"measure {measure.name}", "some rows with outcome and case mix"
        raise InputRejected(Problem(where, "no row is left in its cohort", wanted, "See cohort and columns"))
    missing = pd.concat([missing_by(level, rows[level], gaps) for level in levels], ignore_index=True)
    return Cases(complete.reset_index(drop=True), _flow(cohort.flow, steps), missing)


def missing_by(level: str, provider: pd.Series[Any], gaps: pd.DataFrame) -> pd.DataFrame:
    """Rows missing by provider and column, for columns that miss any, and for any of them together."""
    kept = gaps.loc[:, gaps.any()]
    kept = kept.assign(**{ANY_COLUMN: kept.any(axis=1)}) if kept.shape[1] else kept
    counted = kept.groupby(provider.to_numpy(), sort=True).sum()
    totals = provider.groupby(provider.to_numpy(), sort=True).size()
    long = (
        counted.rename_axis("provider")
        .reset_index()
        .melt("provider", var_name="column_name", value_name="rows_missing")
    )
    return long.assign(level=level, rows_total=long["provider"].map(totals))


def _flow(flow: pd.DataFrame, steps: list[tuple[str, int]]) -> pd.DataFrame:
    first = int(flow["position"].max()) + 1 if len(flow) else 0
    added = pd.DataFrame(steps, columns=["step", "rows_left"])
    return pd.concat([flow, added.assign(position=range(first, first + len(added)))], ignore_index=True)


def model_formula(measure: Measure) -> str:
    """The whole formula: outcome, case mix and random terms by the names of the levels."""
    outcome = f"np.log({measure.outcome})" if measure.family == "log_gaussian" else measure.outcome
    random = " + ".join(f"({level.random} | {level.level})" for level in measure.providers)
    return f"{outcome} ~ {measure.case_mix} + {random}"


def fit_model(measure: Measure, rows: pd.DataFrame) -> MixedModelResult:
    """The model of a measure; NotConverged, with the engine's diagnosis, if it has no trustworthy maximum."""
    from profiling.modeling import glmm, lmm

    formula = model_formula(measure)
    if measure.family == "binomial":
        fit = glmm(formula, rows, family="binomial", method=measure.method)
    else:
        fit = lmm(formula, rows, reml=True)
    if not fit.converged:
        grave = [note for note in fit.diagnostics if note.severity == "error"] or list(fit.diagnostics)
        said = "; ".join(diagnosis.message for diagnosis in grave) or "no further diagnosis"
        raise not_converged(measure, f"its model has no maximum: {said}")
    return fit


def not_converged(measure: Measure, found: str) -> NotConverged:
    """The error of a measure whose model has no trustworthy maximum."""
    advice = "Simplify the case mix or the random terms; nothing was published"
    return NotConverged(Problem(f"measure {measure.name}", found, "a model with a maximum", advice))


def provider_names(engine: Engine, measure: Measure) -> dict[str, dict[str, str]]:
    """Names of providers by level and id, for columns that point to clinics or physicians."""
    import sqlalchemy as sa

    from profiling.store import tables
    from profiling.store.bulk import read_frame

    homes = {"clinic_id": tables.clinics, "physician_id": tables.physicians}
    found: dict[str, dict[str, str]] = {level.level: {} for level in measure.providers}
    for level in measure.providers:
        if level.column in homes:
            home = homes[level.column]
            frame = read_frame(engine, sa.select(home.c[level.column], home.c.name).where(home.c.name.is_not(None)))
            found[level.level] = dict(zip(frame[level.column], frame["name"], strict=True))
    return found


def assessed(
    settings: Settings,
    measure: Measure,
    cases: Cases,
    fit: MixedModelResult,
    names: Mapping[str, dict[str, str]],
) -> Frames:
    """What the model says, and what it says about every provider of every level."""
    from profiling import assessment as a

    levels = [level.level for level in measure.providers]
    options = profile_options(settings, measure)
    assessments = {level: a.assess(fit, level, options) for level in levels}
    estimates = [_named(level, levels, assessments[level].frame, names) for level in levels]
    return {
        "fixed_effects": fixed_effects(fit),
        "variance_components": variance_components(fit),
        "model_checks": pd.concat(
            [
                a.model_checks(fit, assessments, options),
                diagnoses(fit),
                two_answers(fit, cases.rows, levels, settings.disclosure.threshold),
            ],
            ignore_index=True,
        ),
        "calibration": a.calibration(fit, options),
        "provider_estimates": pd.concat(estimates, ignore_index=True),
        "flags": pd.concat([a.flags(assessments[level], level) for level in levels], ignore_index=True),
        "predictions": a.predictions(fit, cases.rows["encounter_id"].tolist(), options),
        "funnel_limits": pd.concat([a.funnel_limits(assessments[level], level) for level in levels], ignore_index=True),
    }


def profile_options(settings: Settings, measure: Measure) -> Any:
    """The choices of a measure in the words of the assessment."""
    from profiling.assessment import ProfileOptions

    levels = [level.level for level in measure.providers]
    return ProfileOptions(
        outer=levels[0],
        inner=levels[1] if len(levels) > 1 else None,
        inner_expected=measure.inner_expected,
        family=measure.family,
        rule=measure.flag.rule,
        watch=measure.flag.watch,
        flag=measure.flag.flag,
        overdispersion=measure.flag.overdispersion,
        extremes=measure.flag.extremes,
        extreme_share=measure.flag.extreme_share,
        null_by=measure.flag.null_by,
        difference=measure.flag.difference,
        tiers=measure.flag.tiers,
        minimum_cases=measure.minimum_cases,
        seed=settings.seed,
    )


def _named(level: str, levels: list[str], frame: pd.DataFrame, names: Mapping[str, dict[str, str]]) -> pd.DataFrame:
    labels = frame["provider"].astype(str)
    parents = frame["parent"].astype(object).where(frame["parent"].notna(), None)
    return frame.assign(
        level=level,
        provider=labels,
        provider_name=labels.map(names[level]).fillna(labels),
        parent=parents,
        parent_name=parents.map(names[levels[0]]).fillna(parents),
    )


def fixed_effects(fit: MixedModelResult) -> pd.DataFrame:
    """Coefficients in the order of the model, with 95 % Wald limits."""
    estimate, error = fit.fixed_effects.to_numpy(), fit.standard_errors.to_numpy()
    half = NORMAL_95 * error
    return pd.DataFrame({
        "position": np.arange(len(estimate)), "term": fit.fixed_effects.index.astype(str),
        "estimate": estimate, "standard_error": error, "lower": estimate - half, "upper": estimate + half,
    })  # fmt: skip


def variance_components(fit: MixedModelResult) -> pd.DataFrame:
    """The lower triangle of each group's covariance, row by row, and the residual variance."""
    rows = [
        (group, term_a, term_b, covariance.to_numpy()[i, j])
        for group, covariance in fit.variance_components.items()
        for i, term_a in enumerate(covariance.index)
        for j, term_b in enumerate(covariance.columns[: i + 1])
    ]
    if fit.residual_sd is not None and np.isfinite(fit.residual_sd):
        rows.append(("Residual", "Intercept", "Intercept", float(fit.residual_sd) ** 2))
    frame = pd.DataFrame(rows, columns=["grouping", "term_a", "term_b", "covariance"])
    return frame.assign(position=range(len(frame)))


def diagnoses(fit: MixedModelResult) -> pd.DataFrame:
    """What the fit wants to be known about itself, as checks without a value."""
    said = {f"diagnosis_{diagnosis.code}": diagnosis.message for diagnosis in fit.diagnostics}
    return pd.DataFrame([(code, math.nan, note) for code, note in said.items()], columns=["name", "value", "note"])


def _specification(measure: Measure, position: int, cohort: Cohort, cases: Cases) -> pd.DataFrame:
    return pd.DataFrame([{
        "position": position, "spec_json": measure.model_dump_json(by_alias=True), "cohort_sql": cohort.sql,
        "formula": model_formula(measure), "rows_used": len(cases.rows),
        "overall_rate": float(cases.rows[measure.outcome].mean()),
    }])  # fmt: skip

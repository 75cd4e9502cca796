"""One measure from cohort to the frames of the store: what is fitted, on which rows, and what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from profiling.config import Measure, Settings
from profiling.pipeline.cases import Cases, complete_cases
from profiling.pipeline.clock import Clock, Progress
from profiling.pipeline.evidence import evidence_frames
from profiling.pipeline.fitting import diagnoses, fit_model, fixed_effects, model_formula, variance_components
from profiling.pipeline.social_risk import social_risk_frames
from profiling.pipeline.two_answers import two_answers

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from profiling.assessment import Assessment, ProfileOptions
    from profiling.etl import Cohort
    from profiling.modeling import MixedModelResult

Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Examined:
    """A measure with its model and the assessment of each level, outer first; names of providers by level and id."""

    measure: Measure
    position: int
    cohort: Cohort
    cases: Cases
    fit: MixedModelResult
    options: ProfileOptions
    assessments: Mapping[str, Assessment]
    names: Mapping[str, Mapping[str, str]]


def analyse(settings: Settings, engine: Engine, progress: Progress, clock: Clock) -> tuple[list[Frames], list[Frames]]:
    """Frames by table of the store for each measure, in the order of the configuration, and the figures of each that
    composites are made of. NotConverged if a model has no trustworthy maximum.

    A model is given up as soon as its frames are made; those of measures that are judged together are kept until all
    of them are fitted.
    """
    found: dict[int, tuple[Frames, Frames]] = {}
    waiting: list[Examined] = []
    for position, measure in enumerate(settings.measures):
        examined = examine(settings, measure, position, engine, progress, clock)
        if measure.flag.across == "measures":
            waiting.append(examined)
        else:
            found[position] = _found(settings, examined, progress, clock)
    for examined in judged_together(waiting):
        found[examined.position] = _found(settings, examined, progress, clock)
    ordered = [found[position] for position in sorted(found)]
    return [frames for frames, _ in ordered], [parts for _, parts in ordered]


def examine(
    settings: Settings, measure: Measure, position: int, engine: Engine, progress: Progress, clock: Clock
) -> Examined:
    """Cohort, model and assessments of one measure."""
    from profiling import assessment as a
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
        options, levels = profile_options(settings, measure), [level.level for level in measure.providers]
        grid = a.grid_of(fit, levels[0]) if options.posterior == "full" else None
        assessments = {level: a.assess(fit, level, options, grid) for level in levels}
    names = provider_names(engine, measure)
    return Examined(measure, position, cohort, cases, fit, options, assessments, names)


def judged_together(waiting: Sequence[Examined]) -> list[Examined]:
    """The same measures with one adjustment of the probabilities of all their providers."""
    from profiling import assessment as a

    every = [(place, level) for place, examined in enumerate(waiting) for level in examined.assessments]
    judged = a.judged_together([waiting[place].assessments[level] for place, level in every]) if every else []
    together = dict(zip(every, judged, strict=True))
    return [
        replace(examined, assessments={level: together[place, level] for level in examined.assessments})
        for place, examined in enumerate(waiting)
    ]


def stacked(parts: Sequence[Frames]) -> Frames:
    """The frames of all measures, one under the other, by table; a table that no measure fills is empty."""
    tables = dict.fromkeys(name for part in parts for name in part)
    filled = {name: [part[name] for part in parts if len(part.get(name, ()))] for name in tables}
    return {name: pd.concat(own, ignore_index=True) if own else pd.DataFrame() for name, own in filled.items()}


def _found(settings: Settings, examined: Examined, progress: Progress, clock: Clock) -> tuple[Frames, Frames]:
    measure, total = examined.measure, len(settings.measures)
    with clock.stage("assess"):
        frames = assessed(settings, examined)
    with clock.stage("evidence"):
        progress(f"Judging the providers of {measure.name} in other ways", examined.position, total)
        found = [
            evidence_frames(measure, examined),
            social_risk_frames(measure, examined, settings.disclosure.threshold),
        ]
    checks = [frames["model_checks"], *(part.pop("model_checks") for part in found)]
    frames["model_checks"] = pd.concat([part for part in checks if len(part)], ignore_index=True)
    for part in found:
        frames |= part
    parts = {level: _composite_part(examined, level) for level in examined.assessments}
    return {name: frame.assign(measure=measure.name) for name, frame in frames.items()}, parts


def assessed(settings: Settings, examined: Examined) -> Frames:
    """What the model says, and what it says about every provider of every level."""
    from profiling import assessment as a

    cases, fit, options = examined.cases, examined.fit, examined.options
    assessments, levels = examined.assessments, list(examined.assessments)
    return {
        "measures": _specification(examined),
        "cohort_flow": cases.flow,
        "missing_counts": cases.missing,
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
        "provider_estimates": pd.concat([_named(examined, level) for level in levels], ignore_index=True),
        "flags": pd.concat([a.flags(assessments[level], level) for level in levels], ignore_index=True),
        "predictions": a.predictions(fit, cases.rows["encounter_id"].tolist(), options),
        "funnel_limits": pd.concat([a.funnel_limits(assessments[level], level) for level in levels], ignore_index=True),
    }


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


def profile_options(settings: Settings, measure: Measure) -> ProfileOptions:
    """The choices of a measure in the words of the assessment."""
    from profiling.assessment import ProfileOptions

    levels = [level.level for level in measure.providers]
    return ProfileOptions(
        outer=levels[0],
        inner=levels[1] if len(levels) > 1 else None,
        inner_expected=measure.inner_expected,
        family=measure.family,
        per_exposure=measure.exposure is not None,
        trials_within_cases=measure.trials is not None,
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


def _named(examined: Examined, level: str) -> pd.DataFrame:
    frame, names, outer = examined.assessments[level].frame, examined.names, examined.measure.providers[0].level
    labels = frame["provider"].astype(str)
    parents = frame["parent"].astype(object).where(frame["parent"].notna(), None)
    return frame.assign(
        level=level,
        provider=labels,
        provider_name=labels.map(names[level]).fillna(labels),
        parent=parents,
        parent_name=parents.map(names[outer]).fillna(parents),
    )


def _composite_part(examined: Examined, level: str) -> pd.DataFrame:
    """What a composite takes from a measure: provider, provider_name, estimate of the log ratio and its error by
    chance, observed, expected; of providers with enough cases."""
    assessment = examined.assessments[level]
    error = assessment.evidence.weight**-0.5
    table = _named(examined, level)[["provider", "provider_name", "observed", "expected_marginal"]]
    table = table.rename(columns={"expected_marginal": "expected"})
    return table.assign(estimate=assessment.evidence.z * error, error=error)[assessment.counted]


def _specification(examined: Examined) -> pd.DataFrame:
    measure, rows = examined.measure, examined.cases.rows
    base = float(rows[measure.base_column].sum()) if measure.base_column else len(rows)
    return pd.DataFrame([{
        "position": examined.position, "spec_json": measure.model_dump_json(by_alias=True),
        "cohort_sql": examined.cohort.sql, "formula": model_formula(measure), "rows_used": len(rows),
        "overall_rate": float(rows[measure.outcome].sum()) / base,
    }])  # fmt: skip

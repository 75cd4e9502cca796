"""What the findings of a measure rest on: the same providers judged in other ways, by period, and patients by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.config import Measure

if TYPE_CHECKING:
    from profiling.assessment import Assessment, Attributed, ProfileOptions
    from profiling.modeling import MixedModelResult
    from profiling.pipeline.analysis import Examined

Frames = dict[str, pd.DataFrame]
MOST_DRAWN = 5000
JOINT_DRAWS = 1000
ATTRIBUTION_NOTES = {
    "attending": "every visit attributed to the provider it is recorded with",
    "most_visits": "every visit attributed to the provider its patient sees most",
}


def evidence_frames(measure: Measure, examined: Examined) -> Frames:
    """provider_evidence, sensitivity, provider_periods, subgroups, and more model checks, of one measure."""
    from profiling import assessment as a

    fit, assessments = examined.fit, examined.assessments
    refits = a.refit_variants(
        fit, assessments, measure.sensitivity, measure.sensitivity, _attributed(measure, examined)
    )
    joint = _joint(fit, examined.options.seed)
    evidence, compared = [], []
    for level, assessment in assessments.items():
        fixed, tests = a.fixed_variant(fit, level, examined.options)
        variants = [*a.rule_variants(assessment), *fixed, *refits[level]]
        own = a.provider_evidence(assessment, level, variants, fit, tests, joint.get(level))
        evidence.append(own.assign(exposure=_exposure(measure, examined, assessment)))
        compared.append(a.sensitivity(assessment, variants, level))
    periods, checks = _periods(measure, examined)
    table = pd.concat(compared, ignore_index=True)
    return {
        "provider_evidence": pd.concat(evidence, ignore_index=True),
        "sensitivity": table.assign(position=range(len(table))),
        "provider_periods": periods,
        "subgroups": subgroup_frame(measure, fit, examined.cases.rows, examined.options, "main"),
        "model_checks": checks,
    }


def subgroup_frame(
    measure: Measure, fit: MixedModelResult, rows: pd.DataFrame, options: ProfileOptions, model: str
) -> pd.DataFrame:
    """Observed and expected by the configured columns, under a model of that name; no rows where none are named."""
    from profiling import assessment as a

    columns = {name: rows[name] for name in measure.subgroups}
    return a.subgroups(fit, columns, options).assign(model=model) if columns else pd.DataFrame()


def _attributed(measure: Measure, examined: Examined) -> dict[str, Attributed]:
    from profiling.assessment import Attributed

    inner, cases = measure.providers[-1].level, examined.cases
    if not measure.sensitivity:
        return {}
    return {
        f"attribution {way}": Attributed(inner, cases.rows.assign(**{inner: other}), ATTRIBUTION_NOTES[way])
        for way, other in cases.otherwise.items()
    }


def _joint(fit: MixedModelResult, seed: int) -> dict[str, Any]:
    """Draws of all effects together where levels cross and a matrix of them fits; else each effect stands alone."""
    from profiling.modeling.joint_draws import joint_draws

    if len(fit.groups) < 2 or max(len(fit.levels(group)) for group in fit.groups) > MOST_DRAWN:
        return {}
    drawn = joint_draws(fit, JOINT_DRAWS, seed)
    # Effects whose variance is estimated as zero are all alike in these draws, which the estimate does not prove.
    return {group: values for group, values in drawn.items() if fit.variance(group) > 0}


def _exposure(measure: Measure, examined: Examined, assessment: Assessment) -> Any:
    if measure.base_column is None:
        return None
    level = assessment.rows.level_codes(len(examined.cases.rows))
    base = examined.cases.rows[measure.base_column].to_numpy(dtype=np.float64)
    return np.bincount(level, weights=base, minlength=len(assessment.frame))


def _words(halves: pd.Series[Any]) -> str:
    if not np.isfinite(halves["correlation"]):
        return "the days' two halves show no differences beyond chance"
    limits = halves[["lower", "upper"]]
    known = f"; 95 % {limits['lower']:.2f} to {limits['upper']:.2f}" if np.isfinite(limits).all() else ""
    return f"effects in the first half of the days with those in the second, freed from chance{known}"


def _periods(measure: Measure, examined: Examined) -> tuple[pd.DataFrame, pd.DataFrame]:
    from profiling import assessment as a

    admitted = pd.to_datetime(examined.cases.rows["admitted"]).to_numpy().astype("datetime64[D]")
    parts, checks = [], []
    for level, assessment in examined.assessments.items():
        parts.append(a.provider_periods(assessment, level, admitted))
        halves = a.halves_correlation(assessment, admitted, examined.options.seed)
        if halves is not None:
            checks.append((f"period_correlation_{level}", float(halves["correlation"]), _words(halves)))
    periods = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    if "cusum" in periods:
        words = "chance a year that the chart of a provider at the norm passes its limit"
        checks.append(("cusum_false_alarm", a.FALSE_ALARM, words))
    return periods, pd.DataFrame(checks, columns=["name", "value", "note"])

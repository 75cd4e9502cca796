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
Check = tuple[str, float, str]
MOST_DRAWN = 5000
MOST_FOLLOWED = 5000  # inner providers whose periods are kept
MOST_REFITTED = 5e6  # rows of all refits together, some half a minute's work
JOINT_DRAWS = 1000
ATTRIBUTION_NOTES = {
    "attending": "every visit attributed to the provider it is recorded with",
    "most_visits": "every visit attributed to the provider its patient sees most",
}


def evidence_frames(measure: Measure, examined: Examined) -> Frames:
    """provider_evidence, sensitivity, provider_periods, subgroups, and more model checks, of one measure."""
    from profiling import assessment as a

    fit, assessments = examined.fit, examined.assessments
    attributed = _attributed(measure, examined)
    wanted, left_out = _wanted(measure, examined, len(attributed))
    refits = a.refit_variants(fit, assessments, wanted, wanted, attributed if wanted else {})
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
        "model_checks": pd.DataFrame([*checks, *left_out], columns=["name", "value", "note"]),
    }


def _wanted(measure: Measure, examined: Examined, ways: int) -> tuple[bool, list[Check]]:
    """Whether the model is fitted again, and what is to be said where it is not."""
    from profiling.assessment import case_mix_terms

    refits = len(case_mix_terms(examined.fit)) + len(examined.assessments) + ways
    rows = len(examined.cases.rows)
    if measure.sensitivity == "always" or (measure.sensitivity == "auto" and refits * rows <= MOST_REFITTED):
        return True, []
    words = "models not fitted again for the sensitivity of findings"
    reason = "as configured" if measure.sensitivity == "never" else f"{rows:,} rows each; sensitivity: always has them"
    return False, [("sensitivity_left_out", float(refits), f"{words}: {reason}")]


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


def _periods(measure: Measure, examined: Examined) -> tuple[pd.DataFrame, list[Check]]:
    from profiling import assessment as a

    admitted = pd.to_datetime(examined.cases.rows["admitted"]).to_numpy().astype("datetime64[D]")
    parts, checks = [], []
    for level, assessment in examined.assessments.items():
        if level == measure.providers[0].level or len(assessment.frame) <= MOST_FOLLOWED:
            parts.append(a.provider_periods(assessment, level, admitted))
        halves = a.halves_correlation(assessment, admitted, examined.options.seed)
        if halves is not None:
            checks.append((f"period_correlation_{level}", float(halves["correlation"]), _words(halves)))
    periods = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    if "cusum" in periods:
        words = "chance a year that the chart of a provider at the norm passes its limit"
        checks.append(("cusum_false_alarm", a.FALSE_ALARM, words))
    return periods, checks

"""The same providers judged in other ways: another rule, no shrinkage, other patients or providers, less case mix.

Every other way is computed once. What it says of a provider tells how far a flag depends on the way
(`provider_evidence`); what it says of all of them how far the table does (`sensitivity`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from profiling.assessment.fitted import Floats
from profiling.assessment.fixed_effect_tests import fixed_effect_tests
from profiling.assessment.fixed_effects import fixed_effects_of
from profiling.assessment.honesty import signs_of
from profiling.assessment.level import LevelAssessment, judged, rule_for
from profiling.assessment.mixture_of_fit import grid_of
from profiling.assessment.options import ProfileOptions
from profiling.assessment.profile import Assessment, assess
from profiling.errors import ModelError, Problem

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

BY_POSTERIOR = ("interval", "meaningful_difference")
FEWEST_DRAWS = 100
SAME_ORDER = "another rule for the same estimates"
FEWEST_RANKED = 3


@dataclass(frozen=True)
class Variant:
    """One other way to judge providers. sign (J,): 1 flagged or watched as higher, −1 as lower, 0 neither, NaN where it
    judges none, in the order of the published frame; effect (J,) ranks them, None where the order is the published one.
    note: what it is, or why it could not be had (sign is NaN then)."""

    name: str
    sign: Floats
    effect: Floats | None
    note: str


def rule_variants(assessment: LevelAssessment) -> list[Variant]:
    """Funnel, interval, empirical null and over-dispersed funnel (continuous outcomes: the test of the mean residual in
    their place) on the evidence at hand, but for the published one."""
    published, counts = assessment.options, assessment.evidence.counts
    others = {
        "funnel": replace(published, rule="funnel", overdispersion="none"),
        "interval": replace(published, rule="interval", overdispersion="none"),
        "empirical_null": replace(published, rule="empirical_null", overdispersion="none"),
        "overdispersed": replace(published, rule="funnel", overdispersion="additive"),
    }
    same = (assessment.rule, published.overdispersion if counts else "none")
    found = [
        Variant(name, _sign(judged(assessment.evidence, options)[1]), None, SAME_ORDER)
        for name, options in others.items()
        if (rule_for(counts, options), options.overdispersion if counts else "none") != same
        and (counts or name not in ("funnel", "overdispersed"))
    ]
    return found if counts else [*found, _unshrunken(assessment)]


def _unshrunken(assessment: LevelAssessment) -> Variant:
    """Continuous outcomes without shrinkage: the test of the mean residual, whatever the effects' spread."""
    evidence, options = assessment.evidence, assessment.options
    beyond = (evidence.probability < options.watch_probability) & (evidence.cases >= options.minimum_cases)
    return Variant("unshrunken", np.where(beyond, np.sign(evidence.z), 0.0), evidence.z, "test of the mean residual")


def fixed_variant(
    fit: MixedModelResult, provider: str, options: ProfileOptions
) -> tuple[list[Variant], pd.DataFrame | None]:
    """Without shrinkage: exact tests of fixed effects against the median provider, and their table; binary outcomes."""
    if fit.family != "binomial":
        return [], None
    labels = np.asarray(fit.levels(provider), dtype=object)
    try:
        tests = fixed_effect_tests(fixed_effects_of(fit, provider), options.watch).set_index("provider").loc[labels]
    except ModelError as error:
        return [_impossible("fixed_effect", len(labels), error)], None
    judged_too = tests["n"].to_numpy() >= options.minimum_cases
    sign = np.where(judged_too, tests["flag"].to_numpy(dtype=np.float64), 0.0)
    note = "no shrinkage: an intercept a provider, exact test against the median one"
    return [Variant("fixed_effect", sign, tests["gamma"].to_numpy(dtype=np.float64), note)], tests.reset_index()


def refit_variants(
    fit: MixedModelResult,
    assessments: Mapping[str, LevelAssessment],
    leave_out: bool = True,
    largest: bool = True,
    attributed: Mapping[str, Attributed] | None = None,
) -> dict[str, list[Variant]]:
    """By level: the model fitted again without each term of the case mix, without the largest provider of each level,
    and to rows attributed in another way (`attributed`, by name)."""
    found: dict[str, list[Variant]] = {level: [] for level in assessments}
    levels = list(assessments)
    changes = [*(_without_terms(fit, levels) if leave_out else ()), *(_without_largest(fit, levels) if largest else ())]
    changes += [_Change(name, way.note, (way.level,), data=way.rows) for name, way in (attributed or {}).items()]
    for change in changes:
        for level, variant in _refitted(fit, change, assessments).items():
            found[level].append(variant)
    return found


@dataclass(frozen=True)
class Attributed:
    """The rows of a fit with the providers of one level attributed in another way."""

    level: str
    rows: pd.DataFrame
    note: str


@dataclass(frozen=True)
class _Change:
    name: str
    note: str
    levels: tuple[str, ...]
    formula: str | None = None
    data: pd.DataFrame | None = None


def case_mix_terms(fit: MixedModelResult) -> tuple[str, ...]:
    """The terms of the fixed part, as the formula writes them, without the intercept."""
    from formulaic import Formula

    from profiling.modeling.state import source_of

    formula = Formula(source_of(fit).design.formula.fixed)
    return tuple(str(term) for term in formula if str(term) != "1")


def _without_terms(fit: MixedModelResult, levels: list[str]) -> Iterator[_Change]:
    terms = case_mix_terms(fit)
    for term in terms:
        yield _Change(f"without {term}", "the case mix without this term", tuple(levels), f". ~ . - {term}")


def _without_largest(fit: MixedModelResult, levels: list[str]) -> Iterator[_Change]:
    from profiling.modeling.state import source_of

    data = source_of(fit).data
    if data is None:
        return
    for level in levels:
        codes = np.asarray(fit.level_codes(level))
        if len(fit.levels(level)) > 2:
            rest = data.loc[codes != np.bincount(codes).argmax()].reset_index(drop=True)
            yield _Change(f"without largest {level}", f"without the rows of the largest {level}", (level,), data=rest)


def _refitted(
    fit: MixedModelResult, change: _Change, assessments: Mapping[str, LevelAssessment]
) -> dict[str, Variant]:
    try:
        again = fit.update(change.formula, change.data)
        if not again.converged:
            raise ModelError(Problem("model", "it has no maximum", "a model with a maximum"))
        found = assess_again(again, {level: assessments[level] for level in change.levels})
        return {level: _compared(found[level], assessments[level], change) for level in change.levels}
    except ModelError as error:
        sizes = {level: len(assessments[level].frame) for level in change.levels}
        return {level: _impossible(change.name, size, error) for level, size in sizes.items()}


def assess_again(again: MixedModelResult, published: Mapping[str, LevelAssessment]) -> dict[str, Assessment]:
    """Another model of the same providers by level, under the published rule; the posterior is integrated over the
    parameters only where the rule looks at it."""
    first = next(iter(published.values()))
    full = first.rule in BY_POSTERIOR and first.options.posterior == "full"
    grid = grid_of(again, next(iter(published))) if full else None
    posterior = first.options.posterior if first.rule in BY_POSTERIOR else "plug_in"
    return {
        level: assess(again, level, replace(each.options, posterior=posterior, draws=FEWEST_DRAWS), grid)
        for level, each in published.items()
    }


def _compared(again: Assessment, published: LevelAssessment, change: _Change) -> Variant:
    frame = again.frame.set_index("provider").reindex(published.frame["provider"])
    sign = np.where(frame["category"].notna(), _sign(frame["category"]), np.nan)
    return Variant(change.name, sign, frame["ratio"].to_numpy(dtype=np.float64), change.note)


def _sign(category: npt.ArrayLike) -> Floats:
    return signs_of(category).astype(np.float64)


def _impossible(name: str, count: int, error: ModelError) -> Variant:
    return Variant(name, np.full(count, np.nan), np.full(count, np.nan), f"not possible: {error.problems[0]}")


def stability(published: LevelAssessment, variants: Sequence[Variant]) -> pd.DataFrame:
    """methods, agree, dissent by provider: ways that judge it, those that come to its sign, names of the others."""
    own = _sign(published.frame["category"])
    names = np.array([variant.name for variant in variants], dtype=object)
    signs = np.stack([variant.sign for variant in variants], axis=1) if variants else np.zeros((len(own), 0))
    known = np.isfinite(signs)
    differs = known & (signs != own[:, None])
    # Few patterns of dissent occur, however many the providers.
    pattern, code = np.unique(differs, axis=0, return_inverse=True)
    words = pd.Series(np.array([", ".join(names[row]) for row in pattern], dtype=object)[code.reshape(-1)])
    columns = {
        "methods": np.where(published.counted, known.sum(axis=1), np.nan),
        "agree": np.where(published.counted, (known & ~differs).sum(axis=1), np.nan),
        "dissent": words.where(published.counted, None),
    }
    return pd.DataFrame(columns)


def sensitivity(published: LevelAssessment, variants: Sequence[Variant], level: str) -> pd.DataFrame:
    """One row a variant: level, variant, providers judged both ways, Spearman's correlation with the published order by
    P/E, flags_same and flags_changed (signs at the inner limits, of providers with enough cases), note."""
    own, ratio = _sign(published.frame["category"]), published.frame["ratio"].to_numpy(dtype=np.float64)
    return pd.DataFrame([_row(own, ratio, published.counted, variant, level) for variant in variants])


def _row(
    own: Floats, ratio: Floats, counted: npt.NDArray[np.bool_], variant: Variant, level: str
) -> dict[str, object]:
    known = np.isfinite(variant.sign) & counted
    changed = int((variant.sign[known] != own[known]).sum())
    some = bool(known.any())
    return {
        "level": level,
        "variant": variant.name,
        "providers": int(known.sum()) if some else None,
        "rank_correlation": 1.0 if variant.effect is None else _rank_correlation(ratio, variant.effect),
        "flags_same": int(known.sum()) - changed if some else None,
        "flags_changed": changed if some else None,
        "note": variant.note,
    }


def _rank_correlation(first: Floats, second: Floats) -> float:
    both = ~np.isnan(first) & ~np.isnan(second)
    if both.sum() < FEWEST_RANKED or np.ptp(first[both]) == 0 or (second[both] == second[both][0]).all():
        return float("nan")
    return float(stats.spearmanr(first[both], second[both]).statistic)

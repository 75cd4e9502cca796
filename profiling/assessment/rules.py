"""The rules by which a provider is flagged, each in one form: a probability, a side, and the scores it takes.

Every rule is told by the normal scores z of the test against the norm beyond which it flags, so that the number of
flags it raises when everybody meets the norm, and its chance to flag a provider truly 1.5 times the norm, follow for
all rules in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from profiling.assessment.bisection import rising_root
from profiling.assessment.empirical_null import (
    benjamini_hochberg,
    local_false_discovery,
    logistic_null,
    middle_null,
    null_by_volume,
)
from profiling.assessment.fitted import Floats
from profiling.assessment.flags import posterior_tail
from profiling.assessment.funnel import EventShape, smooth_mid_p
from profiling.assessment.named_rules import SRTR_CRITERIA, ahrq_rates, srtr_beyond, srtr_flag
from profiling.assessment.options import ProfileOptions
from profiling.assessment.overdispersion import Overdispersion, overdispersion, two_sided

FARTHEST = 37.0  # the normal score whose probability is still a double


@dataclass(frozen=True)
class Evidence:
    """What a rule looks at, one element a provider (J,).

    z: normal score of the test against the norm; probability: its two-sided probability; above: posterior
    P(ratio > 1); above_at(ratio): posterior P(ratio > ratio); weight: 1/variance of log(O/E) by chance; reliability:
    σ²/(σ² + v); counts: whether outcomes are events; shape: of a count of events; observed, expected (averaged over
    the effects), variance Σp(1 − p), cases, size: what a rate is over (cases, or their trials), rate: the cohort's own.
    """

    z: Floats
    probability: Floats
    above: Floats
    above_at: Callable[[float], Floats]
    weight: Floats
    reliability: Floats
    counts: bool
    shape: EventShape
    observed: Floats
    expected: Floats
    variance: Floats
    cases: Floats
    size: Floats
    rate: float


@dataclass(frozen=True)
class Ruling:
    """Two-sided probability to hold against the levels (J,), the side, and the scores (lower, upper) (J,) beyond which
    the rule watches and flags. spread: the over-dispersion allowed for, if any."""

    probability: Floats
    higher: npt.NDArray[np.bool_]
    watch: tuple[Floats, Floats]
    flag: tuple[Floats, Floats]
    spread: Overdispersion | None = None


def judge(evidence: Evidence, rule: str, options: ProfileOptions) -> Ruling:
    """Apply a rule by its name."""
    return RULES[rule](evidence, options)


def inflation(kind: str, spread: Overdispersion | None, weight: Floats) -> Floats:
    """By what each score's standard deviation is widened: √φ, or √(1 + τ²w) with w = 1/Var log(O/E)."""
    if spread is None or kind == "none":
        return np.ones_like(weight)
    if kind == "multiplicative":
        return np.full_like(weight, np.sqrt(spread.factor))
    return np.sqrt(1.0 + spread.tau_squared * weight)


def _funnel(evidence: Evidence, options: ProfileOptions) -> Ruling:
    if options.overdispersion == "none":
        return _symmetric(evidence.probability, evidence.z, np.ones_like(evidence.z), options)
    spread = overdispersion(evidence.z, 1.0 / np.sqrt(evidence.weight), options.extremes, options.extreme_share)
    wide = inflation(options.overdispersion, spread, evidence.weight)
    return _symmetric(two_sided(evidence.z / wide), evidence.z, wide, options, spread=spread)


def _interval(evidence: Evidence, options: ProfileOptions) -> Ruling:
    """The posterior mean is ρy and its sd √(ρv): it leaves out 1 where z = y/√v is beyond c/√ρ."""
    wide = 1.0 / np.sqrt(np.maximum(evidence.reliability, 1e-300))
    ruling = _symmetric(posterior_tail(evidence.above), evidence.z, wide, options)
    return Ruling(ruling.probability, evidence.above > 0.5, ruling.watch, ruling.flag)


def _meaningful_difference(evidence: Evidence, options: ProfileOptions) -> Ruling:
    """P(ratio > 1 + δ), or P(ratio < 1/(1 + δ)), above the levels .95 and .998."""
    above, below = (
        evidence.above_at(1.0 + options.difference),
        1.0 - evidence.above_at(1.0 / (1.0 + options.difference)),
    )
    rho, error = np.maximum(evidence.reliability, 1e-300), 1.0 / np.sqrt(evidence.weight)
    sides = []
    for probability in (options.watch_probability, options.flag_probability):
        score = -special.ndtri(probability)
        upper = (np.log1p(options.difference) + score * np.sqrt(rho) * error) / (rho * error)
        sides.append((-upper, upper))
    return Ruling(1.0 - np.maximum(above, below), above > below, sides[0], sides[1])


def _empirical_null(evidence: Evidence, options: ProfileOptions) -> Ruling:
    if options.null_by == "logistic" and evidence.counts:
        null = logistic_null(evidence.z, evidence.variance)
    elif options.null_by == "volume":
        null = null_by_volume(evidence.z, evidence.expected, options.volume_groups)
    else:
        null = middle_null(evidence.z)
    scores = null.standardized(evidence.z)
    watch, flag = (
        _around(null.mean, null.half_width(_score(level)))
        for level in (options.watch_probability, options.flag_probability)
    )
    return Ruling(two_sided(scores), scores > 0, watch, flag)


def _false_discovery(evidence: Evidence, options: ProfileOptions) -> Ruling:
    """Benjamini-Hochberg over the providers with enough cases: the levels are false discovery rates."""
    raw = counted_probability(evidence, options)
    return discovery_ruling(evidence, raw, benjamini_hochberg(raw), options)


def counted_probability(evidence: Evidence, options: ProfileOptions) -> Floats:
    """Two-sided probabilities against the norm (J,), NaN with too few cases."""
    return np.where(evidence.cases >= options.minimum_cases, evidence.probability, np.nan)


def discovery_ruling(
    evidence: Evidence, raw: Floats, adjusted: Floats, options: ProfileOptions, own: slice = slice(None)
) -> Ruling:
    """The ruling of false discovery rates: raw and adjusted probabilities (M,) of everybody judged together, of whom
    the evidence's providers are `own`."""
    sides = []
    for level in (options.watch_probability, options.flag_probability):
        taken = raw[adjusted < level]
        largest = float(taken.max()) if len(taken) else level / max(int(np.isfinite(raw).sum()), 1)
        sides.append(_around(np.zeros_like(evidence.z), np.full_like(evidence.z, _score(largest))))
    return Ruling(adjusted[own], evidence.z > 0, sides[0], sides[1])


def _local_false_discovery(evidence: Evidence, options: ProfileOptions) -> Ruling:
    """Local false discovery rate below the levels, with the empirical null of all providers."""
    null = middle_null(evidence.z)
    rate = local_false_discovery(evidence.z, null)
    scores = null.standardized(evidence.z)
    sides = []
    for level in (options.watch_probability, options.flag_probability):
        beyond = np.abs(scores[(rate < level) & (np.abs(scores) > 1.0)])
        sides.append(_around(null.mean, null.half_width(beyond.min()) if len(beyond) else np.full_like(scores, np.inf)))
    return Ruling(np.where(np.abs(scores) > 1.0, rate, 1.0), scores > 0, sides[0], sides[1])


def _srtr(evidence: Evidence, options: ProfileOptions) -> Ruling:
    """SRTR's gamma posterior: flagged or not, on the higher side only; levels play no part."""
    flagged = srtr_flag(evidence.observed, evidence.expected)
    ceiling = evidence.expected * 4.0 + 40.0
    counts = [
        rising_root(_srtr_excess(evidence.expected, ratio, level), np.zeros_like(ceiling), ceiling)
        for ratio, level in SRTR_CRITERIA
    ]
    first = np.floor(np.minimum(*counts)) + 0.5  # between the last count that is not flagged and the first that is
    score = special.ndtri(np.clip(smooth_mid_p(first, evidence.expected, evidence.shape), 1e-300, 1.0 - 1e-16))
    sides = (np.full_like(score, -FARTHEST), np.asarray(score, dtype=np.float64))
    return Ruling(np.where(flagged, 0.0, 1.0), np.ones(len(flagged), dtype=bool), sides, sides)


def _srtr_excess(expected: Floats, ratio: float, level: float) -> Callable[[Floats], Floats]:
    return lambda observed: srtr_beyond(observed, expected, ratio) - level


def _ahrq(evidence: Evidence, options: ProfileOptions) -> Ruling:
    """AHRQ's smoothed rate, whose normal interval leaves out the reference rate."""
    found = ahrq_rates(evidence.observed, evidence.expected, evidence.variance, evidence.size, evidence.rate)
    error = np.maximum(found.smoothed_standard_error, 1e-300)
    score = (found.smoothed - evidence.rate) / error
    wide = error / np.maximum(found.weight * found.standard_error, 1e-300)
    probability = np.where(found.smoothed_standard_error > 0, two_sided(score), 1.0)
    return _symmetric(probability, score, np.minimum(wide, FARTHEST), options)


RULES: dict[str, Callable[[Evidence, ProfileOptions], Ruling]] = {
    "funnel": _funnel,
    "interval": _interval,
    "meaningful_difference": _meaningful_difference,
    "empirical_null": _empirical_null,
    "false_discovery": _false_discovery,
    "local_false_discovery": _local_false_discovery,
    "srtr": _srtr,
    "ahrq": _ahrq,
}
COUNTS_ONLY = ("funnel", "srtr", "ahrq")


def _symmetric(
    probability: Floats,
    z: Floats,
    wide: Floats,
    options: ProfileOptions,
    spread: Overdispersion | None = None,
) -> Ruling:
    watch, flag = (
        _around(np.zeros_like(wide), wide * _score(level))
        for level in (options.watch_probability, options.flag_probability)
    )
    return Ruling(probability, z > 0, watch, flag, spread)


def _around(centre: Floats, half: Floats) -> tuple[Floats, Floats]:
    return np.maximum(centre - half, -FARTHEST), np.minimum(centre + half, FARTHEST)


def _score(two_sided_probability: float) -> float:
    return float(-special.ndtri(two_sided_probability / 2.0))

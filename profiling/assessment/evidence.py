"""What the rules look at, from the rows of a provider kind; and what a rule does there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.funnel import POISSON, EventShape
from profiling.assessment.norm import NormTest
from profiling.assessment.operating import HARMFUL_RATIO, chance_beyond, normal_chance_beyond
from profiling.assessment.options import ProfileOptions
from profiling.assessment.overdispersion import share_beyond
from profiling.assessment.rows import ProviderRows
from profiling.assessment.rules import Evidence, Ruling
from profiling.assessment.standardization import provider_sums

MOST_JUDGED = 2001


def evidence_of(
    rows: ProviderRows, test: NormTest, above: Floats, reliability: Floats, above_at: Callable[[float], Floats]
) -> Evidence:
    """The evidence of every provider against the norm."""
    expected = provider_sums(rows.expected_marginal, rows.starts)
    counts, means = rows.counts, rows.expected_marginal
    spread = means * (1.0 - means) if rows.family == "binomial" else means
    variance = provider_sums(spread, rows.starts) if counts else np.full(len(expected), np.nan)
    return Evidence(
        z=test.z,
        probability=test.probability,
        above=above,
        above_at=above_at,
        weight=expected**2 / np.maximum(variance, 1e-300) if counts else 1.0 / relative_error(rows) ** 2,
        reliability=np.nan_to_num(reliability),
        counts=counts,
        shape=EventShape.of(means) if rows.family == "binomial" else POISSON,
        observed=provider_sums(rows.observed, rows.starts),
        expected=expected,
        variance=variance,
        cases=rows.patients,
        size=rows.cases,
        rate=float(rows.observed.mean()),
    )


def relative_error(rows: ProviderRows) -> Floats:
    """Standard error of log(O/E) of a continuous outcome by chance, by the delta method."""
    error = np.sqrt(rows.residual_variance / rows.cases + rows.shared_variance)
    if rows.family == "log_gaussian":
        return error
    return error * rows.cases / np.abs(provider_sums(rows.expected_marginal, rows.starts))


def expected_false(
    evidence: Evidence,
    test: NormTest,
    ruling: Ruling,
    counted: npt.NDArray[np.bool_],
    rule: str,
    options: ProfileOptions,
) -> tuple[float, float]:
    """Providers with enough cases that chance alone puts beyond the inner and the outer limits.

    Exact for the plain funnel; for the interval the bound that its coverage gives; for widened limits (whose
    spread leaves the extremes out) and the empirical null what they let through if providers differ by the usual spread
    alone; else from the scores.
    """
    if rule == "funnel" and options.overdispersion == "none":
        return float(test.null_watch[counted].sum()), float(test.null_flag[counted].sum())
    if ruling.spread is not None:
        limits = options.extremes, options.extreme_share
        watch, flag = (
            share_beyond(ruling.spread, *limits, probability)
            for probability in (options.watch_probability, options.flag_probability)
        )
        return watch * int(counted.sum()), flag * int(counted.sum())
    if rule in ("interval", "empirical_null"):
        return options.watch_probability * int(counted.sum()), options.flag_probability * int(counted.sum())
    return expected_beyond(evidence, ruling, counted)


def expected_beyond(evidence: Evidence, ruling: Ruling, counted: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Providers with enough cases whose scores chance alone puts beyond the inner and the outer limits."""
    chosen = _some(evidence, counted)
    scale = int(counted.sum()) / max(len(chosen), 1)
    watch, flag = (sum(_beyond(evidence, limits, 1.0, chosen)) for limits in (ruling.watch, ruling.flag))
    return scale * float(np.sum(watch)), scale * float(np.sum(flag))


def power_of(evidence: Evidence, limits: tuple[Floats, Floats], counted: npt.NDArray[np.bool_]) -> float:
    """Chance that a provider truly 1.5 times the norm lies beyond the limit on the higher side: the median over
    providers with enough cases; NaN without any."""
    chosen = _some(evidence, counted)
    return float(np.median(_beyond(evidence, limits, HARMFUL_RATIO, chosen)[1])) if len(chosen) else float("nan")


def _some(evidence: Evidence, counted: npt.NDArray[np.bool_]) -> Integers:
    """Providers with enough cases; of very many those at evenly spaced places of their order by size."""
    ordered = np.flatnonzero(counted)[np.argsort(evidence.expected[counted], kind="stable")]
    if len(ordered) <= MOST_JUDGED:
        return ordered
    return ordered[np.linspace(0, len(ordered) - 1, MOST_JUDGED).round().astype(np.int64)]


def _beyond(evidence: Evidence, limits: tuple[Floats, Floats], ratio: float, chosen: Integers) -> tuple[Floats, Floats]:
    own = limits[0][chosen], limits[1][chosen]
    if evidence.counts:
        return chance_beyond(own, evidence.expected[chosen], evidence.shape, ratio)
    return normal_chance_beyond(own, np.log(ratio) * np.sqrt(evidence.weight[chosen]))

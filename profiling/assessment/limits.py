"""What would change a flag: how many events more or fewer would put a provider beyond each limit of the rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.funnel import POISSON, smooth_mid_p, smooth_upper_mid_p
from profiling.assessment.level import LevelAssessment
from profiling.assessment.poisson_binomial import limit_counts
from profiling.assessment.profile import Assessment
from profiling.assessment.rules import FARTHEST

LIMITS = ("watch", "flag")
SIDES = {"higher": 1, "lower": -1}
DEGREE = {"lower": -2, "lower_watch": -1, "as_expected": 0, "higher_watch": 1, "higher": 2}
DEGREE_OF = {"watch": 1, "flag": 2}
NO_COUNT = 2.0**62
COLUMNS = tuple(f"events_to_{side}_{limit}" for side in SIDES for limit in LIMITS)


def events_to_limits(assessment: LevelAssessment) -> pd.DataFrame:
    """events_to_higher_watch, _higher_flag, _lower_watch, _lower_flag: signed changes of the number of events (J,).

    The first count that the rule would put there, less the observed one: for the higher side positive where that many
    more events are needed, zero or negative where the provider is there (1 − value fewer take it back); mirrored for
    the lower side. Exact for the funnel, whose limits are scores of the exact test; for rules that look at more than
    the score the change that takes the score to the rule's limit, never against the provider's category. NaN where no
    number of events would do, with too few cases, and for continuous outcomes.
    """
    unknown = np.full(len(assessment.frame), np.nan)
    if not assessment.evidence.counts:
        return pd.DataFrame(dict.fromkeys(COLUMNS, unknown))
    most, least = _counts(assessment)
    observed = np.rint(assessment.evidence.observed)
    largest = _largest(assessment)
    degree = assessment.frame["category"].map(DEGREE).to_numpy(dtype=np.float64)
    found = {}
    for place, limit in enumerate(LIMITS):
        wanted = DEGREE_OF[limit]
        higher = np.where(least[:, place] > largest, np.nan, least[:, place] - observed)
        lower = np.where(most[:, place] < 0, np.nan, most[:, place] - observed)
        found[f"events_to_higher_{limit}"] = np.where(degree >= wanted, np.fmin(higher, 0), np.maximum(higher, 1))
        found[f"events_to_lower_{limit}"] = np.where(degree <= -wanted, np.fmax(lower, 0), np.minimum(lower, -1))
    table = pd.DataFrame({name: np.where(np.isnan(degree), np.nan, found[name]) for name in COLUMNS})
    if assessment.options.tiers == 3:
        table[[name for name in COLUMNS if name.endswith("watch")]] = np.nan
    return table


def _largest(assessment: LevelAssessment) -> Floats:
    """The largest number of events that can be: the cases of a binary outcome, or their trials."""
    binary = isinstance(assessment, Assessment) and assessment.rows.family == "binomial"
    return assessment.evidence.size if binary else np.full(len(assessment.frame), NO_COUNT - 1.0)


def _counts(assessment: LevelAssessment) -> tuple[Integers, Integers]:
    """The most events beyond each lower score, the fewest beyond each upper one, (J, 2): watch, flag."""
    rulings = (assessment.ruling.watch, assessment.ruling.flag)
    lower, upper = (np.stack([ruling[side] for ruling in rulings], axis=1) for side in (0, 1))
    # A score at the end of the scale stands for no limit at all.
    low_tail = np.where(lower <= -FARTHEST, 0.0, special.ndtr(lower))
    high_tail = np.where(upper >= FARTHEST, 0.0, special.ndtr(-upper))
    if isinstance(assessment, Assessment) and assessment.rows.family == "binomial":
        return limit_counts(assessment.rows.expected_marginal, assessment.rows.starts, low_tail, high_tail)
    return _poisson_counts(assessment.evidence.expected[:, None], low_tail, high_tail)


def _poisson_counts(mean: Floats, low_tail: Floats, high_tail: Floats) -> tuple[Integers, Integers]:
    """The same of Poisson counts, by bisection over whole numbers."""
    ceiling = np.floor(100.0 + mean + 60.0 * np.sqrt(mean)) * np.ones(low_tail.shape)
    least = _first(lambda count: smooth_upper_mid_p(count, mean, POISSON) < high_tail, ceiling)
    within = _first(lambda count: smooth_mid_p(count, mean, POISSON) >= low_tail, ceiling)
    return (within - 1).astype(np.int64), np.where(least < ceiling, least, NO_COUNT).astype(np.int64)


def _first(holds: Callable[[Floats], npt.NDArray[np.bool_]], ceiling: Floats) -> Floats:
    """The first whole number from 0 at which a condition that stays true once true holds; the ceiling if none is."""
    low, high = np.zeros_like(ceiling), ceiling.copy()
    while (low < high).any():
        middle = np.floor((low + high) / 2.0)
        found = holds(middle)
        low, high = np.where(found, low, np.minimum(middle + 1.0, high)), np.where(found, middle, high)
    return low

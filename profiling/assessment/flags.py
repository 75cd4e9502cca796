"""From a probability to a category, and how many flags chance alone would raise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.assessment.fitted import Floats

CATEGORIES = ("higher", "higher_watch", "as_expected", "lower_watch", "lower", "too_few")


def categories(
    probability: Floats,
    is_higher: npt.NDArray[np.bool_],
    cases: Floats,
    watch: float,
    flag: float,
    minimum_cases: int,
    tiers: int = 5,
) -> npt.NDArray[np.object_]:
    """Category of each provider: "higher" means more of the outcome, whether that is good or bad.

    probability: two-sided probability against the norm; is_higher: the side; watch, flag: the probabilities
    below which a provider is watched or flagged; with fewer than `minimum_cases` cases, or without a
    probability, "too_few". With three tiers nobody is watched.
    """
    side = np.where(is_higher, "higher", "lower").astype(object)
    watch = watch if tiers == 5 else flag
    watched = np.where(is_higher, "higher_watch", "lower_watch").astype(object)
    result = np.where(probability < flag, side, np.where(probability < watch, watched, "as_expected"))
    result[(cases < minimum_cases) | ~np.isfinite(probability)] = "too_few"
    return np.asarray(result, dtype=object)


def posterior_tail(above: Floats) -> Floats:
    """2·min(P(ratio > 1), P(ratio < 1)): below 1 − c where the interval of coverage c excludes 1."""
    return 2.0 * np.minimum(above, 1.0 - above)


def flag_summary(profile: pd.DataFrame) -> pd.DataFrame:
    """Providers by category, every category present: columns category, providers."""
    counts = profile["category"].value_counts().reindex(list(CATEGORIES), fill_value=0)
    return pd.DataFrame({"category": list(CATEGORIES), "providers": counts.to_numpy(dtype=np.int64)})

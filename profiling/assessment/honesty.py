"""What a flag rests on: other methods, a few events, a trait nobody recorded, patients who hardly compare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.poisson_binomial import limit_counts
from profiling.errors import ModelError, Problem

Signs = npt.NDArray[np.int64]
OVERLAP_BINS, LEAST_OVERLAP = 20, 0.5


def signs_of(category: npt.ArrayLike) -> Signs:
    """1 for "higher" and "higher_watch", −1 for the lower ones, 0 otherwise."""
    names = np.asarray(category, dtype=object).astype(str)
    return np.char.startswith(names, "higher").astype(np.int64) - np.char.startswith(names, "lower").astype(np.int64)


def flag_stability(flags: Mapping[str, npt.ArrayLike], published: str) -> pd.DataFrame:
    """One column a method (−1, 0, 1 by provider, in one order), then agree, methods and stability = agree/methods.

    flags: each method's signs, such as `signs_of(profile["category"])` under another rule, `fixed_effect_tests` or a
    fit without one covariate; published: the method whose flag is shown, with which the others agree or not.
    """
    if published not in flags:
        raise ModelError(Problem("published", published, f"one of {', '.join(flags)}"))
    table = pd.DataFrame({name: np.asarray(values, dtype=np.int64) for name, values in flags.items()})
    others = table.drop(columns=published)
    agree = others.eq(table[published], axis=0).sum(axis=1)
    return table.assign(agree=agree, methods=others.shape[1], stability=agree / max(others.shape[1], 1))


def events_to_change(risk: Floats, starts: Integers, observed: Floats, probability: float = 0.05) -> pd.DataFrame:
    """least_higher, most_lower, to_higher, to_lower, to_leave: the counts at which the exact two-sided mid-p crosses.

    risk (n,) sorted by provider under the norm, observed (J,). least_higher: the fewest events that are flagged as
    more, n + 1 where no number is; most_lower: the most that are flagged as fewer, −1 where none is. to_higher and
    to_lower: events more and fewer that would bring the flag (0: flagged now); to_leave: the change that takes a
    flagged provider back within the limits (0: not flagged).
    """
    tail = np.full((len(starts) - 1, 1), 0.5 * probability)
    most_lower, least_higher = (found[:, 0] for found in limit_counts(risk, starts, tail, tail))
    count = np.rint(observed).astype(np.int64)
    leave = np.where(count >= least_higher, count - least_higher + 1, 0)
    leave = np.where(count <= most_lower, most_lower + 1 - count, leave)
    return pd.DataFrame(
        {
            "least_higher": least_higher,
            "most_lower": most_lower,
            "to_higher": np.maximum(least_higher - count, 0),
            "to_lower": np.maximum(count - most_lower, 0),
            "to_leave": leave,
        }
    )


def confounder_strength(ratio: Floats, lower: Floats, upper: Floats) -> pd.DataFrame:
    """e_value and e_value_limit: how strong an unrecorded trait must be to explain a ratio and its nearer limit away.

    The trait must multiply both the odds of being this provider's patient and the risk of the event by at least this
    factor, beyond the case mix: RR + √(RR(RR − 1)), of 1/RR below one (VanderWeele & Ding 2017, Ann Intern Med 167).
    1 where the interval holds 1.
    """
    nearer = np.where(ratio >= 1.0, np.maximum(lower, 1.0), np.minimum(upper, 1.0))
    return pd.DataFrame({"e_value": _e_value(ratio), "e_value_limit": _e_value(nearer)})


def _e_value(ratio: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        above = np.where(ratio < 1.0, 1.0 / ratio, ratio)
    with np.errstate(invalid="ignore"):
        found = above + np.sqrt(above * (above - 1.0))
    return np.where(np.isinf(above), np.inf, found)


def case_mix_overlap(score: Floats, starts: Integers, bins: int = OVERLAP_BINS) -> pd.DataFrame:
    """overlap, outside, hardly_compares: how far a provider's patients resemble those of all others.

    score (n,) sorted by provider: the linear predictor without provider effects. overlap: Σ min of the two shares over
    bins of equal size in the whole cohort (1: the same mix); outside: share of patients beyond the 1st or 99th
    percentile of all scores; hardly_compares: overlap below one half.
    """
    shares = mix_shares(score, starts, bins)
    size = np.diff(starts).astype(np.float64)
    total = size @ shares
    others = (total - shares * size[:, None]) / np.maximum(size.sum() - size, 1.0)[:, None]
    overlap = np.minimum(shares, others).sum(axis=1)
    low, high = np.quantile(score, [0.01, 0.99])
    outside = np.add.reduceat(((score < low) | (score > high)).astype(np.float64), starts[:-1]) / size
    return pd.DataFrame({"overlap": overlap, "outside": outside, "hardly_compares": overlap < LEAST_OVERLAP})


def pair_overlap(shares: Floats, a: int, b: int) -> float:
    """Σ min of two providers' shares by band of risk: near 0, no statistics can compare them (`mix_shares`)."""
    return float(np.minimum(shares[a], shares[b]).sum())


def mix_shares(score: Floats, starts: Integers, bins: int = OVERLAP_BINS) -> Floats:
    """Share of each provider's patients (J, bins) in bands of equal size in the whole cohort."""
    edges = np.unique(np.quantile(score, np.linspace(0, 1, bins + 1)[1:-1]))
    band, size = np.searchsorted(edges, score, side="right"), np.diff(starts)
    provider = np.repeat(np.arange(len(size)), size)
    counts = np.bincount(provider * (len(edges) + 1) + band, minlength=len(size) * (len(edges) + 1))
    return np.asarray(counts.reshape(len(size), -1) / size[:, None])

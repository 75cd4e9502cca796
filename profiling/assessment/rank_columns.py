"""The columns of ranks in the frame of a provider kind."""

from __future__ import annotations

import numpy as np

from profiling.assessment.fitted import Floats
from profiling.assessment.options import ProfileOptions
from profiling.assessment.rank_summary import posterior_ranks
from profiling.assessment.ranks import drawn_ranks, expected_ranks, percentiles, rank_interval


def provider_ranks(effect: Floats, sd: Floats, options: ProfileOptions) -> dict[str, Floats]:
    """Expected rank, its interval and the percentile; the lowest effect has rank 1. NaN without effects."""
    if not np.isfinite(effect).all():
        unknown = np.full(len(effect), np.nan)
        return dict.fromkeys(("expected_rank", "rank_lower", "rank_upper", "percentile"), unknown)
    if len(effect) > options.exact_ranks_up_to:
        streamed = posterior_ranks(effect, sd, options.draws, options.seed)
        return {name: streamed[name].to_numpy() for name in ("expected_rank", "rank_lower", "rank_upper", "percentile")}
    ranks = drawn_ranks(effect, sd**2, options.draws, options.seed)
    low, high = rank_interval(ranks)
    expected = expected_ranks(effect, sd**2)
    return {
        "expected_rank": expected,
        "rank_lower": low.astype(np.float64),
        "rank_upper": high.astype(np.float64),
        "percentile": percentiles(expected),
    }

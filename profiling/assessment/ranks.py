"""Ranks with their uncertainty (Laird & Louis 1989; Lin, Louis, Paddock & Ridgeway 2006); 1 is the lowest
effect."""

from __future__ import annotations

import numpy as np
from scipy import special

from profiling.assessment.fitted import Floats, Integers

PAIRS_AT_A_TIME = 4_000_000
CERTAIN = 1e3  # a normal score whose probability is 1


def expected_ranks(effect: Floats, variance: Floats) -> Floats:
    """1 + Σ_{i≠j} Φ((θ_j − θ_i)/√(V_i + V_j)): the posterior mean of each provider's rank, over all pairs.

    effect (J,) posterior means, variance (J,) posterior variances, taken as independent. Where both variances
    are zero an equal effect counts one half.
    """
    count = len(effect)
    block = max(1, PAIRS_AT_A_TIME // max(count, 1))
    sums = [_pairs_above(effect, variance, slice(a, min(a + block, count))) for a in range(0, count, block)]
    return np.concatenate(sums) + 0.5 if sums else np.zeros(0)


def _pairs_above(effect: Floats, variance: Floats, rows: slice) -> Floats:
    difference = effect[rows, None] - effect[None, :]
    spread = np.sqrt(variance[rows, None] + variance[None, :])
    certain = np.sign(difference) * CERTAIN
    score = np.where(spread > 0, difference / np.where(spread > 0, spread, 1.0), certain)
    # A provider against itself counts one half, which the constant above makes up for: 1 + (sum − ½).
    return np.asarray(special.ndtr(score).sum(axis=1), dtype=np.float64)


def drawn_ranks(effect: Floats, variance: Floats, draws: int, seed: int) -> Integers:
    """Ranks (draws, J) of independent draws from N(effect, variance); ties are broken by chance."""
    generator = np.random.default_rng(seed)
    ranks = np.empty((draws, len(effect)), dtype=np.int32)
    ladder = np.arange(1, len(effect) + 1, dtype=np.int32)
    spread = np.sqrt(variance)
    for draw in range(draws):
        values = effect + spread * generator.standard_normal(len(effect))
        order = (
            np.lexsort((generator.random(len(effect)), values)) if not spread.all() else np.argsort(values)
        )
        ranks[draw, order] = ladder
    return ranks  # type: ignore[return-value]


def rank_interval(ranks: Integers, level: float = 0.95) -> tuple[Integers, Integers]:
    """Lower and upper rank of each provider that hold `level` of its drawn ranks (draws, J)."""
    draws = len(ranks)
    low = max(int(np.ceil((1.0 - level) / 2.0 * draws)) - 1, 0)
    high = min(int(np.ceil((1.0 + level) / 2.0 * draws)) - 1, draws - 1)
    ordered = np.partition(ranks, (low, high), axis=0)
    return ordered[low], ordered[high]


def percentiles(expected_rank: Floats) -> Floats:
    """100 (expected rank − ½)/J."""
    return 100.0 * (expected_rank - 0.5) / max(len(expected_rank), 1)

"""What the posterior says of ranks beyond the expected one: intervals, top and bottom shares, pairs.

Laird & Louis 1989 (J Educ Stat 14); Lin, Louis, Paddock & Ridgeway 2006 (Bayesian Anal 1). Rank 1 is the lowest effect.
Ranks of many providers are drawn one draw at a time by counting values into fine bins instead of sorting them; of each
provider only the position in 65,535ths is kept.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.mixture import EffectMixture, draw_effects
from profiling.assessment.rank_grid import expected_ranks_on_grid
from profiling.assessment.ranks import expected_ranks, percentiles

ALL_PAIRS_UP_TO = 5000
POSITIONS = 65535
BINS_A_PROVIDER, MOST_BINS = 4, 1 << 18
QUANTILE_CELLS = 4096
TILE = 64  # providers whose counts stay in the nearest cache
GROUPS = {"bottom_tenth": 0.1, "bottom_fifth": 0.2, "top_fifth": -0.2, "top_tenth": -0.1}


def posterior_ranks(
    effect: Floats, sd: Floats, draws: int = 1000, seed: int = 0, level: float = 0.95, joint: Floats | None = None
) -> pd.DataFrame:
    """expected_rank, rank_lower, rank_upper, percentile, bottom_tenth, bottom_fifth, top_fifth, top_tenth by provider.

    effect, sd (J,): posterior means and standard deviations, taken as independent; joint (draws, J): draws of all
    effects together instead. The last four columns are the probabilities to lie among the lowest or highest tenth or
    fifth. Expected ranks are exact over all pairs up to 5,000 providers, within 1e-4 J beyond; with joint draws they
    are means of drawn ranks.
    """
    positions = _positions_of(joint) if joint is not None else _drawn_positions(effect, sd, draws, seed)
    count = positions.shape[1]
    if joint is not None:
        expected = positions.mean(axis=0, dtype=np.float64) / POSITIONS * count + 0.5
    elif count <= ALL_PAIRS_UP_TO:
        expected = expected_ranks(effect, sd**2)
    else:
        expected = expected_ranks_on_grid(effect, sd**2)
    low, high, shares = _summaries(positions, level)
    columns = {
        "expected_rank": expected,
        "rank_lower": _rank(low, count),
        "rank_upper": _rank(high, count),
        "percentile": percentiles(expected),
    }
    return pd.DataFrame(columns | shares)


def mixture_draws(mixture: EffectMixture, draws: int, seed: int) -> Floats:
    """Draws (draws, J) of all effects, each at one point of the lattice of variances."""
    generator = np.random.default_rng(seed)
    return np.stack([draw_effects(mixture, generator) for _ in range(draws)])


def probability_higher(effect: Floats, sd: Floats, a: int, b: int) -> float:
    """P(effect a > effect b) of two independent normal posteriors; one half where both are certain and equal."""
    spread = float(np.hypot(sd[a], sd[b]))
    difference = float(effect[a] - effect[b])
    return float(special.ndtr(difference / spread)) if spread > 0 else 0.5 * (1.0 + float(np.sign(difference)))


def probability_higher_by_draws(joint: Floats, a: int, b: int) -> float:
    """P(effect a > effect b) from joint draws (draws, J), ties one half."""
    return float(np.mean(joint[:, a] > joint[:, b]) + 0.5 * np.mean(joint[:, a] == joint[:, b]))


def _rank(position: npt.NDArray[np.uint16], count: int) -> Floats:
    return np.clip(np.rint(position.astype(np.float64) / POSITIONS * count + 0.5), 1, count)


def _positions_of(joint: Floats) -> npt.NDArray[np.uint16]:
    """Position (rank − ½)/J of each effect in each draw, in 65,535ths."""
    ranks = np.argsort(np.argsort(joint, axis=1, kind="stable"), axis=1, kind="stable")
    positions: npt.NDArray[np.uint16] = np.rint((ranks + 0.5) / joint.shape[1] * POSITIONS).astype(np.uint16)
    return positions


def _drawn_positions(effect: Floats, sd: Floats, draws: int, seed: int) -> npt.NDArray[np.uint16]:
    seeds = np.random.default_rng(seed).integers(0, 2**64, draws, dtype=np.uint64)
    reach = 6.0 * float(sd.max(initial=0.0)) + 1e-12
    bins = int(np.clip(BINS_A_PROVIDER * len(effect), 4096, MOST_BINS))
    if len(effect) <= ALL_PAIRS_UP_TO:
        generator = np.random.default_rng(seed)
        values = effect + sd * generator.standard_normal((draws, len(effect)))
        nearly = values + 1e-12 * reach * generator.standard_normal(values.shape)
        return _positions_of(np.asarray(nearly))
    table: npt.NDArray[np.uint16] = _count_positions(
        effect, sd, seeds, float(effect.min()) - reach, float(effect.max()) + reach, bins, _quantiles()
    )
    return table


def _quantiles() -> Floats:
    """Ends of equally likely cells of the normal distribution, within which it is taken as even; those of the outermost
    two lie where their means are right (±4)."""
    ends = special.ndtri(np.arange(QUANTILE_CELLS + 1) / QUANTILE_CELLS)
    tail = np.exp(-0.5 * ends[-2] ** 2) / np.sqrt(2.0 * np.pi) * QUANTILE_CELLS
    ends[-1] = 2.0 * tail - ends[-2]
    ends[0] = -ends[-1]
    return np.asarray(ends)


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _count_positions(effect: Any, sd: Any, seeds: Any, first: float, last: float, bins: int, ends: Any) -> Any:
    """Positions (draws, J): providers in lower bins and half of those in the own one."""
    count = effect.shape[0]
    table = np.empty((seeds.shape[0], count), dtype=np.uint16)
    scale = bins / (last - first)
    for d in numba.prange(seeds.shape[0]):
        counts = np.zeros(bins + 1, dtype=np.int32)
        place = np.empty(count, dtype=np.int32)
        state = seeds[d]
        for j in range(count):
            # splitmix64 (Steele, Lea & Flood 2014): twelve bits choose the cell, the others the place in it.
            state += np.uint64(0x9E3779B97F4A7C15)
            z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
            cell = np.int64(z >> np.uint64(52))
            share = np.float64(z & np.uint64(0xFFFFFFFFFFFFF)) * 2.0**-52
            normal = ends[cell] + share * (ends[cell + 1] - ends[cell])
            place[j] = min(max(int((effect[j] + sd[j] * normal - first) * scale), 0), bins - 1)
            counts[place[j] + 1] += 1
        position = np.empty(bins, dtype=np.uint16)
        for b in range(bins):
            counts[b + 1] += counts[b]
            position[b] = np.uint16(0.5 * (counts[b] + counts[b + 1]) / count * POSITIONS + 0.5)
        for j in range(count):
            table[d, j] = position[place[j]]
    return table


def _summaries(
    positions: npt.NDArray[np.uint16], level: float
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16], dict[str, Floats]]:
    """Lower and upper position of each provider that hold `level` of its draws, and its shares of draws by group."""
    draws = len(positions)
    low_at = max(int(np.ceil((1.0 - level) / 2.0 * draws)) - 1, 0)
    high_at = min(int(np.ceil((1.0 + level) / 2.0 * draws)) - 1, draws - 1)
    places = np.arange(POSITIONS + 1)
    groups = {name: _group(places, share) for name, share in GROUPS.items()}
    found, inside = _count_summaries(positions, np.array([low_at, high_at]), np.array(list(groups.values())), TILE)
    return found[0], found[1], {name: inside[k] / draws for k, name in enumerate(groups)}


def _group(places: Integers, share: float) -> tuple[int, int]:
    """First and last position of the lowest (share > 0) or highest (share < 0) group."""
    inside = np.flatnonzero(places < share * POSITIONS if share > 0 else places > (1.0 + share) * POSITIONS)
    return int(inside[0]), int(inside[-1])


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _count_summaries(positions: Any, wanted: Any, groups: Any, tile: int) -> Any:
    """Order statistics (len(wanted), J) and draws within groups (len(groups), J) of positions (draws, J).

    An order statistic is found by counting high bytes, then the low bytes of those that share its high byte.
    """
    draws, count = positions.shape
    found = np.empty((wanted.shape[0], count), dtype=np.uint16)
    inside = np.zeros((groups.shape[0], count), dtype=np.int32)
    for block in numba.prange((count + tile - 1) // tile):
        first, last = block * tile, min((block + 1) * tile, count)
        high = np.zeros((last - first, 256), dtype=np.int32)
        own = np.empty((last - first, draws), dtype=np.uint16)
        for d in range(draws):
            for j in range(first, last):
                value = positions[d, j]
                own[j - first, d] = value
                high[j - first, value >> 8] += 1
                for g in range(groups.shape[0]):
                    inside[g, j] += groups[g, 0] <= value <= groups[g, 1]
        low = np.empty(256, dtype=np.int32)
        for j in range(first, last):
            for w in range(wanted.shape[0]):
                byte, left = 0, wanted[w]
                while left >= high[j - first, byte]:
                    left -= high[j - first, byte]
                    byte += 1
                low[:] = 0
                for d in range(draws):
                    if own[j - first, d] >> 8 == byte:
                        low[own[j - first, d] & 255] += 1
                part = 0
                while left >= low[part]:
                    left -= low[part]
                    part += 1
                found[w, j] = byte * 256 + part
    return found, inside

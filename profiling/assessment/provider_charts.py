"""Risk-adjusted CUSUM charts of all providers at once (Steiner, Cook, Farewell & Treasure 2000, Biostatistics 1).

One pass over the cases, sorted by provider and time; the limit of each provider's chart from simulated outcomes of its
own patients. `monitoring` has the chart of a single series, with the same weights.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.monitoring import cusum_weights

MOST_DRAWS, LEAST_DRAWS, BUDGET = 2000, 200, 2e7


def provider_cusum(
    observed: Floats, risk: Floats, starts: Integers, odds_ratio: float, limit: Floats, counts: bool = False
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The sum after each case (n,) and whether it passed its provider's limit (J,); it starts anew after a signal.

    observed 0/1 (or counts) and risk (their means) (n,) sorted by provider (first rows `starts`) and time; odds_ratio
    (of counts the ratio of rates) above 1 looks for more events, below 1 for fewer.
    """
    path, signal = _paths(cusum_weights(observed, risk, odds_ratio, counts), starts, limit)
    return path, signal


def provider_limits(
    risk: Floats,
    starts: Integers,
    odds_ratios: tuple[float, ...],
    false_alarm: float,
    seed: int,
    counts: bool = False,
) -> Floats:
    """Limits (J, R) that a provider at the norm passes on these cases, in their order, with probability `false_alarm`.

    The quantile of the largest sum of 200 to 2,000 series of outcomes drawn from the risks, the same series for every
    odds ratio; the Monte Carlo error in probability is √(α(1 − α)/draws).
    """
    draws = int(np.clip(BUDGET / max(len(risk), 1), LEAST_DRAWS, MOST_DRAWS))
    seeds = np.random.default_rng(seed).integers(0, 2**32, len(starts) - 1)
    none = np.stack([cusum_weights(np.zeros_like(risk), risk, ratio, counts) for ratio in odds_ratios], axis=1)
    place = min(int(np.ceil((1.0 - false_alarm) * (draws - 1))), draws - 1)
    found: Floats = _limits(risk, none, np.log(np.array(odds_ratios)), starts, draws, place, seeds, counts)
    return found


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _paths(weight: Any, starts: Any, limit: Any) -> Any:
    path, signal = np.empty(weight.shape[0]), np.zeros(weight.shape[0], dtype=np.bool_)
    for j in numba.prange(starts.shape[0] - 1):
        total = 0.0
        for i in range(starts[j], starts[j + 1]):
            total = max(0.0, total + weight[i])
            path[i], signal[i] = total, total > limit[j]
            if signal[i]:
                total = 0.0
    return path, signal


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _drawn(mean: float, counts: bool) -> float:
    if counts:
        return float(np.random.poisson(mean))  # noqa: NPY002
    return 1.0 if np.random.random() < mean else 0.0  # noqa: NPY002


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _limits(
    risk: Any, none: Any, gain: Any, starts: Any, draws: int, place: int, seeds: Any, counts: bool
) -> Any:
    """Weight of a case without an event: none (n, R); with each log R more."""
    charts = gain.shape[0]
    found = np.empty((starts.shape[0] - 1, charts))
    for j in numba.prange(starts.shape[0] - 1):
        np.random.seed(seeds[j])  # noqa: NPY002 - numba's generator, one state a provider
        largest = np.zeros((charts, draws))
        total = np.zeros(charts)
        for d in range(draws):
            total[:] = 0.0
            for i in range(starts[j], starts[j + 1]):
                events = _drawn(risk[i], counts)
                for r in range(charts):
                    total[r] = max(0.0, total[r] + none[i, r] + gain[r] * events)
                    largest[r, d] = max(largest[r, d], total[r])
        for r in range(charts):
            found[j, r] = np.sort(largest[r])[place]
    return found

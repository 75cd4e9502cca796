"""Risk-adjusted CUSUM charts of all providers at once (Steiner, Cook, Farewell & Treasure 2000, Biostatistics 1).

One pass over the cases, sorted by provider and time; the limit of each provider's chart from simulated years of its own
case mix. `monitoring` has the chart of a single series, with the same weights.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.monitoring import cusum_weights

MOST_DRAWS, LEAST_DRAWS, BUDGET = 2000, 500, 1e8


def provider_cusum(
    observed: Floats, risk: Floats, starts: Integers, odds_ratio: float, limit: Floats
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The sum after each case (n,) and whether it passed its provider's limit (J,); it starts anew after a signal.

    observed 0/1 and risk (n,) sorted by provider (first rows `starts`) and time; odds_ratio above 1 looks for more
    events, below 1 for fewer.
    """
    path, signal = _paths(cusum_weights(observed, risk, odds_ratio), starts, limit)
    return path, signal


def provider_limits(
    risk: Floats, starts: Integers, cases: Integers, odds_ratios: tuple[float, ...], false_alarm: float, seed: int
) -> Floats:
    """Limits (J, R) that a provider at the norm passes within `cases` (J,) cases with probability `false_alarm`.

    As `monitoring.cusum_limit`: cases drawn from the provider's own risks with replacement, outcomes from the risk, the
    quantile of the largest sum; 500 to 2,000 series a provider, the same for every odds ratio.
    """
    draws = int(np.clip(BUDGET / max(float(cases.sum()), 1.0), LEAST_DRAWS, MOST_DRAWS))
    seeds = np.random.default_rng(seed).integers(0, 2**32, len(cases))
    none = np.stack([cusum_weights(np.zeros_like(risk), risk, ratio) for ratio in odds_ratios], axis=1)
    place = min(int(np.ceil((1.0 - false_alarm) * (draws - 1))), draws - 1)
    found: Floats = _limits(risk, none, np.log(np.array(odds_ratios)), starts, cases, draws, place, seeds)
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


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _limits(
    risk: Any, none: Any, gain: Any, starts: Any, cases: Any, draws: int, place: int, seeds: Any
) -> Any:
    """Weight of a case without the event: none (n, R); with it log R more."""
    charts = gain.shape[0]
    found = np.empty((cases.shape[0], charts))
    for j in numba.prange(cases.shape[0]):
        np.random.seed(seeds[j])  # noqa: NPY002 - numba's generator, one state a provider
        first, size = starts[j], starts[j + 1] - starts[j]
        largest = np.zeros((charts, draws))
        for d in range(draws):
            total = np.zeros(charts)
            for _ in range(cases[j]):
                i = first + np.random.randint(0, size)  # noqa: NPY002
                event = np.random.random() < risk[i]  # noqa: NPY002
                for r in range(charts):
                    total[r] = max(0.0, total[r] + none[i, r] + (gain[r] if event else 0.0))
                    largest[r, d] = max(largest[r, d], total[r])
        for r in range(charts):
            found[j, r] = np.sort(largest[r])[place]
    return found

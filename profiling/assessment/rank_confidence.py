"""Confidence sets for ranks, and estimates that serve effects, ranks and their histogram at once."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from profiling.assessment.bisection import rising_root
from profiling.assessment.fitted import Floats
from profiling.assessment.ranks import expected_ranks
from profiling.errors import ModelError, Problem

MOST_PROVIDERS = 5000
Pairs = npt.NDArray[np.bool_]


def simultaneous_rank_sets(
    estimate: Floats,
    standard_error: Floats,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    stepwise: bool = True,
) -> pd.DataFrame:
    """Rank_lower and rank_upper that hold every provider's true rank at once with probability `level`.

    estimate (J,): unshrunken estimates, independent and normal with `standard_error`. A rank is at least one plus the
    providers surely lower, at most J less those surely higher; j is surely higher than k where (θ̂_j − θ̂_k)/se_jk is
    beyond the quantile, by `draws` draws, of the largest studentized difference among the pairs not yet told apart:
    pairs are tested again, against fewer others, until none is added (Mogstad, Romano, Shaikh & Wilhelm 2024, Rev Econ
    Stud 91, section 3; Romano & Wolf 2005 for the steps; `stepwise` False: the first step alone). To 5,000 providers;
    ModelError beyond.
    """
    count = len(estimate)
    if count > MOST_PROVIDERS:
        raise ModelError(Problem("rank sets", f"{count} providers", f"at most {MOST_PROVIDERS}", "Use rank intervals"))
    if not (np.isfinite(standard_error) & (standard_error > 0)).all():
        raise ModelError(Problem("standard errors", "some that are not positive", "positive numbers"))
    apart = np.zeros((count, count), dtype=np.bool_)
    told = -1
    while told < int(apart.sum()) and (stepwise or told < 0):
        told = int(apart.sum())
        generator = np.random.default_rng(seed)
        largest = [_largest_difference(generator.standard_normal(count), standard_error, apart) for _ in range(draws)]
        _tell_apart(estimate, standard_error, float(np.quantile(largest, level, method="higher")), apart)
    return pd.DataFrame({"rank_lower": 1 + apart.sum(axis=1), "rank_upper": count - apart.sum(axis=0)})


def _largest_difference(z: Floats, se: Floats, apart: Pairs) -> float:
    order = np.argsort(-np.abs(z))
    return float(_pruned_maximum(z[order], se[order], order, apart))


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _pruned_maximum(z: Any, se: Any, place: Any, apart: Any) -> float:
    """max (z_j s_j − z_k s_k) / √(s_j² + s_k²) over ordered pairs not told apart, which is at most √(z_j² + z_k²): |z|
    falling, few pairs are tried."""
    best = 0.0
    for j in range(z.shape[0]):
        for k in range(j + 1, z.shape[0]):
            if z[j] ** 2 + z[k] ** 2 <= best**2:
                break
            found = (z[j] * se[j] - z[k] * se[k]) / np.sqrt(se[j] ** 2 + se[k] ** 2)
            higher, lower = (place[j], place[k]) if found > 0.0 else (place[k], place[j])
            if not apart[higher, lower]:
                best = max(best, abs(found))
        if j + 1 < z.shape[0] and z[j] ** 2 + z[j + 1] ** 2 <= best**2:
            break
    return float(best)


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _tell_apart(estimate: Any, se: Any, critical: float, apart: Any) -> None:
    """Mark the pairs (higher, lower) whose difference is beyond the critical value."""
    for j in numba.prange(estimate.shape[0]):
        for k in range(estimate.shape[0]):
            if k != j and estimate[j] - estimate[k] > critical * np.sqrt(se[j] ** 2 + se[k] ** 2):
                apart[j, k] = True


def triple_goal(effect: Floats, sd: Floats) -> Floats:
    """Estimates (J,) whose histogram estimates that of the true effects and whose ranks are the optimal ones.

    effect, sd (J,): posterior means and standard deviations. With Ḡ(t) = mean_i Φ((t − m_i)/s_i) and R̂_j the rank of
    the posterior expected rank, the estimate is Ḡ⁻¹((2R̂_j − 1)/2J) (Shen & Louis 1998, J R Stat Soc B 60).
    """
    count = len(effect)
    ranks = np.argsort(np.argsort(expected_ranks(effect, sd**2), kind="stable"), kind="stable") + 1
    wanted = (2.0 * ranks - 1.0) / (2.0 * count)
    reach = 10.0 * float(sd.max(initial=0.0))
    safe = np.maximum(sd, 1e-12)

    def distance(t: Floats) -> Floats:
        order = np.argsort(t)
        sums = np.empty(count)
        for a in range(0, count, 500):
            part = order[a : a + 500]
            sums[part] = special.ndtr((t[part, None] - effect) / safe).mean(axis=1)
        return sums - wanted

    return rising_root(distance, np.full(count, effect.min() - reach), np.full(count, effect.max() + reach))

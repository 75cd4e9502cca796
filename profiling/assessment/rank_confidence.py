"""Confidence sets for ranks, and estimates that serve effects, ranks and their histogram at once."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pandas as pd
from scipy import special

from profiling.assessment.bisection import rising_root
from profiling.assessment.fitted import Floats
from profiling.assessment.ranks import expected_ranks
from profiling.errors import ModelError, Problem

MOST_PROVIDERS = 5000


def simultaneous_rank_sets(
    estimate: Floats, standard_error: Floats, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Rank_lower and rank_upper that hold every provider's true rank at once with probability `level`.

    estimate (J,): unshrunken estimates, independent and normal with `standard_error`. All differences have
    simultaneous intervals (θ̂_j − θ̂_k) ± c se_jk, c the quantile of the largest |studentized difference| by `draws`
    draws; a rank is at least one plus the providers surely lower, at most J less those surely higher (Mogstad, Romano,
    Shaikh & Wilhelm 2024, Rev Econ Stud 91, section 3; single step, two-sided). To 5,000 providers; ModelError beyond.
    """
    count = len(estimate)
    if count > MOST_PROVIDERS:
        raise ModelError(Problem("rank sets", f"{count} providers", f"at most {MOST_PROVIDERS}", "Use rank intervals"))
    if not (np.isfinite(standard_error) & (standard_error > 0)).all():
        raise ModelError(Problem("standard errors", "some that are not positive", "positive numbers"))
    generator = np.random.default_rng(seed)
    largest = np.array([_largest_difference(generator.standard_normal(count), standard_error) for _ in range(draws)])
    critical = float(np.quantile(largest, level, method="higher"))
    lower, higher = _surely(estimate, standard_error, critical)
    return pd.DataFrame({"rank_lower": 1 + lower, "rank_upper": count - higher})


def _largest_difference(z: Floats, se: Floats) -> float:
    order = np.argsort(-np.abs(z))
    return float(_pruned_maximum(z[order], se[order]))


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _pruned_maximum(z: Any, se: Any) -> float:
    """max |z_j s_j − z_k s_k| / √(s_j² + s_k²), which is at most √(z_j² + z_k²): |z| falling, few pairs are tried."""
    best = 0.0
    for j in range(z.shape[0]):
        for k in range(j + 1, z.shape[0]):
            if z[j] ** 2 + z[k] ** 2 <= best**2:
                break
            found = abs(z[j] * se[j] - z[k] * se[k]) / np.sqrt(se[j] ** 2 + se[k] ** 2)
            best = max(best, found)
        if j + 1 < z.shape[0] and z[j] ** 2 + z[j + 1] ** 2 <= best**2:
            break
    return float(best)


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _surely(estimate: Any, se: Any, critical: float) -> Any:
    count = estimate.shape[0]
    lower, higher = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for j in numba.prange(count):
        for k in range(count):
            room = critical * np.sqrt(se[j] ** 2 + se[k] ** 2)
            if k != j and estimate[j] - estimate[k] > room:
                lower[j] += 1
            if k != j and estimate[k] - estimate[j] > room:
                higher[j] += 1
    return lower, higher


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

"""Tests of a provider's fixed effect against the median provider, and where they differ from the random-effect flags.

With p_i = expit(γ_M + x_iβ̂), γ_M the median intercept, E = Σp_i, and V = Σp_i(1 − p_i):

  score z      (O − E)/√V                             exists for every provider
  Wald z       (γ̂_j − γ_M)/se(γ̂_j)                    missing where γ̂ is infinite
  exact        two-sided mid-p of the Poisson-binomial distribution of O
  bootstrap    the same from drawn outcomes (the bootstrap-exact test)

He, Kalbfleisch, Li & Li 2013 (Lifetime Data Anal 19).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pandas as pd
from scipy import special

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.fixed_effects import LARGEST_LOGIT, FixedEffects
from profiling.assessment.poisson_binomial import exact_test

BORDERLINE = 3.0  # probabilities within this factor of the limit on both sides


def fixed_effect_tests(
    fixed: FixedEffects, level: float = 0.95, norm: float | None = None, draws: int = 0, seed: int = 0
) -> pd.DataFrame:
    """One row a provider: n, observed, expected, oe_ratio, gamma, gamma_se, score_z, wald_z, exact_p, flag, extreme.

    norm: the intercept that stands for the norm; None: the median. draws > 0 adds bootstrap_p. flag: 1 more events
    than the norm, −1 fewer, 0 neither, by the exact test at 1 − level. extreme: "no_events", "all_events" or "".
    """
    reference = fixed.norm if norm is None else norm
    p = special.expit(np.clip(reference + fixed.case_mix, -LARGEST_LOGIT, LARGEST_LOGIT))
    observed, expected = (np.add.reduceat(values, fixed.starts[:-1]) for values in (fixed.outcome, p))
    variance = np.add.reduceat(p * (1.0 - p), fixed.starts[:-1])
    exact = exact_test(p, fixed.starts, observed)
    finite = np.isfinite(fixed.gamma)
    wald = np.full(len(finite), np.nan)
    wald[finite] = (fixed.gamma[finite] - reference) / fixed.gamma_se[finite]
    probability, higher = exact.two_sided_mid_p, exact.upper_mid_p < exact.lower_mid_p
    frame = pd.DataFrame(
        {
            "provider": fixed.labels,
            "n": np.diff(fixed.starts),
            "observed": observed,
            "expected": expected,
            "oe_ratio": observed / expected,
            "gamma": fixed.gamma,
            "gamma_se": fixed.gamma_se,
            "score_z": (observed - expected) / np.sqrt(variance),
            "wald_z": wald,
            "exact_p": probability,
            "flag": np.where(probability < round(1.0 - level, 12), np.where(higher, 1, -1), 0),
            "extreme": np.where(finite, "", np.where(fixed.gamma > 0, "all_events", "no_events")).astype(object),
        }
    )
    if draws:
        frame["bootstrap_p"] = bootstrap_exact(p, fixed.starts, observed, draws, seed)
    return frame


def bootstrap_exact(p: Floats, starts: Integers, observed: Floats, draws: int, seed: int) -> Floats:
    """Two-sided mid-p (J,) from `draws` outcomes drawn under the norm; each provider has its own random numbers."""
    seeds = np.random.default_rng(seed).integers(1, 2**63, len(starts) - 1, dtype=np.uint64)
    return np.asarray(_drawn_mid_p(p, starts, observed, draws, seeds))


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _drawn_mid_p(p: Any, starts: Any, observed: Any, draws: int, seeds: Any) -> Any:
    result = np.empty(observed.shape[0])
    for j in numba.prange(observed.shape[0]):
        state = seeds[j]
        above, equal = 0, 0
        for _ in range(draws):
            total = 0
            for i in range(starts[j], starts[j + 1]):
                # xorshift64* (Vigna 2016): a state of its own a provider, whatever thread it falls to.
                state ^= state >> np.uint64(12)
                state ^= state << np.uint64(25)
                state ^= state >> np.uint64(27)
                uniform = float((state * np.uint64(2685821657736338717)) >> np.uint64(11)) * 2.0**-53
                total += uniform < p[i]
            above += total > observed[j]
            equal += total == observed[j]
        upper = (above + 0.5 * equal) / draws
        result[j] = 2.0 * min(upper, 1.0 - upper)
    return result


def fixed_against_random(tests: pd.DataFrame, profile: pd.DataFrame, limit: float = 0.05) -> pd.DataFrame:
    """Where the fixed-effect flag and the random-effect category of the same providers differ, and why.

    tests: `fixed_effect_tests`; profile: `profile_providers`. Columns provider, n, observed, fixed_flag, random_flag,
    exact_p, random_p (two-sided, of the profile's posterior), reliability, agree, why: "" where they agree, else
    too_few (the profile judges no provider so small), infinite (no events, or nothing else: shrinkage decides), norm
    (against the average provider the exact test agrees with the random effect: the median differs from it),
    borderline (both within a factor 3 of the limit), shrinkage (the effect is drawn to the average, reliability below
    one).
    """
    both = tests.merge(
        profile[["provider", "category", "probability_above", "probability_by_chance", "z", "reliability"]],
        on="provider",
        validate="one_to_one",
    )
    above = both["probability_above"].to_numpy()
    random_p = 2.0 * np.minimum(above, 1.0 - above)
    judged = (both["category"] != "too_few").to_numpy()
    random_flag = np.where(judged & (random_p < limit), np.where(above > 0.5, 1, -1), 0)
    average = np.where(both["probability_by_chance"] < limit, np.sign(both["z"]), 0)
    exact, fixed_flag = both["exact_p"].to_numpy(), both["flag"].to_numpy()
    near = (np.maximum(exact, random_p) < limit * BORDERLINE) & (np.minimum(exact, random_p) > limit / BORDERLINE)
    reasons = [
        (fixed_flag == random_flag, ""),
        (~judged, "too_few"),
        ((both["extreme"] != "").to_numpy(), "infinite"),
        (average == random_flag, "norm"),
        (near, "borderline"),
    ]
    why = np.select([holds for holds, _ in reasons], [name for _, name in reasons], "shrinkage")
    return pd.DataFrame(
        {
            "provider": both["provider"],
            "n": both["n"],
            "observed": both["observed"],
            "fixed_flag": fixed_flag,
            "random_flag": random_flag,
            "exact_p": exact,
            "random_p": random_p,
            "reliability": both["reliability"],
            "agree": fixed_flag == random_flag,
            "why": why.astype(object),
        }
    )

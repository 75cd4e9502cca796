"""Providers over time: risk-adjusted CUSUM, VLAD, EWMA, and whether one period tells of the next."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pandas as pd
from scipy import stats

from profiling.assessment.fitted import Floats
from profiling.errors import ModelError, Problem

FEWEST_DRAWS = 100


def cusum_weights(observed: Floats, risk: Floats, odds_ratio: float, counts: bool = False) -> Floats:
    """log of the likelihood ratio of odds multiplied by `odds_ratio` against 1, by case (n,) in the order of time.

    W = y log R − log(1 − p + R p) (Steiner, Cook, Farewell & Treasure 2000, Biostatistics 1, eq. 2); of counts with
    means `risk` that of means multiplied by R, W = y log R − (R − 1) p (Lucas 1985, Technometrics 27).
    """
    _check_risk(risk, counts)
    if not odds_ratio > 0 or odds_ratio == 1:
        raise ModelError(Problem("odds_ratio", f"{odds_ratio:g}", "a positive number other than 1"))
    missed = (odds_ratio - 1.0) * risk if counts else np.log1p((odds_ratio - 1.0) * risk)
    return np.asarray(observed * np.log(odds_ratio) - missed)


def cusum(observed: Floats, risk: Floats, odds_ratio: float = 2.0, limit: float = np.inf) -> pd.DataFrame:
    """case, weight, cusum = max(0, previous + weight), signal; after a signal the sum starts again at zero.

    odds_ratio above 1 looks for worse, below 1 for better outcomes.
    """
    weight = cusum_weights(observed, risk, odds_ratio)
    path, signal = _accumulate(weight, limit)
    return pd.DataFrame({"case": np.arange(1, len(path) + 1), "weight": weight, "cusum": path, "signal": signal})


def cusum_limit(
    risk: Floats, odds_ratio: float, cases: int, false_alarm: float = 0.05, draws: int = 10_000, seed: int = 0
) -> float:
    """The limit that a provider at the norm passes within `cases` cases with probability `false_alarm`.

    Cases are drawn from `risk` with replacement and their outcomes from the risk; the limit is the quantile of the
    largest sum of `draws` simulated series (its Monte Carlo error in probability is √(α(1 − α)/draws)).
    """
    _check_risk(risk)
    if draws < FEWEST_DRAWS or not 0 < false_alarm < 1:
        raise ModelError(Problem("cusum limit", f"{draws} draws, {false_alarm:g}", "100 or more, 0 to 1"))
    cusum_weights(risk, risk, odds_ratio)
    seeds = np.random.default_rng(seed).integers(0, 2**32, draws)
    return float(np.quantile(_largest_sums(risk, odds_ratio, cases, seeds), 1.0 - false_alarm, method="higher"))


def vlad(observed: Floats, risk: Floats) -> Floats:
    """Variable life-adjusted display: cumulated expected less observed events (n,) (Lovegrove et al. 1997, Lancet)."""
    return np.asarray(np.cumsum(risk - observed))


def ewma(observed: Floats, risk: Floats, weight: float = 0.02, level: float = 0.998) -> pd.DataFrame:
    """observed, expected, lower, upper: exponentially weighted means and limits of the observed one at the norm.

    Z_t = λ y_t + (1 − λ) Z_{t−1}, the expected series likewise from the risk, both started at the mean risk; variance
    λ²p(1−p) + (1 − λ)² Var_{t−1} (Grigg & Spiegelhalter 2007, J R Stat Soc A 170, for the risk-adjusted form).
    """
    _check_risk(risk)
    if not 0 < weight <= 1:
        raise ModelError(Problem("weight", f"{weight:g}", "above 0, at most 1"))
    series = _smooth(observed, risk, weight)
    half = float(stats.norm.ppf(0.5 + level / 2)) * np.sqrt(series[2])
    lower, upper = np.clip(series[1] - half, 0, 1), np.clip(series[1] + half, 0, 1)
    return pd.DataFrame({"observed": series[0], "expected": series[1], "lower": lower, "upper": upper})


def period_correlation(
    first: Floats, first_se: Floats, second: Floats, second_se: Floats, draws: int = 1000, seed: int = 0
) -> pd.Series:
    """correlation of true effects in two periods, lower, upper, observed: of providers' unshrunken estimates (J,).

    Cov(θ̂₁, θ̂₂)/√((Var θ̂₁ − mean v₁)(Var θ̂₂ − mean v₂)): sampling errors of two periods are independent (Spearman 1904).
    The interval is the percentile one over providers drawn with replacement; NaN where a period shows no differences
    beyond chance.
    """
    table = np.stack([first, second, np.square(first_se), np.square(second_se)])
    generator, count = np.random.default_rng(seed), table.shape[1]
    found = np.array([_corrected(table[:, generator.integers(0, count, count)]) for _ in range(draws)])
    known = found[np.isfinite(found)]
    limits = np.quantile(known, [0.025, 0.975]) if len(known) > draws / 2 else np.full(2, np.nan)
    observed = float(np.corrcoef(first, second)[0, 1])
    values = [_corrected(table), limits[0], limits[1], observed]
    return pd.Series(values, index=["correlation", "lower", "upper", "observed"])


def _corrected(table: Floats) -> float:
    covariance = np.cov(table[:2])
    signal = np.diag(covariance) - table[2:].mean(axis=1)
    return float(np.clip(covariance[0, 1] / np.sqrt(signal.prod()), -1, 1)) if (signal > 0).all() else float("nan")


def _check_risk(risk: Floats, counts: bool = False) -> None:
    if not (risk > 0).all() or not (counts or (risk < 1).all()):
        wanted = ("above 0", "expected counts") if counts else ("between 0 and 1", "predicted probabilities")
        raise ModelError(Problem("risk", f"values that are not {wanted[0]}", wanted[1]))


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _accumulate(weight: Any, limit: float) -> Any:
    path, signal, total = np.empty(len(weight)), np.zeros(len(weight), dtype=np.bool_), 0.0
    for i in range(len(weight)):
        total = max(0.0, total + weight[i])
        path[i], signal[i] = total, total > limit
        if signal[i]:
            total = 0.0
    return path, signal


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _largest_sums(risk: Any, odds_ratio: float, cases: int, seeds: Any) -> Any:
    largest, gain = np.empty(seeds.shape[0]), np.log(odds_ratio)
    for d in numba.prange(seeds.shape[0]):
        np.random.seed(seeds[d])  # noqa: NPY002 - numba's generator, one state a series
        total, top = 0.0, 0.0
        for _ in range(cases):
            p = risk[np.random.randint(0, len(risk))]  # noqa: NPY002
            event = np.random.random() < p  # noqa: NPY002
            total = max(0.0, total + (gain if event else 0.0) - np.log1p((odds_ratio - 1.0) * p))
            top = max(top, total)
        largest[d] = top
    return largest


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _smooth(observed: Any, risk: Any, weight: float) -> Any:
    series = np.empty((3, len(risk)))
    z, e, v = risk.mean(), risk.mean(), 0.0
    for i in range(len(risk)):
        z = weight * observed[i] + (1.0 - weight) * z
        e = weight * risk[i] + (1.0 - weight) * e
        v = weight**2 * risk[i] * (1.0 - risk[i]) + (1.0 - weight) ** 2 * v
        series[0, i], series[1, i], series[2, i] = z, e, v
    return series

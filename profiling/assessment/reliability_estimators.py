"""Reliability by its named estimators: how much of the difference between providers' figures is signal.

Each returns one value a provider (J,) between 0 and 1, or one for the measure as a whole. They answer different
questions and differ on the same data; a figure without its estimator's name says little (Nieser & Harris 2024).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from profiling.assessment.fitted import Floats, Integers
from profiling.errors import ModelError, Problem

TARGET = 0.7
LOGISTIC = np.pi**2 / 3.0


def latent_reliability(variance: float, risk: Floats, starts: Integers) -> Floats:
    """σ²/(σ² + 1/Σp(1 − p)) on the scale of the logit: risk (n,) sorted by provider (Adams 2009)."""
    information = np.add.reduceat(risk * (1.0 - risk), starts[:-1])
    return np.asarray(variance * information / (variance * information + 1.0))


def latent_scale_reliability(variance: float, cases: Floats) -> Floats:
    """σ²/(σ² + (π²/3)/n): the latent-response form, which knows only the number of cases."""
    return np.asarray(variance / (variance + LOGISTIC / cases))


def delta_reliability(variance: float, risk: Floats, starts: Integers) -> Floats:
    """σ²/(σ² + v) carried to the scale of the rate: (σ p(1−p))² against p(1−p)/n at the provider's mean risk."""
    cases = np.diff(starts).astype(np.float64)
    mean = np.add.reduceat(risk, starts[:-1]) / cases
    between = variance * np.square(mean * (1.0 - mean))
    return np.asarray(between / (between + mean * (1.0 - mean) / cases))


def beta_binomial(events: Floats, cases: Floats) -> tuple[float, float]:
    """Maximum likelihood a and b of events ~ BetaBinomial(cases, a, b); infinite where rates do not differ."""
    rate = float(events.sum() / cases.sum())
    if not 0.0 < rate < 1.0:
        raise ModelError(Problem("events", "none, or nothing else", "rates between 0 and 1"))

    def loss(point: Any) -> float:
        mean, size = special.expit(point[0]), np.exp(point[1])
        a, b = mean * size, (1.0 - mean) * size
        return -float(np.sum(special.betaln(events + a, cases - events + b) - special.betaln(a, b)))

    found = optimize.minimize(loss, [special.logit(rate), np.log(20.0)], method="Nelder-Mead", tol=1e-10)
    mean, size = float(special.expit(found.x[0])), float(np.exp(found.x[1]))
    return (mean * size, (1.0 - mean) * size) if size < 1e8 else (np.inf, np.inf)


def beta_binomial_reliability(events: Floats, cases: Floats) -> Floats:
    """n/(n + a + b), a and b by maximum likelihood (Adams 2009); zeros where rates do not differ."""
    a, b = beta_binomial(events, cases)
    return np.asarray(cases / (cases + a + b))


def anova_components(outcome: Floats, starts: Integers) -> tuple[float, float]:
    """Variance between and within providers of an outcome (n,) sorted by provider, by mean squares (Donner 1986)."""
    size, count, n = np.diff(starts), len(starts) - 1, len(outcome)
    means = np.add.reduceat(outcome, starts[:-1]) / size
    within = float(np.sum(np.square(outcome - np.repeat(means, size)))) / (n - count)
    between = float(np.sum(size * np.square(means - outcome.mean()))) / (count - 1)
    typical = (n - float(np.sum(np.square(size))) / n) / (count - 1)
    return max((between - within) / typical, 0.0), within


def anova_reliability(outcome: Floats, starts: Integers) -> Floats:
    """σ²_b/(σ²_b + σ²_w/n), both from mean squares."""
    between, within = anova_components(outcome, starts)
    return np.asarray(between / (between + within / np.diff(starts)))


def inter_unit_reliability(outcome: Floats, starts: Integers, seed: int = 0, draws: int = 100) -> float:
    """(s²_t − s²_w)/s²_t of providers' means: s²_t weighted between variance, s²_w its bootstrap sampling part.

    He, Kalbfleisch, Yang, Fei & Kim 2019 (Lifetime Data Anal 25): within each provider cases are drawn with
    replacement; n' = (Σn − Σn²/Σn)/(J − 1) makes both comparable.
    """
    size, n = np.diff(starts).astype(np.float64), float(len(outcome))
    count = len(size)
    typical = (n - float(np.sum(size**2)) / n) / (count - 1)
    means = np.add.reduceat(outcome, starts[:-1]) / size
    total = float(np.sum(size * np.square(means - np.sum(size * means) / n))) / ((count - 1) * typical)
    generator, first = np.random.default_rng(seed), np.repeat(starts[:-1], np.diff(starts))
    width, drawn = np.repeat(size, np.diff(starts)), np.empty((draws, count))
    for draw in range(draws):
        chosen = first + (generator.random(len(outcome)) * width).astype(np.int64)
        drawn[draw] = np.add.reduceat(outcome[chosen], starts[:-1]) / size
    # A bootstrap within n cases has (n − 1)/n of the sampling variance.
    own = drawn.var(axis=0, ddof=1) * size / np.maximum(size - 1.0, 1.0)
    within = float(np.sum((size - 1.0) * own)) / float(np.sum(size - 1.0))
    return max(0.0, 1.0 - within / total) if total > 0 else 0.0


def split_sample_reliability(
    observed: Floats, expected: Floats, starts: Integers, splits: int = 50, seed: int = 0
) -> float:
    """ICC(2,1) of O/E in two random halves of each provider's cases, by Spearman-Brown for the whole, mean of splits.

    observed, expected (n,) sorted by provider; providers with fewer than two cases take no part (Hays et al. 2012;
    Nieser & Harris 2024).
    """
    size = np.diff(starts)
    generator, provider = np.random.default_rng(seed), np.repeat(np.arange(len(size)), size)
    found = []
    for _ in range(splits):
        order = np.lexsort((generator.random(len(observed)), provider))
        position = np.arange(len(observed)) - np.repeat(starts[:-1], size)
        # Providers of an odd size have their extra case in a half chosen by chance.
        turned = np.repeat(generator.integers(0, 2, len(size)), size)
        half = (position + turned) % 2
        sums = [
            [np.bincount(provider, np.where(half == h, v[order], 0.0), len(size)) for h in (0, 1)]
            for v in (observed, expected)
        ]
        used = size >= 2
        found.append(_icc(*(sums[0][h][used] / sums[1][h][used] for h in (0, 1))))
    icc = float(np.mean(found))
    return 2.0 * icc / (1.0 + icc) if icc > 0 else 0.0


def _icc(first: Floats, second: Floats) -> float:
    """One-way agreement of two measurements with a fixed shift between them (ICC(2,1), Shrout & Fleiss 1979)."""
    both = np.stack([first, second], axis=1)
    n, mean = len(both), float(both.mean())
    rows = 2.0 * float(np.sum(np.square(both.mean(axis=1) - mean))) / (n - 1)
    columns = n * float(np.sum(np.square(both.mean(axis=0) - mean)))
    error = (float(np.sum(np.square(both - mean))) - rows * (n - 1) - columns) / (n - 1)
    return (rows - error) / (rows + error + 2.0 * (columns - error) / n)


def cases_for(reliability: Floats, cases: Floats, target: float = TARGET) -> Floats:
    """Cases that give the target at the provider's own signal per case (Spearman-Brown); NaN without signal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = cases * (1.0 - reliability) / reliability * target / (1.0 - target)
    return np.where(np.isfinite(needed), needed, np.nan)


def reliability_table(values: dict[str, Floats], cases: Floats, target: float = TARGET) -> pd.DataFrame:
    """estimator, mean, lowest, q25, median, q75, highest, share_at_target, median_cases_for_target: one row each."""
    rows = []
    for name, own in values.items():
        quarters = np.quantile(own, [0.0, 0.25, 0.5, 0.75, 1.0])
        needed = cases_for(own, cases, target)
        typical = float(np.nanmedian(needed)) if np.isfinite(needed).any() else float("nan")
        rows.append([name, own.mean(), *quarters, np.mean(own >= target), typical])
    names = ["estimator", "mean", "lowest", "q25", "median", "q75", "highest"]
    return pd.DataFrame(rows, columns=[*names, "share_at_target", "median_cases_for_target"])


def variance_shares(components: dict[str, float], residual: float = LOGISTIC) -> pd.DataFrame:
    """level, variance, share: what part of the latent variance lies at each level, patients' own last."""
    every = {**components, "patients": residual}
    total = sum(every.values())
    return pd.DataFrame(
        {"level": list(every), "variance": list(every.values()), "share": [v / total for v in every.values()]}
    )


def simulated_misclassification(
    effect_sd: float, standard_error: Floats, cuts: Floats, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """tier, share, correct, one_off, further: how often providers truly in a tier are shown in it.

    True effects are drawn from N(0, effect_sd²), estimates with each provider's standard_error (J,) are shrunken;
    cuts: the shares (such as .2, .8) at which both lists are cut into tiers by rank (Adams, Mehrotra, Thomas &
    McGlynn 2010, N Engl J Med 362).
    """
    generator = np.random.default_rng(seed)
    count, tiers = len(standard_error), len(cuts) + 1
    shrink = effect_sd**2 / (effect_sd**2 + standard_error**2)
    table = np.zeros((tiers, tiers))
    edges = np.asarray(cuts) * count
    for _ in range(draws):
        truth = generator.normal(0.0, effect_sd, count)
        shown = shrink * (truth + standard_error * generator.standard_normal(count))
        a, b = (np.searchsorted(edges, np.argsort(np.argsort(v)) + 0.5) for v in (truth, shown))
        np.add.at(table, (a, b), 1.0)
    share = table.sum(axis=1) / table.sum()
    own = table / table.sum(axis=1, keepdims=True)
    distance = np.abs(np.arange(tiers)[:, None] - np.arange(tiers))
    sums = [
        (own * (distance == 0)).sum(axis=1),
        (own * (distance == 1)).sum(axis=1),
        (own * (distance > 1)).sum(axis=1),
    ]
    names = ("correct", "one_off", "further")
    columns = {"tier": np.arange(1, tiers + 1), "share": share}
    return pd.DataFrame(columns | dict(zip(names, sums, strict=True)))

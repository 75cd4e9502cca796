"""A composite of any kind on one scale, with the place of each provider among the others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from profiling.assessment.aggregates import shrink
from profiling.assessment.composites import latent_composite, opportunity_composite, weighted_composite
from profiling.assessment.fitted import Floats
from profiling.assessment.overdispersion import overdispersion
from profiling.assessment.rank_summary import posterior_ranks

RANKS = ("expected_rank", "rank_lower", "rank_upper", "percentile")


def composite_scores(
    kind: str, estimate: Floats, error: Floats, observed: Floats, expected: Floats, weights: Floats, seed: int = 0
) -> tuple[pd.DataFrame, Floats]:
    """measures, value, lower, upper, expected_rank, rank_lower, rank_upper, percentile by provider; a weight a measure.

    estimate, error (J, M): log ratios, worse higher, and their errors by chance; observed, expected (J, M); NaN where a
    measure does not apply. weighted: exp Σ w θ̂, a ratio. opportunity: ΣO/ΣE. latent: the posterior of the trait, in
    standard deviations of providers; the weights returned are its loadings. Ranks (1 is the lowest) are those of the
    posterior: shrunken where the kind is not a posterior itself. Raises ModelError where the kind cannot be had.
    """
    if kind == "latent":
        latent = latent_composite(estimate, error)
        effect, spread = (latent.scores[name].to_numpy() for name in ("estimate", "standard_error"))
        table = latent.scores[["measures", "lower", "upper"]].assign(value=effect)
        return _ranked(table, effect, spread, seed), latent.loadings
    if kind == "opportunity":
        total = opportunity_composite(observed, expected)
        posterior = shrink(np.rint(total["observed"].to_numpy()), total["expected"].to_numpy())
        table = total[["lower", "upper"]].assign(value=total["ratio"], measures=np.isfinite(observed).sum(axis=1))
        return _ranked(table, posterior.effect, posterior.effect_sd, seed), np.nansum(expected, axis=0)
    mean = weighted_composite(estimate, error, weights)
    centre, spread = mean["estimate"].to_numpy(), mean["standard_error"].to_numpy()
    limits = {name: np.exp(mean[name].to_numpy()) for name in ("lower", "upper")}
    table = pd.DataFrame(limits | {"value": np.exp(centre), "measures": mean["measures"]})
    return _ranked(table, *_shrunken(centre, spread), seed), weights / weights.sum()


def _shrunken(estimate: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Posterior means and standard deviations under one normal family, its variance by DerSimonian & Laird (1986)."""
    middle = float(np.average(estimate, weights=error**-2))
    variance = overdispersion((estimate - middle) / error, error, "keep").tau_squared
    weight = 1.0 / (error**2 + variance)
    centre, trust = float((weight * estimate).sum() / weight.sum()), variance * weight
    return centre + trust * (estimate - centre), np.sqrt(trust) * error


def _ranked(table: pd.DataFrame, effect: Floats, spread: Floats, seed: int) -> pd.DataFrame:
    ranks = posterior_ranks(effect, spread, seed=seed)
    columns = ["measures", "value", "lower", "upper"]
    return pd.concat([table[columns].reset_index(drop=True), ranks[list(RANKS)]], axis=1)

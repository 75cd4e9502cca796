"""The mixture that a fitted model's lattice of standard deviations makes of a provider's effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from profiling.assessment.fitted import FittedModel, Floats, variance_of
from profiling.assessment.mixture import EffectMixture, gaussian_mixture, logistic_mixture
from profiling.assessment.options import ProfileOptions
from profiling.assessment.rows import ProviderRows, means_by
from profiling.assessment.rows_of_fit import resolve_levels, statewide_sd
from profiling.assessment.standardization import provider_sums
from profiling.modeling.variance_grid import VarianceGrid, variance_grid

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


def grid_of(fit: FittedModel, provider: str) -> VarianceGrid | None:
    """The lattice of a fit that carries its design; None for any other, whose posterior is taken at its estimates."""
    if getattr(fit, "source", None) is None:
        return None
    return variance_grid(cast("MixedModelResult", fit), provider)


def effect_mixture(
    fit: FittedModel, provider: str, options: ProfileOptions, rows: ProviderRows, grid: VarianceGrid
) -> EffectMixture:
    """The effect that `rows` profiles, with the parameters integrated out by `grid`.

    Exact moments at each point for a single logistic random intercept, else the normal of mode and curvature.
    """
    sigma = grid.sd_of(provider, float(np.sqrt(variance_of(fit, provider))))
    mode, sd, sd_beta = (grid.table(provider, kind) for kind in ("mode", "sd", "sd_beta"))
    if rows.single and rows.family == "binomial" and rows.link == "logit":
        observed = provider_sums(rows.observed, rows.starts)
        return logistic_mixture(grid.weight, sigma, mode, sd_beta, rows.eta, observed, rows.starts)
    outer, inner = resolve_levels(fit, provider, options)
    if provider == inner and provider != outer and options.inner_expected == "statewide":
        return _with_outer(fit, outer, rows, grid, sigma, mode, sd, sd_beta)
    return gaussian_mixture(grid.weight, mode, sd_beta)


def _with_outer(
    fit: FittedModel,
    outer: str,
    rows: ProviderRows,
    grid: VarianceGrid,
    sigma: Floats,
    mode: Floats,
    sd: Floats,
    sd_beta: Floats,
) -> EffectMixture:
    """The inner effect plus the outer one's departure from its estimate, on which the expected number rests."""
    codes = np.asarray(fit.level_codes(outer), dtype=np.int64)[rows.order]
    departure = grid.table(outer, "mode") - np.asarray(fit.mode(outer))[:, None]
    spread = grid.table(outer, "sd")
    mean, total = np.empty_like(mode), np.empty_like(mode)
    for k, scale in enumerate(sigma):
        mean[:, k] = mode[:, k] + means_by(departure[codes, k], rows.starts)
        variance = means_by(np.square(spread[codes, k]), rows.starts)
        total[:, k] = statewide_sd(float(scale) ** 2, sd[:, k], sd_beta[:, k], variance)
    return gaussian_mixture(grid.weight, mean, total)

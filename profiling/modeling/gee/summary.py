"""The page that `summary()` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from profiling.modeling.gee.result import GeeResult


def summarize(fit: GeeResult) -> str:
    """Return formula, clusters, correlation, coefficients, criteria and diagnoses as text."""
    sizes = fit.cluster_sizes
    lines = [
        "Marginal model by generalized estimating equations",
        f"Formula: {fit.formula}",
        f"Family:  {fit.family} ({fit.link})",
        f"Observations {fit.n_observations} in {fit.n_clusters} clusters ({'/'.join(fit.groups)}) "
        f"of {sizes.min()} to {sizes.max()}, median {np.median(sizes):g}",
        "",
        f"Working correlation: {fit.working_correlation}",
        *(f"  {label:<20}{value:>12.6g}" for label, value in fit.working_correlation_parameters.items()),
        f"Scale {fit.scale:.6g}{'' if fit.scale_estimated else ' (fixed)'}   QIC {fit.qic:.2f}   QICu {fit.qicu:.2f}"
        f"   CIC {fit.cic:.3f}",
        "",
        f"Coefficients (standard errors: {fit.covariance_name}):",
        *_coefficients(fit),
        "",
        f"{'Converged' if fit.converged else 'NOT CONVERGED'} in {fit.iterations} iterations",
        *(f"{note.severity}: {note.message}" for note in fit.diagnostics),
    ]
    return "\n".join(lines)


def _coefficients(fit: GeeResult) -> list[str]:
    width = max(len(str(term)) for term in fit.fixed_effects.index) + 2
    lines = [f"  {'':<{width}}{'Estimate':>12}{'Std.Error':>12}{'z':>9}{'P(>|z|)':>11}"]
    estimates, errors = fit.fixed_effects.to_numpy(), fit.standard_errors.to_numpy()
    for term, estimate, error in zip(fit.fixed_effects.index, estimates, errors, strict=True):
        z = estimate / error if error > 0 else np.nan
        lines.append(f"  {term:<{width}}{estimate:>12.6g}{error:>12.6g}{z:>9.2f}{2 * stats.norm.sf(abs(z)):>11.3g}")
    return lines

"""The page that `summary()` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


def summarize(fit: MixedModelResult) -> str:
    """Return formula, criteria, variance components, coefficients and diagnoses as text."""
    lines = [
        f"{'Linear' if fit.family == 'gaussian' else 'Generalized linear'} mixed model by {fit.method}",
        f"Formula: {fit.formula}",
        f"Family:  {fit.family} ({fit.link})" if fit.family != "gaussian" else "",
        f"Log-likelihood {fit.log_likelihood:.4f}   AIC {fit.aic:.1f}   BIC {fit.bic:.1f}",
        "",
        "Random effects:",
        *_random_lines(fit),
        f"Observations {fit.n_observations}; " + ", ".join(f"{name} {len(fit.levels(name))}" for name in fit.groups),
        "",
        "Fixed effects:",
        *_fixed_lines(fit),
        "",
        f"{'Converged' if fit.converged else 'NOT CONVERGED'} in {fit.iterations} iterations, "
        f"Newton decrement {fit.newton_decrement:.1e}",
        *(f"{note.severity}: {note.message}" for note in fit.diagnostics),
    ]
    return "\n".join(line for line in lines if line is not None)


def _random_lines(fit: MixedModelResult) -> list[str]:
    lines = [f"  {'Group':<20}{'Term':<24}{'Variance':>12}{'Std.Dev.':>12}  Corr"]
    for group, covariance in fit.variance_components.items():
        sd = np.sqrt(np.diag(covariance))
        for row, term in enumerate(covariance.index):
            correlation = " ".join(
                f"{covariance.iloc[row, j] / (sd[row] * sd[j]):6.2f}" if sd[row] * sd[j] > 0 else "   nan"
                for j in range(row)
            )
            lines.append(
                f"  {group if row == 0 else '':<20}{term:<24}{sd[row] ** 2:>12.6g}{sd[row]:>12.6g}  {correlation}"
            )
    if fit.family == "gaussian":
        lines.append(f"  {'Residual':<20}{'':<24}{fit.residual_sd**2:>12.6g}{fit.residual_sd:>12.6g}")
    return lines


def _fixed_lines(fit: MixedModelResult) -> list[str]:
    width = max([len(str(term)) for term in fit.fixed_effects.index], default=4) + 2
    lines = [f"  {'':<{width}}{'Estimate':>12}{'Std.Error':>12}{'z':>9}{'P(>|z|)':>11}"]
    for term, estimate, error in zip(
        fit.fixed_effects.index, fit.fixed_effects.to_numpy(), fit.standard_errors.to_numpy(), strict=True
    ):
        z = estimate / error if error > 0 else np.nan
        lines.append(f"  {term:<{width}}{estimate:>12.6g}{error:>12.6g}{z:>9.2f}{2 * stats.norm.sf(abs(z)):>11.3g}")
    return lines

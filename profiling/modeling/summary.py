"""The page that `summary()` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


MOST_CORRELATIONS = 8  # coefficients up to which their correlations are printed
LEAST_P = 2e-16


def summarize(fit: MixedModelResult) -> str:
    """Return criteria, residuals, variance components, coefficients and diagnoses as text."""
    linear = fit.family == "gaussian"
    sizes = ", ".join(f"{name} {len(fit.levels(name))}" for name in fit.groups)
    lines = [
        f"{'Linear' if linear else 'Generalized linear'} mixed model by {fit.method}",
        f"Formula: {fit.formula}",
        *([] if linear else [f"Family:  {fit.family} ({fit.link})"]),
        f"AIC {fit.aic:.1f}   BIC {fit.bic:.1f}   log-likelihood {fit.log_likelihood:.4f}"
        f"{' (restricted)' if fit.method == 'REML' else ''}{_noise(fit)}   parameters {fit.n_parameters}",
        "",
        *_residual_lines(fit),
        "",
        "Random effects:",
        *_random_lines(fit),
        f"Observations {fit.n_observations}; levels: {sizes}",
        "",
        *_fixed_lines(fit),
        *_correlation_lines(fit),
        "",
        f"{'Converged' if fit.converged else 'NOT CONVERGED'} in {fit.iterations} iterations, "
        f"Newton decrement {fit.newton_decrement:.1e}",
        *(f"{note.severity}: {note.message}" for note in fit.diagnostics),
    ]
    return "\n".join(lines)


def _noise(fit: MixedModelResult) -> str:
    return f" (Monte-Carlo error {fit.monte_carlo.log_likelihood:.2g})" if fit.monte_carlo else ""


def _residual_lines(fit: MixedModelResult) -> list[str]:
    scale = fit.residual_sd if fit.family == "gaussian" else 1.0
    values = np.quantile(fit.residuals("pearson") / scale, [0, 0.25, 0.5, 0.75, 1])
    heads = "".join(f"{name:>10}" for name in ("Min", "1Q", "Median", "3Q", "Max"))
    return [f"Pearson residuals:{heads}", " " * 18 + "".join(f"{value:>10.4f}" for value in values)]


def _random_lines(fit: MixedModelResult) -> list[str]:
    wide = max([5, *(len(group) for group in fit.variance_components)]) + 2
    terms = max([4, *(len(str(term)) for each in fit.variance_components.values() for term in each.index)]) + 2
    lines = [f"  {'Group':<{wide}}{'Term':<{terms}}{'Variance':>12}{'Std.Dev.':>12}  Corr"]
    for group, covariance in fit.variance_components.items():
        sd = np.sqrt(np.diag(covariance))
        for row, term in enumerate(covariance.index):
            correlation = " ".join(
                f"{covariance.iloc[row, j] / (sd[row] * sd[j]):6.2f}" if sd[row] * sd[j] > 0 else "   nan"
                for j in range(row)
            )
            numbers = f"{sd[row] ** 2:>12.6g}{sd[row]:>12.6g}  {correlation}"
            lines.append(f"  {group if row == 0 else '':<{wide}}{term:<{terms}}{numbers}".rstrip())
    if fit.family == "gaussian":
        lines.append(f"  {'Residual':<{wide + terms}}{fit.residual_sd**2:>12.6g}{fit.residual_sd:>12.6g}")
    return lines


def _fixed_lines(fit: MixedModelResult) -> list[str]:
    """Return the coefficients, with Satterthwaite's degrees of freedom for a linear model."""
    table = fit.coefficients()
    degrees = fit.family == "gaussian"
    width = max([len(str(term)) for term in table.index], default=4) + 2
    head = f"  {'':<{width}}{'Estimate':>12}{'Std.Error':>12}{'df':>10}" if degrees else ""
    head = head or f"  {'':<{width}}{'Estimate':>12}{'Std.Error':>12}"
    letter = "t" if degrees else "z"
    title = "Fixed effects (Satterthwaite's degrees of freedom):" if degrees else "Fixed effects:"
    lines = [title, f"{head}{letter:>9}{f'P(>|{letter}|)':>11}"]
    columns = (table[name].to_numpy() for name in ("estimate", "standard_error", "df", "statistic", "p_value"))
    for term, estimate, error, df, statistic, p in zip(table.index, *columns, strict=True):
        freedom = f"{df:>10.2f}" if degrees else ""
        chance = f"{'<2e-16':>11}" if p < LEAST_P else f"{p:>11.3g}"
        lines.append(f"  {term:<{width}}{estimate:>12.6g}{error:>12.6g}{freedom}{statistic:>9.2f}{chance}")
    return lines


def _correlation_lines(fit: MixedModelResult) -> list[str]:
    """Return the lower triangle of the coefficients' correlations, where there are few."""
    terms = [str(term) for term in fit.fixed_effects.index]
    if not 2 <= len(terms) <= MOST_CORRELATIONS:
        return []
    error = fit.standard_errors.to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = fit.covariance.to_numpy() / np.outer(error, error)
    width = max(len(term) for term in terms) + 2
    lines = ["", "Correlation of fixed effects:"]
    lines.append(f"  {'':<{width}}" + "".join(f"{term[-8:]:>9}" for term in terms[:-1]))
    for row in range(1, len(terms)):
        cells = "".join(f"{value:>9.3f}" for value in correlation[row, :row])
        lines.append(f"  {terms[row]:<{width}}{cells}")
    return lines

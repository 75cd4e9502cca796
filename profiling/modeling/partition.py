"""The partition of variance by level: intraclass correlations on the latent and on the observed scale.

Latent: S_l / (sum S + residual), residual sigma^2, pi^2/3 (logit), 1 (probit), pi^2/6 (cloglog; Goldstein, Browne &
Rasbash 2002); for counts log(1 + 1/lambda [+ 1/kappa]) with lambda the mean (Nakagawa, Johnson & Schielzeth 2017,
lognormal approximation).

Observed, at the average linear predictor eta: with m_s = E[mean | the effects in s] the share of s is Var m_s / Var y.
Binomial by quadrature (Var y = m (1 - m)); counts in closed form (Stryhn et al. 2006): Var m_s = m^2 (exp(S_s) - 1),
Var y = m + m^2 (exp(S) - 1) [+ m^2 exp(S) / kappa], m = exp(eta + S / 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.modeling.families import LATENT_VARIANCE, Family, family_of
from profiling.modeling.prediction_variance import effect_variance_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

POINTS = 61
UPPER_QUARTILE = 0.6744897501960817


def partition(fit: MixedModelResult) -> pd.DataFrame:
    """Return the partition of variance; see `MixedModelResult.icc`."""
    variances = np.array([float(np.mean(effect_variance_of(fit, group))) for group in fit.groups])
    return shares(fit, variances, average_predictor(fit), enclosing(fit))


def average_predictor(fit: MixedModelResult) -> float:
    """Return the average of the linear predictor without effects."""
    return float(np.average(fit.linear_predictor, weights=fit.weights if fit.weights.sum() > 0 else None))


def enclosing(fit: MixedModelResult) -> list[list[int]]:
    """Return for each factor the positions of those in which it is nested, its own among them."""
    return [_around(fit, i) for i in range(len(fit.factors))]


def shares(fit: MixedModelResult, variances: np.ndarray, eta: float, around: list[list[int]]) -> pd.DataFrame:
    """Return the partition for given `variances` of the groups (g) and average linear predictor `eta`."""
    total = float(variances.sum())
    cumulative = np.array([float(variances[inside].sum()) for inside in around])
    residual = latent_residual(fit, eta, total)
    frame = pd.DataFrame(
        {
            "group": fit.groups,
            "variance": variances,
            "icc": variances / (total + residual),
            "cumulative_icc": cumulative / (total + residual),
            "icc_observed": [observed_share(fit, eta, part, total) for part in variances],
            "cumulative_icc_observed": [observed_share(fit, eta, part, total) for part in cumulative],
        }
    )
    if fit.link == "logit":
        # exp(sqrt(2) Phi^-1(.75) sigma): Larsen & Merlo 2005.
        frame["median_odds_ratio"] = np.exp(np.sqrt(2) * UPPER_QUARTILE * np.sqrt(variances))
    return frame


def _around(fit: MixedModelResult, position: int) -> list[int]:
    """Return the factors whose level follows from this factor's (itself, and those in which it is nested)."""
    own = fit.factors[position]
    found = []
    for i, other in enumerate(fit.factors):
        parent = np.zeros(own.size, dtype=np.int64)
        parent[own.codes] = other.codes
        if i == position or bool((parent[own.codes] == other.codes).all()):
            found.append(i)
    return found


def latent_residual(fit: MixedModelResult, eta: float, total: float) -> float:
    """Return the variance that the latent (or log) scale holds beside the random effects."""
    if fit.family == "gaussian":
        return fit.residual_sd**2
    if fit.family == "binomial":
        return float(LATENT_VARIANCE[fit.link])
    extra = 1 / fit.dispersion if fit.family == "negative_binomial" else 0.0
    return float(np.log1p(np.exp(-(eta + total / 2)) + extra))


def observed_share(fit: MixedModelResult, eta: float, part: float, total: float) -> float:
    """Return the share of the outcome's variance that effects of variance `part` out of `total` explain."""
    if fit.family == "gaussian":
        return part / (total + fit.residual_sd**2)
    if fit.family == "binomial":
        return binomial_share(family_of(fit.family, fit.link, fit.dispersion), eta, part, total)
    # Divided by exp(S), so that no variance is too large.
    extra = 1 / fit.dispersion if fit.family == "negative_binomial" else 0.0
    whole = np.exp(-(eta + 1.5 * total)) - np.expm1(-total) + extra
    return float((np.exp(part - total) - np.exp(-total)) / whole)


def binomial_share(family: Family, eta: float, part: float, total: float) -> float:
    """Return Var E[mean | b_s] / (m (1 - m)) for b_s of variance `part`, the rest averaged out, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(POINTS)
    weights = weights / weights.sum()
    inner = eta + np.sqrt(part) * nodes[:, None] + np.sqrt(max(total - part, 0.0)) * nodes[None, :]
    conditional = np.asarray(family.inverse_link(inner)) @ weights
    mean = float(weights @ conditional)
    return float(weights @ (conditional - mean) ** 2 / (mean * (1 - mean)))

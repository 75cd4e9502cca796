"""Degrees of freedom by Satterthwaite for contrasts of a linear mixed model's coefficients.

A contrast's estimated variance l'Phi l is matched to a scaled chi-square with

    nu = 2 (l'Phi l)^2 / (g'A g),      g = d(l'Phi l)/d(theta, log sigma),

A the covariance of (theta, log sigma) from the observed information (Giesbrecht & Burns 1985; Fai & Cornelius 1996;
as in lmerTest, Kuznetsova, Brockhoff & Christensen 2017). With Phi = sigma^2 M^-1 and M = X'V_0^-1 X,
dM/dtheta_k = -(P + P'), P = (X - Z Lambda K)'WZ L_k K and K = H^-1 Lambda'Z'WX: cross-products only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.parameters import theta_covariance
from profiling.modeling.state import fitted_state, linear_state, source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


def covariance_slopes(fit: MixedModelResult) -> np.ndarray:
    """Return dPhi/d(theta, log sigma) (t + 1, p, p), Phi the covariance of the raw coefficients."""
    design = source_of(fit).design
    s = design.structure
    form, p, k = design.form, design.X.shape[1], design.form.offsets[-1]
    criterion, at = linear_state(fit)
    state = fitted_state(fit)
    K = np.concatenate([state.K0[s.cell_level0], state.Kr[s.cell_rest]], axis=1)
    A = np.broadcast_to(criterion.A, (len(K), k, k))
    fitted = np.broadcast_to(criterion.products, (len(K), k, p + 1))[..., :p] - (A @ state.Lambda) @ K
    fitted = fitted * design.cell_multiplicity[:, None, None]
    inverse = np.linalg.inv(at.information_beta)
    slopes = np.empty((form.size + 1, p, p))
    for entry, (row, column) in enumerate(zip(form.rows, form.columns, strict=True)):
        P = fitted[:, row].T @ K[:, column]
        slopes[entry] = at.residual_variance * inverse @ (P + P.T) @ inverse
    slopes[-1] = 2 * at.residual_variance * inverse
    T = design.scaling.to_raw
    return np.asarray(T @ slopes @ T.T)


def require_linear(fit: MixedModelResult) -> None:
    """Raise ModelError for anything but a linear mixed model."""
    if fit.family != "gaussian":
        raise ModelError(Problem("degrees of freedom", f"family {fit.family}", "a linear mixed model"))


def satterthwaite(fit: MixedModelResult, contrasts: np.ndarray) -> np.ndarray:
    """Return the degrees of freedom of every row of `contrasts` (m, p); Phi is `fit.covariance`."""
    require_linear(fit)
    slopes, A = covariance_slopes(fit), theta_covariance(fit)
    variance = np.einsum("mp,pq,mq->m", contrasts, fit.covariance.to_numpy(), contrasts)
    gradient = np.einsum("mp,tpq,mq->mt", contrasts, slopes, contrasts)
    return np.asarray(2 * variance**2 / np.einsum("mt,ts,ms->m", gradient, A, gradient))


def satterthwaite_f(fit: MixedModelResult, contrasts: np.ndarray) -> tuple[float, int, float]:
    """Return (F, numerator, denominator degrees of freedom) of the joint hypothesis contrasts @ beta = 0.

    The eigenvectors of L Phi L' give independent t-statistics with their own nu_m; E = sum nu_m / (nu_m - 2) over
    nu_m > 2 is matched to the mean of F: 2 E / (E - q) (Fai & Cornelius 1996).
    """
    L = np.asarray(contrasts, dtype=float)
    values, vectors = np.linalg.eigh(L @ fit.covariance.to_numpy() @ L.T)
    used = values > values.max() * 1e-10
    turned = vectors[:, used].T @ L
    q = int(used.sum())
    F = float(np.mean((turned @ fit.fixed_effects.to_numpy()) ** 2 / values[used]))
    nu = satterthwaite(fit, turned)
    if q == 1:
        return F, 1, float(nu[0])
    if np.ptp(nu) < 1e-8 * nu.mean():
        return F, q, float(nu.mean())
    above = nu[nu > 2]
    E = float((above / (above - 2)).sum())
    return F, q, 2 * E / (E - q) if q < E else 2.0

"""The variance parameters a reader knows - standard deviations, correlations, sigma - as functions of theta.

With S = s^2 Lambda Lambda' (s the residual sd of an LMM, 1 otherwise) the standard deviation of term a is s |L_a| and
the correlation of a and b is L_a.L_b / (|L_a| |L_b|), L_a row a of Lambda. Their gradients in (theta, log s) carry the
covariance of the estimates over (delta method; Bates et al. 2015, section 2.3 for the parametrisation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from profiling.modeling.state import linear_state, source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


@dataclass(frozen=True)
class VarianceParameter:
    """One standard deviation (`first` == `second`) or correlation, by rows of Lambda; sigma, shape: (-1, -1)."""

    kind: str
    name: str
    group: str
    first: int
    second: int


def variance_parameters(fit: MixedModelResult) -> list[VarianceParameter]:
    """Return the standard deviations and free correlations of every group, in the formula's order, and sigma."""
    design = source_of(fit).design
    form = design.form
    found = []
    for group in fit.groups:
        f = next(i for i, factor in enumerate(design.factors) if factor.name == group)
        terms, offset = design.factors[f].terms, form.offsets[f]
        entries = {(int(r), int(c)) for r, c, own in zip(form.rows, form.columns, form.factor, strict=True) if own == f}
        for a, term in enumerate(terms):
            found.append(VarianceParameter("sd", f"sd({term} | {group})", group, offset + a, offset + a))
            found += [
                VarianceParameter("correlation", f"cor({term}, {other} | {group})", group, offset + a, offset + b)
                for b, other in enumerate(terms[:a])
                if (offset + a, offset + b) in entries
            ]
    if fit.family == "gaussian":
        found.append(VarianceParameter("sigma", "sigma", "Residual", -1, -1))
    if fit.family == "negative_binomial":
        found.append(VarianceParameter("shape", "shape", "Residual", -1, -1))
    return found


def estimate_and_gradient(
    parameter: VarianceParameter, fit: MixedModelResult, theta: np.ndarray, sigma: float
) -> tuple[float, np.ndarray]:
    """Return the parameter at (theta, log sigma) and its gradient there (t + 1)."""
    form = source_of(fit).design.form
    gradient = np.zeros(form.size + 1)
    if parameter.kind == "shape":
        return fit.dispersion, gradient
    if parameter.kind == "sigma":
        gradient[-1] = sigma
        return sigma, gradient
    Lambda = form.matrix(theta)
    a, b = Lambda[parameter.first], Lambda[parameter.second]
    size_a, size_b = np.linalg.norm(a), np.linalg.norm(b)
    slope = np.zeros_like(Lambda)
    if parameter.kind == "sd":
        slope[parameter.first] = sigma * a / size_a if size_a > 0 else np.nan
        value = float(sigma * size_a)
        gradient[-1] = value
    else:
        value = float(a @ b / (size_a * size_b)) if size_a * size_b > 0 else np.nan
        slope[parameter.first] = b / (size_a * size_b) - value * a / size_a**2
        slope[parameter.second] = a / (size_a * size_b) - value * b / size_b**2
    gradient[:-1] = slope[form.rows, form.columns]
    return value, gradient


def theta_covariance(fit: MixedModelResult) -> np.ndarray:
    """Return the covariance of (theta, log sigma) (t + 1, t + 1); zero for sigma in a GLMM.

    In an LMM sigma is profiled out: with C the covariance of theta, f the degrees of freedom of r^2 and
    c = -dr^2/dtheta / sigma^2 the information between theta and log sigma,
    cov(theta, log sigma) = -C c / 2f and var(log sigma) = 1/2f + c'C c / 4f^2 (inverse of a partitioned matrix).
    """
    t = len(fit.theta)
    joint = np.zeros((t + 1, t + 1))
    joint[:t, :t] = fit.covariance_theta
    if fit.family != "gaussian":
        return joint
    criterion, at = linear_state(fit)
    freedom = criterion.n - (criterion.p if criterion.reml else 0)
    c = residual_slope(fit) / at.residual_variance
    joint[:t, t] = joint[t, :t] = -fit.covariance_theta @ c / (2 * freedom)
    joint[t, t] = 1 / (2 * freedom) + c @ fit.covariance_theta @ c / (4 * freedom**2)
    return joint


def residual_slope(fit: MixedModelResult) -> np.ndarray:
    """Return -dr^2/dtheta (t) = 2 (Z L_k u)'W(y - X beta - Z Lambda u) of an LMM at its estimates."""
    criterion, at = linear_state(fit)
    d = criterion.design
    k = d.form.offsets[-1]
    Lambda = d.form.matrix(fit.theta)
    u = d.structure.gather(at.u0, at.ur)
    A = np.broadcast_to(criterion.A, (len(u), k, k))
    products = np.broadcast_to(criterion.products, (len(u), k, criterion.p + 1))
    score = products @ np.concatenate([-at.beta, [1.0]]) - np.einsum("mab,bc,mc->ma", A, Lambda, u, optimize=True)
    slope = 2 * np.einsum("m,ma,mb->ab", d.cell_multiplicity, score, u)
    return np.asarray(slope[d.form.rows, d.form.columns])

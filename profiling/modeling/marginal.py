"""The population-averaged answer of a mixed model: probabilities, coefficients, average effects, with their errors.

A patient of one hospital has the odds of the conditional model; over the population the effects of hospitals are
averaged out, pi_i = E g(x_i b + z_i u). Its coefficients are those of the model of the same family and covariates
nearest to pi, X'(w g'/v)(pi - g(X b_M)) = 0: the limit of GEE under independence (Hedeker et al. 2018 project by least
squares on the scale of the link; the two are one where pi is exactly such a model, as for probit). Standard errors by
the delta method on the joint covariance of coefficients and variances. Beside it the approximation
b / sqrt(1 + c^2 sigma^2), c = 16 sqrt(3) / (15 pi) (Zeger, Liang & Albert 1988), with its error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.columns import FixedColumns, column, transposed_times, unscaled, weighted_gram
from profiling.modeling.design import Design
from profiling.modeling.families import Family, derivatives, family_of
from profiling.modeling.result import MixedModelResult
from profiling.modeling.smoothing import smoothed_means
from profiling.modeling.threads import threads_for

_TOLERANCE = 1e-20
_MAX_STEPS = 60
ZEGER = 16 * math.sqrt(3) / (15 * math.pi)


@dataclass(frozen=True)
class Marginal:
    """What a mixed model implies over the population.

    `probabilities` (n): the averaged means, in the order of the data. `coefficients` by term: conditional, marginal,
    standard_error (of the marginal), attenuated (the approximation), attenuation_error (its difference from the
    marginal). `effects` by term: effect, standard_error, kind ("slope", or "change" from 0 to 1 for columns of zeros
    and ones), each the average over the rows given. `covariance` of the marginal coefficients.
    """

    probabilities: np.ndarray
    coefficients: pd.DataFrame
    effects: pd.DataFrame
    covariance: pd.DataFrame
    random_variance: float


@dataclass(frozen=True)
class _Rows:
    """Sorted rows of the fit: X (n, p) raw, eta and offset (n), variance (n) and its slopes in theta (n, t)."""

    X: FixedColumns
    eta: np.ndarray
    offset: np.ndarray
    weights: np.ndarray
    variance: np.ndarray
    slopes: np.ndarray


def marginal(fit: MixedModelResult) -> Marginal:
    """Return the population-averaged model of `fit`; raise ModelError where the fit no longer has its design."""
    if fit.source is None:
        raise ModelError(Problem("fit", "no design", "a fit as glmm() returns it", "Fit the model again"))
    design, family = fit.source.design, _family(fit)
    with threads_for(design.n):
        rows = _rows(design, fit)
        parts = smoothed_means(family.code, rows.eta, rows.variance)
        beta, A, pull = _project(rows, family, parts[:, 0], fit.fixed_effects.to_numpy())
        to_pi = np.concatenate(
            [
                weighted_gram(rows.X, pull * parts[:, 1]),
                _times_slopes(rows, 0.5 * (pull * parts[:, 2])),
            ],
            axis=1,
        )
        joint = _joint(fit)
        J = np.linalg.solve(A, to_pi)
        covariance = J @ joint @ J.T
        effects, errors, kinds = _average_effects(rows, family, parts, fit.fixed_effects.to_numpy(), joint)
    terms = fit.fixed_effects.index
    mean_variance = float(np.average(rows.variance, weights=rows.weights))
    attenuated = fit.fixed_effects.to_numpy() * _attenuation(family, mean_variance)
    if family.link == "log" and "Intercept" in terms:
        # Averaging a log link moves the intercept alone, by half the variance.
        attenuated[list(terms).index("Intercept")] += mean_variance / 2
    table = pd.DataFrame(
        {
            "conditional": fit.fixed_effects.to_numpy(),
            "marginal": beta,
            "standard_error": np.sqrt(np.diag(covariance)),
            "attenuated": attenuated,
            "attenuation_error": attenuated - beta,
        },
        index=terms,
    )
    probabilities = np.empty(design.n)
    probabilities[design.order] = parts[:, 0]
    return Marginal(
        probabilities=probabilities,
        coefficients=table,
        effects=pd.DataFrame({"effect": effects, "standard_error": errors, "kind": kinds}, index=terms),
        covariance=pd.DataFrame(covariance, index=terms, columns=terms),
        random_variance=mean_variance,
    )


def _times_slopes(rows: _Rows, w: np.ndarray) -> np.ndarray:
    """Return X' diag(w) slopes (p, t)."""
    product = np.empty((rows.X.shape[1], rows.slopes.shape[1]))
    for k, slope in enumerate(rows.slopes.T):
        product[:, k] = transposed_times(rows.X, w * slope)
    return product


def _family(fit: MixedModelResult) -> Family:
    return (
        family_of(fit.family, fit.link, fit.dispersion)
        if fit.family == "negative_binomial"
        else family_of(fit.family, fit.link)
    )


def _rows(design: Design, fit: MixedModelResult) -> _Rows:
    # X is held scaled; raw = scaled * scale + center, so that terms keep their own units.
    X = unscaled(design.X, design.scaling)
    form, theta = design.form, fit.theta * (fit.residual_sd if fit.family == "gaussian" else 1.0)
    Z = np.ones((1, form.offsets[-1])) if design.plain else design.Z

    def variance(at: np.ndarray) -> np.ndarray:
        half = Z @ form.matrix(at)
        return np.broadcast_to((half * half).sum(axis=1), design.n)

    # The variance is quadratic in theta: central differences with a step of one are exact.
    steps = np.eye(form.size)
    slopes = [(variance(theta + step) - variance(theta - step)) / 2 for step in steps]
    return _Rows(
        X=X,
        eta=fit.linear_predictor[design.order],
        offset=design.offset,
        weights=design.weights,
        variance=variance(theta),
        slopes=np.stack(slopes, axis=1) if slopes else np.zeros((design.n, 0)),
    )


def _joint(fit: MixedModelResult) -> np.ndarray:
    """Return the covariance of (beta, theta); without their cross part where the fit has none."""
    p, t = len(fit.fixed_effects), len(fit.theta)
    cross = fit.covariance_cross if fit.covariance_cross.shape == (p, t) else np.zeros((p, t))
    return np.block([[fit.covariance.to_numpy(), cross], [cross.T, fit.covariance_theta]])


def _project(
    rows: _Rows, family: Family, pi: np.ndarray, beta: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return b_M (p), the information there (p, p), and w g'/v (n), the pull of pi on the equation."""
    out = np.empty((3, len(pi)))
    for _ in range(_MAX_STEPS):
        eta = rows.X @ beta + rows.offset
        _equation(float(family.code), pi, rows.weights, eta, out)
        A = weighted_gram(rows.X, out[1])
        score = transposed_times(rows.X, out[0])
        step = np.linalg.solve(A, score)
        beta = beta + step
        if step @ score <= _TOLERANCE * rows.weights.sum():
            break
    return beta, A, out[2]


@nb.njit(cache=True)
def _equation(code: float, pi: np.ndarray, w: np.ndarray, eta: np.ndarray, out: np.ndarray) -> None:
    """Store w (pi - mu) g'/v, minus its derivative in eta, and w g'/v of every row in `out` (3, n)."""
    for i in range(len(pi)):
        if code < 0:
            out[0, i], out[1, i], out[2, i] = w[i] * (pi[i] - eta[i]), w[i], w[i]
            continue
        _, l1, W, _ = derivatives(code, pi[i], w[i], eta[i])
        out[0, i], out[1, i] = l1, W
        # l1 is linear in the outcome, with slope w g'/v.
        out[2, i] = derivatives(code, pi[i] + 1.0, w[i], eta[i])[1] - l1


def _average_effects(
    rows: _Rows, family: Family, parts: np.ndarray, beta: np.ndarray, joint: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return average effects and standard errors (p), and their kinds."""
    p, total = len(beta), rows.weights.sum()
    share = rows.weights / total
    effects, errors, kinds = np.zeros(p), np.zeros(p), []
    slope = float(share @ parts[:, 1])
    slope_beta = transposed_times(rows.X, share * parts[:, 2])
    slope_theta = 0.5 * (share * parts[:, 3]) @ rows.slopes
    for j in range(p):
        own = column(rows.X, j)
        constant = bool((own == own[0]).all())
        change = not constant and bool(((np.abs(own) < 1e-9) | (np.abs(own - 1) < 1e-9)).all())
        if change:
            effects[j], gradient = _change(rows, family, share, beta, j)
        else:
            effects[j] = slope * beta[j]
            gradient = np.concatenate([slope_beta * beta[j], slope_theta * beta[j]])
            gradient[j] += slope
        errors[j] = math.sqrt(max(gradient @ joint @ gradient, 0.0))
        kinds.append("level" if constant else "change" if change else "slope")
        if constant:
            effects[j] = errors[j] = np.nan
    return effects, errors, kinds


def _change(rows: _Rows, family: Family, share: np.ndarray, beta: np.ndarray, j: int) -> tuple[float, np.ndarray]:
    """Return the average change as column j goes from 0 to 1, and its gradient in (beta, theta)."""
    effect, gradient = 0.0, np.zeros(len(beta) + rows.slopes.shape[1])
    own = column(rows.X, j)
    for value, sign in ((1.0, 1.0), (0.0, -1.0)):
        moved = smoothed_means(family.code, rows.eta + (value - own) * beta[j], rows.variance)
        pull = share * moved[:, 1]
        effect += sign * float(share @ moved[:, 0])
        by_beta = transposed_times(rows.X, pull)
        by_beta[j] = value * pull.sum()
        gradient += sign * np.concatenate([by_beta, 0.5 * (share * moved[:, 2]) @ rows.slopes])
    return effect, gradient


def _attenuation(family: Family, variance: float) -> float:
    """Return the factor from conditional to marginal coefficients: approximate for logit, exact for probit."""
    squared = {"logit": ZEGER**2, "probit": 1.0}.get(family.link)
    if squared is None:
        return 1.0 if family.link in ("identity", "log") else math.nan
    return 1 / math.sqrt(1 + squared * variance)

"""Providers as fixed effects: an intercept each beside the case mix, for hundreds of thousands of them.

Newton's step for (γ, β) needs no matrix of the providers' size: with V_j = Σw_i, m_j = Σw_i x_i / V_j and
s_j = Σ(y_i − p_i),

    S = X'WX − Σ_j V_j m_j m_j',   dβ = S⁻¹ (X'(y − p) − Σ_j s_j m_j),   dγ_j = s_j/V_j − m_j'dβ

(the Schur complement; He, Kalbfleisch, Li & Li 2013, Lifetime Data Anal 19; Wu et al. 2022, Stat Med 41, for the block
form). One pass over the rows an iteration, providers shared among threads on a fixed tiling. A provider without events
or without non-events has its maximum at γ = ∓∞ and tells nothing of β: it takes no part in the search, but is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt
from scipy import linalg

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.rows import sort_by_provider
from profiling.errors import ModelError, Problem

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

ITERATIONS, TOLERANCE, SMALL_STEP = 100, 1e-12, 5.0
LARGEST_LOGIT = 30.0  # stands for infinity where a probability is needed
PROVIDERS_A_TILE = 256
ALIASED = 1e-9  # share of a column's variation that is left within providers


@dataclass(frozen=True)
class FixedEffects:
    """A logistic model with an intercept per provider.

    labels (J,); order (n,) the data's row of each sorted row; starts (J + 1,); outcome (n,) and case_mix (n,) = x_iβ̂
    sorted; beta (p,) by `terms` with its covariance (p, p); gamma (J,), −∞ without events, ∞ with nothing else; its
    standard errors (J,), ∞ there; norm: the median γ. iterations, decrement: how the search ended.
    """

    labels: npt.NDArray[np.generic]
    order: Integers
    starts: Integers
    outcome: Floats
    case_mix: Floats
    terms: tuple[str, ...]
    beta: Floats
    covariance: Floats
    gamma: Floats
    gamma_se: Floats
    norm: float
    iterations: int
    decrement: float


def fixed_effects(
    outcome: npt.ArrayLike,
    covariates: npt.ArrayLike,
    provider: npt.ArrayLike,
    terms: Sequence[str] | None = None,
    offset: npt.ArrayLike | None = None,
) -> FixedEffects:
    """Fit intercepts per provider by maximum likelihood: outcome (n,) 0/1, covariates (n, p), provider (n,) labels.

    Raises ModelError for an outcome that is not 0/1, for a covariate that does not vary within providers, and where
    the search does not arrive.
    """
    X = np.asarray(covariates, dtype=np.float64).reshape(len(np.asarray(outcome)), -1)
    names = tuple(terms) if terms is not None else tuple(f"x{k}" for k in range(X.shape[1]))
    labels, codes = np.unique(np.asarray(provider), return_inverse=True)
    order, starts = sort_by_provider(codes.astype(np.int64), len(labels))
    y = np.asarray(outcome, dtype=np.float64)[order]
    if not np.isin(y, (0.0, 1.0)).all():
        raise ModelError(Problem("outcome", "values other than 0 and 1", "0 or 1 in every row"))
    shift = np.zeros(len(y)) if offset is None else np.asarray(offset, dtype=np.float64)[order]
    sorted_x = np.ascontiguousarray(X[order])
    scale = _within_scale(sorted_x, starts, names)
    sorted_x /= scale
    events = np.add.reduceat(y, starts[:-1])
    cases = np.diff(starts)
    usable = (events > 0) & (events < cases)
    gamma = _first_intercepts(events, cases, usable)
    found = _search(y, sorted_x, shift, starts, usable, gamma)
    beta, gamma, S, V, means, iterations, decrement = found
    inverse = np.linalg.inv(S) if len(beta) else np.zeros((0, 0))
    spread = np.einsum("jp,pq,jq->j", means, inverse, means)
    gamma = np.where(usable, gamma, np.where(events > 0, np.inf, -np.inf))
    with np.errstate(divide="ignore"):
        se = np.where(usable, np.sqrt(1.0 / V + spread), np.inf)
    case_mix = sorted_x @ beta + shift
    covariance = inverse / np.outer(scale, scale)
    norm = median_norm(gamma)
    return FixedEffects(
        labels, order, starts, y, case_mix, names, beta / scale, covariance, gamma, se, norm, iterations, decrement
    )


def fixed_effects_of(fit: MixedModelResult, provider: str) -> FixedEffects:
    """The fixed-effect model of the same data as a fitted mixed model: its case mix, an intercept per `provider`."""
    from profiling.modeling.columns import to_dense
    from profiling.modeling.state import source_of

    design = source_of(fit).design
    keep = [k for k in range(len(design.terms)) if k != design.scaling.intercept]
    names = [str(design.terms[k]) for k in keep]
    label = np.asarray(fit.levels(provider))[np.asarray(fit.level_codes(provider))][design.order]
    if fit.family != "binomial" or (design.weights != 1.0).any():
        raise ModelError(Problem("fit", f"family {fit.family} or weights", "single binary outcomes"))
    scaled = fixed_effects(design.y, to_dense(design.X)[:, keep], label, names, design.offset)
    # The design's columns are scaled: x = (x_raw − centre)/scale; intercepts take up the centres.
    to_raw = design.scaling.to_raw
    part = to_raw[np.ix_(keep, keep)]
    beta = part @ scaled.beta
    moved = float(to_raw[design.scaling.intercept, keep] @ scaled.beta) if design.scaling.intercept >= 0 else 0.0
    return FixedEffects(
        scaled.labels,
        np.asarray(design.order, dtype=np.int64)[scaled.order],
        scaled.starts,
        scaled.outcome,
        scaled.case_mix - moved,
        scaled.terms,
        beta,
        part @ scaled.covariance @ part.T,
        scaled.gamma + moved,
        scaled.gamma_se,
        scaled.norm + moved,
        scaled.iterations,
        scaled.decrement,
    )


def median_norm(gamma: Floats) -> float:
    """The median intercept, infinite ones included (the norm of He et al. 2013)."""
    ordered = np.sort(gamma)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(low if low == high else (low + high) / 2.0)


def _within_scale(X: Floats, starts: Integers, names: tuple[str, ...]) -> Floats:
    """Standard deviation of each column (p,); ModelError for columns that are constant within every provider."""
    if X.shape[1] == 0:
        return np.ones(0)
    size = np.diff(starts)
    centred = X - np.repeat(np.add.reduceat(X, starts[:-1], axis=0) / size[:, None], size, axis=0)
    total, within = X.std(axis=0), np.sqrt(np.mean(centred**2, axis=0))
    fixed = [name for name, w, t in zip(names, within, total, strict=True) if w <= ALIASED * max(t, 1e-300)]
    if fixed:
        raise ModelError(
            Problem(
                "case mix",
                f"{', '.join(fixed)} does not vary within any provider",
                "patients' traits",
                "An intercept per provider takes up what providers differ in; leave the term out",
            )
        )
    return np.asarray(within)


def _first_intercepts(events: Floats, cases: Integers, usable: npt.NDArray[np.bool_]) -> Floats:
    if not usable.any():
        raise ModelError(Problem("outcome", "no provider with events and non-events", "one at least"))
    rate = (events + 0.5) / (cases + 1.0)
    return np.where(usable, np.log(rate / (1.0 - rate)), 0.0)


def _search(
    y: Floats, X: Floats, shift: Floats, starts: Integers, usable: npt.NDArray[np.bool_], gamma: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats, int, float]:
    """Newton steps for (β, γ), halved where the log-likelihood falls."""
    p, J = X.shape[1], len(gamma)
    beta, value, step_beta, step_gamma = np.zeros(p), -np.inf, np.zeros(p), np.zeros(J)
    tiles = np.append(np.arange(0, J, PROVIDERS_A_TILE), J)
    decrement, halvings = np.inf, 0
    for iteration in range(1, ITERATIONS + 1):
        sums, V, s, means, gram, score = _pass(y, X, shift, starts, usable, beta, gamma, tiles)
        if sums < value - 1e-9 * (1.0 + abs(value)) and halvings < 30:
            halvings += 1
            step_beta, step_gamma = step_beta / 2.0, step_gamma / 2.0
            beta, gamma = beta - step_beta, gamma - step_gamma
            continue
        value, halvings = sums, 0
        if decrement < TOLERANCE:
            return beta, gamma, gram, V, means, iteration, decrement
        step_beta = np.asarray(linalg.solve(gram, score, assume_a="pos")).reshape(p) if p else np.zeros(0)
        safe = np.where(usable, V, 1.0)
        step_gamma = np.where(usable, np.clip(s / safe, -SMALL_STEP, SMALL_STEP) - means @ step_beta, 0.0)
        decrement = float(score @ step_beta + np.sum(np.where(usable, s**2 / safe, 0.0)))
        beta, gamma = beta + step_beta, gamma + step_gamma
    raise ModelError(Problem("fixed effects", f"Newton decrement {decrement:.1e}", "a maximum", "Look for separation"))


def _pass(
    y: Floats,
    X: Floats,
    shift: Floats,
    starts: Integers,
    usable: npt.NDArray[np.bool_],
    beta: Floats,
    gamma: Floats,
    tiles: Integers,
) -> tuple[float, Floats, Floats, Floats, Floats, Floats]:
    """Log-likelihood, V and s (J,), m (J, p), Schur complement (p, p) and its score (p,)."""
    p, J, count = X.shape[1], len(gamma), len(tiles) - 1
    V, s, means = np.ones(J), np.zeros(J), np.zeros((J, p))
    gram, score, value = np.zeros((count, p, p)), np.zeros((count, p)), np.zeros(count)
    _tile_sums(y, X, shift, starts, usable, beta, gamma, tiles, V, s, means, gram, score, value)
    return float(value.sum()), V, s, means, gram.sum(axis=0), score.sum(axis=0)


@numba.njit(parallel=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _tile_sums(
    y: Any,
    X: Any,
    shift: Any,
    starts: Any,
    usable: Any,
    beta: Any,
    gamma: Any,
    tiles: Any,
    V: Any,
    s: Any,
    means: Any,
    gram: Any,
    score: Any,
    value: Any,
) -> None:
    p = X.shape[1]
    for t in numba.prange(tiles.shape[0] - 1):
        for j in range(tiles[t], tiles[t + 1]):
            if not usable[j]:
                continue
            weight, residual = 0.0, 0.0
            for i in range(starts[j], starts[j + 1]):
                eta = gamma[j] + shift[i]
                for k in range(p):
                    eta += X[i, k] * beta[k]
                odds = np.exp(-abs(eta))
                mean = 1.0 / (1.0 + odds) if eta >= 0 else odds / (1.0 + odds)
                w, r = mean * (1.0 - mean), y[i] - mean
                value[t] += y[i] * eta - max(eta, 0.0) - np.log1p(odds)
                weight += w
                residual += r
                for k in range(p):
                    scaled = w * X[i, k]
                    means[j, k] += scaled
                    score[t, k] += r * X[i, k]
                    for m in range(k + 1):
                        gram[t, k, m] += scaled * X[i, m]
            V[j], s[j] = weight, residual
            for k in range(p):
                means[j, k] /= weight
                score[t, k] -= residual * means[j, k]
            for k in range(p):
                for m in range(k + 1):
                    gram[t, k, m] -= weight * means[j, k] * means[j, m]
        for k in range(p):
            for m in range(k):
                gram[t, m, k] = gram[t, k, m]

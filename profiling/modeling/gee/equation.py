"""Solving the estimating equation: Fisher scoring for the coefficients, moments for scale and correlation.

Each iteration is one pass over the rows: it gives the step of the coefficients under the last correlation and, from
the same residuals, the next scale and correlation (Liang & Zeger 1986, section 3.3). The first steps take the rows as
independent, safeguarded by the quasi-likelihood, until the coefficients are near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from profiling.errors import ModelError, Problem
from profiling.modeling.families import Family
from profiling.modeling.gee.clusters import Clusters
from profiling.modeling.gee.sweep import Sums, sweep
from profiling.modeling.gee.working import Working

MAX_ITERATIONS = 100
# Largest move of a coefficient, in standard errors, and of a correlation, at which the iteration ends; the last move
# is made, so what is left is smaller by the rate of convergence (.1 or less).
TOLERANCE = 1e-7
# Squared length of a step (in standard errors) below which the correlation joins in.
NEAR = 0.1
_HALVINGS = 12
# From so many rows on, the first steps are made on every eighth tile of clusters.
LARGE, PILOT = 100_000, 8
PILOT_TOLERANCE = 0.05


@dataclass(frozen=True)
class Solution:
    """Coefficients (scaled), correlation, scale at the solution, and how it was reached."""

    beta: np.ndarray
    alpha: np.ndarray
    scale: float
    iterations: int
    converged: bool


def solve(clusters: Clusters, family: Family, working: Working, scale: float | None) -> Solution:
    """Return the solution of the estimating equation; raise ModelError where the correlation has no inverse."""
    beta, alpha, near = start(clusters, family), working.start, NEAR
    if clusters.n >= LARGE:
        try:
            pilot = climb(clusters.share(PILOT), family, working, scale, beta, alpha, NEAR, PILOT_TOLERANCE)
        except ModelError:
            # The share may lack a level or a pair of occasions; all rows may not.
            pilot = None
        if pilot is not None and pilot.converged:
            # The pilot is expected to lie sqrt(PILOT - 1) standard errors away in each coefficient.
            beta, alpha, near = pilot.beta, pilot.alpha, 3.0 * PILOT * len(beta)
    return climb(clusters, family, working, scale, beta, alpha, near, TOLERANCE)


def climb(
    clusters: Clusters,
    family: Family,
    working: Working,
    scale: float | None,
    beta: np.ndarray,
    alpha: np.ndarray,
    near: float,
    tolerance: float,
) -> Solution:
    """Iterate from coefficients `beta` and correlation `alpha`, which moves once a step's squared length is `near`."""
    total_weight = clusters.total_weight
    quasi, last, halvings, joined = -np.inf, beta, 0, False
    for iteration in range(1, MAX_ITERATIONS + 1):
        sums = sweep(clusters, family.code, working.kind, working.table(alpha), working.n_sums, beta)
        _check(sums, working)
        if not joined and sums.quasi_likelihood < quasi - 1e-9 * abs(quasi) and halvings < _HALVINGS:
            beta, halvings = (beta + last) / 2, halvings + 1
            continue
        quasi, halvings = sums.quasi_likelihood, 0
        phi = sums.squares / total_weight if scale is None else scale
        step = _step(sums, clusters)
        joined = joined or float(step @ sums.score) <= near * phi
        following = working.update(alpha, sums.pairs, phi) if joined else alpha
        moved = float(np.max(np.abs(step) * np.sqrt(np.diag(sums.information) / max(phi, 1e-300)), initial=0.0))
        settled = float(np.max(np.abs(following - alpha), initial=0.0))
        last, beta, alpha = beta, beta + step, following
        if joined and moved < tolerance and settled < tolerance:
            return Solution(beta, alpha, phi, iteration, True)
        if not np.isfinite(beta).all():
            break
    return Solution(last, alpha, phi, iteration, False)


def start(clusters: Clusters, family: Family) -> np.ndarray:
    """Return coefficients of zero, with the overall mean in the intercept where there is one."""
    beta = np.zeros(clusters.X.shape[1])
    if clusters.scaling.intercept < 0:
        return beta
    weight = clusters.weights.sum()
    mean = clusters.weights @ clusters.y / weight
    if family.link == "log":
        mean /= clusters.weights @ np.exp(clusters.offset) / weight
    if family.name == "binomial":
        mean = min(max(mean, 1e-6), 1 - 1e-6)
    shift = 0.0 if family.link == "log" else clusters.weights @ clusters.offset / weight
    beta[clusters.scaling.intercept] = family.link_function(mean) - shift
    return beta


def _check(sums: Sums, working: Working) -> None:
    if np.isfinite(sums.information).all():
        return
    raise ModelError(
        Problem(
            f"working correlation {working.name}",
            "an estimate that is not positive definite",
            "a correlation that these clusters can have",
            "Use exchangeable or independence: the robust standard errors hold for either",
        )
    )


def _step(sums: Sums, clusters: Clusters) -> np.ndarray:
    try:
        return np.asarray(linalg.cho_solve(linalg.cho_factor(sums.information), sums.score))
    except linalg.LinAlgError as error:
        raise ModelError(
            Problem(
                f"formula {clusters.formula.text!r}",
                "coefficients that the data do not determine",
                "terms that vary among rows whose outcome is in doubt",
                "Leave out terms that separate the outcomes completely",
            )
        ) from error

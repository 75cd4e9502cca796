"""Solving the estimating equation: Fisher scoring for the coefficients, moments for scale and correlation.

Each iteration is one pass over the rows: it gives the step of the coefficients under the last correlation and, from
the same residuals, the next scale and correlation (Liang & Zeger 1986, section 3.3). The first steps take the rows as
independent, safeguarded by the quasi-likelihood, until the coefficients are near. Moves shrink in a steady ratio, so
what is left after one is known; with many rows that ends the iteration, and its last pass gives scale and sandwich, for
they change by 1/sqrt(n) of a move (in standard errors). With few rows the last move itself is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from profiling.errors import ModelError, Problem
from profiling.modeling.families import Family
from profiling.modeling.gee.adjusted import ROBUST
from profiling.modeling.gee.clusters import Clusters
from profiling.modeling.gee.sweep import Sums, sweep
from profiling.modeling.gee.working import Working

MAX_ITERATIONS = 100
# How far a coefficient, in standard errors, or a correlation may be from the solution when the iteration ends.
TOLERANCE = 1e-7
# Above this ratio of a move to the one before, the next is not taken to be smaller by it.
_SLOW = 0.1
# Squared length of a step (in standard errors) below which the correlation joins in.
NEAR = 0.1
# Largest move after which the next pass may be the last, so that it takes the scores of clusters along.
ENDING = 1e-3
_HALVINGS = 12
# From so many rows on, the first steps are made on every eighth tile of clusters.
LARGE, PILOT = 100_000, 8
PILOT_TOLERANCE = 0.05


@dataclass(frozen=True)
class Solution:
    """Coefficients (scaled), correlation, scale at the solution, and how it was reached.

    `sums`: those of the last pass, where it took the scores of clusters along.
    """

    beta: np.ndarray
    alpha: np.ndarray
    scale: float
    iterations: int
    converged: bool
    sums: Sums | None = None


@dataclass(frozen=True)
class Subspace:
    """Coefficients origin + basis g, for any g: the null hypothesis of a test; basis (p, q), origin (p)."""

    origin: np.ndarray
    basis: np.ndarray

    def nearest(self, beta: np.ndarray) -> np.ndarray:
        """Return the coefficients of the subspace that are nearest to `beta`."""
        return np.asarray(self.origin + self.basis @ np.linalg.lstsq(self.basis, beta - self.origin, rcond=None)[0])


def solve(
    clusters: Clusters, family: Family, working: Working, scale: float | None, within: Subspace | None = None
) -> Solution:
    """Return the solution of the estimating equation, of all coefficients or `within` a subspace of them.

    Raises ModelError where the correlation has no inverse.
    """
    beta, alpha, near = start(clusters, family), working.start, NEAR
    beta = beta if within is None else within.nearest(beta)
    basis = None if within is None else within.basis
    if clusters.n >= LARGE:
        try:
            share = clusters.share(PILOT)
            pilot = climb(share, family, working, scale, beta, alpha, NEAR, PILOT_TOLERANCE, basis)
        except ModelError:
            # The share may lack a level or a pair of occasions; all rows may not.
            pilot = None
        if pilot is not None and pilot.converged:
            # The pilot is expected to lie sqrt(PILOT - 1) standard errors away in each coefficient.
            beta, alpha, near = pilot.beta, pilot.alpha, 3.0 * PILOT * len(beta)
    return climb(clusters, family, working, scale, beta, alpha, near, TOLERANCE, basis)


def climb(
    clusters: Clusters,
    family: Family,
    working: Working,
    scale: float | None,
    beta: np.ndarray,
    alpha: np.ndarray,
    near: float,
    tolerance: float,
    basis: np.ndarray | None = None,
) -> Solution:
    """Iterate from coefficients `beta` and correlation `alpha`, which moves once a step's squared length is `near`."""
    total_weight, large = clusters.total_weight, clusters.n >= LARGE
    quasi, last, halvings, joined, ending, before = -np.inf, beta, 0, False, False, 0.0
    for iteration in range(1, MAX_ITERATIONS + 1):
        sums = sweep(
            *(clusters, family.code, working.kind, working.table(alpha), working.n_sums, beta),
            covariance=ROBUST if ending else 0,
            judged=not joined,
        )
        _check(sums, working)
        if not joined and sums.quasi_likelihood < quasi - 1e-9 * abs(quasi) and halvings < _HALVINGS:
            beta, halvings = (beta + last) / 2, halvings + 1
            continue
        quasi, halvings = sums.quasi_likelihood, 0
        phi = sums.squares / total_weight if scale is None else scale
        step = _step(sums, clusters, basis)
        joined = joined or float(step @ sums.score) <= near * phi
        following = working.update(alpha, sums.pairs, phi) if joined else alpha
        moved = float(np.max(np.abs(step) * np.sqrt(np.diag(sums.information) / max(phi, 1e-300)), initial=0.0))
        settled = float(np.max(np.abs(following - alpha), initial=0.0))
        last, beta, alpha = beta, beta + step, following
        left = moved * moved / before if large and moved < _SLOW * before else moved
        if joined and left < tolerance and settled < tolerance:
            return Solution(beta, alpha, phi, iteration, True, sums if ending else None)
        before, ending = moved, large and joined and moved < ENDING
        if not np.isfinite(beta).all():
            break
    return Solution(last, alpha, phi, iteration, False)


def start(clusters: Clusters, family: Family) -> np.ndarray:
    """Return coefficients of zero, with the overall mean in the intercept where there is one."""
    beta = np.zeros(len(clusters.terms))
    if clusters.scaling.intercept < 0:
        return beta
    mean = _mean(clusters.y, clusters.weights)
    if family.link == "log" and len(clusters.offset):
        mean /= _mean(np.exp(clusters.offset), clusters.weights)
    if family.name == "binomial":
        mean = min(max(mean, 1e-6), 1 - 1e-6)
    shift = 0.0 if family.link == "log" or not len(clusters.offset) else _mean(clusters.offset, clusters.weights)
    beta[clusters.scaling.intercept] = family.link_function(mean) - shift
    return beta


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float(weights @ values / weights.sum()) if len(weights) else float(values.mean())


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


def _step(sums: Sums, clusters: Clusters, basis: np.ndarray | None) -> np.ndarray:
    information, score = sums.information, sums.score
    if basis is not None:
        information, score = basis.T @ information @ basis, basis.T @ score
    try:
        step = np.asarray(linalg.cho_solve(linalg.cho_factor(information), score))
    except linalg.LinAlgError as error:
        raise ModelError(
            Problem(
                f"formula {clusters.formula.text!r}",
                "coefficients that the data do not determine",
                "terms that vary among rows whose outcome is in doubt",
                "Leave out terms that separate the outcomes completely",
            )
        ) from error
    return step if basis is None else np.asarray(basis @ step)

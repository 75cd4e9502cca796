"""Outcomes drawn from a fitted model: new random effects and new residuals, or the modes held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from profiling.modeling import distribution
from profiling.modeling.families import family_of
from profiling.modeling.residuals import shape_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


def simulate(fit: MixedModelResult, seed: int, n: int, conditional: bool) -> np.ndarray:
    """Return n outcomes a row (rows, n); see `MixedModelResult.simulate`."""
    generator = np.random.default_rng(seed)
    outcomes = np.empty((fit.n_observations, n), order="F")
    for column in range(n):
        outcomes[:, column] = simulate_once(fit, generator, conditional)
    return outcomes


def simulate_once(fit: MixedModelResult, generator: np.random.Generator, conditional: bool = False) -> np.ndarray:
    """Return one new outcome a row (n)."""
    eta = fit.conditional_predictor() if conditional else fit.linear_predictor + draw_effects(fit, generator)
    mean = np.asarray(family_of(fit.family, fit.link, fit.dispersion).inverse_link(eta))
    return distribution.draw(fit.family, mean, fit.weights, shape_of(fit), generator)


def draw_effects(fit: MixedModelResult, generator: np.random.Generator) -> np.ndarray:
    """Return Zb (n) for b drawn from its distribution, one independent vector a level."""
    total = np.zeros(fit.n_observations)
    for factor in fit.factors:
        b = generator.standard_normal((factor.size, len(factor.terms))) @ root(fit, factor.name).T
        total += factor_product(factor.columns, b[factor.codes])
    return total


def root(fit: MixedModelResult, group: str) -> np.ndarray:
    """Return a square root L of the group's covariance, LL' = S; S may be singular."""
    values, vectors = np.linalg.eigh(fit.variance_components[group].to_numpy())
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def factor_product(columns: np.ndarray | None, effects: np.ndarray) -> np.ndarray:
    """Return z'b of every row; `columns` (n, q), None for an intercept; `effects` (n, q)."""
    return np.asarray(effects[:, 0] if columns is None else np.einsum("nq,nq->n", columns, effects))

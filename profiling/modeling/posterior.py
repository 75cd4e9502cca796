"""Posterior distributions of random effects at the estimates, by quadrature.

Means and covariances come from the rule's own nodes. Quantiles of nested effects: see `nested_posterior`. For one
scalar factor they are exact: the density p(b | y_j) is laid on a grid around its mean, summed by the Hermite-corrected
trapezoid rule h (g0 + g1) / 2 + h^2 (g0' - g1') / 12, and the distribution function is inverted inside the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import numpy as np

from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.families import derivatives
from profiling.modeling.nested_posterior import nested_quantiles
from profiling.modeling.nested_quadrature import NestedCriterion

PROBABILITIES = np.array([0.025, 0.5, 0.975])
REACH = 8.0  # posterior sds
STEPS = 96


@dataclass(frozen=True)
class Posterior:
    """Mean, sd (levels, q) and the .025, .5, .975 quantiles (levels, q, 3; nan for vectors)."""

    mean: np.ndarray
    sd: np.ndarray
    quantiles: np.ndarray


def posteriors(objective: LaplaceObjective, point: np.ndarray) -> dict[str, Posterior]:
    """Return the posterior of every factor's effects at (beta, psi), levels in the order of their labels."""
    criterion = objective.criterion
    design, p = criterion.design, objective.p
    theta = design.form.to_theta(point[p:], objective.zero)
    found = {}
    moments = criterion.moments(point[:p], theta)  # type: ignore[attr-defined]
    nested: list[np.ndarray] = []
    if isinstance(criterion, NestedCriterion):
        nested = nested_quantiles(criterion, point[:p], theta, PROBABILITIES)
    for f, (factor, own) in enumerate(zip(design.factors, moments, strict=True)):
        sd = np.sqrt(np.maximum(np.diagonal(own.covariance, axis1=1, axis2=2), 0.0))
        quantiles = np.full((*own.mean.shape, len(PROBABILITIES)), np.nan)
        if len(design.factors) == 1 and own.mean.shape[1] == 1:
            quantiles[:, 0] = own.mean
            if theta[0] > 0:
                _quantiles(
                    criterion.family.code,
                    design.y,
                    design.weights,
                    criterion.linear_predictor(point[:p]),
                    design.Z,
                    design.structure.cell_ptr,
                    design.structure.tile_ptr,
                    float(theta[0]),
                    own.mean[:, 0],
                    sd[:, 0],
                    PROBABILITIES,
                    quantiles[:, 0],
                )
        if nested:
            quantiles[:, 0] = nested[f]
        arrays = (own.mean, sd, quantiles)
        if f == 0:
            back = np.empty_like(design.new_level0)
            back[design.new_level0] = np.arange(len(back))
            arrays = (own.mean[back], sd[back], quantiles[back])
        found[factor.name] = Posterior(*arrays)
    return found


@nb.njit(parallel=True, cache=True, error_model="numpy")
def _quantiles(
    code: float,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    Z: np.ndarray,
    cell_ptr: np.ndarray,
    tile_ptr: np.ndarray,
    sigma: float,
    mean: np.ndarray,
    sd: np.ndarray,
    probabilities: np.ndarray,
    out: np.ndarray,
) -> None:
    """Store the quantiles (G, len(probabilities)) of each level's scalar effect."""
    plain = Z.shape[0] == 0
    for tile in nb.prange(len(tile_ptr) - 1):
        density, slope, below = np.empty(STEPS + 1), np.empty(STEPS + 1), np.empty(STEPS + 1)
        for g in range(tile_ptr[tile], tile_ptr[tile + 1]):
            h = 2.0 * REACH * sd[g] / STEPS
            peak = -np.inf
            for j in range(STEPS + 1):
                b = mean[g] - REACH * sd[g] + j * h
                density[j] = -0.5 * b * b / (sigma * sigma)
                slope[j] = -b / (sigma * sigma)
                for i in range(cell_ptr[g], cell_ptr[g + 1]):
                    z = 1.0 if plain else Z[i, 0]
                    l0, l1, _, _ = derivatives(code, y[i], weight[i], eta[i] + z * b)
                    density[j] += l0
                    slope[j] += z * l1
                peak = max(peak, density[j])
            below[0] = 0.0
            for j in range(STEPS + 1):
                density[j] = math.exp(density[j] - peak)
                slope[j] *= density[j]
                if j:
                    below[j] = below[j - 1] + _area(h, 1.0, density[j - 1], density[j], slope[j - 1], slope[j])
            for k in range(len(probabilities)):
                wanted = probabilities[k] * below[STEPS]
                j = 1
                while j < STEPS and below[j] < wanted:
                    j += 1
                low, high = 0.0, 1.0
                for _ in range(50):
                    middle = 0.5 * (low + high)
                    area = _area(h, middle, density[j - 1], density[j], slope[j - 1], slope[j])
                    if below[j - 1] + area < wanted:
                        low = middle
                    else:
                        high = middle
                out[g, k] = mean[g] - REACH * sd[g] + (j - 1 + low) * h


@nb.njit(cache=True, inline="always")
def _area(h: float, t: float, g0: float, g1: float, d0: float, d1: float) -> float:
    """Return the integral of the cubic with values g and slopes d at the ends of an interval over its first t."""
    a, b, t2 = h * d0, h * d1, t * t
    cubic, square = 2 * (g0 - g1) + a + b, 3 * (g1 - g0) - 2 * a - b
    return h * t * (g0 + a * t / 2 + square * t2 / 3 + cubic * t2 * t / 4)

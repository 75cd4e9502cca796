"""Quantiles of the posterior of nested effects: mixtures over what lies outside, each density from its own nodes.

Given the sum of the effects outside, an effect's density is known at the nodes b = m + d z_q of its rule. There
r(z) = log p + z^2 / 2 is all but a constant (a normal density would make it one), so the polynomial through the nodes
gives the density between them (beyond them it goes on as a line). Densities are summed by the Hermite-corrected
trapezoid rule, mixed by the posterior shares of the outer nodes, and the distribution function is inverted by
bisection. The innermost clusters share the distribution of the outer sum: it is replaced by the Gauss rule with a few
nodes of the same moments (Golub & Welsch 1969), exact for polynomials in the sum of twice that degree.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from profiling.modeling import mixture_rule as kernel
from profiling.modeling.nested_quadrature import NestedCriterion, SettledNodes

OUTER_NODES = 5  # of the rule that stands for the distribution of the outer sum
CELLS_AT_ONCE = 20_000


def nested_quantiles(
    criterion: NestedCriterion, beta: np.ndarray, theta: np.ndarray, probabilities: np.ndarray
) -> list[np.ndarray]:
    """Return the posterior quantiles (levels, P) of every level's effects, factors and levels as in the design."""
    tree, eta = criterion.nesting, criterion.linear_predictor(beta)
    at = criterion.settled_nodes(eta, theta)
    found = [np.zeros((len(label), len(probabilities))) for label in tree.label]
    for level in range(1, tree.depth):
        (center, spread), sigma, z = at.places[level - 1], float(at.sigma[level]), criterion.rule(level)[0]
        if sigma > 0:
            b = center[:, :, None] + spread[:, :, None] * z
            own = np.ascontiguousarray(at.heights[level - 1] - 0.5 * (b / sigma) ** 2)
            basis = kernel.between_nodes(z)
            kernel.mixture_quantiles(center, spread, at.shares[level - 1], own, z, *basis, probabilities, found[level])
    if at.sigma[0] > 0:
        _innermost(criterion, eta, at, probabilities, found[0])
    for own, label in zip(found, tree.label, strict=True):
        own[label] = own.copy()
    return found


def _innermost(
    criterion: NestedCriterion, eta: np.ndarray, at: SettledNodes, probabilities: np.ndarray, out: np.ndarray
) -> None:
    """Store the quantiles of the innermost effects, given the posterior of the sum of all others."""
    d, tree, (z, log_weight) = criterion.design, criterion.nesting, criterion.rule(1)
    center, spread = at.places[0]
    b = center[:, :, None] + spread[:, :, None] * z
    height = at.heights[0] + log_weight - (0.5 * (b / at.sigma[1]) ** 2 if at.sigma[1] > 0 else 0.0)
    both = at.shares[0][:, :, None] * special.softmax(height, axis=2)
    points = np.ascontiguousarray((at.outer[:, :, None] + b).reshape(len(b), -1))
    outer, weight = np.empty((len(b), OUTER_NODES)), np.empty((len(b), OUTER_NODES))
    kernel.gauss_of(points, both.reshape(len(b), -1), outer, weight)
    z, _ = criterion.rule(0)
    basis, parent, rows = kernel.between_nodes(z), tree.parent(0), criterion.rows(eta)
    for first in range(0, len(parent), CELLS_AT_ONCE):
        own = slice(first, first + CELLS_AT_ONCE)
        above = parent[own]
        modes, scales = np.empty((len(above), OUTER_NODES)), np.empty((len(above), OUTER_NODES))
        at_nodes = np.empty((*modes.shape, len(z)))
        kernel.inner_conditionals(
            *rows,
            d.structure.cell_ptr,
            tree.label[0][own],
            outer[above],
            float(at.sigma[0]),
            z,
            modes,
            scales,
            at_nodes,
        )
        kernel.mixture_quantiles(modes, scales, weight[above], at_nodes, z, *basis, probabilities, out[own])

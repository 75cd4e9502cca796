"""Recursive adaptive Gauss-Hermite quadrature for strictly nested random intercepts.

With levels 1 (innermost) to L and s the sum of the effects outside (Pinheiro & Chao 2006; Rabe-Hesketh, Skrondal &
Pickles 2005), a cluster's log integral is a function of one number, whatever the number of levels outside:

    h_1(s) = log int phi(b; 0, sigma_1^2) exp sum_i l0(eta_i + s + b) db,
    h_l(s) = log int phi(b; 0, sigma_l^2) exp sum_children h_{l-1}(s + b) db,         l(beta, theta) = sum_top m h_L(0).

Level 1 is re-centred at its mode for every s, its nodes differentiated exactly (mode b^, H = sum W + 1/sigma^2,
nodes b^ + z_q H^-1/2; see `quadrature`). For levels 2 to L what a cluster's children say about b is kept as the
precision K and linear term k of a normal density, by cluster and outer node, so that nodes lie at

    m + d z_q,      d = (K + 1/sigma^2)^-1/2,      m = k d^2.

K and k come from Newton steps on the derivatives at the central node (h'' = E[h''] + Var h' from inside) and stay as
they are while the nodes are within `STALE` posterior sds of where they should be: the value is then a smooth function
of (beta, theta) whose gradient, exactly, is

    dl/deta_i       = E[dh_1/deta_i],
    dl/dlog sigma_l = E[b^2/sigma^2 - 1 + (h'_{l-1} - b/sigma^2) db/dlog sigma] + d^2/sigma^2,
    db_q/dlog sigma = (2m + d z_q) d^2/sigma^2        (l >= 2; the last two terms vanish as the points increase).
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from profiling.modeling import nested_rule as kernel
from profiling.modeling.columns import transposed_times
from profiling.modeling.design import Design
from profiling.modeling.families import LOGIT, Family
from profiling.modeling.gauss_hermite import gauss_hermite
from profiling.modeling.inner_integral import SAFE_EXPONENT
from profiling.modeling.laplace import Evaluation, LaplaceCriterion
from profiling.modeling.nested_level import Level, combine
from profiling.modeling.nesting import Nesting, nesting
from profiling.modeling.quadrature import Moments, averaged

STALE = 0.1  # posterior sds (or log scale) that a node may be off before all are placed anew
SETTLED = 0.01
PATIENCE = 8  # whole steps before half steps
SWEEPS = 40
LONGEST_STEP = 2.0  # in prior sds
NO_HEIGHTS = np.zeros((0, 0, 0))


@dataclass(frozen=True)
class SettledNodes:
    """Where the nodes stand at one point and what is known there, for levels 2 to L (lists).

    `sigma` of all levels; `places` (m, d), each (D, C); `heights` (D, C, Q) the children's log integrals at the nodes;
    `shares` (D, C) of the outer nodes; `outer` (D, C) the sums of the effects outside of level 2.
    """

    sigma: np.ndarray
    places: list[tuple[np.ndarray, np.ndarray]]
    heights: list[np.ndarray]
    shares: list[np.ndarray]
    outer: np.ndarray


class NestedCriterion(LaplaceCriterion):
    """The log-likelihood of nested intercepts by recursive quadrature; `points` by level, innermost first."""

    def __init__(self, design: Design, family: Family, points: tuple[int, ...]) -> None:
        super().__init__(design, family)
        self.points = points
        self.nesting: Nesting = nesting(design)
        self._unit = bool((design.weights == 1).all())
        self._start = np.zeros(design.structure.n_cells)
        # By level from 2 to L: precision K and linear term k of the nodes (D, C).
        self._place: list[tuple[np.ndarray, np.ndarray]] | None = None
        self._used: tuple[int, ...] = ()
        self._inner_moments = np.zeros((0, 0, 2))
        self.sweeps = 0
        self.unsettled = 0
        self._stale = STALE

    def with_points(self, points: tuple[int, ...]) -> NestedCriterion:
        """Return the criterion with other numbers of points, its nodes where these have found theirs."""
        other = copy(self)
        other.points = points
        if self._place is not None and points != self.points:
            used = tuple(np.where(np.array(self._used) == 1, 1, points).tolist())
            other._place = []
            for level, (precision, linear) in enumerate(self._place, start=1):
                counts = self._used[level + 1 :], used[level + 1 :]
                other._place.append((_along_nodes(precision, *counts), _along_nodes(linear, *counts)))
            other._used, other._start, other._stale = used, self._start.copy(), STALE
            other._allocate()
        return other

    def evaluate(self, beta: np.ndarray, theta: np.ndarray) -> Evaluation:
        """Return value and gradient of the rule at (beta, theta); nodes that went stale are placed anew."""
        d = self.design
        eta = self.linear_predictor(beta)
        levels, shares, sigma, inner_slope = self._settled(eta, theta)
        top = levels[-1]
        m = self.nesting.multiplicity
        kernel.collapse(
            self._score,
            self._weight,
            d.structure.cell_ptr,
            self.nesting.label[0],
            self.nesting.child_ptr[1],
            self.nesting.tile_ptr,
            shares[0],
            m[1],
            self._v,
            self._w,
        )
        by_sigma = [float(part.sum()) for part in self._sigma_scores(levels, shares, sigma, inner_slope)]
        gradient = np.concatenate([transposed_times(d.X, self._v), by_sigma])
        return averaged(self, float(m[-1] @ top.value[:, 0]), gradient, beta, d.form.matrix(theta))

    def _sigma_scores(
        self, levels: list[Level], shares: list[np.ndarray], sigma: np.ndarray, inner_slope: np.ndarray
    ) -> list[np.ndarray]:
        """Return dl/dsigma of every level by cluster: of level 2 for levels 1 and 2, of its own for the others (D)."""
        m = self.nesting.multiplicity
        slopes = [inner_slope, *(at.slope for at in levels)]
        own = [1, *range(1, self.nesting.depth)]
        return [
            m[level] * (shares[level - 1] * slope).sum(axis=1) / sd if sd > 0 else np.zeros(len(slope))
            for level, slope, sd in zip(own, slopes, sigma.tolist(), strict=True)
        ]

    def theta_scores(self, beta: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return what the clusters add to dl/dtheta (M, t), multiplicity included, each in the row of one of its cells.

        Summed over cells that hold whole top-level clusters it is theirs.
        """
        scores = self._sigma_scores(*self._settled(self.linear_predictor(beta), theta))
        tree = self.nesting
        by_cell, first = np.zeros((self.design.structure.n_cells, len(scores))), tree.label[0]
        for level in range(1, tree.depth):
            # The first cell of every cluster of the level.
            first = first[tree.child_ptr[level][:-1]]
            for position in (0, 1) if level == 1 else (level,):
                by_cell[first, position] = scores[position]
        return by_cell

    def moments(self, beta: np.ndarray, theta: np.ndarray) -> list[Moments]:
        """Return posterior means and variances of every level's effects, factors and levels as in the design."""
        levels, shares, _, _ = self._settled(self.linear_predictor(beta), theta)
        label = self.nesting.label
        first = self._inner_moments[label[0]]
        share = shares[0][self.nesting.parent(0)]
        pairs = [((first[:, :, 0] * share).sum(axis=1), (first[:, :, 1] * share).sum(axis=1))]
        pairs += [
            ((at.mean * share).sum(axis=1), (at.square * share).sum(axis=1))
            for at, share in zip(levels, shares, strict=True)
        ]
        found = []
        for own, (mean, square) in zip(label, pairs, strict=True):
            back = np.empty_like(own)
            back[own] = np.arange(len(own))
            found.append(Moments(mean[back][:, None], (square - mean**2)[back][:, None, None]))
        return found

    def _settled(
        self, eta: np.ndarray, theta: np.ndarray
    ) -> tuple[list[Level], list[np.ndarray], np.ndarray, np.ndarray]:
        """Return levels 2 to L, their clusters' shares by outer node, sigma and level 1's slope, nodes in place."""
        sigma = np.asarray(theta, dtype=float)
        used = tuple(np.where(sigma > 0, self.points, 1).tolist())
        if self._place is None or used != self._used:
            self._used = used
            self._place = self._first_places(eta, sigma)
            self._allocate()
        growth = self._growth(eta)
        limit = self._stale
        for sweep in range(SWEEPS):
            levels, inner_slope = self._pass(eta, growth, sigma)
            self.sweeps += 1
            drift, better = self._drift(levels, sigma)
            if drift < limit:
                if sweep:
                    self._stale = max(STALE, 2 * drift)
                break
            # Few points in small clusters make curvatures uncertain: settle for less, by half steps, rather than cycle.
            limit = SETTLED if sweep < PATIENCE else STALE / 2 if sweep < 2 * PATIENCE else 5 * STALE
            if not np.isfinite(drift):
                self._place = self._first_places(eta, sigma)
            elif sweep < PATIENCE:
                self._place = better
            else:
                self._place = [
                    ((old[0] + new[0]) / 2, (old[1] + new[1]) / 2) for old, new in zip(self._place, better, strict=True)
                ]
        else:
            self.unsettled += 1
        return levels, self._shares(levels), sigma, inner_slope

    def settled_nodes(self, eta: np.ndarray, theta: np.ndarray) -> SettledNodes:
        """Return the nodes where they belong at (eta, theta), with the heights at them."""
        levels, shares, sigma, _ = self._settled(eta, theta)
        places = self._nodes(sigma)
        heights = [np.empty((*places[0][0].shape, len(self.rule(1)[0])))]
        self._pass(eta, self._growth(eta), sigma, heights[0])
        for level in range(2, self.nesting.depth):
            summed = np.add.reduceat(levels[level - 2].value, self.nesting.child_ptr[level][:-1], axis=0)
            heights.append(summed.reshape(*places[level - 1][0].shape, len(self.rule(level)[0])))
        return SettledNodes(sigma, places, heights, shares, self._outer_sums(places))

    def rows(self, eta: np.ndarray) -> tuple[float, np.ndarray, bool, np.ndarray, np.ndarray, np.ndarray]:
        """Return what the kernels of single rows take."""
        return self.family.code, self._growth(eta), self._unit, self.design.y, self.design.weights, eta

    def _growth(self, eta: np.ndarray) -> np.ndarray:
        """Return exp(eta) (n) where the kernel can use it, else nothing."""
        return np.exp(eta) if self.family.code == LOGIT and np.abs(eta).max() < SAFE_EXPONENT else np.zeros(0)

    def rule(self, level: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the nodes and log weights (Q) of a level, the innermost being 0."""
        return gauss_hermite(self._used[level])

    def _first_places(self, eta: np.ndarray, sigma: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return nodes around the joint mode of all effects, the same for every outer node."""
        modes = self.find_modes(eta, np.diag(sigma), self._u)
        variances = self.level_covariance(modes.factor.cell_covariance())
        self._start = modes.u0[:, 0] * sigma[0]
        s = self.design.structure
        places: list[tuple[np.ndarray, np.ndarray]] = []
        for level in range(1, self.nesting.depth):
            own = self.nesting.label[level]
            mode = sigma[level] * modes.ur[s.rest_position[level - 1][own, 0]]
            sd = sigma[level] * np.sqrt(variances[level][own, 0, 0])
            outside = int(np.prod(self._used[level + 1 :], dtype=np.int64))
            said = _likelihood(mode, sd, float(sigma[level]))
            places.append((np.repeat(said[0][:, None], outside, axis=1), np.repeat(said[1][:, None], outside, axis=1)))
        return places

    def _allocate(self) -> None:
        n, outside = self.design.n, int(np.prod(self._used[2:], dtype=np.int64))
        self._score, self._weight = np.empty((n, outside)), np.empty((n, outside))
        self._inner_moments = np.empty((self.design.structure.n_cells, outside, 2))

    def _nodes(self, sigma: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the nodes' places m and scales d (D, C) for levels 2 to L."""
        assert self._place is not None
        found = []
        for (precision, linear), own in zip(self._place, sigma[1:], strict=True):
            square = own**2 / (1.0 + precision * own**2)
            found.append((linear * square, np.sqrt(square)))
        return found

    def _outer_sums(self, nodes: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Return the sum of the effects outside of every cluster of level 2, by outer node (D, C)."""
        total = np.zeros((len(self.nesting.label[-1]), 1))
        for level in range(self.nesting.depth - 1, 1, -1):
            center, spread = nodes[level - 1]
            z, _ = self.rule(level)
            own = total[:, :, None] + center[:, :, None] + spread[:, :, None] * z
            total = own.reshape(len(own), -1)[self.nesting.parent(level - 1)]
        return np.ascontiguousarray(total)

    def _pass(
        self, eta: np.ndarray, growth: np.ndarray, sigma: np.ndarray, heights: np.ndarray = NO_HEIGHTS
    ) -> tuple[list[Level], np.ndarray]:
        """Integrate all levels with the nodes where they are; return levels 2 to L and level 1's slope (D, C).

        `heights` (D, C, Q), unless empty, becomes the sum of level 2's children at its nodes.
        """
        d, tree, nodes = self.design, self.nesting, self._nodes(sigma)
        center, spread = nodes[0]
        out = np.empty((*center.shape, 9))
        kernel.integrate_two_levels(
            self.family.code,
            growth,
            self._unit,
            d.y,
            d.weights,
            eta,
            d.structure.cell_ptr,
            tree.label[0],
            tree.child_ptr[1],
            tree.tile_ptr,
            sigma,
            *self.rule(0),
            *self.rule(1),
            self._outer_sums(nodes),
            center,
            spread,
            self._start,
            self._score,
            self._weight,
            out,
            self._inner_moments,
            heights,
        )
        value, slope, first, second, mean, square, center_first, center_second = (
            out[:, :, column] for column in (0, 2, 3, 4, 5, 6, 7, 8)
        )
        levels = [Level(value, slope, first, second, mean, square, center_first, center_second, np.zeros(0))]
        for level in range(2, tree.depth):
            levels.append(
                combine(levels[-1], tree.child_ptr[level], *nodes[level - 1], float(sigma[level]), *self.rule(level))
            )
        return levels, out[:, :, 1]

    def _drift(self, levels: list[Level], sigma: np.ndarray) -> tuple[float, list[tuple[np.ndarray, np.ndarray]]]:
        """Return how far the nodes are from mode and curvature (in posterior sds), and what puts them there."""
        assert self._place is not None
        worst, moved = 0.0, []
        nodes = self._nodes(sigma)
        for level, (at, place, (center, spread)) in enumerate(zip(levels, self._place, nodes, strict=True), start=1):
            own = float(sigma[level])
            if own == 0:
                moved.append(place)
                continue
            sd = 1.0 / np.sqrt(np.maximum(-at.center_second, 0.0) + own**-2.0)
            step = (at.center_first - center / own**2) * sd**2
            worst = max(worst, float((np.abs(step) / sd).max()), float(np.abs(np.log(sd / spread)).max()))
            step = np.clip(step, -LONGEST_STEP * own, LONGEST_STEP * own)
            moved.append(_likelihood(center + step, sd, own))
        return worst, moved

    def _shares(self, levels: list[Level]) -> list[np.ndarray]:
        """Return the posterior probability of every outer node, for the clusters of levels 2 to L (D, C)."""
        share = np.ones((len(self.nesting.label[-1]), 1))
        found = [share]
        for level in range(self.nesting.depth - 1, 1, -1):
            both = share[:, :, None] * levels[level - 1].share
            share = both.reshape(len(both), -1)[self.nesting.parent(level - 1)]
            found.append(share)
        return [np.ascontiguousarray(part) for part in reversed(found)]


def _likelihood(mode: np.ndarray, sd: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Return precision and linear term of the normal density that turns the prior into one of this mode and sd."""
    if sigma == 0:
        return np.zeros_like(mode), np.zeros_like(mode)
    return np.maximum(sd**-2.0 - sigma**-2.0, 0.0), mode * sd**-2.0


def _along_nodes(values: np.ndarray, used: tuple[int, ...], wanted: tuple[int, ...]) -> np.ndarray:
    """Carry values (D, C) at outer nodes over to other numbers of nodes (innermost last), linear between nodes."""
    grid = values.reshape(len(values), *used[::-1])
    for axis, (old, new) in enumerate(zip(used[::-1], wanted[::-1], strict=True), start=1):
        if old == new:
            continue
        if old == 1:
            grid = np.repeat(grid, new, axis=axis)
            continue
        z, target = gauss_hermite(old)[0], gauss_hermite(new)[0]
        hats = np.array([np.interp(target, z, hat) for hat in np.eye(old)])
        grid = np.moveaxis(np.tensordot(grid, hats, axes=(axis, 0)), -1, axis)
    return np.ascontiguousarray(grid.reshape(len(values), -1))

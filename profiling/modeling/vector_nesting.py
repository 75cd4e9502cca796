"""Adaptive quadrature of strictly nested effects with several terms (slopes) at any level, level within level.

With u spherical at every level, the log integral of a cluster of level l given the effects outside is

    h_l = log sum_q exp[ c_q - |u_q|^2 / 2 + log|D| + sum_children h_(l-1)(z'Lambda_l u_q) ],      u_q = m + D z_q,

c_q the log weights of the product rule. Level 0 is the rule of `quadrature`, re-centred at its mode for every node
outside and differentiated exactly. For the levels outside m and D come from the joint mode and H^-1 of all effects,
conditional on the outer nodes (a normal density's regression and residual variance), and stay as they are while the
mode is within `STALE` posterior sds of where they were made: the value is then a smooth function of (beta, theta) with

    dl/deta_i = E[dh_0/deta_i],      dl/dLambda_l = E[sum_i z_i dh_0/deta_i u'],

exactly. Sums over nodes are kept relative to the largest height so far, so that one pass over the nodes is enough.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from profiling.modeling.columns import transposed_times
from profiling.modeling.covariance import template
from profiling.modeling.design import Design
from profiling.modeling.families import Family
from profiling.modeling.gauss_hermite import product_rule
from profiling.modeling.laplace import Evaluation, LaplaceCriterion
from profiling.modeling.nesting import inner_first
from profiling.modeling.quadrature import Moments, QuadratureCriterion, averaged
from profiling.modeling.structure import order_rows

STALE = 0.1  # posterior sds (or log scale) that nodes may be off before all are placed anew


@dataclass
class Integrals:
    """Log integrals of the clusters of a level (C) and their slopes: by row (n), by entry of theta (C, t); E[W] (n).

    `mean`, `second`: E[u] (C_l, k), E[uu'] (C_l, k, k) of this level and those inside, innermost first.
    """

    value: np.ndarray
    score: np.ndarray
    w: np.ndarray
    slope: np.ndarray
    mean: list[np.ndarray] = field(default_factory=list)
    second: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """Nodes of a level: centers m (C, k), factors D (C, k, k), regression on the outer effects (C, k, outer k)."""

    center: np.ndarray
    spread: np.ndarray
    log_volume: np.ndarray
    regression: np.ndarray


class VectorNesting(LaplaceCriterion):
    """The log-likelihood of nested effects of one or more terms; `points` a term of each factor, as in the design."""

    def __init__(self, design: Design, family: Family, points: tuple[int, ...]) -> None:
        super().__init__(design, family)
        self.points = points
        s, form = design.structure, design.form
        self._chain = inner_first(design)
        first_rows = design.order[s.cell_ptr[:-1]]
        codes = [design.factors[f].codes[first_rows] for f in self._chain]
        # Strictly nested, every cell is a cluster of level 0, numbered as it stands.
        self._label = codes[0]
        self._code = [np.arange(s.n_cells), *codes[1:]]
        self._size = [s.n_cells, *(design.factors[f].size for f in self._chain[1:])]
        self._row_cell = np.repeat(np.arange(s.n_cells), np.diff(s.cell_ptr))
        self._first = [np.unique(code, return_index=True)[1] for code in self._code]
        columns = [np.arange(form.offsets[f], form.offsets[f + 1]) for f in self._chain]
        self._columns = columns
        self._Z = [np.ascontiguousarray(design.Z[:, own]) for own in columns]
        self._entries = [np.flatnonzero(form.factor == f) for f in self._chain]
        self._inner = QuadratureCriterion(self._inner_design(), family, (points[self._chain[0]],))
        starts = np.flatnonzero(np.diff(self._code[1], prepend=-1))
        together = len(starts) == self._size[1]
        # Slopes of level 0 are summed by cluster of level 1 where its cells stand together.
        self._tiles = np.append(starts, s.n_cells) if together else np.arange(s.n_cells + 1)
        self._tile_cluster = self._code[1][self._tiles[:-1]]
        self._place: list[_Place] = []

    def _inner_design(self) -> Design:
        d, f = self.design, self._chain[0]
        _, structure, new_level0 = order_rows([self._row_cell], [d.structure.n_cells], [len(d.factors[f].terms)])
        ones = np.ones(d.structure.n_cells)
        return replace(
            d,
            Z=self._Z[0],
            factors=(d.factors[f],),
            structure=structure,
            form=template([d.factors[f].mask]),
            new_level0=new_level0,
            cell_multiplicity=ones,
            level_multiplicity=(ones,),
            component_multiplicity=ones,
        )

    def with_points(self, points: tuple[int, ...]) -> VectorNesting:
        """Return the criterion with other numbers of points, starting from the modes found here."""
        other = VectorNesting(self.design, self.family, points)
        other._u, other._place, other._inner._u = self._u, self._place, self._inner._u
        return other

    def evaluate(self, beta: np.ndarray, theta: np.ndarray) -> Evaluation:
        """Return value and gradient of the rule at (beta, theta); nodes that went stale are placed anew."""
        d, Lambda = self.design, self.design.form.matrix(theta)
        found = self._whole(beta, Lambda, False)
        m = self._multiplicity()
        self._v[:] = self.counted(found.score)
        self._w[:] = found.w
        gradient = np.concatenate([transposed_times(d.X, self._v), m @ found.slope])
        return averaged(self, float(m @ found.value), gradient, beta, Lambda)

    def theta_scores(self, beta: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return what the top-level clusters add to dl/dtheta (M, t), each in the row of one of its cells."""
        found = self._whole(beta, self.design.form.matrix(theta), False)
        by_cell = np.zeros((self.design.structure.n_cells, found.slope.shape[1]))
        by_cell[self._first[-1]] = self._multiplicity()[:, None] * found.slope
        return by_cell

    def moments(self, beta: np.ndarray, theta: np.ndarray) -> list[Moments]:
        """Return posterior means and covariances of every factor's effects b = Lambda u, as in the design."""
        Lambda = self.design.form.matrix(theta)
        found = self._whole(beta, Lambda, True)
        by_factor: dict[int, Moments] = {}
        for level, f in enumerate(self._chain):
            mean, second = found.mean[level], found.second[level]
            block = Lambda[np.ix_(self._columns[level], self._columns[level])]
            covariance = second - mean[:, :, None] * mean[:, None, :]
            own = Moments(mean @ block.T, np.einsum("ab,lbc,dc->lad", block, covariance, block, optimize=True))
            if level == 0 and f != 0:
                place = np.argsort(self._label)
                own = Moments(own.mean[place], own.covariance[place])
            elif level and f == 0:
                place = self.design.new_level0
                own = Moments(own.mean[place], own.covariance[place])
            by_factor[f] = own
        return [by_factor[f] for f in range(len(self._chain))]

    def _multiplicity(self) -> np.ndarray:
        return self.design.cell_multiplicity[self._first[-1]]

    def _whole(self, beta: np.ndarray, Lambda: np.ndarray, moments: bool) -> Integrals:
        eta = self.linear_predictor(beta).copy()
        self._settle(eta, Lambda)
        return self._integrate(len(self._chain) - 1, eta, Lambda, np.zeros((1, 0)), moments)

    def _settle(self, eta: np.ndarray, Lambda: np.ndarray) -> None:
        """Place the nodes anew where the joint mode has moved away from them."""
        modes = self.find_modes(eta, Lambda, self._u)
        V = modes.factor.cell_covariance()
        u = self.design.structure.gather(modes.u0, modes.ur)
        places = [self._placed(level, u, V) for level in range(1, len(self._chain))]
        if not self._place or max(map(_drift, self._place, places)) > STALE:
            self._place = places

    def _placed(self, level: int, u: np.ndarray, V: np.ndarray) -> _Place:
        first, own = self._first[level], self._columns[level]
        outer = np.concatenate([np.zeros(0, dtype=np.int64), *self._columns[level + 1 :]])
        covariance, cross = V[first][:, own[:, None], own], V[first][:, own[:, None], outer]
        regression = np.linalg.solve(V[first][:, outer[:, None], outer], cross.transpose(0, 2, 1)).transpose(0, 2, 1)
        spread = np.linalg.cholesky(covariance - regression @ cross.transpose(0, 2, 1))
        volume = np.log(np.diagonal(spread, axis1=1, axis2=2)).sum(axis=1)
        return _Place(u[first][:, own], spread, volume, regression)

    def _integrate(
        self, level: int, eta: np.ndarray, Lambda: np.ndarray, outer: np.ndarray, moments: bool
    ) -> Integrals:
        """Return the integrals of a level's clusters; `outer` (C, k): how far effects outside are from their mode."""
        block = Lambda[np.ix_(self._columns[level], self._columns[level])]
        if level == 0:
            return self._innermost(eta, np.ascontiguousarray(block), moments)
        place, code = self._place[level - 1], self._code[level][self._row_cell]
        Z, parent = self._Z[level], self._code[level][self._first[level - 1]]
        size, k = self._size[level], len(block)
        center = place.center + np.einsum(
            "cko,co->ck", place.regression, np.broadcast_to(outer, (size, outer.shape[1]))
        )
        sums = _Sums(size, len(eta), self.design.form.size, [code, *self._inside(level)])
        rows, columns = self._local(level)
        for z, log_weight in zip(*product_rule(self.points[self._chain[level]], k), strict=True):
            u = center + place.spread @ z
            b = u @ block.T
            away = np.concatenate([u - place.center, np.broadcast_to(outer, (size, outer.shape[1]))], axis=1)
            inner = self._integrate(level - 1, eta + (Z * b[code]).sum(axis=1), Lambda, away[parent], moments)
            height = np.bincount(parent, inner.value, size) + log_weight - 0.5 * (u * u).sum(axis=1) + place.log_volume
            slope = np.zeros((size, self.design.form.size))
            np.add.at(slope, parent, inner.slope)
            pull = np.stack([np.bincount(code, Z[:, a] * inner.score, size) for a in range(k)], axis=1)
            slope[:, self._entries[level]] = pull[:, rows] * u[:, columns]
            sums.add(height, inner, slope, u if moments else None)
        return sums.result()

    def _innermost(self, eta: np.ndarray, block: np.ndarray, moments: bool) -> Integrals:
        inner = self._inner
        value, slope, _ = inner.integrate(eta, block, self._tiles)
        rows, columns = self._local(0)
        by_cluster = np.zeros((self._size[0], self.design.form.size))
        # A tile's slopes stand in the row of its first cell: what is outside only sums them.
        by_cluster[self._tiles[:-1, None], self._entries[0]] = slope[:, rows, columns]
        if not moments:
            return Integrals(value, inner.scores, inner.weights, by_cluster)
        return Integrals(value, inner.scores, inner.weights, by_cluster, [inner.mean.copy()], [inner.second.copy()])

    def _local(self, level: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns of the level's free entries in its own block."""
        form, own = self.design.form, self._entries[level]
        offset = form.offsets[self._chain[level]]
        return form.rows[own] - offset, form.columns[own] - offset

    def _inside(self, level: int) -> list[np.ndarray]:
        """Return for each level inside `level` its clusters' clusters of `level`, innermost first."""
        return [self._code[level][self._first[inside]] for inside in range(level)]


class _Sums:
    """Sums over nodes of what the clusters' shares weigh, relative to the largest height so far."""

    def __init__(self, size: int, n: int, entries: int, codes: list[np.ndarray]) -> None:
        self.code, self.inside = codes[0], codes[1:]
        self.peak, self.total = np.full(size, -np.inf), np.zeros(size)
        self.score, self.w, self.slope = np.zeros(n), np.zeros(n), np.zeros((size, entries))
        self.mean: list[np.ndarray] = []
        self.second: list[np.ndarray] = []

    def add(self, height: np.ndarray, inner: Integrals, slope: np.ndarray, u: np.ndarray | None) -> None:
        """Add a node of these heights (C)."""
        peak = np.maximum(self.peak, height)
        kept, new = np.exp(self.peak - peak), np.exp(height - peak)
        self.peak, self.total = peak, self.total * kept + new
        kept_rows, new_rows = kept[self.code], new[self.code]
        self.score = self.score * kept_rows + inner.score * new_rows
        self.w = self.w * kept_rows + inner.w * new_rows
        self.slope = self.slope * kept[:, None] + slope * new[:, None]
        if u is None:
            return
        means, seconds = [*inner.mean, u], [*inner.second, u[:, :, None] * u[:, None, :]]
        codes = [*self.inside, np.arange(len(height))]
        if not self.mean:
            self.mean, self.second = [np.zeros_like(m) for m in means], [np.zeros_like(m) for m in seconds]
        for position, code in enumerate(codes):
            a, b = kept[code], new[code]
            self.mean[position] = self.mean[position] * a[:, None] + means[position] * b[:, None]
            self.second[position] = self.second[position] * a[:, None, None] + seconds[position] * b[:, None, None]

    def result(self) -> Integrals:
        """Return the integrals and the expectations."""
        rows, codes = self.total[self.code], [*self.inside, np.arange(len(self.total))]
        mean = [m / self.total[code][:, None] for m, code in zip(self.mean, codes, strict=False)]
        second = [m / self.total[code][:, None, None] for m, code in zip(self.second, codes, strict=False)]
        value = self.peak + np.log(self.total)
        return Integrals(value, self.score / rows, self.w / rows, self.slope / self.total[:, None], mean, second)


def _drift(old: _Place, new: _Place) -> float:
    """Return how far the nodes are from where they belong, in posterior sds or log scale."""
    sd = np.sqrt(np.einsum("cab,cab->ca", old.spread, old.spread))
    now = np.sqrt(np.einsum("cab,cab->ca", new.spread, new.spread))
    return float(max((np.abs(new.center - old.center) / sd).max(), np.abs(np.log(now / sd)).max()))

"""How many values a hidden count can take, exactly: whole-number solutions of everything a reader knows.

A count is safe when three solutions of the whole system give it three values. Solutions are vertices of the system,
and of smaller boxes around the truth, for random costs, each of which tries all counts that still lack values at once;
the few left over are looked at one by one within what hangs together with them, from their least to their most.
Systems of hierarchical tables are networks, whose vertices are whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csgraph

from profiling.errors import DisclosureError, Problem
from profiling.reporting.cells import Bools, Cells, Floats, Ints
from profiling.reporting.swaps import safe_by_swaps

NEEDED = 3
BOXES = (np.inf, 1.0, 2.0, 1.0, 3.0, 2.0)
PATIENCE = 4
FEW = 3
NEAR, REGIONS, FAN = 400, (400, 4000), 12  # variables of a neighbourhood, of regions, and of each of their equations
LARGE = 10_000  # variables beyond which neighbourhoods alone are looked at: what they do not show safe is hidden
SECONDS = 60.0
WHOLE = 1e-6


def given_away(cells: Cells, lower: Floats, upper: Floats, needed: int = NEEDED, proved: Bools | None = None) -> Bools:
    """Protected cells (u, 3) that can take fewer than `needed` values. lower, upper: bounds that are certain.

    proved (u, 3): cells shown to have enough while more was known; they are not looked at again.
    """
    wanted = cells.protected & (upper - lower + 1 < needed)
    open_cells = cells.protected & ~wanted & (True if proved is None else ~proved)
    if open_cells.any():
        open_cells &= ~safe_by_swaps(cells, lower, upper, needed)
    if open_cells.any():
        system = _System.of(cells, lower, upper)
        wanted.reshape(-1)[system.short(np.flatnonzero(open_cells), needed)] = True
    return wanted


@dataclass(frozen=True)
class _System:
    """Free variables (cells by number u · 3 + cell) with bounds and the equations between them."""

    place: Ints
    lower: Floats
    upper: Floats
    truth: Floats
    matrix: Any
    total: Floats

    @classmethod
    def of(cls, cells: Cells, lower: Floats, upper: Floats) -> _System:
        low, high, truth = lower.reshape(-1), upper.reshape(-1), cells.values.reshape(-1)
        free = np.flatnonzero(high > low)
        place = np.full(len(low), -1, dtype=np.int64)
        place[free] = np.arange(len(free))
        rows, columns, signs = (np.concatenate(parts) for parts in zip(*_entries(cells), strict=True))
        keep = place[columns] >= 0
        count = int(rows.max()) + 1 if len(rows) else 0
        fixed = np.bincount(rows[~keep], signs[~keep] * low[columns[~keep]], minlength=count)
        shape = (count, len(free))
        matrix = sparse.csr_array((signs[keep], (rows[keep], place[columns[keep]])), shape=shape)
        used = np.diff(matrix.indptr) > 0
        return cls(place, low[free], high[free], truth[free], matrix[used], np.asarray(-fixed[used], dtype=np.float64))

    def short(self, targets: Ints, needed: int) -> Ints:
        """Those of the targets that lack values."""
        wanted = self.place[targets]
        part = self._among(np.flatnonzero(np.isin(self._component, self._component[wanted])))
        lacking = part._lacking(np.searchsorted(part.place, wanted), needed)
        return targets[lacking]

    def _lacking(self, wanted: Ints, needed: int) -> Bools:
        """Which of these variables lack values; beyond `LARGE` variables, which are not shown to have them nearby."""
        values: dict[int, set[int]] = {int(i): {round(float(self.truth[i]))} for i in wanted}
        if len(self.truth) > LARGE:
            # Small regions are quick and show most; what they leave is looked at in large ones.
            short = wanted.tolist()
            for most in REGIONS:
                short = self._tried_by_region(short, most, values, needed)
            lacking = [i for i in short if not self._near(i, NEAR)._enough(values[i], needed)]
            return np.asarray(np.isin(wanted, lacking), dtype=np.bool_)
        draw = np.random.default_rng(len(self.truth))
        left = wanted
        tried = idle = 0
        while len(left) > FEW and idle < PATIENCE:
            size = BOXES[tried % len(BOXES)]
            cost = np.zeros(len(self.truth))
            cost[left] = draw.choice([-1.0, 1.0], len(left)) * (0.5 + draw.random(len(left)))
            box = np.maximum(self.lower, self.truth - size), np.minimum(self.upper, self.truth + size)
            found = self._run(cost, *box, branch=False)
            if found is not None:
                for i in left.tolist():
                    values[i].add(int(found[i]))
            still = np.array([i for i in left.tolist() if len(values[i]) < needed], dtype=np.int64)
            tried, idle = tried + 1, 0 if len(still) < len(left) else idle + 1
            left = still
        lacking = [
            i
            for i in left.tolist()
            if not self._near(i, NEAR)._enough(values[i], needed) and not self._around(i)._enough(values[i], needed)
        ]
        return np.asarray(np.isin(wanted, lacking), dtype=np.bool_)

    @cached_property
    def _component(self) -> Ints:
        """Number of the part of the system that each variable hangs together with."""
        equations, variables = self.matrix.shape
        ends = self.matrix.tocoo()
        graph = sparse.coo_array(
            (np.ones(ends.nnz), (ends.row, equations + ends.col)), shape=(equations + variables,) * 2
        )
        return np.asarray(csgraph.connected_components(graph, directed=False)[1][equations:], dtype=np.int64)

    def _among(self, own: Ints) -> _System:
        """The part of these variables, which must hang together with no others; `place`: their numbers."""
        matrix = self.matrix[:, own]
        used = np.diff(matrix.indptr) > 0
        return _System(own, self.lower[own], self.upper[own], self.truth[own], matrix[used], self.total[used])

    @cached_property
    def _by_variable(self) -> Any:
        return self.matrix.tocsc()

    def _tried_by_region(self, wanted: list[int], most: int, values: dict[int, set[int]], needed: int) -> list[int]:
        """Add values that solutions of one region after the other give; return the variables that still lack some.

        A region has `most` variables.
        """
        draw = np.random.default_rng(len(self.truth))
        tried: set[int] = set()
        for seed in wanted:
            if seed in tried or len(values[seed]) >= needed:
                continue
            part = self._near(seed, most)
            own = [(k, i) for k, i in enumerate(part.place.tolist()) if i in values]
            tried.update(i for _, i in own)
            for size in BOXES[1:]:
                left = [(k, i) for k, i in own if len(values[i]) < needed]
                if not left:
                    break
                cost = np.zeros(len(part.truth))
                cost[[k for k, _ in left]] = draw.choice([-1.0, 1.0], len(left)) * (0.5 + draw.random(len(left)))
                box = np.maximum(part.lower, part.truth - size), np.minimum(part.upper, part.truth + size)
                found = part._run(cost, *box, branch=False)
                for k, i in left if found is not None else ():
                    values[i].add(int(found[k]))  # type: ignore[index]
        return [i for i in wanted if len(values[i]) < needed]

    def _near(self, i: int, most: int) -> _System:
        """A small part around one variable, which comes first, with everything else as it truly is.

        Its solutions are solutions of the whole, so values found here are values. From an equation the variables with
        most room are taken.
        """
        room = self.upper - self.lower
        chosen, front = {i: None}, [i]
        met: set[int] = set()
        while front and len(chosen) < most:
            columns = self._by_variable
            rows = [int(r) for v in front for r in columns.indices[columns.indptr[v] : columns.indptr[v + 1]]]
            front = []
            for row in dict.fromkeys(r for r in rows if r not in met):
                met.add(row)
                others = self.matrix.indices[self.matrix.indptr[row] : self.matrix.indptr[row + 1]]
                widest = others[np.argsort(-room[others], kind="stable")[:FAN]] if len(others) > FAN else others
                fresh = [int(v) for v in widest if int(v) not in chosen]
                chosen.update(dict.fromkeys(fresh))
                front += fresh
        own = np.fromiter(chosen, dtype=np.int64)
        matrix = self._by_variable[:, own].tocsr()
        touched = np.diff(matrix.indptr) > 0
        matrix = matrix[touched]
        return _System(own, self.lower[own], self.upper[own], self.truth[own], matrix, matrix @ self.truth[own])

    def _around(self, i: int) -> _System:
        """What hangs together with one variable, which comes first."""
        own = np.flatnonzero(self._component == self._component[i])
        return self._among(np.concatenate([[i], own[own != i]]))

    def _enough(self, values: set[int], needed: int) -> bool:
        """Whether the first variable has enough values; `values`: those already found."""
        cost = np.zeros(len(self.truth))
        cost[0] = 1.0
        least, most = (round(float(self._solve(sign * cost, self.lower, self.upper)[0])) for sign in (1.0, -1.0))
        values |= {least, most}
        for value in range(least + 1, most):
            if len(values) >= needed:
                break
            if value not in values and self._possible(value):
                values.add(value)
        return len(values) >= needed

    def _possible(self, value: int) -> bool:
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[0] = upper[0] = value
        return self._run(np.zeros(len(lower)), lower, upper) is not None

    def _solve(self, cost: Floats, lower: Floats, upper: Floats) -> Floats:
        found = self._run(cost, lower, upper)
        if found is None:
            wanted = "one, for the truth is one"
            raise DisclosureError(Problem("audit of disclosure", "no solution of what is published", wanted))
        return found

    def _run(self, cost: Floats, lower: Floats, upper: Floats, branch: bool = True) -> Floats | None:
        """The cheapest whole-number solution. Vertices mostly are whole already; without `branch` others are none."""
        constraints = [LinearConstraint(self.matrix, self.total, self.total)] if self.matrix.shape[0] else []
        for whole in (0, 1)[: 1 + branch]:
            found = milp(
                cost,
                integrality=np.full(len(cost), whole, dtype=np.int64),
                bounds=Bounds(lower, upper),
                constraints=constraints,
                options={"time_limit": SECONDS},
            )
            if found.x is None:
                return None
            values = np.asarray(found.x, dtype=np.float64)
            if np.abs(values - np.round(values)).max(initial=0.0) < WHOLE:
                return np.round(values)
        return None


def _entries(cells: Cells) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Equations as row, cell number and sign: sums for each cell, n = O + N, linked cases."""
    first = 0
    for cell in range(3):
        yield first + cells.equation, cells.unit * 3 + cell, cells.sign
        first += cells.equations
    own = np.flatnonzero(cells.tied)
    rows = first + np.arange(len(own))
    for cell, sign in ((0, 1.0), (1, -1.0), (2, -1.0)):
        yield rows, own * 3 + cell, np.full(len(own), sign)
    first += len(own)
    linked = np.flatnonzero(cells.link >= 0)
    linked = linked[np.argsort(cells.link[linked], kind="stable")]
    same = cells.link[linked][1:] == cells.link[linked][:-1]
    pairs = linked[:-1][same], linked[1:][same]
    for units, sign in zip(pairs, (1.0, -1.0), strict=True):
        yield first + np.arange(len(units)), units * 3, np.full(len(units), sign)

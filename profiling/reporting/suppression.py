"""Which providers must be hidden so that no small count can be read or computed from what is published.

Protected counts are those from 1 to threshold - 1 (CMS cell-size policy: threshold 11) of cases n, of events O and of
non-events n - O; for continuous outcomes only of cases. Zero is not protected.

Primary: a provider with a protected count is hidden whole, because its other figures give the count back (at the
mode of a mixed model O = P + b/variance, so n, E and P/E reveal O).

Complementary: every total is taken as known to the reader, for totals follow from many printed figures: of a measure
over all providers of a level, of a hospital over its physicians, of a period over providers, of a subgroup's column.
Of a hidden provider its case band and flag category are known and, to be safe, even whether each count is small, large
or zero. While what is known leaves a protected count fewer than three values (`cells` for what follows from one sum,
`feasible` for what follows from all together), the smallest visible provider of the sum that tells most is hidden too.
Where all are hidden and three values are still not left, the total itself goes: a hospital is hidden with its
physicians, a measure is withheld. A hidden hospital takes its physicians with it.

Across measures: where two measures count the same cases of a provider, cases shown in one are known in the other.

Across runs: runs published before are known to the reader. What came to a provider between such a run and this one is
a count like any other: it has its own total, and it is protected from 1 to threshold - 1. So a provider of which few
patients, events or non-events came is hidden now, and one that was hidden then is shown again only when this gives
neither its former counts nor another's back.

Not covered: differences between measures of one run whose cohorts differ by a few patients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from profiling.errors import DisclosureError, Problem
from profiling.reporting.cells import CANDIDATE, LAST, UNBOUNDED, Bools, Cells, Floats, Ints
from profiling.reporting.feasible import NEEDED, given_away
from profiling.reporting.suppression_extra import Earlier, units_of
from profiling.reporting.suppression_units import Bounds, Units, band_edges, counts_of, known_of_hidden

SILENT = 2


@dataclass(frozen=True)
class Suppression:
    """Row by row of the provider table: hidden or not; measures whose totals are withheld altogether.

    `series`: measure and provider whose periods are hidden. `subgroups`: row by row, hidden or not. `blind`: row by
    row, 1 where the case band would tell a count and is not told, 2 where the flag category is not either.
    """

    hidden: Bools
    withheld: frozenset[str]
    series: frozenset[tuple[str, str]] = frozenset()
    subgroups: Bools = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    blind: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def case_bands(cases: Floats, threshold: int) -> npt.NDArray[np.object_]:
    """The band each number of cases lies in, in words: under 11, 11–24, 2,500 or more."""
    edges = band_edges(threshold)
    spans = zip(edges[1:-1], edges[2:] - 1, strict=True)
    labels = [f"under {threshold}", *(f"{a:,.0f}–{b:,.0f}" for a, b in spans), f"{edges[-1]:,.0f} or more"]
    return np.array(labels, dtype=object)[np.searchsorted(edges[1:], cases, side="right")]


def suppress(
    table: pd.DataFrame,
    threshold: int,
    hidden: Bools | None = None,
    *,
    periods: pd.DataFrame | None = None,
    subgroups: pd.DataFrame | None = None,
    earlier: Sequence[Earlier] = (),
) -> Suppression:
    """Decide what to hide.

    `table`: a row a measure, level and provider with measure, level, provider, parent (null for the outer level), n,
    observed, counts (True where observed are events), category and minimum (cases needed for a flag). `hidden`: rows
    that are hidden in any case. `periods` of outer providers: measure, provider, position, n, observed. `subgroups`:
    measure, column_name, value, n, observed. Raises DisclosureError where nothing that can be hidden protects a count.
    """
    cells, units = units_of(table, threshold, periods, subgroups, earlier)
    closure = _Closure(cells, units, hidden, lambda blind: known_of_hidden(table, counts_of(table), threshold, blind))
    shown = closure.closed()
    names = np.array(list(units.measures), dtype=object)
    withheld = names[~shown[np.array(list(units.measures.values()), dtype=np.int64)]]
    keys = table[["measure", "provider"]].astype(str).to_numpy()[units.series_row]
    return Suppression(
        ~shown[cells.group[units.rows]],
        frozenset(withheld),
        frozenset((str(measure), str(provider)) for measure, provider in keys[~shown[units.series]]),
        ~shown[units.values],
        closure.blind,
    )


class _Closure:
    """Hides groups until every protected count has three values."""

    def __init__(self, cells: Cells, units: Units, hidden: Bools | None, told: Callable[[Ints], Bounds]) -> None:
        self.units, self.cells, self.told = units, cells, told
        self.blind: Ints = np.zeros(len(units.rows), dtype=np.int64)
        self.groups = int(self.cells.group.max()) + 1 if len(self.cells.group) else 0
        self.shown: Bools = np.ones(self.groups, dtype=np.bool_)
        small = self.cells.protected.any(axis=1) & (self.cells.group >= 0)
        self.shown[self.cells.group[small]] = False
        if hidden is not None:
            self.shown[self.cells.group[units.rows[hidden]]] = False
        # With a threshold of 3 the lowest band is one or two values.
        own = self.cells.upper[units.rows, 0] - self.cells.lower[units.rows, 0] + 1 < NEEDED
        self._silence(own & self.cells.protected[units.rows, 0])
        # What may be hidden of every sum, in the order in which it would be.
        proxies = self.cells.proxies
        self.equation = np.concatenate([self.cells.equation, proxies[0]])
        self.unit = np.concatenate([self.cells.unit, proxies[1]])
        self.role = np.concatenate([self.cells.role, np.full(len(proxies[0]), CANDIDATE)])
        order = np.concatenate([units.order[self.cells.unit], proxies[2]])
        self.ranked = np.lexsort((order, self.equation))

    def closed(self) -> Bools:
        """Groups that stay shown. Every round hides something, so this ends."""
        # What more is hidden leaves every former solution one: a count once proved safe stays so.
        proved = np.zeros_like(self.cells.protected)
        while True:
            self._follow()
            lower, upper = self.cells.bounds(self.shown)
            unsafe = self.cells.protected & (upper - lower + 1 < NEEDED)
            if not unsafe.any():
                unsafe = given_away(self.cells, lower, upper, proved=proved)
                proved |= self.cells.protected & ~unsafe
            if not unsafe.any():
                return self.shown
            self._hide(unsafe, lower, upper)

    def _follow(self) -> None:
        """What goes with what: physicians with their hospital, periods with their provider, subgroups with totals."""
        units, shown = self.units, self.shown
        own = self.cells.group[units.rows]
        children = np.flatnonzero(units.parent_row >= 0)
        shown[own[children]] &= shown[own[units.parent_row[children]]]
        if len(units.series):
            shown[units.series] &= shown[own[units.series_row]] & shown[units.series_measure]
            left = np.bincount(units.series_any, weights=shown[units.series], minlength=self.groups) > 0
            shown[units.series_any] = left[units.series_any]
        if len(units.values):
            shown[units.values] &= shown[units.value_measure]

    def _hide(self, unsafe: Bools, lower: Floats, upper: Floats) -> None:
        """One more group in each sum that tells most of an unsafe count; totals where no sum has any left."""
        cells = self.cells
        told: Bools = np.logical_or.reduce(unsafe & self._told_by_cases(lower, upper), axis=1)
        linked = told & self._open_elsewhere()
        # Where the cases say it all it is they that must be covered.
        unsafe = np.asarray(np.where(told[:, None], np.array([True, False, False]), unsafe), dtype=np.bool_)
        spare = {role: self._spare(role) for role in (CANDIDATE, LAST)}
        usable = np.where(spare[CANDIDATE] >= 0, spare[CANDIDATE], spare[LAST])
        entries, cell, width = self._telling(unsafe & ~linked[:, None], lower, upper)
        stuck = cells.equation[entries[(usable[cells.equation[entries]] < 0) & (width + 1 < NEEDED)]]
        if self._say_less(stuck, lower, upper):
            return
        entries, cell, _ = self._telling(unsafe & ~linked[:, None], lower, upper, usable)
        chosen = cells.equation[entries]
        first = spare[CANDIDATE][chosen] >= 0
        if first.any() or linked.any():
            chosen, cell = chosen[first], cell[first]
        before = int(self.shown.sum())
        victims = usable[chosen]
        self.shown[cells.group[victims]] = False
        self._drop_linked(np.concatenate([victims[cell == 0], np.flatnonzero(linked)]))
        if int(self.shown.sum()) == before:
            self._drop_linked(np.flatnonzero(unsafe.any(axis=1)))
        if int(self.shown.sum()) == before:
            self._drop_around(unsafe, lower, upper, usable)
        # Nothing is left to hide but what is said of the hidden: near the count first, then anywhere.
        near = cells.equation[np.isin(cells.unit, np.flatnonzero(unsafe.any(axis=1)))]
        said_less = int(self.shown.sum()) == before and (
            self._say_less(near, lower, upper) or self._say_less(cells.equation, lower, upper)
        )
        if int(self.shown.sum()) == before and not said_less:
            found = f"{int(unsafe.sum())} protected counts follow from what was published before"
            raise DisclosureError(Problem("disclosure control", found, "none"))

    def _say_less(self, equations: Ints, lower: Floats, upper: Floats) -> bool:
        """Be silent on band, then on category, of hidden providers in sums that nothing else can loosen."""
        cells, rows = self.cells, self.units.rows
        if not len(equations):
            return False
        involved = np.isin(rows, cells.unit[np.isin(cells.equation, equations)]) & ~self.shown[cells.group[rows]]
        least, most = cells.lower[rows, 0], cells.upper[rows, 0]
        bound = ((lower[rows, 0] == least) & (least > 1)) | ((upper[rows, 0] == most) & (most < UNBOUNDED))
        return self._silence(involved & bound & (self.blind < SILENT))

    def _silence(self, silent: Bools) -> bool:
        """Say one thing less of these providers; whether there are any."""
        if silent.any():
            self.blind = self.blind + silent
            for side, known in zip((self.cells.lower, self.cells.upper), self.told(self.blind), strict=True):
                side[self.units.rows] = known
        return bool(silent.any())

    def _told_by_cases(self, lower: Floats, upper: Floats) -> Bools:
        """Counts that follow from the known cases alone: of 20 cases, neither events nor others over 10."""
        cells = self.cells
        cases, low, high = cells.values[:, 0], cells.lower, cells.upper
        width = np.minimum(high[:, 1], cases - low[:, 2]) - np.maximum(low[:, 1], cases - high[:, 2])
        told = cells.tied & (upper[:, 0] == lower[:, 0]) & (width + 1 < NEEDED)
        return np.column_stack([np.zeros_like(told), told, told])

    def _drop_around(self, unsafe: Bools, lower: Floats, upper: Floats, usable: Ints) -> None:
        """Where the sums of a count have nothing left: hide in what hangs together with it, where most is known."""
        cells = self.cells
        linked = np.flatnonzero(cells.link >= 0)
        nodes = np.concatenate([cells.equation, cells.equations + cells.link[linked]])
        _, nodes = np.unique(nodes, return_inverse=True)
        ends = np.concatenate([cells.unit, linked]), len(cells.values) + nodes
        size = len(cells.values) + int(nodes.max(initial=-1)) + 1
        graph = sparse.coo_array((np.ones(len(nodes)), ends), shape=(size, size))
        part = csgraph.connected_components(graph, directed=False)[1][: len(cells.values)]
        width = np.bincount(cells.equation, (upper - lower).sum(axis=1)[cells.unit], minlength=cells.equations)
        _, first = np.unique(cells.equation, return_index=True)
        own = part[cells.unit[first]]
        for component in np.unique(part[unsafe.any(axis=1)]):
            mine = np.flatnonzero((own == component) & (usable >= 0))
            if len(mine):
                self.shown[cells.group[usable[mine[np.argmin(width[mine])]]]] = False

    def _open_elsewhere(self) -> Bools:
        """Units whose cases another measure shows."""
        cells = self.cells
        links = np.unique(cells.link[cells.known(self.shown) & (cells.link >= 0)])
        return np.asarray(np.isin(cells.link, links), dtype=np.bool_)

    def _drop_linked(self, units: Ints) -> None:
        """Hide what has the same cases as these units."""
        cells = self.cells
        links = cells.link[units]
        mates = np.isin(cells.link, links[links >= 0]) & (cells.group >= 0)
        self.shown[cells.group[mates]] = False

    def _spare(self, role: int) -> Ints:
        """For each sum the unit that would be hidden next in this role; -1 for none."""
        found = np.full(self.cells.equations, -1, dtype=np.int64)
        group = self.cells.group[self.unit[self.ranked]]
        entries = self.ranked[(self.role[self.ranked] == role) & (group >= 0) & self.shown[group]]
        first = np.unique(self.equation[entries], return_index=True)[1]
        found[self.equation[entries[first]]] = self.unit[entries[first]]
        return found

    def _telling(
        self, unsafe: Bools, lower: Floats, upper: Floats, usable: Ints | None = None
    ) -> tuple[Ints, Ints, Floats]:
        """For each unsafe count the entry of the sum in which the others are known best, its cell, and how well.

        usable: unit of each sum that could be hidden, -1 for none; sums without one are passed over.
        """
        cells = self.cells
        width = (upper - lower)[cells.unit]
        others = np.column_stack([np.bincount(cells.equation, w)[cells.equation] - w for w in width.T])
        # Where cases are known events and non-events tell the same.
        cases_known = (width[:, 0] == 0) & cells.tied[cells.unit]
        others[cases_known, 1:] = others[cases_known, 1:].min(axis=1, keepdims=True)
        # Cases are one number in all measures that count them: the sums of each may tell it.
        bundle = np.where(cells.link >= 0, len(cells.link) + cells.link, np.arange(len(cells.link)))
        wanted = unsafe.copy()
        wanted[:, 0] = np.isin(bundle, bundle[unsafe[:, 0]])
        open_sums = np.ones(len(cells.equation), np.bool_) if usable is None else usable[cells.equation] >= 0
        entry, cell = np.nonzero(wanted[cells.unit] & open_sums[:, None])
        key = np.where(cell == 0, bundle[cells.unit[entry]], cells.unit[entry]) * 3 + cell
        ranked = np.lexsort((others[entry, cell], key))
        entry, cell = entry[ranked], cell[ranked]
        first = np.unique(key[ranked], return_index=True)[1]
        return entry[first], cell[first], others[entry[first], cell[first]]

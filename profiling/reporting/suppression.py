"""Which providers must be hidden so that no small count can be read or computed from what is published.

Protected counts are those from 1 to threshold - 1 (CMS cell-size policy: threshold 11) of cases n, of events O and of
non-events n - O; for continuous outcomes only of cases. Zero is not protected.

Primary: a provider with a protected count is hidden whole, because its other figures give the count back (at the
mode of a mixed model O = P + b/variance, so n, E and P/E reveal O).

Complementary: every total is taken as known to the reader, for totals follow from many printed figures: of a measure
over all providers of a level, and of a hospital over its physicians (a hospital and its physicians are one table).
What is missing from a total is the sum of the hidden ones. For each hidden count the reader can then bound it by that
sum and by what is known of the other hidden providers: their case bands and, to be safe, even whether their counts are
small, large or zero. While these bounds leave fewer than three values for a hidden count, the smallest visible
provider of the table is hidden too. Where all are hidden and three values are still not left, the total itself goes:
a hospital is hidden with its physicians, a measure is withheld.

Across measures: where two measures count the same cases of a provider, cases shown in one are known in the other, so
a provider hidden to protect cases is hidden in every measure with that same number of cases. A hidden hospital takes
its physicians with it, since their sum would give it back.

Not covered here: differences between two successive runs, and between cohorts that differ by a few patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

BAND_STARTS = (25, 50, 100, 250, 500, 1000, 2500)
FEASIBLE_VALUES = 3
UNBOUNDED = 1e12
CELLS = ("n", "observed", "non_events")

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Suppression:
    """Row by row of the provider table: hidden or not; and the measures whose totals are withheld altogether."""

    hidden: Bools
    withheld: frozenset[str]


def band_edges(threshold: int) -> Floats:
    """First number of cases of each band: 1, the threshold, then round numbers above it."""
    return np.array([1, threshold, *(start for start in BAND_STARTS if start > threshold)], dtype=np.float64)


def case_bands(cases: Floats, threshold: int) -> npt.NDArray[np.object_]:
    """The band each number of cases lies in, in words: under 11, 11–24, 2,500 or more."""
    edges = band_edges(threshold)
    spans = zip(edges[1:-1], edges[2:] - 1, strict=True)
    labels = [f"under {threshold}", *(f"{a:,.0f}–{b:,.0f}" for a, b in spans), f"{edges[-1]:,.0f} or more"]
    return np.array(labels, dtype=object)[np.searchsorted(edges[1:], cases, side="right")]


def suppress(table: pd.DataFrame, threshold: int, hidden: Bools | None = None) -> Suppression:
    """Decide what to hide.

    `table`: a row a measure, level and provider with measure, level, provider, parent (null for the outer level), n,
    observed, counts (True where observed are events), category and minimum (cases needed for a flag). `hidden`: rows
    that are hidden in any case.
    """
    tables = _Tables(table, threshold)
    if hidden is not None:
        tables.hidden = tables.hidden | hidden
    return tables.closed()


class _Tables:
    """The counts of one run as tables with known totals, closed against subtraction by hiding rows."""

    def __init__(self, table: pd.DataFrame, threshold: int) -> None:
        self.measure = table["measure"].to_numpy(dtype=object)
        self.counts = table["counts"].to_numpy(dtype=bool)
        self.cells = _cells(table)
        self.small = (self.cells >= 1) & (self.cells < threshold)
        self.lower, self.upper = _bounds(table, self.cells, self.small, threshold)
        self.outer_lower, self.outer_upper = self.lower.copy(), self.upper.copy()
        self.order = _order(self.cells)
        self.whole = _group(table, ["measure", "level"])
        self.family, self.parent_row = _families(table)
        self._tighten_parents()
        self.linked = _group(table.assign(n=self.cells[:, 0]), ["level", "provider", "n"])
        self.hidden: Bools = np.logical_or.reduce(self.small, axis=1)
        self.withheld: Bools = np.zeros(len(table), dtype=bool)

    def _tighten_parents(self) -> None:
        """A hidden hospital's counts lie between the sums of what is known of its physicians, hidden with it."""
        children = np.flatnonzero(self.parent_row >= 0)
        parents = self.parent_row[children]
        rows = len(self.parent_row)
        if not len(children):
            return
        for column in range(self.cells.shape[1]):
            low, high = (
                np.bincount(parents, weights=side[children, column], minlength=rows)
                for side in (self.lower, self.upper)
            )
            told = np.bincount(parents, minlength=rows) > 0
            value = np.nan_to_num(self.cells[:, column])
            # Physicians who work at several hospitals make the sums inexact: the true count always stays possible.
            self.outer_lower[told, column] = np.fmin(np.fmax(self.lower[:, column], low), value)[told]
            self.outer_upper[told, column] = np.fmax(np.fmin(self.upper[:, column], high), value)[told]

    def closed(self) -> Suppression:
        """Hide until nothing more has to be hidden; every round hides or withholds something, so this ends."""
        while self._hide_children() | self._secure_families() | self._secure_wholes():
            pass
        return Suppression(self.hidden, frozenset(self.measure[self.withheld]))

    def _hide_children(self) -> bool:
        has_parent = self.parent_row >= 0
        children = has_parent & self.hidden[self.parent_row] & ~self.hidden
        self.hidden = self.hidden | children
        return bool(children.any())

    def _secure_families(self) -> bool:
        total_known = (self.parent_row >= 0) & ~self.hidden[self.parent_row] & ~self.withheld
        stuck = self._secure(self.family, total_known)
        if stuck is None:
            return False
        self.hidden[self.parent_row[stuck]] = True
        return True

    def _secure_wholes(self) -> bool:
        stuck = self._secure(self.whole, ~self.withheld)
        if stuck is None:
            return False
        self.withheld |= np.isin(self.measure, self.measure[stuck])
        return True

    def _secure(self, group: Ints, total_known: Bools) -> Bools | None:
        """Hide one more provider in each unsafe table. None: all safe; else the rows of tables with none left."""
        unsafe = self._unsafe(group, total_known)
        if not unsafe.any():
            return None
        groups = int(group.max()) + 1
        unsafe_tables = np.zeros((groups, len(CELLS)), dtype=bool)
        rows, cells = np.nonzero(unsafe)
        unsafe_tables[group[rows], cells] = True
        touched: Bools = np.logical_or.reduce(unsafe_tables, axis=1)
        in_unsafe = total_known & touched[group] & (group >= 0)
        victims = _first_in_group(in_unsafe & ~self.hidden, group, self.order)
        for_cases = victims[unsafe_tables[group[victims], 0]]
        self.hidden[victims] = True
        self.hidden |= np.isin(self.linked, self.linked[for_cases])
        left = np.zeros(groups, dtype=bool)
        left[group[victims]] = True
        return in_unsafe & ~left[group]

    def _unsafe(self, group: Ints, total_known: Bools) -> Bools:
        """Hidden cells for which the known total leaves fewer than three values."""
        lower, upper = self._known_bounds()
        in_table: Bools = np.asarray(self.hidden & total_known & (group >= 0), dtype=bool)
        member: Bools = in_table[:, None] & ~np.isnan(self.cells)
        own_lower, own_upper = self.lower, self.upper
        rest = [_sums(group, np.where(member, values, 0.0)) for values in (np.nan_to_num(self.cells), lower, upper)]
        total, sum_lower, sum_upper = (sums[group] for sums in rest)
        least = np.maximum(own_lower, total - (sum_upper - upper))
        most = np.minimum(own_upper, total - (sum_lower - lower))
        protected = member & (self.cells > 0) & ~self._open_cases()
        return protected & (most - least + 1 < FEASIBLE_VALUES)

    def _open_cases(self) -> Bools:
        """Cases of a hidden provider that another measure shows."""
        shown = np.bincount(self.linked, weights=~self.hidden, minlength=int(self.linked.max()) + 1) > 0
        is_open = np.zeros(self.cells.shape, dtype=bool)
        is_open[:, 0] = shown[self.linked] & self.hidden
        return is_open

    def _known_bounds(self) -> tuple[Floats, Floats]:
        """Bounds of each cell, with open cases exact and events bounded by cases less non-events (and back)."""
        is_open = self._open_cases()
        lower, upper = np.where(is_open, self.cells, self.outer_lower), np.where(is_open, self.cells, self.outer_upper)
        tight_lower, tight_upper = lower.copy(), upper.copy()
        for one, other in ((1, 2), (2, 1)):
            tight_lower[:, one] = np.fmax(lower[:, one], lower[:, 0] - upper[:, other])
            tight_upper[:, one] = np.fmin(upper[:, one], upper[:, 0] - lower[:, other])
        return np.nan_to_num(tight_lower), np.nan_to_num(tight_upper)


def _cells(table: pd.DataFrame) -> Floats:
    """Cases, events, non-events; the last two missing where the outcome is no count."""
    cases = table["n"].to_numpy(dtype=np.float64)
    events = np.where(table["counts"].to_numpy(dtype=bool), table["observed"].to_numpy(dtype=np.float64), np.nan)
    return np.round(np.column_stack([cases, events, cases - events]))


def _bounds(table: pd.DataFrame, cells: Floats, small: Bools, threshold: int) -> tuple[Floats, Floats]:
    """What band, flag category and kind (small, large, zero) say of each cell."""
    edges = np.append(band_edges(threshold), UNBOUNDED)
    band = np.searchsorted(edges[1:-1], cells[:, 0], side="right")
    minimum = table["minimum"].to_numpy(dtype=np.float64)
    too_few = table["category"].to_numpy(dtype=object) == "too_few"
    least = np.where(too_few, edges[band], np.maximum(edges[band], minimum))
    most = np.where(
        too_few & (cells[:, 0] < minimum), np.minimum(edges[band + 1] - 1, minimum - 1), edges[band + 1] - 1
    )
    lower = np.where(small, 1.0, np.where(cells > 0, float(threshold), 0.0))
    upper = np.where(small, threshold - 1.0, np.where(cells > 0, most[:, None], 0.0))
    lower[:, 0] = np.where(cells[:, 0] > 0, np.minimum(least, cells[:, 0]), 0.0)
    upper[:, 0] = np.where(cells[:, 0] > 0, np.maximum(most, cells[:, 0]), 0.0)
    missing = np.isnan(cells)
    return np.where(missing, 0.0, lower), np.where(missing, 0.0, upper)


def _order(cells: Floats) -> Ints:
    """Who is hidden first: providers with something to cover in every cell, then the smallest."""
    empty = (cells == 0).any(axis=1)
    ranked = np.lexsort((np.arange(len(cells)), cells[:, 0], empty))
    order: Ints = np.empty(len(cells), dtype=np.int64)
    order[ranked] = np.arange(len(cells))
    return order


def _group(table: pd.DataFrame, columns: list[str]) -> Ints:
    numbered = table.groupby(columns, sort=False, dropna=False).ngroup()
    return np.asarray(numbered, dtype=np.int64)


def _families(table: pd.DataFrame) -> tuple[Ints, Ints]:
    """For each row the number of its parent's table and the parent's row; -1 without a parent."""
    rows = pd.Series(np.arange(len(table)), index=pd.MultiIndex.from_frame(table[["measure", "provider"]].astype(str)))
    rows = rows[table["parent"].isna().to_numpy()]
    wanted = pd.MultiIndex.from_frame(table[["measure", "parent"]].astype(str))
    parent = rows.reindex(wanted).to_numpy(dtype=np.float64)
    parent = np.where(table["parent"].isna().to_numpy() | np.isnan(parent), -1, parent).astype(np.int64)
    return parent, parent


def _first_in_group(candidates: Bools, group: Ints, order: Ints) -> Ints:
    chosen = np.flatnonzero(candidates).astype(np.int64)
    rows: Ints = np.asarray(chosen[np.lexsort((order[chosen], group[chosen]))], dtype=np.int64)
    first = np.unique(group[rows], return_index=True)[1]
    return np.asarray(rows[first], dtype=np.int64)


def _sums(group: Ints, values: Floats) -> Floats:
    """Column sums by group; rows with group -1 carry zeros and fall into the last group harmlessly."""
    groups = int(group.max()) + 1 if len(group) and group.max() >= 0 else 1
    safe = np.where(group < 0, groups, group)
    return np.column_stack([np.bincount(safe, weights=column, minlength=groups + 1) for column in values.T])

"""The providers of a run as units in sums: levels and their totals, hospitals over physicians, equal cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from profiling.reporting.cells import UNBOUNDED, Bools, Builder, Floats, Ints

KINDS_FROM = 6
BAND_STARTS = (25, 50, 100, 250, 500, 1000, 2500)


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass
class Units:
    """Units of a run, and which group stands for what.

    rows (k,): unit of each provider. measures: group of each measure's totals. parent_row (k,): row of the parent, -1.
    order (u,): who is hidden first. series (s,): group of each series of periods, with its row, the group that stands
    for any series of its measure, and the group of its totals. values (v,): group of each subgroup, and of its totals.
    """

    rows: Ints
    measures: Mapping[str, int]
    parent_row: Ints
    order: Ints = field(default_factory=_none)
    series: Ints = field(default_factory=_none)
    series_row: Ints = field(default_factory=_none)
    series_any: Ints = field(default_factory=_none)
    series_measure: Ints = field(default_factory=_none)
    values: Ints = field(default_factory=_none)
    value_measure: Ints = field(default_factory=_none)

    def groups(self) -> tuple[Ints, ...]:
        """All groups beside those of the providers."""
        totals = np.array(list(self.measures.values()), dtype=np.int64)
        return totals, self.series, self.series_any, self.values


Bounds = tuple[Floats, Floats]


def band_edges(threshold: int) -> Floats:
    """First number of cases of each band: 1, the threshold, then round numbers above it."""
    return np.array([1, threshold, *(start for start in BAND_STARTS if start > threshold)], dtype=np.float64)


def counts_of(table: pd.DataFrame) -> Floats:
    """Cases, events, non-events (k, 3); the last two missing where the outcome is no count.

    `possible`, if the table has it: how many events there could have been, if that is not the number of cases (trials);
    infinite where there is no limit (numbers of events of a case), which leaves no non-events.
    """
    cases = table["n"].to_numpy(dtype=np.float64)
    events = np.where(table["counts"].to_numpy(dtype=bool), table["observed"].to_numpy(dtype=np.float64), np.nan)
    possible = possible_of(table)
    return np.round(np.column_stack([cases, events, np.where(np.isinf(possible), np.nan, possible - events)]))


def possible_of(table: pd.DataFrame) -> Floats:
    """How many events there could have been (k,)."""
    cases = table["n"].to_numpy(dtype=np.float64)
    if "possible" not in table:
        return cases
    own = table["possible"].to_numpy(dtype=np.float64)
    return np.asarray(np.where(np.isnan(own), cases, own), dtype=np.float64)


def tied_of(table: pd.DataFrame) -> Bools:
    """Where cases are events and non-events (k,)."""
    own = "possible" in table and table["possible"].notna().to_numpy()
    return np.asarray(table["counts"].to_numpy(dtype=bool) & ~np.asarray(own), dtype=np.bool_)


def is_small(values: Floats, threshold: int) -> Bools:
    """Counts from 1 to threshold - 1, and as many fewer."""
    size = np.abs(values)
    return np.asarray((size >= 1) & (size < threshold), dtype=np.bool_)


def known_of_hidden(table: pd.DataFrame, values: Floats, threshold: int, blind: Ints | None = None) -> Bounds:
    """What band, flag category and kind (small, large, zero) say of each cell of a hidden provider.

    blind (k,): 1 where the band is not told, 2 where the category is not either. The kind is nowhere published; it is
    taken as known to be safe, but not where there are so few small counts that knowing it would be knowing the count.
    """
    silent = np.zeros(len(table), dtype=np.int64) if blind is None else blind
    edges = np.append(band_edges(threshold), UNBOUNDED)
    cases, small = values[:, 0], is_small(values, threshold)
    band = np.searchsorted(edges[1:-1], cases, side="right")
    first, last = np.where(silent > 0, 1.0, edges[band]), np.where(silent > 0, UNBOUNDED, edges[band + 1] - 1)
    minimum = table["minimum"].to_numpy(dtype=np.float64)
    too_few = table["category"].to_numpy(dtype=object) == "too_few"
    enough, under = ~too_few & (silent < 2), too_few & (cases < minimum) & (silent < 2)
    least = np.where(enough, np.maximum(first, minimum), first)
    most = np.where(under, np.minimum(last, minimum - 1), last)
    some = values > 0
    kinds = threshold >= KINDS_FROM
    lower = np.where(small, 1.0, np.where(some, float(threshold), 0.0)) if kinds else np.zeros_like(values)
    largest = np.column_stack([most, *(np.where(tied_of(table), most, UNBOUNDED) for _ in range(2))])
    upper = np.where(small, threshold - 1.0, np.where(some, largest, 0.0)) if kinds else largest
    lower[:, 0] = np.where(cases > 0, np.minimum(least, cases), 0.0)
    upper[:, 0] = np.where(cases > 0, np.maximum(most, cases), 0.0)
    absent = np.isnan(values)
    return np.where(absent, 0.0, lower), np.where(absent, 0.0, upper)


@dataclass(frozen=True)
class Base:
    """The providers of a run entered into a builder: what further tables are tied to.

    values (k, 3), rows (k,): counts and unit of each provider. totals: unit by measure and level.
    """

    build: Builder
    table: pd.DataFrame
    values: Floats
    threshold: int
    units: Units
    totals: Mapping[tuple[str, str], int]


def enter_run(table: pd.DataFrame, threshold: int) -> Base:
    """Enter the providers of a run, their totals and families; the cells of `units` are to be built yet."""
    build = Builder()
    table = table.reset_index(drop=True)
    values = counts_of(table)
    lower, upper = known_of_hidden(table, values, threshold)
    groups = build.new_groups(len(table))
    names = list(dict.fromkeys(table["measure"].astype(str)))
    measures = dict(zip(names, build.new_groups(len(names)).tolist(), strict=True))
    tied = tied_of(table)
    small = is_small(values, threshold)
    rows = build.add(values, tied=tied, group=groups, lower=lower, upper=upper, protected=small)
    whole = np.array([measures[name] for name in table["measure"].astype(str)], dtype=np.int64)
    families = Families.of(table, values)
    totals = levels(build, table, rows, values, families.implied(table), group=whole)
    families.enter(build, rows, groups)
    linked(build, table, rows, values)
    return Base(build, table, values, threshold, Units(rows, measures, families.parent), totals)


def numbered(table: pd.DataFrame, columns: Sequence[str]) -> tuple[Ints, int]:
    """The number of each row's combination of values, in the order they appear, and how many there are."""
    numbers = np.asarray(table.groupby(list(columns), sort=False, dropna=False).ngroup(), dtype=np.int64)
    return numbers, int(numbers.max()) + 1 if len(numbers) else 0


def added(which: Ints, values: Floats, count: int) -> Floats:
    """Sums (count, 3); NaN where events are not counted."""
    return np.column_stack([np.bincount(which, column, minlength=count) for column in values.T])


def levels(
    build: Builder,
    table: pd.DataFrame,
    rows: Ints,
    values: Floats,
    implied: Bools,
    group: Ints | None = None,
    fixed: Bools | None = None,
) -> dict[tuple[str, str], int]:
    """Every level of a measure adds up to a total; the units of the totals.

    implied (k,): rows of levels whose total follows from hospitals over their physicians. group (k,): of the row's
    total; without it fixed (k,): whether the total is known.
    """
    which, count = numbered(table, ["measure", "level"])
    first = np.unique(which, return_index=True)[1]
    totals = build.add(
        added(which, values, count),
        tied=tied_of(table)[first],
        group=None if group is None else group[first],
        fixed=None if fixed is None else fixed[first],
    )
    kept = np.flatnonzero(~implied)
    used, numbers = np.unique(which[kept], return_inverse=True)
    build.sum_to(rows[kept], numbers.astype(np.int64), totals[used])
    keys = zip(table["measure"].iloc[first].astype(str), table["level"].iloc[first].astype(str), strict=True)
    return dict(zip(keys, totals.tolist(), strict=True))


def _parents(table: pd.DataFrame) -> Ints:
    """For each row the row of its parent; -1 without one."""
    outer = table["parent"].isna().to_numpy()
    index = pd.MultiIndex.from_frame(table[["measure", "provider"]].astype(str))
    places = pd.Series(np.arange(len(table)), index=index)[outer]
    wanted = pd.MultiIndex.from_frame(table[["measure", "parent"]].astype(str))
    found = places[~places.index.duplicated()].reindex(wanted).to_numpy(dtype=np.float64)
    return np.where(outer | np.isnan(found), -1, np.nan_to_num(found, nan=-1)).astype(np.int64)


@dataclass(frozen=True)
class Families:
    """Hospitals over their physicians: rows of children, which family each is of, the parent's row of each family,
    sums, and whether they are the parent's own counts; tied (k,): rows whose cases are events and non-events.
    """

    parent: Ints
    children: Ints
    which: Ints
    parents: Ints
    sums: Floats
    exact: Bools
    tied: Bools

    @classmethod
    def of(cls, table: pd.DataFrame, values: Floats) -> Families:
        """The families of a table."""
        parent = _parents(table)
        children = np.flatnonzero(parent >= 0)
        parents, which = np.unique(parent[children], return_inverse=True)
        sums = added(which, values[children], len(parents))
        exact = np.all((sums == values[parents]) | np.isnan(sums), axis=1)
        return cls(parent, children, which.astype(np.int64), parents, sums, exact, tied_of(table))

    def implied(self, table: pd.DataFrame) -> Bools:
        """Rows of inner levels that are all children of exact families, none of a hospital missing."""
        outer = table["parent"].isna().to_numpy()
        exact = np.zeros(len(table), dtype=np.bool_)
        exact[self.children] = self.exact[self.which]
        exact[self.parents] = self.exact
        good = pd.Series(exact).groupby(table["measure"].to_numpy(dtype=object)).transform("all")
        return np.asarray(~outer & good.to_numpy(dtype=bool), dtype=np.bool_)

    def enter(self, build: Builder, rows: Ints, groups: Ints | None) -> None:
        """Enter the sums. Where they are not exact they are taken as known while the hospital is shown."""
        totals = rows[self.parents]
        kept = self.exact[self.which]
        if groups is not None:
            other = np.flatnonzero(~self.exact)
            above = self.parents[other]
            totals[other] = build.add(self.sums[other], tied=self.tied[above], group=groups[above])
            kept = np.ones(len(self.children), dtype=np.bool_)
        used, numbers = np.unique(self.which[kept], return_inverse=True)
        build.sum_to(rows[self.children[kept]], numbers.astype(np.int64), totals[used])


def linked(build: Builder, table: pd.DataFrame, rows: Ints, values: Floats, further: Sequence[str] = ()) -> None:
    """The same cases of a provider (and of the `further` columns) in two measures are one number."""
    numbers, count = numbered(table.assign(_n=values[:, 0]), ["level", "provider", "_n", *further])
    several = np.bincount(numbers, minlength=count)[numbers] > 1
    build.linked(rows[several], numbers[several])


def rank(values: Floats) -> Ints:
    """Who is hidden first: providers with something to cover in every cell, then the smallest."""
    empty = (values == 0).any(axis=1)
    ranked = np.lexsort((np.arange(len(values)), values[:, 0], empty))
    order = np.empty(len(values), dtype=np.int64)
    order[ranked] = np.arange(len(values))
    return order

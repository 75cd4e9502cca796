"""The tables of a run as units in sums: providers, their periods, subgroups, and runs that were published before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from profiling.reporting.cells import CANDIDATE, UNBOUNDED, Bools, Builder, Cells, Floats, Ints

BAND_STARTS = (25, 50, 100, 250, 500, 1000, 2500)
KEY = ["measure", "level", "provider"]


@dataclass(frozen=True)
class Earlier:
    """What a reader has of a run that was published before.

    `table`: a row a measure, level and provider as `profiling.reporting.suppression.suppress` takes it, with `hidden`,
    as it was published. `withheld`: measures without totals. `nested`: of the measures whose patients the two runs
    share, whether those of the earlier one are all in the later one.
    """

    table: pd.DataFrame
    withheld: frozenset[str]
    nested: Mapping[str, bool]


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass
class Units:
    """Units of a run, and which group stands for what.

    rows (k,): unit of each provider. measures: group of each measure's totals. parent_row (k,): row of the parent, -1.
    order (u,): who is hidden first. series (s,): group of each series of periods, with its row, the group that stands
    for any series of its measure, and the group of its totals. values (v,): group of each subgroup, and of its totals.
    """

    cells: Cells
    rows: Ints
    measures: Mapping[str, int]
    parent_row: Ints
    order: Ints
    series: Ints = field(default_factory=_none)
    series_row: Ints = field(default_factory=_none)
    series_any: Ints = field(default_factory=_none)
    series_measure: Ints = field(default_factory=_none)
    values: Ints = field(default_factory=_none)
    value_measure: Ints = field(default_factory=_none)


def band_edges(threshold: int) -> Floats:
    """First number of cases of each band: 1, the threshold, then round numbers above it."""
    return np.array([1, threshold, *(start for start in BAND_STARTS if start > threshold)], dtype=np.float64)


def counts_of(table: pd.DataFrame) -> Floats:
    """Cases, events, non-events (k, 3); the last two missing where the outcome is no count."""
    cases = table["n"].to_numpy(dtype=np.float64)
    events = np.where(table["counts"].to_numpy(dtype=bool), table["observed"].to_numpy(dtype=np.float64), np.nan)
    return np.round(np.column_stack([cases, events, cases - events]))


def is_small(values: Floats, threshold: int) -> Bools:
    """Counts from 1 to threshold - 1, and as many fewer."""
    size = np.abs(values)
    return np.asarray((size >= 1) & (size < threshold), dtype=np.bool_)


def known_of_hidden(table: pd.DataFrame, values: Floats, threshold: int) -> tuple[Floats, Floats]:
    """What band, flag category and kind (small, large, zero) say of each cell of a hidden provider."""
    edges = np.append(band_edges(threshold), UNBOUNDED)
    cases, small = values[:, 0], is_small(values, threshold)
    band = np.searchsorted(edges[1:-1], cases, side="right")
    minimum = table["minimum"].to_numpy(dtype=np.float64)
    too_few = table["category"].to_numpy(dtype=object) == "too_few"
    least = np.where(too_few, edges[band], np.maximum(edges[band], minimum))
    under = too_few & (cases < minimum)
    most = np.where(under, np.minimum(edges[band + 1] - 1, minimum - 1), edges[band + 1] - 1)
    some = values > 0
    lower = np.where(small, 1.0, np.where(some, float(threshold), 0.0))
    upper = np.where(small, threshold - 1.0, np.where(some, most[:, None], 0.0))
    lower[:, 0] = np.where(cases > 0, np.minimum(least, cases), 0.0)
    upper[:, 0] = np.where(cases > 0, np.maximum(most, cases), 0.0)
    absent = np.isnan(values)
    return np.where(absent, 0.0, lower), np.where(absent, 0.0, upper)


def units_of(
    table: pd.DataFrame,
    threshold: int,
    periods: pd.DataFrame | None = None,
    subgroups: pd.DataFrame | None = None,
    earlier: Sequence[Earlier] = (),
) -> Units:
    """Enter all tables. `periods`: measure, provider (outer), position, n, observed; `subgroups`: measure, column_name,
    value, n, observed.
    """
    build = Builder()
    table = table.reset_index(drop=True)
    values = counts_of(table)
    lower, upper = known_of_hidden(table, values, threshold)
    groups = build.new_groups(len(table))
    names = list(dict.fromkeys(table["measure"].astype(str)))
    measures = dict(zip(names, build.new_groups(len(names)).tolist(), strict=True))
    small = is_small(values, threshold)
    rows = build.add(values, group=groups, lower=lower, upper=upper, protected=small)
    whole = np.array([measures[name] for name in table["measure"].astype(str)], dtype=np.int64)
    families = Families.of(table, values)
    totals = _levels(build, table, rows, values, families.implied(table), group=whole)
    families.enter(build, rows, groups)
    _linked(build, table, rows, values, 0)
    for number, run in enumerate(earlier, start=1):
        _before(build, table, rows, values, run, threshold, totals, number)
    units = Units(build.cells(), rows, measures, families.parent, _none())
    orders = {0: rank(values)}
    if periods is not None and len(periods):
        orders |= _periods(build, units, table, values, periods, threshold)
    if subgroups is not None and len(subgroups):
        orders |= _subgroups(build, units, table, subgroups, threshold)
    units.cells = build.cells()
    units.order = np.zeros(build.units, dtype=np.int64)
    for first, order in orders.items():
        units.order[first : first + len(order)] = order
    return units


def _numbered(table: pd.DataFrame, columns: Sequence[str]) -> tuple[Ints, int]:
    numbers = np.asarray(table.groupby(list(columns), sort=False, dropna=False).ngroup(), dtype=np.int64)
    return numbers, int(numbers.max()) + 1 if len(numbers) else 0


def _added(which: Ints, values: Floats, count: int) -> Floats:
    """Sums (count, 3); NaN where events are not counted."""
    return np.column_stack([np.bincount(which, column, minlength=count) for column in values.T])


def _levels(
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
    which, count = _numbered(table, ["measure", "level"])
    first = np.unique(which, return_index=True)[1]
    totals = build.add(
        _added(which, values, count),
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
    sums, and whether they are the parent's own counts.
    """

    parent: Ints
    children: Ints
    which: Ints
    parents: Ints
    sums: Floats
    exact: Bools

    @classmethod
    def of(cls, table: pd.DataFrame, values: Floats) -> Families:
        """The families of a table."""
        parent = _parents(table)
        children = np.flatnonzero(parent >= 0)
        parents, which = np.unique(parent[children], return_inverse=True)
        sums = _added(which, values[children], len(parents))
        exact = np.all((sums == values[parents]) | np.isnan(sums), axis=1)
        return cls(parent, children, which.astype(np.int64), parents, sums, exact)

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
            totals[other] = build.add(self.sums[other], group=groups[self.parents[other]])
            kept = np.ones(len(self.children), dtype=np.bool_)
        used, numbers = np.unique(self.which[kept], return_inverse=True)
        build.sum_to(rows[self.children[kept]], numbers.astype(np.int64), totals[used])


def _linked(build: Builder, table: pd.DataFrame, rows: Ints, values: Floats, run: int) -> None:
    """The same cases of a provider in two measures are one number."""
    numbers, count = _numbered(table.assign(_cases=values[:, 0]), ["level", "provider", "_cases"])
    several = np.bincount(numbers, minlength=count)[numbers] > 1
    build.linked(rows[several], numbers[several] + run * 10_000_000)


def _before(
    build: Builder,
    table: pd.DataFrame,
    rows: Ints,
    values: Floats,
    run: Earlier,
    threshold: int,
    totals: Mapping[tuple[str, str], int],
    number: int,
) -> None:
    """An earlier run, and what came between it and this one: a count of its own for every provider."""
    former = run.table[run.table["measure"].isin(list(run.nested))].reset_index(drop=True)
    if former.empty:
        return
    counts = counts_of(former)
    lower, upper = known_of_hidden(former, counts, threshold)
    printed = ~former["hidden"].to_numpy(dtype=bool)
    small = is_small(counts, threshold)
    units = build.add(counts, lower=lower, upper=upper, fixed=printed, protected=small & ~printed[:, None])
    fixed = ~former["measure"].isin(list(run.withheld)).to_numpy(dtype=bool)
    families = Families.of(former, counts)
    before = _levels(build, former, units, counts, families.implied(former), fixed=fixed)
    families.enter(build, units, None)
    _linked(build, former, units, counts, number)
    keys = [pd.MultiIndex.from_frame(frame[KEY].astype(str)) for frame in (table, former)]
    place = keys[1].get_indexer(keys[0])
    both = np.flatnonzero(place >= 0)
    nested = former["measure"].map(run.nested).to_numpy(dtype=bool)[place[both]]
    change = values[both] - counts[place[both]]
    least = np.where(nested, 0.0, -UNBOUNDED)[:, None] * np.ones(3)
    came = build.add(change, lower=np.minimum(least, np.nan_to_num(change)), protected=is_small(change, threshold))
    first = build.equations
    build.sum_to(came, np.arange(len(both), dtype=np.int64), rows[both], 0, CANDIDATE)
    build.also(first + np.arange(len(both), dtype=np.int64), units[place[both]], 1.0)
    _changes(build, table, rows, both, came, totals, before, former, units, keys)


def _changes(
    build: Builder,
    table: pd.DataFrame,
    rows: Ints,
    both: Ints,
    came: Ints,
    totals: Mapping[tuple[str, str], int],
    before: Mapping[tuple[str, str], int],
    former: pd.DataFrame,
    units: Ints,
    keys: Sequence[pd.MultiIndex],
) -> None:
    """What came to all providers of a level is the difference of its totals; gone providers count with their all."""
    new, gone = ~keys[0].isin(keys[1]), ~keys[1].isin(keys[0])
    now, then = (pd.MultiIndex.from_frame(frame[["measure", "level"]].astype(str)) for frame in (table, former))
    for key in (k for k in totals if k in before):
        first = build.equations
        mine = np.asarray(now == key)
        build.sum_to(came[mine[both]], np.zeros(int(mine[both].sum()), np.int64), np.array([totals[key]]), 0, 0)
        build.also(np.full(1, first, np.int64), np.array([before[key]]), 1.0)
        fresh = rows[mine & new]
        build.also(np.full(len(fresh), first, np.int64), fresh, 1.0, CANDIDATE)
        lost = units[np.asarray(then == key) & gone]
        build.also(np.full(len(lost), first, np.int64), lost, -1.0)


def _periods(
    build: Builder, units: Units, table: pd.DataFrame, values: Floats, periods: pd.DataFrame, threshold: int
) -> dict[int, Ints]:
    """Series of outer providers; periods without cases are empty pieces, of which a reader knows nothing either."""
    outer = np.flatnonzero((units.parent_row < 0) & table["parent"].isna().to_numpy())
    index = pd.MultiIndex.from_frame(table.loc[outer, ["measure", "provider"]].astype(str))
    which = index.get_indexer(pd.MultiIndex.from_frame(periods[["measure", "provider"]].astype(str)))
    periods, which = periods[which >= 0], which[which >= 0]
    rows = outer[which]
    used, series = np.unique(rows, return_inverse=True)
    position, times = _numbered(periods, ["position"])
    counts = counts_of(periods.assign(counts=table["counts"].to_numpy(dtype=bool)[rows]))
    grid = np.zeros((len(used) * times, 3))
    grid[series * times + position] = np.nan_to_num(counts)
    counted = ~np.isnan(values[used, 1])
    grid[np.repeat(~counted, times), 1:] = np.nan
    own = np.repeat(np.arange(len(used)), times)
    groups = build.new_groups(len(used))
    pieces = build.add(grid, group=groups[own], protected=is_small(grid, threshold))
    whole = _added(own, grid, len(used))
    exact = np.all((whole == values[used]) | np.isnan(whole), axis=1)
    kept = exact[own]
    numbers = np.unique(own[kept], return_inverse=True)[1].astype(np.int64)
    build.sum_to(pieces[kept], numbers, units.rows[used[exact]], 0, 0)
    names = table["measure"].astype(str).to_numpy()[used]
    measures = np.array([units.measures[name] for name in names], dtype=np.int64)
    known, number = np.unique(measures, return_inverse=True)
    shown = build.new_groups(len(known))
    column = number[own] * times + np.tile(np.arange(times), len(used))
    totals = build.add(_added(column, grid, len(known) * times), group=np.repeat(shown, times))
    build.sum_to(pieces, column.astype(np.int64), totals, CANDIDATE, 0)
    units.series, units.series_row = groups, used
    units.series_any, units.series_measure = shown[number], measures
    least = np.full(len(used), np.inf)
    np.minimum.at(least, own, np.where(np.isnan(grid), np.inf, grid).min(axis=1))
    ranked = np.lexsort((np.arange(len(used)), whole[:, 0], least < threshold + 2))
    order = np.empty(len(used), dtype=np.int64)
    order[ranked] = np.arange(len(used))
    return {int(pieces[0]): order[own]}


def _subgroups(
    build: Builder, units: Units, table: pd.DataFrame, subgroups: pd.DataFrame, threshold: int
) -> dict[int, Ints]:
    """Values of a column add up to the total of the measure; where some records have none, to a total of their own."""
    names = subgroups["measure"].astype(str).to_numpy()
    counted = dict(zip(table["measure"].astype(str), table["counts"].astype(bool), strict=True))
    counts = counts_of(subgroups.assign(counts=[counted[name] for name in names]))
    measures = np.array([units.measures[name] for name in names], dtype=np.int64)
    groups = build.new_groups(len(subgroups))
    pieces = build.add(counts, group=groups, protected=is_small(counts, threshold))
    which, count = _numbered(subgroups, ["measure", "column_name"])
    first = np.unique(which, return_index=True)[1]
    totals = build.add(_added(which, counts, count), group=measures[first])
    build.sum_to(pieces, which, totals, CANDIDATE, 0)
    units.values, units.value_measure = groups, measures
    return {int(pieces[0]): rank(counts)}


def rank(values: Floats) -> Ints:
    """Who is hidden first: providers with something to cover in every cell, then the smallest."""
    empty = (values == 0).any(axis=1)
    ranked = np.lexsort((np.arange(len(values)), values[:, 0], empty))
    order = np.empty(len(values), dtype=np.int64)
    order[ranked] = np.arange(len(values))
    return order

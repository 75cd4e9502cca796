"""Further tables as units beside the providers of a run: their periods, subgroups, and runs published before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from profiling.reporting.cells import CANDIDATE, UNBOUNDED, Cells, Floats, Ints
from profiling.reporting.suppression_units import (
    Base,
    Families,
    Units,
    added,
    counts_of,
    enter_run,
    is_small,
    known_of_hidden,
    levels,
    linked,
    numbered,
    rank,
    tied_of,
)

KEY = ["measure", "level", "provider"]
SPARE = 2


@dataclass(frozen=True)
class Earlier:
    """What a reader has of a run that was published before.

    `table`: a row a measure, level and provider as `profiling.reporting.suppression.suppress` takes it, with `hidden`
    and `blind` as it was published, and `apart`: whether what changed since is a number of patients of its own,
    because records only came or only went. `withheld`: measures without totals. `came`, `went`: whether any records
    of a measure did.
    """

    run_id: str
    table: pd.DataFrame
    withheld: frozenset[str]
    came: Mapping[str, bool]
    went: Mapping[str, bool]


def units_of(
    table: pd.DataFrame,
    threshold: int,
    periods: pd.DataFrame | None = None,
    subgroups: pd.DataFrame | None = None,
    earlier: Sequence[Earlier] = (),
) -> tuple[Cells, Units]:
    """All tables as units. `periods`: measure, provider (outer), position, n, observed; `subgroups`: measure,
    column_name, value, n, observed.
    """
    base = enter_run(table, threshold)
    orders = {0: rank(base.values)}
    for run in earlier:
        _enter_earlier(base, run)
    if periods is not None and len(periods):
        orders |= _enter_periods(base, periods)
    if subgroups is not None and len(subgroups):
        orders |= _enter_subgroups(base, subgroups)
    base.units.order = np.zeros(base.build.units, dtype=np.int64)
    for first, order in orders.items():
        base.units.order[first : first + len(order)] = order
    return base.build.cells(), base.units


def _enter_earlier(base: Base, run: Earlier) -> None:
    """An earlier run, and what came between it and this one: a count of its own for every provider."""
    build, table = base.build, base.table
    former = run.table[run.table["measure"].isin(list(base.units.measures))].reset_index(drop=True)
    if former.empty:
        return
    counts = counts_of(former)
    blind = former["blind"].to_numpy(dtype=np.int64) if "blind" in former else None
    lower, upper = known_of_hidden(former, counts, base.threshold, blind)
    printed = ~former["hidden"].to_numpy(dtype=bool)
    small = is_small(counts, base.threshold) & ~printed[:, None]
    tied = tied_of(former)
    units = build.add(counts, tied=tied, lower=lower, upper=upper, fixed=printed, protected=small)
    fixed = ~former["measure"].isin(list(run.withheld)).to_numpy(dtype=bool)
    families = Families.of(former, counts)
    totals = levels(build, former, units, counts, families.implied(former), fixed=fixed)
    families.enter(build, units, None)
    linked(build, former, units, counts)
    keys = [pd.MultiIndex.from_frame(frame[KEY].astype(str)) for frame in (table, former)]
    place = keys[1].get_indexer(keys[0])
    both = np.flatnonzero(place >= 0)
    change = base.values[both] - counts[place[both]]
    names = former["measure"].to_numpy(dtype=object)[place[both]]
    least = np.array([-UNBOUNDED if run.went.get(str(name), True) else 0.0 for name in names])[:, None]
    most = np.array([UNBOUNDED if run.came.get(str(name), True) else 0.0 for name in names])[:, None]
    truth = np.nan_to_num(change)
    apart = former["apart"].to_numpy(dtype=bool)[place[both]]
    changes = build.add(
        change,
        tied=tied[place[both]],
        lower=np.minimum(least, truth),
        upper=np.maximum(most, truth),
        protected=is_small(change, base.threshold) & apart[:, None],
    )
    first = build.equations
    own = np.arange(len(both), dtype=np.int64)
    build.sum_to(changes, own, base.units.rows[both], 0, CANDIDATE)
    build.also(first + own, units[place[both]], 1.0)
    _enter_changes(base, former, (units, totals), keys, (both, changes, change))


def _enter_changes(
    base: Base,
    former: pd.DataFrame,
    before: tuple[Ints, Mapping[tuple[str, str], int]],
    keys: Sequence[pd.MultiIndex],
    changed: tuple[Ints, Ints, Floats],
) -> None:
    """What came to all providers of a level is the difference of its totals; gone providers count with their all."""
    build, rows = base.build, base.units.rows
    units, totals = before
    both, changes, change = changed
    new, gone = ~keys[0].isin(keys[1]), ~keys[1].isin(keys[0])
    now, then = (pd.MultiIndex.from_frame(frame[["measure", "level"]].astype(str)) for frame in (base.table, former))
    for key in (key for key in base.totals if key in totals):
        first = build.equations
        mine = np.asarray(now == key)
        own = changes[mine[both]]
        build.sum_to(own, np.zeros(len(own), np.int64), np.array([base.totals[key]]), 0, 0)
        build.also(np.full(1, first, np.int64), np.array([totals[key]]), 1.0)
        fresh, lost = rows[mine & new], units[np.asarray(then == key) & gone]
        build.also(np.full(len(fresh), first, np.int64), fresh, 1.0, CANDIDATE)
        # What came to a provider is hidden by hiding the provider: first those to whom much came.
        own_rows = both[mine[both]]
        room = np.nan_to_num(change[mine[both]], nan=np.inf).min(axis=1)
        ranked = np.lexsort((base.values[own_rows, 0], room < SPARE))
        order = np.empty(len(own_rows), dtype=np.int64)
        order[ranked] = np.arange(len(own_rows))
        build.proxy(np.full(len(own_rows), first, np.int64), rows[own_rows], order)
        build.also(np.full(len(lost), first, np.int64), lost, -1.0)


def _enter_periods(base: Base, periods: pd.DataFrame) -> dict[int, Ints]:
    """Series of outer providers over time and over providers.

    Periods without cases are empty pieces, of which a reader knows nothing either. Cases that stand in no period are a
    piece that is never shown. Totals of periods are taken as known while any series of the measure is shown.
    """
    build, units, table, values = base.build, base.units, base.table, base.values
    outer = np.flatnonzero(table["parent"].isna().to_numpy())
    index = pd.MultiIndex.from_frame(table.loc[outer, ["measure", "provider"]].astype(str))
    which = index.get_indexer(pd.MultiIndex.from_frame(periods[["measure", "provider"]].astype(str)))
    periods, which = periods[which >= 0], which[which >= 0]
    used, series = np.unique(outer[which], return_inverse=True)
    position, times = numbered(periods, ["position"])
    counts = counts_of(_like(periods, table.iloc[outer[which]]))
    grid = np.zeros((len(used) * times, 3))
    grid[series * times + position] = np.nan_to_num(counts)
    own = np.repeat(np.arange(len(used), dtype=np.int64), times)
    absent = np.isnan(values[used])
    absent[:, 2] |= ~tied_of(table)[used]
    grid[absent[own]] = np.nan
    groups = build.new_groups(len(used))
    pieces = build.add(grid, group=groups[own], protected=is_small(grid, base.threshold))
    whole = added(own, grid, len(used))
    first = build.equations
    build.sum_to(pieces, own, units.rows[used], CANDIDATE, 0)
    _enter_rest(base, values[used], whole, first)
    names = table["measure"].astype(str).to_numpy()[used]
    measures = np.array([units.measures[name] for name in names], dtype=np.int64)
    known, number = np.unique(measures, return_inverse=True)
    any_shown = build.new_groups(len(known))
    column = number[own] * times + np.tile(np.arange(times), len(used))
    totals = build.add(added(column, grid, len(known) * times), group=np.repeat(any_shown, times))
    build.sum_to(pieces, column.astype(np.int64), totals, CANDIDATE, 0)
    same = table.iloc[used].assign(_cases=values[used, 0])[["level", "provider", "_cases"]].iloc[own]
    linked(
        build, same.assign(measure="", _time=np.tile(np.arange(times), len(used))), pieces, grid, ["_time", "_cases"]
    )
    units.series, units.series_row = groups, used
    units.series_any, units.series_measure = any_shown[number], measures
    return {int(pieces[0]): _order_of_series(grid, own, whole, base.threshold)[own]}


def _like(rows: pd.DataFrame, providers: pd.DataFrame) -> pd.DataFrame:
    """Rows of a finer table, counted as those of their measure are; of trials only the events are known there."""
    possible = np.where(tied_of(providers) | ~providers["counts"].to_numpy(dtype=bool), np.nan, np.inf)
    return rows.assign(counts=providers["counts"].to_numpy(dtype=bool), possible=possible)


def _order_of_series(grid: Floats, own: Ints, whole: Floats, threshold: int) -> Ints:
    """Series with room in every period are hidden first, the smallest of them before others."""
    least = np.full(len(whole), np.inf)
    np.minimum.at(least, own, np.where(np.isnan(grid), np.inf, grid).min(axis=1))
    ranked = np.lexsort((np.arange(len(whole)), whole[:, 0], least < threshold + SPARE))
    order = np.empty(len(whole), dtype=np.int64)
    order[ranked] = np.arange(len(whole))
    return order


def _enter_rest(base: Base, totals: Floats, whole: Floats, first: int) -> None:
    """What the members of sums lack of their totals: a count that is never shown. first: number of the first sum.

    totals, whole (s, 3): what the members should and do add up to. Where no member has a cell that the total has
    (non-events of trials are counted of providers alone) the sum tells nothing of it: all of it is lacking, any number.
    """
    uncounted = np.isnan(whole) & ~np.isnan(totals)
    rest = totals - np.where(uncounted, 0.0, whole)
    lacking = np.flatnonzero((np.nan_to_num(rest) != 0).any(axis=1))
    if len(lacking):
        values, apart = rest[lacking], uncounted[lacking]
        lower = np.minimum(np.nan_to_num(values), 0.0)
        small = is_small(values, base.threshold) & ~apart
        units = base.build.add(values, tied=np.asarray(~apart.any(axis=1)), lower=lower, protected=small)
        base.build.also(first + lacking, units, 1.0)


def _enter_subgroups(base: Base, subgroups: pd.DataFrame) -> dict[int, Ints]:
    """Values of a column add up to the total of the measure, with the cases that have none."""
    build, units, table = base.build, base.units, base.table
    names = subgroups["measure"].astype(str).to_numpy()
    one = table[table["parent"].isna()].drop_duplicates("measure").set_index("measure")
    counts = counts_of(_like(subgroups, one.loc[list(names)]))
    measures = np.array([units.measures[name] for name in names], dtype=np.int64)
    groups = build.new_groups(len(subgroups))
    pieces = build.add(counts, group=groups, protected=is_small(counts, base.threshold))
    which, count = numbered(subgroups, ["measure", "column_name"])
    outer = one["level"]
    own = np.unique(which, return_index=True)[1]
    totals = np.array([base.totals[name, str(outer[name])] for name in names[own]], dtype=np.int64)
    cases = {name: added(np.zeros(len(part), np.int64), base.values[part.index], 1)[0] for name, part in _outer(table)}
    first = build.equations
    build.sum_to(pieces, which, totals, CANDIDATE, 0)
    _enter_rest(base, np.array([cases[name] for name in names[own]]), added(which, counts, count), first)
    units.values, units.value_measure = groups, measures
    return {int(pieces[0]): rank(counts)}


def _outer(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Outer providers by measure."""
    for name, part in table[table["parent"].isna()].groupby("measure", sort=False):
        yield str(name), part

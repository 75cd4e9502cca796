"""The audit before publication: what the finished files give away, found from the files alone.

Three questions. Does a file tell a figure of a provider that calls itself hidden (downloads, tables of pages, marks of
charts, words for screen readers)? Is a small count printed? Can a hidden count, small in truth, take fewer than three
values, given all that is printed, what was published before, and that no count is negative? Whoever decided what to
hide is not asked. A folder that fails is not published (exit 14).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.errors import DisclosureError, Problem
from profiling.reporting.cells import Bools, Ints
from profiling.reporting.decision import main_subgroups
from profiling.reporting.feasible import given_away
from profiling.reporting.masked_tables import periods_of
from profiling.reporting.provider_table import joined, specifications
from profiling.reporting.published_pages import Names, told_of_hidden
from profiling.reporting.published_tables import KEY, Published, read_published
from profiling.reporting.suppression_extra import Earlier, units_of
from profiling.reporting.suppression_units import Units, counts_of, known_of_hidden

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

MOST = 20
UNTOLD = "some"


@dataclass(frozen=True)
class Finding:
    """Something that the files give away: where, and what, without the figure itself."""

    where: str
    what: str


def audit_site(folder: Path, record: RunRecord, earlier: Sequence[Earlier] = ()) -> None:
    """Raise DisclosureError with what the files of a folder give away of a run."""
    found = findings(folder, record, earlier)
    if found:
        more = f" (and {len(found) - MOST:,} more)" if len(found) > MOST else ""
        advice = f"Nothing was published{more}. Report it: disclosure control should have prevented it"
        raise DisclosureError(Problem(one.where, one.what, "nothing of the kind", advice) for one in found[:MOST])


def findings(folder: Path, record: RunRecord, earlier: Sequence[Earlier] = ()) -> list[Finding]:
    """All that the files give away."""
    specs = specifications(record)
    full = joined(record, specs)
    levels = list(dict.fromkeys(full["level"].astype(str)))
    published = read_published(folder, list(specs), levels)
    rows = _aligned(full, published)
    told = [
        Finding(f"downloads/{file}", f"{column} of hidden {level} {name}")
        for file, level, name, column in published.told
    ]
    names = Names.of(
        full[["measure", "provider_name"]].assign(hidden=rows["hidden"], case_band=rows["case_band"]),
        [str(spec[key]) for spec in specs.values() for key in ("title", "event", "unit") if spec.get(key)],
    )
    pages = [Finding(address, f"a figure of hidden {name}") for address, name in told_of_hidden(folder, names)]
    return [*told, *pages, *_feasible(record, full, rows, published, earlier)]


def _aligned(full: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Published rows in the order of the providers of the run; what is in no file is hidden."""
    keys = pd.MultiIndex.from_frame(full[KEY].astype(str))
    rows = published.providers.set_index(KEY).reindex(keys).reset_index()
    return rows.assign(
        hidden=rows["hidden"].fillna(True).astype(bool), case_band=rows["case_band"].fillna("").astype(str)
    )


def _feasible(
    record: RunRecord, full: pd.DataFrame, rows: pd.DataFrame, published: Published, earlier: Sequence[Earlier]
) -> list[Finding]:
    """Small counts that are printed, and hidden ones that can take fewer than three values."""
    threshold = int(record.run["threshold"])
    subgroups = main_subgroups(record)
    cells, units = units_of(full, threshold, periods_of(record, full), subgroups, earlier)
    blind = np.where(rows["case_band"] == UNTOLD, 2, 0)
    for side, known in zip(
        (cells.lower, cells.upper), known_of_hidden(full, counts_of(full), threshold, blind), strict=True
    ):
        side[units.rows] = known
    # A row is as good as shown when any of its counts is.
    printed = (rows["n"].notna() | rows["observed"].notna()).to_numpy(dtype=bool)
    shown = _shown(units, cells.group[units.rows], printed, full, subgroups, published)
    lower, upper = cells.bounds(shown)
    open_small = cells.protected & cells.known(shown)[:, None]
    leaks = open_small | (~open_small & given_away(cells, lower, upper))
    own = np.full(len(cells.values), -1, dtype=np.int64)
    own[units.rows] = np.arange(len(full))
    found = []
    for unit, cell in zip(*np.nonzero(leaks), strict=True):
        where = f"measure {full['measure'].iloc[own[unit]]}" if own[unit] >= 0 else "periods, subgroups or earlier runs"
        subject = f"{full['level'].iloc[own[unit]]} {full['provider'].iloc[own[unit]]}" if own[unit] >= 0 else "a count"
        found.append(Finding(where, f"{subject}: its number of {_CELLS[cell]} follows from what is published"))
    return found


_CELLS = ("cases", "events", "cases without event")


def _shown(
    units: Units,
    groups: Ints,
    printed: Bools,
    full: pd.DataFrame,
    subgroups: pd.DataFrame,
    published: Published,
) -> Bools:
    """Groups that the files show."""
    count = max(int(groups.max(initial=-1)), *(int(part.max(initial=-1)) for part in units.groups())) + 1
    shown = np.zeros(count, dtype=np.bool_)
    shown[groups] = printed
    for measure, group in units.measures.items():
        shown[group] = measure in published.totals
    keys = full[["measure", "provider"]].astype(str).to_numpy()[units.series_row]
    shown[units.series] = [(measure, provider) in published.series for measure, provider in keys]
    np.logical_or.at(shown, units.series_any, shown[units.series])
    values = subgroups[["measure", "column_name", "value"]].astype(str).to_numpy()
    if len(units.values):
        shown[units.values] = [tuple(row) in published.subgroups for row in values]
    return shown

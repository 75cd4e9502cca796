"""How providers and patients are linked in the rows of a measure, as checks of its model.

structure_levels, structure_median (rows) of a level; structure of a pair (child:parent; the relation as note, the share
of children with several parents as value) and structure_off_main, the share of rows away from the child's main parent;
structure_in of a pair and 1, 2 or 3, the share of children with one, two, three or more parents; structure_flow of a
pair, a band of the parents' rows and 1, 2 or 3: the share of all rows between such parents and such children.
patients_shared of a level, the share of patients seen in more than one; patients_elsewhere, of all rows of patients
seen before, the share at another provider than the last time; patients_elsewhere of a level and a number: the same
for stretches of time of equally many such rows, the first and last month as note.

A share is rounded until a step of its last digit holds `threshold` rows (or patients), else left out: no count from 1
to threshold - 1 can be worked out from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

Entry = tuple[str, float, str]
Codes = npt.NDArray[np.int64]
BAND_STARTS = (25, 50, 100, 250, 500, 1000, 2500)
MOST_STRETCHES = 8
FINEST, COARSEST = 3, 2  # decimals of a share
PATIENT, DAY = "patient_id", "admitted"


def structure_found(rows: pd.DataFrame, levels: Sequence[str], threshold: int) -> list[Entry]:
    """Name, value and note of every figure; `rows`: a column a level, and patient_id and admitted where there are."""
    entries = _relations(rows, levels, threshold)
    if len(levels) > 1:
        entries += _links(rows[levels[1]], rows[levels[0]], levels[1], levels[0], threshold)
    if PATIENT in rows and rows[PATIENT].notna().any():
        entries += _patients(rows.loc[rows[PATIENT].notna()], levels[0], threshold)
    return entries


def rounded_share(count: float, total: float, threshold: int) -> float:
    """count/total, to the decimal whose step holds at least `threshold`; NaN where even one per cent holds fewer."""
    for places in range(FINEST, COARSEST - 1, -1):
        if total * 10.0**-places >= threshold:
            return round(float(count) / float(total), places)
    return math.nan


def _relations(rows: pd.DataFrame, levels: Sequence[str], threshold: int) -> list[Entry]:
    from profiling.modeling.data_structure import structure

    found = structure(rows, list(levels))
    entries: list[Entry] = []
    for level, count, median in found.factors[["factor", "levels", "median"]].itertuples(index=False):
        entries.append((f"structure_levels:{level}", float(count), ""))
        # Two figures: a median of few rows would be the count of one provider.
        shown = float(f"{median:.2g}") if median >= threshold else math.nan
        entries.append((f"structure_median:{level}", shown, "" if median >= threshold else f"under {threshold}"))
    pairs = found.pairs[["child", "parent", "relation", "share_of_levels", "share_of_rows"]]
    for child, parent, relation, share, away in pairs.itertuples(index=False):
        entries.append((f"structure:{child}:{parent}", float(share), str(relation)))
        small = 0 < round(away * found.rows) < threshold
        entries.append((f"structure_off_main:{child}:{parent}", math.nan if small else float(away), ""))
    return entries


def _links(child: pd.Series, parent: pd.Series, child_name: str, parent_name: str, threshold: int) -> list[Entry]:
    """Children by their number of parents, and how the rows run between bands of parents and those."""
    pair = f"{child_name}:{parent_name}"
    heads, tails = pd.factorize(child)[0], pd.factorize(parent)[0]
    parents = np.minimum(_partners(heads, tails), 3)
    shares = np.bincount(parents, minlength=4)[1:] / len(parents)
    entries: list[Entry] = [(f"structure_in:{pair}:{k}", float(share), "") for k, share in enumerate(shares, start=1)]
    starts = np.array([1, threshold, *(start for start in BAND_STARTS if start > threshold)])
    band = starts[np.searchsorted(starts, np.bincount(tails), side="right") - 1]
    flows = pd.crosstab(band[tails], parents[heads])
    for start, row in flows.iterrows():
        for k, count in row.items():
            share = rounded_share(float(count), float(len(child)), threshold)
            entries.append((f"structure_flow:{pair}:{start}:{k}", share, ""))
    return entries


def _partners(heads: Codes, tails: Codes) -> Codes:
    """How many different tails each head has."""
    width = int(tails.max()) + 1
    return np.bincount(np.unique(heads.astype(np.int64) * width + tails) // width)


def _patients(rows: pd.DataFrame, level: str, threshold: int) -> list[Entry]:
    """Patients seen at more than one provider, and how often the next visit is elsewhere, over time."""
    patient, provider = pd.factorize(rows[PATIENT])[0], pd.factorize(rows[level])[0]
    shared = int((_partners(patient, provider) > 1).sum())
    entries: list[Entry] = [
        (f"patients_shared:{level}", rounded_share(shared, int(patient.max()) + 1, threshold), "of patients")
    ]
    day = pd.to_datetime(rows[DAY]) if DAY in rows else pd.Series(pd.NaT, rows.index)
    known = day.notna().to_numpy()
    order = np.lexsort((provider[known], day.to_numpy()[known], patient[known]))
    patient, provider, moment = patient[known][order], provider[known][order], day.to_numpy()[known][order]
    again = patient[1:] == patient[:-1]
    elsewhere = (provider[1:] != provider[:-1])[again]
    if not again.any():
        return entries
    entries.append((f"patients_elsewhere:{level}", rounded_share(int(elsewhere.sum()), len(elsewhere), threshold), ""))
    return entries + _over_time(elsewhere, moment[1:][again], level, threshold)


def _over_time(
    elsewhere: npt.NDArray[np.bool_], moment: npt.NDArray[np.datetime64], level: str, threshold: int
) -> list[Entry]:
    """Stretches of equally many return visits, each long enough for whole per cents; none for fewer than two."""
    count = min(MOST_STRETCHES, len(elsewhere) * 10**-COARSEST // threshold)
    if count < 2:
        return []
    order = np.argsort(moment, kind="stable")
    entries: list[Entry] = []
    for number, part in enumerate(np.array_split(order, int(count)), start=1):
        first, last = (pd.Timestamp(moment[part[place]]).strftime("%Y-%m") for place in (0, -1))
        share = rounded_share(int(elsewhere[part].sum()), len(part), threshold)
        entries.append((f"patients_elsewhere:{level}:{number}", share, f"{first} {last}"))
    return entries

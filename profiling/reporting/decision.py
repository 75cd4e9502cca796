"""What of a run is hidden: decided once before its first publication, kept with the run, and taken up ever after.

A second decision beside the first would give away what the first hid, so drawing a run again keeps to it; and what was
shown of a run is what a reader of later runs knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.reporting.masked_tables import MAIN, periods_of
from profiling.reporting.provider_table import joined, specifications
from profiling.reporting.suppression import Suppression, suppress
from profiling.reporting.suppression_extra import Earlier
from profiling.store.publications import history_of

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

KEY = ["measure", "level", "provider"]
VALUE = ["measure", "column_name", "value"]


def main_subgroups(record: RunRecord) -> pd.DataFrame:
    """Subgroups as the model of the measure itself sees them; those of other models go with them."""
    return record.subgroups[record.subgroups["model"] == MAIN].reset_index(drop=True)


def decide(record: RunRecord, earlier: Sequence[Earlier] = (), full: pd.DataFrame | None = None) -> Suppression:
    """What to hide of a run, given what a reader has of others. Raises DisclosureError where nothing helps.

    full: the table of its providers, if it was made.
    """
    full = joined(record, specifications(record)) if full is None else full
    return suppress(
        full,
        int(record.run["threshold"]),
        periods=periods_of(record, full),
        subgroups=main_subgroups(record),
        earlier=earlier,
    )


def decision_of(record: RunRecord, full: pd.DataFrame | None = None) -> Suppression:
    """What was decided of a run, or is decided now without regard to other runs."""
    kept = history_of(record.run).disclosure
    full = joined(record, specifications(record)) if full is None else full
    return _restored(record, full, kept) if kept else decide(record, (), full)


def kept(record: RunRecord, made: Suppression, earlier: Sequence[Earlier] = ()) -> dict[str, Any]:
    """A decision as the history of a run keeps it; `earlier`: the runs it stands on."""
    full = joined(record, specifications(record))
    return {
        "hidden": _nested(full.loc[made.hidden, KEY]),
        "blind": {str(degree): _nested(full.loc[made.blind == degree, KEY]) for degree in (1, 2)},
        "withheld": sorted(made.withheld),
        "series": sorted(map(list, made.series)),
        "subgroups": main_subgroups(record).loc[made.subgroups, VALUE].astype(str).to_numpy().tolist(),
        "against": [run.run_id for run in earlier],
    }


def _restored(record: RunRecord, full: pd.DataFrame, decision: Mapping[str, Any]) -> Suppression:
    values = main_subgroups(record)[VALUE].astype(str)
    blind = sum(int(degree) * _among(full, names) for degree, names in decision["blind"].items())
    return Suppression(
        hidden=_among(full, decision["hidden"]),
        withheld=frozenset(decision["withheld"]),
        series=frozenset((str(measure), str(provider)) for measure, provider in decision["series"]),
        subgroups=np.array([list(row) in decision["subgroups"] for row in values.to_numpy()], dtype=np.bool_),
        blind=np.asarray(blind, dtype=np.int64),
    )


def _nested(keys: pd.DataFrame) -> dict[str, dict[str, list[str]]]:
    """Providers by measure and level."""
    found: dict[str, dict[str, list[str]]] = {}
    for (measure, level), part in keys.groupby(["measure", "level"], sort=True):
        found.setdefault(str(measure), {})[str(level)] = sorted(part["provider"].astype(str))
    return found


def _among(full: pd.DataFrame, names: Mapping[str, Mapping[str, Sequence[str]]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    rows = [(m, level, name) for m, levels in names.items() for level, some in levels.items() for name in some]
    wanted = pd.MultiIndex.from_tuples(rows, names=KEY) if rows else pd.MultiIndex.from_arrays([[], [], []])
    return np.asarray(pd.MultiIndex.from_frame(full[KEY].astype(str)).isin(wanted), dtype=np.bool_)

"""The tables that rest on the estimates of providers, as the public edition may show them.

Evidence, social risk and periods stand on observed counts: events to a limit, direct rates, ratios and CUSUMs give a
count back as a ratio does. So a provider whose counts are hidden has no row in them. Figures that depend on all
providers at once (ranks, chances of being in the top fifth) are rounded: with all digits, those of the providers shown
are as many equations for the effects of the hidden ones.

Periods: a series is one thing, shown whole or not at all, and only of the outer level; a series with a small count
hides, and takes others with it so that totals by period give nothing back. Subgroups: as a table of its own by column.
Composites: hidden where one of their measures is, for the other measures would give that one back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.reporting.suppression import suppress

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

KEY = ["measure", "level", "provider"]
PLACES = {
    **{"expected_rank": 0, "percentile": 0, "rank_correlation": 2, "triple_goal": 2},
    **dict.fromkeys(("top_fifth", "bottom_fifth", "top_tenth", "bottom_tenth"), 2),
}
COUNTS = ("n", "observed", "expected", "ratio", "lower", "upper")
SCORES = ("value", "lower", "upper", "expected_rank", "rank_lower", "rank_upper", "percentile")
FEWEST_HIDDEN = 2


def coarse(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the figures that depend on all providers at once rounded to `PLACES`."""
    return table.assign(**{name: table[name].astype(float).round(n) for name, n in PLACES.items() if name in table})


def of_shown(table: pd.DataFrame, providers: pd.DataFrame) -> pd.DataFrame:
    """The rows of providers that are shown. `providers`: measure, level, provider, hidden."""
    shown = pd.MultiIndex.from_frame(providers.loc[~providers["hidden"].astype(bool), KEY].astype(str))
    kept = pd.MultiIndex.from_frame(table[KEY].astype(str)).isin(shown)
    return coarse(table[kept].reset_index(drop=True))


def masked_periods(record: RunRecord, providers: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Series of outer providers that are shown and hold no small count, nor cover one of another provider."""
    table = record.provider_periods.reset_index(drop=True)
    outer = providers[providers["parent"].isna()]
    known = pd.MultiIndex.from_frame(outer[KEY].astype(str))
    table = table[pd.MultiIndex.from_frame(table[KEY].astype(str)).isin(known)].reset_index(drop=True)
    if table.empty:
        return table
    series = pd.MultiIndex.from_frame(table[KEY].astype(str))
    hidden = ~series.isin(pd.MultiIndex.from_frame(outer.loc[~outer["hidden"].astype(bool), KEY].astype(str)))
    # A period is a table of its own, with a total that a reader may know from the run before.
    cells = table.assign(
        measure=table["measure"].astype(str) + "\0" + table["position"].astype(str),
        parent=None,
        counts=table["measure"].map(_counts(record)).astype(bool),
        category="",
        minimum=0,
    )
    while True:
        closed = suppress(cells, threshold, hidden).hidden
        whole = series.isin(series[closed])
        if (whole == hidden).all():
            return table[~hidden].reset_index(drop=True)
        hidden = whole


def masked_subgroups(record: RunRecord, withheld: frozenset[str], threshold: int) -> pd.DataFrame:
    """Subgroups with `hidden`: those with a small count, and others so that the total gives none back."""
    table = record.subgroups.reset_index(drop=True)
    if table.empty:
        return table.assign(hidden=pd.Series(dtype=bool))
    cells = table.assign(
        measure=table["measure"].astype(str) + "\0" + table["column_name"].astype(str) + "\0" + table["model"],
        level="subgroup",
        provider=table["value"].astype(str),
        parent=None,
        counts=table["measure"].map(_counts(record)).astype(bool),
        category="",
        minimum=0,
    )
    hidden = suppress(cells, threshold).hidden | table["measure"].isin(list(withheld)).to_numpy()
    return table.assign(hidden=hidden, **{name: table[name].astype(float).mask(hidden) for name in COUNTS})


def masked_scores(record: RunRecord, providers: pd.DataFrame) -> pd.DataFrame:
    """Scores of composites with `hidden`: where a measure of the composite hides the provider; never a single one."""
    table = coarse(record.composite_scores.reset_index(drop=True))
    hidden = np.zeros(len(table), dtype=bool)
    rows = providers[providers["hidden"].astype(bool)]
    for row in record.composites.itertuples():
        names = _named(json.loads(str(row.spec_json)), set(providers["measure"])) or set(providers["measure"])
        away = rows[rows["measure"].isin(names)]
        mine = (table["composite"] == row.composite).to_numpy(dtype=bool)
        keys = pd.MultiIndex.from_frame(away[["level", "provider"]].astype(str))
        own = mine & pd.MultiIndex.from_frame(table[["level", "provider"]].astype(str)).isin(keys)
        # Scores often sum to a known value: one alone would follow from the others.
        if own.any():
            own[np.flatnonzero(mine & ~own)[: max(FEWEST_HIDDEN - int(own.sum()), 0)]] = True
        hidden |= own
    figures = {name: table[name].astype(float).mask(hidden) for name in SCORES if name in table}
    return table.assign(hidden=hidden, **figures)


def _counts(record: RunRecord) -> Mapping[str, bool]:
    return {
        str(name): json.loads(str(text))["family"] == "binomial"
        for name, text in zip(record.measures["measure"], record.measures["spec_json"], strict=True)
    }


def _named(specification: Any, measures: set[str]) -> set[str]:
    """The measures whose names stand anywhere in a specification."""
    if isinstance(specification, Mapping):
        return _named([*specification, *specification.values()], measures)
    if isinstance(specification, list):
        return set().union(*(_named(item, measures) for item in specification)) if specification else set()
    return {specification} & measures if isinstance(specification, str) else set()

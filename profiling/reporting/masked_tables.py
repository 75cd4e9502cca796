"""The tables that rest on the estimates of providers, as the public edition may show them.

Evidence, social risk and periods stand on observed counts: events to a limit, direct rates, ratios and CUSUMs give a
count back as a ratio does. So a provider whose counts are hidden has no row in them. Figures that depend on all
providers at once (ranks, chances of being in the top fifth) are rounded: with all digits, those of the providers shown
are as many equations for the effects of the hidden ones.

Periods: a series is one thing, shown whole or not at all, and only of the outer level. Which series and which
subgroups are hidden is decided together with the providers (`profiling.reporting.suppression`).
Composites: hidden where one of their measures is, for the other measures would give that one back.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

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
MAIN = "main"


def coarse(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the figures that depend on all providers at once rounded to `PLACES`."""
    return table.assign(**{name: table[name].astype(float).round(n) for name, n in PLACES.items() if name in table})


def of_shown(table: pd.DataFrame, providers: pd.DataFrame) -> pd.DataFrame:
    """The rows of providers that are shown. `providers`: measure, level, provider, hidden."""
    if table.empty:
        return coarse(table.reset_index(drop=True))
    shown = pd.MultiIndex.from_frame(providers.loc[~providers["hidden"].astype(bool), KEY].astype(str))
    kept = pd.MultiIndex.from_frame(table[KEY].astype(str)).isin(shown)
    return coarse(table[kept].reset_index(drop=True))


def periods_of(record: RunRecord, full: pd.DataFrame) -> pd.DataFrame:
    """The periods of outer providers, in the order of the store: those of inner ones are not public."""
    outer = pd.MultiIndex.from_frame(full.loc[full["parent"].isna(), KEY].astype(str))
    table = record.provider_periods
    return table[pd.MultiIndex.from_frame(table[KEY].astype(str)).isin(outer)].reset_index(drop=True)


def masked_periods(periods: pd.DataFrame, hidden: Collection[tuple[str, str]]) -> pd.DataFrame:
    """The series that are shown whole. hidden: measure and provider of the others."""
    keys = zip(periods["measure"].astype(str), periods["provider"].astype(str), strict=True)
    return periods[np.array([key not in hidden for key in keys], dtype=np.bool_)].reset_index(drop=True)


def masked_subgroups(table: pd.DataFrame, hidden: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Subgroups with `hidden`; the rows of both models go together. hidden: by row of the model `main`.

    A column that another model counts otherwise (some records lack what it needs) is shown of the model `main` alone:
    the difference may be small.
    """
    table = table.reset_index(drop=True)
    key = ["measure", "column_name", "value"]
    main = table["model"] == MAIN
    away = pd.MultiIndex.from_frame(table.loc[main, key].astype(str))[hidden]
    own = pd.MultiIndex.from_frame(table[key].astype(str)).isin(away)
    if not main.all():
        both = table[~main].merge(table[main], on=key, how="left", suffixes=("", "_main"))
        other = both[(both["n"] != both["n_main"]) | (both["observed"] != both["observed_main"])]
        differing = pd.MultiIndex.from_frame(other[key[:2]].drop_duplicates().astype(str))
        own |= (~main).to_numpy() & pd.MultiIndex.from_frame(table[key[:2]].astype(str)).isin(differing)
    return table.assign(hidden=own, **{name: table[name].astype(float).mask(own) for name in COUNTS})


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


def _named(specification: Any, measures: set[str]) -> set[str]:
    """The measures whose names stand anywhere in a specification."""
    if isinstance(specification, Mapping):
        return _named([*specification, *specification.values()], measures)
    if isinstance(specification, list):
        return set().union(*(_named(item, measures) for item in specification)) if specification else set()
    return {specification} & measures if isinstance(specification, str) else set()

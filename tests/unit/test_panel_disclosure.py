"""Attacks on what the panels publish: inverting intervals, both margins of the periods, totals of the subgroups.

The attacker reads the published tables alone, knows every total over all providers, the provider's total where it is
shown, and solves for the rest.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reporting_fixture import simulated_run
from scipy import optimize, stats

from profiling.reporting.disclosure import mask
from profiling.reporting.downloads import provider_download, write_csv
from profiling.reporting.pages.shared import build
from profiling.reporting.panel_tables import site_files
from profiling.store.runs import RunRecord

THRESHOLD = 11


def small(values: pd.Series) -> pd.Series:
    return values.round().between(1, THRESHOLD - 1)


@pytest.fixture(scope="module", params=[1, 2])
def record(request: pytest.FixtureRequest) -> RunRecord:
    return simulated_run(seed=request.param, hospitals=16, physicians_each=3, rows=14_000)


@pytest.fixture(scope="module")
def published(record: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """The tables as a reader has them, by name of the file."""
    folder = tmp_path_factory.mktemp("published")
    site = build(mask(record))
    for name, table, _ in site_files(site):
        write_csv(table, folder / f"{name}.csv")
    for measure in site.measures:
        write_csv(provider_download(measure, "hospital"), folder / f"{measure.name}_hospital.csv")
    return {path.stem: read(path) for path in folder.glob("*.csv")}


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"provider": str, "value": str} if "subgroups" in path.stem else {"provider": str})


def test_no_count_of_a_period_or_a_subgroup_is_small(published: dict[str, pd.DataFrame]) -> None:
    seen = 0
    for name in ("mortality_30d_periods", "mortality_30d_subgroups", "length_of_stay_periods"):
        table = published.get(name)
        if table is None:
            continue
        counts = [table["n"]]
        if name.startswith("mortality"):
            counts += [table["observed"], table["n"] - table["observed"]]
        assert not any(small(column.dropna()).any() for column in counts), name
        seen += len(table)
    assert seen > 50


def test_ratios_and_intervals_give_only_counts_that_are_shown(published: dict[str, pd.DataFrame]) -> None:
    """O = ratio · E, and upper · E = χ²(.975; 2(O + 1))/2: the attack is real, and finds what stands beside it."""
    for name in ("mortality_30d_periods", "mortality_30d_subgroups"):
        table = published.get(name)
        if table is None:
            continue
        rows = table.dropna(subset=["ratio", "upper"])
        given = (rows["ratio"] * rows["expected"]).round()
        inverted = [
            int(np.argmin(np.abs(stats.chi2.ppf(0.975, 2 * (np.arange(3000) + 1)) / 2 - limit)))
            for limit in rows["upper"] * rows["expected"]
        ]
        assert given.tolist() == rows["observed"].tolist() == inverted
        away = table[table["ratio"].isna()]
        assert away[["n", "observed", "expected", "lower", "upper"]].isna().all().all()


def periods_of(record: RunRecord, measure: str, name: str) -> pd.DataFrame:
    rows = record.provider_periods.query("measure == @measure")
    rows = rows.assign(others=rows["n"] - rows["observed"])
    return rows.pivot_table(index="provider", columns="position", values=name, aggfunc="sum", fill_value=0.0).round()


@pytest.mark.parametrize("measure", ["mortality_30d", "length_of_stay"])
def test_both_margins_leave_three_values_for_every_hidden_count(
    record: RunRecord, published: dict[str, pd.DataFrame], measure: str
) -> None:
    """Totals by period less the series shown, and totals by provider: a transport polytope, whose corners are whole."""
    shown = set(published[f"{measure}_periods"]["provider"]) if f"{measure}_periods" in published else set()
    whole = published[f"{measure}_hospital"]
    open_totals = whole.loc[whole["hidden"] == 0, "provider"]
    attacked = 0
    for name in ("n", "observed", "others") if measure == "mortality_30d" else ("n",):
        table = periods_of(record, measure, name)
        hidden = table.loc[[provider for provider in table.index if provider not in shown]]
        if hidden.empty:
            continue
        cells = hidden.to_numpy()
        rows, columns = cells.shape
        index = np.arange(rows * columns).reshape(rows, columns)
        known = np.zeros((rows + columns, rows * columns))
        for i in range(rows):
            known[i, index[i]] = 1
        for j in range(columns):
            known[rows + j, index[:, j]] = 1
        margins = np.concatenate([cells.sum(axis=1), cells.sum(axis=0)])
        # The total of a hospital is known only where it is shown.
        told = np.concatenate([hidden.index.isin(open_totals), np.ones(columns, dtype=bool)])
        known, margins = known[told], margins[told]
        protected = np.argwhere((cells >= 1) & (cells < THRESHOLD))
        for i, j in protected[:: max(len(protected) // 12, 1)]:
            aim = np.zeros(rows * columns)
            aim[index[i, j]] = 1
            ends = [optimize.linprog(sign * aim, A_eq=known, b_eq=margins).fun * sign for sign in (1, -1)]
            assert round(ends[1]) - round(ends[0]) + 1 >= 3, (name, hidden.index[i], j)
            attacked += 1
    assert attacked > 5


def test_totals_of_a_provider_give_no_small_rest_of_its_series(
    record: RunRecord, published: dict[str, pd.DataFrame]
) -> None:
    """Cases that stand in no period, by provider: none, or not few."""
    for measure in ("mortality_30d", "length_of_stay"):
        if f"{measure}_periods" not in published:
            continue
        series = published[f"{measure}_periods"].groupby("provider")[["n", "observed"]].sum()
        whole = published[f"{measure}_hospital"].set_index("provider").loc[series.index]
        assert not small(whole["n"] - series["n"]).any()
        if measure == "mortality_30d":
            assert not small(whole["observed"] - series["observed"]).any()


def test_added_up_differences_are_those_of_shown_periods_alone(published: dict[str, pd.DataFrame]) -> None:
    """The VLAD of the page: its steps give O back, and every one of them belongs to a count that is shown."""
    table = published.get("length_of_stay_periods")
    assert table is not None
    added = (table["observed"] - table["expected"]).groupby(table["provider"]).cumsum()
    steps = added.groupby(table["provider"]).diff().fillna(added)
    assert np.allclose(steps + table["expected"], table["observed"])
    assert not small(table["n"]).any()


def test_evidence_of_hidden_hospitals_is_not_there(published: dict[str, pd.DataFrame]) -> None:
    """O = first count beyond a limit less events to it; P/E and e-value invert each other: only for those shown."""
    for measure in ("mortality_30d", "length_of_stay"):
        providers = published[f"{measure}_hospital"].set_index("provider")
        evidence = published[f"{measure}_evidence"].query("level == 'hospital'").set_index("provider")
        assert set(evidence.index) == set(providers.index[providers["hidden"] == 0])
        value = evidence["e_value"]
        ratio = value**2 / (2 * value - 1)
        above = np.maximum(providers["ratio"], 1 / providers["ratio"])
        assert np.allclose(ratio, above[evidence.index])

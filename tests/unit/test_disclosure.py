"""Attacks on what is published: subtraction from totals by brute force, and O = P + b/variance."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reporting_fixture import SPREAD, simulated_run

from profiling.errors import DisclosureError
from profiling.reporting.disclosure import KEPT, mask
from profiling.reporting.downloads import provider_download, write_csv
from profiling.reporting.pages.shared import build
from profiling.reporting.suppression import Suppression, case_bands, suppress

THRESHOLD = 11
BANDS = [(1, 10), (11, 24), (25, 49), (50, 99), (100, 249), (250, 499), (500, 999), (1000, 2499), (2500, None)]


def table(
    rows: list[tuple[str, str, str, str | None, int, int]], counts: bool = True, minimum: int = 25
) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["measure", "level", "provider", "parent", "n", "observed"])
    frame["counts"] = counts
    frame["minimum"] = minimum
    frame["category"] = np.where(frame["n"] < minimum, "too_few", "as_expected")
    return frame


def hospitals(*cases: tuple[int, int], measure: str = "m") -> list[tuple[str, str, str, str | None, int, int]]:
    return [(measure, "hospital", f"h{i}", None, n, observed) for i, (n, observed) in enumerate(cases)]


def small(value: float) -> bool:
    return 1 <= value < THRESHOLD


def known_range(row: pd.Series, cell: str, cases_known: bool) -> range:
    """What an attacker knows of a hidden cell: the band and category for cases, the kind (small, large) for events."""
    low, high = next((a, b) for a, b in BANDS if a <= max(row["n"], 1) and (b is None or row["n"] <= b))
    high = high or 10_000
    if row["category"] != "too_few":
        low = max(low, int(row["minimum"]))
    elif row["n"] < row["minimum"]:
        high = min(high, int(row["minimum"]) - 1)
    if row["n"] == 0:
        low = high = 0
    if cases_known:
        low = high = int(row["n"])
    if cell == "n":
        return range(low, high + 1)
    value = cell_value(row, cell)
    if value == 0:
        return range(0, 1)
    return range(1, THRESHOLD) if small(value) else range(THRESHOLD, high + 1)


def cell_value(row: pd.Series, cell: str) -> int:
    return int(row["n"] - row["observed"]) if cell == "others" else int(row[cell])


def feasible(ranges: list[range], total: int, place: int) -> int:
    """How many values the cell at `place` can take when all cells sum to the total (sums kept as bits of a number)."""
    reach = 1
    for index, span in enumerate(ranges):
        if index != place:
            reach = spread(reach, span, total)
    return sum(1 for value in ranges[place] if value <= total and reach >> (total - value) & 1)


def spread(reach: int, span: range, total: int) -> int:
    mask_all = (1 << (total + 1)) - 1
    width, run = len(span), reach << span.start
    done = 1
    while done < width:
        step = min(done, width - done)
        run |= run << step
        done += step
    return run & mask_all


def attack(full: pd.DataFrame, result: Suppression) -> list[str]:
    """Every protected cell that the known totals leave fewer than three values for."""
    full = full.reset_index(drop=True).assign(hidden=result.hidden)
    shown_cases = {(r.level, r.provider, r.n) for r in full[~full["hidden"]].itertuples()}
    outer = full[full["parent"].isna()].set_index(["measure", "provider"])["hidden"]
    tables = [part for (measure, _), part in full.groupby(["measure", "level"]) if measure not in result.withheld]
    for (measure, parent), part in full[full["parent"].notna()].groupby(["measure", "parent"]):
        if not outer[measure, parent] and measure not in result.withheld:
            tables.append(part)
    # What the hidden hospitals' physicians have together follows too: the total less all the other families.
    orphaned = [
        bool(outer[r.measure, r.parent]) if r.parent else False
        for r in full.astype({"parent": object}).where(full.notna(), None).itertuples()
    ]
    tables += [
        part for (measure, _), part in full[orphaned].groupby(["measure", "level"]) if measure not in result.withheld
    ]
    leaks = []
    for part in tables:
        hidden = part[part["hidden"]]
        open_cases = [(r.level, r.provider, r.n) in shown_cases for r in hidden.itertuples()]
        for cell in ["n", "observed", "others"] if part["counts"].all() else ["n"]:
            ranges = [
                known_range(row, cell, known) for (_, row), known in zip(hidden.iterrows(), open_cases, strict=True)
            ]
            total = sum(cell_value(row, cell) for _, row in hidden.iterrows())
            for place, (_, row) in enumerate(hidden.iterrows()):
                if small(cell_value(row, cell)) and feasible(ranges, total, place) < 3:
                    leaks.append(f"{row['measure']} {row['level']} {row['provider']} {cell}")
    return leaks


def primary(full: pd.DataFrame) -> np.ndarray:
    events = full["observed"].map(small) | (full["n"] - full["observed"]).map(small)
    return (full["n"].map(small) | (events & full["counts"])).to_numpy()


def test_the_attack_finds_a_single_hidden_count() -> None:
    full = table(hospitals((200, 5), (300, 40), (400, 60)))
    assert attack(full, Suppression(np.array([True, False, False]), frozenset())) == ["m hospital h0 observed"]


def test_a_single_hidden_count_takes_the_smallest_other_with_it() -> None:
    result = suppress(table(hospitals((200, 5), (300, 40), (400, 60))), THRESHOLD)
    assert result.hidden.tolist() == [True, True, False]


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    result = suppress(table(hospitals((200, 25), (300, 0), (400, 60))), THRESHOLD)
    assert not result.hidden.any()
    assert not result.withheld


def test_non_events_are_protected_like_events() -> None:
    assert suppress(table(hospitals((200, 195), (300, 150), (400, 160))), THRESHOLD).hidden[0]


def test_a_continuous_outcome_protects_cases_only() -> None:
    result = suppress(table(hospitals((200, 5), (300, 40), (9, 60), (80, 300)), counts=False), THRESHOLD)
    assert result.hidden.tolist() == [False, False, True, True]


def test_totals_go_where_hiding_everybody_does_not_help() -> None:
    result = suppress(table(hospitals((200, 10), (300, 10))), THRESHOLD)
    assert result.hidden.all()
    assert result.withheld == {"m"}


def test_a_hospital_and_its_physicians_are_one_table() -> None:
    rows = hospitals((500, 60), (600, 70), (700, 80))
    rows += [("m", "physician", f"p{i}", "h0", n, o) for i, (n, o) in enumerate([(100, 4), (150, 20), (250, 36)])]
    rows += [("m", "physician", f"q{i}", "h1", 300, 35) for i in range(2)]
    result = suppress(table(rows), THRESHOLD)
    assert result.hidden.tolist() == [False, False, False, True, True, False, False, False]


def test_a_hospital_is_hidden_when_all_its_physicians_still_tell() -> None:
    rows = hospitals((300, 20), (600, 70), (700, 80))
    rows += [("m", "physician", f"p{i}", "h0", 150, 10) for i in range(2)]
    rows += [("m", "physician", f"q{i}", "h1", 300, 35) for i in range(2)]
    result = suppress(table(rows), THRESHOLD)
    assert result.hidden[0]
    assert not attack(table(rows), result)


def test_physicians_of_a_hidden_hospital_are_hidden() -> None:
    rows = hospitals((200, 5), (300, 40), (400, 60), (500, 80))
    rows += [("m", "physician", f"p{i}", "h1", 150, 20) for i in range(2)]
    result = suppress(table(rows), THRESHOLD)
    assert result.hidden[1]
    assert result.hidden[-2:].all()


def test_cases_shown_by_another_measure_do_not_cover_a_small_count() -> None:
    """Measure b hides h0 (8 cases) and needs cover; what a shows of the cover would give h0 back."""
    rows = hospitals((8, 0), (60, 5), (70, 20), (400, 60), measure="a") + hospitals(
        (8, 3), (60, 9), (70, 9), (400, 99), measure="b"
    )
    full = table(rows)
    full["counts"] = full["measure"] == "a"
    result = suppress(full, THRESHOLD)
    assert not attack(full, result)


providers = st.lists(st.tuples(st.integers(1, 400), st.floats(0, 1)), min_size=1, max_size=7)


@settings(max_examples=20, deadline=None)
@given(st.lists(providers, min_size=1, max_size=4), st.booleans())
def test_random_tables_withstand_subtraction(families: list[list[tuple[int, float]]], second: bool) -> None:
    rows: list[tuple[str, str, str, str | None, int, int]] = []
    for measure, h in itertools.product(["a", "b"][: 1 + second], range(len(families))):
        counts = [(n, int(n * (share if measure == "a" else 1 - share) * 0.3)) for n, share in families[h]]
        rows.append((measure, "hospital", f"h{h}", None, sum(n for n, _ in counts), sum(o for _, o in counts)))
        rows += [(measure, "physician", f"p{h}-{i}", f"h{h}", n, o) for i, (n, o) in enumerate(counts)]
    full = table(rows)
    result = suppress(full, THRESHOLD)
    assert not (primary(full) & ~result.hidden).any()
    assert attack(full, result) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_simulated_run_withstands_subtraction(seed: int) -> None:
    record = simulated_run(seed, hospitals=12, physicians_each=4, rows=3000)
    full = record.provider_estimates.merge(
        record.flags[["measure", "level", "provider", "category"]],
        on=["measure", "level", "provider"],
        suffixes=("_", ""),
    )
    full["counts"], full["minimum"] = full["measure"] == "mortality_30d", 25
    masked = mask(record)
    result = Suppression(masked.providers["hidden"].to_numpy(dtype=bool), masked.withheld)
    assert masked.providers["provider"].tolist() == full["provider"].tolist()
    assert attack(full.assign(observed=full["observed"].round()), result) == []


def test_hidden_providers_keep_name_band_and_category_only() -> None:
    masked = mask(simulated_run()).providers
    hidden = masked[masked["hidden"]]
    assert len(hidden) > 5
    rest = hidden.drop(columns=[*KEPT, "hidden", "case_band", "run_id"], errors="ignore")
    assert rest.isna().all().all()
    assert hidden["category"].notna().all()
    assert masked.loc[~masked["hidden"], "n"].notna().all()


def test_mode_and_predicted_give_no_hidden_count_back(tmp_path: Path) -> None:
    """O = P + b/variance recovers every count that is shown, so it is a real attack, and none that is hidden."""
    record = simulated_run()
    measure = build(mask(record)).measures[0]
    truth = record.provider_estimates[record.provider_estimates["measure"] == measure.name]
    for level in measure.levels:
        write_csv(provider_download(measure, level), tmp_path / "t.csv")
        published = pd.read_csv(tmp_path / "t.csv").set_index("provider")
        recovered = published["predicted"] + published["mode"] / SPREAD[level] ** 2
        real = truth[truth["level"] == level].set_index("provider")["observed"]
        hit = (recovered - real).abs() < 0.5
        assert hit[published["hidden"] == 0].all()
        assert not hit[published["hidden"] == 1].any()
        assert (published["hidden"] == 1).sum() > 3


def test_case_bands_start_at_the_threshold() -> None:
    assert case_bands(np.array([1.0, 10, 11, 24, 25, 2500]), 11).tolist() == [
        "under 11",
        "under 11",
        "11–24",
        "11–24",
        "25–49",
        "2,500 or more",
    ]
    assert case_bands(np.array([4.0, 5, 30]), 5).tolist() == ["under 5", "5–24", "25–49"]


def test_a_step_of_the_cohort_that_drops_few_records_is_joined_with_its_neighbour() -> None:
    flow = mask(simulated_run()).cohort_flow
    flow = flow[flow["measure"] == "mortality_30d"]
    assert not [value for value in flow["excluded"] if small(value)]
    assert "age at least 18; admission_type is emergency" in flow["step"].tolist()
    assert flow["rows_left"].iloc[-1] == 30_000


def test_bands_of_risk_hold_no_small_number_of_events() -> None:
    record = simulated_run(rows=900, hospitals=8, physicians_each=2)
    bands = mask(record).calibration
    bands = bands[bands["measure"] == "mortality_30d"]
    assert len(bands) < 10
    assert not [v for v in [*bands["observed"], *(bands["n"] - bands["observed"])] if small(v)]
    assert bands["n"].sum() == 900


def test_funnel_limits_tell_no_expected_count() -> None:
    record = simulated_run()
    hidden = mask(record).providers.query("hidden and level == 'hospital'")["provider"]
    expected = (
        record.provider_estimates.query("level == 'hospital'").set_index("provider").loc[hidden, "expected_marginal"]
    )
    grid = mask(record).funnel_limits["expected"].to_numpy()
    steps = np.diff(np.log(grid[:120]))
    assert np.allclose(steps, steps[0])
    assert np.abs(grid[:, None] - expected.to_numpy()[None, :]).min() > 0


def test_few_rejected_records_are_not_told() -> None:
    inputs = mask(simulated_run()).inputs.set_index("source")
    assert np.isnan(inputs.loc["patients", "rows_rejected"])
    assert np.isnan(inputs.loc["patients", "rows_accepted"])
    assert inputs.loc["encounters", "rows_rejected"] == 150


def test_only_the_public_edition_is_known() -> None:
    with pytest.raises(DisclosureError, match="edition"):
        mask(simulated_run(rows=500, hospitals=4, physicians_each=2), edition="complete")


def test_the_configuration_text_is_not_carried_along() -> None:
    assert "config_text" not in mask(simulated_run(rows=500, hospitals=4, physicians_each=2)).run

"""How providers and patients are linked, against counting by hand; and what its shares leave unknown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from profiling.pipeline.structure_found import rounded_share, structure_found

THRESHOLD = 11


def visits(seed: int = 1, rows: int = 12_000, moving: float = 0.2) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    patient = random.integers(0, rows // 3, rows)
    home = random.integers(0, 20, rows // 3)[patient]
    hospital = np.where(random.random(rows) < moving, random.integers(0, 20, rows), home)
    physician = hospital * 10 + random.integers(0, 10, rows)
    physician = np.where(random.random(rows) < 0.05, random.integers(0, 40, rows), physician)
    days = pd.to_datetime("2021-01-01") + pd.to_timedelta(random.integers(0, 1000, rows), unit="D")
    return pd.DataFrame(
        {
            "hospital": [f"H{code}" for code in hospital],
            "physician": [f"P{code}" for code in physician],
            "patient_id": [f"i{code}" for code in patient],
            "admitted": days,
        }
    )


def found(rows: pd.DataFrame, levels: tuple[str, ...] = ("hospital", "physician")) -> dict[str, float]:
    return {name: value for name, value, _ in structure_found(rows, levels, THRESHOLD)}


def test_physicians_by_their_number_of_hospitals() -> None:
    rows = visits()
    parents = rows.groupby("physician")["hospital"].nunique().clip(upper=3)
    values = found(rows)
    for k in (1, 2, 3):
        assert values[f"structure_in:physician:hospital:{k}"] == pytest.approx((parents == k).mean())
    assert values["structure:physician:hospital"] == pytest.approx((parents > 1).mean())


def test_flows_are_shares_of_all_rows_by_size_and_number_of_hospitals() -> None:
    rows = visits()
    flows = {name: value for name, value in found(rows).items() if name.startswith("structure_flow")}
    assert sum(flows.values()) == pytest.approx(1, abs=0.005 * len(flows))
    size = rows.groupby("hospital")["hospital"].transform("size")
    parents = rows.groupby("physician")["hospital"].transform("nunique").clip(upper=3)
    for name, value in flows.items():
        start, k = int(name.split(":")[3]), int(name.split(":")[4])
        end = {250: 500, 500: 1000, 100: 250}.get(start, 10**9)
        assert value == pytest.approx(((size >= start) & (size < end) & (parents == k)).mean(), abs=0.00501)


def test_visits_elsewhere_are_those_of_patients_seen_before() -> None:
    rows = visits(rows=9000)
    ordered = rows.sort_values(["patient_id", "admitted", "hospital"], kind="stable")
    again = ordered["patient_id"] == ordered["patient_id"].shift()
    elsewhere = (ordered["hospital"] != ordered["hospital"].shift())[again]
    values = found(rows)
    assert values["patients_elsewhere:hospital"] == pytest.approx(elsewhere.mean(), abs=0.00501)
    shared = rows.groupby("patient_id")["hospital"].nunique() > 1
    assert values["patients_shared:hospital"] == pytest.approx(shared.mean(), abs=0.00501)
    stretches = [value for name, value in values.items() if name.startswith("patients_elsewhere:hospital:")]
    assert len(stretches) == len(elsewhere) // (100 * THRESHOLD)
    assert np.mean(stretches) == pytest.approx(elsewhere.mean(), abs=0.006)


def test_who_stays_is_never_elsewhere() -> None:
    rows = visits(moving=0.0)
    values = found(rows, ("hospital",))
    assert values["patients_elsewhere:hospital"] == 0
    assert values["patients_shared:hospital"] == 0
    assert not any(name.startswith(("structure_in", "structure_flow")) for name in values)


def test_rows_without_patients_or_days_tell_nothing_of_either() -> None:
    rows = visits(rows=2000)
    assert not any(name.startswith("patients") for name in found(rows.drop(columns="patient_id")))
    without = found(rows.assign(admitted=pd.NaT))
    assert "patients_shared:hospital" in without
    assert "patients_elsewhere:hospital" not in without


@pytest.mark.parametrize("total", [12, 150, 1099, 1100, 4000, 10_999, 11_000, 80_000])
def test_a_share_leaves_at_least_eleven_values_for_its_count(total: int) -> None:
    """Every count that gives the printed share, its total known, is one of at least eleven (but at the two ends)."""
    shares = [rounded_share(count, total, THRESHOLD) for count in range(total + 1)]
    if np.isnan(shares[0]):
        assert total < 100 * THRESHOLD
        return
    counts = pd.Series(shares).value_counts().sort_index()
    assert counts.iloc[1:-1].min() >= THRESHOLD - 1
    assert counts.iloc[0] >= THRESHOLD // 2

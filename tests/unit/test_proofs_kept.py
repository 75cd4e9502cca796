"""A count proved safe while more was known is safe for good: looked at again it gives the same answer."""

from __future__ import annotations

from typing import Any

import pytest
from disclosure_tables import THRESHOLD, random_tables

from profiling.reporting import feasible, suppression
from profiling.reporting.feasible import given_away


def test_what_was_proved_before_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []

    def both_ways(*system: Any, proved: Any) -> Any:
        found = given_away(*system, proved=proved)
        kept.append(int(proved.sum()))
        assert (found == given_away(*system)).all()
        return found

    monkeypatch.setattr(suppression, "given_away", both_ways)
    for seed in range(12):
        table, periods, groups = random_tables(seed)
        main = groups[groups["model"] == "main"].reset_index(drop=True) if len(groups) else None
        suppression.suppress(table, THRESHOLD, periods=periods, subgroups=main)
    assert sum(count > 0 for count in kept) >= 3


def test_neighbourhoods_alone_call_nothing_safe_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in for the whole system of a country, on systems small enough for the whole; larger regions help."""
    unsafe = {"whole": 0, "small and large": 0, "small": 0}

    def each_way(*system: Any, proved: Any) -> Any:
        found = {"whole": given_away(*system)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(feasible, "LARGE", 0)
            patch.setattr(feasible, "NEAR", 4)
            for name, regions in (("small and large", (4, 4000)), ("small", (4,))):
                patch.setattr(feasible, "REGIONS", regions)
                found[name] = given_away(*system)
        assert (found["whole"] <= found["small and large"]).all()
        assert (found["small and large"] <= found["small"]).all()
        for name, which in found.items():
            unsafe[name] += int(which.sum())
        return found["whole"]

    monkeypatch.setattr(suppression, "given_away", each_way)
    for seed in range(10):
        table, periods, groups = random_tables(seed)
        main = groups[groups["model"] == "main"].reset_index(drop=True) if len(groups) else None
        suppression.suppress(table, THRESHOLD, periods=periods, subgroups=main)
    assert unsafe["whole"] > 0
    assert unsafe["small and large"] < unsafe["small"]

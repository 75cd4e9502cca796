"""A count proved safe while more was known is safe for good: looked at again it gives the same answer."""

from __future__ import annotations

from typing import Any

import pytest
from disclosure_tables import THRESHOLD, random_tables

from profiling.reporting import suppression
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

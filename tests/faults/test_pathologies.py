"""Every hard data set of docs/pathologies.md ends in the right answer or in a named diagnosis; one test a row."""

from __future__ import annotations

import re
from pathlib import Path

import hard_clusters
import hard_fixed
import hard_numbers
import hard_separation
import pytest
from hard_data import CASES, run

TABLE = Path(__file__).parents[2] / "docs" / "pathologies.md"
MODULES = (hard_separation, hard_clusters, hard_fixed, hard_numbers)
NAMES = re.findall(r"^\| ([a-z0-9_-]+) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "name"])
def test_hard_data(name: str) -> None:
    run(name)


def test_table_and_tests_name_the_same_data_sets() -> None:
    assert {name for name in NAMES if name != "name"} == set(CASES)

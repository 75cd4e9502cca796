"""Random tables of hospitals, physicians, measures, periods and subgroups against an attacker who solves them exactly.

The full study (10,000 tables, `make study`) writes docs/disclosure.md.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from disclosure_oracle import System, attack_run, found_in
from disclosure_tables import THRESHOLD, Shape, random_record, random_tables

from profiling.reporting.disclosure import mask
from profiling.reporting.suppression import Suppression, suppress
from profiling.reporting.suppression_units import counts_of, is_small

SHAPE = Shape(hospitals=4, physicians=4, measures=2)
TABLES = 200


def main(subgroups: pd.DataFrame) -> pd.DataFrame | None:
    return subgroups[subgroups["model"] == "main"].reset_index(drop=True) if len(subgroups) else None


def primary(table: pd.DataFrame) -> np.ndarray:
    return np.asarray(is_small(counts_of(table), THRESHOLD).any(axis=1))


def test_no_protected_count_of_two_hundred_tables_can_be_told() -> None:
    attacked = 0
    for seed in range(TABLES):
        table, periods, subgroups = random_tables(seed, SHAPE)
        made = suppress(table, THRESHOLD, periods=periods, subgroups=main(subgroups))
        assert not (primary(table) & ~made.hidden).any(), seed
        found, targets = found_in(table, periods, subgroups, made)
        assert found == [], seed
        attacked += targets
    assert attacked > 2000


def test_the_attacker_is_one() -> None:
    """Hiding only what is small itself leaves something to be found in most tables."""
    found = 0
    for seed in range(30):
        table, _, _ = random_tables(seed, SHAPE)
        only = Suppression(primary(table), frozenset(), blind=np.zeros(len(table), dtype=np.int64))
        found += bool(found_in(table, pd.DataFrame(), pd.DataFrame(), only)[0])
    assert found > 10


@pytest.mark.parametrize("threshold", [2, 3, 5, 8])
def test_other_thresholds(threshold: int) -> None:
    for seed in range(8):
        table, _, _ = random_tables(seed, SHAPE)
        made = suppress(table, threshold)
        assert found_in(table, pd.DataFrame(), pd.DataFrame(), made, threshold)[0] == []


def test_what_is_masked_is_what_was_decided() -> None:
    for seed in range(6):
        record, table = random_record(seed)
        masked = mask(record)
        system = System()
        attack_run(system, table, masked.providers, masked.withheld, THRESHOLD)
        assert system.leaks() == []
        hidden = masked.providers["hidden"].to_numpy(dtype=bool)
        assert not (primary(table) & ~hidden).any()
        figures = masked.providers.loc[hidden, ["n", "observed", "expected", "predicted", "mode"]]
        assert figures.isna().all().all()

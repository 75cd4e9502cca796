"""What the audit prints: no address of a database, no small count of a rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from profiling.reporting.audit_trail import masked_rules, redacted

PASSWORD = "s3cr:t/@x"


@pytest.mark.parametrize(
    "text",
    [
        f"database: postgresql+psycopg://me:{PASSWORD}@host/care",
        f'"database": "postgresql+psycopg://me:{PASSWORD}@host/care"  # ours',
        f"database: >-\n  postgresql+psycopg://me:\n  {PASSWORD}@host/care",
        f"{{title: x, database: 'postgresql+psycopg://me:{PASSWORD}@host/care'}}",
        f"# was postgresql+psycopg://me:{PASSWORD}@host/care",
        f"# password = {PASSWORD}",
        f"database: postgresql+psycopg:///care?user=me&password={PASSWORD}",
    ],
)
def test_no_password_stands_in_the_configuration_shown(text: str) -> None:
    shown = redacted(f"title: Care\n{text}\nseed: 7\n")
    assert "s3cr" not in shown
    assert "@x" not in shown
    assert "title: Care" in shown
    assert "seed: 7" in shown


def test_a_configuration_without_secrets_stays_as_it_is() -> None:
    text = "title: Care\nsources:\n  encounters:\n    columns: {age: {minimum: 0}}\n"
    assert redacted(text) == text


def outcomes(**broken: list[int]) -> pd.DataFrame:
    rows = [
        (source, f"{source}.{i}", "age", 1000 - i, count)
        for source, counts in broken.items()
        for i, count in enumerate(counts)
    ]
    return pd.DataFrame(rows, columns=["source", "rule_id", "column_name", "rows_checked", "rows_broken"])


def test_small_counts_of_rules_are_withheld_and_never_alone() -> None:
    shown = masked_rules(outcomes(a=[0, 3, 40, 20], b=[5, 7, 30], c=[0, 12]), threshold=11)
    assert np.isnan(shown["rows_broken"]).tolist() == [False, True, False, True, True, True, False, False, False]
    assert shown["few"].tolist() == [False, True, False, False, True, True, False, False, False]
    assert "rows_checked" not in shown


def test_no_outcomes() -> None:
    assert masked_rules(outcomes(), threshold=11).empty

"""NHS England, summary hospital-level mortality indicator: value, Poisson and over-dispersed limits, banding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from profiling.assessment.agreement.table import Agreement, compared, same_words, together
from profiling.assessment.fitted import Floats
from profiling.assessment.funnel import chi_square_limit
from profiling.assessment.funnel_normal import log_ratio_limits
from profiling.assessment.overdispersion import shmi

SOURCE = "NHS England, SHMI"
ALLOWED, WORDS = 6e-5, "6e-5 (4 decimals)"
HIGH, EXPECTED, LOW = 1, 2, 3


def agreements(folder: Path) -> Iterator[Agreement]:
    """All releases of the folder, a line a figure."""
    releases = [read(file) for file in sorted(folder.glob("*.csv"))]
    parts = [list(_release(release)) for release in releases]
    for figure in zip(*parts, strict=True):
        yield together(figure)
    for release in releases:
        if "PO_BANDING" in release:
            found = banding(release, *poisson(release))
            yield same_words(SOURCE, "banding, Poisson limits", found, release["PO_BANDING"])


def read(file: Path) -> pd.DataFrame:
    """One release; headers differ between them in case and blanks."""
    return pd.read_csv(file, encoding="latin-1").rename(columns=lambda name: name.strip().upper())


def poisson(table: pd.DataFrame) -> tuple[Floats, Floats]:
    """99.8 % limits without over-dispersion."""
    return chi_square_limit(table["EXPECTED"].to_numpy(dtype=np.float64), 0.998)


def overdispersed(table: pd.DataFrame) -> tuple[Floats, Floats]:
    """95 % limits with τ² of the trusts of this release, a tenth trimmed at each end."""
    observed, expected = (table[name].to_numpy(dtype=np.float64) for name in ("OBSERVED", "EXPECTED"))
    return log_ratio_limits(expected, 0.05, shmi(observed, expected).tau_squared)


def banding(table: pd.DataFrame, lower: Floats, upper: Floats) -> Floats:
    """1 higher than expected, 2 as expected, 3 lower."""
    value = (table["OBSERVED"] / table["EXPECTED"]).to_numpy(dtype=np.float64)
    return np.where(value > upper, HIGH, np.where(value < lower, LOW, EXPECTED)).astype(np.float64)


def _release(table: pd.DataFrame) -> Iterator[Agreement]:
    yield compared(SOURCE, "value O/E", table["OBSERVED"] / table["EXPECTED"], table["VALUE"], ALLOWED, WORDS)
    for name, prefix, limits in (
        ("Poisson 99.8 %", "PO", poisson(table)),
        ("over-dispersed 95 %", "OD", overdispersed(table)),
    ):
        for words, end, found in zip(("lower", "upper"), ("L", "U"), limits, strict=True):
            column = next(c for c in table.columns if c.startswith(f"{prefix}_{end}"))
            yield compared(SOURCE, f"{name} limit, {words}", found, table[column], ALLOWED, WORDS)
    yield same_words(
        SOURCE, "banding, over-dispersed limits", banding(table, *overdispersed(table)), table["OD_BANDING"]
    )

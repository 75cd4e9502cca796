"""New York State, cardiac surgery and PCI: risk-adjusted mortality, its limits (Byar's), and the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from profiling.assessment.agreement.table import Agreement, compared
from profiling.assessment.fitted import Floats
from profiling.assessment.intervals import byar

SOURCE = "New York State, cardiac"
HALF_CENT = 0.005 + 1e-6
CAP = 100.0
WORDS = "rounding of EMR and of the figure"


def agreements(folder: Path) -> Iterator[Agreement]:
    """Every row of every year. Rates are per cent; EMR has two decimals, which bounds what can be recomputed."""
    table = pd.read_csv(folder / "ny_cardiac_by_hospital.csv")
    deaths, cases = table["deaths"].to_numpy(dtype=np.float64), table["cases"].to_numpy(dtype=np.float64)
    statewide = 100.0 * (table["state_deaths"] / table["state_cases"]).to_numpy(dtype=np.float64)
    rate = table["expected_rate"].to_numpy(dtype=np.float64)
    factor = 100.0 * statewide / (cases * rate)
    slack = HALF_CENT / (rate - HALF_CENT)
    lower, upper = (limit * factor for limit in byar(deaths))
    adjusted = deaths * factor
    for figure, found, column in (
        ("risk-adjusted rate", adjusted, "risk_adjusted_rate"),
        ("95 % limit, lower", lower, "ci_low"),
        ("95 % limit, upper", upper, "ci_high"),
    ):
        printed = table[column].to_numpy(dtype=np.float64)
        # In some years the upper limit is capped at 100.
        capped = np.where((printed == CAP) & (found > CAP), CAP, found)
        yield compared(SOURCE, figure, capped, printed, HALF_CENT + slack * capped, WORDS)
    yield _flags(table["flag"], lower, upper, statewide, slack)


def _flags(printed: pd.Series, lower: Floats, upper: Floats, statewide: Floats, slack: Floats) -> Agreement:
    """Limits against the statewide rate; where the rounding of EMR leaves both possible, either agrees."""
    high = [lower * (1.0 + sign * slack) > statewide for sign in (-1.0, 0.0, 1.0)]
    low = [upper * (1.0 + sign * slack) < statewide for sign in (1.0, 0.0, -1.0)]
    word = np.where(high[1], "high", np.where(low[1], "low", "same"))
    open_ = (high[0] != high[2]) | (low[0] != low[2])
    wrong = int(((word != printed.to_numpy()) & ~open_).sum())
    words = f"{int(open_.sum())} rows that the rounding of EMR leaves open"
    return Agreement(SOURCE, "high, low or same", len(word), float(wrong > 0), words, float(wrong > 0), wrong)

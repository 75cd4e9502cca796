"""What data must be before anything is fitted: every fault is named, with what was expected and what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem

MOST_OF_MEMORY = 0.8


def check_names(text: str, data: pd.DataFrame) -> None:
    """Refuse a formula that names a column of which the frame has two."""
    twice = set(map(str, data.columns[data.columns.duplicated()]))
    used = sorted(twice & set(re.findall(r"\w+", text)))
    if used:
        raise ModelError(
            Problem(f"column {name}", "stands twice in the data", "names that are unique", "Rename one of them")
            for name in used
        )


def check_multiplicities(values: Iterable[float]) -> None:
    """Refuse multiplicities of clusters that are missing, infinite or negative."""
    found = np.asarray(list(values), dtype=float)
    if not np.isfinite(found).all():
        raise ModelError(Problem("cluster_weights", "missing or infinite values", "finite numbers of zero or more"))
    if (found < 0).any():
        raise ModelError(Problem("cluster_weights", "negative values", "numbers of zero or more"))


def memory_limit() -> float:
    """Return the bytes that the parts in which factors cross may take."""
    return MOST_OF_MEMORY * float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")


def check_memory(needed: float) -> None:
    """Refuse crossed factors of which not even the entries that meet (`needed` bytes) fit this machine's memory."""
    if needed > memory_limit():
        raise ModelError(
            Problem(
                "random terms",
                f"factors so crossed that the levels which meet take {needed / 1e9:,.0f} GB",
                f"less than {memory_limit() / 1e9:,.0f} GB, {MOST_OF_MEMORY:.0%} of this machine's memory",
                "Leave the factor with fewer repeated rows out, or fit regions apart",
            )
        )

"""What data must be before anything is fitted: every fault is named, with what was expected and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem


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

"""Roots of increasing functions, element by element."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from profiling.assessment.fitted import Floats

HALVINGS = 80


def rising_root(function: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Where a function that never falls passes zero in the bracket; an end of it if it does not."""
    below, above = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    for _ in range(HALVINGS):
        middle = 0.5 * (below + above)
        positive = function(middle) > 0.0
        below, above = np.where(positive, below, middle), np.where(positive, middle, above)
    return 0.5 * (below + above)

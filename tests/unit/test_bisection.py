"""Roots against eighty halvings, on smooth, stepped, flat and crossing-free functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import special

from profiling.assessment.bisection import rising_root

Floats = npt.NDArray[np.float64]
T = np.sort(np.random.default_rng(1).uniform(1e-6, 0.999, 200))
FUNCTIONS: dict[str, tuple[Callable[[Floats], Floats], float, float, int]] = {
    "normal": (lambda x: special.ndtr(x) - T, -40.0, 40.0, 45),
    "gamma": (lambda x: T - special.gammainc(x + 0.1, 5.0), 0.0, 500.0, 35),
    "logistic": (lambda x: special.expit(x) - T, -600.0, 600.0, 35),
    "cubic": (lambda x: (x - T) ** 3, 0.0, 3.0, 90),
    "step": (lambda x: np.where(x > T, 1.0, -1.0), 0.0, 1.0, 90),
    "flat": (lambda x: np.maximum(x - T, 0.0), 0.0, 1.0, 100),
    "near zero": (lambda x: x - T * 1e-9, 0.0, 1e4, 45),
    "above everywhere": (lambda x: x + 5.0 + 0 * T, 0.0, 1.0, 3),
    "below everywhere": (lambda x: x - 5.0 + 0 * T, 0.0, 1.0, 3),
}


def halved(function: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    for _ in range(1100):
        middle = 0.5 * (low + high)
        positive = function(middle) > 0.0
        low, high = np.where(positive, low, middle), np.where(positive, middle, high)
    return 0.5 * (low + high)


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_a_root_is_where_halving_finds_it(name: str) -> None:
    function, low, high, most = FUNCTIONS[name]
    asked = []

    def counted(x: Floats) -> Floats:
        asked.append(1)
        return function(x)

    ends = np.full_like(T, low), np.full_like(T, high)
    assert rising_root(counted, *ends) == pytest.approx(halved(function, *ends), rel=1e-13, abs=1e-290)
    assert len(asked) <= most

"""Separation found on few rows at a time against the linear programme with every row at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from profiling.modeling import separation


def whole_programme(X: np.ndarray, sides: np.ndarray) -> bool:
    """Whether max sum s x'd > 0 subject to s x'd >= 0 (x'd = 0 where both outcomes occur) and |d| <= 1."""
    ordered, tied = sides != 0, sides == 0
    B = X[ordered] * sides[ordered, None]
    equal = {"A_eq": X[tied], "b_eq": np.zeros(tied.sum())} if tied.any() else {}
    solved = optimize.linprog(-B.sum(axis=0), A_ub=-B, b_ub=np.zeros(len(B)), bounds=(-1, 1), **equal)
    return bool(-solved.fun > 1e-6)


@pytest.mark.parametrize("share_tied", [0.0, 0.2])
def test_random_data_by_the_whole_programme(monkeypatch: pytest.MonkeyPatch, share_tied: float) -> None:
    # So few rows at first that most programmes need several rounds.
    monkeypatch.setattr(separation, "FIRST_ROWS", 3)
    monkeypatch.setattr(separation, "MORE_ROWS", 2)
    rng = np.random.default_rng(int(10 * share_tied))
    found = []
    for _ in range(300):
        n, p = int(rng.integers(6, 40)), int(rng.integers(1, 4))
        X = np.column_stack([np.ones(n), rng.integers(-2, 3, (n, p))])
        X = X / np.abs(X).max(axis=0).clip(1)
        lean = X[:, 1] * rng.choice([0.0, 3.0, 30.0]) + rng.normal(size=n)
        sides = np.where(rng.random(n) < share_tied, 0, np.where(lean > 0, 1, -1))
        direction = separation._recession(X, sides)
        assert (direction is not None) == whole_programme(X, sides)
        if direction is not None:
            assert (sides * (X @ direction.d) >= -1e-6).all()
            assert (np.abs(X @ direction.d)[sides == 0] < 1e-5).all()
        found.append(direction is not None)
    assert 20 < sum(found) < 280

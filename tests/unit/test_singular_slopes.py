"""A slope that does not vary, beside another factor: its variance goes to zero and its covariance stays estimable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from profiling.modeling import glmm, lmm


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 3000
    table = pd.DataFrame({"x": rng.normal(3, 2, n), "hospital": rng.integers(0, 20, n)})
    table["doctor"] = table["hospital"] * 3 + rng.integers(0, 3, n)
    eta = -0.9 + 0.1 * table["x"] + rng.normal(0, 0.5, 20)[table["hospital"]] + rng.normal(0, 0.4, 60)[table["doctor"]]
    table["event"] = (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))).astype(float)
    table["length"] = eta + rng.normal(0, 1, n)
    return table


@pytest.mark.parametrize("seed", range(6))
def test_a_slope_without_variance_ends_in_the_singular_fit(frame: pd.DataFrame, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 1, len(frame))
    table = frame.assign(length=frame["length"] + noise)
    with_slope = lmm("length ~ x + (1 + x | hospital) + (1 | doctor)", table, reml=False)
    without = lmm("length ~ x + (1 | hospital) + (1 | doctor)", table, reml=False)
    assert with_slope.converged
    assert -1e-6 <= with_slope.log_likelihood - without.log_likelihood < 4
    assert np.isfinite(with_slope.standard_errors).all()


def test_the_same_of_a_binary_outcome(frame: pd.DataFrame) -> None:
    with_slope = glmm("event ~ x + (1 + x | hospital) + (1 | doctor)", frame, method="laplace")
    without = glmm("event ~ x + (1 | hospital) + (1 | doctor)", frame, method="laplace")
    assert with_slope.converged
    assert -1e-6 <= with_slope.log_likelihood - without.log_likelihood < 4

"""Covariates stored by column in few bytes, and fits of many rows, whose first steps are made on a share of them."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from profiling import gee
from profiling.modeling.gee.columns import sort_columns

equation = sys.modules["profiling.modeling.gee.equation"]


def columns_of(n: int = 10_000) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "indicator": (rng.random(n) < 0.2).astype(float),
        "truth": rng.random(n) < 0.5,
        "counts": rng.integers(-127, 128, n),
        "wider": np.append(rng.integers(0, 100, n - 1), 128),
        "half": np.append(np.zeros(n - 1), 0.5),
        "normal": 1e6 + rng.normal(size=n),
        "single": rng.normal(size=n).astype(np.float32),
        "every second": rng.normal(size=2 * n)[::2],
    }


def test_columns_are_stored_exactly_and_in_order():
    columns = columns_of()
    order = np.random.default_rng(2).permutation(10_000)
    stored = sort_columns(list(columns.values()), order)
    assert [name for name, place in zip(columns, stored.place, strict=True) if place < 0] == [
        "indicator", "truth", "counts",
    ]  # fmt: skip
    for column, place in zip(columns.values(), stored.place, strict=True):
        kept = stored.wide[place] if place >= 0 else stored.narrow[-1 - place]
        np.testing.assert_array_equal(kept, np.asarray(column, float)[order])
    mean, sd = stored.moments()
    np.testing.assert_allclose(mean, [np.mean(column, dtype=float) for column in columns.values()], rtol=1e-9)
    np.testing.assert_allclose(sd, [np.std(column, dtype=float) for column in columns.values()], rtol=1e-9)


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n, clusters = 120_000, 700
    group = rng.integers(0, clusters, n)
    data = pd.DataFrame({"x": rng.normal(size=n), "sick": (rng.random(n) < 0.1).astype(float), "g": group})
    eta = -1 + 0.5 * data["x"] + data["sick"] + rng.normal(0, 0.6, clusters)[group]
    return data.assign(y=(rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float), same=2 * data["x"] - data["sick"])


@pytest.mark.parametrize("covariance", ["robust", "kauermann_carroll"])
def test_many_rows_have_the_solution_and_the_sandwich_of_the_plain_iteration(many, covariance, monkeypatch):
    quick = gee("y ~ x + sick", many, "g", covariance=covariance)
    monkeypatch.setattr(equation, "LARGE", len(many) + 1)
    plain = gee("y ~ x + sick", many, "g", covariance=covariance)
    assert quick.iterations < plain.iterations
    difference = (quick.fixed_effects - plain.fixed_effects).abs() / plain.standard_errors
    assert difference.max() < 1e-6
    np.testing.assert_allclose(quick.covariance, plain.covariance, rtol=1e-7)
    assert quick.scale == pytest.approx(plain.scale, rel=1e-8)
    assert quick.score_test("sick").statistic == pytest.approx(plain.score_test("sick").statistic, rel=1e-5)


def test_many_rows_name_a_term_that_others_determine(many):
    fit = gee("y ~ x + sick + same", many, "g")
    assert [note.message for note in fit.diagnostics] == ["dropped, as combinations of other terms: same"]
    reference = gee("y ~ x + sick", many, "g")
    np.testing.assert_allclose(fit.fixed_effects, reference.fixed_effects, rtol=1e-12)
    assert fit.qic == pytest.approx(reference.qic)

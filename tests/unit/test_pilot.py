"""A sample of clusters decides where a search starts, never where it ends."""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from profiling.modeling import glmm, pilot
from profiling.modeling.design import build_design
from profiling.modeling.families import family_of
from profiling.modeling.fit_glmm import first_point

N, HOSPITALS, PHYSICIANS = 60_000, 400, 3_000
ONE, TWO = "died ~ a + b + rare + (1 | h)", "died ~ a + b + rare + (1 | h) + (1 | d)"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    h, d = rng.integers(HOSPITALS, size=N), rng.integers(PHYSICIANS, size=N)
    frame = pd.DataFrame({"h": h, "d": d, "a": rng.normal(size=N), "b": rng.random(N)})
    # Only two hospitals have it, and neither is among the sampled ones.
    frame["rare"] = ((h == 0) | (h == 1)) & (rng.random(N) < 0.5)
    frame["rare"] = frame["rare"].astype(float)
    eta = -1.5 + 0.5 * frame["a"] - 0.4 * frame["b"] + 0.4 * rng.normal(size=HOSPITALS)[h]
    frame["died"] = (rng.random(N) < special.expit(eta + 0.3 * rng.normal(size=PHYSICIANS)[d])).astype(float)
    return frame


@pytest.fixture(scope="module")
def binomial():
    return family_of("binomial", None)


@pytest.mark.parametrize("formula", [ONE, TWO])
def test_the_maximum_does_not_depend_on_where_the_search_began(formula, data, monkeypatch):
    sampled = glmm(formula, data)
    monkeypatch.setattr(pilot, "LEAST_ROWS", len(data) + 1)
    plain = glmm(formula, data)
    assert sampled.converged
    assert plain.converged
    assert sampled.iterations <= plain.iterations
    assert sampled.optimizer_log[0].value > plain.optimizer_log[0].value + 100
    assert sampled.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-7)
    # Both ends are within a decrement of 1e-10, a hundred thousandth of a standard error.
    distance = (sampled.fixed_effects - plain.fixed_effects) / plain.standard_errors
    assert np.abs(distance).max() < 1e-4
    np.testing.assert_allclose(sampled.theta, plain.theta, rtol=1e-5)
    np.testing.assert_allclose(sampled.standard_errors, plain.standard_errors, rtol=1e-5)


def test_a_sample_holds_whole_levels_with_their_own_rows(data, binomial):
    design = build_design(TWO, data, binomial=True)
    (f,) = [i for i, factor in enumerate(design.factors) if factor.name == "h"]
    sample = pilot.sample_of_levels(design, f, 16)
    # Rows of the sample stand in the order of its cells: codes by row are found through them.
    codes = sample.factors[f].codes[sample.order]
    sizes = pd.Series(data["died"]).groupby(data["h"]).agg(["size", "sum"])
    for code, level in enumerate(sample.factors[f].levels):
        own = codes == code
        assert own.sum() == sizes.loc[level, "size"]
        assert sample.y[own].sum() == sizes.loc[level, "sum"]
    assert sample.structure.n_levels0 == sample.factors[0].size == len(np.unique(sample.factors[0].codes))


def test_information_of_independent_clusters_adds_up(data, binomial):
    formula = ONE.replace(" + rare", "")
    design = build_design(formula, data, binomial=True)
    found = pilot.find_pilot(design, binomial, first_point(design, binomial))
    whole = glmm(formula, data)
    errors = whole.standard_errors.to_numpy()
    T = design.scaling.to_raw
    # A sixteenth of the rows: four times the standard error of all.
    distance = (T @ found.point[: len(errors)] - whole.fixed_effects.to_numpy()) / (4 * errors)
    assert np.abs(distance).max() < 3.5
    p = len(errors)
    predicted = np.sqrt(np.diag(T @ np.linalg.inv(found.information)[:p, :p] @ T.T))
    np.testing.assert_allclose(predicted, errors, rtol=0.15)


def test_a_column_that_the_sample_lacks_stays_where_it_starts(data, binomial):
    design = build_design(ONE, data, binomial=True)
    found = pilot.find_pilot(design, binomial, first_point(design, binomial))
    assert abs(found.point[design.terms.index("rare")]) < 1e-3
    assert found.information is None


def test_crossed_factors_and_small_data_give_no_information(data, binomial):
    design = build_design(TWO, data, binomial=True)
    assert pilot.find_pilot(design, binomial, first_point(design, binomial)).information is None
    few = build_design(ONE, data.iloc[:5_000], binomial=True)
    start = first_point(few, binomial)
    assert pilot.find_pilot(few, binomial, start).point is start

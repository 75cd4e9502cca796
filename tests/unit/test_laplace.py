"""The criterion and its gradient against a dense textbook Laplace and against differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dense_models import dense_laplace
from scipy import optimize, special

from profiling import glmm
from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.criterion_lmm import LinearCriterion
from profiling.modeling.design import build_design
from profiling.modeling.families import derivatives, family_of
from profiling.modeling.laplace import LaplaceCriterion

STRUCTURES = {
    "one factor": "(1 | a)",
    "nested": "(1 | a/b)",
    "crossed": "(1 | a) + (1 | c)",
    "three crossed": "(1 | a) + (1 | c) + (1 | d)",
    "slope": "(1 + x | a)",
    "independent slope": "(1 + x || a) + (1 | c)",
    "two slopes": "(1 + x | a) + (0 + x | c)",
}
FAMILIES = [("binomial", "logit"), ("binomial", "probit"), ("binomial", "cloglog"), ("poisson", "log")]


def tiny(seed: int, family: str, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "a": rng.integers(0, 5, n),
            "b": rng.integers(0, 3, n),
            "c": rng.integers(0, 4, n),
            "d": rng.integers(0, 3, n),
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
        }
    )
    eta = 0.3 * data["x"] - 0.4 + rng.normal(0, 0.8, 5)[data["a"]]
    data["y"] = rng.poisson(np.exp(eta)) if family == "poisson" else (rng.random(n) < special.expit(eta)).astype(float)
    return data


@pytest.mark.parametrize("family", FAMILIES, ids=lambda pair: pair[1])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_value_and_gradient(structure, family):
    chosen = family_of(*family)
    for seed in range(3):
        data = tiny(seed, family[0])
        design = build_design(f"y ~ x + z + {STRUCTURES[structure]}", data, binomial=True)
        criterion = LaplaceCriterion(design, chosen)
        rng = np.random.default_rng(100 + seed)
        beta = rng.normal(0, 0.4, design.X.shape[1])
        theta = rng.uniform(0.2, 1.5, design.form.size) * np.where(design.form.diagonal, 1, rng.choice([-1, 1]))
        found = criterion.evaluate(beta, theta)
        expected = dense_laplace(design, chosen, beta, theta) - chosen.constant(design.y, design.weights)
        assert abs(found.value - expected) < 1e-9 * (1 + abs(expected))
        point, p = np.concatenate([beta, theta]), len(beta)

        def value(x, criterion=criterion, p=p):
            return criterion.evaluate(x[:p], x[p:]).value

        # Fourth-order central differences: truncation h^4, rounding 1e-13 / h; at h = 1e-3 both are below 1e-9.
        h = 1e-3
        for j in range(len(point)):
            e = np.zeros(len(point))
            e[j] = h
            slope = (8 * (value(point + e) - value(point - e)) - (value(point + 2 * e) - value(point - 2 * e))) / (
                12 * h
            )
            assert abs(found.gradient[j] - slope) < 1e-7 * (1 + abs(slope))


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_linear_criterion_against_the_marginal_density(structure, reml):
    data = tiny(5, "binomial")
    rng = np.random.default_rng(9)
    data["y"] = rng.normal(size=len(data)) + data["x"] + rng.normal(size=5)[data["a"]]
    weights = rng.uniform(0.5, 2.0, len(data))
    design = build_design(f"y ~ x + z + {STRUCTURES[structure]}", data, weights=weights)
    criterion = LinearCriterion(design, reml)
    theta = rng.uniform(0.3, 1.2, design.form.size)
    found = criterion.evaluate(theta)
    k = design.form.offsets[-1]
    z = (np.ones((design.n, k)) if design.plain else design.Z) @ design.form.matrix(theta)
    V = np.diag(1 / design.weights)
    for f, factor in enumerate(design.factors):
        part = z[:, design.form.offsets[f] : design.form.offsets[f + 1]]
        codes = factor.codes[design.order]
        V += (codes[:, None] == codes[None, :]) * (part @ part.T)
    X, y, n, p = design.X, design.y, design.n, design.X.shape[1]
    inverse = np.linalg.inv(V)
    information = X.T @ inverse @ X
    beta = np.linalg.solve(information, X.T @ inverse @ y)
    square = (y - X @ beta) @ inverse @ (y - X @ beta)
    freedom = n - p if reml else n
    expected = -0.5 * (
        np.linalg.slogdet(V)[1]
        + freedom * (1 + np.log(2 * np.pi * square / freedom))
        + (np.linalg.slogdet(information)[1] if reml else 0)
    )
    assert found.value == pytest.approx(expected, rel=1e-11)
    for j in range(len(theta)):
        e = np.zeros(len(theta))
        e[j] = 1e-4
        slope = (criterion.evaluate(theta + e).value - criterion.evaluate(theta - e).value) / 2e-4
        assert found.gradient[j] == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda pair: pair[1])
def test_derivatives_of_the_log_density(family):
    code = family_of(*family).code
    for eta in (-12.0, -3.0, -0.2, 0.0, 0.7, 2.5):
        for y, m in ((0.0, 1.0), (1.0, 1.0), (0.25, 8.0)):
            h = 1e-4
            low, middle, high = (derivatives(code, y, m, eta + d) for d in (-h, 0.0, h))
            assert middle[1] == pytest.approx((high[0] - low[0]) / (2 * h), abs=1e-6, rel=1e-6)
            assert -middle[2] == pytest.approx((high[1] - low[1]) / (2 * h), abs=1e-6, rel=1e-6)
            assert middle[3] == pytest.approx((high[2] - low[2]) / (2 * h), abs=1e-6, rel=1e-6)


@pytest.mark.parametrize("link", ["probit", "cloglog"])
@pytest.mark.parametrize("eta", [-600.0, -60.0, -20.0, 20.0, 60.0, 600.0])
def test_derivatives_stay_finite_in_the_tails(link, eta):
    for y in (0.0, 1.0):
        assert np.isfinite(derivatives(family_of("binomial", link).code, y, 1.0, eta)).all() or eta > 20


def test_maximum_is_that_of_a_general_optimiser():
    data = tiny(11, "binomial", 200)
    fit = glmm("y ~ x + (1 | a) + (1 | c)", data)
    design = build_design("y ~ x + (1 | a) + (1 | c)", data, binomial=True)
    objective = LaplaceObjective(LaplaceCriterion(design, family_of("binomial", None)))
    best = optimize.minimize(
        lambda x: tuple(-part for part in objective.evaluate(x)),
        np.array([0.0, 0.0, -1.0, -1.0]),
        jac=True,
        method="BFGS",
        options={"gtol": 1e-9},
    )
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-8)

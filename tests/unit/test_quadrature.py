"""Adaptive quadrature against brute-force integration, against Laplace, and its gradient against differences."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, interpolate, special, stats

from profiling import glmm
from profiling.errors import ModelError
from profiling.modeling.design import build_design
from profiling.modeling.families import family_of
from profiling.modeling.fit_quadrature import quadrature_criterion
from profiling.modeling.gauss_hermite import gauss_hermite, product_rule
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.vector_nesting import VectorNesting

FAMILIES = [("binomial", "logit"), ("binomial", "probit"), ("binomial", "cloglog"), ("poisson", "log")]
ONE_FACTOR = ["(1 | a)", "(0 + x | a)", "(1 + x | a)", "(1 + x || a)"]
NESTED = ["(1 | a/b)", "(1 | a/b/c)"]


def tiny(seed: int, family: str, n: int = 40, clusters: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns = {name: rng.integers(0, size, n) for name, size in (("a", clusters), ("b", 3), ("c", 2))}
    data = pd.DataFrame(columns | {"x": rng.normal(size=n), "z": rng.normal(size=n)})
    eta = 0.3 * data["x"] - 0.4 + rng.normal(0, 1.0, clusters)[data["a"]]
    data["y"] = rng.poisson(np.exp(eta)) if family == "poisson" else (rng.random(n) < special.expit(eta)).astype(float)
    return data


def log_density(link, y, eta):
    """Straight from scipy's distributions, where they do not underflow."""
    if link == "log":
        return stats.poisson.logpmf(y, np.exp(eta))
    if link == "logit":
        return y * special.log_expit(eta) + (1 - y) * special.log_expit(-eta)
    if link == "probit":
        return y * special.log_ndtr(eta) + (1 - y) * special.log_ndtr(-eta)
    return np.where(y == 1, np.log(-np.expm1(-np.exp(eta))), -np.exp(eta))


def fine_grid(design, link, beta, sigma, points=241, reach=9.0):
    """The log-likelihood by the trapezoid rule on a fixed grid for every level: no modes, no adaptation."""
    eta = design.X @ beta + design.offset
    codes = [factor.codes[design.order] for factor in design.factors]
    grid = np.linspace(-reach, reach, points)
    log_weight = stats.norm.logpdf(grid) + np.log(grid[1] - grid[0])

    def log_integral(level, rows, outside):
        b = outside[:, None] + sigma[level] * grid
        if level == 0:
            height = sum(log_density(link, design.y[i], eta[i] + b) for i in rows)
        else:
            parts = [rows[codes[level - 1][rows] == code] for code in np.unique(codes[level - 1][rows])]
            height = sum(log_integral(level - 1, part, b.ravel()).reshape(b.shape) for part in parts)
        return special.logsumexp(height + log_weight, axis=1)

    top = len(codes) - 1
    groups = [np.flatnonzero(codes[top] == code) for code in range(design.factors[top].size)]
    multiplicity = [
        design.cell_multiplicity[design.structure.cell_ptr[:-1].searchsorted(g[0], "right") - 1] for g in groups
    ]
    return sum(m * log_integral(top, rows, np.zeros(1))[0] for m, rows in zip(multiplicity, groups, strict=True))


def differences(criterion, beta, theta, h=1e-3):
    """Fourth-order central differences of the value."""
    point, p = np.concatenate([beta, theta]), len(beta)

    def value(x):
        return criterion.evaluate(x[:p], x[p:]).value

    steps = h * np.eye(len(point))
    return np.array(
        [
            (8 * (value(point + e) - value(point - e)) - (value(point + 2 * e) - value(point - 2 * e))) / (12 * h)
            for e in steps
        ]
    )


@pytest.mark.parametrize("points", [1, 3, 9, 45, 101, 255])
def test_rule_integrates_polynomials_exactly(points):
    z, log_weight = gauss_hermite(points)
    weight = np.exp(log_weight - z**2 / 2)
    for power in range(min(points, 12)):
        moment = np.prod(np.arange(1, 2 * power, 2), dtype=float)
        assert weight @ z ** (2 * power) == pytest.approx(moment, rel=1e-12)
    assert (z == -z[::-1]).all()
    nodes, both = product_rule(min(points, 9), 2)
    cross = np.exp(both - np.square(nodes).sum(axis=1) / 2) @ (nodes[:, 0] ** 2 * nodes[:, 1] ** 2)
    assert cross == pytest.approx(1.0 if points > 1 else 0.0, abs=1e-12)


@pytest.mark.parametrize("points", [0, 2, 257, -3])
def test_rule_refuses_other_numbers(points):
    with pytest.raises(ModelError, match="odd number"):
        gauss_hermite(points)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda pair: pair[1])
@pytest.mark.parametrize("structure", ONE_FACTOR + NESTED)
def test_gradient_is_that_of_the_finite_sum(structure, family):
    """With any number of points, converged or not."""
    chosen = family_of(*family)
    design = build_design(
        f"y ~ x + z + {structure}", tiny(1, family[0]), binomial=True, cluster_weights=np.array([1.0, 2.0, 3.0, 1.0])
    )
    rng = np.random.default_rng(2)
    beta = rng.normal(0, 0.4, design.X.shape[1])
    theta = rng.uniform(0.3, 1.5, design.form.size)
    for points in (1, 3, 7):
        criterion = quadrature_criterion(design, chosen, [points] * len(design.factors))
        found = criterion.evaluate(beta, theta).gradient
        slope = differences(criterion, beta, theta)
        assert np.max(np.abs(found - slope) / (1 + np.abs(slope))) < 1e-7


@pytest.mark.parametrize("family", FAMILIES, ids=lambda pair: pair[1])
@pytest.mark.parametrize("structure", ONE_FACTOR)
def test_one_point_is_laplace(structure, family):
    chosen = family_of(*family)
    design = build_design(f"y ~ x + {structure}", tiny(4, family[0]), binomial=True)
    beta, theta = np.array([0.2, -0.4]), np.array([0.8, 0.3, 0.6][: design.form.size])
    laplace = LaplaceCriterion(design, chosen).evaluate(beta, theta)
    rule = quadrature_criterion(design, chosen, [1]).evaluate(beta, theta)
    assert rule.value == pytest.approx(laplace.value, abs=1e-11)
    np.testing.assert_allclose(rule.gradient, laplace.gradient, atol=1e-9)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda pair: pair[1])
@pytest.mark.parametrize(("structure", "n"), [("(1 | a)", 40), ("(1 | a/b)", 30)])
def test_value_against_a_fixed_fine_grid(structure, n, family):
    chosen = family_of(*family)
    for seed, largest in ((0, 1.0), (1, 3.0)):
        data = tiny(seed, family[0], n)
        design = build_design(
            f"y ~ x + {structure}", data, binomial=True, cluster_weights=np.array([2.0, 1.0, 1.0, 3.0])
        )
        rng = np.random.default_rng(seed)
        beta, sigma = rng.normal(0, 0.4, 2), rng.uniform(0.2, largest, len(design.factors))
        expected = fine_grid(design, family[1], beta, sigma)
        constant = 0.0
        if family[0] == "poisson":
            rows = np.repeat(design.cell_multiplicity, np.diff(design.structure.cell_ptr))
            constant = float((rows * special.gammaln(design.y + 1)).sum())
        found = quadrature_criterion(design, chosen, [101] * len(sigma)).evaluate(beta, sigma).value - constant
        assert abs(found - expected) < 1e-9 * (1 + abs(expected))


def test_three_levels_against_a_fixed_fine_grid():
    data = tiny(3, "binomial", 12, 2)
    design = build_design("y ~ x + (1 | a/b/c)", data, binomial=True)
    beta, sigma = np.array([-0.3, 0.5]), np.array([2.5, 1.2, 0.7])
    expected = fine_grid(design, "logit", beta, sigma, points=121)
    found = quadrature_criterion(design, family_of("binomial", None), [61, 41, 41]).evaluate(beta, sigma).value
    assert abs(found - expected) < 1e-9 * (1 + abs(expected))


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_four_levels_against_a_fixed_fine_grid(family):
    """Visits in patients in physicians in clinics in regions: value, gradient of few points, a level that vanishes."""
    data = tiny(9, family, 14, 2).assign(e=lambda d: np.arange(len(d)) % 2)
    design = build_design("y ~ x + (1 | a/b/c/e)", data, binomial=family == "binomial")
    chosen, beta = family_of(family, None), np.array([-0.3, 0.5])
    link = "logit" if family == "binomial" else "log"
    for sigma in (np.array([0.9, 0.6, 0.7, 0.5]), np.array([0.9, 0.0, 0.7, 0.5])):
        expected = fine_grid(design, link, beta, sigma, points=29, reach=7.0)
        if family == "poisson":
            expected += float(special.gammaln(design.y + 1).sum())
        found = quadrature_criterion(design, chosen, [17, 15, 13, 13]).evaluate(beta, sigma).value
        assert abs(found - expected) < 5e-8 * (1 + abs(expected))
    criterion = quadrature_criterion(design, chosen, [3, 5, 3, 5])
    sigma = np.array([0.8, 0.5, 0.6, 0.4])
    gradient = criterion.evaluate(beta, sigma).gradient
    np.testing.assert_allclose(gradient, differences(criterion, beta, sigma), rtol=1e-7, atol=1e-7)


def test_two_term_vectors_against_adaptive_integration():
    data = tiny(5, "binomial", 12, 2)
    design = build_design("y ~ x + (1 + x | a)", data, binomial=True)
    beta, theta = np.array([0.1, 0.4]), np.array([0.9, -0.5, 0.7])
    Lambda = design.form.matrix(theta)
    expected = 0.0
    for g in range(2):
        part = slice(design.structure.cell_ptr[g], design.structure.cell_ptr[g + 1])
        y, eta, z = design.y[part], design.X[part] @ beta, design.Z[part]

        def integrand(u1, u0, y=y, eta=eta, z=z):
            u = np.array([u0, u1])
            return np.exp(log_density("logit", y, eta + z @ Lambda @ u).sum() - 0.5 * u @ u) / (2 * np.pi)

        expected += np.log(integrate.dblquad(integrand, -9, 9, -9, 9, epsabs=0, epsrel=1e-9)[0])
    found = quadrature_criterion(design, family_of("binomial", None), [41]).evaluate(beta, theta).value
    assert found == pytest.approx(expected, rel=1e-8)


def test_fast_logit_equals_the_general_one():
    """Weights of one take products of 1 + t, others logarithms; predictors beyond exp's range the general branch."""
    data = tiny(6, "binomial")
    sure, without = np.zeros(len(data)), np.ones(len(data))
    sure[0], without[0] = 400.0 * (2 * data["y"].iloc[0] - 1), 0.0

    def value(**given):
        design = build_design("y ~ x + (1 | a/b)", data, binomial=True, **given)
        criterion = quadrature_criterion(design, family_of("binomial", None), [15, 9])
        found = criterion.evaluate(np.array([0.2, 0.1]), np.array([0.7, 1.2]))
        return np.append(found.gradient, found.value)

    np.testing.assert_allclose(value(), value(weights=np.full(len(data), 1 + 1e-15)), atol=1e-11)
    np.testing.assert_allclose(value(offset=sure), value(weights=without), atol=1e-11)


def test_variance_of_zero_is_the_model_without_the_level():
    data = tiny(7, "binomial")
    chosen = family_of("binomial", None)
    both = build_design("y ~ x + (1 | a/b)", data, binomial=True)
    beta = np.array([0.2, 0.1])
    inner = quadrature_criterion(both, chosen, [15, 9]).evaluate(beta, np.array([0.9, 0.0]))
    outer = quadrature_criterion(both, chosen, [15, 25]).evaluate(beta, np.array([0.0, 0.9]))
    data["ab"] = data["a"] * 10 + data["b"]
    for found, group, points in ((inner, "ab", 15), (outer, "a", 25)):
        alone = build_design(f"y ~ x + (1 | {group})", data, binomial=True)
        expected = quadrature_criterion(alone, chosen, [points]).evaluate(beta, np.array([0.9]))
        assert found.value == pytest.approx(expected.value, abs=1e-9)
        np.testing.assert_allclose(found.gradient[:2], expected.gradient[:2], atol=1e-8)


def test_same_bits_with_one_and_two_threads():
    data = tiny(8, "binomial", 20_000, 500)
    results = []
    before = numba.get_num_threads()
    for threads in (1, before):
        numba.set_num_threads(threads)
        for structure in ("(1 | a)", "(1 | a/b)"):
            design = build_design(f"y ~ x + {structure}", data, binomial=True)
            rule = quadrature_criterion(design, family_of("binomial", None), [7] * len(design.factors))
            found = rule.evaluate(np.array([0.1, 0.2]), np.full(len(design.factors), 0.8))
            results.append((found.value, *found.gradient))
    assert results[:2] == results[2:]


def test_posterior_of_a_scalar_effect_against_direct_integration():
    data = tiny(9, "binomial", 30, 6)
    fit = glmm("y ~ x + (1 | a)", data, method="agq", points=31)
    found = fit.posterior("a")
    sigma = np.sqrt(fit.variance("a"))
    b = np.linspace(-12 * sigma, 12 * sigma, 200_001)
    for code, row in enumerate(found.itertuples()):
        rows = fit.level_codes("a") == code
        eta = fit.linear_predictor[rows][:, None] + b
        height = log_density("logit", fit.outcome[rows][:, None], eta).sum(axis=0) - 0.5 * (b / sigma) ** 2
        density = np.exp(height - height.max())
        density /= density.sum()
        mean = density @ b
        assert row.mean == pytest.approx(mean, abs=1e-6)
        assert row.sd == pytest.approx(np.sqrt(density @ (b - mean) ** 2), abs=1e-6)
        quantiles = np.interp([0.025, 0.5, 0.975], np.cumsum(density), b)
        np.testing.assert_allclose([row.q025, row.q50, row.q975], quantiles, atol=2e-3 * sigma)


def test_posterior_means_of_nested_effects_against_the_fixed_grid():
    """E[b] of the outer effect by summing the joint density on a grid of the outer one."""
    data = tiny(13, "binomial", 150, 10)
    fit = glmm("y ~ x + (1 | a/b)", data, method="agq", points=25)
    assert fit.variance("a") > 0.01
    sigma_a, sigma_b = (np.sqrt(fit.variance(group)) for group in ("a", "a:b"))
    grid, inner = np.linspace(-8, 8, 401), np.linspace(-8, 8, 401)
    frame = fit.posterior("a")
    for code in range(2):
        rows = fit.level_codes("a") == code
        height = -0.5 * grid**2
        for pair in np.unique(fit.level_codes("a:b")[rows]):
            own = rows & (fit.level_codes("a:b") == pair)
            b = sigma_a * grid[:, None] + sigma_b * inner
            eta = fit.linear_predictor[own][:, None, None] + b
            inside = log_density("logit", fit.outcome[own][:, None, None], eta).sum(axis=0) - 0.5 * inner**2
            height = height + special.logsumexp(inside, axis=1)
        share = np.exp(height - special.logsumexp(height))
        mean = sigma_a * share @ grid
        assert frame["mean"][code] == pytest.approx(mean, abs=1e-7)
        assert frame["sd"][code] == pytest.approx(np.sqrt(sigma_a**2 * share @ grid**2 - mean**2), abs=1e-7)


@pytest.mark.parametrize("points", [None, 15])
def test_posterior_quantiles_of_three_levels_against_a_grid_of_all(points):
    """The joint density of a clinic's, a physician's and a patient's effect on a grid, everybody else summed out."""
    rng = np.random.default_rng(21)
    data = pd.DataFrame(np.indices((4, 3, 3, 3)).reshape(4, -1).T, columns=["a", "b", "c", "visit"])
    levels = [data["a"], data["a"] * 3 + data["b"], data["a"] * 9 + data["b"] * 3 + data["c"]]
    data["x"] = rng.normal(size=len(data))
    eta = (
        -0.2
        + 0.5 * data["x"]
        + sum(rng.normal(0, s, 40)[level] for s, level in zip((1.0, 0.8, 1.2), levels, strict=True))
    )
    data["y"] = (rng.random(len(data)) < special.expit(eta)).astype(float)
    fit = glmm("y ~ x + (1 | a/b/c)", data, method="agq", points=points)
    names = ["a", "a:b", "a:b:c"]
    sigma = np.sqrt([fit.variance(name) for name in names])
    assert sigma.min() > 0.1
    grid = np.linspace(-6, 6, 61)
    code = [fit.level_codes(name) for name in names]

    def patient(c: int, outside: np.ndarray) -> np.ndarray:
        """Log density of a patient's visits and effect (..., grid) given the sum of the effects outside."""
        rows, height = code[2] == c, np.zeros((*outside.shape, len(grid)))
        for y, own in zip(fit.outcome[rows], fit.linear_predictor[rows], strict=True):
            height += log_density("logit", y, own + outside[..., None] + sigma[2] * grid)
        return height - grid**2 / 2

    own = code[0] == 0
    by_physician = {
        b: [patient(c, sigma[0] * grid[:, None] + sigma[1] * grid) for c in np.unique(code[2][code[1] == b])]
        for b in np.unique(code[1][own])
    }
    physician = {
        b: sum(special.logsumexp(part, axis=-1) for part in parts) - grid**2 / 2 for b, parts in by_physician.items()
    }
    clinic = sum(special.logsumexp(part, axis=-1) for part in physician.values()) - grid**2 / 2
    b, parts = next(iter(by_physician.items()))
    pair = clinic[:, None] - special.logsumexp(physician[b], axis=-1)[:, None] + physician[b]
    whole = pair[..., None] - special.logsumexp(parts[0], axis=-1)[..., None] + parts[0]
    densities = [clinic, special.logsumexp(pair, axis=0), special.logsumexp(whole, axis=(0, 1))]
    rows = [0, int(b), int(np.unique(code[2][code[1] == b])[0])]
    for name, scale, row, height in zip(names, sigma, rows, densities, strict=True):
        found = fit.posterior(name).iloc[row]
        curve = interpolate.CubicSpline(grid, np.exp(height - height.max())).antiderivative()
        fine = np.linspace(-6, 6, 20_001)
        quantiles = np.interp(np.array([0.025, 0.5, 0.975]) * curve(6), curve(fine), fine) * scale
        np.testing.assert_allclose(found[["q025", "q50", "q975"]].to_numpy(float), quantiles, atol=1e-3 * scale)


SLOPES = ["(1 + x | a) + (1 | a:b)", "(1 | a) + (1 + x | a:b)", "(1 + x | a/b)", "(0 + x | a) + (1 | a:b)"]


def vectors_on_a_grid(design, family, beta, theta, points):
    """The log-likelihood of two nested factors by a fixed product rule for every level, prior nodes only."""
    Lambda, eta = design.form.matrix(theta), design.X @ beta + design.offset
    inner, outer = (1, 0) if design.factors[0].size < design.factors[1].size else (0, 1)
    z, log_weight = np.polynomial.hermite_e.hermegauss(points)
    log_weight = np.log(log_weight / log_weight.sum())

    def rule(f):
        own = slice(design.form.offsets[f], design.form.offsets[f + 1])
        nodes = np.stack(np.meshgrid(*[z] * (own.stop - own.start), indexing="ij"), axis=-1)
        weights = sum(np.meshgrid(*[log_weight] * (own.stop - own.start), indexing="ij"))
        return nodes.reshape(-1, nodes.shape[-1]) @ Lambda[own, own].T, weights.ravel(), design.Z[:, own]

    (b, weight_b, Z_b), (a, weight_a, Z_a) = rule(inner), rule(outer)
    codes = [design.factors[f].codes[design.order] for f in (inner, outer)]
    total = 0.0
    for level in np.unique(codes[1]):
        height = weight_a.copy()
        for pair in np.unique(codes[0][codes[1] == level]):
            rows = codes[0] == pair
            at = eta[rows][:, None, None] + (Z_a[rows] @ a.T)[:, :, None] + (Z_b[rows] @ b.T)[:, None, :]
            inside = log_density(family, design.y[rows][:, None, None], at).sum(axis=0)
            height += special.logsumexp(inside + weight_b, axis=1)
        total += special.logsumexp(height)
    return total


@pytest.mark.parametrize("random", SLOPES)
def test_slopes_in_nested_levels_against_a_fixed_rule(random):
    data = tiny(17, "binomial", 30, 3)
    design = build_design(f"y ~ x + {random}", data, binomial=True, cluster_weights=None)
    rng = np.random.default_rng(2)
    beta, family = np.array([0.2, -0.3]), family_of("binomial", None)
    theta = np.where(design.form.diagonal, rng.uniform(0.4, 0.9, design.form.size), 0.3)
    expected = vectors_on_a_grid(design, "logit", beta, theta, 25)
    criterion = quadrature_criterion(design, family, [13] * 2)
    assert criterion.evaluate(beta, theta).value == pytest.approx(expected, abs=2e-7)
    coarse = quadrature_criterion(design, family, [3, 5])
    gradient = coarse.evaluate(beta, theta).gradient.copy()
    np.testing.assert_allclose(gradient, differences(coarse, beta, theta), rtol=1e-7, atol=1e-7)


def test_intercepts_are_the_special_case_and_three_levels_nest():
    data = tiny(18, "binomial", 60, 3)
    design = build_design("y ~ x + (1 | a/b/c)", data, binomial=True)
    beta, theta, family = np.array([0.2, -0.3]), np.array([0.6, 0.5, 0.4]), family_of("binomial", None)
    plain = quadrature_criterion(design, family, [15, 13, 11])
    wide = VectorNesting(replace(design, Z=np.ones((design.n, 3))), family, (15, 13, 11))
    one, other = plain.evaluate(beta, theta), wide.evaluate(beta, theta)
    assert other.value == pytest.approx(one.value, abs=1e-7)
    np.testing.assert_allclose(other.gradient, one.gradient, atol=1e-5)
    for own, given in zip(wide.moments(beta, theta), plain.moments(beta, theta), strict=True):
        np.testing.assert_allclose(own.mean, given.mean, atol=1e-6)
        np.testing.assert_allclose(own.covariance, given.covariance, atol=1e-6)
    scores = wide.theta_scores(beta, theta)
    np.testing.assert_allclose(scores.sum(axis=0), other.gradient[2:], atol=1e-10)
    np.testing.assert_allclose(scores.sum(axis=0), plain.theta_scores(beta, theta).sum(axis=0), atol=1e-5)


def test_slopes_of_nested_factors_are_fitted():
    rng = np.random.default_rng(31)
    clinic, patient = np.repeat(np.arange(60), 24), np.repeat(np.arange(480), 3)
    x = rng.normal(size=1440)
    eta = -0.3 + 0.5 * x + (rng.normal(size=60) * 0.5)[clinic] + (rng.normal(size=60) * 0.6)[clinic] * x
    eta += 1.2 * rng.normal(size=480)[patient]
    data = pd.DataFrame({"clinic": clinic, "patient": patient, "x": x})
    data["y"] = (rng.random(1440) < special.expit(eta)).astype(float)
    formula = "y ~ x + (1 + x | clinic) + (1 | patient)"
    fit = glmm(formula, data, method="agq", points=5)
    laplace = glmm(formula, data)
    assert fit.converged
    assert fit.variance("patient") > laplace.variance("patient")
    assert abs(fit.variance("patient") ** 0.5 - 1.2) < 0.35
    assert fit.cluster_robust().shape == (2, 2)
    posterior = fit.posterior("clinic")
    assert len(posterior) == 120
    assert posterior["q50"].isna().all()
    modes = fit.random_effects("clinic")
    assert np.corrcoef(posterior["mean"], modes["mode"])[0, 1] > 0.99


def test_crossed_levels_have_no_quadrature():
    data = tiny(11, "binomial", 80)
    with pytest.raises(ModelError, match="levels cross"):
        glmm("y ~ x + (1 | a) + (1 | c)", data, method="agq")
    fit = glmm("y ~ x + (1 | a) + (1 | c)", data, method="auto")
    assert fit.method == "Laplace"
    assert any("levels cross" in note.message for note in fit.diagnostics if note.code == "method")


def test_points_are_checked():
    data = tiny(12, "binomial")
    for points in (4, 0, {"a": 3, "b": 5}):
        with pytest.raises(ModelError, match="points"):
            glmm("y ~ x + (1 | a)", data, method="agq", points=points)
    with pytest.raises(ModelError, match="laplace, agq, auto"):
        glmm("y ~ x + (1 | a)", data, method="pql")
    assert glmm("y ~ x + (1 | a/b)", data, method="agq", points={"a": 5, "a:b": 9}).points == (9, 5)


def test_posterior_needs_quadrature():
    fit = glmm("y ~ x + (1 | a)", tiny(12, "binomial"))
    with pytest.raises(ModelError, match="agq"):
        fit.posterior("a")


@pytest.mark.parametrize("structure", ["(1 | a)", "(1 + x | a)", "(1 | a/b)"])
def test_cluster_weights_are_copies_and_the_order_of_rows_is_nothing(structure):
    data = tiny(13, "binomial", 150, 10)
    formula = f"y ~ x + {structure}"
    weights = np.where(np.arange(10) == 3, 2.0, 1.0)
    weighted = glmm(formula, data, method="agq", points=9, cluster_weights=weights)
    copied = glmm(formula, pd.concat([data, data[data["a"] == 3].assign(a=99)]), method="agq", points=9)
    shuffled = glmm(formula, data.sample(frac=1, random_state=1), method="agq", points=9, cluster_weights=weights)
    for other in (copied, shuffled):
        assert other.log_likelihood == pytest.approx(weighted.log_likelihood, abs=1e-8)
        np.testing.assert_allclose(other.fixed_effects, weighted.fixed_effects, atol=2e-6)
        np.testing.assert_allclose(other.standard_errors, weighted.standard_errors, rtol=1e-5)


def test_nodes_follow_a_variance_on_its_way_to_zero():
    """The slope in a small standard deviation keeps its sign and size however far the nodes' own came from."""
    data = tiny(13, "poisson", 150, 10)
    design = build_design("y ~ x + (1 | a/b)", data)
    travelled = quadrature_criterion(design, family_of("poisson", None), [9, 9])
    beta = np.array([0.2, 0.1])
    for sigma in (1.0, 0.3, 0.1, 0.03, 0.01):
        far = travelled.evaluate(beta, np.array([0.4, sigma]))
        fresh = quadrature_criterion(design, family_of("poisson", None), [31, 31]).evaluate(
            beta, np.array([0.4, sigma])
        )
        np.testing.assert_allclose(far.gradient, fresh.gradient, rtol=1e-3, atol=1e-3)

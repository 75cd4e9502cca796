"""Coordinates of profiles: maps against their inverses, derivatives against differences, held values held."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from profiling import glmm, lmm
from profiling.modeling.constrained import ConstrainedLikelihood, ConstrainedLinear, without_term
from profiling.modeling.coordinates import CovarianceCoordinates
from profiling.modeling.parameters import estimate_and_gradient, theta_covariance, variance_parameters
from profiling.modeling.state import criterion_of, linear_state, scaled_beta


def records(seed: int = 1, n: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"a": rng.integers(0, 12, n), "c": rng.integers(0, 8, n)})
    data["x"], data["z"] = rng.normal(2, 3, n), rng.normal(size=n)
    b = rng.normal(size=(12, 3)) @ np.array([[0.8, 0, 0], [0.3, 0.5, 0], [-0.2, 0.2, 0.5]]).T
    eta = -0.5 + 0.2 * data["x"] + b[data["a"], 0] + b[data["a"], 1] * data["x"] / 3 + b[data["a"], 2] * data["z"]
    eta = eta + rng.normal(0, 0.5, 8)[data["c"]]
    data["y"] = eta + rng.normal(0, 0.7, n)
    data["d"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    data["count"] = rng.poisson(np.exp(np.clip(eta / 2, -3, 2)))
    return data


@pytest.fixture(scope="module")
def linear():
    return lmm("y ~ x + z + (1 + x + z | a) + (1 | c)", records(), reml=False)


@pytest.fixture(scope="module")
def binary():
    return glmm("d ~ x + z + (1 + x | a) + (1 | c)", records())


def differences(f, z, step=1e-5):
    columns = []
    for j in range(len(z)):
        e = np.zeros(len(z))
        e[j] = step
        columns.append((np.asarray(f(z + e)) - np.asarray(f(z - e))) / (2 * step))
    return np.array(columns)


def interior(theta, seed):
    """A theta near the estimate with every diagonal well away from zero."""
    rng = np.random.default_rng(seed)
    return np.where(np.abs(theta) < 0.1, 0.4, theta) + rng.normal(0, 0.03, len(theta))


@pytest.mark.parametrize("seed", range(3))
def test_every_parameter_is_its_coordinate(linear, seed):
    form = linear.source.design.form
    theta = interior(linear.theta, seed)
    for parameter in variance_parameters(linear)[:-1]:
        coordinates = CovarianceCoordinates(form, parameter)
        z = coordinates.from_theta(theta, 1e-3)
        L, M = form.matrix(theta), form.matrix(coordinates.to_theta(z))
        assert np.allclose(L @ L.T, M @ M.T, atol=1e-12)
        value, _ = estimate_and_gradient(parameter, linear, theta, 1.0)
        assert z[coordinates.target] == pytest.approx(value, abs=1e-12)
        moved = z.copy()
        moved[coordinates.target] *= 0.7
        again, _ = estimate_and_gradient(parameter, linear, coordinates.to_theta(moved), 1.0)
        assert again == pytest.approx(0.7 * value, abs=1e-12)
        J = differences(coordinates.to_theta, z).T
        assert np.allclose(coordinates.jacobian(z), J, atol=2e-9)


def test_gradients_of_parameters(linear):
    theta, sigma = interior(linear.theta, 5), 0.8
    for parameter in variance_parameters(linear):
        _, gradient = estimate_and_gradient(parameter, linear, theta, sigma)
        point = np.append(theta, np.log(sigma))

        def value(v, parameter=parameter):
            return [estimate_and_gradient(parameter, linear, v[:-1], float(np.exp(v[-1])))[0]]

        assert np.allclose(gradient, differences(value, point)[:, 0], atol=1e-8)


@pytest.mark.parametrize("position", range(6))
def test_gradient_of_the_constrained_linear_likelihood(linear, position):
    parameter = variance_parameters(linear)[position]
    criterion, _ = linear_state(linear, reml=False)
    objective = ConstrainedLinear(criterion, CovarianceCoordinates(criterion.design.form, parameter))
    z = objective.start(0.9, interior(linear.theta, position), 1e-2)
    _, gradient = objective.evaluate(z)
    expected = differences(lambda v: [objective.evaluate(v)[0]], z, 1e-4)[:, 0]
    assert np.allclose(gradient, expected, atol=1e-6 * (1 + np.abs(gradient)))


@pytest.mark.parametrize("term", [-1, 0, 2])
def test_gradient_of_the_constrained_laplace_likelihood(binary, term):
    parameter = variance_parameters(binary)[2] if term < 0 else None
    criterion = criterion_of(binary)
    objective = ConstrainedLikelihood(criterion, term, CovarianceCoordinates(criterion.design.form, parameter))
    z = objective.start(scaled_beta(binary) + 0.1, interior(binary.theta, 3), 1e-2)
    _, gradient = objective.evaluate(z)
    expected = differences(lambda v: [objective.evaluate(v)[0]], z, 1e-4)[:, 0]
    assert np.allclose(gradient, expected, atol=1e-6 * (1 + np.abs(gradient)))
    if term >= 0:
        raw = criterion.design.scaling.to_raw @ (objective.from_target @ z[: objective.p])
        assert raw[term] == pytest.approx(z[term])


def test_a_held_coefficient_is_an_offset():
    data = records()
    fit = lmm("y ~ x + z + (1 | a)", data, reml=False)
    criterion, _ = linear_state(fit, reml=False)
    held = without_term(criterion, 1, 0.35)
    moved = lmm("y ~ z + (1 | a)", data, reml=False, offset=0.35 * data["x"])
    other, _ = linear_state(moved, reml=False)
    for theta in (0.2, 1.1):
        found, expected = held.evaluate(np.array([theta])), other.evaluate(np.array([theta]))
        assert found.value == pytest.approx(expected.value, abs=1e-9)
        assert found.gradient == pytest.approx(expected.gradient, abs=1e-8)
    intercept = without_term(criterion, 0, -0.2)
    through = lmm("y ~ 0 + x + z + (1 | a)", data, reml=False, offset=np.full(len(data), -0.2))
    other, _ = linear_state(through, reml=False)
    assert intercept.evaluate(np.array([0.7])).value == pytest.approx(other.evaluate(np.array([0.7])).value, abs=1e-9)


@pytest.mark.parametrize("reml", [True, False])
def test_covariance_of_theta_and_sigma_inverts_the_joint_information(reml):
    fit = lmm("y ~ x + (1 | a) + (1 | c)", records(), reml=reml)
    criterion, _ = linear_state(fit)

    def joint(v):
        at = criterion.evaluate(v[:-1])
        freedom = criterion.n - (criterion.p if reml else 0)
        ratio = at.residual_variance / np.exp(2 * v[-1])
        return [at.value - 0.5 * freedom * (ratio - 1 - np.log(ratio))]

    point = np.append(fit.theta, np.log(fit.residual_sd))
    hessian = differences(lambda v: differences(joint, v, 1e-4)[:, 0], point, 1e-4)
    assert np.allclose(theta_covariance(fit), np.linalg.inv(-hessian), rtol=2e-3, atol=1e-7)


def test_expected_information_of_correlated_slopes_beside_another_factor():
    """Against 1/2 tr(V^-1 dV_a V^-1 dV_b) with dense matrices; a level's own block of it, as the search uses it."""
    data = records(3)
    fit = lmm("y ~ x + (1 + x | a) + (1 | c)", data, reml=False)
    criterion, _ = linear_state(fit)
    design = criterion.design
    theta = interior(fit.theta, 2)
    Lambda = design.form.matrix(theta)
    z = np.column_stack([np.ones(len(data)), data["x"]])
    Z = {
        "a": [z * (data["a"] == level).to_numpy()[:, None] for level in range(12)],
        "c": [(data["c"] == level).to_numpy()[:, None].astype(float) for level in range(8)],
    }
    names = [factor.name for factor in design.factors]
    part = [slice(design.form.offsets[f], design.form.offsets[f + 1]) for f in range(2)]
    V = np.eye(len(data))
    for f, name in enumerate(names):
        L = Lambda[part[f], part[f]]
        V += sum(block @ L @ L.T @ block.T for block in Z[name])
    inverse = np.linalg.inv(V)
    slope = design.form.slope(theta)
    expected = np.zeros((design.form.size,) * 2)
    for i in range(design.form.size):
        for j in range(design.form.size):
            f = design.form.factor[i]
            if design.form.factor[j] != f:
                continue
            L = Lambda[part[f], part[f]]
            sides = []
            for entry in (i, j):
                unit = np.zeros_like(Lambda)
                unit[design.form.rows[entry], design.form.columns[entry]] = slope[entry]
                unit = unit[part[f], part[f]]
                sides.append(unit @ L.T + L @ unit.T)
            for block in Z[names[f]]:
                N = block.T @ inverse @ block
                expected[i, j] += 0.5 * np.trace(N @ sides[0] @ N @ sides[1])
    at = criterion.evaluate(theta)
    at.gradient[:] = 0.0  # without what is added near a boundary
    assert np.allclose(criterion.information(at, theta), expected, rtol=1e-8, atol=1e-8)


def test_a_hard_start_arrives_where_lme4_arrives():
    """A search that misjudged what crossed levels share ended after four steps; lme4 1.1-31 gives these values."""
    rng = np.random.default_rng(4)
    n = 300
    data = pd.DataFrame({"a": rng.integers(0, 10, n), "c": rng.integers(0, 6, n)})
    rng.choice(["u", "v", "w"], n)
    data["x"] = rng.normal(1, 2, n)
    data["kind"] = rng.choice(["p", "q", "r"], n)
    eta = 0.2 * data["x"] - 0.4 + rng.normal(0, 0.9, 10)[data["a"]] + rng.normal(0, 0.6, 6)[data["c"]]
    eta = eta + 0.25 * data["x"] * rng.normal(size=10)[data["a"]]
    data["y"] = (eta + rng.normal(0, 0.8, n)) ** 2
    fit = lmm("y ~ x + C(kind) + (1 + x | a) + (1 | c)", data)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(-783.9544049, abs=1e-6)
    assert fit.theta == pytest.approx([0.55016894, 0.00393885, 0.10555097, 0.09585022], abs=2e-5)

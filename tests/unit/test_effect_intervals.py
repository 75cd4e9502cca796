"""Intervals with the variance parameters integrated out, and profiles adjusted for the coefficients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from profiling.errors import ModelError
from profiling.modeling import MixedModelResult, glmm, lmm
from profiling.modeling.variance_grid import variance_grid

GROUPS, SIZE = 14, 6


@pytest.fixture(scope="module")
def slopes() -> pd.DataFrame:
    random = np.random.default_rng(4)
    code = np.repeat(np.arange(GROUPS), SIZE)
    x = random.normal(size=len(code))
    effects = random.normal(size=(GROUPS, 2)) @ np.array([[0.8, 0.3], [0.0, 0.5]])
    y = 1 + 0.5 * x + effects[code, 0] + effects[code, 1] * x + random.normal(size=len(code))
    return pd.DataFrame({"y": y, "x": x, "g": code})


@pytest.fixture(scope="module")
def few() -> MixedModelResult:
    random = np.random.default_rng(6)
    code = np.repeat(np.arange(15), 30)
    eta = -0.5 + random.normal(0, 0.7, 15)[code]
    y = (random.random(len(code)) < 1 / (1 + np.exp(-eta))).astype(float)
    return glmm("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": code}), "binomial")


def dense_posterior_mean(frame: pd.DataFrame) -> np.ndarray:
    """Posterior means (groups, 2) on a fine lattice of theta, flat in Sigma / sigma^2; sigma profiled (restricted)."""
    X = np.column_stack([np.ones(len(frame)), frame["x"]]).reshape(GROUPS, SIZE, 2)
    y = frame["y"].to_numpy().reshape(GROUPS, SIZE)
    grids = (np.linspace(0.05, 3, 25), np.linspace(-1.5, 1.8, 25), np.linspace(0.02, 2.2, 25))
    log, means = [], []
    freedom = GROUPS * SIZE - 2
    for a in grids[0]:
        for c in grids[1]:
            for d in grids[2]:
                L = np.array([[a, 0], [c, d]])
                ZL = X @ L
                V = np.eye(SIZE) + ZL @ ZL.transpose(0, 2, 1)
                inverse = np.linalg.inv(V)
                information = np.einsum("gia,gij,gjb->ab", X, inverse, X)
                beta = np.linalg.solve(information, np.einsum("gia,gij,gj->a", X, inverse, y))
                rest = y - X @ beta
                quadratic = np.einsum("gi,gij,gj->", rest, inverse, rest)
                log_det = np.linalg.slogdet(V)[1].sum() + np.linalg.slogdet(information)[1]
                log.append(-0.5 * (log_det + freedom * np.log(quadratic)) + 2 * np.log(a) + np.log(d))
                means.append(np.einsum("ab,gib,gij,gj->ga", L, ZL, inverse, rest))
    weight = np.exp(np.array(log) - max(log))
    return np.asarray(np.tensordot(weight / weight.sum(), np.array(means), axes=1))


def test_a_vector_of_effects_against_a_dense_integral(slopes: pd.DataFrame) -> None:
    """The lattice's few dozen points against 15,625: means within a twentieth of their posterior sds."""
    fit = lmm("y ~ x + (1 + x | g)", slopes)
    table = fit.effect_intervals("g")
    assert list(table["term"][:2]) == ["Intercept", "x"]
    assert len(variance_grid(fit).weight) < 200
    mean, sd = (table[name].to_numpy().reshape(GROUPS, 2) for name in ("mean", "sd"))
    assert (np.abs(mean - dense_posterior_mean(slopes)) / sd).max() < 0.05


def test_intervals_come_to_the_first_order_where_much_is_known() -> None:
    random = np.random.default_rng(1)
    code = np.repeat(np.arange(3_000), 4)
    y = random.normal(0, 0.6, 3_000)[code] + random.normal(size=len(code))
    fit = lmm("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": code}))
    table, first = fit.effect_intervals("g", 0.9), fit.random_effects("g")
    half = stats.norm.ppf(0.95) * first["sd_full"]
    assert table["lower"].to_numpy() == pytest.approx(first["mode"] - half, abs=0.01)
    assert table["upper"].to_numpy() == pytest.approx(first["mode"] + half, abs=0.01)


def test_few_groups_get_wider_intervals_than_the_first_order(few: MixedModelResult) -> None:
    table, first = few.effect_intervals("g"), few.random_effects("g")
    width = (table["upper"] - table["lower"]).to_numpy()
    assert np.mean(width / (2 * 1.96 * first["sd_full"])) > 1.02


def test_a_level_is_a_share(few: MixedModelResult) -> None:
    with pytest.raises(ModelError, match="between 0 and 1"):
        few.effect_intervals("g", 95)


def restricted_profile(means: np.ndarray, within: float, n: int, sd: float) -> float:
    """The restricted log-likelihood of a balanced one-way layout at a standard deviation, sigma maximised."""
    groups = len(means)
    between = n * np.square(means - means.mean()).sum()

    def at(log_sigma: float) -> float:
        s2 = np.exp(2 * log_sigma)
        total = s2 + n * sd**2
        return float(groups * (n - 1) * np.log(s2) + within / s2 + (groups - 1) * np.log(total) + between / total)

    return -0.5 * float(optimize.minimize_scalar(at, bounds=(-3, 3), method="bounded", options={"xatol": 1e-10}).fun)


def test_adjusted_profile_of_a_linear_model_is_the_restricted_one() -> None:
    random = np.random.default_rng(11)
    groups, n = 12, 8
    code = np.repeat(np.arange(groups), n)
    y = random.normal(0, 0.7, groups)[code] + random.normal(size=len(code))
    fit = lmm("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": code}))
    row = fit.intervals("adjusted").loc["sd(Intercept | g)"]
    table = y.reshape(groups, n)
    means, within = table.mean(axis=1), float(np.square(table - table.mean(axis=1)[:, None]).sum())
    values = np.linspace(0.05, 3, 600)
    heights = np.array([restricted_profile(means, within, n, sd) for sd in values])
    inside = values[heights >= heights.max() - stats.chi2.ppf(0.95, 1) / 2]
    # Sigma maximises the likelihood instead of the restricted one: of second order.
    assert row["lower"] == pytest.approx(inside[0], abs=0.02)
    assert row["upper"] == pytest.approx(inside[-1], abs=0.02)


def test_adjusted_profiles_lie_higher_and_leave_coefficients_alone(few: MixedModelResult) -> None:
    plain, adjusted = few.intervals("profile"), few.intervals("adjusted")
    assert (
        adjusted.loc["sd(Intercept | g)", ["lower", "upper"]] > plain.loc["sd(Intercept | g)", ["lower", "upper"]]
    ).all()
    assert adjusted.loc["Intercept", "upper"] == pytest.approx(plain.loc["Intercept", "upper"], abs=1e-6)


def test_adjusted_profile_of_a_correlation_stays_inside(slopes: pd.DataFrame) -> None:
    row = lmm("y ~ x + (1 + x | g)", slopes).intervals("adjusted").loc["cor(x, Intercept | g)"]
    assert -1 <= row["lower"] < row["estimate"] < row["upper"] <= 1

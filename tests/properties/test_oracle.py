"""500 random tiny models against slow oracles, and 1,000 exact gradients against differences.

Nested intercepts: quadrature against numerical integration. Crossed factors and vectors: Laplace against a dense
textbook Laplace. Linear models: the profiled criterion against the marginal normal density. All of
|l - oracle| <= 1e-9 (1 + |l|) and |g - difference| <= 1e-7 (1 + |g|).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dense_models import dense_laplace, dense_linear, integrated
from scipy import special

from profiling.errors import ModelError
from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.criterion_lmm import LinearCriterion
from profiling.modeling.design import Design, build_design
from profiling.modeling.families import Family, family_of
from profiling.modeling.fit_quadrature import quadrature_criterion
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.shape_slope import shape_slope
from profiling.modeling.threads import threads_for

VALUE, GRADIENT = 1e-9, 1e-7
BLOCKS, NESTED, LAPLACE, LINEAR = 20, 8, 11, 6  # models of a kind in each of the blocks: 500 together
LINKS = [("binomial", "logit"), ("binomial", "probit"), ("binomial", "cloglog"), ("poisson", "log")]
# Standard deviations reach 3 on the logit scale; the other links' reach the same share of the latent variance. At 3
# on the probit scale (5.4 on the logit's) 101 points leave 5e-9 where a cluster has one row.
LARGEST_SD = {"logit": 3.0, "probit": 1.65, "cloglog": 2.1, "log": 1.5}
NESTINGS = ["(1 | a)", "(1 | a/b)", "(1 | a/b/c)"]
# Points by level, innermost first: outer clusters are larger and take fewer.
POINTS = {1: (101,), 2: (101, 101), 3: (101, 75, 51)}
FEWER_POINTS = (61, 41, 31)  # for three levels of moderate effects
STRUCTURES = [
    "(1 | a) + (1 | d)",
    "(1 | a) + (1 | b) + (1 | d)",
    "(1 | a/b)",
    "(1 | a/b) + (1 | d)",
    "(1 + x | a)",
    "(1 + x || a)",
    "(1 + x + z | a)",
    "(0 + x | a) + (1 | d)",
    "(1 + x | a) + (1 + z | d)",
    "(1 + x || a) + (1 | d) + (0 + z | d)",
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny models gain nothing from threads."""
    with threads_for(0):
        yield


def drawn(rng: np.random.Generator, n: int) -> pd.DataFrame:
    columns = {name: rng.integers(0, size, n) for name, size in (("a", 3), ("b", 2), ("c", 2), ("d", 4))}
    return pd.DataFrame(columns | {"x": rng.normal(size=n), "z": rng.normal(size=n)})


def outcome(rng: np.random.Generator, family: str, data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray | None]:
    """An outcome that leans on x, with trials or weights in half of the cases."""
    eta, n = 0.4 * data["x"].to_numpy() + rng.normal(0, 0.7, 3)[data["a"]] - 0.2, len(data)
    weighted = rng.random() < 0.5
    if family == "gaussian":
        return eta + rng.normal(size=n), rng.uniform(0.5, 2.0, n) if weighted else None
    if family == "binomial":
        trials = rng.integers(1, 6, n) if weighted else np.ones(n)
        successes = rng.binomial(trials.astype(int), special.expit(eta))
        return successes / trials, trials.astype(float)
    return rng.poisson(np.exp(eta)).astype(float), rng.integers(1, 3, n).astype(float) if weighted else None


def design_of(rng: np.random.Generator, family: str, random: str, rows: tuple[int, int]) -> Design:
    """A random design of this structure, drawn until its factors can be told apart."""
    while True:
        data = drawn(rng, int(rng.integers(*rows)))
        y, weights = outcome(rng, family, data)
        fixed = str(rng.choice(["1", "x", "x + z", "0 + x"]))
        offset = rng.normal(0, 0.3, len(data)) if rng.random() < 0.3 else None
        try:
            return build_design(
                f"y ~ {fixed} + {random}",
                data.assign(y=y),
                binomial=family == "binomial",
                weights=weights,
                offset=offset,
            )
        except ModelError:
            continue


def parameters(rng: np.random.Generator, design: Design, largest: float) -> tuple[np.ndarray, np.ndarray]:
    beta = rng.normal(0, 0.5, design.X.shape[1])
    diagonal = design.form.diagonal
    theta = np.where(diagonal, rng.uniform(0.1, largest, len(diagonal)), rng.uniform(-1, 1, len(diagonal)))
    return beta, theta


def differences(value: Callable[[np.ndarray], float], point: np.ndarray, h: float = 2e-3) -> np.ndarray:
    """Sixth-order central differences: truncation of order h^6 (1e-16), rounding of order 1e-14 l / h (1e-10)."""
    slopes = []
    for step in h * np.eye(len(point)):
        around = [value(point + k * step) - value(point - k * step) for k in (1, 2, 3)]
        slopes.append((45 * around[0] - 9 * around[1] + around[2]) / (60 * h))
    return np.array(slopes)


def close(found: Any, expected: Any, tolerance: float, what: str) -> None:
    away = np.abs(np.asarray(found) - np.asarray(expected))
    assert (away <= tolerance * (1 + np.abs(expected))).all(), f"{what}: {found} and {expected}"


def check_gradient(criterion: Any, beta: np.ndarray, theta: np.ndarray, what: str) -> None:
    p = len(beta)
    found = criterion.evaluate(beta, theta).gradient.copy()
    slopes = differences(lambda x: criterion.evaluate(x[:p], x[p:]).value, np.concatenate([beta, theta]))
    close(found, slopes, GRADIENT, what)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_nested_quadrature_is_the_integral(block: int) -> None:
    rng = np.random.default_rng([1, block])
    for i in range(NESTED):
        number = block * NESTED + i
        family = family_of(*LINKS[number % 4])
        levels = 1 + number // 4 % 3
        design = design_of(rng, family.name, NESTINGS[levels - 1], (8, 12 if levels == 3 else 18))
        beta, sigma = parameters(rng, design, LARGEST_SD[family.link])
        moderate = levels == 3 and sigma.max() < LARGEST_SD[family.link] / 2
        criterion = quadrature_criterion(design, family, FEWER_POINTS if moderate else POINTS[levels])
        found = criterion.evaluate(beta, sigma).value + family.constant(design.y, design.weights)
        close(found, integrated(design, family, beta, sigma), VALUE, f"{block}.{i} {family.link} {levels} levels")
        # The gradient is exact for any number of points: two points of few nodes.
        coarse = quadrature_criterion(design, family, tuple(rng.choice([3, 5, 7], levels)))
        for _ in range(2):
            check_gradient(coarse, *parameters(rng, design, 1.5), f"{block}.{i} {family.link} {levels} levels")


@pytest.mark.parametrize("block", range(BLOCKS))
def test_laplace_is_that_of_the_textbook(block: int) -> None:
    rng = np.random.default_rng([2, block])
    for i in range(LAPLACE):
        number = block * LAPLACE + i
        family = laplace_family(rng, number)
        structure = STRUCTURES[number // 5 % len(STRUCTURES)]
        what = f"{block}.{i} {family.link} {structure}"
        design = design_of(rng, "poisson" if family.name == "negative_binomial" else family.name, structure, (15, 50))
        criterion = LaplaceCriterion(design, family)
        for point in range(2):
            beta, theta = parameters(rng, design, LARGEST_SD[family.link])
            found = criterion.evaluate(beta, theta).value + family.constant(design.y, design.weights)
            if not point:
                close(found, dense_laplace(design, family, beta, theta), VALUE, what)
            check_gradient(criterion, beta, theta, what)
        if family.name == "negative_binomial":
            check_shape(design, family, beta, theta, what)


def laplace_family(rng: np.random.Generator, number: int) -> Family:
    """Every family in turn; the negative binomial with a shape of its own."""
    families = [*LINKS, ("negative_binomial", "log")]
    name, link = families[number % 5]
    return family_of(name, link, float(rng.uniform(0.5, 8.0))) if name == "negative_binomial" else family_of(name, link)


def check_shape(design: Design, family: Family, beta: np.ndarray, theta: np.ndarray, what: str) -> None:
    """The slope in log kappa against differences."""
    objective = LaplaceObjective(LaplaceCriterion(design, family))
    form = design.form
    psi = np.where(form.diagonal, np.log(np.abs(theta)), theta)
    objective.evaluate(np.concatenate([beta, psi]))

    def value(log_shape: np.ndarray) -> float:
        other = family_of("negative_binomial", "log", float(np.exp(log_shape[0])))
        return LaplaceCriterion(design, other).evaluate(beta, objective.theta).value

    close(shape_slope(objective), differences(value, np.log([family.shape])), GRADIENT, f"{what}: shape")


@pytest.mark.parametrize("block", range(BLOCKS))
def test_linear_criterion_is_the_marginal_density(block: int) -> None:
    rng = np.random.default_rng([3, block])
    structures = [*STRUCTURES, "(1 | a)", "(1 | a/b/c)"]
    for i in range(LINEAR):
        number = block * LINEAR + i
        structure = structures[number % len(structures)]
        design = design_of(rng, "gaussian", structure, (15, 50))
        reml = bool(number // len(structures) % 2)
        criterion = LinearCriterion(design, reml)
        what = f"{block}.{i} {structure} {'REML' if reml else 'ML'}"
        for point in range(2):
            _, theta = parameters(rng, design, 3.0)
            found = criterion.evaluate(theta)
            if not point:
                close(found.value, dense_linear(design, theta, reml), VALUE, what)
            slopes = differences(lambda x, c=criterion: c.evaluate(x).value, theta)
            close(found.gradient, slopes, GRADIENT, what)


def test_there_are_500_models_and_1000_gradients() -> None:
    models = BLOCKS * (NESTED + LAPLACE + LINEAR)
    assert models == 500
    assert 2 * models == 1000

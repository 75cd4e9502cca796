"""What the tests of hard data share: a healthy frame to spoil, a registry of cases, ways to say what is expected."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from scipy import special

from profiling.errors import ModelError
from profiling.modeling import MixedModelResult

CASES: dict[str, Callable[[], None]] = {}
MODEL = "y ~ x + (1 | g)"


def case(function: Callable[[], None]) -> Callable[[], None]:
    """Register a case under the name that docs/pathologies.md gives it."""
    CASES[function.__name__.removeprefix("case_").replace("1e_8", "1e-8")] = function
    return function


def frame(seed: int = 1, n: int = 400, clusters: int = 20, sd: float = 0.7) -> pd.DataFrame:
    """Healthy data: y 0/1, k counts, v continuous; x, z numbers, kind and site text; g the cluster."""
    rng = np.random.default_rng(seed)
    g = np.arange(n) % clusters
    data = pd.DataFrame({"g": g, "x": rng.normal(size=n), "z": rng.normal(size=n)})
    data["kind"] = np.array(["a", "b", "c"])[rng.integers(0, 3, n)]
    data["site"] = np.array(["n", "s"])[rng.integers(0, 2, n)]
    eta = -0.3 + 0.5 * data["x"] + rng.normal(0, sd, clusters)[g]
    data["y"] = (rng.random(n) < special.expit(eta)).astype(float)
    data["k"] = rng.poisson(np.exp(eta)).astype(float)
    data["v"] = eta + rng.normal(size=n)
    return data


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """Expect a ModelError whose text has every one of `words` and says what was expected."""
    with pytest.raises(ModelError) as caught:
        yield
    text = str(caught.value)
    for word in words:
        assert word in text
    assert all(problem.expected or problem.advice for problem in caught.value.problems)


def said(fit: MixedModelResult, code: str, severity: str, *words: str) -> str:
    """Expect one diagnosis of this code and severity with every one of `words`; return its message."""
    own = [note for note in fit.diagnostics if note.code == code]
    assert own, [f"{note.severity} {note.code}" for note in fit.diagnostics]
    assert {note.severity for note in own} == {severity}
    text = " ".join(note.message for note in own)
    for word in words:
        assert word in text
    if severity == "error":
        assert not fit.converged
    return text


def sound(fit: MixedModelResult) -> MixedModelResult:
    """Expect convergence and nothing graver than a note, with finite estimates."""
    assert fit.converged
    assert [note for note in fit.diagnostics if note.severity != "note"] == []
    assert np.isfinite(fit.fixed_effects).all()
    assert np.isfinite(fit.standard_errors).all()
    assert np.isfinite(fit.log_likelihood)
    assert (fit.standard_errors > 0).all()
    return fit


def same(a: MixedModelResult, b: MixedModelResult, value: float = 1e-7) -> None:
    """Expect the same maximum: log-likelihood to `value`, coefficients to 1e-4 standard errors."""
    assert a.log_likelihood == pytest.approx(b.log_likelihood, abs=value)
    errors = b.standard_errors.to_numpy()
    assert np.abs(a.fixed_effects.to_numpy() - b.fixed_effects.to_numpy()) == pytest.approx(0, abs=1e-4 * errors.max())


def logistic(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Plain logistic regression by Newton's method: coefficients and log-likelihood."""
    beta = np.zeros(X.shape[1])
    for _ in range(100):
        mean = special.expit(X @ beta)
        beta = beta + np.linalg.solve(X.T @ ((mean * (1 - mean))[:, None] * X), X.T @ (y - mean))
    eta = X @ beta
    return beta, float(np.sum(y * special.log_expit(eta) + (1 - y) * special.log_expit(-eta)))


def run(name: str) -> None:
    """Run a case; a warning of numpy or scipy is a fault of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        CASES[name]()

"""Categorical covariates as codes against the same covariates as dummies: nothing but the price may differ."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

import profiling
from profiling.errors import ModelError
from profiling.modeling import categorical
from profiling.modeling.coded import CodedColumns
from profiling.modeling.columns import append, cell_products, parts, sums_by, transposed_times, weighted_gram
from profiling.modeling.design import build_design
from profiling.modeling.families import family_of
from profiling.modeling.fixed import fixed_matrix
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.result import MixedModelResult
from profiling.modeling.robust import cluster_scores

TEXT = "y ~ x + C(drg) + x:z + place + bs(z, df=4) + (1 | hospital)"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Return 3,000 rows of 20 hospitals with two categorical covariates of 18 and 13 levels."""
    rng = np.random.default_rng(5)
    n = 3000
    frame = pd.DataFrame({
        "x": rng.normal(3, 2, n),
        "z": rng.uniform(0, 1, n),
        "drg": rng.integers(0, 18, n),
        "place": pd.Categorical.from_codes(rng.integers(0, 13, n), [f"p{k}" for k in range(15, 0, -1)]),
        "hospital": rng.integers(0, 20, n),
        "w": rng.integers(1, 4, n),
        "off": rng.normal(0, 0.1, n),
    })  # fmt: skip
    frame["doctor"] = frame.hospital * 3 + rng.integers(0, 3, n)
    eta = -0.9 + 0.1 * frame.x + rng.normal(0, 0.4, 18)[frame.drg] + rng.normal(0, 0.5, 20)[frame.hospital]
    eta += rng.normal(0, 0.4, 60)[frame.doctor]
    frame["y"] = (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))).astype(float)
    frame["count"] = rng.poisson(np.exp(0.5 * eta)).astype(float)
    frame["real"] = eta + rng.normal(0, 1, n)
    return frame


def as_dummies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categorical, "LEAST_LEVELS", 10**9)


def both(monkeypatch: pytest.MonkeyPatch, text: str, data: pd.DataFrame, **choices: Any) -> list[MixedModelResult]:
    """Return the fit with codes and with dummies."""
    choices = dict(choices)
    fit = profiling.lmm if choices.get("family") == "gaussian" else profiling.glmm
    if fit is profiling.lmm:
        choices.pop("family")
    coded = fit(text, data, **choices)
    with monkeypatch.context() as patch:
        as_dummies(patch)
        dense = fit(text, data, **choices)
    assert coded.source is not None
    assert isinstance(coded.source.design.X, CodedColumns)
    assert dense.source is not None
    assert isinstance(dense.source.design.X, np.ndarray)
    return [coded, dense]


def close(a: Any, b: Any, tolerance: float = 1e-8) -> None:
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    assert a.shape == b.shape
    np.testing.assert_allclose(
        a, b, rtol=tolerance, atol=tolerance * max(float(np.nanmax(np.abs(b), initial=0.0)), 1e-12)
    )


def alike(a: MixedModelResult, b: MixedModelResult) -> None:
    assert list(a.fixed_effects.index) == list(b.fixed_effects.index)
    assert [(note.code, note.message) for note in a.diagnostics] == [
        (note.code, note.message) for note in b.diagnostics
    ]
    assert a.converged
    assert b.converged
    close(a.log_likelihood, b.log_likelihood, 1e-10)
    close(a.fixed_effects, b.fixed_effects)
    close(np.sqrt(np.diag(a.covariance)), np.sqrt(np.diag(b.covariance)))
    close(a.covariance, b.covariance)
    close(a.theta, b.theta)
    for name in a.effects:
        close(a.effects[name].mode, b.effects[name].mode)


def matrices(data: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> tuple[CodedColumns, np.ndarray]:
    coded = build_design(TEXT, data)
    with monkeypatch.context() as patch:
        as_dummies(patch)
        dense = build_design(TEXT, data)
    assert isinstance(coded.X, CodedColumns)
    assert isinstance(dense.X, np.ndarray)
    assert coded.terms == dense.terms
    assert coded.X.codes.shape == (3000, 2)
    assert coded.X.codes.dtype == np.int32
    close(coded.scaling.center, dense.scaling.center, 1e-12)
    close(coded.scaling.scale, dense.scaling.scale, 1e-12)
    return coded.X, dense.X


def test_every_operation_is_that_of_the_dense_matrix(data: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    X, D = matrices(data, monkeypatch)
    rng = np.random.default_rng(1)
    n, p = D.shape
    beta, B, v, code = rng.normal(size=p), rng.normal(size=(p, 3)), rng.normal(size=n), rng.integers(0, 7, n)
    close(X.to_dense(), D, 1e-12)
    close(X @ beta, D @ beta, 1e-12)
    close(X @ B, D @ B, 1e-12)
    close(transposed_times(X, v), D.T @ v, 1e-12)
    close(weighted_gram(X, v), D.T @ (v[:, None] * D), 1e-12)
    close(sums_by(X, code, 7, v), np.stack([D[code == g].T @ v[code == g] for g in range(7)]), 1e-11)
    close(X.largest(), np.abs(D).max(axis=0), 1e-12)
    close(np.stack([X.column(j) for j in range(p)], axis=1), D, 1e-12)
    kept = np.flatnonzero(rng.uniform(size=p) < 0.6) if p else []
    kept = np.union1d([0], kept)
    close(X.keep(list(kept)) @ beta[kept], D[:, kept] @ beta[kept], 1e-12)
    close(weighted_gram(X.keep(list(kept)), v), D[:, kept].T @ (v[:, None] * D[:, kept]), 1e-12)
    close(weighted_gram(append(X, v), code + 1.0), weighted_gram(append(D, v), code + 1.0), 1e-12)
    rows = rng.integers(0, n, 50)
    close(X[rows].to_dense(), D[rows], 1e-12)
    for Z in (np.zeros((0, 0)), rng.normal(size=(n, 2))):
        pointers = np.array([0, 10, 700, n]), np.array([0, 2, 3])
        ours, theirs = np.empty((3, max(Z.shape[1], 1), p)), np.empty((3, max(Z.shape[1], 1), p))
        cell_products(X, v, Z, *pointers, ours)
        cell_products(D, v, Z, *pointers, theirs)
        close(ours, theirs, 1e-11)


PROGRAM = """
import hashlib, numpy as np, pandas as pd
from profiling.modeling.columns import cell_products, times, transposed_times, weighted_gram
from profiling.modeling.design import build_design
rng = np.random.default_rng(3)
n = 50_000
frame = pd.DataFrame({"x": rng.normal(size=n), "a": rng.integers(0, 40, n), "b": rng.integers(0, 20, n)})
frame["g"], frame["y"] = rng.integers(0, 30, n), rng.normal(size=n)
design = build_design("y ~ x + C(a) + C(b) + (1 | g)", frame)
X, s = design.X, design.structure
assert type(X).__name__ == "CodedColumns"
out, products = np.empty(n), np.empty((s.n_cells, 1, X.shape[1]))
times(X, np.arange(X.shape[1], dtype=float), out)
cell_products(X, frame.x.to_numpy(), design.Z, s.cell_ptr, s.tile_ptr, products)
found = [out, products, transposed_times(X, out), weighted_gram(X, out)]
print(*(hashlib.sha256(np.ascontiguousarray(each).tobytes()).hexdigest() for each in found))
"""


def test_threads_give_the_same_bits() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "NUMBA_NUM_THREADS": threads},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert len(printed[0].split()) == 4


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        (TEXT, {"family": "binomial"}),
        (TEXT, {"family": "binomial", "link": "probit", "weights": "w", "offset": "off"}),
        (TEXT, {"family": "binomial", "link": "cloglog", "cluster_weights": np.arange(20.0) % 3}),
        (TEXT.replace("y ~", "count ~"), {"family": "poisson", "weights": "w"}),
        (TEXT.replace("y ~", "count ~"), {"family": "negative_binomial"}),
        (TEXT.replace("y ~", "real ~"), {"family": "gaussian", "weights": "w"}),
        (TEXT.replace("y ~", "real ~"), {"family": "gaussian", "reml": False, "cluster_weights": np.arange(20.0) % 3}),
        ("y ~ C(drg) + x + (1 | hospital)", {"family": "binomial", "method": "agq", "points": 7}),
        ("y ~ C(drg) + x + (1 | hospital/doctor)", {"family": "binomial"}),
        ("y ~ x + C(drg) + (1 + x | hospital)", {"family": "binomial"}),
        ("real ~ x + place + (1 | hospital) + (1 | doctor)", {"family": "gaussian"}),
    ],
)
def test_fits_are_those_with_dummies(
    data: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, text: str, choices: dict[str, Any]
) -> None:
    alike(*both(monkeypatch, text, data, **choices))


def test_whatever_is_asked_of_a_fit_is_answered_alike(data: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    coded, dense = both(monkeypatch, TEXT, data)
    new = data.iloc[[5, 3, 900]].assign(hospital=[1, 2, 999])
    for fit_of in (
        lambda fit: fit.predict(new, interval=0.9),
        lambda fit: fit.predict(interval=0.9, conditional=False),
        lambda fit: fit.predict(marginal=True),
        lambda fit: fit.cluster_robust(),
        lambda fit: cluster_scores(fit),
        lambda fit: fit.marginal().coefficients,
        lambda fit: fit.marginal().effects[["effect", "standard_error"]],
        lambda fit: fit.icc("delta").drop(columns="group"),
        lambda fit: fit.design_effects().drop(columns=["group", "term"]),
        lambda fit: fit.r_squared(),
        lambda fit: fit.residuals("pearson"),
        lambda fit: pickle.loads(pickle.dumps(fit)).predict(new),
    ):
        close(fit_of(coded), fit_of(dense))
    swapped = 1 - data.y.to_numpy()
    again = [coded.refit(swapped)]
    with monkeypatch.context() as patch:
        as_dummies(patch)
        again.append(dense.refit(swapped))
        smaller = dense.update(". ~ . - place")
    alike(*again)
    alike(coded.update(". ~ . - place"), smaller)
    with pytest.raises(ModelError, match=r"place"):
        coded.predict(new.assign(place="elsewhere"))
    linear = both(monkeypatch, TEXT.replace("y ~", "real ~"), data, family="gaussian")
    close(linear[0].cluster_robust(), linear[1].cluster_robust())
    close(linear[0].refit(data["count"]).fixed_effects, linear[1].refit(data["count"]).fixed_effects)


def test_dependent_levels_are_dropped_by_name(data: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = data.assign(again=data.drg.map("d{:02}".format), third=(data.drg == 3).astype(float))
    coded, dense = both(monkeypatch, "y ~ third + C(drg) + place + again + x + (1 | hospital)", frame)
    alike(coded, dense)
    (note,) = [note for note in coded.diagnostics if note.code == "rank_deficient"]
    assert "C(drg)[T.3]" in note.message
    assert "again[T.d05]" in note.message
    assert "place" not in note.message
    # Categories that no row has never become columns.
    assert "place[T.p1]" not in coded.fixed_effects.index
    close(coded.predict(frame), dense.predict(frame))


def test_a_level_without_events_is_named(data: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = data.assign(y=np.where(data.drg == 7, 0.0, data.y))
    coded, dense = both(monkeypatch, "y ~ x + C(drg) + (1 | hospital)", frame)
    assert not coded.converged
    assert not dense.converged
    texts = [[note.message for note in fit.diagnostics if note.severity == "error"] for fit in (coded, dense)]
    assert texts[0] == texts[1]
    assert "C(drg)[T.7]" in texts[0][0]


def test_the_gradient_is_that_of_differences(data: pd.DataFrame) -> None:
    design = build_design("y ~ x + C(drg) + place + (1 | hospital/doctor)", data, binomial=True)
    criterion = LaplaceCriterion(design, family_of("binomial", None))
    rng = np.random.default_rng(2)
    beta, theta, h = rng.normal(0, 0.2, design.X.shape[1]), np.array([0.5, 0.7]), 1e-5
    gradient = criterion.evaluate(beta, theta).gradient
    for j in (0, 1, 4, 17, len(beta) - 1):
        step = np.zeros(len(beta))
        step[j] = h
        slope = (criterion.evaluate(beta + step, theta).value - criterion.evaluate(beta - step, theta).value) / (2 * h)
        assert slope == pytest.approx(gradient[j], rel=1e-6, abs=1e-5)


def test_equal_rows_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    n = 8000
    frame = pd.DataFrame({"drg": rng.integers(0, 15, n), "female": rng.integers(0, 2, n), "g": rng.integers(0, 20, n)})
    frame["y"] = (rng.uniform(size=n) < 0.2 + 0.02 * frame.drg).astype(float)
    from profiling.modeling.collapse import collapse

    joined = collapse(build_design("y ~ female + C(drg) + (1 | g)", frame), family_of("binomial", None))
    numbers, codes = parts(joined.X)
    assert joined.n == len(frame.groupby(["drg", "female", "g"])) == len(codes) == len(numbers)
    alike(*both(monkeypatch, "y ~ female + C(drg) + (1 | g)", frame))


@pytest.mark.parametrize(
    "text",
    [
        "x + C( k )", "z:x + C(k) + x", "t + c", "C(fl) + 1", "C(o) + x", "o + bs(x, df=3)", "C(c) * x", "C(k) - 1",
        "0 + C(k)", "t + t:x", "C(k) + C(k)", "C(k, contr.sum) + x", "C(t) + C(few) + x + few:z",
        "C(k) + I(k > 3)", "b",
    ],
)  # fmt: skip
def test_names_and_columns_are_formulaics(text: str) -> None:
    rng = np.random.default_rng(0)
    n = 400
    whole = rng.integers(0, 14, n)
    frame = pd.DataFrame({
        "x": rng.normal(size=n), "z": rng.normal(size=n), "k": whole - 3, "t": rng.permutation(whole).astype(str),
        "c": pd.Categorical(rng.permutation(whole), categories=range(15, -2, -1)), "fl": rng.permutation(whole) / 2,
        "o": pd.Series(list(rng.permutation(whole)), dtype=object), "few": whole % 3, "b": whole > 5,
    })  # fmt: skip
    order = rng.permutation(n)
    X, names, _ = categorical.fixed_part(text, frame, order)
    expected, expected_names, _ = fixed_matrix(text, frame, order)
    assert list(names) == list(expected_names)
    if text in ("t + c", "t + t:x", "C(o) + x", "C(fl) + 1", "x + C( k )"):
        assert isinstance(X, CodedColumns) == (text != "t + t:x")
    close(X.to_dense() if isinstance(X, CodedColumns) else X, expected, 1e-15)


def test_missing_levels_are_refused_as_before(data: pd.DataFrame) -> None:
    frame = data.assign(drg=data.drg.where(data.drg != 4))
    with pytest.raises(ModelError):
        profiling.glmm("y ~ x + C(drg) + (1 | hospital)", frame)

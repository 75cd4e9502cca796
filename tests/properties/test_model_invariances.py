"""What must not change a fit: the order of rows, labels, units of covariates, counts against single rows."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import special

from profiling import glmm, lmm

FORMULA = "y ~ x + z + (1 | hospital) + (1 | physician)"
# Two searches stop at a Newton decrement of 1e-10, so at 1e-5 standard errors from the maximum and 1e-10 below it.
VALUE, ESTIMATE = 1e-8, 3e-5


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 1500
    frame = pd.DataFrame(
        {
            "hospital": rng.integers(0, 12, n),
            "physician": rng.integers(0, 60, n),
            "x": rng.integers(0, 3, n).astype(float),
            "z": rng.integers(0, 2, n).astype(float),
        }
    )
    eta = -0.5 + 0.4 * frame["x"] - 0.3 * frame["z"] + rng.normal(0, 0.5, 12)[frame["hospital"]]
    eta += rng.normal(0, 0.4, 60)[frame["physician"]]
    return frame.assign(y=(rng.random(n) < special.expit(eta)).astype(float))


def same(a, b, unit=None):
    assert a.log_likelihood == pytest.approx(b.log_likelihood, abs=VALUE)
    unit = b.standard_errors if unit is None else unit
    assert np.max(np.abs(a.fixed_effects.to_numpy() - b.fixed_effects.to_numpy()) / unit.to_numpy()) < ESTIMATE


def test_order_of_rows(data):
    shuffled = data.sample(frac=1, random_state=1)
    a, b = glmm(FORMULA, shuffled), glmm(FORMULA, data)
    same(a, b)
    assert a.mode("hospital") == pytest.approx(b.mode("hospital"), abs=1e-6)
    assert a.linear_predictor == pytest.approx(b.linear_predictor[shuffled.index], abs=1e-5)


def test_labels(data):
    relabelled = data.assign(hospital="h" + (99 - data["hospital"]).astype(str), physician=-data["physician"])
    a, b = glmm(FORMULA, relabelled), glmm(FORMULA, data)
    same(a, b)
    assert list(a.levels("hospital")) == sorted(a.levels("hospital"))
    assert a.mode("hospital")[::-1] == pytest.approx(b.mode("hospital"), abs=1e-6)


@pytest.mark.parametrize("scale", [1e8, 1e-8])
def test_units_of_covariates(data, scale):
    a = glmm(FORMULA, data.assign(x=data["x"] * scale + 7 * scale))
    b = glmm(FORMULA, data)
    assert a.log_likelihood == pytest.approx(b.log_likelihood, abs=VALUE)
    assert a.fixed_effects["x"] * scale == pytest.approx(b.fixed_effects["x"], abs=1e-6)
    assert a.standard_errors["x"] * scale == pytest.approx(b.standard_errors["x"], rel=1e-5)


def test_counts_against_single_rows(data):
    """l of successes out of trials exceeds that of 0/1 rows by exactly sum log C(n, k) (no other difference)."""
    keys = ["hospital", "physician", "x", "z"]
    table = data.groupby(keys, as_index=False)["y"].agg(k="sum", n="count").assign(f=lambda t: t["n"] - t["k"])
    a = glmm("cbind(k, f) ~ x + z + (1 | hospital) + (1 | physician)", table)
    b = glmm(FORMULA, data)
    choose = special.gammaln(table.n + 1) - special.gammaln(table.k + 1) - special.gammaln(table.f + 1)
    assert a.log_likelihood - choose.sum() == pytest.approx(b.log_likelihood, abs=VALUE)
    c = glmm("p ~ x + z + (1 | hospital) + (1 | physician)", table.assign(p=table.k / table.n), weights="n")
    assert c.log_likelihood == pytest.approx(a.log_likelihood, abs=VALUE)


def test_poisson_rows_against_weights(data):
    rng = np.random.default_rng(1)
    counts = data.assign(y=rng.poisson(1.0, len(data)), w=rng.integers(1, 4, len(data)))
    doubled = counts.loc[counts.index.repeat(counts["w"])]
    a = glmm("y ~ x + (1 | hospital)", counts, family="poisson", weights="w")
    same(a, glmm("y ~ x + (1 | hospital)", doubled, family="poisson"))


@pytest.mark.parametrize("model", ["logistic", "linear", "nested", "slope"])
def test_cluster_weights_against_copied_clusters(data, model):
    rng = np.random.default_rng(2)
    m = rng.integers(1, 4, 12)
    random = {"nested": "(1 | hospital/ward)", "slope": "(1 + x | hospital)"}.get(model, "(1 | hospital)")
    formula = f"y ~ x + z + {random}"
    whole = data.assign(ward=data["physician"] % 4)
    copies = pd.concat(
        [
            whole[whole.hospital.map(lambda h, copy=copy: m[h] > copy)].assign(
                hospital=lambda t, copy=copy: t.hospital + 100 * copy
            )
            for copy in range(3)
        ]
    )
    if model == "linear":
        noise = pd.Series(rng.normal(size=len(whole)), index=whole.index)
        whole, copies = whole.assign(y=whole.y + noise), copies.assign(y=copies.y + noise[copies.index])
        same(lmm(formula, whole, cluster_weights=m), lmm(formula, copies))
        return
    a, b = glmm(formula, whole, cluster_weights=m), glmm(formula, copies)
    same(a, b)
    assert a.standard_errors.to_numpy() == pytest.approx(b.standard_errors.to_numpy(), rel=1e-4)
    assert a.mode("hospital") == pytest.approx(b.mode("hospital")[:12], abs=1e-5)


def test_one_factor_is_the_limit_of_two(data):
    """A second factor without variation is estimated as zero, and the fit is that of the first alone."""
    rng = np.random.default_rng(4)
    noise = data.assign(ghost=rng.integers(0, 200, len(data)))
    two, one = glmm("y ~ x + (1 | hospital) + (1 | ghost)", noise), glmm("y ~ x + (1 | hospital)", noise)
    if two.singular:
        same(two, one)
    assert two.log_likelihood >= one.log_likelihood - 1e-8


def test_threads_do_not_change_a_bit():
    program = (
        "import numpy as np, pandas as pd; from profiling import glmm; rng = np.random.default_rng(0); n = 20000;"
        "d = pd.DataFrame({'a': rng.integers(0, 300, n), 'b': rng.integers(0, 2000, n), 'x': rng.normal(size=n)});"
        "d['y'] = (rng.random(n) < .2 + .1 * (d.a % 2)).astype(float);"
        "f = glmm('y ~ x + (1 | a) + (1 | b)', d);"
        "print(f.log_likelihood.hex(), [v.hex() for v in f.fixed_effects], f.mode('a').tobytes().hex()[:400])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "NUMBA_NUM_THREADS": threads},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(outputs) == 1
    assert "0x" in outputs.pop()

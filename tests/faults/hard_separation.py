"""Hard data: separation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hard_data import MODEL, case, frame, logistic, said, sound
from scipy import special

from profiling import glmm


def separated() -> pd.DataFrame:
    return frame().assign(y=lambda d: (d.x > 0).astype(float))


def only(text: str, present: list[str], absent: list[str]) -> None:
    for word in present:
        assert f"`{word}`" in text
    for word in absent:
        assert f"`{word}`" not in text


@case
def case_separated_by_covariate():
    fit = glmm("y ~ z + x + C(kind) + (1 | g)", separated())
    only(said(fit, "separation", "error"), ["x"], ["z"])


@case
def case_separated_by_covariate_probit():
    said(glmm("y ~ x + z + (1 | g)", separated(), link="probit"), "separation", "error", "`x`")


@case
def case_separated_by_covariate_cloglog():
    said(glmm("y ~ x + z + (1 | g)", separated(), link="cloglog"), "separation", "error", "`x`")


@case
def case_separated_by_quadrature():
    said(glmm(MODEL, separated(), method="agq"), "separation", "error", "`x`")


@case
def case_separated_jointly():
    data = frame().assign(y=lambda d: (d.x + d.z > 0).astype(float))
    only(said(glmm("y ~ x + z + C(site) + (1 | g)", data), "separation", "error"), ["x", "z"], ["C(site)[T.s]"])


@case
def case_quasi_separated_by_covariate():
    data = frame().assign(x=lambda d: d.x.round(0), y=lambda d: np.where(d.x == 0, d.y, d.x > 0).astype(float))
    only(said(glmm("y ~ x + z + (1 | g)", data), "quasi_separation", "error"), ["x"], ["z"])


@case
def case_quasi_separated_by_level():
    data = frame().assign(y=lambda d: np.where(d.kind == "c", 0.0, d.y))
    text = said(glmm("y ~ x + C(kind) + (1 | g)", data), "quasi_separation", "error")
    only(text, ["C(kind)[T.c]"], ["C(kind)[T.b]", "x"])
    assert "always 0" in text


@case
def case_quasi_separated_by_reference():
    data = frame().assign(y=lambda d: np.where(d.kind == "a", 0.0, d.y))
    said(glmm("y ~ x + C(kind) + (1 | g)", data), "quasi_separation", "error", "reference level of `C(kind)`")


@case
def case_quasi_separated_by_two_levels():
    data = frame().assign(y=lambda d: np.where((d.kind == "c") | (d.site == "s"), 0.0, d.y))
    text = said(glmm("y ~ x + C(kind) + C(site) + (1 | g)", data), "quasi_separation", "error")
    only(text, ["C(kind)[T.c]", "C(site)[T.s]"], ["x", "C(kind)[T.b]"])


@case
def case_quasi_separated_by_rare_flag():
    data = frame(n=5000).assign(flag=0.0)
    data.loc[[10, 700, 4000], ["flag", "y"]] = 1.0
    text = said(glmm("y ~ x + flag + z + (1 | g)", data), "quasi_separation", "error")
    only(text, ["flag"], ["x", "z"])
    assert "always 1" in text


@case
def case_quasi_separated_counts():
    data = frame().assign(k=lambda d: np.where(d.kind == "c", 0.0, d.k))
    text = said(glmm("k ~ x + C(kind) + (1 | g)", data, family="poisson"), "quasi_separation", "error")
    only(text, ["C(kind)[T.c]"], ["x", "C(kind)[T.b]"])


@case
def case_quasi_separated_proportions():
    rng = np.random.default_rng(3)
    data = frame().assign(m=7.0, s=lambda d: np.where(d.kind == "b", 0, rng.binomial(7, 0.4, len(d))))
    text = said(glmm("cbind(s, m - s) ~ x + C(kind) + (1 | g)", data), "quasi_separation", "error")
    only(text, ["C(kind)[T.b]"], ["x", "C(kind)[T.c]"])


@case
def case_almost_separated():
    data = frame().assign(y=lambda d: (d.x > 0).astype(float))
    data.loc[data.x.sub(0.4).abs().idxmin(), "y"] = 0.0
    data.loc[data.x.add(0.4).abs().idxmin(), "y"] = 1.0
    fit = sound(glmm(MODEL, data))
    X = np.column_stack([np.ones(len(data)), data.x])
    beta, value = logistic(X, data.y.to_numpy())
    assert fit.log_likelihood >= value - 1e-8
    if fit.singular:
        assert fit.fixed_effects.to_numpy() == pytest.approx(beta, rel=1e-4)
        assert fit.log_likelihood == pytest.approx(value, abs=1e-7)
    assert fit.fixed_effects["x"] > 5


@case
def case_strong_effects():
    rng = np.random.default_rng(8)
    data = frame(n=2000)
    eta = 4 * data.x - 4 * data.z + rng.normal(0, 0.5, 20)[data.g]
    data["y"] = (rng.random(len(data)) < special.expit(eta)).astype(float)
    fit = sound(glmm("y ~ x + z + (1 | g)", data))
    assert np.abs(fit.fixed_effects[["x", "z"]] - [4, -4]).max() < 4 * fit.standard_errors.max()


@case
def case_pure_clusters():
    data = frame().assign(y=lambda d: (d.g % 3 == 0).astype(float))
    said(glmm(MODEL, data), "separated_levels", "error", "g")

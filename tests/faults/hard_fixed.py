"""Hard data: the fixed part and outcomes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hard_data import MODEL, case, frame, refused, said, same, sound

from profiling import glmm, lmm


@case
def case_rank_deficient():
    data = frame().assign(both=lambda d: d.x + d.z)
    fit = glmm("y ~ x + z + both + (1 | g)", data)
    said(fit, "rank_deficient", "warning", "both")
    same(fit, glmm("y ~ x + z + (1 | g)", data))


@case
def case_duplicate_columns():
    data = frame().assign(again=lambda d: d.x)
    fit = lmm("v ~ x + again + (1 | g)", data)
    said(fit, "rank_deficient", "warning", "again")
    same(fit, lmm("v ~ x + (1 | g)", data))


@case
def case_constant_covariate():
    data = frame().assign(one=3.0)
    fit = glmm("y ~ x + one + (1 | g)", data)
    said(fit, "rank_deficient", "warning", "one")
    same(fit, glmm(MODEL, data))


@case
def case_nearly_collinear():
    data = frame().assign(near=lambda d: d.x + 1e-4 * d.z)
    for fit in (lmm("v ~ x + near + (1 | g)", data), glmm("y ~ x + near + (1 | g)", data)):
        said(fit, "collinear", "warning", "x", "near")
        assert fit.converged


def in_other_units(scale: float, shift: float = 0.0) -> None:
    data = frame()
    other = data.assign(x=data.x * scale + shift)
    for a, b in (
        (sound(glmm(MODEL, other)), glmm(MODEL, data)),
        (sound(lmm("v ~ x + (1 | g)", other, reml=False)), lmm("v ~ x + (1 | g)", data, reml=False)),
    ):
        assert a.log_likelihood == pytest.approx(b.log_likelihood, abs=1e-6)
        assert a.fixed_effects["x"] * scale == pytest.approx(b.fixed_effects["x"], rel=1e-5)
        assert a.standard_errors["x"] * scale == pytest.approx(b.standard_errors["x"], rel=1e-4)


@case
def case_covariates_1e8():
    in_other_units(1e8)


@case
def case_covariates_1e_8():
    in_other_units(1e-8)


@case
def case_covariate_far_from_zero():
    in_other_units(1.0, 1e9)


@case
def case_covariate_1e200():
    for scale in (1e200, 1e-200):
        with refused("term x", "units"):
            glmm(MODEL, frame().assign(x=lambda d, scale=scale: d.x * scale))


@case
def case_near_constant_covariate():
    data = frame(n=500).assign(flag=0.0)
    data.loc[17, "flag"] = 1.0
    fit = sound(lmm("v ~ flag + (1 | g)", data, reml=False))
    without = lmm("v ~ 1 + (1 | g)", data.drop(index=17), reml=False)
    assert fit.fixed_effects["Intercept"] == pytest.approx(without.fixed_effects["Intercept"], abs=0.01)
    assert fit.residuals("response")[17] == pytest.approx(0, abs=0.5)


@case
def case_empty_cells():
    data = frame()
    data = data[(data.kind != "c") | (data.site != "s")].reset_index(drop=True)
    fit = lmm("v ~ C(kind) * C(site) + (1 | g)", data)
    said(fit, "rank_deficient", "warning", "C(kind)[T.c]:C(site)[T.s]")
    assert fit.converged


@case
def case_unused_category():
    data = frame()
    wide = data.assign(kind=pd.Categorical(data.kind, categories=["a", "unused", "b", "c"]))
    wide["g"] = pd.Categorical(data.g, categories=range(25))
    fit = sound(glmm("y ~ x + C(kind) + (1 | g)", wide))
    same(fit, glmm("y ~ x + C(kind) + (1 | g)", data))
    assert len(fit.levels("g")) == 20
    same(sound(glmm("y ~ x + kind + (1 | g)", wide)), fit)


@case
def case_more_columns_than_rows():
    rng = np.random.default_rng(0)
    data = frame(n=30, clusters=5)
    names = [f"c{i}" for i in range(40)]
    data = pd.concat([data, pd.DataFrame(rng.normal(size=(30, 40)), columns=names)], axis=1)
    for outcome, fit in (("v", lmm), ("y", glmm)):
        with refused("coefficients", "30"):
            fit(f"{outcome} ~ {' + '.join(names)} + (1 | g)", data)


@case
def case_no_fixed_effects():
    data = frame()
    for fit in (glmm("y ~ 0 + (1 | g)", data), lmm("v ~ 0 + (1 | g)", data)):
        assert fit.converged
        assert len(fit.fixed_effects) == 0
        assert fit.variance("g") > 0
        assert "Random effects" in fit.summary()


@case
def case_boolean_covariates():
    data = frame().assign(x=lambda d: d.x > 0)
    same(sound(glmm(MODEL, data)), glmm(MODEL, data.assign(x=data.x.astype(float))))


@case
def case_dates_as_factor():
    data = frame().assign(day=lambda d: pd.Timestamp("2024-02-27") + pd.to_timedelta(d.g % 4, "D"))
    data["date"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(data.g, "D")
    a = sound(glmm("y ~ x + C(day) + (1 | date)", data))
    same(a, glmm("y ~ x + C(day) + (1 | date)", data.assign(day=data.day.astype(str), date=data.date.astype(str))))


@case
def case_constant_outcome_binary():
    for value in (0.0, 1.0):
        with refused("outcome y", "same in every row"):
            glmm(MODEL, frame().assign(y=value))


@case
def case_constant_outcome_linear():
    with refused("outcome v", "same in every row"):
        lmm("v ~ x + (1 | g)", frame().assign(v=7.3))


@case
def case_exact_linear_fit():
    data = frame().assign(v=lambda d: 2 + 3 * d.x)
    with refused("outcome", "residual variance"):
        lmm("v ~ x + (1 | g)", data)


@case
def case_negative_counts():
    with refused("outcome k", "no counts"):
        glmm("k ~ x + (1 | g)", frame().assign(k=lambda d: d.k - 1), family="poisson")


@case
def case_fractional_counts():
    with refused("outcome k", "no counts"):
        glmm("k ~ x + (1 | g)", frame().assign(k=lambda d: d.k + 0.5), family="poisson")


@case
def case_proportions_above_one():
    for value in (1.2, -0.1):
        with refused("outcome y", "0 to 1"):
            glmm(MODEL, frame().assign(y=value))


@case
def case_fractional_successes():
    data = frame().assign(p=lambda d: (d.y + 0.4) / 2)
    said(glmm("p ~ x + (1 | g)", data), "fractional_successes", "warning", "weights")


@case
def case_trials_zero():
    rng = np.random.default_rng(2)
    data = frame().assign(m=lambda d: np.where(d.index % 9 == 0, 0, 5))
    data["s"] = rng.binomial(data.m, 0.3)
    fit = sound(glmm("cbind(s, m - s) ~ x + (1 | g)", data))
    same(fit, glmm("cbind(s, m - s) ~ x + (1 | g)", data[data.m > 0]))


@case
def case_negative_failures():
    with refused("cbind", "negative"):
        glmm("cbind(k, y - 1) ~ x + (1 | g)", frame())


@case
def case_huge_counts():
    rng = np.random.default_rng(3)
    data = frame(clusters=40)
    data["k"] = rng.poisson(np.exp(14 + 0.3 * data.x + rng.normal(0, 0.4, 40)[data.g]))
    fit = sound(glmm("k ~ x + (1 | g)", data, family="poisson"))
    assert fit.fixed_effects["x"] == pytest.approx(0.3, abs=4 * fit.standard_errors["x"])
    assert fit.standard_errors["x"] < 1e-4


@case
def case_tiny_counts():
    data = frame(n=300, clusters=10).assign(k=0.0)
    data.loc[[5, 107, 222], "k"] = 1.0
    fit = sound(glmm("k ~ x + (1 | g)", data, family="poisson"))
    assert np.exp(fit.linear_predictor).sum() == pytest.approx(3, rel=0.2)


@case
def case_huge_trials():
    rng = np.random.default_rng(3)
    data = frame(clusters=40)
    eta = -1 + 0.3 * data.x + rng.normal(0, 0.4, 40)[data.g]
    data["s"] = rng.binomial(1_000_000, 1 / (1 + np.exp(-eta)))
    fit = sound(glmm("cbind(s, 1000000 - s) ~ x + (1 | g)", data))
    assert fit.fixed_effects["x"] == pytest.approx(0.3, abs=4 * fit.standard_errors["x"])


@case
def case_boolean_outcome():
    data = frame()
    same(sound(glmm(MODEL, data.assign(y=data.y == 1))), glmm(MODEL, data))


@case
def case_text_outcome():
    with refused("outcome y", "0/1"):
        glmm(MODEL, frame().assign(y=lambda d: np.where(d.y == 1, "yes", "no")))
    with refused("outcome v", "number"):
        lmm("v ~ x + (1 | g)", frame().assign(v="much"))


@case
def case_outcome_1e12():
    data = frame()
    a = sound(lmm("v ~ x + (1 | g)", data.assign(v=data.v * 1e12), reml=False))
    b = lmm("v ~ x + (1 | g)", data, reml=False)
    assert a.log_likelihood + 400 * np.log(1e12) == pytest.approx(b.log_likelihood, abs=1e-7)
    assert a.fixed_effects.to_numpy() / 1e12 == pytest.approx(b.fixed_effects.to_numpy(), rel=1e-6)

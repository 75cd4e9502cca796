"""Hard data: clusters and random terms."""

from __future__ import annotations

import numpy as np
import pytest
from hard_data import MODEL, case, frame, logistic, refused, said, same, sound
from scipy import special, stats

from profiling import glmm, lmm


@case
def case_some_pure_clusters():
    data = frame().assign(y=lambda d: np.where(d.g < 7, 0.0, np.where(d.g > 17, 1.0, d.y)))
    fit = sound(glmm(MODEL, data))
    modes = fit.mode("g")
    assert np.isfinite(modes).all()
    assert modes[:7].max() < modes[7:18].min()
    assert modes[7:18].max() < modes[18:].min()


@case
def case_zero_variance():
    data = frame().assign(y=lambda d: (np.arange(len(d)) // 20 % 2).astype(float))
    fit = sound(glmm(MODEL, data))
    said(fit, "singular", "note", "g")
    beta, value = logistic(np.column_stack([np.ones(len(data)), data.x]), data.y.to_numpy())
    assert fit.log_likelihood == pytest.approx(value, abs=1e-8)
    assert fit.fixed_effects.to_numpy() == pytest.approx(beta, abs=1e-5)
    assert fit.variance("g") == 0


@case
def case_zero_variance_linear():
    data = frame()
    data["v"] = data.v - data.groupby("g")["v"].transform("mean")
    fit = sound(lmm("v ~ 1 + (1 | g)", data, reml=False))
    said(fit, "singular", "note", "g")
    assert fit.log_likelihood == pytest.approx(stats.norm.logpdf(data.v, 0, data.v.std(ddof=0)).sum(), abs=1e-8)


@case
def case_huge_variance_linear():
    rng = np.random.default_rng(2)
    b = rng.normal(0, 1e4, 20)
    data = frame().assign(v=lambda d: b[d.g] + rng.normal(size=len(d)))
    fit = sound(lmm("v ~ x + (1 | g)", data))
    inside = data.v - data.groupby("g")["v"].transform("mean")
    assert fit.residual_sd == pytest.approx(np.sqrt((inside**2).sum() / (400 - 20)), rel=0.01)
    assert np.sqrt(fit.variance("g")) == pytest.approx(data.groupby("g")["v"].mean().std(), rel=1e-3)


@case
def case_absurd_variance_linear():
    b = np.random.default_rng(2).normal(0, 1e6, 20)
    data = frame().assign(v=lambda d: b[d.g] + d.x)
    said(lmm("v ~ x + (1 | g)", data), "exact_fit", "error", "residual")


@case
def case_huge_variance_binary():
    rng = np.random.default_rng(4)
    b = rng.normal(0, 8, 60)
    data = frame(n=6000, clusters=60)
    data["y"] = (rng.random(6000) < special.expit(b[data.g] + data.x)).astype(float)
    assert np.sqrt(sound(glmm(MODEL, data)).variance("g")) > 4


@case
def case_pure_clusters_linear():
    b = np.random.default_rng(2).normal(0, 1, 20)
    said(lmm("v ~ 1 + (1 | g)", frame().assign(v=lambda d: b[d.g])), "exact_fit", "error", "residual")


@case
def case_singletons_linear():
    data = frame().assign(g=lambda d: np.where(d.index < 40, d.index, d.index % 10 + 100))
    data["v"] = data.v + np.random.default_rng(1).normal(0, 1, 200)[data.g]
    fit = sound(lmm("v ~ x + (1 | g)", data, reml=False))
    same_level = data.g.to_numpy()[:, None] == data.g.to_numpy()[None, :]
    V = fit.variance("g") * same_level + fit.residual_sd**2 * np.eye(len(data))
    mean = fit.linear_predictor
    assert fit.log_likelihood == pytest.approx(stats.multivariate_normal(mean, V).logpdf(data.v), rel=1e-10)


@case
def case_singletons_binary():
    said(glmm("y ~ x + (1 | row)", frame().assign(row=np.arange(400))), "single_rows", "warning", "row")


@case
def case_singletons_counts():
    rng = np.random.default_rng(6)
    data = frame(n=2000).assign(row=np.arange(2000))
    data["k"] = rng.poisson(np.exp(1.5 + 0.3 * data.x + rng.normal(0, 0.8, 2000)))
    fit = glmm("k ~ x + (1 | row)", data, family="poisson", method="agq")
    assert np.sqrt(sound(fit).variance("row")) == pytest.approx(0.8, abs=0.08)


@case
def case_levels_equal_rows_linear():
    with refused("row", "residual"):
        lmm("v ~ x + (1 | row)", frame().assign(row=np.arange(400)))


@case
def case_slopes_equal_rows_linear():
    said(lmm("v ~ x + (1 + x | g)", frame(n=80, clusters=40)), "many_effects", "warning", "g")


@case
def case_one_cluster():
    for fit in (glmm, lmm):
        with refused("g", "one level", "Leave the random term out"):
            fit(MODEL, frame().assign(g=1))


@case
def case_two_clusters():
    said(sound(glmm(MODEL, frame(n=600, clusters=2, sd=1.5))), "few_levels", "note", "g")


@case
def case_one_dominant_cluster():
    data = frame(n=3000, clusters=300)
    data["g"] = np.where(data.g < 270, 0, data.g)
    sound(glmm(MODEL, data))


@case
def case_one_to_one_factors():
    with refused("g", "h", "one to one", "Keep one"):
        glmm("y ~ x + (1 | g) + (1 | h)", frame().assign(h=lambda d: "h" + d.g.astype(str)))


@case
def case_one_to_one_nesting():
    with refused("g", "g:h", "one to one"):
        glmm("y ~ x + (1 | g/h)", frame().assign(h=lambda d: d.g % 3))


@case
def case_repeated_subjects():
    data = frame().assign(patient=lambda d: d.index // 2)
    fit = glmm(MODEL, data, repeated="patient")
    said(fit, "repeated_subjects", "warning", "patient", "(1 | patient)", "cluster_robust")
    for fit in (glmm(MODEL, data), glmm(MODEL, data.assign(patient=data.index), repeated="patient")):
        sound(fit)
    with_effect = lmm("v ~ x + (1 | g) + (1 | patient)", data, repeated="patient")
    assert not [note for note in with_effect.diagnostics if note.code == "repeated_subjects"]
    with refused("nobody"):
        lmm("v ~ x + (1 | g)", data, repeated="nobody")


@case
def case_perfect_slope_correlation():
    rng = np.random.default_rng(5)
    b = rng.normal(0, 1, 20)
    data = frame(n=2000)
    data["v"] = data.x + b[data.g] * (1 + 2 * data.x) + rng.normal(0, 0.5, 2000)
    fit = sound(lmm("v ~ x + (1 + x | g)", data))
    covariance = fit.variance_components["g"].to_numpy()
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert correlation > 0.98
    if correlation > 1 - 1e-6:
        said(fit, "singular", "note", "x")


@case
def case_constant_slope_covariate():
    with refused("random term", "g", "one"):
        lmm("v ~ x + (1 + one | g)", frame().assign(one=1.0))


@case
def case_duplicated_random_term():
    with refused("twice"):
        glmm("y ~ x + (1 | g) + (1 | g)", frame())


@case
def case_pair_code_overflow():
    rng = np.random.default_rng(1)
    data = frame(n=10_000, clusters=500)
    names = list("abcde")
    for name in names:
        data[name] = rng.permutation(10_000)[data.g]
        data.loc[data.index >= 9_000, name] = rng.permutation(10_000)[:1000]
    data["key"] = data[names].astype(str).agg(":".join, axis=1)
    same(glmm("y ~ x + (1 | a:b:c:d:e)", data), glmm("y ~ x + (1 | key)", data))


@case
def case_level_lost_to_weights():
    data = frame().assign(w=lambda d: (d.g != 3).astype(float))
    kept = data[data.g != 3]
    for fit, outcome in ((glmm, "y"), (lmm, "v")):
        whole = sound(fit(f"{outcome} ~ x + (1 | g)", data, weights="w"))
        same(whole, fit(f"{outcome} ~ x + (1 | g)", kept))
        assert whole.mode("g")[3] == pytest.approx(0, abs=1e-9)

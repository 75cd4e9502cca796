"""The bootstrap of whole hospitals: multiplicities against copied rows, and what a run must not depend on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from profiling.assessment.cms_bootstrap import cms_bootstrap
from profiling.errors import ModelError
from profiling.modeling import glmm, lmm
from profiling.modeling.resampling import Resampler


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(4)
    n = 3000
    physician = random.integers(0, 60, n)
    hospital = np.where(random.random(n) < 0.05, (physician // 5 + 1) % 12, physician // 5)
    x = random.normal(size=n)
    effect = random.normal(0, 0.5, 12)[hospital] + random.normal(0, 0.5, 60)[physician]
    y = (random.random(n) < special.expit(-1 + 0.6 * x + effect)).astype(int)
    stay = 2 + 0.3 * x + effect + random.normal(size=n)
    return pd.DataFrame({"hospital": hospital, "physician": physician, "x": x, "y": y, "stay": stay})


MULTIPLICITY = np.array([2, 0, 1, 1, 3, 0, 1, 1, 0, 2, 1, 0])


def copied(table: pd.DataFrame) -> pd.DataFrame:
    """Each drawn copy of a hospital takes its rows as new levels of hospital and physician."""
    parts = []
    for hospital, times in enumerate(MULTIPLICITY):
        rows = table[table["hospital"] == hospital]
        for copy in range(times):
            name = f"{hospital}/{copy}"
            parts.append(rows.assign(hospital=name, physician=[f"{name}/{p}" for p in rows["physician"]]))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("formula", ["y ~ x + (1 | hospital)", "y ~ x + (1 | hospital) + (1 | physician)"])
def test_multiplicities_are_copied_rows(table: pd.DataFrame, formula: str) -> None:
    found = Resampler(glmm(formula, table)).refit(MULTIPLICITY, tolerance=1e-16)
    whole = glmm(formula, copied(table))
    # A fit stops at 1e-5 standard errors of the maximum; both sides go further here.
    exact = Resampler(whole).refit(np.ones(MULTIPLICITY.sum()), tolerance=1e-16)
    assert found.converged
    assert found.fixed_effects == pytest.approx(exact.fixed_effects, abs=1e-8)
    assert found.theta == pytest.approx(exact.theta, abs=1e-8)
    assert found.log_likelihood == pytest.approx(exact.log_likelihood, abs=1e-8)
    mode, sd = exact.effects["hospital"].mode[:, 0], exact.effects["hospital"].sd[:, 0]
    for hospital in np.flatnonzero(MULTIPLICITY):
        at = list(whole.levels("hospital")).index(f"{hospital}/0")
        assert found.effects["hospital"].mode[hospital, 0] == pytest.approx(mode[at], abs=1e-8)
        assert found.effects["hospital"].sd[hospital, 0] == pytest.approx(sd[at], abs=1e-8)


def test_multiplicities_are_copied_rows_in_a_linear_model(table: pd.DataFrame) -> None:
    formula = "stay ~ x + (1 | hospital) + (1 | physician)"
    found, whole = Resampler(lmm(formula, table)).refit(MULTIPLICITY), lmm(formula, copied(table))
    assert found.fixed_effects == pytest.approx(whole.fixed_effects.to_numpy(), abs=1e-7)
    assert found.residual_sd == pytest.approx(whole.residual_sd, abs=1e-7)


def test_result_depends_neither_on_workers_nor_on_an_interruption(table: pd.DataFrame, tmp_path: Path) -> None:
    fit = glmm("y ~ x + (1 | hospital)", table)
    whole = cms_bootstrap(fit, "hospital", 24, seed=7)
    state = tmp_path / "state.npz"
    cms_bootstrap(fit, "hospital", 11, seed=7, state=state)
    resumed = cms_bootstrap(fit, "hospital", 24, seed=7, state=state)
    spread = cms_bootstrap(fit, "hospital", 24, seed=7, workers=2)
    assert np.array_equal(whole.ratios, resumed.ratios, equal_nan=True)
    assert np.array_equal(whole.ratios, spread.ratios, equal_nan=True)
    assert not np.array_equal(whole.ratios, cms_bootstrap(fit, "hospital", 24, seed=8).ratios, equal_nan=True)
    assert 0.5 < np.isfinite(whole.ratios).mean() < 0.76
    with pytest.raises(ModelError, match="another fit, level or seed"):
        cms_bootstrap(fit, "hospital", 24, seed=8, state=state)


def test_one_resample_by_hand(table: pd.DataFrame) -> None:
    fit = glmm("y ~ x + (1 | hospital)", table)
    found = cms_bootstrap(fit, "hospital", 1, seed=3)
    generator = np.random.default_rng([3, 0])
    times = np.bincount(generator.integers(0, 12, 12), minlength=12)
    normal = generator.standard_normal(12)
    again = glmm("y ~ x + (1 | hospital)", table, cluster_weights=times.astype(float))
    b = again.mode("hospital") + again.mode_sd("hospital") * normal
    eta, code = again.linear_predictor, table["hospital"].to_numpy()
    ratio = np.bincount(code, special.expit(eta + b[code])) / np.bincount(code, special.expit(eta))
    drawn = times > 0
    assert found.ratios[0, drawn] == pytest.approx(ratio[drawn], rel=1e-4)
    assert np.isnan(found.ratios[0, ~drawn]).all()


def test_physicians_follow_their_hospital(table: pd.DataFrame) -> None:
    fit = glmm("y ~ x + (1 | hospital) + (1 | physician)", table)
    found = cms_bootstrap(fit, "physician", 30, seed=1)
    limits = found.intervals()
    known = limits[limits["resamples"] >= 20]
    assert len(known) > 10
    assert (known["ratio_lower"] < known["ratio_upper"]).all()

"""Assessments of real fits: the figures that lme4 and the data's own structure fix in advance."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from profiling.assessment import ProfileOptions, assess, profile_providers
from profiling.assessment.posterior import conditional_modes
from profiling.assessment.standardization import provider_sums
from profiling.modeling import glmm, lmm

SHARED = Path(os.environ.get("PROFILING_SHARED", "../shared"))
SURGEONS = SHARED / "data/surgeon_cardiac"


@pytest.fixture(scope="module")
def two_levels() -> pd.DataFrame:
    random = np.random.default_rng(42)
    n, hospitals, physicians = 12_000, 20, 160
    physician = random.integers(0, physicians, n)
    hospital = physician // 8
    hospital = np.where((physician % 10 == 0) & (random.random(n) < 0.4), (hospital + 1) % hospitals, hospital)
    x = random.normal(size=n)
    effect = random.normal(0, 0.4, hospitals)[hospital] + random.normal(0, 0.3, physicians)[physician]
    died = (random.random(n) < 1 / (1 + np.exp(2.2 - 0.7 * x - effect))).astype(int)
    stay = np.exp(1 + 0.2 * x + effect + random.normal(0, 0.5, n))
    return pd.DataFrame({"hospital": hospital, "physician": physician, "x": x, "died": died, "stay": stay})


@pytest.mark.skipif(not SURGEONS.is_dir(), reason="no folder surgeon_cardiac under PROFILING_SHARED")
def test_surgeons_have_lme4_s_modes_and_the_posterior_kernel_s() -> None:
    table = pd.read_csv(next(iter(SURGEONS.glob("*.csv*"))))
    fit = glmm("status ~ Parsonnet + (1 | surgeon)", table, family="binomial")
    whole = assess(fit, "surgeon")
    lme4 = [0.2187, 0.3472, -0.3144, 0.3564, -0.3895, -0.2545, 0.0802]
    assert whole.frame["mode"].to_numpy() == pytest.approx(lme4, abs=1e-4)
    rows = whole.rows
    mode, sd = conditional_modes(
        rows.eta,
        provider_sums(rows.observed, rows.starts),
        rows.starts,
        float(np.sqrt(rows.variance)),
        np.zeros(7),
    )
    assert mode == pytest.approx(whole.frame["mode"].to_numpy(), abs=1e-6)
    assert sd == pytest.approx(whole.frame["mode_sd"].to_numpy(), rel=1e-6)
    assert list(whole.frame["observed"]) == list(table.groupby("surgeon")["status"].sum())


def test_two_levels_of_a_real_fit(two_levels: pd.DataFrame) -> None:
    fit = glmm("died ~ x + (1 | hospital) + (1 | physician)", two_levels, family="binomial")
    hospital, within, statewide = (
        assess(fit, level, ProfileOptions(outer="hospital", inner="physician", inner_expected=expected))
        for level, expected in (
            ("hospital", "within_hospital"),
            ("physician", "within_hospital"),
            ("physician", "statewide"),
        )
    )
    for found in (hospital, within, statewide):
        assert found.frame["observed"].sum() == two_levels["died"].sum()
        total = found.frame["observed"].sum() / found.frame["expected_marginal"].sum()
        assert total == pytest.approx(1, abs=0.03)
        assert (found.frame["ratio_lower"] < found.frame["ratio"]).all()
        assert (found.frame["ratio"] < found.frame["ratio_upper"]).all()
    sums = within.frame.groupby("parent")["n"].sum()
    assert len(sums) == 20


def test_observed_less_predicted_is_the_effect_over_its_variance(two_levels: pd.DataFrame) -> None:
    """The score equation of the mode, O − P = b̂/σ², with every effect in P."""
    fit = glmm("died ~ x + (1 | hospital) + (1 | physician)", two_levels, family="binomial")
    for level in ("hospital", "physician"):
        frame = profile_providers(fit, level, ProfileOptions(outer="hospital", inner="physician", include_inner=True))
        variance = fit.variance_components[level].iloc[0, 0]
        left = (frame["observed"] - frame["predicted"]).to_numpy()
        assert left == pytest.approx((frame["mode"] / variance).to_numpy(), abs=1e-4)
        assert frame["mode"].abs().max() > 0.2


def test_log_gaussian_length_of_stay(two_levels: pd.DataFrame) -> None:
    fit = lmm("np.log(stay) ~ x + (1 | hospital) + (1 | physician)", two_levels)
    for level in ("hospital", "physician"):
        frame = profile_providers(
            fit, level, ProfileOptions(outer="hospital", inner="physician", family="log_gaussian")
        )
        assert frame["observed"].sum() == pytest.approx(two_levels["stay"].sum())
        assert frame["observed"].sum() / frame["expected_marginal"].sum() == pytest.approx(1, abs=0.05)
        assert np.corrcoef(np.log(frame["oe_ratio"]), frame["mode"])[0, 1] > 0.9

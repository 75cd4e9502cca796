"""Direct standardization, differences, external standards and counts, against their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

from profiling import glmm
from profiling.assessment import (
    ProfileOptions,
    assess,
    differences,
    directly_standardized,
    funnel_limits,
    model_checks,
    profile_providers,
)
from profiling.assessment.direct import direct_rates
from profiling.assessment.external import from_coefficients, recalibrated
from profiling.errors import ModelError


def records(seed: int = 1, rows: int = 4000, hospitals: int = 30) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    hospital = random.integers(0, hospitals, rows)
    age = random.normal(0, 1, rows)
    exposure = random.uniform(0.5, 3, rows)
    effect = random.normal(0, 0.4, hospitals)[hospital]
    return pd.DataFrame(
        {
            "hospital": hospital,
            "age": age,
            "exposure": exposure,
            "died": (random.random(rows) < special.expit(-1.5 + 0.6 * age + effect)).astype(float),
            "falls": random.poisson(exposure * np.exp(-1 + 0.3 * age + effect)).astype(float),
        }
    )


def test_direct_rate_puts_everybody_at_each_hospital() -> None:
    data = records()
    fit = glmm("died ~ age + (1 | hospital)", data, family="binomial")
    found = directly_standardized(fit, "hospital")
    eta = fit.linear_predictor
    by_hand = [special.expit(eta + mode).mean() for mode in fit.mode("hospital")]
    assert found["direct_rate"].to_numpy() == pytest.approx(by_hand, abs=1e-12)
    assert ((found["direct_lower"] < found["direct_rate"]) & (found["direct_rate"] < found["direct_upper"])).all()
    indirect = profile_providers(fit, "hospital")
    assert np.corrcoef(found["direct_rate"], indirect["risk_standardized_rate"])[0, 1] > 0.98


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "log", "identity"])
def test_interpolated_direct_rates_are_the_means(link: str) -> None:
    random = np.random.default_rng(2)
    eta, effects = random.normal(-1, 1, 500), np.append(random.normal(0, 0.8, 40), [-3, 3])
    inverse: Any = {
        "logit": special.expit,
        "probit": special.ndtr,
        "cloglog": lambda x: -np.expm1(-np.exp(x)),
        "log": np.exp,
        "identity": lambda x: x,
    }[link]
    exact = inverse(eta[:, None] + effects[None, :]).mean(axis=0)
    assert direct_rates(eta, effects, link) == pytest.approx(exact, rel=1e-9, abs=1e-10)
    assert direct_rates(eta, np.full(3, 0.2), link) == pytest.approx(np.full(3, inverse(eta + 0.2).mean()))


def test_differences_are_those_of_the_sums() -> None:
    fit = glmm("died ~ age + (1 | hospital)", records(), family="binomial")
    frame = profile_providers(fit, "hospital")
    found = differences(frame)
    assert found["excess"].to_numpy() == pytest.approx((frame["predicted"] - frame["expected"]).to_numpy())
    assert found["rate_difference"].to_numpy() == pytest.approx((found["excess"] / frame["n"]).to_numpy())
    assert found["raw_excess"].sum() == pytest.approx(
        frame["observed"].sum() - frame["expected_marginal"].sum(), abs=1e-9
    )
    assert (found["difference_lower"] < found["difference_upper"]).all()


def test_last_years_coefficients_are_an_external_standard() -> None:
    """Frozen coefficients give the expected numbers of the model they come from."""
    last, now = records(3), records(4)
    old = glmm("died ~ age + (1 | hospital)", last, family="binomial")
    beta = old.fixed_effects
    expected = from_coefficients(now, beta[["age"]], float(beta["Intercept"]))
    assert expected == pytest.approx(special.expit(beta["Intercept"] + beta["age"] * now["age"]).to_numpy())
    sd = float(np.sqrt(old.variance_components["hospital"].to_numpy()[0, 0]))
    table = pd.DataFrame({"hospital": now["hospital"], "observed": now["died"], "expected": expected})
    frame = profile_providers(table, "hospital", ProfileOptions(random_sd=sd))
    sums = np.bincount(now["hospital"], weights=expected)
    assert frame["expected"].to_numpy() == pytest.approx(sums)
    again = recalibrated(expected, now["died"].to_numpy())
    assert again.sum() == pytest.approx(now["died"].sum())


@pytest.mark.parametrize(
    ("coefficients", "link", "words"),
    [({"bmi": 1.0}, "logit", "no column bmi"), ({"age": 1.0}, "square", "link"), ({"gap": 1.0}, "logit", "1 rows")],
)
def test_standards_that_cannot_be_applied_are_refused(coefficients: dict[str, float], link: str, words: str) -> None:
    traits = records(5, 20).assign(gap=lambda t: t["age"].where(t.index > 0))
    with pytest.raises(ModelError, match=words):
        from_coefficients(traits, pd.Series(coefficients), link=link)


def test_counts_with_exposure() -> None:
    """Falls per day: O, E, P, exact Poisson mid-p and limits of a Poisson mixed model."""
    data = records(6)
    fit = glmm("falls ~ age + (1 | hospital)", data, family="poisson", offset=np.log(data["exposure"].to_numpy()))
    assessment = assess(fit, "hospital", ProfileOptions(posterior="plug_in"))
    frame = assessment.frame
    code = data["hospital"].to_numpy()
    assert frame["observed"].to_numpy() == pytest.approx(np.bincount(code, weights=data["falls"]))
    expected = np.bincount(code, weights=np.exp(fit.linear_predictor))
    assert frame["expected"].to_numpy() == pytest.approx(expected)
    sigma2 = float(fit.variance_components["hospital"].to_numpy()[0, 0])
    assert frame["expected_marginal"].to_numpy() == pytest.approx(expected * np.exp(sigma2 / 2))
    assert frame["ratio"].to_numpy() == pytest.approx(np.exp(fit.mode("hospital")))
    o, e = frame["observed"].to_numpy(), frame["expected_marginal"].to_numpy()
    upper = stats.poisson.sf(o, e) + stats.poisson.pmf(o, e) / 2
    assert frame["probability_by_chance"].to_numpy() == pytest.approx(2 * np.minimum(upper, 1 - upper))
    assert frame["oe_lower"].to_numpy() == pytest.approx(stats.chi2.ppf(0.025, 2 * o) / 2 / e)
    limits = funnel_limits(assessment, "hospital", 400)
    low, high = (np.interp(e, limits["expected"], limits[f"{side}_watch"]) for side in ("lower", "upper"))
    outside = (frame["oe_ratio"] < low) | (frame["oe_ratio"] > high)
    assert (outside == (frame["probability_by_chance"] < 0.05)).all()
    names = set(model_checks(fit, {"hospital": assessment})["name"])
    assert {"expected_false_watch_hospital", "power_flag_hospital"} <= names


def test_counts_of_a_table_find_the_modes_anew() -> None:
    data = records(7)
    expected = data["exposure"].to_numpy() * np.exp(-1 + 0.3 * data["age"].to_numpy())
    table = pd.DataFrame({"hospital": data["hospital"], "observed": data["falls"], "expected": expected})
    frame = profile_providers(table, "hospital", ProfileOptions(family="poisson", random_sd=0.4))
    for j in (0, 7):
        row = frame.iloc[j]
        loss = lambda b, r=row: r["expected"] * np.exp(b) - r["observed"] * b + b * b / 0.32  # noqa: E731
        mode = optimize.minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-10}).x
        assert row["mode"] == pytest.approx(mode, abs=1e-6)
        assert row["mode_sd"] == pytest.approx(1 / np.sqrt(row["predicted"] + 1 / 0.16))

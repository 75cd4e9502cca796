"""Profiles of a model with known parameters, against direct computation of each definition."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, special, stats

from profiling.assessment import (
    COLUMNS,
    ProfileOptions,
    assess,
    calibration,
    flag_summary,
    flags,
    funnel_limits,
    model_checks,
    predictions,
    profile_providers,
)
from profiling.assessment.posterior import logistic_posterior
from profiling.assessment.standardization import marginal_response
from profiling.errors import ModelError, UsageError


@dataclass(frozen=True)
class FrozenFit:
    """The attributes that an assessment reads of a fitted model, and no others."""

    linear_predictor: np.ndarray[Any, Any]
    outcome: np.ndarray[Any, Any]
    codes: dict[str, np.ndarray[Any, Any]]
    labels: dict[str, np.ndarray[Any, Any]]
    modes: dict[str, np.ndarray[Any, Any]]
    sds: dict[str, np.ndarray[Any, Any]]
    variances: dict[str, float]
    family: str = "binomial"
    link: str = "logit"
    residual_sd: float | None = None
    weights: Any = None
    log_likelihood: float = -12.5
    newton_decrement: float = 1e-12
    iterations: int = 7
    converged: bool = True
    method: str = "laplace"
    sd_full: dict[str, Any] = field(default_factory=dict)

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(self.codes)

    @property
    def variance_components(self) -> dict[str, pd.DataFrame]:
        return {g: pd.DataFrame([[v]], index=["Intercept"], columns=["Intercept"]) for g, v in self.variances.items()}

    def level_codes(self, group: str) -> Any:
        return self.codes[group]

    def levels(self, group: str) -> Any:
        return self.labels[group]

    def mode(self, group: str) -> Any:
        return self.modes[group]

    def mode_sd(self, group: str) -> Any:
        return self.sds[group]

    def random_effects(self, group: str) -> pd.DataFrame:
        order = np.arange(len(self.labels[group]))[::-1]
        full = self.sd_full.get(group, self.sds[group])
        return pd.DataFrame(
            {
                "level": self.labels[group][order],
                "term": "Intercept",
                "mode": self.modes[group][order],
                "sd": self.sds[group][order],
                "sd_beta": full[order],
                "sd_full": full[order],
            }
        )


def fit_random_effects(
    eta: Any, y: Any, codes: dict[str, Any], variances: dict[str, float], residual_sd: float | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Modes and conditional sds by dense Newton steps: H = Z'WZ + Σ⁻¹."""
    sizes = {g: int(c.max()) + 1 for g, c in codes.items()}
    z = np.hstack([np.eye(sizes[g])[c] for g, c in codes.items()])
    prior = np.concatenate([np.full(sizes[g], 1 / variances[g]) for g in codes])
    b = np.zeros(z.shape[1])
    for _ in range(60):
        if residual_sd is None:
            mean = special.expit(eta + z @ b)
            score, weight = y - mean, mean * (1 - mean)
        else:
            score, weight = (y - eta - z @ b) / residual_sd**2, np.full(len(y), residual_sd**-2)
        inverse = np.linalg.inv((z * weight[:, None]).T @ z + np.diag(prior))
        b = b + inverse @ (z.T @ score - prior * b)
    cuts = np.cumsum(list(sizes.values()))[:-1]
    return (
        dict(zip(codes, np.split(b, cuts), strict=True)),
        dict(zip(codes, np.split(np.sqrt(np.diag(inverse)), cuts), strict=True)),
    )


def simulated(levels: int = 1, family: str = "binomial", seed: int = 3, sigma: float = 0.5) -> FrozenFit:
    random = np.random.default_rng(seed)
    n, hospitals, physicians = 3000, 12, 40
    hospital = np.sort(random.integers(0, hospitals, n) * random.integers(0, 2, n))
    hospital = np.unique(hospital, return_inverse=True)[1]
    hospitals = hospital.max() + 1
    physician = (random.integers(0, physicians, n) // 4 * 4 + hospital % 4) % physicians
    physician = np.unique(physician, return_inverse=True)[1]
    shuffle = random.permutation(n)
    codes = {"hospital": hospital[shuffle]} | ({"physician": physician[shuffle]} if levels == 2 else {})
    variances = {"hospital": sigma**2, "physician": 0.3**2}
    effects = sum(random.normal(size=c.max() + 1)[c] * np.sqrt(variances[g]) for g, c in codes.items())
    eta = -2 + random.normal(size=n)
    residual_sd = None if family == "binomial" else 0.6
    y = (
        (random.random(n) < special.expit(eta + effects)).astype(float)
        if residual_sd is None
        else eta + effects + residual_sd * random.normal(size=n)
    )
    modes, sds = fit_random_effects(eta, y, codes, variances, residual_sd)
    labels = {g: np.array([f"{g[0]}{i:02d}" for i in range(c.max() + 1)]) for g, c in codes.items()}
    return FrozenFit(
        eta,
        y,
        codes,
        labels,
        modes,
        sds,
        {g: variances[g] for g in codes},
        family=family,
        link="logit" if family == "binomial" else "identity",
        residual_sd=residual_sd,
    )


def by(values: Any, codes: Any) -> Any:
    return np.bincount(codes, weights=values)


def averaged(eta: Any, variance: float) -> Any:
    """∫ expit(eta + b) dN(b; 0, variance) by adaptive quadrature, through 200 values of eta."""
    sd = np.sqrt(variance)
    grid = np.linspace(eta.min(), eta.max(), 200)
    exact = [integrate.quad(lambda b, e=e: special.expit(e + sd * b) * stats.norm.pdf(b), -10, 10)[0] for e in grid]
    from scipy.interpolate import CubicSpline

    return CubicSpline(grid, exact)(eta)


def test_one_level_follows_the_definitions() -> None:
    fit = simulated()
    found, code = profile_providers(fit, "hospital"), fit.codes["hospital"]
    assert tuple(found.columns) == COLUMNS
    assert list(found["provider"]) == list(fit.labels["hospital"])
    assert found["parent"].isna().all()
    eta, mode = fit.linear_predictor, fit.modes["hospital"]
    assert found["observed"].to_numpy() == pytest.approx(by(fit.outcome, code))
    assert found["expected"].to_numpy() == pytest.approx(by(special.expit(eta), code), rel=1e-12)
    assert found["predicted"].to_numpy() == pytest.approx(by(special.expit(eta + mode[code]), code), rel=1e-12)
    assert found["expected_marginal"].to_numpy() == pytest.approx(by(averaged(eta, 0.25), code), rel=1e-6)
    assert (found["ratio"] * found["expected"]).to_numpy() == pytest.approx(found["predicted"].to_numpy())
    assert found["risk_standardized_rate"].to_numpy() == pytest.approx((found["ratio"] * fit.outcome.mean()).to_numpy())
    assert found["reliability"].to_numpy() == pytest.approx(1 - fit.sds["hospital"] ** 2 / 0.25)
    p = special.expit(eta + mode[code])
    v = 1 / by(p * (1 - p), code)
    assert found["reliability"].to_numpy() == pytest.approx(0.25 / (0.25 + v), rel=1e-6)
    assert found["cases_for_reliability"].to_numpy() == pytest.approx(
        found["n"].to_numpy() * v / 0.25 * 7 / 3, rel=1e-6
    )


def test_the_marginal_expectation_removes_the_jensen_gap() -> None:
    """Over many providers ΣO = ΣE averaged over the effects, while b = 0 undercounts a rare event."""
    random = np.random.default_rng(1)
    code = np.repeat(np.arange(4000), 60)
    eta = random.normal(-3, 0.5, len(code))
    y = (random.random(len(code)) < special.expit(eta + random.normal(0, 0.7, 4000)[code])).astype(float)
    total = marginal_response(eta, "logit", 0.49).sum()
    assert y.sum() / total == pytest.approx(1, abs=0.02)
    assert y.sum() / special.expit(eta).sum() > 1.15


@pytest.mark.parametrize("sd", [0.1, 0.5, 1.0, 2.0])
def test_marginal_response_is_the_integral(sd: float) -> None:
    eta = np.linspace(-8, 6, 15)
    exact = [
        integrate.quad(lambda b, e=e: special.expit(e + sd * b) * stats.norm.pdf(b), -12, 12, epsabs=1e-13)[0]
        for e in eta
    ]
    assert marginal_response(eta, "logit", sd**2) == pytest.approx(exact, abs=1e-9 if sd <= 1 else 2e-6)


def test_posterior_interval_is_the_integral_of_the_posterior() -> None:
    """Quantiles and P(ratio > 1) by scipy's quadrature of the unnormalized density, for few and many
    cases."""
    fit = simulated(sigma=0.8)
    keep = np.concatenate([np.flatnonzero(fit.codes["hospital"] == j)[:k] for j, k in ((0, 900), (1, 4), (2, 60))])
    order = np.argsort(fit.codes["hospital"][keep], kind="stable")
    eta, y, code = (a[keep][order] for a in (fit.linear_predictor, fit.outcome, fit.codes["hospital"]))
    starts = np.concatenate([[0], np.cumsum(np.bincount(code))])
    norm, sigma = np.array([0.0, 0.1, -0.4]), 1.3
    found = logistic_posterior(eta, np.bincount(code, weights=y), starts, sigma, norm, (0.001, 0.025, 0.5, 0.975))
    for j in range(3):
        e, o = eta[code == j], y[code == j]

        def log_density(b: float, e: Any = e, o: Any = o) -> float:
            return float((o * (e + b) - np.logaddexp(0, e + b)).sum() - b * b / (2 * sigma**2))

        top = optimize.minimize_scalar(lambda b: -log_density(b)).x
        height = log_density(top)
        density = lambda b, f=log_density, h=height: np.exp(f(b) - h)  # noqa: E731
        low, high = top - 9 * found.sd[j], top + 9 * found.sd[j]
        total = integrate.quad(density, low, high, points=[top], epsabs=1e-13, limit=200)[0]

        def above(x: float, density: Any = density, high: float = high, total: float = total) -> float:
            return float(integrate.quad(density, x, high, epsabs=1e-13, limit=200)[0] / total)

        assert found.above[j] == pytest.approx(above(norm[j]), abs=1e-7)
        for k, probability in enumerate((0.001, 0.025, 0.5, 0.975)):
            assert 1 - above(found.quantiles[j, k]) == pytest.approx(probability, abs=1e-6)
        mean = integrate.quad(lambda b, d=density: b * d(b), low, high, points=[top], limit=200)[0] / total
        assert found.mean[j] == pytest.approx(mean, abs=1e-6)


def test_interval_of_the_ratio_is_the_quantile_carried_through() -> None:
    fit = simulated()
    found, code = profile_providers(fit, "hospital"), fit.codes["hospital"]
    above = found["ratio_lower"] > 1
    assert (found.loc[above, "probability_above"] > 0.975 - 1e-7).all()
    below_upper = found["ratio_upper"] < 1
    assert (found.loc[below_upper, "probability_above"] < 0.025 + 1e-7).all()
    assert (above | below_upper).any()
    gauss = profile_providers(fit, "hospital", ProfileOptions(posterior="delta"))
    b = fit.modes["hospital"] + 1.959963985 * fit.sds["hospital"]
    upper = by(special.expit(fit.linear_predictor + b[code]), code) / by(special.expit(fit.linear_predictor), code)
    assert gauss["ratio_upper"].to_numpy() == pytest.approx(upper, rel=1e-9)


def test_two_levels_hospital_and_physician_within_hospital() -> None:
    fit = simulated(levels=2)
    eta, h, p = fit.linear_predictor, fit.codes["hospital"], fit.codes["physician"]
    bh, bp = fit.modes["hospital"][h], fit.modes["physician"][p]
    hospital, physician = (
        profile_providers(fit, level, ProfileOptions(outer="hospital", inner="physician"))
        for level in ("hospital", "physician")
    )
    assert hospital["predicted"].to_numpy() == pytest.approx(by(special.expit(eta + bh), h))
    assert hospital["expected"].to_numpy() == pytest.approx(by(special.expit(eta), h))
    assert hospital["expected_marginal"].to_numpy() == pytest.approx(by(averaged(eta, 0.25 + 0.09), h), rel=1e-6)
    assert physician["predicted"].to_numpy() == pytest.approx(by(special.expit(eta + bh + bp), p))
    assert physician["expected"].to_numpy() == pytest.approx(by(special.expit(eta + bh), p))
    assert physician["expected_marginal"].to_numpy() == pytest.approx(by(averaged(eta + bh, 0.09), p), rel=1e-6)
    both = profile_providers(fit, "hospital", ProfileOptions(include_inner=True))
    assert both["predicted"].to_numpy() == pytest.approx(by(special.expit(eta + bh + bp), h))
    crossing = pd.crosstab(p, h)
    assert list(physician["parent"]) == [fit.labels["hospital"][j] for j in crossing.to_numpy().argmax(axis=1)]
    assert list(physician["n_parents"]) == list((crossing > 0).sum(axis=1))
    assert physician["n_parents"].max() > 1


def test_physician_statewide_sets_the_hospital_to_zero_and_answers_for_both() -> None:
    fit = simulated(levels=2)
    eta, h, p = fit.linear_predictor, fit.codes["hospital"], fit.codes["physician"]
    bh, bp = fit.modes["hospital"][h], fit.modes["physician"][p]
    found = profile_providers(fit, "physician", ProfileOptions(inner_expected="statewide"))
    assert found["expected"].to_numpy() == pytest.approx(by(special.expit(eta), p))
    assert found["predicted"].to_numpy() == pytest.approx(by(special.expit(eta + bh + bp), p))
    assert found["expected_marginal"].to_numpy() == pytest.approx(by(averaged(eta, 0.34), p), rel=1e-6)
    # The median of the effect carried through P/E lies at the ratio: they fall on the same side of 1.
    assert ((found["probability_above"] > 0.5) == (found["ratio"] > 1)).all()
    order = found.sort_values("ratio")["expected_rank"].to_numpy()
    assert stats.spearmanr(order, np.arange(len(order))).statistic > 0.9


def test_full_standard_deviation_widens_the_interval_and_follows_its_labels() -> None:
    fit = simulated(levels=2)
    wide = replace(fit, sd_full={"hospital": fit.sds["hospital"] * np.linspace(1, 2, len(fit.sds["hospital"]))})
    plain, full = profile_providers(fit, "hospital"), profile_providers(wide, "hospital")
    width = lambda t: np.log(t["ratio_upper"] / t["ratio_lower"])  # noqa: E731
    assert (width(full) / width(plain)).to_numpy() == pytest.approx(np.linspace(1, 2, len(plain)), rel=0.03)


def test_log_gaussian_is_reported_on_its_own_scale() -> None:
    fit = simulated(family="gaussian")
    found = profile_providers(fit, "hospital", ProfileOptions(family="log_gaussian"))
    eta, h, mode = fit.linear_predictor, fit.codes["hospital"], fit.modes["hospital"]
    assert found["observed"].to_numpy() == pytest.approx(by(np.exp(fit.outcome), h))
    assert found["expected"].to_numpy() == pytest.approx(by(np.exp(eta + 0.18), h))
    assert found["expected_marginal"].to_numpy() == pytest.approx(by(np.exp(eta + 0.18 + 0.125), h))
    assert found["ratio"].to_numpy() == pytest.approx(np.exp(mode))
    assert found["ratio_upper"].to_numpy() == pytest.approx(np.exp(mode + 1.959963985 * fit.sds["hospital"]))
    assert found["oe_lower"].isna().all()
    assert found["oe_upper"].isna().all()
    z = by(fit.outcome - eta, h) / np.sqrt(np.bincount(h)) / 0.6
    assert found["z"].to_numpy() == pytest.approx(z)
    assert found["probability_by_chance"].to_numpy() == pytest.approx(2 * stats.norm.sf(np.abs(z)))
    assert assess(fit, "hospital", ProfileOptions(family="log_gaussian")).rule == "interval"


def test_gaussian_mean_residual_counts_the_physicians_it_shares() -> None:
    fit = simulated(levels=2, family="gaussian")
    found, h, p = profile_providers(fit, "hospital"), fit.codes["hospital"], fit.codes["physician"]
    share = (pd.crosstab(h, p, normalize="index") ** 2).sum(axis=1).to_numpy()
    spread = np.sqrt(0.36 / np.bincount(h) + 0.09 * share)
    assert found["z"].to_numpy() == pytest.approx(by(fit.outcome - fit.linear_predictor, h) / np.bincount(h) / spread)
    assert found["predicted"].to_numpy() == pytest.approx(by(fit.linear_predictor + fit.modes["hospital"][h], h))


def test_a_table_with_the_effects_sd_gives_the_model_s_profile() -> None:
    fit = simulated()
    table = pd.DataFrame(
        {
            "hospital": fit.labels["hospital"][fit.codes["hospital"]],
            "observed": fit.outcome,
            "expected": special.expit(fit.linear_predictor),
            "expected_marginal": marginal_response(fit.linear_predictor, "logit", 0.25),
        }
    )
    found = profile_providers(table, "hospital", ProfileOptions(random_sd=0.5))
    expected = profile_providers(fit, "hospital")
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6)
    without = profile_providers(table, "hospital")
    assert without["ratio"].isna().all()
    assert without["expected_rank"].isna().all()
    assert list(without["category"]) == list(expected["category"])


def test_proportions_of_trials_stand_for_their_cases() -> None:
    fit = simulated()
    frame = pd.DataFrame({"e": np.round(fit.linear_predictor), "h": fit.codes["hospital"], "y": fit.outcome})
    single = replace(fit, linear_predictor=frame["e"].to_numpy())
    cells = frame.groupby(["e", "h"], as_index=False).agg(y=("y", "mean"), w=("y", "size"))
    grouped = replace(
        fit,
        linear_predictor=cells["e"].to_numpy(),
        outcome=cells["y"].to_numpy(),
        codes={"hospital": cells["h"].to_numpy()},
        weights=cells["w"].to_numpy(),
    )
    pd.testing.assert_frame_equal(
        profile_providers(grouped, "hospital"), profile_providers(single, "hospital"), rtol=1e-9
    )
    a, b = (model_checks(f).set_index("name")["value"] for f in (grouped, single))
    assert a["c_statistic"] == pytest.approx(b["c_statistic"])
    assert a["brier"] == pytest.approx(b["brier"])


def test_weights_that_are_no_trials_are_refused() -> None:
    fit = simulated()
    with pytest.raises(ModelError, match="weights: found weights that are not numbers of trials"):
        profile_providers(replace(fit, weights=np.full(len(fit.outcome), 0.5)), "hospital")


def test_unknown_levels_and_impossible_options_say_what_is_possible() -> None:
    with pytest.raises(ModelError, match="provider level: found clinic; expected one of hospital"):
        profile_providers(simulated(), "clinic")
    with pytest.raises(UsageError) as caught:
        ProfileOptions(watch=0.999, rule="both")  # type: ignore[arg-type]
    assert len(caught.value.problems) == 2
    with pytest.raises(ModelError, match="table of predictions: no column expected"):
        profile_providers(pd.DataFrame({"hospital": [1], "observed": [0]}), "hospital")


def test_a_variance_of_zero_leaves_every_provider_at_the_norm() -> None:
    fit = simulated()
    none = np.zeros(len(fit.labels["hospital"]))
    flat = replace(fit, modes={"hospital": none}, sds={"hospital": none}, variances={"hospital": 0.0})
    found = profile_providers(flat, "hospital")
    for column, value in (
        ("ratio", 1),
        ("ratio_lower", 1),
        ("ratio_upper", 1),
        ("probability_above", 0.5),
        ("reliability", 0),
        ("expected_rank", (len(none) + 1) / 2),
    ):
        assert found[column].to_numpy() == pytest.approx(np.full(len(none), value)), column
    assert found["cases_for_reliability"].isna().all()
    assert np.isfinite(found["probability_by_chance"]).all()


def test_funnel_rule_flags_by_the_exact_test_and_counts_chance_exactly() -> None:
    fit = simulated(sigma=0.5)
    whole = assess(fit, "hospital", ProfileOptions(minimum_cases=60))
    frame = whole.frame
    chance, too_few = frame["probability_by_chance"], frame["n"] < 60
    above = frame["observed"] > frame["expected_marginal"]
    assert ((frame["category"] == "too_few") == too_few).all()
    assert (frame["category"].isin(["higher", "lower"]) == (~too_few & (chance < 0.002))).all()
    assert (frame["category"] == "as_expected").equals(~too_few & (chance >= 0.05))
    assert (frame["category"].isin(["higher", "higher_watch"]) == (~too_few & (chance < 0.05) & above)).all()
    assert 0 < whole.expected_false_flag < 0.002 * (~too_few).sum()
    assert 0.5 * 0.05 * (~too_few).sum() < whole.expected_false_watch < 1.2 * 0.05 * (~too_few).sum()
    counted = flag_summary(frame)
    assert counted["providers"].sum() == len(frame)
    assert next(iter(counted["category"])) == "higher"


def test_interval_rule_flags_by_the_posterior() -> None:
    fit = simulated(sigma=0.5)
    frame = profile_providers(fit, "hospital", ProfileOptions(rule="interval", minimum_cases=0))
    outside = (frame["ratio_lower"] > 1) | (frame["ratio_upper"] < 1)
    assert ((frame["category"] != "as_expected") == outside).all()
    assert outside.any()


def test_direction_of_the_category_is_more_or_less_of_the_outcome() -> None:
    fit = simulated()
    frame = profile_providers(fit, "hospital")
    flipped = replace(
        fit,
        outcome=1 - fit.outcome,
        linear_predictor=-fit.linear_predictor,
        modes={"hospital": -fit.modes["hospital"]},
    )
    other = profile_providers(flipped, "hospital")
    swap = {
        "higher": "lower",
        "lower": "higher",
        "higher_watch": "lower_watch",
        "lower_watch": "higher_watch",
    }
    assert list(frame["category"].replace(swap)) == list(other["category"])
    assert other["z"].to_numpy() == pytest.approx(-frame["z"].to_numpy(), abs=1e-7)


def test_frames_for_the_store_have_its_columns() -> None:
    fit = simulated(levels=2)
    options = ProfileOptions(outer="hospital", inner="physician")
    whole = {level: assess(fit, level, options) for level in ("hospital", "physician")}
    limits = funnel_limits(whole["hospital"], "hospital")
    assert list(limits) == [
        "level",
        "position",
        "expected",
        "lower_flag",
        "lower_watch",
        "upper_watch",
        "upper_flag",
    ]
    assert (limits["lower_flag"] <= limits["lower_watch"]).all()
    assert ((limits["lower_watch"] < 1) & (limits["upper_watch"] > 1)).all()
    assert (limits["upper_watch"] < limits["upper_flag"]).all()
    assert list(flags(whole["hospital"], "hospital")) == [
        "level",
        "provider",
        "rule",
        "category",
        "probability_by_chance",
        "watch_limit",
        "flag_limit",
    ]
    checks = model_checks(fit, whole, options).set_index("name")["value"]
    for name in (
        "log_likelihood",
        "newton_decrement",
        "iterations",
        "converged",
        "c_statistic",
        "brier",
        "rows",
        "calibration_intercept",
        "calibration_slope",
        "observed_over_expected",
        "icc_hospital",
        "median_odds_ratio_physician",
        "rankability_hospital",
        "expected_false_watch_physician",
        "expected_false_flag_hospital",
    ):
        assert np.isfinite(checks[name]), name
    assert checks["icc_hospital"] == pytest.approx(0.25 / (0.25 + 0.09 + np.pi**2 / 3))
    assert checks["median_odds_ratio_hospital"] == pytest.approx(np.exp(0.6744897502 * np.sqrt(2 * 0.25)))
    bands = calibration(fit, options)
    assert list(bands) == ["band", "n", "observed", "expected"]
    assert bands["n"].sum() == len(fit.outcome)
    assert bands["observed"].sum() == fit.outcome.sum()


def test_predictions_sum_to_the_profile() -> None:
    fit = simulated(levels=2)
    options = ProfileOptions(outer="hospital", inner="physician")
    for level, column in (("hospital", "outer_provider"), ("physician", "inner_provider")):
        rows = predictions(fit, np.arange(len(fit.outcome)), options, level)
        assert rows["observed"].to_numpy() == pytest.approx(fit.outcome)
        sums = rows.groupby(column)[["observed", "expected", "expected_marginal", "predicted"]].sum()
        profile = profile_providers(fit, level, options).set_index("provider")
        for name in sums:
            assert sums[name].to_numpy() == pytest.approx(profile[name].to_numpy(), rel=1e-10), name


def test_results_do_not_depend_on_the_order_of_rows_or_the_number_of_threads() -> None:
    import numba

    fit = simulated(levels=2)
    one = profile_providers(fit, "physician")
    order = np.random.default_rng(0).permutation(len(fit.outcome))
    moved = replace(
        fit,
        linear_predictor=fit.linear_predictor[order],
        outcome=fit.outcome[order],
        codes={g: c[order] for g, c in fit.codes.items()},
    )
    pd.testing.assert_frame_equal(profile_providers(moved, "physician"), one, rtol=1e-9)
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        pd.testing.assert_frame_equal(profile_providers(fit, "physician"), one, rtol=0, atol=0)
    finally:
        numba.set_num_threads(threads)


def test_calibration_slope_is_one_for_the_true_probabilities() -> None:
    random = np.random.default_rng(8)
    from profiling.assessment.checks import calibration_line

    eta = random.normal(-1, 1.2, 200_000)
    y = (random.random(len(eta)) < special.expit(eta)).astype(float)
    intercept, slope = calibration_line(y, eta)
    assert (intercept, slope) == (pytest.approx(0, abs=0.03), pytest.approx(1, abs=0.03))
    intercept, slope = calibration_line(y, 2 * eta + 1)
    assert slope == pytest.approx(0.5, abs=0.02)
    assert intercept == pytest.approx(-0.5, abs=0.03)

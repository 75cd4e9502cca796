"""The printed tables of NHS England, New York State, CMS and PHE, and the figures of published rules."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from profiling.assessment.agreement.__main__ import main
from profiling.assessment.agreement.cms import payment_reduction
from profiling.assessment.agreement.table import agreements, as_text, compared
from profiling.assessment.funnel import chi_square_limit, poisson_limit
from profiling.assessment.funnel_normal import log_ratio_limits, root_ratio_limits
from profiling.assessment.named_rules import ahrq_rates, ahrq_signal_variance, srtr_beyond, srtr_flag, srtr_hazard_ratio
from profiling.assessment.overdispersion import cqc, overdispersion, root_ratio_scores, shmi
from profiling.assessment.poisson_binomial import exact_test

DATA = Path(os.environ.get("PROFILING_SHARED", "../shared")) / "data"
CELLS = {
    "nhs_shmi": 7,
    "ny_cardiac": 4,
    "cms_hrrp": 2,
    "cms_hsr": 4,
    "phe_funnel": 19,
}


@pytest.mark.parametrize("source", CELLS)
def test_printed_tables_are_reproduced(source: str, tmp_path: Path) -> None:
    if not (DATA / source).is_dir():
        pytest.skip(f"no folder {source} under PROFILING_SHARED")
    (tmp_path / source).symlink_to((DATA / source).resolve())
    found = list(agreements(tmp_path))
    assert len(found) == CELLS[source]
    assert [one for one in found if one.mismatches] == []
    assert all(one.of_allowed <= 1 for one in found)


def test_the_six_releases_and_every_row_of_new_york_are_in_the_table() -> None:
    if not (DATA / "nhs_shmi").is_dir():
        pytest.skip("no folder nhs_shmi under PROFILING_SHARED")
    cells = {(one.source, one.figure): one.cells for one in agreements(DATA)}
    assert cells["NHS England, SHMI", "over-dispersed 95 % limit, lower"] == 868
    assert cells["New York State, cardiac", "risk-adjusted rate"] == 2757
    assert cells["CMS HRRP FY2024", "predicted / expected"] == 12077


def test_the_table_names_what_does_not_agree(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "nhs_shmi"
    folder.mkdir()
    rows = ["OBSERVED,EXPECTED,VALUE,PO_LL,PO_UL,OD_LL,OD_UL,OD_BANDING"]
    rows += [f"{o},{e},{o / e:.4f},0.9,1.1,0.9,1.1,2" for o, e in ((100, 108), (150, 112), (180, 165), (80, 95))]
    (folder / "one.csv").write_text("\n".join(rows))
    assert main([str(tmp_path)], {}) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith(" 0")  # the value itself is right
    assert lines[2].endswith(" 4")  # the limits are invented
    assert main([str(tmp_path / "none")], {}) == 1
    assert as_text([compared("a", "b", [1.0], [np.nan], 1.0, "c")])[1].endswith("1")


def test_hospital_specific_report_in_figures() -> None:
    """CMS, FY2025 mock workbook: payment of the one measure that counts."""
    excess, median = np.array([1.00678435268232, 1.5]), np.array([0.99115160184587, 1.0])
    shares = np.array([0.04944402732139, 0.1])
    found = payment_reduction(np.array([32, 24]), excess, median, shares, 0.96524016588985)
    assert found == pytest.approx(0.00074608, abs=5e-9)
    assert payment_reduction(np.array([32, 25]), excess, median, shares, 1.0) == 0.03


def test_predicted_and_expected_rates_of_the_worksheet_to_12_digits() -> None:
    if not (DATA / "cms_hsr").is_dir():
        pytest.skip("no folder cms_hsr under PROFILING_SHARED")
    import zipfile

    from profiling.assessment.agreement.cms import _shared_words, _sheet, worksheet

    with zipfile.ZipFile(next(DATA.glob("cms_hsr/*.xlsx"))) as book:
        words = _shared_words(book)
        copd, pneumonia = (worksheet(_sheet(book, number, words)) for number in (5, 7))
    assert copd == pytest.approx((0.16547350972554, 0.16541446696449), abs=1e-13)
    assert copd[0] / copd[1] == pytest.approx(1.000356938315, abs=1e-12)
    assert pneumonia == pytest.approx((0.14242367577179, 0.14146393454799), abs=2e-14)
    assert pneumonia[0] / pneumonia[1] == pytest.approx(1.006784352682, abs=1e-12)


def test_ahrq_smoothed_rate() -> None:
    found = ahrq_rates(9, 4.1, 4.05, 1200, 0.003132967778, 0.000001514046)
    assert found.risk_adjusted == pytest.approx(0.00687724634, abs=5e-12)
    assert found.standard_error == pytest.approx(0.00153779903, abs=5e-12)
    assert found.weight == pytest.approx(0.390331533, abs=5e-10)
    assert found.smoothed == pytest.approx(0.00459447777, abs=5e-12)
    assert found.smoothed_standard_error == pytest.approx(0.000960763292, abs=5e-13)


def test_ahrq_signal_variance_is_found_again() -> None:
    random = np.random.default_rng(0)
    error = random.uniform(0.001, 0.004, 200_000)
    rate = 0.02 + 0.003 * random.normal(size=200_000) + error * random.normal(size=200_000)
    assert ahrq_signal_variance(rate, error, 0.02) == pytest.approx(0.003**2, rel=0.03)
    assert ahrq_signal_variance(0.02 + 0.2 * error, error, 0.02) == 0


@pytest.mark.parametrize(
    ("observed", "expected", "hazard", "above"),
    [
        (0, 1, (0.66666667, 0.080736426, 1.8572145), (0.12568912, 0.0047012171)),
        (5, 2.3, (1.62790698, 0.65450304, 3.0370870), (0.73843359, 0.089488650)),
        (10, 6, (1.5, 0.77507189, 2.4602548), (0.74124102, 0.021386822)),
        (3, 8, (0.5, 0.16234864, 1.0241589), (0.0076003907, 2.669e-7)),
    ],
)
def test_srtr_posterior(observed: int, expected: float, hazard: tuple[float, ...], above: tuple[float, float]) -> None:
    assert [float(x) for x in srtr_hazard_ratio(observed, expected)] == pytest.approx(hazard, rel=6e-8)
    assert float(srtr_beyond(observed, expected, 1.2)) == pytest.approx(above[0], rel=6e-8)
    assert float(srtr_beyond(observed, expected, 2.5)) == pytest.approx(above[1], rel=6e-5 if above[1] < 1e-6 else 6e-8)
    assert not srtr_flag(observed, expected)


def test_srtr_flags_by_either_criterion() -> None:
    assert srtr_flag([11, 6], [6, 2.3]).tolist() == [True, True]
    assert float(srtr_beyond(11, 6, 2.5)) < 0.1
    assert float(srtr_beyond(2, 0.2, 2.5)) > 0.1


OBSERVED, EXPECTED = np.array([100, 150, 180, 80, 120, 225.0]), np.array([108, 112, 165, 95, 100, 220.0])


def test_overdispersion_in_the_form_of_shmi() -> None:
    """φ as printed by the tests of R's FunnelPlotR."""
    found = shmi(OBSERVED, EXPECTED)
    assert found.phi == pytest.approx(2.948033, abs=5e-7)
    assert found.tau_squared == pytest.approx(0.0194775306, abs=5e-11)
    for expected, inner, outer in (
        (95, (0.71212809, 1.4042418), (0.58550638, 1.7079233)),
        (220, (0.73802197, 1.3549732), (0.61942362, 1.6144040)),
    ):
        assert log_ratio_limits(expected, 0.05, found.tau_squared) == pytest.approx(inner, rel=1e-7)
        assert log_ratio_limits(expected, 0.002, found.tau_squared) == pytest.approx(outer, rel=1e-7)


def test_square_root_limits_are_squared_back() -> None:
    """FunnelPlotR 0.6.0 leaves them on the scale of the root: at E = 100 it prints .902 where .814 is right."""
    lower, upper = root_ratio_limits(100, 0.05)
    assert (float(lower), float(upper)) == pytest.approx(((1 - 1.959964 / 20) ** 2, (1 + 1.959964 / 20) ** 2), abs=1e-6)
    exact = [float(poisson_limit(100, p)) for p in (0.025, 0.975)]
    assert abs(lower - exact[0]) < 0.011 < abs(np.sqrt(lower) - exact[0])
    assert abs(upper - exact[1]) < 0.011 < abs(np.sqrt(upper) - exact[1])


def test_square_root_form_flags_as_exact_limits_do_and_not_as_the_unsquared_ones() -> None:
    random = np.random.default_rng(12)
    expected = random.uniform(40, 400, 300)
    ratio = random.poisson(expected) / expected
    lower, upper = root_ratio_limits(expected, 0.002)
    right = int(((ratio < lower) | (ratio > upper)).sum())
    unsquared = int(((ratio < np.sqrt(lower)) | (ratio > np.sqrt(upper))).sum())
    exact = int(((ratio < poisson_limit(expected, 0.001)) | (ratio > poisson_limit(expected, 0.999))).sum())
    assert abs(right - exact) <= 1
    assert unsquared >= 10 * max(right, 1)


def test_form_of_the_care_quality_commission() -> None:
    """A direct computation of the published steps: z, winsorised tenths, φ, τ², DerSimonian-Laird weights."""
    z = (np.sqrt(OBSERVED / EXPECTED) - 1) * 2 * np.sqrt(EXPECTED)
    drawn_in = np.clip(z, np.quantile(z, 0.1), np.quantile(z, 0.9))
    weights = 4 * EXPECTED
    phi = np.mean(drawn_in**2)
    tau = (6 * phi - 5) / (weights.sum() - (weights**2).sum() / weights.sum())
    found = cqc(OBSERVED, EXPECTED)
    assert (found.phi, found.tau_squared) == pytest.approx((phi, tau))
    none = overdispersion(*root_ratio_scores(EXPECTED * 1.001, EXPECTED))
    assert none.tau_squared == 0
    assert none.factor == 1


def test_chi_square_limits_are_not_control_limits() -> None:
    """At E = 15 the chi-square limits of E are (.560, 1.649), the control limits of O (.491, 1.506)."""
    assert [round(float(x), 3) for x in chi_square_limit(15, 0.95)] == [0.560, 1.649]
    assert [round(float(poisson_limit(15, p)), 3) for p in (0.025, 0.975)] == [0.491, 1.506]


def test_expected_events_of_pprof() -> None:
    """Provider 1 and all flags, from the coefficients and the median intercept of the maximum-likelihood fit."""
    if not (DATA / "pprof").is_dir():
        pytest.skip("no folder pprof under PROFILING_SHARED")
    table = pd.read_csv(DATA / "pprof/ExampleDataBinary.csv.gz").sort_values("ProvID", kind="stable")
    reference = pd.read_csv(DATA / "pprof/pprof_logis_fe_reference.csv")
    beta = np.array([1.092622397, 1.017841392, 0.995025947, 1.038685441, 1.056347287])
    p = special.expit(table[["z1", "z2", "z3", "z4", "z5"]].to_numpy() @ beta - 0.9276567453)
    size = table["ProvID"].value_counts(sort=False).to_numpy()
    starts = np.concatenate([[0], np.cumsum(size)])
    observed = np.add.reduceat(table["Y"].to_numpy(), starts[:-1])
    expected = np.add.reduceat(p, starts[:-1])
    test = exact_test(p, starts, observed)
    assert (size[0], observed[0]) == (78, 31)
    assert expected[0] == pytest.approx(34.347626, abs=6e-7)
    assert observed[0] / expected[0] == pytest.approx(0.90253691, abs=6e-9)
    assert test.two_sided_mid_p[0] == pytest.approx(0.24149385, abs=6e-8)
    spread = np.add.reduceat(p * (1 - p), starts[:-1])
    assert ((observed - expected) / np.sqrt(spread))[0] == pytest.approx(-1.18288549, abs=6e-8)
    assert test.two_sided_mid_p == pytest.approx(reference["p_exact"].to_numpy(), abs=1e-6)
    side = np.where(test.two_sided_mid_p < 0.05, np.sign(test.score), 0)
    assert [int((side == s).sum()) for s in (-1, 0, 1)] == [13, 81, 6]

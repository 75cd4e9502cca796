"""The model page says it two ways: figures of a run against fits made here, and no small count among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from small_region import write_region

from profiling import glmm
from profiling.cli.main import execute
from profiling.pipeline.two_answers import two_answers


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two_ways")
    write_region(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert execute(["run", "--quiet", "--now", "2024-06-01T00:00:00"]) == 0
    return folder


def test_the_page_has_both_odds_ratios_and_the_naive_error(region: Path) -> None:
    pages = {path.name: path.read_text() for path in (region / "site").rglob("*.html")}
    page = next(text for text in pages.values() if "Two ways to say it" in text and "Odds ratio, population" in text)
    rows = pd.read_csv(region / "visits.csv").dropna(subset=["age"]).query("age >= 18")
    fit = glmm("died ~ I(age / 10) + (1 | clinic_id) + (1 | physician_id)", rows)
    population = np.exp(fit.marginal().coefficients["marginal"].iloc[1])
    assert f"multiplies the odds of the event by {np.exp(fit.fixed_effects.iloc[1]):.2f}." in page
    assert f"together it multiplies them by {population:.2f}." in page
    naive = sm.GLM(rows["died"], sm.add_constant(rows["age"] / 10), sm.families.Binomial()).fit()
    assert f"{naive.bse.iloc[1]:.4f}" in page
    assert "There are 12 hospitals" in page
    assert "Each physician belongs to one hospital." in page


def region_rows(away: int) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    physician = np.repeat(np.arange(30), 20)
    rows = pd.DataFrame({"hospital": physician // 3, "physician": physician, "died": rng.integers(0, 2, 600)})
    rows.loc[20 * np.arange(away), "hospital"] = 5
    return rows


@pytest.mark.parametrize(("away", "shown"), [(0, True), (4, False), (15, True)])
def test_few_records_off_the_main_hospital_cannot_be_worked_out(away: int, shown: bool) -> None:
    rows = region_rows(away)
    fit = glmm("died ~ 1 + (1 | hospital) + (1 | physician)", rows)
    found = two_answers(fit, rows, ["hospital", "physician"], 11).set_index("name")
    value = found.loc["structure_off_main:physician:hospital", "value"]
    assert np.isfinite(value) == shown
    assert found.loc["structure:physician:hospital", "note"] == ("nested" if away == 0 else "partially crossed")
    assert found.loc["structure_median:physician", "value"] == 20
    assert np.isnan(
        two_answers(fit, rows, ["hospital", "physician"], 21)
        .set_index("name")
        .loc["structure_median:physician", "value"]
    )

"""The truth behind the generated records is recovered: coefficients, order of hospitals, coverage of intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from profiling.config import Measure, load_settings
from profiling.etl.sample import draw_records
from profiling.pipeline.fitting import fit_model
from profiling.shipped import default_configuration

MEASURES = {measure.name: measure for measure in load_settings(default_configuration(), {}).measures}
LEVELS = {"hospital": "clinic_id", "physician": "physician_id"}
SEEDS = range(1, 51)


@dataclass(frozen=True)
class Verdict:
    """How far one fit is from the truth: errors of coefficients in standard errors, rank correlation of the hospitals'
    modes with their effects, and the share of effects inside their 95 % intervals, by level."""

    errors: pd.Series
    rank_correlation: float
    coverage: dict[str, float]


def judge(measure: Measure, seed: int) -> Verdict:
    records = draw_records(seed)
    rows = records["encounters"].merge(records["patients"][["patient_id", "sex"]], on="patient_id")
    rows = rows.rename(columns={column: level for level, column in LEVELS.items()})
    fit = fit_model(measure, rows)
    truth = records["truth/coefficients"].query("measure == @measure.name").set_index("term")["value"]
    errors = (fit.fixed_effects - truth.reindex(fit.fixed_effects.index)) / fit.standard_errors
    coverage, order = {}, {}
    for level, column in LEVELS.items():
        effects = fit.random_effects(level).set_index("level")
        true = records[f"truth/{level}_effects"].set_index(column)[measure.name].reindex(effects.index)
        coverage[level] = float(((effects["mode"] - true).abs() < 1.96 * effects["sd_full"]).mean())
        order[level] = float(effects["mode"].corr(true, method="spearman"))
    return Verdict(errors, order["hospital"], coverage)


@pytest.mark.parametrize("name", MEASURES)
def test_one_draw_recovers_its_truth(name: str) -> None:
    verdict = judge(MEASURES[name], 20240101)
    assert verdict.errors.notna().all()
    assert verdict.errors.abs().max() < 3
    # Over 20 draws of very unequal volumes: .63 to .88. Without any signal one in 1,000 passes .5.
    assert verdict.rank_correlation > 0.5
    assert verdict.coverage["hospital"] >= 34 / 40
    assert verdict.coverage["physician"] >= 0.91


@pytest.mark.study
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", MEASURES)
def test_intervals_cover_over_fifty_draws(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nominal 95 %; for hospitals within four standard errors of the pooled share.

    Intervals at the estimated standard deviation of the effects are too short in draws where it is estimated too small
    (correlation of coverage and estimate .91 over 20 draws): physicians' deaths, few to a physician, are covered in
    93.5 %. The bound for physicians says how much of that is accepted; it is no proof of 95 %.
    """
    verdicts = [judge(MEASURES[name], seed) for seed in SEEDS]
    pooled = {level: float(np.mean([verdict.coverage[level] for verdict in verdicts])) for level in LEVELS}
    errors = pd.concat([verdict.errors for verdict in verdicts])
    with capsys.disabled():
        print(f"\n{name}: coverage of 95 % intervals " + ", ".join(f"{k} {v:.3f}" for k, v in pooled.items()))
        print(f"  errors of coefficients in standard errors: mean {errors.mean():.3f}, sd {errors.std():.3f}")
        print(f"  rank correlation of hospitals: {np.mean([v.rank_correlation for v in verdicts]):.3f}")
    assert pooled["hospital"] == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / (40 * len(SEEDS))) ** 0.5)
    assert 0.925 < pooled["physician"] < 0.965
    assert abs(errors.mean()) < 0.5
    assert errors.std() == pytest.approx(1, abs=0.15)
    assert np.mean([verdict.rank_correlation for verdict in verdicts]) > 0.7

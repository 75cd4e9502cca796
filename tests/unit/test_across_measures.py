"""False discovery rates over several measures: one adjustment of everybody, each measure's own levels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from profiling.assessment import ProfileOptions, assess_aggregates
from profiling.assessment.across import judged_together


def published(seed: int, lift: float, providers: int = 80) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    expected = draw.uniform(5, 60, providers)
    ratio = np.where(np.arange(providers) < 8, lift, 1.0)
    n = np.where(np.arange(providers) % 10 == 9, 15, 900)
    observed = draw.poisson(expected * ratio).astype(float)
    return pd.DataFrame(
        {"hospital": np.arange(providers), "n": n, "observed": np.minimum(observed, n), "expected": expected}
    )


def test_everybody_is_adjusted_at_once() -> None:
    options = ProfileOptions(rule="false_discovery", watch=0.9, flag=0.99)
    alone = [
        assess_aggregates(published(1, 2.5), options=options),
        assess_aggregates(published(2, 1.0), options=options),
    ]
    together = judged_together(alone)
    raw = np.concatenate([each.evidence.probability[each.counted] for each in alone])
    wanted = stats.false_discovery_control(raw)
    got = np.concatenate([each.ruling.probability[each.counted] for each in together])
    assert got == pytest.approx(wanted)
    for before, each in zip(alone, together, strict=True):
        assert (each.frame["category"][~before.counted] == "too_few").all()
        flagged = each.frame["category"].isin(["higher", "lower"])
        assert list(flagged[before.counted]) == list(each.ruling.probability[before.counted] < 0.01)
        assert each.power_flag <= before.power_flag or each is together[1]
    # The quiet measure is judged beside the loud one: the limit of both is the same probability.
    assert together[0].ruling.flag[1][0] == together[1].ruling.flag[1][0]


def test_one_measure_alone_is_as_it_was() -> None:
    alone = assess_aggregates(published(3, 2.0), options=ProfileOptions(rule="false_discovery"))
    (same,) = judged_together([alone])
    pd.testing.assert_frame_equal(same.frame, alone.frame)
    assert same.expected_false_flag == alone.expected_false_flag
    assert same.power_watch == alone.power_watch


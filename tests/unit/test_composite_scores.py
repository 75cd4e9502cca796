"""Composites of any kind: values by hand, ranks of the shrunken figures, what each kind returns as its weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from profiling.assessment import composite_scores
from profiling.errors import ModelError

DRAW = np.random.default_rng(1)
TRUE = DRAW.normal(0, 0.4, 40)
ERROR = DRAW.uniform(0.1, 0.5, (40, 3))
ESTIMATE = TRUE[:, None] * np.array([1.0, 0.8, 0.6]) + ERROR * DRAW.standard_normal((40, 3))
EXPECTED = 1 / ERROR**2
OBSERVED = np.rint(EXPECTED * np.exp(ESTIMATE))


def test_weighted_is_the_exponent_of_the_mean_and_its_ranks_are_shrunken() -> None:
    weights = np.array([2.0, 1.0, 1.0])
    found, used = composite_scores("weighted", ESTIMATE, ERROR, OBSERVED, EXPECTED, weights)
    assert used == pytest.approx([0.5, 0.25, 0.25])
    mean = ESTIMATE @ used
    spread = np.sqrt(ERROR**2 @ used**2)
    assert np.log(found["value"]).to_numpy() == pytest.approx(mean)
    assert np.log(found["upper"] / found["lower"]).to_numpy() == pytest.approx(2 * stats.norm.ppf(0.975) * spread)
    assert (found["measures"] == 3).all()
    assert found["expected_rank"].sum() == pytest.approx(40 * 41 / 2, rel=1e-3)
    # Shrinkage draws every expected rank towards the middle, the uncertain ones most.
    bare = stats.rankdata(mean)
    assert np.abs(found["expected_rank"] - 20.5).mean() < 0.9 * np.abs(bare - 20.5).mean()
    assert stats.spearmanr(found["expected_rank"], TRUE).statistic > 0.6


def test_a_measure_that_does_not_apply_leaves_its_weight_to_the_others() -> None:
    estimate = ESTIMATE.copy()
    estimate[0, 0] = np.nan
    found, _ = composite_scores("weighted", estimate, ERROR, OBSERVED, EXPECTED, np.array([2.0, 1.0, 1.0]))
    assert found.loc[0, "measures"] == 2
    assert np.log(found.loc[0, "value"]) == pytest.approx(estimate[0, 1:].mean())


def test_opportunity_counts_every_event_alike() -> None:
    found, used = composite_scores("opportunity", ESTIMATE, ERROR, OBSERVED, EXPECTED, np.ones(3))
    assert found["value"].to_numpy() == pytest.approx(OBSERVED.sum(axis=1) / EXPECTED.sum(axis=1))
    assert used == pytest.approx(EXPECTED.sum(axis=0))
    assert ((found["lower"] < found["value"]) & (found["value"] < found["upper"])).all()


def test_latent_is_on_the_scale_of_the_trait() -> None:
    found, loadings = composite_scores("latent", ESTIMATE, ERROR, OBSERVED, EXPECTED, np.ones(3))
    assert loadings == pytest.approx([0.4, 0.32, 0.24], abs=0.12)
    assert stats.spearmanr(found["value"], TRUE).statistic > 0.7
    assert found["value"].std() < 1.0
    with pytest.raises(ModelError, match="three or more"):
        composite_scores("latent", ESTIMATE[:, :2], ERROR[:, :2], OBSERVED, EXPECTED, np.ones(2))


def test_no_spread_no_order() -> None:
    found, _ = composite_scores(
        "weighted", np.zeros((9, 2)), np.ones((9, 2)), np.ones((9, 2)), np.ones((9, 2)), np.ones(2)
    )
    assert found["expected_rank"].to_numpy() == pytest.approx(np.full(9, 5.0))

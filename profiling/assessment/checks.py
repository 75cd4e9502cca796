"""How well a model describes its cases: discrimination, accuracy and calibration of predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special, stats

from profiling.assessment.fitted import Floats

NEWTON_STEPS = 50


def c_statistic(observed: Floats, predicted: Floats) -> float:
    """Probability that a case with the event has the higher prediction, ties one half; NaN without a pair."""
    events = observed > 0.5
    positive, negative = int(events.sum()), int((~events).sum())
    if positive == 0 or negative == 0:
        return float("nan")
    ranks = stats.rankdata(predicted)
    return float((ranks[events].sum() - positive * (positive + 1) / 2.0) / (positive * negative))


def brier_score(observed: Floats, predicted: Floats) -> float:
    """Mean squared difference of outcome and predicted probability (Brier 1950)."""
    return float(np.mean((observed - predicted) ** 2))


def calibration_line(
    observed: Floats, linear_predictor: Floats, logistic: bool = True
) -> tuple[float, float]:
    """Intercept and slope of the outcome on its linear predictor: 0 and 1 if calibrated (Cox 1958).

    logistic: by maximum likelihood on the logit scale, else by least squares. NaN where the predictor does
    not vary.
    """
    if np.ptp(linear_predictor) == 0:
        return float("nan"), float("nan")
    centre = float(linear_predictor.mean())
    design = np.column_stack([np.ones(len(observed)), linear_predictor - centre])
    if not logistic:
        beta = np.linalg.lstsq(design, observed, rcond=None)[0]
        return float(beta[0] - beta[1] * centre), float(beta[1])
    beta = np.array([centre, 1.0])
    for _ in range(NEWTON_STEPS):
        p = special.expit(design @ beta)
        step = np.linalg.solve((design * (p * (1.0 - p))[:, None]).T @ design, design.T @ (observed - p))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0] - beta[1] * centre), float(beta[1])


def calibration_bands(observed: Floats, predicted: Floats, bands: int = 10) -> pd.DataFrame:
    """Cases in groups of nearly equal size by prediction: band (1 lowest), n, observed and expected sums.

    Cases of equal prediction stay in one band, so that their order in the data does not matter.
    """
    rank = stats.rankdata(predicted, method="min") - 1
    band = (rank * bands // max(len(predicted), 1)).astype(np.int64)
    present, code = np.unique(band, return_inverse=True)
    return pd.DataFrame(
        {
            "band": np.arange(1, len(present) + 1),
            "n": np.bincount(code),
            "observed": np.bincount(code, weights=observed),
            "expected": np.bincount(code, weights=predicted),
        }
    )


def latent_icc(variance: float, all_variances: float, residual_variance: float) -> float:
    """Share of a random effect in the latent variance (Goldstein, Browne & Rasbash 2002)."""
    return variance / (all_variances + residual_variance)


def median_odds_ratio(variance: float) -> float:
    """exp(√2 Φ⁻¹(¾) σ): median odds ratio of a patient at two random providers (Larsen & Merlo 2005)."""
    return float(np.exp(np.sqrt(2.0 * variance) * special.ndtri(0.75)))

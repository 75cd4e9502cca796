"""How much of what is seen of a provider is signal (Adams 2009; Van Houwelingen, Brand & Louis 2000)."""

from __future__ import annotations

import numpy as np

from profiling.assessment.fitted import Floats


def sampling_variance(variance: float, conditional_sd: Floats) -> Floats:
    """Variance v_j of a provider's own estimate, from prior σ² and posterior s_j²: 1/v = 1/s² − 1/σ².

    For one logistic intercept v_j = 1/Σp(1−p), for a linear one σ_ε²/n; with further random effects it holds
    their uncertainty too. Infinite where the rows say nothing.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = (
            1.0 / conditional_sd**2 - 1.0 / variance if variance > 0 else np.zeros_like(conditional_sd)
        )
        return np.where(precision > 0, 1.0 / np.where(precision > 0, precision, 1.0), np.inf)


def reliability(variance: float, sampling: Floats) -> Floats:
    """Signal to noise σ²/(σ² + v_j), between 0 and 1; NaN where σ² is not known."""
    return np.zeros_like(sampling) if variance == 0 else variance / (variance + sampling)


def cases_for_reliability(variance: float, sampling: Floats, cases: Floats, target: float = 0.7) -> Floats:
    """Cases that give the target reliability, n·(v_j/σ²)·target/(1 − target); NaN if σ² = 0."""
    if variance <= 0:
        return np.full_like(sampling, np.nan)
    needed = cases * sampling / variance * target / (1.0 - target)
    return np.where(np.isfinite(needed), needed, np.nan)


def rankability(variance: float, sampling: Floats) -> float:
    """σ²/(σ² + median v_j): the part of the differences between providers that is not chance."""
    if len(sampling) == 0 or np.isnan(variance):
        return float("nan")
    return float(variance / (variance + np.median(sampling))) if variance > 0 else 0.0

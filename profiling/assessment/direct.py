"""Direct standardization, and risk-standardized differences: other ways to say what a ratio says.

Direct: everybody's patients at each provider, mean_i g⁻¹(x_iβ̂ + b̂_j) over all patients i of the cohort. As a function
of b this is smooth, so it is computed at 65 points and interpolated: the cost does not grow with the providers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import interpolate

from profiling.assessment.fitted import FittedModel, Floats, full_sd
from profiling.assessment.options import ProfileOptions
from profiling.assessment.rows_of_fit import rows_of_fit, scale_of, whole_trials
from profiling.assessment.standardization import predicted_at

POINTS = 65
NORMAL_95 = 1.959963984540054


def direct_rates(eta: Floats, effects: Floats, link: str) -> Floats:
    """mean_i g⁻¹(eta_i + effects) for any number and shape of effects; to 1e-10 where they span up to 6."""
    low, high = float(np.min(effects)), float(np.max(effects))
    starts = np.array([0, len(eta)], dtype=np.int64)
    if high - low < 1e-12:
        return np.full(np.shape(effects), float(predicted_at(eta, starts, np.array([[low]]), link)[0, 0]) / len(eta))
    # Chebyshev points of the second kind, for which barycentric interpolation is stable.
    nodes = 0.5 * (low + high) + 0.5 * (high - low) * np.cos(np.pi * np.arange(POINTS) / (POINTS - 1))
    means = predicted_at(eta, starts, nodes[None, :], link)[0] / len(eta)
    weights = np.where(np.arange(POINTS) % 2 == 0, 1.0, -1.0)
    weights[[0, -1]] *= 0.5
    found = interpolate.BarycentricInterpolator(nodes, means, wi=weights)(np.ravel(effects))
    return np.asarray(found, dtype=np.float64).reshape(np.shape(effects))


def directly_standardized(fit: FittedModel, provider: str, options: ProfileOptions | None = None) -> pd.DataFrame:
    """Columns provider, direct_rate, direct_lower, direct_upper: the rate with everybody's patients, 95 % limits from
    the effect's full standard deviation. Other effects are at zero; trials count as patients."""
    chosen = options or ProfileOptions()
    rows, scale = rows_of_fit(fit, provider, chosen), scale_of(fit, chosen)
    eta = np.asarray(fit.linear_predictor, dtype=np.float64)
    patients = np.repeat(eta, whole_trials(fit)) + scale.raised_by
    half = NORMAL_95 * full_sd(fit, provider)
    rates = direct_rates(patients, np.column_stack([rows.mode, rows.mode - half, rows.mode + half]), scale.link)
    rates = rates * (rows.cases.sum() / rows.base.sum())
    return pd.DataFrame(
        {"provider": rows.labels, "direct_rate": rates[:, 0], "direct_lower": rates[:, 1], "direct_upper": rates[:, 2]}
    )


def differences(profile: pd.DataFrame) -> pd.DataFrame:
    """Risk-standardized differences of a frame of `profile_providers`: columns provider, excess (P − E events),
    rate_difference ((P − E)/n) with its 95 % limits, raw_excess (O − E) and raw_difference, against E averaged over the
    effects."""
    rate = profile["expected_rate"]
    raw = profile["observed"] - profile["expected_marginal"]
    return pd.DataFrame(
        {
            "provider": profile["provider"],
            "excess": profile["predicted"] - profile["expected"],
            "rate_difference": rate * (profile["ratio"] - 1.0),
            "difference_lower": rate * (profile["ratio_lower"] - 1.0),
            "difference_upper": rate * (profile["ratio_upper"] - 1.0),
            "raw_excess": raw,
            "raw_difference": raw / profile["n"],
        }
    )

"""Funnel limits by the normal distribution on a transformed scale, widened for over-dispersion if asked for.

Each function takes the precision axis (expected number E or cases n) of any shape, a two-sided `probability` outside
(.05 and .002; any other), and gives the lower and upper limit on the scale of the report: smooth curves as well as one
value a provider. `tau_squared` is added to the sampling variance on the transformed scale, `phi` multiplies it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from profiling.assessment.fitted import Floats
from profiling.assessment.intervals import Bounds, poisson_exact


def log_ratio_limits(expected: npt.ArrayLike, probability: float, tau_squared: float = 0.0, phi: float = 1.0) -> Bounds:
    """Limits of O/E: exp(±z √(φ/E + τ²)); SHMI's with its τ²."""
    half = _score(probability) * np.sqrt(phi / _array(expected) + tau_squared)
    return np.exp(-half), np.exp(half)


def root_ratio_limits(
    expected: npt.ArrayLike, probability: float, tau_squared: float = 0.0, phi: float = 1.0
) -> Bounds:
    """Limits of O/E: (1 ± z √(φ/4E + τ²))², squared back to ratios; a lower one below zero is zero."""
    half = _score(probability) * np.sqrt(phi / (4.0 * _array(expected)) + tau_squared)
    return np.maximum(1.0 - half, 0.0) ** 2, (1.0 + half) ** 2


def arcsine_limits(
    n: npt.ArrayLike, rate: float, probability: float, tau_squared: float = 0.0, phi: float = 1.0
) -> Bounds:
    """Limits of a proportion around the norm's `rate`: sin²(arcsin √rate ± z √(φ/4n + τ²))."""
    half = _score(probability) * np.sqrt(phi / (4.0 * _array(n)) + tau_squared)
    centre = np.arcsin(np.sqrt(rate))
    return np.sin(np.maximum(centre - half, 0.0)) ** 2, np.sin(np.minimum(centre + half, np.pi / 2.0)) ** 2


def score_limits(n: npt.ArrayLike, rate: float, probability: float) -> Bounds:
    """Proportions whose Wilson limit is the norm's `rate`: rate ± z √(rate(1 − rate)/n), within 0 and 1 (PHE)."""
    half = _score(probability) * np.sqrt(rate * (1.0 - rate) / _array(n))
    return np.maximum(rate - half, 0.0), np.minimum(rate + half, 1.0)


def mean_limits(n: npt.ArrayLike, mean: float, sd: float, probability: float, tau_squared: float = 0.0) -> Bounds:
    """Limits of a mean of a continuous outcome with standard deviation `sd`: mean ± z √(sd²/n + τ²)."""
    half = _score(probability) * np.sqrt(sd**2 / _array(n) + tau_squared)
    return mean - half, mean + half


def expected_at_limit(observed: npt.ArrayLike, probability: float) -> Bounds:
    """Expected numbers at which `observed` events lie on the lower and on the upper exact Poisson limit (PHE).

    The lower limit of O/E at the first is O over it, the upper limit at the second likewise; for rates divide the
    expected number by the norm's rate, which gives the population.
    """
    at_upper, at_lower = poisson_exact(observed, 1.0 - probability)
    return at_lower, at_upper


def _array(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _score(probability: float) -> float:
    return float(-special.ndtri(probability / 2.0))

"""Roots of increasing functions, element by element."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from profiling.assessment.fitted import Floats

MOST_STEPS = 120
TOLERANCE = 1e-14  # of the root itself: some tens of roundings of what is solved
SMALLEST = 1e-300


def rising_root(function: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Where a function that never falls passes zero in the bracket; an end of it if it does not.

    Inverse quadratic interpolation where three points allow it, else halving (Chandrupatla 1997, Adv Eng Softw 28),
    until the bracket is within 4e-14 of the root.
    """
    new, old = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    at_new, at_old = (np.asarray(function(end), dtype=np.float64) for end in (new, old))
    # Without a crossing the bracket closes on the end that is nearest to one.
    old = np.where(at_new > 0.0, new, old)
    new = np.where(at_old > 0.0, new, old)
    share = np.full_like(new, 0.5)
    for _ in range(MOST_STEPS):
        slack = 2.0 * TOLERANCE * np.minimum(np.abs(new), np.abs(old)) + SMALLEST
        if (np.abs(new - old) <= 2.0 * slack).all():
            break
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            least = np.minimum(slack / np.abs(new - old), 0.5)
        trial = new + np.clip(share, least, 1.0 - least) * (old - new)
        value = np.asarray(function(trial), dtype=np.float64)
        same = (value > 0.0) == (at_new > 0.0)
        third, at_third = np.where(same, new, old), np.where(same, at_new, at_old)
        old, at_old = np.where(same, old, new), np.where(same, at_old, at_new)
        new, at_new = trial, value
        share = _share(new, old, third, at_new, at_old, at_third)
    return 0.5 * (new + old)


def _share(new: Floats, old: Floats, third: Floats, at_new: Floats, at_old: Floats, at_third: Floats) -> Floats:
    """How far to go from the new point to the old one: by the parabola through three points, else half."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        xi, phi = (new - old) / (third - old), (at_new - at_old) / (at_third - at_old)
        bends = (phi**2 < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
        ratio = (third - new) / (old - new)
        parabola = at_new / (at_old - at_new) * at_third / (at_old - at_third)
        parabola = parabola + ratio * at_new / (at_third - at_new) * at_old / (at_third - at_old)
    return np.where(bends & np.isfinite(parabola), parabola, 0.5)

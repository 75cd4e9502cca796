"""What a rule does: how many flags if everybody meets the norm, and its chance to find a provider that does not."""

from __future__ import annotations

import numpy as np
from scipy import special

from profiling.assessment.bisection import rising_root
from profiling.assessment.fitted import Floats
from profiling.assessment.funnel import EventShape, smooth_lower, smooth_mid_p, smooth_upper_mid_p

HARMFUL_RATIO = 1.5


def chance_beyond(
    limits: tuple[Floats, Floats], expected: Floats, shape: EventShape, ratio: float = 1.0
) -> tuple[Floats, Floats]:
    """Chance (lower, upper) that a count lands beyond the scores `limits` at a provider with `ratio` times the norm.

    The first count beyond each score is found under the norm, its probability under the other mean with the shape of
    the cohort; exact for equal risks, near for others.
    """
    lower, upper = limits
    mean, ceiling = expected, 60.0 + expected + 60.0 * np.sqrt(expected)
    least = rising_root(
        lambda k: special.ndtr(-upper) - smooth_upper_mid_p(k, mean, shape), np.zeros_like(mean), ceiling
    )
    most = rising_root(lambda k: smooth_mid_p(k, mean, shape) - special.ndtr(lower), np.zeros_like(mean), ceiling)
    none = smooth_mid_p(np.zeros_like(mean), mean, shape) >= special.ndtr(lower)
    raised = shape.raised(ratio)
    above = 1.0 - smooth_lower(np.floor(least), ratio * mean, raised)
    below = np.where(none, 0.0, smooth_lower(np.ceil(most) - 1.0, ratio * mean, raised))
    return below, above


def normal_chance_beyond(limits: tuple[Floats, Floats], shift: Floats) -> tuple[Floats, Floats]:
    """The same for scores that are N(shift, 1): continuous outcomes."""
    lower, upper = limits
    return special.ndtr(lower - shift), special.ndtr(shift - upper)

"""Each provider against the norm: the same patients, at a provider whose effect is zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from profiling.assessment.fitted import Floats
from profiling.assessment.funnel import POISSON, smooth_mid_p, smooth_upper_mid_p
from profiling.assessment.operating import chance_beyond
from profiling.assessment.options import ProfileOptions
from profiling.assessment.poisson_binomial import exact_test
from profiling.assessment.rows import ProviderRows, means_by
from profiling.assessment.standardization import provider_sums

MOST_EXACT = 5000


@dataclass(frozen=True)
class NormTest:
    """Signed normal score, its two-sided probability, chances of being watched or flagged by chance (J,)."""

    z: Floats
    probability: Floats
    null_watch: Floats
    null_flag: Floats


def compare_with_norm(rows: ProviderRows, options: ProfileOptions) -> NormTest:
    """Events: exact mid-p of O given the risks of `expected_marginal` (counts: its sum). Continuous: mean residual.

    The exact test takes patients as independent given case mix: what other random effects (physicians within
    a hospital) share among them is not in it.
    """
    if not rows.counts:
        return mean_residual_test(rows, options)
    if rows.family == "poisson":
        observed, expected = (provider_sums(values, rows.starts) for values in (rows.observed, rows.expected_marginal))
        return poisson_test(observed, expected, options)
    exact = exact_test(
        rows.expected_marginal,
        rows.starts,
        provider_sums(rows.observed, rows.starts),
        options.watch_probability,
        options.flag_probability,
    )
    return NormTest(exact.score, exact.two_sided_mid_p, exact.null_watch, exact.null_flag)


def poisson_test(observed: Floats, expected: Floats, options: ProfileOptions) -> NormTest:
    """Exact two-sided mid-p of Poisson counts (J,) with the given means."""
    lower, upper = smooth_mid_p(observed, expected, POISSON), smooth_upper_mid_p(observed, expected, POISSON)
    z = np.where(upper < lower, -special.ndtri(np.minimum(upper, 0.5)), special.ndtri(np.minimum(lower, 0.5)))
    watch, flag = (_poisson_beyond(expected, p) for p in (options.watch_probability, options.flag_probability))
    return NormTest(z, np.minimum(1.0, 2.0 * np.minimum(lower, upper)), watch, flag)


def _poisson_beyond(expected: Floats, probability: float) -> Floats:
    """Chance of a result beyond the limits; of very many providers found at evenly spaced places of their order."""
    places = np.sort(expected)
    if len(places) > MOST_EXACT:
        places = places[np.linspace(0, len(places) - 1, MOST_EXACT).round().astype(np.int64)]
    score = np.full_like(places, -special.ndtri(probability / 2.0))
    below, above = chance_beyond((-score, score), places, POISSON)
    return np.asarray(np.interp(expected, places, below + above), dtype=np.float64)


def mean_residual_test(rows: ProviderRows, options: ProfileOptions) -> NormTest:
    """Mean residual on the scale of the model over its standard error if the own effect is zero.

    Its variance is σ²/n, plus what effects of other levels share among the provider's rows
    (`shared_variance`).
    """
    spread = np.sqrt(rows.residual_variance / rows.cases + rows.shared_variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = means_by(rows.residual, rows.starts) / spread
    size = np.ones_like(z)
    return NormTest(
        z, 2.0 * special.ndtr(-np.abs(z)), options.watch_probability * size, options.flag_probability * size
    )

"""The null distribution that the bulk of providers shows, in place of the theoretical N(0, 1).

Efron 2004 (J Am Stat Assoc 99) fits the middle of the z-scores; Kalbfleisch & Wolfe 2013 (Stat Biosci 5) do so by
groups of volume, since unexplained differences between providers weigh more the larger they are; Xia, He, Kalbfleisch
et al. 2022 (Stat Med 41) let the variance be 1 + τ₀²V_j for a logistic measure, V_j = Σp(1 − p).

The spread of the bulk is an estimate. Few providers tell it badly, and normal limits around it flag two to twenty times
as many as they say (20 providers); so a score is held against Student's t with the degrees of freedom that the
estimate's information is worth, as a mean is held against it when its variance is estimated (Student 1908).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from profiling.assessment.bisection import rising_root
from profiling.assessment.fitted import Floats

QUARTILE = 0.6744897501960817
MIDDLE = 2.0  # normal scores either side of the centre whose providers are taken to be null
WIDEST = 3.0  # times the robust spread of the scores: the most that is believed of the middle alone
MEDIAN_EFFICIENCY = 0.37  # of the median of |z| as an estimate of a spread (Huber 1981)
KNOWN, FEWEST_DEGREES = 1e5, 2.0
LARGEST_TAU_SQUARED = 100.0
BINS, DEGREE, STEPS = 120, 7, 60


@dataclass(frozen=True)
class Null:
    """Mean and standard deviation of each provider's z-score under the null (J,), the share of null providers, and the
    degrees of freedom that the standard deviation is known with (J,)."""

    mean: Floats
    sd: Floats
    share: float
    degrees: Floats

    def standardized(self, z: Floats) -> Floats:
        """Scores that are N(0, 1) under the null."""
        score = (z - self.mean) / self.sd
        tail = special.stdtr(self.degrees, -np.abs(score))
        return np.where(self.degrees < KNOWN, -np.sign(score) * special.ndtri(tail), score)

    def half_width(self, score: Floats | float) -> Floats:
        """The distance from the mean (J,) at which a provider's standardized score is `score`."""
        reach = special.stdtrit(self.degrees, special.ndtr(-np.asarray(score, dtype=np.float64)))
        return self.sd * np.where(self.degrees < KNOWN, -reach, score)


def middle_null(z: Floats) -> Null:
    """One null for all: a normal density fitted by maximum likelihood to the middle of the z-scores (Efron 2004).

    The middle reaches 2 robust standard deviations from the median; providers outside it do not weigh. The spread is
    never taken to be less than chance alone gives.
    """
    finite = z[np.isfinite(z)]
    centre, scale = float(np.median(finite)), _robust_scale(finite)
    half = MIDDLE * scale
    inside = finite[np.abs(finite - centre) <= half]

    def loss(parameters: Floats) -> float:
        mean, sd = parameters[0], np.exp(parameters[1])
        log_low, log_high = special.log_ndtr((np.array([centre - half, centre + half]) - mean) / sd)
        log_mass = log_high + np.log1p(-np.exp(log_low - log_high))
        return float(0.5 * np.sum(((inside - mean) / sd) ** 2) + len(inside) * (np.log(sd) + log_mass))

    found = optimize.minimize(
        loss,
        [centre, np.log(scale)],
        method="Nelder-Mead",
        bounds=[(centre - half, centre + half), (np.log(scale / WIDEST), np.log(scale * WIDEST))],
        options={"xatol": 1e-7, "fatol": 1e-9},
    )
    mean, sd = float(found.x[0]), max(float(np.exp(found.x[1])), 1.0)
    ends = (np.array([centre - half, centre + half]) - mean) / sd
    share = min(1.0, len(inside) / len(finite) / float(np.diff(special.ndtr(ends))[0]))
    whole = np.ones(len(z))
    return Null(mean * whole, sd * whole, share, _degrees(ends, len(inside)) * whole)


def _degrees(ends: Floats, count: int) -> float:
    """1/(2 Var log sd) of `count` standard normal values between `ends`, the mean estimated too."""
    points = np.linspace(ends[0], ends[1], 201)
    weight = np.exp(-0.5 * points**2)
    weight /= weight.sum()
    scores = np.stack([points, points**2])
    centred = scores - (scores @ weight)[:, None]
    information = (centred * weight) @ centred.T
    own = information[1, 1] - information[0, 1] ** 2 / information[0, 0]
    return max(0.5 * count * float(own), FEWEST_DEGREES)


def null_by_volume(z: Floats, volume: Floats, groups: int = 3) -> Null:
    """A null of its own for each of `groups` equal groups of volume (Kalbfleisch & Wolfe 2013)."""
    edges = np.quantile(volume, np.linspace(0.0, 1.0, groups + 1)[1:-1])
    group = np.searchsorted(edges, volume, side="right")
    mean, sd, degrees, shares = np.zeros(len(z)), np.ones(len(z)), np.ones(len(z)), np.zeros(groups)
    for k in range(groups):
        own = group == k
        part = middle_null(z[own])
        mean[own], sd[own], degrees[own], shares[k] = part.mean, part.sd, part.degrees, part.share
    return Null(mean, sd, float(np.average(shares, weights=np.bincount(group, minlength=groups))), degrees)


def logistic_null(z: Floats, information: Floats) -> Null:
    """Var z_j = 1 + τ₀²V_j around 0, with τ₀² such that the middle half of the standardized scores is that of N(0, 1).

    information: V_j = Σp(1 − p). τ₀² = 0 where the scores are no wider than N(0, 1).
    """
    used = np.isfinite(z)

    def too_narrow(tau_squared: Floats) -> Floats:
        return np.array(
            [1.0 - np.median(np.abs(z[used]) / np.sqrt(1.0 + t * information[used])) / QUARTILE for t in tau_squared]
        )

    tau_squared = float(rising_root(too_narrow, np.zeros(1), np.full(1, LARGEST_TAU_SQUARED))[0])
    tau_squared = tau_squared if too_narrow(np.zeros(1))[0] < 0 else 0.0
    known = MEDIAN_EFFICIENCY * int(used.sum()) if tau_squared > 0 else np.inf
    whole = np.ones(len(z))
    return Null(0.0 * whole, np.sqrt(1.0 + tau_squared * information), 1.0, max(known, FEWEST_DEGREES) * whole)


def local_false_discovery(z: Floats, null: Null) -> Floats:
    """π₀f₀(z)/f(z): the probability that a provider with this score is null (Efron 2004).

    f by Lindsey's method: a Poisson regression of the histogram of the standardized scores on a polynomial. Where one
    score stands alone f is a guess: the rate is never taken to be below the false discovery rate of all scores as far
    out, which it cannot be where it falls with the score.
    """
    scores = null.standardized(z)
    used = np.isfinite(scores)
    inside = scores[used]
    edges = np.linspace(inside.min() - 0.1, inside.max() + 0.1, min(BINS, max(10, len(inside) // 4)) + 1)
    counts, middles = np.histogram(inside, edges)[0].astype(np.float64), 0.5 * (edges[1:] + edges[:-1])
    centre, width = float(middles.mean()), float(np.ptp(middles) / 2.0)
    degree = min(DEGREE, len(middles) // 3)
    log_density = _poisson_polynomial((middles - centre) / width, counts, degree)
    density = np.exp(log_density((inside - centre) / width)) / (len(inside) * (edges[1] - edges[0]))
    rate = np.full(len(z), np.nan)
    normal = np.exp(-0.5 * inside**2) / np.sqrt(2.0 * np.pi)
    beyond = null.share * benjamini_hochberg(2.0 * special.ndtr(-np.abs(inside)))
    rate[used] = np.clip(null.share * normal / density, beyond, 1.0)
    return rate


def benjamini_hochberg(probabilities: Floats) -> Floats:
    """Adjusted probabilities (false discovery rate at which each would be flagged); any shape, NaN left out.

    Providers of one measure, or of all measures together (Benjamini & Hochberg 1995; Jones, Ohlssen & Spiegelhalter
    2008).
    """
    flat = probabilities.reshape(-1)
    used = np.flatnonzero(np.isfinite(flat))
    order = used[np.argsort(flat[used], kind="stable")]
    adjusted = np.full(len(flat), np.nan)
    raw = flat[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return adjusted.reshape(probabilities.shape)


def _robust_scale(values: Floats) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    return max(float(high - low) / (2.0 * QUARTILE), 1e-6)


def _poisson_polynomial(x: Floats, counts: Floats, degree: int) -> np.polynomial.Legendre:
    """log mean of counts as a Legendre series in x (−1 to 1), by iterated weighted least squares."""
    basis = np.polynomial.legendre.legvander(x, degree)
    eta = np.log(counts + 0.5)
    beta = np.zeros(degree + 1)
    for _ in range(STEPS):
        mean = np.exp(np.clip(eta, -30.0, 30.0))
        root = np.sqrt(mean)
        beta = np.linalg.lstsq(basis * root[:, None], root * (eta + (counts - mean) / mean), rcond=None)[0]
        step = basis @ beta
        if np.abs(step - eta).max() < 1e-8:
            break
        eta = step
    return np.polynomial.Legendre(beta)

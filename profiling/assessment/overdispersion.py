"""More spread between providers than chance explains: how much, and limits that allow for it (Spiegelhalter 2005).

Multiplicative: every z-score is divided by √φ. Additive: each provider has a true value of its own around the norm,
with variance τ² on the scale of the limits (DerSimonian & Laird 1986). The extremes, who may be what one looks for,
are winsorised or trimmed first. Spiegelhalter, Sherlaw-Johnson, Bardsley et al. 2012 (J R Stat Soc A 175) for the
forms of the Care Quality Commission; NHS England's indicator specification for SHMI's.

Both published forms take the spread that is left as if nothing had been drawn in: where true values are normal, a
tenth winsorised at each end makes 95 % limits hold some 88 %, trimmed fewer. "keep" makes no such cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from profiling.assessment.fitted import Floats

Extremes = Literal["winsorise", "trim", "keep"]


@dataclass(frozen=True)
class Overdispersion:
    """φ, the mean square of the z-scores used; τ² on the scale of the limits; the number of providers used."""

    phi: float
    tau_squared: float
    providers: int

    @property
    def factor(self) -> float:
        """φ, but never below 1: limits are widened, not narrowed."""
        return max(self.phi, 1.0)


def overdispersion(
    z: Floats, standard_error: Floats, extremes: Extremes = "winsorise", share: float = 0.1
) -> Overdispersion:
    """φ and τ² of z-scores (J,) whose estimates have the sampling standard errors (J,) on the scale of the limits.

    extremes: what happens to the `share` of providers at each end, floor(share·J) of them trimmed, or drawn in to the
    quantiles of z at `share` and 1 − share.
    """
    used = np.isfinite(z) & np.isfinite(standard_error) & (standard_error > 0)
    scores, weights = z[used], 1.0 / standard_error[used] ** 2
    if extremes == "trim":
        drop = int(np.floor(share * len(scores)))
        kept = np.argsort(scores, kind="stable")[drop : len(scores) - drop]
        scores, weights = scores[kept], weights[kept]
    elif extremes == "winsorise" and len(scores):
        scores = np.clip(scores, *np.quantile(scores, [share, 1.0 - share]))
    count = len(scores)
    if count < 2:
        return Overdispersion(float("nan"), 0.0, count)
    phi = float(np.mean(scores**2))
    spread = weights.sum() - (weights**2).sum() / weights.sum()
    return Overdispersion(phi, float(max(0.0, (count * phi - (count - 1)) / spread)), count)


def kept_variance(extremes: Extremes, share: float) -> float:
    """The part of the mean square of normal scores that is left when their extremes are drawn in or trimmed."""
    if extremes == "keep" or share <= 0.0:
        return 1.0
    edge = -special.ndtri(share)
    trimmed = 1.0 - 2.0 * edge * np.exp(-0.5 * edge**2) / np.sqrt(2.0 * np.pi) / (1.0 - 2.0 * share)
    return float(trimmed if extremes == "trim" else (1.0 - 2.0 * share) * trimmed + 2.0 * share * edge**2)


def share_beyond(spread: Overdispersion, extremes: Extremes, share: float, probability: float) -> float:
    """Share of providers, of whom none stands out, beyond limits that widen for the spread and claim `probability`."""
    narrow = kept_variance(extremes, share) * (spread.factor / spread.phi if spread.phi > 0 else np.inf)
    return float(2.0 * special.ndtr(special.ndtri(probability / 2.0) * np.sqrt(min(narrow, 1.0))))


def log_ratio_scores(observed: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """SHMI's: z = ln(O/E)·√E and its standard error 1/√E. A provider without events has z = −∞ and is never used."""
    with np.errstate(divide="ignore"):
        return np.log(observed / expected) * np.sqrt(expected), 1.0 / np.sqrt(expected)


def root_ratio_scores(observed: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """CQC's: z of √(O/E) against 1, and its standard error 1/(2√E); zero events are no exception."""
    error = 0.5 / np.sqrt(expected)
    return (np.sqrt(observed / expected) - 1.0) / error, error


def arcsine_scores(observed: Floats, n: Floats, rate: float) -> tuple[Floats, Floats]:
    """Proportions: z of arcsin √(O/n) against that of the norm's `rate`, and its standard error 1/(2√n)."""
    error = 0.5 / np.sqrt(n)
    return (np.arcsin(np.sqrt(observed / n)) - np.arcsin(np.sqrt(rate))) / error, error


def shmi(observed: Floats, expected: Floats) -> Overdispersion:
    """NHS England's form: log scale, floor(J/10) providers trimmed at each end."""
    return overdispersion(*log_ratio_scores(observed, expected), extremes="trim")


def cqc(observed: Floats, expected: Floats) -> Overdispersion:
    """The Care Quality Commission's form: square-root scale, a tenth of the providers winsorised at each end."""
    return overdispersion(*root_ratio_scores(observed, expected), extremes="winsorise")


def two_sided(z: Floats) -> Floats:
    """Two-sided probability of a normal score."""
    return np.asarray(2.0 * special.ndtr(-np.abs(z)), dtype=np.float64)

"""Criteria to compare estimating equations, which have no likelihood.

QIC = -2 Q + 2 tr(Omega V): Q the quasi-likelihood under independence, Omega the information under independence, both
at the estimates, V the robust covariance (Pan 2001, eq. 3). QICu puts the number of coefficients for the trace and
compares covariates only; the trace, CIC, compares correlations only (Hin & Wang 2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Criteria:
    """Quasi-likelihood and the criteria from it, at one value of the scale."""

    quasi_likelihood: float
    qic: float
    qicu: float
    cic: float


def criteria(
    quasi_likelihood: float, independence: np.ndarray, robust: np.ndarray, scale: float, dispersion: float
) -> Criteria:
    """Return the criteria from Q at dispersion one, D'D (p, p), the robust covariance (p, p) in its coordinates.

    `scale` divides Q; `dispersion` divides D'D.
    """
    quasi = quasi_likelihood / scale
    trace = float(np.trace(independence @ robust)) / dispersion
    return Criteria(quasi, -2 * quasi + 2 * trace, -2 * quasi + 2 * len(robust), trace)

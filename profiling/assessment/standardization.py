"""Observed, expected and predicted outcomes of a provider.

For the rows i of provider j, with g the link, η_i = x_iβ̂ + offset and b the provider effects (METHODS: CMS's
terms):

  expected           E_j  = Σ g⁻¹(η_i)                 the own effect at zero
  expected_marginal  E*_j = Σ ∫ g⁻¹(η_i + b) dN(b; 0, σ̂²)   averaged over the effects, so that ΣO = ΣE*
  (Jensen) predicted          P_j  = Σ g⁻¹(η_i + b̂_j)

A log-Gaussian outcome lives on its own scale: η carries σ²/2, g⁻¹ = exp, the average adds σ̂_b²/2.
Normand, Glickman & Gatsonis 1997 (JASA 92); Krumholz et al. 2006 (Circulation 113) for the ratio P/E.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from scipy import special

from profiling.assessment.fitted import Floats, Integers

TILE = 20_000  # rows whose intermediate values stay in the cache
IDENTITY, LOG, LOGIT, PROBIT, CLOGLOG = range(5)
LINKS = {"identity": IDENTITY, "log": LOG, "logit": LOGIT, "probit": PROBIT, "cloglog": CLOGLOG}


def response(eta: Floats, link: str) -> Floats:
    """g⁻¹(eta), element by element."""
    code = LINKS[link]
    if code == IDENTITY:
        return eta.copy()
    if code == LOG:
        return np.asarray(np.exp(eta), dtype=np.float64)
    if code == LOGIT:
        return np.asarray(special.expit(eta), dtype=np.float64)
    if code == PROBIT:
        return np.asarray(special.ndtr(eta), dtype=np.float64)
    return np.asarray(-np.expm1(-np.exp(eta)), dtype=np.float64)


def inverse_response(mean: Floats, link: str) -> Floats:
    """g(mean), element by element."""
    code = LINKS[link]
    if code == IDENTITY:
        return mean.copy()
    if code == LOG:
        return np.asarray(np.log(mean), dtype=np.float64)
    if code == LOGIT:
        return np.asarray(special.logit(mean), dtype=np.float64)
    if code == PROBIT:
        return np.asarray(special.ndtri(mean), dtype=np.float64)
    return np.asarray(np.log(-np.log1p(-mean)), dtype=np.float64)


def marginal_response(eta: Floats, link: str, variance: float, points: int = 31) -> Floats:
    """∫ g⁻¹(eta + b) dN(b; 0, variance): in closed form for identity, log and probit, else by Gauss-Hermite.

    With 31 points the logit integral is right to 1e-8 up to a standard deviation of 1, to 1e-5 up to 3.
    """
    if variance <= 0.0 or link == "identity":
        return response(eta, link)
    if link == "log":
        return response(eta + variance / 2.0, link)
    if link == "probit":
        return response(eta / np.sqrt(1.0 + variance), link)
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    nodes, weights = nodes * np.sqrt(variance), weights / weights.sum()
    total = np.zeros_like(eta)

    def fill(first: int) -> None:
        own, part = eta[first : first + TILE], total[first : first + TILE]
        for node, weight in zip(nodes, weights, strict=True):
            part += weight * response(own + node, link)

    tiles = range(0, len(eta), TILE)
    if len(tiles) <= 1:
        fill(0)
        return total
    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        list(pool.map(fill, tiles))
    return total


def provider_sums(values: Floats, starts: Integers) -> Floats:
    """Sum of sorted `values` (n,) by provider: rows starts[j] to starts[j + 1], never none."""
    return np.asarray(np.add.reduceat(values, starts[:-1]), dtype=np.float64)


def predicted_at(eta: Floats, starts: Integers, shifts: npt.ArrayLike, link: str) -> Floats:
    """P_j(b) = Σ g⁻¹(η_i + b) for each provider j and shift b, in the shape of `shifts`: (J, K) or (J,).

    Each provider is summed in the order of its rows by one thread: the result does not depend on their
    number.
    """
    table = np.asarray(shifts, dtype=np.float64)
    sums: Floats = _shifted_sums(
        eta, starts, np.ascontiguousarray(table.reshape(len(starts) - 1, -1)), LINKS[link]
    )
    return sums.reshape(table.shape)


def norm_shift(eta: Floats, starts: Integers, expected: Floats, link: str, start: Floats) -> Floats:
    """The shift b at which P_j(b) = E_j, by Newton steps from `start`."""
    shift, step = start.copy(), 1e-4
    for _ in range(8):
        below, here, above = predicted_at(
            eta, starts, np.stack([shift - step, shift, shift + step], axis=1), link
        ).T
        shift = shift + np.clip((expected - here) * 2.0 * step / (above - below), -1.0, 1.0)
    return shift


@numba.njit(parallel=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _shifted_sums(eta: Any, starts: Any, shifts: Any, link: int) -> Any:
    sums = np.zeros(shifts.shape)
    for j in numba.prange(shifts.shape[0]):
        for k in range(shifts.shape[1]):
            total = 0.0
            for i in range(starts[j], starts[j + 1]):
                total += _inverse_link(eta[i] + shifts[j, k], link)
            sums[j, k] = total
    return sums


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _inverse_link(eta: float, link: int) -> float:
    if link == IDENTITY:
        return eta
    if link == LOG:
        return float(np.exp(eta))
    if link == LOGIT:
        return float(1.0 / (1.0 + np.exp(-eta)))
    if link == PROBIT:
        return float(0.5 * math.erfc(-eta / np.sqrt(2.0)))
    return float(-np.expm1(-np.exp(eta)))

"""Gauss-Hermite rules for the standard normal density, any odd number of points.

    integral phi(z) g(z) dz ~ sum_q w_q g(z_q),       kept as z_q and log w_q + z_q^2 / 2,

because an adaptive rule multiplies each weight by exp(z_q^2 / 2) (Liu & Pierce 1994; Pinheiro & Bates 1995). Nodes
are the eigenvalues of the Jacobi matrix (Golub & Welsch 1969), polished by Newton steps on the Hermite functions
psi_k = He_k exp(-z^2/4) / sqrt(k!), whose recurrence neither over- nor underflows, and
w_q exp(z_q^2 / 2) = 1 / (n psi_{n-1}(z_q)^2).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import linalg

from profiling.errors import ModelError, Problem

MOST_POINTS = 255


@lru_cache(maxsize=64)
def gauss_hermite(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes (points,) in ascending order and log weights plus z^2/2; `points` odd, 1 to `MOST_POINTS`."""
    if points < 1 or points > MOST_POINTS or points % 2 == 0:
        raise ModelError(Problem("points", str(points), f"an odd number from 1 to {MOST_POINTS}"))
    z = linalg.eigh_tridiagonal(np.zeros(points), np.sqrt(np.arange(1.0, points)), eigvals_only=True)
    for _ in range(3):
        last, before = _hermite_functions(z, points)
        z = z - last / (np.sqrt(points) * before)
    z = (z - z[::-1]) / 2
    _, before = _hermite_functions(z, points)
    log_weight = -np.log(points) - 2 * np.log(np.abs(before))
    for array in (z, log_weight):
        array.flags.writeable = False
    return z, log_weight


def _hermite_functions(z: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return psi_n and psi_{n-1} at z."""
    before, here = np.zeros_like(z), np.exp(-np.square(z) / 4)
    for k in range(points):
        before, here = here, (z * here - np.sqrt(k) * before) / np.sqrt(k + 1.0)
    return here, before


def product_rule(points: int, terms: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the nodes (points^terms, terms) and log weights of the product rule for a vector of `terms` effects."""
    z, log_weight = gauss_hermite(points)
    grid = np.stack(np.meshgrid(*[z] * terms, indexing="ij"), axis=-1).reshape(-1, terms)
    weights = sum(np.meshgrid(*[log_weight] * terms, indexing="ij"))
    return np.ascontiguousarray(grid), np.ascontiguousarray(np.ravel(weights))

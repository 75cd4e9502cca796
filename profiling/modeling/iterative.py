"""When crossed factors are solved by iteration, and with which probes.

A component's dense core of s coefficients takes 32 s^2 bytes. Where all cores together would not fit the memory, the
largest are never formed: only the entries of the Schur complement between coefficients that meet are kept
(`structure`), systems are solved by conjugate gradients (`iterative_solve`), and the log-determinant and the entries of
the inverse are estimated from random vectors, the same ones at every evaluation (`iterative_trace`). The Monte-Carlo
error of all that is part of the result (`iterative_error`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.checks import memory_limit

PROBES = 16
LEAST_PROBES = 4  # fewer say next to nothing about their own spread


@dataclass(frozen=True)
class Iteration:
    """How crossed factors beyond the memory are treated.

    `dense_bytes`: what dense cores may take together, by default most of this machine's memory; `probes`: random
    vectors, whose number divides the Monte-Carlo variance; `seed` of their signs.
    """

    dense_bytes: float | None = None
    probes: int = PROBES
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ModelError for too few probes."""
        if self.probes < LEAST_PROBES:
            raise ModelError(Problem("iteration", f"{self.probes} probes", f"{LEAST_PROBES} or more"))

    @property
    def limit(self) -> float:
        """Return the bytes that dense cores may take."""
        return memory_limit() if self.dense_bytes is None else self.dense_bytes

    def signs(self, component: int, size: int) -> np.ndarray:
        """Return the probes of one component (size, probes): independent signs (Hutchinson 1990)."""
        generator = np.random.default_rng((self.seed, component))
        return generator.integers(0, 2, (size, self.probes)).astype(float) * 2.0 - 1.0

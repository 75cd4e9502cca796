"""Draws of all random effects together: crossed effects borrow from each other, and their draws must too.

Given the estimates of the variances, u | y, beta ~ N(u^ - K (beta - beta^), H^-1), beta ~ N(beta^, C): with H = LL' a
draw is u^ - K d + L^-T z, one solve with the factor of H a draw (Rue & Held 2005, algorithm 2.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from profiling.modeling.state import FittedState, fitted_state, level_values, source_of
from profiling.modeling.threads import threads_for

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

AT_ONCE = 50


def joint_draws(fit: MixedModelResult, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Return `draws` joint draws of every factor's first term (draws, levels), on the scale of the linear predictor.

    They hold the uncertainty of the effects and of beta at the estimated variances.
    """
    generator = np.random.default_rng(seed)
    design = source_of(fit).design
    with threads_for(design.n):
        state = fitted_state(fit)
        to_scaled = np.linalg.inv(design.scaling.to_raw)
        spread = _root(to_scaled @ fit.covariance.to_numpy() @ to_scaled.T)
        parts = [_draw(fit, state, spread, min(AT_ONCE, draws - done), generator) for done in range(0, draws, AT_ONCE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in fit.groups}


def _draw(
    fit: MixedModelResult, state: FittedState, spread: np.ndarray, count: int, generator: np.random.Generator
) -> dict[str, np.ndarray]:
    z0 = generator.standard_normal((*state.u0.shape, count))
    zr = generator.standard_normal((len(state.ur), count))
    beta = spread @ generator.standard_normal((spread.shape[1], count))
    x0, xr = state.factor.full_solve(z0, zr)
    u0 = state.u0[..., None] + state.sigma * x0 - state.K0 @ beta
    ur = state.ur[:, None] + state.sigma * xr - state.Kr @ beta
    found = {}
    for f, factor in enumerate(state.design.factors):
        first = state.design.form.block(fit.theta, f)[0]
        found[factor.name] = np.ascontiguousarray(np.einsum("b,lbd->dl", first, level_values(state, f, u0, ur)))
    return found


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return R with RR' = C, for a covariance that may be singular."""
    if not len(covariance):
        return covariance
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))

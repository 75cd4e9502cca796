"""Conditional modes with their three standard deviations, by implicit differentiation of the mode."""

from __future__ import annotations

from typing import Any

import numpy as np

from profiling.modeling.design import Design
from profiling.modeling.inference import quadratic_diagonals
from profiling.modeling.result import RandomEffects


def implicit_slopes(
    design: Design, Lambda: np.ndarray, u: np.ndarray, r: np.ndarray, A: np.ndarray, factor: Any
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return du/dtheta_k = V (L_k'Z'l1 - Lambda'Z'WZ L_k u) for every entry; u, r (M, k), A (M, k, k) by cell."""
    slopes = []
    for row, column in zip(design.form.rows, design.form.columns, strict=True):
        right = -(A[:, :, row] * u[:, column][:, None]) @ Lambda
        right[:, column] += r[:, row]
        slopes.append(factor.solve(*design.structure.scatter(right)))
    return slopes


def random_effects(
    design: Design,
    theta: np.ndarray,
    sigma: float,
    u: tuple[np.ndarray, np.ndarray],
    V: np.ndarray,
    beta_slopes: tuple[np.ndarray, np.ndarray],
    theta_slopes: list[tuple[np.ndarray, np.ndarray]],
    joint: np.ndarray,
    p: int,
) -> dict[str, RandomEffects]:
    """Return modes and the three standard deviations of every factor, on the scale of the linear predictor.

    `u` spherical modes; `V` cells' blocks of H^-1; `beta_slopes` du/dbeta; `theta_slopes` du/dtheta; `joint` the
    covariance of (beta, theta); sigma multiplies V (the residual sd of an LMM; 1 otherwise).
    """
    s, form = design.structure, design.form
    found = {}
    for f, factor in enumerate(design.factors):
        q = len(factor.terms)
        L = form.block(theta, f)
        own = np.flatnonzero(form.factor == f)

        def level(x0: np.ndarray, xr: np.ndarray, f: int = f) -> np.ndarray:
            return x0 if f == 0 else xr[s.rest_position[f - 1]]

        u_level = level(*u)
        v_level = V[s.first_cells[f]][:, form.offsets[f] : form.offsets[f + 1], form.offsets[f] : form.offsets[f + 1]]
        jacobian = np.zeros((factor.size, q, len(joint)))
        jacobian[:, :, :p] = np.einsum("ab,lbp->lap", L, level(*beta_slopes), optimize=True)
        for entry, slopes in enumerate(theta_slopes):
            jacobian[:, :, p + entry] = level(*slopes) @ L.T
            if entry in own:
                jacobian[:, form.rows[entry] - form.offsets[f], p + entry] += u_level[
                    :, form.columns[entry] - form.offsets[f]
                ]
        conditional = sigma**2 * np.einsum("ab,lbc,ac->la", L, v_level, L, optimize=True)
        with_beta = conditional + quadratic_diagonals(jacobian[:, :, :p], joint[:p, :p])
        full = conditional + quadratic_diagonals(jacobian, joint)
        arrays = [u_level @ L.T, *(np.sqrt(np.maximum(variance, 0)) for variance in (conditional, with_beta, full))]
        if f == 0:
            back = np.empty_like(design.new_level0)
            back[design.new_level0] = np.arange(len(back))
            arrays = [array[back] for array in arrays]
        found[factor.name] = RandomEffects(*arrays)
    return found

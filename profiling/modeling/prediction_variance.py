"""The variance of predicted linear predictors.

With J = db^/dbeta the variance of x'beta^ + z'(b^ - b) is (x + J'z)'C(x + J'z) + z'Vz, V the conditional covariance
of b (Henderson 1975 for the LMM; Booth & Hobert 1998), plus z'Sz for a level that the fit has not seen. The variance
parameters are held at their estimates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.modeling.new_rows import NewRows
from profiling.modeling.state import FittedState, fitted_state, level_values, source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

ROWS_AT_ONCE = 65_536
PAIRS_AT_ONCE = 32


def predictor_variance(fit: MixedModelResult, rows: NewRows, conditional: bool) -> np.ndarray:
    """Return the variance of each row's predicted linear predictor (n); see the module's docstring."""
    design = source_of(fit).design
    to_raw = design.scaling.to_raw
    scaled_X = rows.X @ to_raw  # raw x'beta = x'T beta_scaled
    inverse = np.linalg.inv(to_raw)
    C = inverse @ fit.covariance.to_numpy() @ inverse.T
    if not conditional:
        return np.asarray(np.einsum("np,pq,nq->n", scaled_X, C, scaled_X, optimize=True))
    state = fitted_state(fit)
    total = np.zeros(len(rows.offset))
    moved = scaled_X.copy()
    names = [factor.name for factor in design.factors]
    for factor, codes, columns in zip(fit.factors, rows.codes, rows.columns, strict=True):
        f = names.index(factor.name)
        L = _block(state, f)
        J = -np.einsum("ab,lbp->lap", L, level_values(state, f, state.K0, state.Kr))
        J = np.concatenate([J, np.zeros((1, *J.shape[1:]))])
        for start in range(0, len(codes), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            z = None if columns is None else columns[part]
            moved[part] += J[codes[part], 0] if z is None else np.einsum("nq,nqp->np", z, J[codes[part]])
        S = fit.variance_components[factor.name].to_numpy()
        total += np.where(codes < 0, quadratic_form(columns, S), 0.0)
    total += np.einsum("np,pq,nq->n", moved, C, moved, optimize=True)
    return np.asarray(total + conditional_variance(fit, state, rows))


def _block(state: FittedState, f: int) -> np.ndarray:
    offsets = state.design.form.offsets
    part = slice(offsets[f], offsets[f + 1])
    return np.asarray(state.Lambda[part, part])


def conditional_variance(fit: MixedModelResult, state: FittedState, rows: NewRows) -> np.ndarray:
    """Return z'Vz (n) over the levels that the fit has seen, V the conditional covariance of b."""
    design = state.design
    position = {factor.name: f for f, factor in enumerate(design.factors)}
    by_design = sorted(range(len(fit.factors)), key=lambda i: position[fit.factors[i].name])
    codes = np.stack([rows.codes[i] for i in by_design], axis=1)
    met, back = np.unique(codes, axis=0, return_inverse=True)
    blocks = level_blocks_of(state, met)
    turned = np.einsum("ab,mbc,dc->mad", state.Lambda, blocks, state.Lambda, optimize=True) * state.sigma**2
    z = np.concatenate(
        [np.ones((len(codes), 1)) if rows.columns[i] is None else np.asarray(rows.columns[i]) for i in by_design],
        axis=1,
    )
    total = np.empty(len(codes))
    for start in range(0, len(codes), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        total[part] = quadratic_form(z[part], turned[back.reshape(-1)[part]])
    return total


def level_blocks_of(state: FittedState, met: np.ndarray) -> np.ndarray:
    """Return the blocks of H^-1 (m, k, k) of combinations of levels (m, factors), zero for levels not seen.

    Combinations that occur in the data are read off the factor; others are solved for, a few at a time.
    """
    design, s = state.design, state.design.structure
    k = design.form.offsets[-1]
    renumber = np.empty_like(design.new_level0)
    renumber[design.new_level0] = np.arange(len(renumber))
    cell_codes = np.stack([factor.codes[design.order[s.cell_ptr[:-1]]] for factor in design.factors], axis=1)
    where = _combinations(cell_codes).get_indexer(_combinations(met))
    blocks = np.zeros((len(met), k, k))
    blocks[where >= 0] = state.V[where[where >= 0]]
    other = np.flatnonzero(where < 0)
    for start in range(0, len(other), PAIRS_AT_ONCE):
        chosen = other[start : start + PAIRS_AT_ONCE]
        blocks[chosen] = _solved_blocks(state, met[chosen], renumber)
    return blocks


def _combinations(codes: np.ndarray) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([codes[:, f] for f in range(codes.shape[1])])


def _solved_blocks(state: FittedState, met: np.ndarray, renumber: np.ndarray) -> np.ndarray:
    s, offsets = state.design.structure, state.design.form.offsets
    m, k, q0 = len(met), offsets[-1], s.terms[0]
    U0, Ur = np.zeros((s.n_levels0, q0, m * k)), np.zeros((s.n_rest, m * k))
    seen = met >= 0
    combination = np.arange(m)
    for f in range(met.shape[1]):
        rows = combination[seen[:, f]]
        for a in range(offsets[f + 1] - offsets[f]):
            column = rows * k + offsets[f] + a
            if f == 0:
                U0[renumber[met[rows, 0]], a, column] = 1.0
            else:
                Ur[s.rest_position[f - 1][met[rows, f], a], column] = 1.0
    C0, Cr = state.factor.half_solve(U0, Ur)
    halves = np.concatenate([C0.reshape(-1, m * k), Cr])
    wide = halves.reshape(-1, m, k)
    return np.asarray(np.einsum("rma,rmb->mab", wide, wide, optimize=True))


def effect_variance(fit: MixedModelResult, rows: NewRows) -> np.ndarray:
    """Return z'Sz (n), the variance that random effects add to each row's linear predictor."""
    total = np.zeros(len(rows.offset))
    for factor, columns in zip(fit.factors, rows.columns, strict=True):
        total += quadratic_form(columns, fit.variance_components[factor.name].to_numpy())
    return total


def effect_variance_of(fit: MixedModelResult, group: str) -> np.ndarray:
    """Return z'Sz of one group for every row of the fit; one value where the group has an intercept only."""
    factor = next(factor for factor in fit.factors if factor.name == group)
    return np.atleast_1d(quadratic_form(factor.columns, fit.variance_components[group].to_numpy()))


def quadratic_form(columns: np.ndarray | None, S: np.ndarray) -> np.ndarray | float:
    """Return z'Sz of every row; S (q, q) for all or (n, q, q) by row."""
    if columns is None:
        return np.asarray(S[..., 0, 0])
    by_row = "nqr" if S.ndim == 3 else "qr"
    return np.asarray(np.einsum(f"nq,{by_row},nr->n", columns, S, columns, optimize=True))

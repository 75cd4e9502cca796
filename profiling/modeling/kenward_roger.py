"""Kenward & Roger's small-sample inference for the coefficients of a linear mixed model fitted by REML.

With V = sigma^2 W^-1 + Z S Z' linear in its parameters gamma (the entries of S, then sigma^2), Phi = (X'V^-1X)^-1,
V_i = dV/dgamma_i, and

    P_i = -X'V^-1 V_i V^-1 X,    Q_ij = X'V^-1 V_i V^-1 V_j V^-1 X,
    (2 W^-1)_ij = tr(V^-1 V_i V^-1 V_j) - 2 tr(Phi Q_ij) + tr(Phi P_i Phi P_j)      (expected information)

the adjusted covariance is Phi_A = Phi + 2 Phi [sum_ij W_ij (Q_ij - P_i Phi P_j)] Phi (Kenward & Roger 1997, eq. 5; the
term in second derivatives vanishes), and the F statistic is scaled and given degrees of freedom by matching its first
two moments (their section 4; as in pbkrtest, Halekoh & Hojsgaard 2014).

V is never formed: with A = Z'WZ, B = Z'WX and C = Lambda H^-1 Lambda' everything follows from (I - AC). One factor:
in blocks of its levels; several: dense in their coefficients together, up to `LARGEST`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from profiling.errors import ModelError, Problem
from profiling.modeling.criterion_lmm import LinearCriterion
from profiling.modeling.laplace import level_blocks
from profiling.modeling.satterthwaite import require_linear
from profiling.modeling.state import linear_state, source_of
from profiling.modeling.tiles import add_rows

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

LARGEST = 4000  # random coefficients of crossed or nested factors taken together


@dataclass(frozen=True)
class KenwardRoger:
    """What the method adds to a fit, for the raw coefficients: Phi, Phi_A (p, p), P (r, p, p) and W (r, r)."""

    Phi: np.ndarray
    adjusted: np.ndarray
    P: np.ndarray
    W: np.ndarray


@dataclass(frozen=True)
class _Blocks:
    """A, Lambda (batch, m, m), B (batch, m, p) and one dS for each free entry of S."""

    A: np.ndarray
    Lambda: np.ndarray
    B: np.ndarray
    units: list[Any]  # dense (1, m, m), or one sparse matrix (m, m) where there is one batch

    def left(self, unit: Any, values: np.ndarray) -> np.ndarray:
        """Return dS times `values` (batch, m, p)."""
        return np.asarray(unit @ values) if isinstance(unit, np.ndarray) else np.asarray(unit @ values[0])[None]

    def right(self, values: np.ndarray, unit: Any) -> np.ndarray:
        """Return `values` (batch, m, m) times dS."""
        return np.asarray(values @ unit) if isinstance(unit, np.ndarray) else np.asarray(values[0] @ unit)[None]


def kenward_roger(fit: MixedModelResult) -> KenwardRoger:
    """Return the adjusted covariance and its ingredients; raise ModelError for fits not by REML or too large."""
    require_linear(fit)
    source = source_of(fit)
    if not source.call.reml:
        raise ModelError(Problem("kenward_roger", "a maximum likelihood fit", "REML", "Fit with reml=True"))
    if (source.design.cell_multiplicity != 1).any():
        raise ModelError(Problem("kenward_roger", "cluster_weights", "a fit without them"))
    criterion, at = linear_state(fit)
    blocks = _blocks(criterion, fit.theta)
    s2, p = at.residual_variance, criterion.p
    H = np.eye(blocks.A.shape[1]) + blocks.Lambda.transpose(0, 2, 1) @ blocks.A @ blocks.Lambda
    C = blocks.Lambda @ np.linalg.solve(H, blocks.Lambda.transpose(0, 2, 1))
    AC = blocks.A @ C
    shrunk = np.eye(AC.shape[1]) - AC
    N = shrunk @ blocks.A / s2
    G = shrunk @ blocks.B / s2
    NN, NG = shrunk @ N / s2, shrunk @ G / s2  # Z'V^-1 W^-1 V^-1 Z and the same with X
    Y = [blocks.left(unit, G) for unit in blocks.units]
    NE = [blocks.right(N, unit) for unit in blocks.units]
    CB = C @ blocks.B
    XWX, first = criterion.cross[:p, :p], _sum(blocks.B, CB)
    second = _sum(CB, blocks.A @ CB)
    third = _sum(blocks.A @ CB, C @ (blocks.A @ CB))
    r = len(Y) + 1
    P, Q, trace = np.empty((r, p, p)), np.empty((r, r, p, p)), np.empty((r, r))
    for i, (Yi, unit) in enumerate(zip(Y, blocks.units, strict=True)):
        P[i] = -_sum(G, Yi)
        NY = N @ Yi
        for j, Yj in enumerate(Y):
            Q[j, i] = _sum(Yj, NY)
            trace[j, i] = _trace(NE[j], NE[i])
        Q[i, -1] = _sum(Yi, NG)
        Q[-1, i] = Q[i, -1].T
        trace[i, -1] = trace[-1, i] = float(np.einsum("gaa->", blocks.right(NN, unit)))
    P[-1] = -(XWX - 2 * first + second) / s2**2
    Q[-1, -1] = (XWX - 3 * first + 3 * second - third) / s2**3
    trace[-1, -1] = (criterion.n - 2 * float(np.einsum("gaa->", AC)) + _trace(AC, AC)) / s2**2
    Phi = np.linalg.inv(at.information_beta) * s2
    PhiP = Phi @ P
    information = trace - 2 * np.einsum("ab,ijba->ij", Phi, Q) + np.einsum("iab,jba->ij", PhiP, PhiP)
    W = 2 * np.linalg.pinv((information + information.T) / 2, hermitian=True, rcond=1e-12)
    inner = np.einsum("ij,ijab->ab", W, Q) - np.einsum("ij,iab,jbc->ac", W, P, PhiP, optimize=True)
    adjusted = Phi + 2 * Phi @ ((inner + inner.T) / 2) @ Phi
    T = source.design.scaling.to_raw
    back = np.linalg.inv(T)
    return KenwardRoger(T @ Phi @ T.T, T @ adjusted @ T.T, back.T @ P @ back, W)


def kenward_roger_f(fit: MixedModelResult, contrasts: np.ndarray) -> tuple[float, int, float]:
    """Return (scaled F, numerator, denominator degrees of freedom) of contrasts @ beta = 0 (q, p)."""
    made = kenward_roger(fit)
    L = np.asarray(contrasts, dtype=float)
    return f_from(made, L, fit.fixed_effects.to_numpy())


def f_from(made: KenwardRoger, L: np.ndarray, beta: np.ndarray) -> tuple[float, int, float]:
    """Return the test of L beta = 0 from the method's ingredients (Kenward & Roger 1997, section 4)."""
    q = int(np.linalg.matrix_rank(L))
    if q < len(L):
        L = np.linalg.svd(L)[2][:q]
    value = L @ beta
    F = float(value @ np.linalg.solve(L @ made.adjusted @ L.T, value)) / q
    Theta = L.T @ np.linalg.solve(L @ made.Phi @ L.T, L)
    TPP = Theta @ made.Phi @ made.P @ made.Phi
    traces = np.einsum("iaa->i", TPP)
    A1 = float(traces @ made.W @ traces)
    A2 = float(np.einsum("ij,iab,jba->", made.W, TPP, TPP))
    B = (A1 + 6 * A2) / (2 * q)
    g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
    c1, c2, c3 = g / (3 * q + 2 * (1 - g)), (q - g) / (3 * q + 2 * (1 - g)), (q + 2 - g) / (3 * q + 2 * (1 - g))
    V0, V1, V2 = 1 + c1 * B, 1 - c2 * B, 1 - c3 * B
    V0 = 0.0 if abs(V0) < 1e-10 else V0
    ratio = 1.0 if abs(V1) < 1e-10 and abs(1 - A2 / q) < 1e-10 else (1 - A2 / q) / V1
    rho = ratio**2 * V0 / (q * V2)
    freedom = 4 + (q + 2) / (q * rho - 1)
    scale = 1.0 if abs(freedom - 2) < 1e-2 else freedom * (1 - A2 / q) / (freedom - 2)
    return scale * F, q, float(freedom)


def _sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return sum over the batch of a'b (p, p)."""
    return np.asarray(np.einsum("gap,gaq->pq", a, b, optimize=True))


def _trace(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.einsum("gab,gba->", a, b))


def _blocks(criterion: LinearCriterion, theta: np.ndarray) -> _Blocks:
    """Return the blocks of one factor's levels, or one block of all factors' coefficients."""
    d, s, p = criterion.design, criterion.design.structure, criterion.p
    form, k = d.form, d.form.offsets[-1]
    units = []
    for row, column in zip(form.rows, form.columns, strict=True):
        unit = np.zeros((k, k))
        unit[row, column] = unit[column, row] = 1.0
        units.append(unit)
    wide = np.broadcast_to(criterion.products, (s.n_cells, k, p + 1))[..., :p]
    A = np.broadcast_to(criterion.A, (s.n_cells, k, k))
    Lambda = form.matrix(theta)
    if len(d.factors) == 1:
        B = np.add.reduceat(wide, s.level_ptr[:-1], axis=0)
        return _Blocks(level_blocks(d, A)[0], Lambda[None], B, [unit[None] for unit in units])
    total = s.n_levels0 * s.terms[0] + s.n_rest
    if total > LARGEST:
        raise ModelError(
            Problem(
                "kenward_roger", f"{total} random coefficients", f"at most {LARGEST}", "Use satterthwaite, which agrees"
            )
        )
    where = _coefficients(criterion)
    dense = np.zeros((1, total, total))
    np.add.at(dense[0], (where[:, :, None], where[:, None, :]), A)
    big_B = np.zeros((total, p))
    add_rows(big_B, where.reshape(-1), np.ascontiguousarray(wide).reshape(-1, p))
    big_Lambda = _spread(where, Lambda, total).toarray()[None]
    return _Blocks(dense, big_Lambda, big_B[None], [_spread(where, unit, total) for unit in units])


def _coefficients(criterion: LinearCriterion) -> np.ndarray:
    """Return the position of every cell's coefficients (M, k) among all."""
    s = criterion.design.structure
    q0 = s.terms[0]
    own = s.cell_level0[:, None] * q0 + np.arange(q0)
    return np.concatenate([own, s.n_levels0 * q0 + s.cell_rest], axis=1)


def _spread(where: np.ndarray, block: np.ndarray, total: int) -> Any:
    """Return the sparse (total, total) matrix with `block` on every level's own coefficients."""
    if not block.any():
        return sparse.csr_array((total, total))
    pairs, values = [], []
    for a, b in zip(*np.nonzero(block), strict=True):
        pairs.append(np.unique(where[:, [a, b]], axis=0))
        values.append(np.full(len(pairs[-1]), block[a, b]))
    rows, columns = np.concatenate(pairs).T
    return sparse.csr_array((np.concatenate(values), (rows, columns)), shape=(total, total))

"""The relative covariance factor Lambda(theta): which entries are free, and the scale on which they are searched.

theta holds the free entries of the lower-triangular Lambda of every factor (Bates et al. 2015, eq. 4), factor by
factor, by row. The search runs on psi: the logarithm of diagonal entries, off-diagonal ones as they are, so that no
step leaves the space of covariances; a diagonal entry that wants to be zero is set to exactly zero and left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_PIVOT = 1e-6


@dataclass(frozen=True)
class CovarianceTemplate:
    """Rows and columns in Lambda (k, k) of every free entry, and the factor to which it belongs."""

    rows: np.ndarray
    columns: np.ndarray
    factor: np.ndarray
    offsets: tuple[int, ...]

    @property
    def size(self) -> int:
        """Return the number of free entries."""
        return len(self.rows)

    @property
    def diagonal(self) -> np.ndarray:
        """Return which entries lie on the diagonal."""
        return np.asarray(self.rows == self.columns)

    def matrix(self, theta: np.ndarray) -> np.ndarray:
        """Return Lambda (k, k) for one cell."""
        Lambda = np.zeros((self.offsets[-1],) * 2)
        Lambda[self.rows, self.columns] = theta
        return Lambda

    def block(self, theta: np.ndarray, factor: int) -> np.ndarray:
        """Return the factor's own part of Lambda (q, q)."""
        part = slice(self.offsets[factor], self.offsets[factor + 1])
        return np.ascontiguousarray(self.matrix(theta)[part, part])

    def to_theta(self, psi: np.ndarray, zero: np.ndarray) -> np.ndarray:
        """Return theta from psi; entries marked in `zero` are exactly zero."""
        theta = psi.copy()
        theta[self.diagonal] = np.exp(psi[self.diagonal])
        theta[zero] = 0.0
        return theta

    def slope(self, theta: np.ndarray) -> np.ndarray:
        """Return dtheta/dpsi, entry by entry."""
        return np.where(self.diagonal, theta, 1.0)


def template(masks: list[np.ndarray]) -> CovarianceTemplate:
    """Return the template from one lower-triangular boolean mask (q, q) a factor."""
    offsets = np.cumsum([0, *[len(mask) for mask in masks]])
    entries = [(*np.nonzero(np.tril(mask)), offset) for mask, offset in zip(masks, offsets, strict=False)]
    return CovarianceTemplate(
        rows=np.concatenate([row + offset for row, _, offset in entries]),
        columns=np.concatenate([column + offset for _, column, offset in entries]),
        factor=np.repeat(np.arange(len(masks)), [len(row) for row, _, _ in entries]),
        offsets=tuple(int(offset) for offset in offsets),
    )


def expected_information(
    form: CovarianceTemplate,
    theta: np.ndarray,
    level_covariance: list[np.ndarray],
    level_blocks: list[np.ndarray],
    multiplicity: list[np.ndarray],
) -> np.ndarray:
    """Return the approximate expected information of psi (t, t), block-diagonal over factors.

    With dS_a = L_a Lambda' + Lambda L_a' and N_l the information that level l holds about its own effect, other
    effects integrated out, I_ab = 1/2 sum_l tr(N_l dS_a N_l dS_b), where Lambda'N_l Lambda = 1 - V_l. So for one
    scalar intercept I = 2 sum_l (1 - V_l)^2. For vectors of one factor N_l = A_l - A_l Lambda V_l Lambda'A_l
    (A_l = Z'WZ of the level), which stays finite where Lambda is singular. With several factors that leaves out what
    other levels share: where Lambda has no pivot of zero, N_l = Lambda^-T (1 - V_l) Lambda^-1; else see
    `_less_what_others_share`.
    """
    information = np.zeros((form.size, form.size))
    slope = form.slope(theta)
    for f, (V, A, m) in enumerate(zip(level_covariance, level_blocks, multiplicity, strict=True)):
        own = np.flatnonzero(form.factor == f)
        if V.shape[1] == 1:
            information[own, own] = 2.0 * float(m @ (1.0 - V[:, 0, 0]) ** 2)
            continue
        Lambda = form.block(theta, f)
        AL = A @ Lambda
        N = A - AL @ V @ AL.transpose(0, 2, 1)
        if len(level_covariance) > 1:
            N = _less_what_others_share(N, Lambda, V)
        kron = np.einsum("l,lab,lcd->abcd", m, N, N, optimize=True)
        directions = np.zeros((len(own), *Lambda.shape))
        for a, entry in enumerate(own):
            unit = np.zeros_like(Lambda)
            unit[form.rows[entry] - form.offsets[f], form.columns[entry] - form.offsets[f]] = slope[entry]
            directions[a] = unit @ Lambda.T + Lambda @ unit.T
        information[np.ix_(own, own)] = 0.5 * np.einsum("abcd,xbc,yda->xy", kron, directions, directions, optimize=True)
    return information


def _less_what_others_share(N: np.ndarray, Lambda: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Return the information of levels (L, q, q), of which V tells what is left along the columns of Lambda.

    With T = Lambda_P Lambda_PP^-1 the directions of the columns P whose pivots are not zero, T'N_l T has to be
    Lambda_PP^-T (1 - V_l,PP) Lambda_PP^-1. Across them N_l keeps what it has once T'N_l T is known to be that.
    """
    kept = np.abs(np.diag(Lambda)) >= LEAST_PIVOT
    if not kept.any():
        return N
    inverse = np.linalg.inv(Lambda[np.ix_(kept, kept)])
    left = inverse.T @ (np.eye(int(kept.sum())) - V[:, kept][:, :, kept]) @ inverse
    if kept.all():
        return np.asarray(left)
    T = Lambda[:, kept] @ inverse
    NT = N @ T
    own = T.T @ NT
    regression = np.linalg.pinv(own, hermitian=True) @ NT.transpose(0, 2, 1)
    return np.asarray(N - regression.transpose(0, 2, 1) @ (own - left) @ regression)


def boundary_curvature(form: CovarianceTemplate, theta: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return what to add to the diagonal of psi's information (t) where the likelihood falls towards larger variance.

    With S = Lambda Lambda', the second derivative of l in theta holds (dl/dS).(d2S/dtheta2), which the expected
    information leaves out. At an interior maximum dl/dS is zero; near a boundary it is all there is. From the
    diagonal's gradient, dl/dS_rr = g_rr / (2 theta_rr): entries of row r gain -2 dl/dS_rr where that is positive.
    """
    added = np.zeros(form.size)
    for entry in np.flatnonzero(form.diagonal):
        if theta[entry] <= 0 or gradient[entry] >= 0:
            continue
        row = form.rows == form.rows[entry]
        fall = -gradient[entry] / theta[entry]
        added[row] += fall * np.where(form.diagonal[row], 2 * theta[row] ** 2, 1.0)
    return added

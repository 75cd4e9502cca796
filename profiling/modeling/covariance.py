"""The relative covariance factor Lambda(theta): which entries are free, and the scale on which they are searched.

theta holds the free entries of the lower-triangular Lambda of every factor (Bates et al. 2015, eq. 4), factor by
factor, by row. The search runs on psi: the logarithm of diagonal entries, off-diagonal ones as they are, so that no
step leaves the space of covariances; a diagonal entry that wants to be zero is set to exactly zero and left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    form: CovarianceTemplate, theta: np.ndarray, level_covariance: list[np.ndarray], multiplicity: list[np.ndarray]
) -> np.ndarray:
    """Return the approximate expected information of psi (t, t), block-diagonal over factors.

    With M_l = I - V_l the shrinkage of level l (V_l its block of H^-1) and E_a = Lambda^-1 dLambda_a + transpose:
    I_ab = 1/2 sum_l tr(M_l E_a M_l E_b); for one scalar intercept 2 sum_l (1 - V_l)^2.
    """
    information = np.zeros((form.size, form.size))
    slope = form.slope(theta)
    for f, (V, m) in enumerate(zip(level_covariance, multiplicity, strict=True)):
        q = V.shape[1]
        inverse = np.linalg.pinv(form.block(theta, f))
        shrink = np.eye(q) - V
        kron = np.einsum("l,lab,lcd->abcd", m, shrink, shrink)
        own = np.flatnonzero(form.factor == f)
        directions = np.zeros((len(own), q, q))
        for a, entry in enumerate(own):
            unit = np.zeros((q, q))
            unit[form.rows[entry] - form.offsets[f], form.columns[entry] - form.offsets[f]] = slope[entry]
            step = inverse @ unit
            directions[a] = step + step.T
        information[np.ix_(own, own)] = 0.5 * np.einsum(
            "abcd,xbc,yda->xy", kron, directions, directions, optimize=True
        )
    return information

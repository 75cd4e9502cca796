"""Scores of clusters corrected for the leverage that they have on their own fit, for few clusters.

A cluster's residuals are too small because it pulls the fit to itself: E[r r'] ~ (I - B) V (I - B)', with
B = D M D'V^-1, M = H^-1 (Mancl & DeRouen 2001). Since D'V^-1 f(B) = f(Q) D'V^-1 with Q = H_j M, every correction works
on the p x p matrix Q of the cluster and its score U_j, whatever the cluster's size:

    Mancl & DeRouen 2001:       (I - Q)^-1 U_j
    Kauermann & Carroll 2001:   (I - Q)^-1/2 U_j
    Fay & Graubard 2001:        diag(1 - min(.75, Q_kk))^-1/2 U_j   (in the coefficients' own coordinates)
"""

from __future__ import annotations

import numba as nb
import numpy as np

ROBUST, MANCL_DEROUEN, KAUERMANN_CARROLL, FAY_GRAUBARD = 1, 2, 3, 4
# A direction that one cluster determines alone has leverage one and residual zero: it adds nothing.
_ALONE = 1e-9
# Fay & Graubard's bound b.
_BOUND = 0.75


@nb.njit(cache=True)
def adjusted_score(
    kind: int,
    information: np.ndarray,
    score: np.ndarray,
    root: np.ndarray,
    root_inverse: np.ndarray,
    to_raw: np.ndarray,
    from_raw: np.ndarray,
) -> np.ndarray:
    """Return the corrected score (p) of a cluster with its own information H_j (p, p); root root' = H^-1."""
    if kind == FAY_GRAUBARD:
        Q = from_raw.T @ (information @ (root @ (root.T @ to_raw.T)))
        raw = from_raw.T @ score
        for k in range(len(raw)):
            raw[k] /= np.sqrt(1 - min(_BOUND, Q[k, k]))
        raw_scaled: np.ndarray = to_raw.T @ raw
        return raw_scaled
    values, vectors = np.linalg.eigh(root.T @ (information @ root))
    rotated = vectors.T @ (root.T @ score)
    for k in range(len(rotated)):
        rest = 1 - values[k]
        if rest < _ALONE:
            rotated[k] = 0.0
        elif kind == MANCL_DEROUEN:
            rotated[k] /= rest
        else:
            rotated[k] /= np.sqrt(rest)
    adjusted: np.ndarray = root_inverse.T @ (vectors @ rotated)
    return adjusted

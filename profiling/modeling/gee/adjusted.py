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
    cluster: np.ndarray,
    root: np.ndarray,
    root_inverse: np.ndarray,
    to_raw: np.ndarray,
    from_raw: np.ndarray,
    adjusted: np.ndarray,
) -> None:
    """Store the corrected score of a cluster in the first p places of `adjusted`; root root' = H^-1.

    `cluster` (p+1, p+1): its own information H_j, and beside it, in the last column, its score.
    """
    p = len(root)
    information, score = cluster[:p, :p].copy(), cluster[:p, p].copy()
    if kind == FAY_GRAUBARD:
        Q = from_raw.T @ (information @ (root @ (root.T @ to_raw.T)))
        raw = from_raw.T @ score
        for k in range(p):
            raw[k] /= np.sqrt(1 - min(_BOUND, Q[k, k]))
        answer = to_raw.T @ raw
    else:
        values, vectors = np.linalg.eigh(root.T @ (information @ root))
        answer = vectors.T @ (root.T @ score)
        for k in range(p):
            rest = 1 - values[k]
            if rest < _ALONE:
                answer[k] = 0.0
            elif kind == MANCL_DEROUEN:
                answer[k] /= rest
            else:
                answer[k] /= np.sqrt(rest)
        answer = root_inverse.T @ (vectors @ answer)
    for k in range(p):
        adjusted[k] = answer[k]

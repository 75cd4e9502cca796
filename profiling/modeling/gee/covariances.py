"""Covariances of the coefficients: model-based, sandwich, and sandwiches corrected for few clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.families import Family
from profiling.modeling.gee.adjusted import FAY_GRAUBARD, KAUERMANN_CARROLL, MANCL_DEROUEN, ROBUST
from profiling.modeling.gee.clusters import Clusters
from profiling.modeling.gee.equation import Solution
from profiling.modeling.gee.sweep import Sums, sweep
from profiling.modeling.gee.working import Working

NAMES = ("robust", "model", "mancl_derouen", "kauermann_carroll", "fay_graubard")
_KINDS = {
    "robust": ROBUST,
    "mancl_derouen": MANCL_DEROUEN,
    "kauermann_carroll": KAUERMANN_CARROLL,
    "fay_graubard": FAY_GRAUBARD,
}


@dataclass(frozen=True)
class Covariances:
    """Covariances (p, p) in raw coordinates: model-based, robust, and the chosen one."""

    model: np.ndarray
    robust: np.ndarray
    chosen: np.ndarray


def covariances(clusters: Clusters, family: Family, working: Working, solution: Solution, name: str) -> Covariances:
    """Return the covariances at a solution; a corrected one takes a second pass, for it needs the whole inverse."""
    check_name(name)
    T = clusters.scaling.to_raw
    sums = solution.sums or _pass(clusters, family, working, solution, ROBUST)
    inverse = np.linalg.inv(sums.information)
    model = T @ (solution.scale * inverse) @ T.T
    robust = T @ (inverse @ sums.meat @ inverse) @ T.T
    if name in ("robust", "model"):
        return Covariances(model, robust, robust if name == "robust" else model)
    root = np.linalg.cholesky(inverse)
    meat = _pass(clusters, family, working, solution, _KINDS[name], root, T).meat
    return Covariances(model, robust, T @ (inverse @ meat @ inverse) @ T.T)


def check_name(name: str) -> None:
    """Raise ModelError where there is no covariance of this name."""
    if name not in NAMES:
        raise ModelError(Problem("covariance", repr(name), f"one of {', '.join(NAMES)}"))


def _pass(
    clusters: Clusters,
    family: Family,
    working: Working,
    solution: Solution,
    kind: int,
    root: np.ndarray | None = None,
    to_raw: np.ndarray | None = None,
) -> Sums:
    table = working.table(solution.alpha)
    return sweep(clusters, family.code, working.kind, table, working.n_sums, solution.beta, kind, root, to_raw)

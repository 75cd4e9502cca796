"""Cluster-robust covariance of the coefficients: the sandwich of per-cluster scores.

    C = c I^-1 (sum_g s_g s_g') I^-1,      c = G / (G - 1) or 1

GLMM: s_g is the gradient of cluster g's own log-likelihood (by Laplace or by quadrature, as the fit) in (beta, theta)
and I the observed information of both (White 1982); the shape of a negative binomial model counts as known, being all
but orthogonal to them.
LMM: s_g = X_g'V_g^-1 (y_g - X_g beta), I = X'V^-1X (Liang & Zeger 1986; CR0 and CR1 of Pustejovsky & Tipton 2018).
A cluster must hold whole levels of every factor, or its score would not be its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling import cells
from profiling.modeling.columns import sums_by
from profiling.modeling.laplace import Evaluation, LaplaceCriterion
from profiling.modeling.nested_quadrature import NestedCriterion
from profiling.modeling.quadrature import QuadratureCriterion
from profiling.modeling.state import criterion_of, laplace_state, linear_state, scaled_beta, source_of
from profiling.modeling.threads import threads_for
from profiling.modeling.vector_nesting import VectorNesting

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


def cluster_robust(fit: MixedModelResult, clusters: Any, small_sample: bool) -> pd.DataFrame:
    """Return the robust covariance (p, p) by term; see `MixedModelResult.cluster_robust`."""
    design = source_of(fit).design
    code, size = _cluster_codes(fit, clusters)
    with threads_for(design.n):
        if fit.family == "gaussian":
            inner, bread = _linear_scores(fit, code, size), fit.covariance.to_numpy()
        else:
            inner, bread = _own_scores(fit, code, size)
    covariance = bread @ (inner.T @ inner) @ bread.T
    if small_sample:
        covariance *= size / (size - 1)
    return pd.DataFrame(covariance, index=fit.covariance.index, columns=fit.covariance.columns)


def cluster_scores(fit: MixedModelResult) -> np.ndarray:
    """Return each outermost level's gradient of its own log-likelihood in (raw beta, theta) (levels, p + t)."""
    with threads_for(source_of(fit).design.n):
        return _own_scores(fit, *_cluster_codes(fit, None))[0]


def _cluster_codes(fit: MixedModelResult, clusters: Any) -> tuple[np.ndarray, int]:
    """Return each sorted row's cluster and their number; raise ModelError where a cluster is not independent."""
    design = source_of(fit).design
    if clusters is None or isinstance(clusters, str):
        name = clusters or min(fit.factors, key=lambda factor: factor.size).name
        codes, what = fit.level_codes(name), name
    else:
        values = pd.Series(np.asarray(clusters))
        if len(values) != design.n or values.isna().any():
            raise ModelError(Problem("clusters", f"{len(values)} values", f"{design.n}, one a row, none missing"))
        codes, what = pd.factorize(values, sort=True)[0], "clusters"
    by_row = np.asarray(codes)[design.order]
    s = design.structure
    component = np.repeat(s.level_component[s.cell_level0], np.diff(s.cell_ptr))
    first = np.zeros(len(s.component_ptr) - 1, dtype=np.int64)
    first[component[::-1]] = by_row[::-1]
    torn = len(np.unique(component[first[component] != by_row]))
    if torn:
        raise ModelError(
            Problem(
                f"clusters by {what}",
                f"{torn} groups of connected levels fall into several clusters",
                "clusters that hold whole levels of every grouping factor",
                "Cluster by an outer factor, or join the clusters that share levels",
            )
        )
    size = int(by_row.max()) + 1
    if size < 2:
        raise ModelError(Problem(f"clusters by {what}", "one cluster", "at least two"))
    return by_row, size


def _linear_scores(fit: MixedModelResult, code: np.ndarray, size: int) -> np.ndarray:
    """Return X_g'V_g^-1 r_g by cluster for the raw coefficients (size, p)."""
    source = source_of(fit)
    design = source.design
    _, at = linear_state(fit)
    residual = (fit.outcome - fit.conditional_predictor())[design.order]
    counted = np.sqrt(np.repeat(design.cell_multiplicity, np.diff(design.structure.cell_ptr)))
    scores = sums_by(design.X, code, size, counted * design.weights * residual / at.residual_variance)
    return np.asarray(scores @ np.linalg.inv(design.scaling.to_raw))


def _own_scores(fit: MixedModelResult, code: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the clusters' scores in (beta, theta) (size, p + t) and beta's rows of I^-1 (p, p + t)."""
    design = source_of(fit).design
    rows, by_cell = _rule_scores(fit) if fit.points else _laplace_scores(fit)
    beta = sums_by(design.X, code, size, rows) @ np.linalg.inv(design.scaling.to_raw)
    cell_code = code[design.structure.cell_ptr[:-1]]
    theta = sums_by(by_cell, cell_code, size, np.ones(len(by_cell)))
    scores = np.concatenate([beta, theta], axis=1)
    # Copies of a cluster are clusters of their own: each brings its score once.
    copies = np.ones(size)
    copies[cell_code] = design.cell_multiplicity
    return scores / np.sqrt(copies)[:, None], np.concatenate([fit.covariance.to_numpy(), fit.covariance_cross], axis=1)


def _laplace_scores(fit: MixedModelResult) -> tuple[np.ndarray, np.ndarray]:
    """Return dl/deta (n) and what every cell adds to dl/dtheta (M, t)."""
    criterion, last = laplace_state(fit)
    return last.scores, theta_scores(criterion, last, fit.theta) * criterion.design.cell_multiplicity[:, None]


def _rule_scores(fit: MixedModelResult) -> tuple[np.ndarray, np.ndarray]:
    """Return the same of a fit by quadrature."""
    criterion, beta = criterion_of(fit), scaled_beta(fit)
    assert isinstance(criterion, QuadratureCriterion | NestedCriterion | VectorNesting)
    rows = criterion.evaluate(beta, fit.theta).scores.copy()
    return rows, criterion.theta_scores(beta, fit.theta)


def theta_scores(criterion: LaplaceCriterion, last: Evaluation, theta: np.ndarray) -> np.ndarray:
    """Return what every cell adds to dl/dtheta (M, t), clusters counted once; see `laplace` for the formula."""
    d, s = criterion.design, criterion.design.structure
    form, k = d.form, d.form.offsets[-1]
    Lambda = form.matrix(theta)
    sums = np.empty((s.n_cells, d.kz))
    cells.weighted_sums(last.skew, d.Z, s.cell_ptr, s.tile_ptr, sums)
    wide = criterion._widen(sums)
    t = s.gather(*last.modes.factor.solve(*s.scatter(wide @ Lambda)))
    pull, u, r = t @ Lambda.T, s.gather(last.modes.u0, last.modes.ur), criterion._widen(last.modes.r)
    A = np.broadcast_to(last.modes.A, (s.n_cells, k, k))
    left = r - wide + np.einsum("mac,mc->ma", A, pull)
    trace = A @ Lambda @ last.V
    return np.asarray(
        left[:, form.rows] * u[:, form.columns]
        - trace[:, form.rows, form.columns]
        - r[:, form.rows] * t[:, form.columns]
    )

"""`gee`: from a formula and a frame to a fitted marginal model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.frames import frame_of
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import Family, family_of
from profiling.modeling.gee.clusters import Clusters, build_clusters
from profiling.modeling.gee.covariances import check_name, covariances
from profiling.modeling.gee.equation import Solution, solve
from profiling.modeling.gee.independent import without_dependent
from profiling.modeling.gee.result import GeeResult
from profiling.modeling.gee.working import Working, working_correlation
from profiling.modeling.threads import threads_for

# Below this number of clusters the sandwich is too small on average (Mancl & DeRouen 2001, table 1).
FEW_CLUSTERS = 50


def gee(
    formula: str,
    data: Any,
    groups: str | Sequence[str],
    family: str = "binomial",
    link: str | None = None,
    working_correlation: str = "exchangeable",
    time: str | None = None,
    covariance: str = "robust",
    scale: float | None = None,
    weights: Any = None,
    offset: Any = None,
    lags: int = 1,
    correlation: Any = None,
    shape: float | None = None,
) -> GeeResult:
    """Fit a marginal (population-averaged) model by generalized estimating equations.

    `formula` as formulaic reads it (`cbind(successes, failures)` on the left for binomial counts); `data` without
    missing values, a pandas frame or anything of Arrow (see `frame_of`). `groups`: the column of the clusters,
    [outer, inner] for nested_exchangeable. `family` binomial (logit, probit, cloglog), poisson (log),
    negative_binomial (log; `shape` kappa given, variance mu + mu^2 / kappa), gaussian (identity).
    `working_correlation`: independence, exchangeable, ar1, m_dependent (up to `lags`), unstructured,
    nested_exchangeable, fixed (`correlation`: a matrix over the sorted times). `time`:
    a numeric column; None takes the order of rows within the cluster. `covariance`: robust, model,
    mancl_derouen, kauermann_carroll, fay_graubard. `scale`: None estimates it, a number fixes it. `weights`, `offset`
    (n) or columns: trials for proportions, otherwise precisions; on the scale of the link. Raises ModelError.

    Liang & Zeger 1986; scale and correlation as geepack defines them (Halekoh, Hojsgaard & Yan 2006).
    """
    if (family == "negative_binomial") != (shape is not None and shape > 0):
        found = f"{shape} for family {family}"
        raise ModelError(Problem("shape", found, "kappa above zero for negative_binomial, nothing else", "See glmm"))
    chosen = family_of(family, link) if shape is None else family_of(family, link, shape)
    names = (groups,) if isinstance(groups, str) else tuple(groups)
    check_name(covariance)
    if not names or lags < 1 or (scale is not None and not scale > 0):
        found = f"groups={list(names)}, lags={lags}, scale={scale}"
        raise ModelError(Problem("arguments", found, "a column of clusters, lags of 1 or more, a scale above zero"))
    data = frame_of(data, formula, *names, time, weights, offset)
    with threads_for(len(data)):
        clusters = build_clusters(
            formula,
            data,
            names,
            binomial=chosen.name == "binomial",
            time=time,
            weights=_rows(weights, data),
            offset=_rows(offset, data),
        )
        _check(clusters, chosen)
        clusters = without_dependent(clusters)
        working = _working(working_correlation, clusters, lags, correlation, time is not None)
        solution = solve(clusters, chosen, working, scale)
        return _result(clusters, chosen, working, solution, covariance, scale is None)


# The parameter of `gee` has the name of the function that makes the correlation.
_working = working_correlation


def _rows(values: Any, data: pd.DataFrame) -> np.ndarray | None:
    if values is None:
        return None
    return np.asarray(data[values] if isinstance(values, str) else values, dtype=float)


def _check(clusters: Clusters, family: Family) -> None:
    y, outcome = clusters.y, clusters.formula.outcome
    if family.name == "binomial" and ((y < 0) | (y > 1)).any():
        raise ModelError(Problem(f"outcome {outcome}", "values outside of 0 to 1", "0/1, proportions or cbind()"))
    if family.link == "log" and (y < 0).any():
        raise ModelError(Problem(f"outcome {outcome}", "negative values", "counts or rates from 0"))
    if (y == y[0]).all():
        raise ModelError(Problem(f"outcome {outcome}", "the same in every row", "an outcome that varies"))
    if clusters.count < 2:
        raise ModelError(
            Problem(f"groups {clusters.groups[0]}", "one cluster", "at least two", "The sandwich needs many")
        )


def _result(
    clusters: Clusters, family: Family, working: Working, solution: Solution, name: str, scale_estimated: bool
) -> GeeResult:
    terms = list(clusters.terms)
    found = covariances(clusters, family, working, solution, name)
    return GeeResult(
        formula=clusters.formula.text,
        family=family.name,
        link=family.link,
        groups=clusters.groups,
        working_correlation=working.name,
        covariance_name=name,
        fixed_effects=pd.Series(clusters.scaling.to_raw @ solution.beta, index=terms, name="estimate"),
        covariance=_frame(found.chosen, terms),
        robust_covariance=_frame(found.robust, terms),
        model_covariance=_frame(found.model, terms),
        working_correlation_parameters=pd.Series(
            solution.alpha, index=pd.Index(working.labels, dtype=object), name="correlation", dtype=float
        ),
        scale=solution.scale,
        scale_estimated=scale_estimated,
        converged=solution.converged,
        iterations=solution.iterations,
        diagnostics=tuple(_notes(clusters, working, solution, name)),
        cluster_sizes=clusters.sizes,
        clusters=clusters,
        working=working,
        family_object=family,
    )


def _frame(matrix: np.ndarray, terms: list[str]) -> pd.DataFrame:
    return pd.DataFrame(matrix, index=terms, columns=terms)


def _notes(clusters: Clusters, working: Working, solution: Solution, name: str) -> list[Diagnosis]:
    notes = list(clusters.diagnoses)
    if not solution.converged:
        message = f"no solution after {solution.iterations} iterations; look for terms that separate the outcomes"
        notes.append(Diagnosis("not_converged", message, "error"))
    alpha = solution.alpha
    if ((alpha <= working.lower) | (alpha >= working.upper)).any():
        message = "the correlation lies at the bound of what clusters of these sizes can have"
        notes.append(Diagnosis("correlation_at_bound", message, "warning"))
    if clusters.count < FEW_CLUSTERS and name == "robust":
        message = (
            f"{clusters.count} clusters: robust standard errors are too small on average; "
            "use covariance='mancl_derouen' or 'kauermann_carroll'"
        )
        notes.append(Diagnosis("few_clusters", message, "warning"))
    return notes

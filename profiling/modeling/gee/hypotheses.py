"""Tests of linear hypotheses L beta = c: Wald, and the generalised score test, which fits only the null.

The score test refits under the null (its null space as coefficients), takes the score of the whole model there and
weighs it by its robust covariance: S = U' M L' (L M B M L')^-1 L M U, M the inverse information, B the meat
(Rotnitzky & Jewell 1990; Boos 1992). It keeps its size with fewer clusters than Wald.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg, stats

from profiling.errors import ModelError, Problem
from profiling.modeling.families import Family
from profiling.modeling.gee.adjusted import ROBUST
from profiling.modeling.gee.clusters import Clusters
from profiling.modeling.gee.equation import Subspace, solve
from profiling.modeling.gee.sweep import sweep
from profiling.modeling.gee.working import Working


@dataclass(frozen=True)
class HypothesisTest:
    """A chi-square statistic with its degrees of freedom and its probability under the hypothesis."""

    name: str
    statistic: float
    degrees_of_freedom: int
    p_value: float


def hypothesis_matrix(hypothesis: str | Sequence[str] | np.ndarray, terms: Sequence[str]) -> np.ndarray:
    """Return L (q, p): a matrix as given, or one row a term named."""
    if isinstance(hypothesis, np.ndarray) and hypothesis.dtype.kind in "fi":
        matrix = np.atleast_2d(hypothesis).astype(float)
        if matrix.shape[1] != len(terms) or np.linalg.matrix_rank(matrix) < len(matrix):
            raise ModelError(
                Problem("hypothesis", f"a matrix {matrix.shape}", f"independent rows of {len(terms)} numbers")
            )
        return matrix
    names = [hypothesis] if isinstance(hypothesis, str) else [str(name) for name in hypothesis]
    unknown = [name for name in names if name not in terms]
    if unknown or not names:
        raise ModelError(Problem("hypothesis", ", ".join(unknown) or "no term", f"of {', '.join(terms)}"))
    return np.eye(len(terms))[[list(terms).index(name) for name in names]]


def wald_test(beta: pd.Series, covariance: pd.DataFrame, L: np.ndarray, value: np.ndarray) -> HypothesisTest:
    """Return the Wald test of L beta = value."""
    difference = L @ beta.to_numpy() - value
    return _chi_square("Wald", difference, L @ covariance.to_numpy() @ L.T)


def score_test(
    clusters: Clusters, family: Family, working: Working, scale: float | None, L: np.ndarray, value: np.ndarray
) -> HypothesisTest:
    """Return the generalised score test of L beta = value; L (q, p) in raw coordinates."""
    scaled = L @ clusters.scaling.to_raw
    null = Subspace(np.linalg.lstsq(scaled, value, rcond=None)[0], linalg.null_space(scaled))
    solution = solve(clusters, family, working, scale, null)
    sums = solution.sums or sweep(
        *(clusters, family.code, working.kind, working.table(solution.alpha), working.n_sums, solution.beta), ROBUST
    )
    weighted = np.linalg.solve(sums.information, scaled.T)
    return _chi_square("score", weighted.T @ sums.score, weighted.T @ sums.meat @ weighted)


def _chi_square(name: str, difference: np.ndarray, covariance: np.ndarray) -> HypothesisTest:
    statistic = float(difference @ np.linalg.solve(covariance, difference))
    return HypothesisTest(name, statistic, len(difference), float(stats.chi2.sf(statistic, len(difference))))

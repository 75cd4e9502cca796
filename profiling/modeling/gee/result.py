"""What a marginal fit returns: frozen, in the words of the field, on the scale of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import Family
from profiling.modeling.gee.clusters import Clusters
from profiling.modeling.gee.criteria import Criteria, criteria
from profiling.modeling.gee.hypotheses import HypothesisTest, hypothesis_matrix, score_test, wald_test
from profiling.modeling.gee.rows import quasi_likelihood
from profiling.modeling.gee.sweep import EXCHANGE, sweep
from profiling.modeling.gee.working import Working


@dataclass(frozen=True)
class GeeResult:
    """A marginal model fitted by generalized estimating equations (Liang & Zeger 1986).

    `covariance` (p, p) is the one chosen by name, `standard_errors` belong to it. `scale` and
    `working_correlation_parameters` are moments without a correction for degrees of freedom (as geepack). Arrays by
    row are in the order of the data given.
    """

    formula: str
    family: str
    link: str
    groups: tuple[str, ...]
    working_correlation: str
    covariance_name: str
    fixed_effects: pd.Series
    covariance: pd.DataFrame
    robust_covariance: pd.DataFrame
    model_covariance: pd.DataFrame
    working_correlation_parameters: pd.Series
    scale: float
    scale_estimated: bool
    converged: bool
    iterations: int
    diagnostics: tuple[Diagnosis, ...]
    cluster_sizes: np.ndarray
    clusters: Clusters = field(repr=False)
    working: Working = field(repr=False)
    family_object: Family = field(repr=False)

    @property
    def standard_errors(self) -> pd.Series:
        """Return the standard errors of the chosen covariance by term."""
        return _errors(self.covariance)

    @property
    def robust_standard_errors(self) -> pd.Series:
        """Return the sandwich standard errors by term."""
        return _errors(self.robust_covariance)

    @property
    def model_standard_errors(self) -> pd.Series:
        """Return the standard errors that trust the working correlation, by term."""
        return _errors(self.model_covariance)

    @property
    def n_clusters(self) -> int:
        """Return the number of clusters."""
        return len(self.cluster_sizes)

    @property
    def n_observations(self) -> int:
        """Return the number of rows."""
        return self.clusters.n

    @property
    def outcome(self) -> np.ndarray:
        """Return the outcome (n)."""
        return self.clusters.by_data(self.clusters.y)

    @property
    def weights(self) -> np.ndarray:
        """Return the weights (n)."""
        return self.clusters.by_data(self.clusters.weights) if len(self.clusters.weights) else np.ones(self.clusters.n)

    @property
    def linear_predictor(self) -> np.ndarray:
        """Return the linear predictor (n), offset included."""
        return self.clusters.by_data(self.clusters.predict(self._scaled))

    @property
    def _scaled(self) -> np.ndarray:
        return np.asarray(np.linalg.solve(self.clusters.scaling.to_raw, self.fixed_effects.to_numpy()))

    @cached_property
    def quasi_likelihood(self) -> float:
        """Return the quasi-likelihood under independence at dispersion one."""
        rows = self.clusters
        return float(quasi_likelihood(self.family_object.code, rows.y, rows.weights, rows.predict(self._scaled)))

    @property
    def fitted_values(self) -> np.ndarray:
        """Return the population-averaged means (n)."""
        return np.asarray(self.family_object.inverse_link(self.linear_predictor))

    @cached_property
    def independence_information(self) -> np.ndarray:
        """Return D'D (p, p), the information under independence at dispersion one."""
        back = np.linalg.inv(self.clusters.scaling.to_raw)
        sums = sweep(self.clusters, self.family_object.code, EXCHANGE, np.zeros((1, 2)), 4, self._scaled)
        return np.asarray(back.T @ sums.information @ back)

    def criteria(self, scale: float | None = None) -> Criteria:
        """Return QIC, QICu and CIC; models are compared at one `scale`, that of the largest of them.

        None: one for binomial and poisson outcomes, the estimate for gaussian ones, in the quasi-likelihood.
        """
        divisor = scale if scale is not None else (self.scale if self.family == "gaussian" else 1.0)
        robust = self.robust_covariance.to_numpy()
        dispersion = self.scale if scale is None else scale
        return criteria(self.quasi_likelihood, self.independence_information, robust, divisor, dispersion)

    @property
    def qic(self) -> float:
        """Return Pan's criterion (2001): the smaller, the better; see `criteria`."""
        return self.criteria().qic

    @property
    def qicu(self) -> float:
        """Return Pan's criterion for the choice of covariates."""
        return self.criteria().qicu

    @property
    def cic(self) -> float:
        """Return Hin & Wang's criterion (2009) for the choice of the working correlation."""
        return self.criteria().cic

    def confidence_intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Return lower and upper limits by term, normal, from the chosen covariance."""
        half = stats.norm.ppf(0.5 + level / 2) * self.standard_errors
        return pd.DataFrame({"lower": self.fixed_effects - half, "upper": self.fixed_effects + half})

    def wald_test(
        self, hypothesis: str | Sequence[str] | np.ndarray, value: float | np.ndarray = 0.0
    ) -> HypothesisTest:
        """Test L beta = value with the chosen covariance; `hypothesis`: terms that are zero, or L (q, p)."""
        L = hypothesis_matrix(hypothesis, list(self.fixed_effects.index))
        return wald_test(self.fixed_effects, self.covariance, L, np.broadcast_to(np.asarray(value, float), len(L)))

    def score_test(
        self, hypothesis: str | Sequence[str] | np.ndarray, value: float | np.ndarray = 0.0
    ) -> HypothesisTest:
        """Test L beta = value by the generalised score test (Rotnitzky & Jewell 1990), which refits under it."""
        L = hypothesis_matrix(hypothesis, list(self.fixed_effects.index))
        target = np.broadcast_to(np.asarray(value, float), len(L))
        scale = None if self.scale_estimated else self.scale
        return score_test(self.clusters, self.family_object, self.working, scale, L, target)

    def summary(self) -> str:
        """Return a page a statistician recognises."""
        from profiling.modeling.gee.summary import summarize

        return summarize(self)


def _errors(covariance: pd.DataFrame) -> pd.Series:
    return pd.Series(np.sqrt(np.diag(covariance)), index=covariance.index, name="standard_error")

"""What a fit returns: frozen, in the words of the field, on the scale of the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import Family
from profiling.modeling.grouping import GroupingFactor
from profiling.modeling.newton import Step
from profiling.modeling.posterior import Posterior
from profiling.modeling.source import ModelSource

if TYPE_CHECKING:
    from profiling.modeling.bootstrap import BootstrapResult
    from profiling.modeling.iterative_error import MonteCarlo
    from profiling.modeling.marginal import Marginal


@dataclass(frozen=True)
class RandomEffects:
    """The effects of one grouping factor by label: modes and three standard deviations (levels, q)."""

    mode: np.ndarray
    sd: np.ndarray
    sd_beta: np.ndarray
    sd_full: np.ndarray


@dataclass(frozen=True)
class MixedModelResult:
    """A fitted LMM or GLMM.

    `log_likelihood` holds all constants (restricted under REML). `covariance` is that of the fixed effects,
    `covariance_theta` that of the free entries of the relative (GLMM: absolute) covariance factor on the scale of
    theta, `covariance_cross` that between the two (terms by theta). Arrays by row are in the order of the data given.
    """

    formula: str
    family: str
    link: str
    method: str
    fixed_effects: pd.Series
    covariance: pd.DataFrame
    variance_components: dict[str, pd.DataFrame]
    log_likelihood: float
    residual_sd: float
    dispersion: float
    theta: np.ndarray
    covariance_theta: np.ndarray
    converged: bool
    singular: bool
    newton_decrement: float
    iterations: int
    diagnostics: tuple[Diagnosis, ...]
    outcome: np.ndarray
    weights: np.ndarray
    linear_predictor: np.ndarray
    factors: tuple[GroupingFactor, ...]
    effects: dict[str, RandomEffects]
    n_parameters: int
    optimizer_log: tuple[Step, ...] = field(repr=False, default=())
    source: ModelSource | None = field(repr=False, default=None)
    covariance_cross: np.ndarray = field(repr=False, default_factory=lambda: np.zeros((0, 0)))
    posteriors: dict[str, Posterior] = field(repr=False, default_factory=dict)
    points: tuple[int, ...] = ()
    monte_carlo: MonteCarlo | None = field(repr=False, default=None)

    @property
    def standard_errors(self) -> pd.Series:
        """Return the standard errors of the fixed effects by term."""
        return pd.Series(np.sqrt(np.diag(self.covariance)), index=self.fixed_effects.index, name="standard_error")

    @property
    def n_observations(self) -> int:
        """Return the number of rows."""
        return len(self.outcome)

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the grouping factors' names as the formula gives them."""
        return tuple(self.variance_components)

    @property
    def aic(self) -> float:
        """Return Akaike's criterion, with every estimated parameter counted."""
        return -2 * self.log_likelihood + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """Return Schwarz's criterion."""
        return float(-2 * self.log_likelihood + np.log(self.n_observations) * self.n_parameters)

    def factor(self, group: str) -> GroupingFactor:
        """Return a grouping factor by its name."""
        for factor in self.factors:
            if factor.name == group:
                return factor
        raise ModelError(Problem("group", repr(group), f"one of {', '.join(self.groups)}"))

    def levels(self, group: str) -> np.ndarray:
        """Return the labels of a grouping factor's levels, sorted."""
        return self.factor(group).levels

    def level_codes(self, group: str) -> np.ndarray:
        """Return each row's position in `levels(group)` (n)."""
        return self.factor(group).codes

    def mode(self, group: str) -> np.ndarray:
        """Return the conditional modes of the factor's first term (levels)."""
        return self.effects[self.factor(group).name].mode[:, 0]

    def mode_sd(self, group: str, kind: str = "sd") -> np.ndarray:
        """Return the standard deviations of the modes; `kind`: sd, sd_beta or sd_full (see `random_effects`)."""
        return np.asarray(getattr(self.effects[self.factor(group).name], kind)[:, 0])

    def random_effects(self, group: str) -> pd.DataFrame:
        """Return level, term, mode and three standard deviations, one row a level and term.

        `sd` is conditional on the estimates (lme4's postVar), `sd_beta` adds the uncertainty of the fixed effects,
        `sd_full` that of the variance parameters too (Booth & Hobert 1998; Skrondal & Rabe-Hesketh 2009).
        """
        factor, effects = self.factor(group), self.effects[group]
        q = len(factor.terms)
        return pd.DataFrame(
            {
                "level": np.repeat(factor.levels, q),
                "term": np.tile(np.array(factor.terms, dtype=object), factor.size),
                "mode": effects.mode.ravel(),
                "sd": effects.sd.ravel(),
                "sd_beta": effects.sd_beta.ravel(),
                "sd_full": effects.sd_full.ravel(),
            }
        )

    def effect_intervals(self, group: str, level: float = 0.95) -> pd.DataFrame:
        """Return level, term, mean, sd, lower and upper of the group's effects, a row a level and term.

        The variance parameters are integrated out (`profiling.modeling.effect_intervals`), which takes some dozen
        evaluations of the likelihood; mode ± 1.96 `sd_full` is the first-order answer, which holds one to two per cent
        too few.
        """
        from profiling.modeling.effect_intervals import effect_intervals

        return effect_intervals(self, group, level)

    def posterior(self, group: str) -> pd.DataFrame:
        """Return level, mean, sd, q025, q50, q975 of the effects' posterior at the estimates (with term, for vectors).

        Only quadrature gives it; quantiles are those of scalar effects (nested ones to .001 sd), missing for vectors.
        """
        factor = self.factor(group)
        if group not in self.posteriors:
            raise ModelError(Problem("posterior", f"a fit by {self.method}", "a fit by quadrature", "Use method='agq'"))
        own, q = self.posteriors[group], len(factor.terms)
        columns = {"level": np.repeat(factor.levels, q)}
        if q > 1:
            columns["term"] = np.tile(np.array(factor.terms, dtype=object), factor.size)
        columns |= {"mean": own.mean.ravel(), "sd": own.sd.ravel()}
        names = ("q025", "q50", "q975")
        return pd.DataFrame(columns | dict(zip(names, own.quantiles.reshape(-1, len(names)).T, strict=True)))

    def variance(self, group: str) -> float:
        """Return the variance of the factor's first term."""
        return float(self.variance_components[group].to_numpy()[0, 0])

    def cluster_robust(self, clusters: Any = None, small_sample: bool = True) -> pd.DataFrame:
        """Return the cluster-robust (sandwich) covariance of the fixed effects, terms by terms.

        `clusters`: a grouping factor's name or one value a row; by default the factor with the fewest levels. A
        cluster must hold whole levels of every factor. `small_sample` multiplies by G / (G - 1).
        """
        from profiling.modeling.robust import cluster_robust

        return cluster_robust(self, clusters, small_sample)

    def coefficients(self, method: str | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return estimate, standard_error, df, statistic, p_value, lower, upper by term.

        `method` for an LMM: satterthwaite (default), kenward_roger (REML; adjusted standard errors) or normal; a GLMM
        has normal ones only.
        """
        from profiling.modeling.contrasts import coefficients

        return coefficients(self, method, level)

    def test(self, contrasts: Any, method: str | None = None) -> pd.Series:
        """Test contrasts @ beta = 0: statistic, df, denominator_df, p_value.

        `contrasts` (q, p), or a list of terms whose coefficients are all zero under the hypothesis. LMM: an F test
        with satterthwaite (default) or kenward_roger; otherwise Wald's chi-square divided by q, denominator infinite.
        """
        from profiling.modeling.contrasts import joint_test

        return joint_test(self, contrasts, method)

    def test_variance(self, group: str, term: str = "Intercept") -> pd.Series:
        """Test a variance (with its covariances) against zero: chi_square, df, p_value from the boundary's mixture."""
        from profiling.modeling.contrasts import variance_test

        return variance_test(self, group, term)

    def icc(self, intervals: str | None = None, level: float = 0.95, draws: int = 200, seed: int = 0) -> pd.DataFrame:
        """Return the partition of variance, one row a group in the formula's order.

        variance (mean of z'Sz over the rows, for slopes), icc (share on the latent scale; for counts on the scale of
        the log, Nakagawa, Johnson & Schielzeth 2017), cumulative_icc (with every factor in which the group is nested:
        the correlation of two rows of one level), icc_observed and cumulative_icc_observed (on the scale of the
        outcome, at the average linear predictor), and for the logit the median_odds_ratio (Larsen & Merlo 2005).

        `intervals` adds <name>_lower and <name>_upper: delta (on the logit of a share), profile (likelihood),
        bootstrap (parametric, `draws` refits with `seed`).
        """
        from profiling.modeling.partition import partition
        from profiling.modeling.partition_intervals import with_intervals

        return partition(self) if intervals is None else with_intervals(self, intervals, level, draws, seed)

    def r_squared(self) -> pd.Series:
        """Return marginal and conditional R2 with the three variances they are made of, on the latent scale.

        Nakagawa & Schielzeth 2013; with random slopes Johnson 2014; for counts Nakagawa, Johnson & Schielzeth 2017.
        """
        from profiling.modeling.explained import r_squared

        return r_squared(self)

    def design_effects(self) -> pd.DataFrame:
        """Return what clusters cost: group, term, rho_y, rho_x, design_effect, effective_size.

        The term `mean` is the outcome's mean, 1 + (m - 1) rho_y with m = sum n^2 / sum n (Kish 1965); for a coefficient
        1 + (m - 1) rho_x rho_y (Moulton 1986), rho_x of the term given the others, negative where it varies within
        clusters only. The group `all` adds the groups up.
        """
        from profiling.modeling.explained import design_effects

        return design_effects(self)

    def marginal(self) -> Marginal:
        """Return what the fit implies over the population: probabilities, coefficients, average effects, with errors.

        Coefficients of the marginal model of the same covariates nearest to the averaged means (Hedeker et al. 2018),
        beside the attenuation formula of Zeger, Liang & Albert (1988). Raises ModelError without the fit's design.
        """
        from profiling.modeling.marginal import marginal

        return marginal(self)

    def predict(
        self,
        new_data: Any = None,
        conditional: bool = True,
        scale: str = "response",
        marginal: bool = False,
        interval: float | None = None,
        offset: Any = None,
    ) -> pd.Series | pd.DataFrame:
        """Return predictions by row of `new_data` (None: the rows of the fit).

        `conditional` adds the effects of the row's levels (zero for a level not seen), otherwise the typical level;
        `marginal` averages the mean over levels instead (scale response only). `scale`: link or response. With
        `interval` (such as 0.95): prediction, lower, upper and link_sd, where the limits hold the uncertainty of beta
        and of the effects, a new level's whole variance included, not that of a single outcome. `offset`: a column's
        name or values for new rows. Raises ModelError where columns are missing.
        """
        from profiling.modeling.predict import predict

        return predict(self, new_data, conditional, scale, marginal, interval, offset)

    def simulate(self, seed: int, n: int = 1, conditional: bool = False) -> np.ndarray:
        """Return n outcomes a row (rows, n) from the fit; `conditional` keeps the modes, else effects are drawn too."""
        from profiling.modeling.simulate import simulate

        return simulate(self, seed, n, conditional)

    def residuals(self, kind: str = "deviance", seed: int = 0) -> np.ndarray:
        """Return one residual a row at the conditional means.

        `kind`: response (y - mu), working, pearson (times root weight over root variance function), deviance, or
        quantile: randomised, standard normal where the model holds (Dunn & Smyth 1996), drawn with `seed`.
        """
        from profiling.modeling.residuals import residuals

        return residuals(self, kind, seed)

    def refit(self, y: Any) -> MixedModelResult:
        """Return the same model fitted to another outcome (n, in the data's order; proportions for trials)."""
        from profiling.modeling.refitting import refit

        return refit(self, y)

    def update(self, formula: str | None = None, data: pd.DataFrame | None = None, **changes: Any) -> MixedModelResult:
        """Return the model fitted anew with another formula (`. ~ . + x` as in lme4), data or argument of the fit."""
        from profiling.modeling.refitting import update

        return update(self, formula, data, **changes)

    def bootstrap(self, draws: int, seed: int, conditional: bool = False) -> BootstrapResult:
        """Return `draws` refits to outcomes drawn from the fit (parametric bootstrap), with percentile intervals.

        `conditional` keeps the modes and draws residuals only. Coefficients, sds, correlations and sigma.
        """
        from profiling.modeling.bootstrap import bootstrap

        return bootstrap(self, draws, seed, conditional)

    def conditional_predictor(self) -> np.ndarray:
        """Return the linear predictor with every random effect at its mode (n)."""
        total = self.linear_predictor.copy()
        for factor in self.factors:
            modes = self.effects[factor.name].mode
            if factor.columns is None:
                total += modes[factor.codes, 0]
            else:
                total += np.einsum("nq,nq->n", factor.columns, modes[factor.codes])
        return total

    def fitted_values(self) -> np.ndarray:
        """Return the conditional means (n)."""
        return np.asarray(_family(self).inverse_link(self.conditional_predictor()))

    def intervals(self, method: str = "wald", level: float = 0.95, parameters: list[str] | None = None) -> pd.DataFrame:
        """Return confidence intervals of coefficients, standard deviations, correlations and sigma, by parameter.

        `method`: wald; profile for profile likelihood (an REML fit is profiled on the likelihood, as in lme4); adjusted
        for the same with the variances' profiles adjusted for the estimated coefficients (Cox & Reid 1987), which
        holds the truth more often where levels are few. Columns: kind, estimate, lower, upper.
        """
        from profiling.modeling.intervals import intervals

        return intervals(self, method, level, parameters)

    def summary(self) -> str:
        """Return a page a statistician recognises."""
        from profiling.modeling.summary import summarize

        return summarize(self)


def _family(result: MixedModelResult) -> Family:
    from profiling.modeling.families import family_of

    return family_of(result.family, result.link, result.dispersion)

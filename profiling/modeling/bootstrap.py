"""The parametric bootstrap: outcomes drawn from the fit, the model fitted again, percentiles of what comes out.

Efron & Tibshirani 1993, chapter 13. A refit starts at the fit and finds estimates only; of a linear model nothing but
the cross-products with the new outcome is made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.climb import LaplaceObjective, LinearObjective, climb
from profiling.modeling.intervals import estimates
from profiling.modeling.parameters import VarianceParameter, estimate_and_gradient, variance_parameters
from profiling.modeling.refitting import refit, with_linear_outcome
from profiling.modeling.simulate import simulate_once
from profiling.modeling.source import warm_point, with_outcome
from profiling.modeling.state import criterion_for, linear_state, source_of
from profiling.modeling.threads import threads_for

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

# Raw beta, theta and sigma (or the shape) of one refit; None where the search did not arrive.
Refitted = tuple[np.ndarray, np.ndarray, float] | None


@dataclass(frozen=True)
class BootstrapResult:
    """The refits: `draws` (one row a refit that arrived, one column a parameter), the fit's estimates, failures."""

    draws: pd.DataFrame
    estimates: pd.Series
    failed: int

    @property
    def standard_errors(self) -> pd.Series:
        """Return the standard deviation of the draws by parameter."""
        return self.draws.std(ddof=1)

    @property
    def bias(self) -> pd.Series:
        """Return the mean of the draws minus the estimate by parameter."""
        return self.draws.mean() - self.estimates

    def intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Return estimate, lower and upper percentile by parameter; correlations not defined in a draw are left out."""
        tails = self.draws.quantile([0.5 - level / 2, 0.5 + level / 2])
        return pd.DataFrame({"estimate": self.estimates, "lower": tails.iloc[0], "upper": tails.iloc[1]})


def bootstrap(fit: MixedModelResult, draws: int, seed: int, conditional: bool) -> BootstrapResult:
    """Return `draws` refits to outcomes drawn from the fit; see `MixedModelResult.bootstrap`."""
    if draws < 1:
        raise ModelError(Problem("draws", str(draws), "at least one"))
    generator = np.random.default_rng(seed)
    kept, failed = [], 0
    parameters = variance_parameters(fit)
    with threads_for(fit.n_observations):
        again = _refitter(fit)
        for _ in range(draws):
            found = again(simulate_once(fit, generator, conditional))
            if found is None:
                failed += 1
                continue
            beta, theta, sigma = found
            kept.append([*beta, *(_value(parameter, fit, theta, sigma) for parameter in parameters)])
    all_estimates = pd.Series({each.name: each.value for each in estimates(fit)})
    frame = pd.DataFrame(kept, columns=all_estimates.index)
    return BootstrapResult(frame, all_estimates, failed)


def _value(parameter: VarianceParameter, fit: MixedModelResult, theta: np.ndarray, scale: float) -> float:
    if parameter.kind in ("sigma", "shape"):
        return scale
    with np.errstate(invalid="ignore", divide="ignore"):
        return estimate_and_gradient(parameter, fit, theta, scale if fit.family == "gaussian" else 1.0)[0]


def _refitter(fit: MixedModelResult) -> Callable[[np.ndarray], Refitted]:
    """Return what fits the model to one outcome (n, in the data's order)."""
    source = source_of(fit)
    design, to_raw = source.design, source.design.scaling.to_raw
    start = warm_point(design, fit.fixed_effects.to_numpy(), fit.theta)
    p = design.X.shape[1]
    if fit.family == "gaussian":
        template, _ = linear_state(fit)

        def linear(y: np.ndarray) -> Refitted:
            objective = LinearObjective(with_linear_outcome(template, y[design.order]))
            optimum, _ = climb(objective, start[p:], design)
            objective.evaluate(optimum.point)
            beta = objective.last.beta.copy()
            if design.scaling.intercept >= 0:
                beta[design.scaling.intercept] += objective.criterion.center
            sigma = float(np.sqrt(objective.last.residual_variance))
            return (to_raw @ beta, objective.theta, sigma) if optimum.converged else None

        return linear

    if fit.family == "negative_binomial":

        def whole(y: np.ndarray) -> Refitted:
            new = refit(fit, y)
            return (new.fixed_effects.to_numpy(), new.theta, new.dispersion) if new.converged else None

        return whole

    def general(y: np.ndarray) -> Refitted:
        objective = LaplaceObjective(criterion_for(with_outcome(design, y), fit))
        optimum, _ = climb(objective, start, design)
        objective.evaluate(optimum.point)
        return (to_raw @ optimum.point[:p], objective.theta, 1.0) if optimum.converged else None

    return general

"""Trials drawn as planned, each analysed with the engine: the share in which the difference is found.

Continuous outcomes: y = period + d x + b + b_period + e, analysed by REML with Satterthwaite's degrees of freedom.
Proportions: a cluster's probability is the u-quantile of the beta distribution with mean p and ICC rho (its variance
is rho p (1 - p)), u the same before and after and partly redrawn a period; analysed by a logistic mixed model on the
counts, with a t-test on the clusters' degrees of freedom for parallel arms. Sizes are gamma, rounded, at least 1.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import special, stats

from profiling.errors import ModelError, Problem
from profiling.modeling.trial_design import TrialDesign


def simulated(plan: TrialDesign, draws: int, seed: int) -> TrialDesign:
    """Return the plan with its simulated power, Monte Carlo error and number of fits that did not arrive."""
    if draws < 1:
        raise ModelError(Problem("draws", str(draws), "at least one"))
    generator = np.random.default_rng(seed)
    found = [_found(plan, draw_trial(plan, generator)) for _ in range(draws)]
    arrived = [value for value in found if value is not None]
    power = float(np.mean(arrived)) if arrived else math.nan
    error = math.sqrt(power * (1 - power) / len(arrived)) if arrived else math.nan
    return replace(plan, simulated_power=power, simulated_error=error, failed=draws - len(arrived))


def draw_trial(plan: TrialDesign, generator: np.random.Generator) -> pd.DataFrame:
    """Return one trial: cluster, period, treated, and y by case, or events and others by cluster and period."""
    clusters, periods = plan.clusters, plan.periods
    group = generator.permutation(clusters)
    if plan.kind == "parallel":
        treated = (group % 2 == 0)[:, None].astype(float)
    else:
        treated = (np.arange(periods)[None, :] >= 1 + (group % plan.steps)[:, None]).astype(float)
    sizes = np.full(clusters, plan.size)
    if plan.cv > 0:
        sizes = generator.gamma(plan.cv**-2, plan.size * plan.cv**2, clusters)
    sizes = np.maximum(np.rint(sizes), 1).astype(int)
    share = plan.autocorrelation
    effect = math.sqrt(share) * generator.standard_normal((clusters, 1))
    effect = effect + math.sqrt(1 - share) * generator.standard_normal((clusters, periods))
    cells = pd.DataFrame(
        {
            "cluster": np.repeat(np.arange(clusters), periods),
            "period": np.tile(np.arange(periods), clusters),
            "treated": treated.ravel(),
        }
    )
    n = np.repeat(sizes, periods)
    if plan.rate is not None:
        mean = plan.rate + plan.difference * treated.ravel()
        probability = mean
        if plan.icc > 0:
            strength = (1 - plan.icc) / plan.icc
            probability = special.betaincinv(mean * strength, (1 - mean) * strength, stats.norm.cdf(effect.ravel()))
        events = generator.binomial(n, probability)
        return cells.assign(events=events, others=n - events)
    rows = cells.loc[np.repeat(np.arange(len(cells)), n)].reset_index(drop=True)
    mean = np.repeat(plan.difference * treated.ravel() + math.sqrt(plan.icc) * plan.sd * effect.ravel(), n)
    noise = math.sqrt(1 - plan.icc) * plan.sd * generator.standard_normal(len(rows))
    return rows.assign(y=mean + noise)


def _found(plan: TrialDesign, trial: pd.DataFrame) -> bool | None:
    """Return whether the analysis finds the difference, in its direction; None where the fit did not arrive."""
    from profiling.modeling.fit import glmm, lmm

    fixed = "treated" if plan.kind == "parallel" else "C(period) + treated"
    if plan.rate is None:
        fit = lmm(f"y ~ {fixed} + (1 | cluster)", trial)
        freedom = float(fit.coefficients()["df"]["treated"])
    else:
        fit = glmm(f"cbind(events, others) ~ {fixed} + (1 | cluster)", trial)
        freedom = plan.clusters - 2.0 if plan.kind == "parallel" else math.inf
    statistic = float(fit.fixed_effects["treated"] / fit.standard_errors["treated"])
    if not fit.converged or not math.isfinite(statistic):
        return None
    sign = 1.0 if plan.difference >= 0 else -1.0
    return bool(sign * statistic > stats.t.isf(plan.alpha / 2, freedom))

"""Comparisons randomised by cluster: what clustering costs, power, clusters needed, the difference that can be found.

Parallel arms of K clusters each: Var(difference) = DE (v_0 + v_1) / (K m), with the design effect of unequal clusters
DE = 1 + ((1 + cv^2) m - 1) rho (Eldridge, Ashby & Kerry 2006) and a t-test on 2K - 2 degrees of freedom.

Stepped wedge (Hussey & Hughes 2007): all clusters begin without and cross over in equal groups, one group a step;
means of cluster and period have covariance V = tau^2 (r 1 1' + (1 - r) I) + sigma^2 / m I, r the autocorrelation of a
cluster's periods (Hooper et al. 2016; 1 is Hussey & Hughes). With period effects swept out
Var(difference)^-1 = sum x'V^-1 x - (sum V^-1 x)' (sum V^-1)^-1 (sum V^-1 x), and the test is normal. With unequal
clusters V^-1 is averaged over a gamma distribution of sizes.

Reliability of a cluster's mean of n cases: n rho / (1 + (n - 1) rho) (Spearman-Brown; Adams 2009).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import optimize, stats

from profiling.errors import ModelError, Problem

Kind = Literal["parallel", "stepped_wedge"]
MOST_CLUSTERS = 1_000_000
_SIZES = 64


@dataclass(frozen=True)
class TrialDesign:
    """A comparison as planned.

    `clusters` in all, of `size` cases on average (`cv`: coefficient of variation of sizes) in each of `periods`;
    `difference` in the unit of the outcome (with `rate`, the proportion without intervention: of proportions).
    `design_effect`: Var(difference) over that of as many cases randomised one by one. `effective_size`: cases divided
    by it. `minimum_cases`: a cluster's cases for which its mean has the `reliability` asked for. `simulated_power`
    with its Monte Carlo error `simulated_error`, and fits that `failed`, where simulated.
    """

    kind: Kind
    clusters: int
    size: float
    icc: float
    difference: float
    power: float
    alpha: float
    sd: float
    rate: float | None
    cv: float
    steps: int
    autocorrelation: float
    design_effect: float
    effective_size: float
    standard_error: float
    reliability: float
    minimum_cases: float
    simulated_power: float = math.nan
    simulated_error: float = math.nan
    failed: int = 0

    @property
    def periods(self) -> int:
        """Return the number of periods in which each cluster is observed."""
        return 1 if self.kind == "parallel" else self.steps + 1

    def text(self) -> str:
        """Return the plan in sentences."""
        shape = "in two arms" if self.kind == "parallel" else f"crossing over in {self.steps} steps"
        what = f"a difference of {self.difference:.4g}"
        if self.rate is not None:
            what = f"a change of the proportion from {self.rate:.4g} to {self.rate + self.difference:.4g}"
        cases = f"{self.size:g} cases" + (" a period" if self.periods > 1 else "")
        told = [
            f"{self.clusters} clusters of {cases} {shape} find {what} with power {self.power:.3f} "
            f"(two-sided, alpha {self.alpha:g}, ICC {self.icc:g}).",
            f"Design effect {self.design_effect:.3g}: as good as {self.effective_size:.4g} independent cases.",
            f"A cluster's mean needs {math.ceil(self.minimum_cases)} cases for a reliability of {self.reliability:g}.",
        ]
        if self.simulated_power == self.simulated_power:
            told.append(f"Simulated power {self.simulated_power:.3f} (Monte Carlo error {self.simulated_error:.3f}).")
        return "\n".join(told)

    __str__ = text


def trial_design(
    size: float,
    icc: float,
    clusters: int | None = None,
    difference: float | None = None,
    power: float | None = None,
    kind: Kind = "parallel",
    sd: float = 1.0,
    rate: float | None = None,
    cv: float = 0.0,
    steps: int = 4,
    autocorrelation: float = 1.0,
    alpha: float = 0.05,
    direction: int = 1,
    reliability: float = 0.7,
    simulate: bool = False,
    draws: int = 1000,
    seed: int = 0,
) -> TrialDesign:
    """Plan a comparison randomised by cluster; of clusters, difference and power the one not given is found.

    `size`: cases a cluster (and period); `icc`: correlation of two cases of one cluster (and period); `clusters` in
    all, in equal arms, or in equal groups of `steps`; `difference` with `sd` (total) for a continuous outcome, or with
    `rate` for a proportion. `direction`: 1 or -1, the sign of a difference to be found. `simulate` draws such trials
    (`draws`, `seed`) and analyses each with the engine. Raises ModelError. Sources: see the module.
    """
    _check(size, icc, clusters, difference, power, kind, sd, rate, cv, steps, autocorrelation, alpha, reliability)
    plan = TrialDesign(
        kind=kind,
        clusters=clusters or 0,
        size=size,
        icc=icc,
        difference=difference or 0.0,
        power=power or 0.0,
        alpha=alpha,
        sd=sd,
        rate=rate,
        cv=cv,
        steps=steps,
        autocorrelation=autocorrelation,
        design_effect=math.nan,
        effective_size=math.nan,
        standard_error=math.nan,
        reliability=reliability,
        minimum_cases=minimum_cases(reliability, icc),
    )
    if clusters is None:
        plan = replace(plan, clusters=_clusters_needed(plan))
    elif difference is None:
        plan = replace(plan, difference=_detectable(plan, direction))
    plan = _completed(plan)
    if simulate:
        from profiling.modeling.trial_simulation import simulated

        plan = simulated(plan, draws, seed)
    return plan


def minimum_cases(reliability: float, icc: float) -> float:
    """Return the cases a cluster for which its mean has `reliability`; infinite without differences of clusters."""
    return math.inf if icc == 0 else reliability / (1 - reliability) * (1 - icc) / icc


def unequal_design_effect(size: float, icc: float, cv: float = 0.0) -> float:
    """Return 1 + ((1 + cv^2) m - 1) rho (Eldridge, Ashby & Kerry 2006)."""
    return 1 + ((1 + cv**2) * size - 1) * icc


def variances(plan: TrialDesign) -> tuple[float, float]:
    """Return the total variance of an outcome without and with the intervention."""
    if plan.rate is None:
        return plan.sd**2, plan.sd**2
    after = plan.rate + plan.difference
    return plan.rate * (1 - plan.rate), after * (1 - after)


def difference_variance(plan: TrialDesign, clusters: float) -> float:
    """Return Var(difference) with `clusters` in all, which need not be whole."""
    total = sum(variances(plan))
    if plan.kind == "parallel":
        return unequal_design_effect(plan.size, plan.icc, plan.cv) * total / (clusters / 2 * plan.size)
    return _stepped_variance(plan, total / 2, clusters)


def _stepped_variance(plan: TrialDesign, total: float, clusters: float) -> float:
    periods = plan.steps + 1
    # Group g (1..steps) has the intervention from period g on.
    x = (np.arange(periods)[None, :] >= np.arange(1, periods)[:, None]).astype(float)
    share = plan.autocorrelation
    between = plan.icc * total * (share * np.ones((periods, periods)) + (1 - share) * np.eye(periods))
    sizes = np.array([plan.size])
    if plan.cv > 0:
        at = (np.arange(_SIZES) + 0.5) / _SIZES
        sizes = stats.gamma.ppf(at, plan.cv**-2, scale=plan.size * plan.cv**2)
    eye = np.eye(periods)
    inverse = np.mean([np.linalg.inv(between + (1 - plan.icc) * total / size * eye) for size in sizes], axis=0)
    group = clusters / plan.steps
    own = group * np.einsum("gp,pq,gq->", x, inverse, x)
    across = group * inverse @ x.sum(axis=0)
    return float(1 / (own - across @ np.linalg.solve(clusters * inverse, across)))


def power_of(plan: TrialDesign, clusters: float) -> float:
    """Return the probability that the two-sided test finds the difference, in its direction."""
    shift = abs(plan.difference) / math.sqrt(difference_variance(plan, clusters))
    if plan.kind == "stepped_wedge":
        return float(stats.norm.sf(stats.norm.isf(plan.alpha / 2) - shift))
    freedom = clusters - 2
    return float(stats.nct.sf(stats.t.isf(plan.alpha / 2, freedom), freedom, shift)) if freedom > 0 else 0.0


def _completed(plan: TrialDesign) -> TrialDesign:
    variance = difference_variance(plan, plan.clusters)
    cases = plan.clusters * plan.periods * plan.size
    effect = variance / (2 * sum(variances(plan)) / cases)
    return replace(
        plan,
        power=power_of(plan, plan.clusters),
        design_effect=effect,
        effective_size=cases / effect,
        standard_error=math.sqrt(variance),
    )


def _clusters_needed(plan: TrialDesign) -> int:
    """Return the least number of clusters, in whole arms or groups, that has the power."""
    unit = 2 if plan.kind == "parallel" else plan.steps
    low, high = 0, 1
    while power_of(plan, high * unit) < plan.power:
        low, high = high, 2 * high
        if high * unit > MOST_CLUSTERS:
            found = f"more than {MOST_CLUSTERS:,} for a difference of {plan.difference:g}"
            raise ModelError(Problem("clusters", found, "a larger difference or less power"))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if power_of(plan, middle * unit) < plan.power else (low, middle)
    return high * unit


def _detectable(plan: TrialDesign, direction: int) -> float:
    """Return the difference found with the plan's power."""
    room = 100 * plan.sd if plan.rate is None else 1 - plan.rate if direction > 0 else plan.rate
    farthest = room * (1 - 1e-9)

    def lacking(size: float) -> float:
        return power_of(replace(plan, difference=direction * size), plan.clusters) - plan.power

    if lacking(farthest) < 0:
        found = f"power {lacking(farthest) + plan.power:.3f} for the largest difference there can be"
        raise ModelError(Problem("difference", found, f"{plan.power:g}", "More clusters, or less power"))
    return float(direction * optimize.brentq(lacking, 1e-12, farthest, xtol=1e-12))


def _check(
    size: float,
    icc: float,
    clusters: int | None,
    difference: float | None,
    power: float | None,
    kind: str,
    sd: float,
    rate: float | None,
    cv: float,
    steps: int,
    autocorrelation: float,
    alpha: float,
    reliability: float,
) -> None:
    asked = {"clusters": clusters, "difference": difference, "power": power}
    given = [name for name, value in asked.items() if value is not None]
    after = None if rate is None else rate + (difference or 0.0)
    unit = 2 if kind == "parallel" else max(steps, 1)
    rules = (
        (len(given) == 2, "arguments", ", ".join(given) or "none", "two of clusters, difference and power"),
        (kind in ("parallel", "stepped_wedge"), "kind", repr(kind), "parallel or stepped_wedge"),
        (size > 0 and cv >= 0 and sd > 0, "size, cv, sd", f"{size:g}, {cv:g}, {sd:g}", "above zero (cv: or zero)"),
        (0 <= icc < 1, "icc", f"{icc:g}", "from 0 to below 1"),
        (0 <= autocorrelation <= 1, "autocorrelation", f"{autocorrelation:g}", "from 0 to 1"),
        (0 < alpha < 1 and 0 < reliability < 1, "alpha, reliability", f"{alpha:g}, {reliability:g}", "from 0 to 1"),
        (power is None or alpha / 2 < power < 1, "power", f"{power}", "above alpha / 2 and below 1"),
        (rate is None or 0 < rate < 1, "rate", f"{rate}", "a proportion between 0 and 1"),
        (after is None or 0 < after < 1, "rate + difference", f"{after}", "a proportion between 0 and 1"),
        (kind == "parallel" or steps >= 2, "steps", f"{steps}", "2 or more"),
        (
            clusters is None or (clusters % unit == 0 and clusters > unit * (kind == "parallel")),
            "clusters",
            f"{clusters}",
            "in all, two or more in each of two equal arms" if kind == "parallel" else f"a multiple of {steps} steps",
        ),
    )
    problems = [Problem(where, found, wanted) for holds, where, found, wanted in rules if not holds]
    if problems:
        raise ModelError(problems)

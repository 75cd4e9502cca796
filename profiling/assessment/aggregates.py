"""Providers from published aggregates: cases, observed and expected events of each, and no patient rows.

O_j is Poisson with mean E_j times the provider's ratio. The ratios are taken to come from one family, whose mean and
spread are estimated from the data: a gamma distribution, with which the posterior is a gamma again (Clayton & Kaldor
1987, Biometrics 43; Morris 1983), or a normal one of their logarithms with variance τ² (DerSimonian & Laird 1986).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize, special

from profiling.assessment.evidence import expected_false
from profiling.assessment.fitted import Floats
from profiling.assessment.funnel import POISSON
from profiling.assessment.intervals import poisson_exact
from profiling.assessment.level import LevelAssessment, judged
from profiling.assessment.norm import NormTest, poisson_test
from profiling.assessment.options import ProfileOptions
from profiling.assessment.overdispersion import overdispersion
from profiling.assessment.rank_columns import provider_ranks
from profiling.assessment.reliability import cases_for_reliability, rankability, reliability
from profiling.assessment.rules import Evidence
from profiling.errors import ModelError, Problem

Shrinkage = Literal["gamma", "log_normal"]
NEEDED = ("n", "observed", "expected")
LARGEST_SHAPE = 1e8
HALF_EVENT = 0.5


@dataclass(frozen=True)
class Shrunken:
    """Posterior of each provider's ratio (J,): mean, 95 % limits; mean and sd of its logarithm; sampling variance of
    the logarithm; variance of log ratios between providers."""

    ratio: Floats
    lower: Floats
    upper: Floats
    effect: Floats
    effect_sd: Floats
    sampling: Floats
    variance: float
    gamma: tuple[Floats, Floats] | None

    def above(self, ratio: float) -> Floats:
        """P(ratio_j > ratio)."""
        if self.gamma is not None:
            return np.asarray(special.gammaincc(self.gamma[0], self.gamma[1] * ratio), dtype=np.float64)
        safe = np.where(self.effect_sd > 0, self.effect_sd, 1.0)
        certain = 0.5 * (1.0 + np.sign(self.effect - np.log(ratio)))
        value = np.where(self.effect_sd > 0, special.ndtr((self.effect - np.log(ratio)) / safe), certain)
        return np.asarray(value, dtype=np.float64)


def is_aggregated(table: pd.DataFrame) -> bool:
    """Whether a table has one row a provider (it has the column n) and not one row a case."""
    return "n" in table.columns


def assess_aggregates(
    table: pd.DataFrame,
    provider: str = "hospital",
    options: ProfileOptions | None = None,
    shrinkage: Shrinkage = "gamma",
) -> LevelAssessment:
    """One row a provider with the columns of `profile_providers`.

    table: columns named `provider`, n (cases), observed and expected (numbers of events). Raises ModelError for absent
    columns, providers named twice, and numbers that cannot be: counts below zero or broken, E not above zero.
    """
    chosen = options or ProfileOptions()
    ordered = _checked(table, provider).sort_values(provider, kind="stable", ignore_index=True)
    n, observed, expected = (ordered[name].to_numpy(dtype=np.float64) for name in NEEDED)
    shrunken = shrink(observed, expected, shrinkage)
    test = poisson_test(observed, expected, chosen)
    trust = reliability(shrunken.variance, shrunken.sampling)
    evidence = Evidence(
        z=test.z,
        probability=test.probability,
        above=shrunken.above(1.0),
        above_at=shrunken.above,
        weight=expected,
        reliability=trust,
        counts=True,
        shape=POISSON,
        observed=observed,
        expected=expected,
        variance=expected,
        cases=n,
        size=n,
        rate=float(observed.sum() / n.sum()),
    )
    ruling, category = judged(evidence, chosen)
    counted = category != "too_few"
    false_watch, false_flag = expected_false(evidence, test, ruling, counted, chosen.rule, chosen)
    frame = _frame(ordered[provider], n, observed, expected, shrunken, test, trust, chosen).assign(category=category)
    return LevelAssessment(
        frame=frame,
        options=chosen,
        rule=chosen.rule,
        rankability=rankability(shrunken.variance, shrunken.sampling),
        expected_false_watch=false_watch,
        expected_false_flag=false_flag,
        ruling=ruling,
        shape=POISSON,
        evidence=evidence,
        effect=shrunken.effect,
        effect_sd=shrunken.effect_sd,
    )


def shrink(observed: Floats, expected: Floats, shrinkage: Shrinkage = "gamma") -> Shrunken:
    """Empirical-Bayes posterior of each ratio."""
    return _gamma(observed, expected) if shrinkage == "gamma" else _log_normal(observed, expected)


def gamma_family(observed: Floats, expected: Floats) -> tuple[float, float]:
    """Shape and mean of the gamma distribution of ratios, by maximum likelihood of the negative binomial counts.

    A shape of 1e8 stands for no spread beyond chance.
    """

    def loss(parameters: Floats) -> float:
        shape, mean = np.exp(parameters)
        centre = mean * expected
        log_density = (
            special.gammaln(observed + shape)
            - special.gammaln(shape)
            - special.gammaln(observed + 1.0)
            - shape * np.log1p(centre / shape)
            + observed * (np.log(centre) - np.log(centre + shape))
        )
        return -float(log_density.sum())

    overall = max(float(observed.sum() / expected.sum()), 1e-6)
    bounds = [(np.log(1e-2), np.log(LARGEST_SHAPE)), (np.log(overall) - 3.0, np.log(overall) + 3.0)]
    starts = [np.array([np.log(shape), np.log(overall)]) for shape in (3.0, 30.0, 1000.0)]
    found = [optimize.minimize(loss, start, bounds=bounds, method="L-BFGS-B") for start in starts]
    best = min(found, key=lambda result: float(result.fun))
    poisson = float(loss(np.array([np.log(LARGEST_SHAPE), np.log(overall)])))
    if poisson <= float(best.fun) + 1e-6:
        return LARGEST_SHAPE, overall
    return float(np.exp(best.x[0])), float(np.exp(best.x[1]))


def _gamma(observed: Floats, expected: Floats) -> Shrunken:
    shape, mean = gamma_family(observed, expected)
    own, rate = observed + shape, expected + shape / mean
    spread = 0.0 if shape >= LARGEST_SHAPE else float(special.polygamma(1, shape))
    # Variance of ln(ratio): ψ′(shape) between providers; the sampling one follows from the weight E/(E + shape/mean).
    trust = expected / rate
    sampling = np.full(len(own), np.inf) if spread == 0.0 else spread * (1.0 - trust) / trust
    return Shrunken(
        own / rate,
        special.gammaincinv(own, 0.025) / rate,
        special.gammainccinv(own, 0.025) / rate,
        special.digamma(own) - np.log(rate),
        np.sqrt(special.polygamma(1, own)),
        sampling,
        spread,
        (own, rate),
    )


def _log_normal(observed: Floats, expected: Floats) -> Shrunken:
    """Normal-normal on the logarithm; a provider without events counts as half a one."""
    estimate = np.log(np.maximum(observed, HALF_EVENT) / expected)
    sampling = 1.0 / np.maximum(observed, HALF_EVENT)
    centre = float(np.average(estimate, weights=expected))
    variance = overdispersion((estimate - centre) / np.sqrt(sampling), np.sqrt(sampling), "keep").tau_squared
    weights = 1.0 / (sampling + variance)
    centre = float((weights * estimate).sum() / weights.sum())
    trust = variance / (variance + sampling)
    effect, sd = centre + trust * (estimate - centre), np.sqrt(trust * sampling)
    half = -special.ndtri(0.025) * sd
    return Shrunken(np.exp(effect), np.exp(effect - half), np.exp(effect + half), effect, sd, sampling, variance, None)


def _frame(
    labels: pd.Series,
    n: Floats,
    observed: Floats,
    expected: Floats,
    shrunken: Shrunken,
    test: NormTest,
    trust: Floats,
    options: ProfileOptions,
) -> pd.DataFrame:
    reference = float(observed.sum() / n.sum()) if options.reference_rate is None else options.reference_rate
    low, high = poisson_exact(observed)
    return pd.DataFrame(
        {
            "provider": labels.to_numpy(dtype=object),
            "parent": None,
            "n_parents": 0,
            "n": np.rint(n).astype(np.int64),
            "observed": observed,
            "expected": expected,
            "expected_marginal": expected,
            "predicted": expected * shrunken.ratio,
            "observed_rate": observed / n,
            "expected_rate": expected / n,
            "predicted_rate": expected * shrunken.ratio / n,
            "oe_ratio": observed / expected,
            "oe_lower": low / expected,
            "oe_upper": high / expected,
            "ratio": shrunken.ratio,
            "ratio_lower": shrunken.lower,
            "ratio_upper": shrunken.upper,
            "risk_standardized_rate": shrunken.ratio * reference,
            "rsr_lower": shrunken.lower * reference,
            "rsr_upper": shrunken.upper * reference,
            "mode": shrunken.effect,
            "mode_sd": shrunken.effect_sd,
            "probability_above": shrunken.above(1.0),
            "z": test.z,
            "probability_by_chance": test.probability,
            "reliability": trust,
        }
        | provider_ranks(shrunken.effect, shrunken.effect_sd, options)
        | {
            "cases_for_reliability": cases_for_reliability(
                shrunken.variance, shrunken.sampling, n, options.reliability_target
            )
        }
    )


def _checked(table: pd.DataFrame, provider: str) -> pd.DataFrame:
    """The table, if every number can be; ModelError says how many rows cannot and why."""
    missing = [name for name in (provider, *NEEDED) if name not in table.columns]
    if missing:
        raise _refused(f"no column {', '.join(missing)}", f"columns {provider}, {', '.join(NEEDED)}")
    if table.empty:
        raise _refused("no rows", "a row a provider")
    numbers = table[list(NEEDED)].apply(pd.to_numeric, errors="coerce").astype(float)
    faults = {
        "without a number in n, observed or expected": numbers.isna().any(axis=1),
        "of a provider named before": table[provider].duplicated(),
        "without a provider": table[provider].isna(),
        "whose cases are not above zero": numbers["n"] <= 0,
        "whose observed number is no count": (numbers["observed"] < 0) | (numbers["observed"] % 1 != 0),
        "with more observed events than cases": numbers["observed"] > numbers["n"],
        "whose expected number is not above zero": numbers["expected"] <= 0,
    }
    found = [f"{int(rows.sum())} rows {words}" for words, rows in faults.items() if rows.any()]
    if found:
        raise _refused("; ".join(found), "a row a provider with cases, a count of events and an expected number")
    return table.assign(**{name: numbers[name] for name in NEEDED})


def _refused(found: str, wanted: str) -> ModelError:
    return ModelError(Problem("table of aggregates", found, wanted, "Correct the table, or name its columns"))

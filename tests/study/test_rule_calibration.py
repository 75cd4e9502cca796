"""Do the rules keep what they say: flags of providers who do not differ, false discoveries, empirical null, ranks.

STUDY_DRAWS draws of each design (default 1,000; a fifth of them with physicians). Written into docs/calibration.md with
100 draws or more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numba
import numpy as np
import pytest
from study_samples import DRAWS, Design, Sample, draw_sample, every_draw, write_section

from profiling.assessment import Assessment, ProfileOptions, assess, fixed_effect_tests, fixed_effects_of
from profiling.assessment.intervals import poisson_exact
from profiling.assessment.level import judged
from profiling.assessment.poisson_binomial import exact_test
from profiling.assessment.rank_summary import posterior_ranks
from profiling.modeling import glmm
from profiling.modeling.joint_draws import joint_draws
from profiling.modeling.result import MixedModelResult

pytestmark = [pytest.mark.study, pytest.mark.timeout(6 * 3600)]
LEVELS = (0.05, 0.002)
FEWER = 5  # draws of the designs with physicians are a fifth
RULES = {
    "mid-p funnel": {"rule": "funnel"},
    "interval": {"rule": "interval"},
    "meaningful difference": {"rule": "meaningful_difference"},
    "empirical null": {"rule": "empirical_null"},
    "false discovery": {"rule": "false_discovery"},
    "local false discovery": {"rule": "local_false_discovery"},
    "empirical null by volume": {"rule": "empirical_null", "null_by": "volume"},
    "empirical null, logistic": {"rule": "empirical_null", "null_by": "logistic"},
    "funnel with τ²": {"rule": "funnel", "overdispersion": "additive"},
    "funnel with φ": {"rule": "funnel", "overdispersion": "multiplicative"},
}
CROSSED = {"physicians": 4, "level": "physician", "crossing": 0.15}
NULL = (
    Design("20 of about 70 cases", 20, 70, 0.6, 0.0),
    Design("20 of about 300 cases", 20, 300, 0.8, 0.0),
    Design("200 of about 70 cases", 200, 70, 0.6, 0.0),
    Design("100 of about 300 cases", 100, 300, 0.8, 0.0),
    Design("120 physicians crossed with 30 hospitals, 70 cases", 30, 280, 0.4, 0.0, **CROSSED),
)
SPREAD = (
    Design("100 of about 150 cases, σ .15", 100, 150, 0.6, 0.15),
    Design("100 of about 150 cases, σ .3", 100, 150, 0.6, 0.3),
    Design("200 of 150 cases, σ .3", 200, 150, 0.0, 0.3),
)
DISCOVERY = (
    Design("100 of about 300 cases, a tenth at ±.5", 100, 300, 0.6, 0.5, effects="few_differ"),
    Design("100 of about 300 cases, a tenth at ±1", 100, 300, 0.6, 1.0, effects="few_differ"),
    Design("200 of about 150 cases, a tenth at ±.7", 200, 150, 0.6, 0.7, effects="few_differ"),
)
RANKS = (
    Design("20 of about 300 cases, σ .3", 20, 300, 0.8, 0.3),
    Design("50 of about 70 cases, σ .25", 50, 70, 0.6, 0.25),
    Design("200 of about 70 cases, σ .25", 200, 70, 0.6, 0.25),
    Design("100 of about 300 cases, σ .3", 100, 300, 0.8, 0.3),
    Design("120 physicians crossed with 30 hospitals, σ .25", 30, 280, 0.4, 0.25, **CROSSED),
)
PARTS = {"null": NULL, "spread": SPREAD, "discovery": DISCOVERY, "ranks": RANKS}
Result = dict[str, np.ndarray]


@dataclass(frozen=True)
class Fitted:
    """A sample with its fit and the assessment of the level under study."""

    sample: Sample
    fit: MixedModelResult
    assessment: Assessment


def fitted(design: Design, draw: int, part: int, posterior: str) -> Fitted:
    numba.set_num_threads(1)
    random = np.random.default_rng([20240303, part, PARTS[list(PARTS)[part]].index(design), draw])
    sample = draw_sample(random, design)
    fit = glmm(sample.formula, sample.table)
    names = {"outer": "hospital", "inner": "physician" if design.physicians else None}
    options = ProfileOptions(posterior=posterior, minimum_cases=10, seed=draw, **names)  # type: ignore[arg-type]
    return Fitted(sample, fit, assess(fit, design.level, options))


def flags_of(found: Fitted, names: list[str]) -> Result:
    """Whether each rule flags each provider at the two levels (2, J), by the rule's name."""
    evidence, options = found.assessment.evidence, found.assessment.options
    result = {}
    for name in names:
        ruling, _ = judged(evidence, replace(options, **RULES[name]))  # type: ignore[arg-type]
        result[name] = np.stack([ruling.probability < level for level in LEVELS])
    return result


def exact_flags(found: Fitted) -> Result:
    """The same of the exact tests: twice the tail with the observed count in it, and limits of O/E without 1."""
    rows, evidence = found.assessment.rows, found.assessment.evidence
    test = exact_test(rows.expected_marginal, rows.starts, evidence.observed)
    probability = 2 * np.minimum(test.below + test.point, test.above + test.point)
    limits = [poisson_exact(evidence.observed, 1 - level) for level in LEVELS]
    outside = [(low > evidence.expected) | (high < evidence.expected) for low, high in limits]
    return {
        "exact Poisson-binomial": np.stack([probability < level for level in LEVELS]),
        "exact Poisson limits": np.stack(outside),
    }


def fixed_flags(found: Fitted, level: str) -> Result:
    tests = fixed_effect_tests(fixed_effects_of(found.fit, level))
    probability = tests["exact_p"].to_numpy()
    return {"fixed effect, mid-p": np.stack([probability < one for one in LEVELS])}


def null_draw(design: Design, draw: int) -> Result:
    found = fitted(design, draw, 0, "full")
    flags = exact_flags(found) | flags_of(found, ["mid-p funnel", "interval", "meaningful difference"])
    flags |= fixed_flags(found, design.level) if not design.physicians else {}
    flags |= flags_of(found, ["empirical null", "false discovery"])
    return {name: rates.mean(axis=1) for name, rates in flags.items()} | {
        "any false discovery": flags["false discovery"].any(axis=1).astype(float)
    }


def spread_draw(design: Design, draw: int) -> Result:
    found = fitted(design, draw, 1, "plug_in")
    names = [name for name in RULES if name.startswith(("empirical", "funnel with", "mid-p"))]
    return {name: rates.mean(axis=1) for name, rates in flags_of(found, names).items()}


def discovery_draw(design: Design, draw: int) -> Result:
    """False share of what is flagged (nothing flagged: none false), and the share found of those that differ."""
    found = fitted(design, draw, 2, "plug_in")
    differs, result = found.sample.effect != 0, {}
    for name, flags in flags_of(found, ["false discovery", "local false discovery"]).items():
        result[name] = (flags & ~differs).sum(axis=1) / np.maximum(flags.sum(axis=1), 1)
        result[f"{name}, found"] = (flags & differs).sum(axis=1) / max(int(differs.sum()), 1)
    return result


def rank_draw(design: Design, draw: int) -> Result:
    """Whether rank intervals hold the true ranks, their width in percentiles, and the claims of the top fifth."""
    found = fitted(design, draw, 3, "full")
    true = np.argsort(np.argsort(found.sample.effect)) + 1
    count = len(true)
    ranks = {"published": found.assessment.frame}
    if design.physicians and found.fit.variance(design.level) > 0:
        joint = joint_draws(found.fit, 1000, draw)[design.level]
        ranks["joint"] = posterior_ranks(found.assessment.effect, found.assessment.effect_sd, joint=joint)
    result = {}
    for name, table in ranks.items():
        low, high = table["rank_lower"].to_numpy(), table["rank_upper"].to_numpy()
        result[name] = np.array([np.mean((low <= true) & (true <= high)), np.mean(high - low) / count])
    shares = posterior_ranks(found.assessment.effect, found.assessment.effect_sd, seed=draw)
    claim, inside = shares["top_fifth"].to_numpy(), true > 0.8 * count
    likely = claim > 0.5
    result["claims"] = np.array([likely.sum(), claim[likely].sum(), inside[likely].sum()])
    return result


@pytest.fixture(scope="module")
def collected() -> Iterator[dict[str, dict[str, list[Result]]]]:
    found: dict[str, dict[str, list[Result]]] = {part: {} for part in PARTS}
    yield found
    if all(len(found[part]) == len(designs) for part, designs in PARTS.items()):
        write_section("Do the rules keep what they say?", report(found))


def run(part: str, design: Design, collected: dict[str, dict[str, list[Result]]]) -> list[Result]:
    work = {"null": null_draw, "spread": spread_draw, "discovery": discovery_draw, "ranks": rank_draw}[part]
    collected[part][design.name] = every_draw(work, design, draws_of(design))
    return collected[part][design.name]


def draws_of(design: Design) -> int:
    return max(DRAWS // FEWER, 1) if design.physicians else DRAWS


def mean(results: list[Result], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean over draws and its Monte Carlo error."""
    values = np.array([result[name] for result in results if name in result], dtype=float)
    return values.mean(axis=0), values.std(axis=0) / np.sqrt(len(values))


def by_name(designs: tuple[Design, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("design", designs, ids=lambda design: design.name)


@by_name(NULL)
def test_providers_that_do_not_differ_are_flagged_as_rarely_as_said(design: Design, collected: dict) -> None:
    results = run("null", design, collected)
    allowed = {"exact Poisson-binomial": 1.0, "exact Poisson limits": 1.0, "mid-p funnel": 1.2, "interval": 1.0}
    for name, times in allowed.items():
        rate, error = mean(results, name)
        assert (rate <= times * np.array(LEVELS) + 3 * error).all(), (name, rate)


@by_name(SPREAD)
def test_the_empirical_null_is_nominal_under_the_usual_spread(design: Design, collected: dict) -> None:
    rate, error = mean(run("spread", design, collected), "empirical null, logistic")
    assert (rate <= 1.2 * np.array(LEVELS) + 3 * error).all(), rate
    assert rate[0] >= 0.8 * LEVELS[0] - 3 * error[0], rate


@by_name(DISCOVERY)
def test_stated_false_discovery_rates_are_kept(design: Design, collected: dict) -> None:
    results = run("discovery", design, collected)
    for name in ("false discovery", "local false discovery"):
        share, error = mean(results, name)
        assert (share <= np.array(LEVELS) + 3 * error).all(), (name, share)


@by_name(RANKS)
def test_rank_intervals_hold_the_true_ranks(design: Design, collected: dict) -> None:
    results = run("ranks", design, collected)
    held, error = mean(results, "published")
    assert held[0] >= (0.93 if design.hospitals >= 30 else 0.90) - 3 * error[0]


INTRODUCTION = (
    f"Written by `STUDY_DRAWS={DRAWS} make study` (tests/study/test_rule_calibration.py): {DRAWS} draws of a design,",
    f"{max(DRAWS // FEWER, 1)} of those with physicians. Data as above; no provider is too small to be judged. Shares",
    "of providers in ‰ at the 95 % and the 99.8 % limits, Monte Carlo errors in brackets: 50 and 2 are nominal.",
    "",
    "## Providers that do not differ",
    "",
    "All effects are zero. Exact tests must stay at 50 and 2, the mid-p at 60 and 2.4, the shrunken interval at 50 and",
    "2. The *fixed effect* is tested against the median provider, which the model of the others estimates; *any false",
    "discovery* is the share of draws in which Benjamini-Hochberg flags anybody. The *empirical null* is an estimate,",
    "held against Student's t and never narrower than chance: where nothing but chance is at work, few are flagged.",
    "",
)
SPREAD_WORDS = (
    "",
    "## Providers that differ by the usual spread",
    "",
    "Effects are N(0, σ²): nobody stands out from the others. The plain funnel asks another question (does anybody",
    "differ from the norm), and flags many. One null for all is too wide for small and too narrow for large providers,",
    "the logistic one (1 + τ₀²V) follows the volume and must be nominal (at most 60 and 2.4, and not below 40). The",
    "over-dispersed funnels, in their published form, take φ and τ² from z-scores winsorised at a tenth at either end:",
    "of normal scores that keeps .68 of the variance, so that twice as many lie beyond 95 % limits as they say.",
    "",
)
DISCOVERY_WORDS = (
    "",
    "## Stated false discovery rates",
    "",
    "A tenth of the providers differ, the others do not. Mean false share of those flagged (a draw without a flag",
    "counts as none), and the share found of those that differ, in ‰.",
    "",
)
RANK_WORDS = (
    "",
    "## Ranks and percentiles",
    "",
    "Share in % of the 95 % rank intervals that hold the true rank, and their mean width in percentiles (percentile",
    "intervals are the same on another scale); *joint* draws of crossed effects beside the published ones. Then the",
    "providers said to be among the highest fifth with a probability above one half: the mean of what is claimed, and",
    "the share that is there, with its Monte Carlo error.",
    "",
    "| design | held | width | joint draws: held | width | claimed | true |",
    "|---|---|---|---|---|---|---|",
)


def report(found: dict[str, dict[str, list[Result]]]) -> list[str]:
    lines = [*INTRODUCTION, *table(found["null"]), *SPREAD_WORDS, *table(found["spread"])]
    lines += [*DISCOVERY_WORDS, *table(found["discovery"]), *RANK_WORDS]
    return lines + [rank_line(name, results) for name, results in found["ranks"].items()]


def table(found: dict[str, list[Result]]) -> list[str]:
    """A row a rule and level, a column a design."""
    lines = [f"| rule | limits | {' | '.join(found)} |", "|---|---|" + "---|" * len(found)]
    for name in next(iter(found.values()))[0]:
        for k, words in enumerate(("95 %", "99.8 %")):
            means = [mean(results, name) if name in results[0] else None for results in found.values()]
            cells = ["" if one is None else f"{1000 * one[0][k]:.1f} ({1000 * one[1][k]:.1f})" for one in means]
            lines.append(f"| {name} | {words} | {' | '.join(cells)} |")
    return lines


def rank_line(name: str, results: list[Result]) -> str:
    cells = []
    for kind in ("published", "joint"):
        if not any(kind in result for result in results):
            cells += ["", ""]
            continue
        (held, width), (error, _) = mean(results, kind)
        cells += [f"{100 * held:.1f} ± {100 * error:.1f}", f"{100 * width:.0f}"]
    claims = np.array([result["claims"] for result in results])
    likely, claimed, inside = claims.sum(axis=0)
    # Providers of one draw are alike in luck: the error is that of whole draws.
    error = np.sqrt(np.square(claims[:, 2] - claims[:, 1]).sum()) / likely
    return f"| {name} | {' | '.join(cells)} | {claimed / likely:.3f} | {inside / likely:.3f} ± {error:.3f} |"

"""The choices of an assessment, as one frozen value: nothing here knows the configuration file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from profiling.errors import Problem, UsageError
from profiling.vocabulary import FlagRuleName

Family = Literal["binomial", "poisson", "log_gaussian", "gaussian"]
Rule = FlagRuleName
OverdispersionKind = Literal["none", "multiplicative", "additive"]
Extremes = Literal["winsorise", "trim", "keep"]
NullKind = Literal["all", "volume", "logistic"]
InnerExpected = Literal["within_hospital", "statewide"]
Posterior = Literal["full", "plug_in", "delta"]


@dataclass(frozen=True)
class ProfileOptions:
    """How providers are compared with the norm "the same patients, at a provider whose effect is zero".

    outer, inner: names of the grouping factors of the fit (columns of the table), outermost first. None:
    taken from
        the fit; with two factors the one with fewer levels is the outer.
    inner_expected: the expected number of an inner provider keeps the effect of the outer one
    ("within_hospital") or
        sets it to zero ("statewide").
    include_inner: the predicted number of an outer provider holds the effects of its inner providers too.
    family: None takes the fit's. "log_gaussian" says that the fit's outcome is the logarithm of the reported
    one.
    per_exposure: rates of counts are per unit of exposure, exp(offset) of the fit; False: per case.
    trials_within_cases: the trials of a row belong to one case (vaccinations due at one visit): n and the least number
        of cases count rows. False: each trial is a case of its own (rows collapsed to counts).
    rule: "funnel" (exact two-sided mid-p of O given E averaged over the effects), "interval" (posterior interval of
        P/E), "meaningful_difference" (posterior probability of a ratio beyond 1 + difference, or below its inverse),
        "empirical_null" (z-scores against the spread of the bulk), "false_discovery" (Benjamini-Hochberg),
        "local_false_discovery" (Efron), "srtr", "ahrq". Continuous outcomes have no funnel, srtr or ahrq rule: the
        interval takes their place.
    overdispersion: the funnel allows for more spread than chance explains: "multiplicative" (√φ), "additive" (τ²).
    extremes, extreme_share: how φ and τ² are kept from the extremes: winsorised or trimmed share at each end.
    null_by, volume_groups: the empirical null of "all" providers, by groups of "volume", or "logistic" (1 + τ₀²V).
    difference: the ratio less one that is worth a flag, for "meaningful_difference".
    tiers: 5 (higher, watch, as expected, watch, lower) or 3, without the watch.
    watch, flag: probabilities covered by the inner and the outer limits.
    minimum_cases: fewer cases than this are "too_few".
    reference_rate: rate that turns a ratio into a risk-standardized rate; None: the cohort's own.
    random_sd, residual_sd: for tables of predictions, which bring no fit: standard deviation of the provider
    effects
        on the scale of the link, and of the residual. None: no shrunken figures (NaN).
    posterior: "full" (integrated over the effect, the coefficients and the variances; a table of predictions or a
        result without its design has "plug_in"), "plug_in" (at the estimated parameters: by one-dimensional
        quadrature for a single logistic random intercept, else normal), "delta" (normal, with the standard deviation
        that adds the parameters' uncertainty by the delta method).
    draws, seed: posterior draws behind the rank intervals, and their seed.
    exact_ranks_up_to: providers up to which expected ranks are summed over all pairs (draws above).
    reliability_target: reliability whose case count is reported.
    quadrature_points: Gauss-Hermite points of the expectation averaged over the effects.

    Raises UsageError, naming every field that cannot be.
    """

    outer: str | None = None
    inner: str | None = None
    inner_expected: InnerExpected = "within_hospital"
    include_inner: bool = False
    family: Family | None = None
    per_exposure: bool = False
    trials_within_cases: bool = False
    rule: Rule = "funnel"
    overdispersion: OverdispersionKind = "none"
    extremes: Extremes = "winsorise"
    extreme_share: float = 0.1
    null_by: NullKind = "all"
    volume_groups: int = 3
    difference: float = 0.2
    tiers: int = 5
    watch: float = 0.95
    flag: float = 0.998
    minimum_cases: int = 25
    reference_rate: float | None = None
    random_sd: float | None = None
    residual_sd: float | None = None
    posterior: Posterior = "full"
    draws: int = 1000
    seed: int = 0
    exact_ranks_up_to: int = 5000
    reliability_target: float = 0.7
    quadrature_points: int = 31

    def __post_init__(self) -> None:
        problems = [problem for problem in _problems(self) if problem is not None]
        if problems:
            raise UsageError(problems)

    @property
    def watch_probability(self) -> float:
        """Two-sided probability below which a provider is watched (rounded: .05, not 1 - .95)."""
        return round(1.0 - self.watch, 12)

    @property
    def flag_probability(self) -> float:
        """Two-sided probability below which a provider is flagged."""
        return round(1.0 - self.flag, 12)


def _problems(options: ProfileOptions) -> list[Problem | None]:
    return [
        _one_of("inner_expected", options.inner_expected, ("within_hospital", "statewide")),
        _one_of("family", options.family, (None, *get_args(Family))),
        _one_of("rule", options.rule, get_args(Rule)),
        _one_of("overdispersion", options.overdispersion, get_args(OverdispersionKind)),
        _one_of("extremes", options.extremes, get_args(Extremes)),
        _one_of("null_by", options.null_by, get_args(NullKind)),
        _one_of("tiers", options.tiers, (3, 5)),
        _must(0.0 <= options.extreme_share < 0.5, "extreme_share", f"{options.extreme_share:g}", "0 to below 0.5"),
        _must(options.difference > 0.0, "difference", f"{options.difference:g}", "more than 0"),
        _must(options.volume_groups >= 1, "volume_groups", f"{options.volume_groups}", "1 or more"),
        _must(
            options.overdispersion == "none" or options.rule == "funnel",
            "overdispersion",
            f"{options.overdispersion!r} with the rule {options.rule!r}",
            "the rule 'funnel'",
        ),
        _one_of("posterior", options.posterior, ("full", "plug_in", "delta")),
        _must(
            0.0 < options.watch < options.flag < 1.0,
            "watch, flag",
            f"{options.watch:g}, {options.flag:g}",
            "0 < watch < flag < 1",
        ),
        _must(options.minimum_cases >= 0, "minimum_cases", f"{options.minimum_cases}", "0 or more"),
        _must(options.draws >= 100, "draws", f"{options.draws}", "100 or more"),
        _must(
            0.0 < options.reliability_target < 1.0,
            "reliability_target",
            f"{options.reliability_target:g}",
            "a number between 0 and 1",
        ),
        _must(
            options.random_sd is None or options.random_sd >= 0,
            "random_sd",
            f"{options.random_sd}",
            "0 or more",
        ),
        _must(options.quadrature_points >= 5, "quadrature_points", f"{options.quadrature_points}", "5 or more"),
    ]


def _one_of(field: str, found: object, allowed: tuple[object, ...]) -> Problem | None:
    return _must(found in allowed, field, repr(found), " or ".join(repr(value) for value in allowed))


def _must(holds: bool, field: str, found: str, expected: str) -> Problem | None:
    return None if holds else Problem(f"ProfileOptions.{field}", f"found {found}", expected)

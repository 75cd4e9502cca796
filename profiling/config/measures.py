"""Settings of a measure: what is counted, in whom, against which case mix, and who answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from profiling.config.fields import Bound, ColumnName, Count, Line, Positive, Probability, Share, Slug, Value, expected
from profiling.config.formulas import FormulaError, check_formula, formula_columns
from profiling.config.sources import Frozen
from profiling.vocabulary import COUNT_FAMILIES, FlagRuleName

Family = Literal["binomial", "poisson", "log_gaussian", "gaussian"]

COMPANIONS = ("patient_id", "admitted")


class Condition(Frozen):
    """What the values of one column must be for a row to belong to the cohort; parts are AND-ed.

    The key `in` of the file is the attribute `in_`.
    """

    minimum: Bound | None = None
    maximum: Bound | None = None
    in_: tuple[Value, ...] | None = Field(default=None, alias="in")
    not_in: tuple[Value, ...] | None = None
    equals: Value | None = None
    not_missing: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise expected("at least one of minimum, maximum, in, not_in, equals, not_missing")
        return self


class ProviderLevel(Frozen):
    """One level of providers: its name, the column that holds their ids and its random terms."""

    level: Slug
    column: ColumnName
    random: Line = "1"


class FlagRule(Frozen):
    """When a provider is flagged: the rule, the two probabilities of its limits, and what the rule allows for.

    overdispersion: the funnel's limits are widened for more spread than chance explains, on the z-scores
    (multiplicative) or as variance of the true ratios (additive). difference: the ratio less one that is worth a flag.
    null_by: the empirical null of all providers, by volume, or with a variance that grows with it (logistic).
    across: false discoveries are limited among the providers of this measure, or among those of all measures that say
    so, which are then judged together.
    """

    rule: FlagRuleName = "funnel"
    watch: Probability = 0.95
    flag: Probability = 0.998
    overdispersion: Literal["none", "multiplicative", "additive"] = "none"
    extremes: Literal["winsorise", "trim", "keep"] = "winsorise"
    extreme_share: Share = 0.1
    null_by: Literal["all", "volume", "logistic"] = "all"
    difference: Positive = 0.2
    tiers: Literal[3, 5] = 5
    across: Literal["providers", "measures"] = "providers"

    @model_validator(mode="after")
    def _widens_a_funnel(self) -> Self:
        if self.overdispersion != "none" and self.rule != "funnel":
            raise expected("overdispersion: none, unless the rule is funnel")
        if self.extreme_share >= 0.5:
            raise expected("an extreme_share below 0.5")
        if self.across == "measures" and self.rule != "false_discovery":
            raise expected("across: providers, unless the rule is false_discovery")
        return self


class Measure(Frozen):
    """One question put to the records, with everything that decides its answer.

    exposure: what counts are proportional to, such as days at risk (poisson). trials: how many could have had the
    event, of which the outcome says how many did (binomial); without it the outcome is 0 or 1. social_risk: terms with
    which the model is fitted a second time and shown beside the first. subgroups: columns by whose values observed and
    expected are compared. sensitivity: the model is fitted again without each term of the case mix, without the largest
    provider and with patients attributed otherwise, to see which findings hold; auto: unless the rows are very many.
    """

    name: Slug
    title: Line
    question: Line
    event: Line = "events"
    unit: str = ""
    outcome: ColumnName
    direction: Literal["higher_is_worse", "higher_is_better"]
    family: Family
    period: Line | None = None
    cohort: Mapping[ColumnName, Condition] = Field(default_factory=dict)
    exposure: ColumnName | None = None
    trials: ColumnName | None = None
    case_mix: Line
    social_risk: Line | None = None
    subgroups: tuple[ColumnName, ...] = ()
    allow_in_case_mix: tuple[ColumnName, ...] = ()
    providers: tuple[ProviderLevel, ...] = Field(min_length=1, max_length=2)
    inner_expected: Literal["within_hospital", "statewide"] = "within_hospital"
    attribution: Literal["attending", "most_visits"] = "attending"
    norm: Literal["average"] = "average"
    minimum_cases: Count = 25
    missing: Literal["exclude"] = "exclude"
    method: Literal["laplace", "agq", "auto"] = "laplace"
    sensitivity: Literal["auto", "always", "never"] = "auto"
    flag: FlagRule = FlagRule()

    @model_validator(mode="before")
    @classmethod
    def _continuous_by_interval(cls, value: Any) -> Any:
        if not isinstance(value, dict) or value.get("family") not in ("log_gaussian", "gaussian"):
            return value
        flag = value.get("flag", {})
        return {**value, "flag": {"rule": "interval", **flag}} if isinstance(flag, dict) else value

    @model_validator(mode="after")
    def _widens_limits_of_events(self) -> Self:
        if self.flag.overdispersion != "none" and self.family not in COUNT_FAMILIES:
            raise expected("flag without overdispersion: only counts of events have widened limits")
        return self

    @field_validator("case_mix", "social_risk")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        try:
            check_formula(text or "1")
        except FormulaError as problem:
            raise expected(str(problem)) from None
        return text

    @property
    def case_mix_columns(self) -> tuple[str, ...]:
        """Columns that the case mix and the random terms use, in order of first mention."""
        texts = [self.case_mix, *(level.random for level in self.providers)]
        return tuple(dict.fromkeys(column for text in texts for column in formula_columns(text)))

    @property
    def social_risk_columns(self) -> tuple[str, ...]:
        """Columns that the terms of social risk use."""
        return formula_columns(self.social_risk) if self.social_risk else ()

    @property
    def base_column(self) -> str | None:
        """The column to which the number of events is proportional: exposure or trials."""
        return self.exposure or self.trials

    @property
    def companion_columns(self) -> tuple[str, ...]:
        """Columns that a run carries beside those of its model; all but the first may have nulls."""
        base = [self.base_column] if self.base_column else []
        names = [*base, *COMPANIONS, *self.social_risk_columns, *self.subgroups]
        return tuple(dict.fromkeys(names))

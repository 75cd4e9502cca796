"""What is found of one kind of providers, whether from a model's rows or from published aggregates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.assessment.evidence import power_of
from profiling.assessment.fitted import Floats
from profiling.assessment.flags import categories
from profiling.assessment.funnel import EventShape
from profiling.assessment.options import ProfileOptions
from profiling.assessment.rules import COUNTS_ONLY, Evidence, Ruling, judge


@dataclass(frozen=True)
class LevelAssessment:
    """The frame of `profile_providers`, and what the level as a whole shows.

    rule: the rule applied. expected_false_watch, expected_false_flag: providers (of those with enough cases)
    that chance alone would put beyond the inner limits (those beyond the outer ones included) and beyond the
    outer limits: exact for the funnel rule, an upper bound for the interval rule, near for the others. ruling: the
    probabilities and scores of the rule. shape: of a count of events; None for continuous outcomes. evidence: what the
    rule looked at. effect, effect_sd: posterior mean and standard deviation of each effect less its norm (J,).
    """

    frame: pd.DataFrame
    options: ProfileOptions
    rule: str
    rankability: float
    expected_false_watch: float
    expected_false_flag: float
    ruling: Ruling
    shape: EventShape | None
    evidence: Evidence
    effect: Floats
    effect_sd: Floats

    @cached_property
    def power_watch(self) -> float:
        """The chance that a provider truly 1.5 times the norm is beyond the inner limit on the higher side, at the
        median provider with enough cases."""
        return power_of(self.evidence, self.ruling.watch, self.counted)

    @cached_property
    def power_flag(self) -> float:
        """The same beyond the outer limit."""
        return power_of(self.evidence, self.ruling.flag, self.counted)

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """Providers with enough cases to be judged."""
        return np.asarray(self.frame["category"] != "too_few")


def rule_for(counts: bool, options: ProfileOptions) -> str:
    """The rule that is applied: the interval takes the place of one that needs counts of events."""
    return "interval" if options.rule in COUNTS_ONLY and not counts else options.rule


def judged(evidence: Evidence, options: ProfileOptions) -> tuple[Ruling, npt.NDArray[np.object_]]:
    """The ruling of the options' rule and the category of each provider (J,)."""
    ruling = judge(evidence, rule_for(evidence.counts, options), options)
    return ruling, category_of(ruling, evidence.cases, options)


def category_of(ruling: Ruling, cases: Floats, options: ProfileOptions) -> npt.NDArray[np.object_]:
    """The category of each provider (J,) under a ruling."""
    watch, flag = options.watch_probability, options.flag_probability
    return categories(ruling.probability, ruling.higher, cases, watch, flag, options.minimum_cases, options.tiers)

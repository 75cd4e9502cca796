"""What is found of one kind of providers, whether from a model's rows or from published aggregates."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from profiling.assessment.funnel import EventShape
from profiling.assessment.options import ProfileOptions
from profiling.assessment.rules import Ruling


@dataclass(frozen=True)
class LevelAssessment:
    """The frame of `profile_providers`, and what the level as a whole shows.

    rule: the rule applied. expected_false_watch, expected_false_flag: providers (of those with enough cases)
    that chance alone would put beyond the inner limits (those beyond the outer ones included) and beyond the
    outer limits: exact for the funnel rule, an upper bound for the interval rule, near for the others. ruling: the
    probabilities and scores of the rule. power_watch, power_flag: the chance that a provider truly 1.5 times the norm
    lies beyond the inner and the outer limits on the higher side, at the median provider with enough cases. shape: of
    a count of events; None for continuous outcomes.
    """

    frame: pd.DataFrame
    options: ProfileOptions
    rule: str
    rankability: float
    expected_false_watch: float
    expected_false_flag: float
    ruling: Ruling
    power_watch: float
    power_flag: float
    shape: EventShape | None

"""False discoveries limited among the providers of several measures together (Benjamini & Hochberg 1995).

Who looks at many measures of many providers finds flags by chance in each: judged together, the stated rate holds for
all flags of all measures (Jones, Ohlssen & Spiegelhalter 2008, J Clin Epidemiol 61).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from profiling.assessment.empirical_null import benjamini_hochberg
from profiling.assessment.evidence import expected_beyond
from profiling.assessment.level import LevelAssessment, category_of
from profiling.assessment.rules import counted_probability, discovery_ruling

Level = TypeVar("Level", bound=LevelAssessment)


def judged_together(assessments: Sequence[Level]) -> list[Level]:
    """The same assessments with rulings, categories and operating figures from one adjustment of all probabilities.

    Each keeps its own levels and least number of cases. Providers with too few cases take no part.
    """
    raw = np.concatenate([counted_probability(each.evidence, each.options) for each in assessments])
    adjusted = benjamini_hochberg(raw)
    ends = np.cumsum([len(each.frame) for each in assessments])
    return [
        _with_ruling(each, raw, adjusted, slice(int(end) - len(each.frame), int(end)))
        for each, end in zip(assessments, ends, strict=True)
    ]


def _with_ruling(assessment: Level, raw: np.ndarray, adjusted: np.ndarray, own: slice) -> Level:
    evidence, options = assessment.evidence, assessment.options
    ruling = discovery_ruling(evidence, raw, adjusted, options, own)
    category = category_of(ruling, evidence.cases, options)
    counted = category != "too_few"
    false_watch, false_flag = expected_beyond(evidence, ruling, counted)
    return replace(
        assessment,
        frame=assessment.frame.assign(category=category),
        ruling=ruling,
        expected_false_watch=false_watch,
        expected_false_flag=false_flag,
    )

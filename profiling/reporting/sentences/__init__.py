"""Every sentence the report generates from numbers, in one catalogue that can be translated as a whole.

`CATALOGUE` holds the patterns, which stand in a module a page under `texts`; the functions choose among them and fill
them. Words follow the rules of the report: up is always more of the event, a flag is a reason to look and not a
verdict, the uncertainty stands beside the estimate, numbers to twelve are words.
"""

from __future__ import annotations

from profiling.reporting.sentences.catalogue import CATALOGUE, say
from profiling.reporting.sentences.findings import (
    MOST_NAMES,
    Finding,
    against_chance,
    headline,
    lede,
    overall_headline,
    rule,
    stand_out,
)
from profiling.reporting.sentences.stored import band, stored
from profiling.reporting.sentences.words import (
    capital,
    counted,
    how_many,
    level_noun,
    listed,
    mid_sentence,
    one_of,
    plural,
    uncapital,
    verb,
)

__all__ = [
    "CATALOGUE",
    "MOST_NAMES",
    "Finding",
    "against_chance",
    "band",
    "capital",
    "counted",
    "headline",
    "how_many",
    "lede",
    "level_noun",
    "listed",
    "mid_sentence",
    "one_of",
    "overall_headline",
    "plural",
    "rule",
    "say",
    "stand_out",
    "stored",
    "uncapital",
    "verb",
]

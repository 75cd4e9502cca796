"""Names that the configuration, the commands and the assessment share, so that each list of them stands once."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "de"]

FlagRuleName = Literal[
    "funnel",
    "interval",
    "meaningful_difference",
    "empirical_null",
    "false_discovery",
    "local_false_discovery",
    "srtr",
    "ahrq",
]

COUNT_FAMILIES = ("binomial", "poisson")
"""Families of outcomes that are numbers of events; the others are continuous."""

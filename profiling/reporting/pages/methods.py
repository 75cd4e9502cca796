"""The page of methods: every figure's definition, formula and source, and the rules of this run."""

from __future__ import annotations

from typing import Any

from profiling.reporting.definitions import definitions
from profiling.reporting.pages.shared import Site, nouns
from profiling.reporting.sentences import capital, rule, say


def context(site: Site) -> dict[str, Any]:
    """What the template of the methods prints."""
    rules = [
        {"title": f"{measure.title}, {nouns(level)}", "rule": capital(rule(measure.finding(level)))}
        for measure in site.measures
        for level in measure.levels
    ]
    return {
        "page": {"title": say("nav_methods"), "section": "methods.html"},
        "definitions": definitions(),
        "rules": rules,
    }

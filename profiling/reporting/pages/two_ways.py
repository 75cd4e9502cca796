"""Two ways to say it: for a patient of one provider, over the population; and what ignoring providers would claim."""

from __future__ import annotations

from typing import Any

import numpy as np

from profiling.reporting import numbers, sentences
from profiling.reporting.pages.shared import MeasureView, each, noun, nouns

# A standard error that is off by less is not worth a sentence.
OVERCONFIDENT = 1.05


def panel(measure: MeasureView, term_words: Any) -> dict[str, Any]:
    """What the panel prints; no rows where the run has no such figures. `term_words` puts a term into words."""
    checks, found = measure.checks, []
    for row in each(measure.of("fixed_effects")):
        naive = checks.get(f"naive_standard_error:{row.term}")
        clustered = checks.get(f"clustered_standard_error:{row.term}")
        if numbers.known(naive) and numbers.known(clustered) and naive:
            found.append(
                {
                    "term": term_words(row.term),
                    "one": float(np.exp(row.estimate)),
                    "all": checks.get(f"population_odds_ratio:{row.term}", float("nan")),
                    "naive": float(naive),
                    "clustered": float(clustered or 0.0),
                    "weight": abs(row.estimate / row.standard_error),
                }
            )
    if not found:
        return {"sentences": [], "rows": [], "odds": False}
    odds = measure.counts and all(numbers.known(row["all"]) for row in found)
    return {"sentences": _sentences(measure, found, odds), "rows": [_row(row, odds) for row in found], "odds": odds}


def _sentences(measure: MeasureView, found: list[dict[str, Any]], odds: bool) -> list[str]:
    words = {"provider": noun(measure.outer), "providers": nouns(measure.outer)}
    told = []
    if odds:
        clearest = max(found, key=lambda row: row["weight"])
        told.append(
            sentences.say("two_ways_one", trait=clearest["term"], ratio=numbers.ratio(clearest["one"]), **words)
        )
        told.append(sentences.say("two_ways_all", ratio=numbers.ratio(clearest["all"]), **words))
    worst = max(found, key=lambda row: row["clustered"] / row["naive"])
    factor = worst["clustered"] / worst["naive"]
    if factor >= OVERCONFIDENT:
        told.append(sentences.say("two_ways_naive", trait=worst["term"], factor=numbers.decimal(factor, 2), **words))
    else:
        told.append(sentences.say("two_ways_modest", **words))
    effect = measure.checks.get(f"design_effect:{measure.outer}")
    if numbers.known(effect) and effect is not None and effect >= OVERCONFIDENT:
        told.append(sentences.say("two_ways_design", effect=numbers.decimal(effect, 1), **words))
    return told


def _row(row: dict[str, Any], odds: bool) -> dict[str, str]:
    return {
        "term": row["term"],
        "one": numbers.ratio(row["one"]) if odds else "",
        "all": numbers.ratio(row["all"]) if odds else "",
        "naive": numbers.decimal(row["naive"], 4),
        "clustered": numbers.decimal(row["clustered"], 4),
        "factor": numbers.decimal(row["clustered"] / row["naive"], 2),
    }


def structure(measure: MeasureView) -> list[str]:
    """How many providers of how many records there are, and which belong to which, in sentences."""
    checks, notes = measure.checks, measure.notes
    told = []
    for level in measure.levels:
        count, median = checks.get(f"structure_levels:{level}"), checks.get(f"structure_median:{level}")
        if numbers.known(count):
            key = "structure_sizes" if numbers.known(median) else "structure_sizes_small"
            threshold = measure.masked.threshold
            size = numbers.integer(median) if numbers.known(median) else numbers.integer(threshold)
            told.append(sentences.say(key, count=numbers.integer(count), providers=nouns(level), size=size))
    for name, relation in notes.items():
        if name.startswith("structure:"):
            _, child, parent = name.split(":")
            key = {"nested": "structure_nested", "one to one": "structure_twins", "crossed": "structure_crossed"}.get(
                relation, "structure_partial"
            )
            words = {"child": noun(child), "children": nouns(child), "parent": noun(parent), "parents": nouns(parent)}
            told.append(sentences.say(key, share=numbers.percent(checks[name]), **words))
            away = checks.get(f"structure_off_main:{child}:{parent}")
            if key == "structure_partial" and numbers.known(away):
                told.append(sentences.say("structure_off_main", share=numbers.percent(away), **words))
    return told

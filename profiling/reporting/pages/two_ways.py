"""Two ways to say it: for a patient of one provider, over the population; and what ignoring providers would claim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from profiling.reporting import numbers, sentences
from profiling.reporting.charts.dots import DotRow, dots
from profiling.reporting.definitions import named
from profiling.reporting.pages.panel import Head, Panel, PanelTable, drawn, links_to
from profiling.reporting.pages.shared import MeasureView, Site, each, noun, nouns
from profiling.reporting.pages.terms import term_words

KIND = "two_ways"
# A standard error that is off by less is not worth a sentence.
OVERCONFIDENT = 1.05
WAYS = ("population", "gee")


@dataclass(frozen=True)
class Trait:
    """One coefficient: its odds ratio at one provider, over the population and by GEE; two standard errors."""

    term: str
    one: float
    population: float
    gee: float
    naive: float
    clustered: float

    @property
    def shift(self) -> float:
        """How far the two answers lie apart, on the scale of log odds; zero where there is one alone."""
        return abs(float(np.log(self.one / self.population))) if numbers.known(self.population) else 0.0

    @property
    def factor(self) -> float:
        """By what factor a model without clusters is overconfident."""
        return self.clustered / self.naive


def traits(measure: MeasureView) -> list[Trait]:
    """The coefficients of which both standard errors are known, in the order of the model."""
    checks, found = measure.checks, []
    for row in each(measure.of("fixed_effects")):
        naive = checks.get(f"naive_standard_error:{row.term}")
        clustered = checks.get(f"clustered_standard_error:{row.term}")
        if naive and clustered and numbers.known(naive) and numbers.known(clustered):
            population, gee = (float(checks.get(f"{name}_odds_ratio:{row.term}", "nan")) for name in WAYS)
            one = float(np.exp(row.estimate))
            found.append(Trait(term_words(row.term), one, population, gee, float(naive), float(clustered)))
    return found


def figures(measure: MeasureView) -> pd.DataFrame:
    """The same as a table for download."""
    columns = ["term", "one", "population", "gee", "naive", "clustered", "factor"]
    return pd.DataFrame([[getattr(trait, name) for name in columns] for trait in traits(measure)], columns=columns)


def panel(site: Site, measure: MeasureView, root: str) -> Panel | None:
    """The panel, or None where the run has no such figures."""
    found = traits(measure)
    if not found:
        return None
    odds = measure.counts and all(numbers.known(trait.population) for trait in found)
    words = {"provider": noun(measure.outer), "providers": nouns(measure.outer)}
    clearest = max(found, key=lambda trait: trait.shift)
    told = [*(_odds_words(measure, clearest, words) if odds else ()), *_error_words(measure, found, words)]
    title = told[-1] if not odds else sentences.say("two_ways_title", **_odds_values(clearest), **words)
    low, high = min(trait.factor for trait in found), max(trait.factor for trait in found)
    drawing = drawn(
        KIND,
        lambda form: dots(
            [DotRow(trait.term, trait.factor, numbers.ratio(trait.factor)) for trait in found],
            (min(low, 0.9) * 0.97, max(high, 1.1) * 1.03),
            kind="overconfidence",
            form=form,
            title=sentences.say("two_ways_question", **words),
            finding=title.rstrip("."),
            axis_name=sentences.say("two_ways_axis"),
            reference=1.0,
        ),
    )
    return Panel(
        title.rstrip("."),
        sentences.say("two_ways_sub", **words),
        drawing,
        tuple(told),
        _table(found, odds, words),
        links_to(site, measure, KIND, root),
        defined=named("subject-specific", "population-averaged", "gee"),
        beside="words",
    )


def _odds_values(trait: Trait) -> dict[str, str]:
    return {"trait": trait.term, "one": numbers.ratio(trait.one), "population": numbers.ratio(trait.population)}


def _odds_words(measure: MeasureView, clearest: Trait, words: dict[str, str]) -> list[str]:
    """One sentence each: at one provider, over the population, what averaging takes away, and by equations."""
    told = [
        sentences.say("two_ways_one", trait=clearest.term, ratio=numbers.ratio(clearest.one), **words),
        sentences.say("two_ways_all", ratio=numbers.ratio(clearest.population), **words),
    ]
    kept = measure.checks.get("attenuation")
    if numbers.known(kept):
        told.append(sentences.say("two_ways_attenuation", kept=numbers.percent(kept), **words))
    if numbers.known(clearest.gee):
        told.append(sentences.say("two_ways_gee", ratio=numbers.ratio(clearest.gee), **words))
    return told


def _error_words(measure: MeasureView, found: list[Trait], words: dict[str, str]) -> list[str]:
    """How overconfident a model without providers would be, and what the likeness of patients costs."""
    worst = max(found, key=lambda trait: trait.factor)
    told = []
    if worst.factor >= OVERCONFIDENT:
        factor = numbers.decimal(worst.factor, 2)
        told.append(sentences.say("two_ways_naive", trait=worst.term, factor=factor, **words))
    else:
        told.append(sentences.say("two_ways_modest", **words))
    effect = measure.checks.get(f"design_effect:{measure.outer}")
    if effect is not None and numbers.known(effect) and effect >= OVERCONFIDENT:
        told.insert(0, sentences.say("two_ways_design", effect=numbers.decimal(effect, 1), **words))
    return told


def _table(found: list[Trait], odds: bool, words: dict[str, str]) -> PanelTable:
    ratios = (
        Head(sentences.say("head_odds_one", **words), key="subject-specific"),
        Head(sentences.say("head_odds_all"), key="population-averaged"),
        Head(sentences.say("head_equations"), key="gee"),
    )
    head = (
        Head(sentences.say("head_trait"), number=False),
        *(ratios if odds else ()),
        Head(sentences.say("head_error_without", **words)),
        Head(sentences.say("head_with_them"), key="gee"),
        Head(sentences.say("head_ratio")),
    )
    rows = tuple(
        (
            trait.term,
            *((numbers.ratio(trait.one), numbers.ratio(trait.population), numbers.ratio(trait.gee)) if odds else ()),
            numbers.decimal(trait.naive, 4),
            numbers.decimal(trait.clustered, 4),
            numbers.ratio(trait.factor),
        )
        for trait in found
    )
    return PanelTable(sentences.say("two_ways_table"), head, rows)

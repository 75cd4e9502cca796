"""The figures of the panels as tables for download, from the masked run, with what each column means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from profiling.reporting.pages import composites, family, structure, two_ways
from profiling.reporting.pages.shared import MeasureView, Site


@dataclass(frozen=True)
class PanelFile:
    """One download: the `kind` of the panel it belongs to, its figures, and the meaning of its columns by name."""

    kind: str
    make: Callable[[MeasureView], pd.DataFrame]
    meanings: Mapping[str, str]


SIGNALS = ("signal", "signal_lower")
IDENTITY = {"level": "level of the provider", "provider": "identifier of the provider"}


def _plain(frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    kept = frame[[name for name in columns if name in frame.columns]].reset_index(drop=True)
    # A signal that may be missing is kept as 1 and 0, as every yes and no of the downloads.
    yes_or_no = [name for name in SIGNALS if name in kept]
    return kept.assign(**{name: kept[name].map({True: 1.0, False: 0.0}).astype(float) for name in yes_or_no})


def _effects(measure: MeasureView) -> pd.DataFrame:
    rows = family.figures(measure, measure.outer)
    return _plain(rows[rows["value"].notna()] if len(rows) else rows, EFFECTS)


def _of(name: str, columns: Mapping[str, str]) -> Callable[[MeasureView], pd.DataFrame]:
    return lambda measure: _plain(measure.of(name), columns)


EFFECTS = IDENTITY | {
    "provider_name": "name of the provider",
    "mode": "conditional mode of the provider's effect, on the scale of the model",
    "mode_sd": "its standard deviation",
    "value": "effect over its spread, N(0, 1) if effects come from one normal family",
    "theoretical": "where a normal family would put the value of this rank",
    "lower": "lower end of the 95 % envelope of all ranks together",
    "upper": "upper end of the 95 % envelope of all ranks together",
    "beyond": "1 where the value lies outside the envelope",
}
FIGURES = {
    "n": "cases",
    "observed": "observed events, or the sum of the outcome",
    "expected": "expected, averaged over the spread of providers",
    "ratio": "observed / expected",
    "lower": "lower end of its 95 % interval",
    "upper": "upper end of its 95 % interval",
}
SUBGROUPS = {
    "column_name": "the trait whose values make the groups",
    "value": "the group",
    "model": "main: the case mix as it stands; social_risk: with social risk in it",
    **FIGURES,
    "hidden": "1 where counts are hidden",
}
SOCIAL = IDENTITY | {
    "ratio_without": "shrunken ratio without social risk in the case mix",
    "ratio_with": "shrunken ratio with social risk in the case mix",
    "category_without": "result without social risk in the case mix",
    "category_with": "result with social risk in the case mix",
}
PERIODS = IDENTITY | {
    "position": "order of the period in time",
    "period": "the period",
    **FIGURES,
    "cusum": "largest value in the period of the CUSUM for odds times 2",
    "cusum_limit": "its limit",
    "signal": "1 where it passed the limit in the period",
    "cusum_lower": "largest value in the period of the CUSUM for odds times 1/2",
    "cusum_lower_limit": "its limit",
    "signal_lower": "1 where it passed the limit in the period",
}
EVIDENCE = IDENTITY | {
    "methods": "other ways of judging that were tried",
    "agree": "how many of them come to the published side",
    "dissent": "names of those that do not",
    "events_to_higher_watch": "first count of events beyond the inner limit above, by the rule, less those observed",
    "events_to_higher_flag": "the same for the outer limit above",
    "events_to_lower_watch": "the same for the inner limit below",
    "events_to_lower_flag": "the same for the outer limit below",
    "e_value": "risk ratio of an unrecorded trait, with provider and with event, that would explain the ratio away",
    "e_value_limit": "the same for the nearer end of its interval; 1 where the interval holds 1",
    "top_fifth": "probability of being among the fifth with the highest ratios",
    "bottom_fifth": "probability of being among the fifth with the lowest ratios",
    "top_tenth": "probability of being among the tenth with the highest ratios",
    "bottom_tenth": "probability of being among the tenth with the lowest ratios",
    "rank_set_lower": "lower end of the rank, all providers holding together with probability .95",
    "rank_set_upper": "upper end of the rank, all providers holding together with probability .95",
    "triple_goal": "effect whose histogram and ranks are right too, on the scale of the model",
    "effect": "posterior mean of the effect less its norm, on the scale of the model",
    "effect_sd": "its posterior standard deviation",
    "rule_probability": "the probability that the rule holds against its limits",
    "exposure": "sum of the exposure or of the trials",
    "fixed_disagreement": "why a fixed-effect exact test differs; empty where it agrees",
    "direct_rate": "rate, or mean, if everybody's patients were here",
    "direct_lower": "lower end of its 95 % interval",
    "direct_upper": "upper end of its 95 % interval",
    "difference": "predicted less expected, a case",
    "difference_lower": "lower end of its 95 % interval",
    "difference_upper": "upper end of its 95 % interval",
    "overlap": "share of its case mix that others have too, 0 to 1",
}
SENSITIVITY = {
    "variant": "what was done otherwise",
    "level": "level of the providers",
    "providers": "providers compared",
    "rank_correlation": "Spearman's correlation of the ratios with the published ones",
    "flags_same": "providers with the same result",
    "flags_changed": "providers with another result",
    "note": "what else is to be known",
}
TWO_WAYS = {
    "term": "trait of the case mix",
    "one": "odds ratio (or ratio, or exponential of the difference) at one provider",
    "population": "odds ratio over the population",
    "gee": "odds ratio by estimating equations",
    "naive": "standard error of a model without providers",
    "clustered": "standard error that allows for patients of one provider being alike",
    "factor": "clustered / naive",
}
STRUCTURE = {
    "name": "figure: its kind, the levels it is of, then a band of records or a number",
    "value": "its value: a number of providers or of records, or a share",
    "note": "what else is to be known",
}
COMPOSITE = {
    "level": "level of the provider",
    "provider": "identifier of the provider",
    "provider_name": "name of the provider",
    "measures": "measures of the composite that the provider has",
    "value": "the composite, on the scale of a ratio",
    "lower": "lower end of its 95 % interval",
    "upper": "upper end of its 95 % interval",
    "expected_rank": "posterior mean of the rank, 1 the lowest; read with its interval only",
    "rank_lower": "lower end of the 95 % interval of the rank",
    "rank_upper": "upper end of the 95 % interval of the rank",
    "percentile": "expected rank as a percentile",
    "hidden": "1 where counts of a measure are hidden",
}
FILES = (
    PanelFile("effects", _effects, EFFECTS),
    PanelFile("subgroups", _of("subgroups", SUBGROUPS), SUBGROUPS),
    PanelFile("social_risk", _of("social_risk", SOCIAL), SOCIAL),
    PanelFile("periods", _of("provider_periods", PERIODS), PERIODS),
    PanelFile("evidence", _of("provider_evidence", EVIDENCE), EVIDENCE),
    PanelFile("sensitivity", _of("sensitivity", SENSITIVITY), SENSITIVITY),
    PanelFile("two_ways", lambda measure: _plain(two_ways.figures(measure), TWO_WAYS), TWO_WAYS),
    PanelFile("structure", lambda measure: _plain(structure.figures(measure), STRUCTURE), STRUCTURE),
)


def panel_files(measure: MeasureView) -> list[tuple[PanelFile, pd.DataFrame]]:
    """The downloads of a measure that hold anything."""
    made = ((file, file.make(measure)) for file in FILES)
    return [(file, table) for file, table in made if len(table)]


def site_files(site: Site) -> list[tuple[str, pd.DataFrame, Mapping[str, str]]]:
    """Name without its ending, figures and meanings of every table of a panel of the site."""
    found: list[tuple[str, pd.DataFrame, Mapping[str, str]]] = [
        (f"{measure.name}_{file.kind}", table, file.meanings)
        for measure in site.measures
        for file, table in panel_files(measure)
    ]
    for name in site.masked.composites["composite"].astype(str):
        table = _plain(composites.figures(site, name), COMPOSITE)
        if len(table):
            found.append((f"composite_{name}", table, COMPOSITE))
    return found

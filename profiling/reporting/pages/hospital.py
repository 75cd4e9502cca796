"""The page of an outer provider with its inner ones: every measure on one strip, why, beside whom, and who in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from profiling.reporting import numbers, sentences
from profiling.reporting.disclosure import MISSING_WARNING
from profiling.reporting.pages import drawings
from profiling.reporting.pages.measure import hidden_row, observed_head, observed_label, shown_row
from profiling.reporting.pages.shared import FLAGGED, WATCHED, MeasureView, Site, each, noun, nouns

ROOT = "../"
STROKES = 150


@dataclass(frozen=True)
class Prepared:
    """What all pages of one measure share, computed once: rows, their order by size, inner rows by parent."""

    measure: MeasureView
    rows: pd.DataFrame
    records: Mapping[str, Mapping[str, Any]]
    sizes: np.ndarray[Any, Any]
    order: np.ndarray[Any, Any]
    places: Mapping[str, int]
    inner: Mapping[str, pd.DataFrame]
    strokes: pd.DataFrame


def prepare(site: Site, measure: MeasureView) -> Prepared:
    """Rows of a measure's outer level ready for many pages."""
    rows = drawings.drawable(site, measure.providers[measure.outer], ROOT)
    shown = rows[~rows["hidden"]]
    size = "expected_marginal" if measure.counts else "n"
    sizes = shown[size].to_numpy(dtype=float)
    order = np.argsort(sizes, kind="stable")
    places = {str(shown["provider"].iloc[row]): place for place, row in enumerate(order)}
    strokes = shown.sort_values("ratio", kind="stable")
    chosen = (
        np.unique(np.linspace(0, len(strokes) - 1, min(STROKES, len(strokes))).round().astype(int))
        if len(strokes)
        else []
    )
    inner: dict[str, pd.DataFrame] = {}
    if measure.inner:
        within = measure.providers[measure.inner].sort_values(
            "z", key=lambda z: -z.abs(), kind="stable", na_position="last"
        )
        inner = {str(parent): part for parent, part in within.groupby("parent", sort=False)}
    return Prepared(
        measure,
        shown,
        rows.to_dict("index"),
        sizes,
        order,
        places,
        inner,
        strokes.iloc[chosen],  # type: ignore[arg-type]
    )


def context(site: Site, prepared: tuple[Prepared, ...], level: str, provider: str) -> dict[str, Any]:
    """What the template of a provider prints."""
    mine = [part for part in prepared if part.measure.outer == level and provider in part.records]
    name = site.names[level, provider]
    parts = [_part(part, level, provider) for part in mine]
    return {
        "page": {"title": name, "section": ""},
        "kicker": sentences.capital(f"{noun(level)} {provider}" if provider != name else noun(level)),
        "headline": _headline(mine, level, provider, name),
        "lede": _lede(site, mine, level, provider),
        "warnings": _warnings(site, mine, level, provider),
        "noun": noun(level),
        "nouns": nouns(level),
        "strip": drawings.strip_svg(site, level, provider, _everyone(mine, provider)),
        "measures": parts,
        "rules": [{"title": part.measure.title, "rule": sentences.rule(part.measure.finding(level))} for part in mine],
    }


def _everyone(mine: list[Prepared], provider: str) -> pd.DataFrame:
    own = pd.DataFrame([part.records[provider] for part in mine])
    return pd.concat([own, *(part.strokes[part.strokes["provider"] != provider] for part in mine)], ignore_index=True)


def _telling(mine: list[Prepared], provider: str) -> Prepared | None:
    """The measure a page opens with: the most surprising of those shown."""
    shown = [part for part in mine if not part.records[provider]["hidden"]]
    return max(shown, key=lambda part: abs(_z(part, provider)), default=None)


def _z(part: Prepared, provider: str) -> float:
    z = part.records[provider]["z"]
    return float(z) if numbers.known(z) else 0.0


def _headline(mine: list[Prepared], level: str, provider: str, name: str) -> str:
    telling = _telling(mine, provider)
    if telling is None:
        return sentences.say("provider_hidden", name=name)
    row = telling.records[provider]
    if row["category"] in FLAGGED + WATCHED:
        return _sentence(telling, level, row, name)
    if row["category"] == "too_few" and all(part.records[provider]["category"] == "too_few" for part in mine):
        return f"{name} had too few cases to say"
    return f"{name}: as expected {_on_measures(len(mine))}"


def _on_measures(count: int) -> str:
    return (
        "on the one measure"
        if count == 1
        else f"on {'both' if count == 2 else f'all {numbers.in_words(count)}'} measures"
    )


def _sentence(part: Prepared, level: str, row: Mapping[str, Any], name: str) -> str:
    measure = part.measure
    if measure.counts:
        expected = (
            numbers.integer(row["expected_marginal"])
            if row["expected_marginal"] >= 9.5
            else numbers.amount(row["expected_marginal"])
        )
        text = sentences.say(
            "provider_events",
            name=name,
            observed=numbers.integer(row["observed"]),
            event=measure.event,
            expected=expected,
        )
    else:
        means = {
            "observed": numbers.decimal(row["observed_rate"], 1),
            "expected": numbers.decimal(row["expected_marginal"] / row["n"], 1),
        }
        text = sentences.say(
            "provider_values", name=name, title=sentences.mid_sentence(measure.title), unit=measure.unit, **means
        )
    if numbers.known(row["probability_by_chance"]) and row["category"] not in ("as_expected", "too_few"):
        text += sentences.say(
            "provider_chance", chance=numbers.chance(row["probability_by_chance"]), providers=nouns(level)
        )
    return text


def _lede(site: Site, mine: list[Prepared], level: str, provider: str) -> str:
    telling = _telling(mine, provider)
    if telling is None:
        band = mine[0].records[provider]["case_band"] if mine else "few"
        return sentences.say("hidden_lede", band=band, most=site.masked.threshold - 1, provider=noun(level))
    row = telling.records[provider]
    drawn_in = abs(np.log(row["oe_ratio"] or np.nan)) > abs(np.log(row["ratio"])) or not row["oe_ratio"]
    words = sentences.say(
        "drawn_in" if drawn_in else "not_drawn_in",
        cases=numbers.integer(row["n"]),
        raw=numbers.ratio(row["oe_ratio"]),
        ratio=numbers.ratio(row["ratio"]),
        lower=numbers.ratio(row["ratio_lower"]),
        upper=numbers.ratio(row["ratio_upper"]),
    )
    if numbers.known(row["rank_lower"]):
        wide = row["rank_upper"] - row["rank_lower"] > len(telling.records) / 3
        ranks = {"low": numbers.integer(row["rank_lower"]), "high": numbers.integer(row["rank_upper"])}
        words += " " + sentences.say(
            "ranks" if wide else "ranks_narrow", all=f"{len(telling.records):,}", providers=nouns(level), **ranks
        )
    prefix = f"{telling.measure.title}: " if len(mine) > 1 else ""
    return prefix + (sentences.mid_sentence(words) if prefix else words)


def _warnings(site: Site, mine: list[Prepared], level: str, provider: str) -> list[str]:
    lacking = [part.measure.title for part in mine if (part.measure.name, level, provider) in site.masked.lacking]
    if not lacking:
        return []
    measures = sentences.listed([sentences.mid_sentence(title) for title in lacking])
    share = numbers.percent(MISSING_WARNING, 0)
    return [sentences.say("missing_warning", share=share, provider=noun(level), measures=measures)]


def _part(part: Prepared, level: str, provider: str) -> dict[str, Any]:
    """One measure on a provider's page."""
    measure, row = part.measure, part.records[provider]
    base = {
        "name": measure.name,
        "title": measure.title,
        "href": measure.href,
        "category": row["category"],
        "hidden": bool(row["hidden"]),
        "inner": _inner(part, provider),
    }
    if row["hidden"]:
        return base | {"band": row["case_band"], "sentence": str(measure.spec["question"])}
    nearest = part.rows.iloc[drawings.neighbours(part.sizes, part.order, part.places[provider])]
    return base | {
        "sentence": str(measure.spec["question"]),
        "figures": _figures(measure, row, level),
        "chance": sentences.capital(_chance(row)),
        "waterfall": drawings.waterfall_svg(measure, row, level),
        "waterfall_words": _why(measure, row, level),
        "peers": drawings.peers_svg(measure, level, provider, nearest),
        "peers_sub": _peers_sub(measure, nearest),
    }


def _chance(row: Mapping[str, Any]) -> str:
    if row["category"] == "too_few":
        return "fewer cases than the measure asks for"
    return f"by chance alone {numbers.chance(row['probability_by_chance'])}"


def _why(measure: MeasureView, row: Mapping[str, Any], level: str) -> list[str]:
    """The waterfall in words."""
    show = (
        (lambda v: numbers.percent(v))
        if measure.counts
        else (lambda v: f"{numbers.decimal(v, 2)} {measure.unit}".strip())
    )
    overall = measure.totals.rate
    easier = overall is not None and row["expected_rate"] < overall
    first = (
        f"All patients together: {show(overall)}. With this {noun(level)}’s case mix the average {noun(level)} would have {show(row['expected_rate'])}: its patients are at {'lower' if easier else 'higher'} risk than most."
        if measure.counts
        else f"All patients together: {show(overall)}. With this {noun(level)}’s case mix the average {noun(level)} would have {show(row['expected_rate'])}."
    )
    second = f"It had {show(row['observed_rate'])}. With a reliability of {numbers.ratio(row['reliability'])} we believe about {numbers.percent(row['reliability'], 0)} of the difference is its own, and put its long-run rate at {show(row['predicted_rate'])}."
    return [first, second]


def _figures(measure: MeasureView, row: Mapping[str, Any], level: str) -> list[dict[str, str]]:
    counts, unit = measure.counts, measure.unit
    rate = (
        (lambda name: numbers.percent(row[name]))
        if counts
        else (lambda name: f"{numbers.decimal(row[name], 2)} {unit}".strip())
    )
    show = (
        (lambda value, places=1: numbers.amount(value))
        if counts
        else (lambda value, places=2: numbers.decimal(value / row["n"], 2))
    )
    cases = f"of {numbers.integer(row['n'])} patients"
    mean = f"{unit} on average, {numbers.integer(row['n'])} patients".strip()
    return [
        {"name": "Observed", "key": "observed", "value": numbers.integer(row["observed"]) if counts else show(row["observed"]), "text": f"{rate('observed_rate')} {cases}" if counts else mean},
        {"name": "Expected", "key": "expected", "value": show(row["expected_marginal"]), "text": f"at the average {noun(level)}"},
        {"name": "Predicted", "key": "predicted", "value": show(row["predicted"]), "text": "what we believe, in the long run"},
        {"name": "Raw ratio", "key": "raw-ratio", "value": numbers.ratio(row["oe_ratio"]), "text": f"95\u202f% interval {numbers.interval_text(row['oe_lower'], row['oe_upper'])}" if numbers.known(row["oe_lower"]) else "observed ÷ expected"},
        {"name": "Shrunken ratio", "key": "shrunken-ratio", "value": numbers.ratio(row["ratio"]), "text": f"95\u202f% interval {numbers.interval_text(row['ratio_lower'], row['ratio_upper'])}"},
    ]  # fmt: skip


def _peers_sub(measure: MeasureView, nearest: pd.DataFrame) -> str:
    size = nearest["expected_marginal"] if measure.counts else nearest["n"]
    show = numbers.amount if measure.counts else numbers.integer
    what = f"expected {measure.event}" if measure.counts else "patients"
    return f"The {numbers.in_words(len(nearest) - 1)} nearest in {what} ({show(size.min())} to {show(size.max())})."


def _drawing(measure: MeasureView, ordered: pd.DataFrame) -> Markup:
    shown = ~ordered["hidden"].astype(bool)
    return drawings.physicians_svg(measure, str(measure.inner), ordered.assign(shown=shown))


def _inner(part: Prepared, provider: str) -> dict[str, Any] | None:
    """The inner providers of one outer provider: those shown by surprise, then those hidden by name."""
    measure, rows = part.measure, part.inner.get(provider)
    if rows is None or measure.inner is None:
        return None
    shown, hidden = rows[~rows["hidden"]], rows[rows["hidden"]].sort_values(["provider_name", "provider"])
    ordered = pd.concat([shown, hidden])
    shared = bool((shown["n_parents"].astype(float) > 1).any())
    table = [
        *(shown_row(measure, row, None) | {"shared": (row.n_parents or 1) > 1} for row in each(shown)),
        *(hidden_row(row) | {"shared": False} for row in each(hidden)),
    ]
    within = measure.spec.get("inner_expected") != "statewide"
    norm = f"this {noun(measure.outer)}’s own average" if within else f"the average {noun(measure.inner)}"
    standing = int(rows["category"].isin(FLAGGED).sum())
    told = (
        f"{sentences.capital(sentences.counted(standing, noun(measure.inner)))} can be told apart from it."
        if standing
        else f"No {noun(measure.inner)} can be told apart from it with confidence."
    )
    return {
        "noun": noun(measure.inner),
        "title": f"Its {nouns(measure.inner)}",
        "sub": f"Each beside {norm}. {told}",
        "drawing": _drawing(measure, ordered) if len(shown) else "",
        "observed": observed_head(measure),
        "observed_label": observed_label(measure),
        "rows": table,
        "note": f"* Also at other {nouns(measure.outer)}; all its patients are counted here." if shared else "",
    }

"""The page of an outer provider with its inner ones: every measure on one strip, why, beside whom, and who in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from profiling.reporting import charts, numbers, sentences
from profiling.reporting.charts.parts import estimated
from profiling.reporting.charts.series import Floats, Series
from profiling.reporting.disclosure import MISSING_WARNING
from profiling.reporting.pages import drawings, firmness, inner, peers, trend
from profiling.reporting.pages.panel import links_to
from profiling.reporting.pages.shared import FLAGGED, WATCHED, MeasureView, Site, noun, nouns, rate_words

ROOT = "../"
STROKES = 80

Record = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Prepared:
    """What all pages of one measure share, computed once and kept as records, for a page takes but a few of them.

    `records`: every outer provider; `drawn`: those with an estimate, `places` where each stands among them, `peers` the
    places of its nearest; `strokes`: ratios that stand for all; `inner`: rows by parent, those shown by surprise first.
    `evidence`, `social`, `series`: what the result rests on, by provider, as far as it may be shown.
    """

    measure: MeasureView
    records: Mapping[str, Record]
    drawn: Sequence[Record]
    places: Mapping[str, int]
    peers: np.ndarray[Any, Any]
    strokes: np.ndarray[Any, Any]
    inner: Mapping[str, Sequence[Any]]
    evidence: Mapping[str, Record]
    social: Mapping[str, Record]
    series: Mapping[str, tuple[Series, Floats]]
    rule: str


def prepare(site: Site, measure: MeasureView) -> Prepared:
    """Rows of a measure's outer level ready for many pages."""
    rows = drawings.drawable(site, measure.providers[measure.outer], ROOT)
    shown = estimated(rows[~rows["hidden"]])
    evidence, social = firmness.prepare(measure)
    ratios = np.sort(shown["ratio"].to_numpy(dtype=float))
    chosen = np.unique(np.linspace(0, len(ratios) - 1, min(STROKES, len(ratios))).round().astype(int))
    return Prepared(
        measure,
        {str(name): row for name, row in rows.to_dict("index").items()},
        shown.to_dict("records"),
        {str(name): place for place, name in enumerate(shown["provider"])},
        peers.nearest(shown),
        ratios[chosen],
        inner.rows_by_parent(measure),
        evidence,
        social,
        trend.prepare(measure),
        sentences.rule(measure.finding(measure.outer)),
    )


def context(site: Site, prepared: tuple[Prepared, ...], level: str, provider: str) -> dict[str, Any]:
    """What the template of a provider prints."""
    mine = [part for part in prepared if part.measure.outer == level and provider in part.records]
    name = site.names[level, provider]
    parts = [_part(site, part, level, provider) for part in mine]
    tracks = [_track(part, provider) for part in mine]
    return {
        "page": {"title": name, "section": ""},
        "kicker": sentences.capital(f"{noun(level)} {provider}" if provider != name else noun(level)),
        "parents": _parents(site, mine, provider),
        "headline": _headline(mine, level, provider, name),
        "lede": _lede(site, mine, level, provider),
        "warnings": _warnings(site, mine, level, provider),
        "comments": _comments(site, level, provider),
        "noun": noun(level),
        "nouns": nouns(level),
        "strip": drawings.strip_svg(name, tracks),
        "measures": parts,
        "rules": [{"title": part.measure.title, "rule": part.rule} for part in mine],
    }


def _track(part: Prepared, provider: str) -> charts.Track:
    """A measure on the strip, in the words of its rule."""
    row = part.records[provider]
    return charts.Track(part.measure.title, part.strokes, row, part.measure.status_words.get(str(row["category"]), ""))


def _parents(site: Site, mine: list[Prepared], provider: str) -> list[dict[str, str]]:
    """Outer providers of an inner one, those of its measures' main one."""
    rows = (part.records[provider] for part in mine)
    found = {str(row["parent"]): str(row["parent_name"]) for row in rows if isinstance(row["parent"], str)}
    level = site.outer_levels[0]
    return [{"name": name, "href": site.address(level, key, ROOT)} for key, name in found.items()]


def _inner(site: Site, part: Prepared, level: str, provider: str, page: int) -> dict[str, Any] | None:
    return inner.within(site, part.measure, part.inner.get(provider), site.address(level, provider), page)


def further(
    site: Site, prepared: tuple[Prepared, ...], level: str, provider: str
) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Address and context of the further pages of a provider's tables of inner ones."""
    name, home = site.names[level, provider], site.address(level, provider)
    for part in prepared:
        rows = part.inner.get(provider) if part.measure.outer == level else None
        for page in range(2, inner.pages_of(rows or ()).number + 1):
            yield (
                inner.address(home, part.measure, page),
                partial(_further, site, part, level, provider, name, page),
            )


def _further(site: Site, part: Prepared, level: str, provider: str, name: str, page: int) -> dict[str, Any]:
    measure = part.measure
    words = {"title": measure.title, "name": name, "providers": nouns(str(measure.inner))}
    return {
        "page": {"title": sentences.say("further_inner", number=numbers.integer(page), **words), "section": ""},
        "home": {"name": name, "href": f"{ROOT}{site.address(level, provider)}#{measure.name}"},
        "headline": sentences.say("further_inner", number=numbers.integer(page), **words),
        "inner": _inner(site, part, level, provider, page),
    }


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
        return sentences.say("provider_too_few", name=name)
    if len(mine) == 1:
        inside = sentences.say("within_spread" if telling.measure.widened else "within_chance", providers=nouns(level))
        return _sentence(telling, level, row, name) + inside
    key = "provider_expected_both" if len(mine) == 2 else "provider_expected_all"
    return sentences.say(key, name=name, count=numbers.in_words(len(mine)))


def _sentence(part: Prepared, level: str, row: Record, name: str) -> str:
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
        band = sentences.band(str(mine[0].records[provider]["case_band"])) if mine else sentences.say("few_word")
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
            "ranks" if wide else "ranks_narrow",
            all=numbers.integer(len(telling.records)),
            providers=nouns(level),
            **ranks,
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


def _comments(site: Site, level: str, provider: str) -> list[str]:
    """What the provider says of its results, a paragraph each."""
    rows = site.masked.provider_comments
    mine = rows[(rows["level"] == level) & (rows["provider"].astype(str) == provider)].sort_values("position")
    return [text.strip() for comment in mine["comment"].astype(str) for text in comment.split("\n\n") if text.strip()]


def _part(site: Site, part: Prepared, level: str, provider: str) -> dict[str, Any]:
    """One measure on a provider's page."""
    measure, row = part.measure, part.records[provider]
    base = {
        "name": measure.name,
        "title": measure.title,
        "href": measure.href,
        "category": measure.worded(row["category"]),
        "hidden": bool(row["hidden"]),
        "inner": _inner(site, part, level, provider, 1),
    }
    if row["hidden"]:
        return base | {"band": sentences.band(str(row["case_band"])), "sentence": str(measure.spec["question"])}
    place = part.places.get(provider)
    nearest = [part.drawn[near] for near in part.peers[place]] if place is not None else []
    links = {kind: links_to(site, measure, kind, ROOT) for kind in (firmness.KIND, trend.KIND)}
    own = part.evidence.get(provider), part.social.get(provider)
    return base | {
        "sentence": str(measure.spec["question"]),
        "figures": _figures(measure, row, level),
        "chance": sentences.capital(_chance(row)),
        "waterfall": drawings.waterfall_svg(measure, row, level),
        "waterfall_words": _why(measure, row, level),
        "peers": peers.drawing(measure, provider, nearest) if len(nearest) > 1 else "",
        "peers_sub": peers.words(measure, nearest) if len(nearest) > 1 else "",
        "firm": firmness.panel(measure, row, *own, len(part.records), links[firmness.KIND]),
        "trend": trend.panel(measure, part.series.get(provider), links[trend.KIND]),
        "untold": trend.untold(part.series, provider, noun(level)),
    }


def _chance(row: Record) -> str:
    if row["category"] == "too_few":
        return sentences.say("chance_too_few")
    return sentences.say("by_chance_alone", chance=numbers.chance(row["probability_by_chance"]))


def _why(measure: MeasureView, row: Record, level: str) -> list[str]:
    """The waterfall in words."""
    overall = measure.totals.rate
    key = "why_expected" if overall is not None else "why_expected_alone"
    if measure.counts and overall is not None:
        key = "why_expected_lower" if drawings.norm_rate(measure, row) < overall else "why_expected_higher"
    expected = rate_words(measure, drawings.norm_rate(measure, row))
    first = sentences.say(key, overall=rate_words(measure, overall), provider=noun(level), expected=expected)
    second = sentences.say(
        "why_believed",
        observed=rate_words(measure, row["observed_rate"]),
        reliability=numbers.ratio(row["reliability"]),
        share=numbers.percent(row["reliability"], 0),
        predicted=rate_words(measure, row["predicted_rate"]),
    )
    return [first, second]


def _figures(measure: MeasureView, row: Record, level: str) -> list[dict[str, str]]:
    """Observed, expected, predicted and the two ratios: for events their numbers, else means."""
    cases = numbers.integer(row["n"])
    per_case = not (measure.spec.get("exposure") or measure.spec.get("trials"))
    rate_key = "rate_of_patients" if per_case else "rate_and_patients"
    if measure.counts:
        observed, below = (
            numbers.integer(row["observed"]),
            sentences.say(rate_key, rate=rate_words(measure, row["observed_rate"]), cases=cases),
        )
    else:
        observed, below = (
            numbers.decimal(row["observed_rate"], 2),
            sentences.say("mean_of_patients", unit=measure.unit, cases=cases).strip(),
        )
    raw = (
        sentences.say("observed_over_expected")
        if not numbers.known(row["oe_lower"])
        else _in_interval(row["oe_lower"], row["oe_upper"])
    )
    say = sentences.say
    entries = (
        (say("head_observed"), "observed", observed, below),
        (
            say("head_expected"),
            "expected",
            _sum_or_mean(measure, row, "expected_marginal"),
            say("at_the_average", provider=noun(level)),
        ),
        (say("head_predicted"), "predicted", _sum_or_mean(measure, row, "predicted"), say("in_the_long_run")),
        (say("head_raw"), "raw-ratio", numbers.ratio(row["oe_ratio"]), raw),
        (
            say("head_shrunken"),
            "shrunken-ratio",
            numbers.ratio(row["ratio"]),
            say(
                "shrunken_is",
                interval=_in_interval(row["ratio_lower"], row["ratio_upper"]),
                predicted=_sum_or_mean(measure, row, "predicted"),
                expected=_sum_or_mean(measure, row, "expected"),
            ),
        ),
    )
    return [dict(zip(("name", "key", "value", "text"), entry, strict=True)) for entry in entries]


def _sum_or_mean(measure: MeasureView, row: Record, column: str) -> str:
    return numbers.amount(row[column]) if measure.counts else numbers.decimal(row[column] / row["n"], 2)


def _in_interval(lower: float, upper: float) -> str:
    return sentences.say("in_interval", interval=numbers.interval_text(lower, upper))

"""The page of a measure: the finding, its charts, every provider, and how far the model can be trusted."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from profiling.reporting import numbers, sentences
from profiling.reporting.definitions import definitions
from profiling.reporting.pages import drawings, family, model, subgroups, volume
from profiling.reporting.pages.provider_table import ProviderTable
from profiling.reporting.pages.shared import MeasureView, Site, category_counts, noun, nouns, rate_words

ON_PAGE = ("raw-ratio", "shrunken-ratio", "chance", "rank", "reliability")


def context(site: Site, measure: MeasureView, table: ProviderTable, downloads: list[dict[str, str]]) -> dict[str, Any]:
    """What the template of a measure prints; of the table its first page."""
    level = measure.outer
    root = "../"
    finding = measure.finding(level)
    return {
        "page": {"title": measure.title, "section": measure.href, "scripted": True},
        "question": str(measure.spec["question"]),
        "headline": sentences.headline(finding),
        "lede": sentences.lede(finding),
        "widened": measure.widened,
        "noun": noun(level),
        "nouns": nouns(level),
        "facts": _facts(measure, level),
        "funnel": _funnel(site, measure, level, root, downloads),
        "caterpillar": _caterpillar(site, measure, level, root, downloads),
        "shrinkage": drawings.markup(drawings.shrinkage_charts(site, measure, level, root), "shrinkage"),
        "panels": [
            made
            for made in (
                family.panel(site, measure, level, root),
                volume.panel(site, measure, level, root),
                subgroups.panel(site, measure, root),
                subgroups.social_panel(site, measure, level, root),
            )
            if made
        ],
        "table": table.page(1),
        "index": table.index(),
        "inner": _inner(measure),
        "model": _model(measure, root),
        "rule": sentences.rule(finding),
        "definitions": [entry for entry in definitions() if entry.key in ON_PAGE],
        "downloads": [file for file in downloads if file["kind"] == "table" and file["measure"] == measure.name],
    }


def _facts(measure: MeasureView, level: str) -> list[dict[str, str]]:
    totals, count = measure.totals, len(measure.providers[level])
    providers = sentences.counted(count, noun(level)) if count < 13 else f"{numbers.integer(count)} {nouns(level)}"
    cases = (
        sentences.say("cases_in", cases=numbers.integer(totals.cases), providers=providers)
        if totals.cases
        else sentences.say("few_in", providers=providers)
    )
    facts = [{"name": sentences.say("head_patients"), "value": cases}]
    if measure.counts:
        value = (
            f"{numbers.integer(totals.observed)} ({rate_words(measure, totals.rate)})"
            if totals.rate is not None
            else sentences.say("not_shown")
        )
        facts.append({"name": measure.event[:1].upper() + measure.event[1:], "value": value})
    elif totals.rate is not None:
        facts.append(
            {
                "name": sentences.say("fact_average"),
                "value": f"{numbers.decimal(totals.rate, 1)} {measure.unit}".strip(),
            }
        )
    better = "lower_preferred" if measure.spec["direction"] == "higher_is_worse" else "higher_preferred"
    facts.append(
        {"name": sentences.say("fact_period"), "value": str(measure.spec.get("period") or sentences.say("all_records"))}
    )
    facts.append({"name": sentences.say(better), "value": sentences.say("one_means")})
    return facts


def _links(measure: MeasureView, kind: str, downloads: list[dict[str, str]]) -> Markup:
    files = [file for file in downloads if file["kind"] == kind and file["measure"] == measure.name]
    links = Markup(" · ").join(Markup('<a href="{}">{}</a>').format(file["href"], file["text"]) for file in files)
    return Markup('<p class="note">{} {}</p>').format(sentences.say("figure_files"), links) if files else Markup("")


def _funnel(site: Site, measure: MeasureView, level: str, root: str, downloads: list[dict[str, str]]) -> dict[str, Any]:
    flag, provider = measure.spec["flag"], noun(level)
    watch, beyond = float(flag["watch"]), float(flag["flag"])
    reading = sentences.say("read_events" if measure.counts else "read_values", provider=provider, event=measure.event)
    kind = "_spread" if measure.widened else ""
    inner = {"level": numbers.level_percent(watch), "chance": numbers.chance(1 - watch)}
    outer = {"level": numbers.level_percent(beyond), "chance": numbers.chance(1 - beyond)}
    return {
        "sub": sentences.say("funnel_sub", provider=provider, providers=nouns(level)),
        "drawing": drawings.markup(drawings.funnel_charts(site, measure, level, root), "funnel"),
        "reading": [reading],
        "inner": sentences.say(f"read_inner{kind}", provider=provider, providers=nouns(level), **inner),
        "outer": sentences.say(f"read_outer{kind}", **outer),
        "note": sentences.say("judged_by_interval", provider=provider) if flag["rule"] != "funnel" else "",
        "links": _links(measure, "funnel", downloads),
    }


def _caterpillar(
    site: Site, measure: MeasureView, level: str, root: str, downloads: list[dict[str, str]]
) -> dict[str, Any]:
    keys = ["intervals", "intervals_and_limits"][: 1 + (measure.spec["flag"]["rule"] == "funnel")]
    note = " ".join(sentences.say(key, provider=noun(level)) for key in keys)
    charts = drawings.caterpillar_charts(site, measure, level, root)
    return {
        "drawing": drawings.markup(charts, "caterpillar"),
        "note": note,
        "links": _links(measure, "caterpillar", downloads),
    }


def _model(measure: MeasureView, root: str) -> dict[str, Any]:
    """The model in short and where the whole of it stands; for a published table what stands in its place."""
    if measure.modelled:
        return {
            "title": sentences.say("model_short"),
            "paragraphs": model.summary(measure),
            "href": root + measure.model_href,
        }
    many, cases = nouns(measure.outer), measure.totals.cases
    words = {"provider": noun(measure.outer), "providers": many, "event": measure.event}
    first = sentences.say("aggregates", cases=numbers.integer(cases) if cases else sentences.say("few_word"), **words)
    return {
        "title": sentences.say("figures_from"),
        "paragraphs": [first, sentences.say("aggregates_shrunken", **words)],
        "href": "",
    }


def _inner(measure: MeasureView) -> dict[str, Any] | None:
    level = measure.inner
    if level is None:
        return None
    finding = measure.finding(level)
    rows = measure.providers[level]
    hidden = int(rows["hidden"].sum())
    count = {
        "measure": measure.title,
        "providers": f"{numbers.integer(len(rows))} {nouns(level)}",
        "counts": category_counts(rows),
    }
    inside = measure.spec.get("inner_expected") != "statewide"
    names = {"inner": noun(level), "provider": noun(measure.outer), "providers": sentences.capital(nouns(level))}
    norm = sentences.say("norm_within" if inside else "norm_all", **names)
    plain = sentences.Finding(
        **{**finding.__dict__, "higher": ("",) * len(finding.higher), "lower": ("",) * len(finding.lower)}
    )
    return {
        "title": sentences.say("inner_against", norm=norm, **names),
        "headline": sentences.headline(plain)
        if finding.flagged > sentences.MOST_NAMES
        else sentences.headline(finding),
        "lede": sentences.lede(finding),
        "counts": [count],
        "note": sentences.say(
            "inner_note", inner=noun(level), outer=noun(measure.outer), hidden=sentences.counted(hidden, noun(level))
        ),
    }

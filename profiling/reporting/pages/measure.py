"""The page of a measure: the finding, its charts, every provider, and the model in plain words."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from profiling.config import formula_columns
from profiling.reporting import numbers, sentences
from profiling.reporting.definitions import DEFINITIONS
from profiling.reporting.pages import drawings
from profiling.reporting.pages.shared import MeasureView, Site, category_counts, each, noun, nouns

LOGISTIC_VARIANCE = math.pi**2 / 3
ON_PAGE = ("raw-ratio", "shrunken-ratio", "chance", "rank", "reliability")
_DUMMY = re.compile(r"C\((\w+)[^)]*\)\[(?:T\.)?(.*)\]")


def context(site: Site, measure: MeasureView, downloads: list[dict[str, str]]) -> dict[str, Any]:
    """What the template of a measure prints."""
    level = measure.outer
    root = "../"
    finding = measure.finding(level)
    return {
        "page": {"title": measure.title, "section": measure.href},
        "question": str(measure.spec["question"]),
        "headline": sentences.headline(finding),
        "lede": sentences.lede(finding),
        "noun": noun(level),
        "nouns": nouns(level),
        "facts": _facts(measure, level),
        "funnel": _funnel(site, measure, level, root, downloads),
        "caterpillar": _caterpillar(site, measure, level, root, downloads),
        "shrinkage": drawings.markup(drawings.shrinkage_charts(site, measure, level, root), "shrinkage"),
        "table": provider_table(site, measure, level, root),
        "inner": _inner(measure),
        "model": {"paragraphs": _model(measure), "formula": _formula(measure)},
        "shares": _shares(measure),
        "effects": _effects(measure),
        "calibration": _calibration(measure),
        "flow": _flow(measure),
        "missing": _missing(measure),
        "rule": sentences.rule(finding),
        "definitions": [entry for entry in DEFINITIONS if entry.key in ON_PAGE],
        "downloads": [file for file in downloads if file["kind"] == "table" and file["measure"] == measure.name],
    }


def _facts(measure: MeasureView, level: str) -> list[dict[str, str]]:
    totals, count = measure.totals, len(measure.providers[level])
    providers = sentences.counted(count, noun(level)) if count < 13 else f"{count:,} {nouns(level)}"
    cases = f"{numbers.integer(totals.cases)} in {providers}" if totals.cases else f"few, in {providers}"
    facts = [{"name": "Patients", "value": cases}]
    if measure.counts:
        value = (
            f"{numbers.integer(totals.observed)} ({numbers.percent(totals.rate)})"
            if totals.rate is not None
            else "not shown"
        )
        facts.append({"name": measure.event[:1].upper() + measure.event[1:], "value": value})
    elif totals.rate is not None:
        facts.append({"name": "Average", "value": f"{numbers.decimal(totals.rate, 1)} {measure.unit}".strip()})
    better = "Lower is preferred" if measure.spec["direction"] == "higher_is_worse" else "Higher is preferred"
    facts.append({"name": "Period", "value": str(measure.spec.get("period") or "All records")})
    facts.append({"name": better, "value": "1 means as expected"})
    return facts


def _links(measure: MeasureView, kind: str, downloads: list[dict[str, str]]) -> Any:
    from markupsafe import Markup

    files = [file for file in downloads if file["kind"] == kind and file["measure"] == measure.name]
    links = Markup(" · ").join(Markup('<a href="{}">{}</a>').format(file["href"], file["text"]) for file in files)
    return Markup('<p class="note">Figure: {}</p>').format(links) if files else Markup("")


def _funnel(site: Site, measure: MeasureView, level: str, root: str, downloads: list[dict[str, str]]) -> dict[str, Any]:
    flag = measure.spec["flag"]
    watch, beyond = float(flag["watch"]), float(flag["flag"])
    more = f"40\u202f% more {measure.event}" if measure.counts else "an average 40\u202f% higher"
    reading = [
        f"A {noun(level)} at 1.4 had {more} than the average {noun(level)} would have had with the same patients."
    ]
    note = ""
    if flag["rule"] == "interval":
        note = f"The marks are judged by the interval of the shrunken ratio, not by these bands, so a {noun(level)} may lie inside a band and be flagged."
    return {
        "sub": f"Each mark is a {noun(level)}. Small {nouns(level)} swing more by chance, so the limits open to the left.",
        "drawing": drawings.markup(drawings.funnel_charts(site, measure, level, root), "funnel"),
        "reading": reading,
        "inner": f"{numbers.level_percent(watch)} limits: inside, no sign that the {noun(level)} differs; chance alone puts {numbers.chance(1 - watch)} outside.",
        "outer": f"{numbers.level_percent(beyond)} limits: outside, chance alone would do this to {numbers.chance(1 - beyond)}.",
        "note": note,
        "links": _links(measure, "funnel", downloads),
    }


def _caterpillar(
    site: Site, measure: MeasureView, level: str, root: str, downloads: list[dict[str, str]]
) -> dict[str, Any]:
    note = "Intervals hold the true value with 95\u202f% probability under the model. Two intervals that overlap, or do not, are no test of one "
    note += f"{noun(level)} against another."
    if measure.spec["flag"]["rule"] == "funnel":
        note += f" Interval and limits answer different questions, so a {noun(level)} may lie outside the limits while its interval touches 1."
    charts = drawings.caterpillar_charts(site, measure, level, root)
    return {
        "drawing": drawings.markup(charts, "caterpillar"),
        "note": note,
        "links": _links(measure, "caterpillar", downloads),
    }


def provider_table(site: Site, measure: MeasureView, level: str, root: str) -> dict[str, Any]:
    """Every provider of a level: those shown by surprise |z|, then those hidden by name."""
    rows = measure.providers[level]
    domain, axis = drawings.interval_head(rows)
    shown = rows[~rows["hidden"]].sort_values("z", key=lambda z: -z.abs(), kind="stable", na_position="last")
    hidden = rows[rows["hidden"]].sort_values(["provider_name", "provider"])
    return {
        "count": f"{len(rows):,}",
        "axis": axis,
        "observed": observed_head(measure),
        "observed_label": observed_label(measure),
        "rows": [
            *(shown_row(measure, row, domain) | _linked(site, row, root) for row in each(shown)),
            *(hidden_row(row) | _linked(site, row, root) for row in each(hidden)),
        ],
    }


def observed_head(measure: MeasureView) -> str:
    """Head of the column of what was observed."""
    return measure.event[:1].upper() + measure.event[1:] if measure.counts else f"Mean {measure.unit}".strip()


def observed_label(measure: MeasureView) -> str:
    """What stands after an observed figure on a phone."""
    return f"{measure.event} observed" if measure.counts else f"{measure.unit} observed".strip()


def shown_row(measure: MeasureView, row: Any, domain: tuple[float, float] | None) -> dict[str, Any]:
    """Words of a provider whose figures are shown."""
    counts = measure.counts
    expected = row.expected_marginal if counts else row.expected_marginal / row.n
    return {
        "name": row.provider_name,
        "hidden": False,
        "n": numbers.integer(row.n),
        "observed": numbers.integer(row.observed) if counts else numbers.decimal(row.observed_rate, 2),
        "expected": numbers.amount(expected) if counts else numbers.decimal(expected, 2),
        "raw": numbers.ratio(row.oe_ratio),
        "ratio": numbers.ratio(row.ratio),
        "interval": numbers.interval(row.ratio_lower, row.ratio_upper),
        "graphic": drawings.interval_svg(row, domain) if domain else "",
        "chance": numbers.chance(row.probability_by_chance),
        "rank": numbers.rank_interval(row.rank_lower, row.rank_upper),
        "reliability": numbers.ratio(row.reliability),
        "category": row.category,
    }


def hidden_row(row: Any) -> dict[str, Any]:
    """Words of a provider whose figures are hidden: name, case band and category."""
    return {"name": row.provider_name, "hidden": True, "band": row.case_band, "category": row.category}


def _linked(site: Site, row: Any, root: str) -> dict[str, str]:
    slug = site.addresses.get((row.level, row.provider), "")
    return {"href": site.address(row.level, row.provider, root), "anchor": slug}


def _inner(measure: MeasureView) -> dict[str, Any] | None:
    level = measure.inner
    if level is None:
        return None
    finding = measure.finding(level)
    rows = measure.providers[level]
    hidden = int(rows["hidden"].sum())
    count = {"measure": measure.title, "providers": f"{len(rows):,} {nouns(level)}", "counts": category_counts(rows)}
    norm = (
        f"the average {noun(level)} of its {noun(measure.outer)}"
        if measure.spec.get("inner_expected") != "statewide"
        else f"the average {noun(level)}"
    )
    plain = sentences.Finding(
        **{**finding.__dict__, "higher": ("",) * len(finding.higher), "lower": ("",) * len(finding.lower)}
    )
    return {
        "title": f"{sentences.capital(nouns(level))}, each against {norm}",
        "headline": sentences.headline(plain)
        if finding.flagged > sentences.MOST_NAMES
        else sentences.headline(finding),
        "lede": sentences.lede(finding),
        "counts": [count],
        "note": f"Each {noun(level)} stands on the page of its {noun(measure.outer)}. Counts of {sentences.counted(hidden, noun(level))} are not shown.",
    }


def _formula(measure: MeasureView) -> str:
    random = " + ".join(f"({level['random']} | {level['column']})" for level in measure.spec["providers"])
    outcome = (
        f"log({measure.spec['outcome']})" if measure.spec["family"] == "log_gaussian" else str(measure.spec["outcome"])
    )
    return f"{outcome} ~ {measure.spec['case_mix']} + {random}"


def _model(measure: MeasureView) -> list[str]:
    traits = [column.replace("_", " ") for column in formula_columns(str(measure.spec["case_mix"]))]
    level, what = measure.outer, "risk" if measure.counts else "expected outcome"
    known = f"from {sentences.listed(traits)}" if traits else "from the overall rate alone"
    total = f"{measure.event}" if measure.counts else "total"
    paragraphs = [
        f"For each patient we estimate the {what} {known}. Adding these over a {noun(level)}’s patients gives its expected {total}.",
        f"Each {noun(level)} then gets its own effect. {sentences.capital(nouns(level))} are taken to come from one family whose spread is "
        f"estimated from the data{_spread(measure, level)}. A small {noun(level)}’s effect is drawn toward the family average, a large one’s hardly.",
    ]
    c_statistic = measure.checks.get("c_statistic")
    if numbers.known(c_statistic):
        paragraphs.append(
            f"The model tells patients with and without the event apart with a c-statistic of {numbers.ratio(c_statistic)}; 0.5 would be guessing and 1 complete."
        )
    balance, decrement = measure.checks.get("observed_over_expected"), measure.checks.get("newton_decrement")
    if numbers.known(balance):
        paragraphs.append(f"Over all {nouns(level)} observed ÷ expected is {numbers.ratio(balance)}.")
    if measure.checks.get("converged") == 1:
        tail = f" (Newton decrement {decrement:.0e})" if decrement is not None and numbers.known(decrement) else ""
        paragraphs.append(
            f"The fit found its maximum{tail}; log-likelihood {numbers.decimal(measure.checks.get('log_likelihood'), 1)}."
        )
    return paragraphs


def _spread(measure: MeasureView, level: str) -> str:
    ratio = measure.checks.get(f"median_odds_ratio_{level}")
    if not measure.counts or ratio is None or not numbers.known(ratio):
        return ""
    return f": for the same patient, two typical {nouns(level)} differ by a factor of about {numbers.ratio(ratio)} in the odds"


def _shares(measure: MeasureView) -> dict[str, Any]:
    """Variance between outer providers, between inner ones within them, and within patients."""
    parts = measure.of("variance_components")
    own = parts[(parts["term_a"] == "Intercept") & (parts["term_b"].isna() | (parts["term_b"] == "Intercept"))]
    variances = [(str(row.grouping), float(row.covariance)) for row in each(own) if row.grouping != "Residual"]
    residual = parts.loc[parts["grouping"] == "Residual", "covariance"]
    rest = LOGISTIC_VARIANCE if measure.counts else float(residual.iloc[0]) if len(residual) else float("nan")
    columns = {level["column"]: level["level"] for level in measure.spec["providers"]}
    labels = [_grouping_words(name, columns, measure) for name, _ in variances]
    values = np.array([*(value for _, value in variances), rest])
    if not np.isfinite(values).all() or values.sum() <= 0:
        return {"sub": "Not available for this model.", "drawing": "", "rows": []}
    frame = pd.DataFrame({"label": [*labels, "patients of the same provider"], "share": values / values.sum()})
    rows = [
        {"name": row.label, "share": numbers.percent(row.share), "sd": numbers.decimal(math.sqrt(value), 3)}
        for row, value in zip(each(frame), values, strict=True)
    ]
    scale = "on the scale of log-odds" if measure.counts else "on the scale of the model"
    return {
        "sub": f"What the case mix leaves unexplained, {scale}.",
        "drawing": drawings.shares_svg(frame),
        "rows": rows,
    }


def _grouping_words(grouping: str, columns: dict[str, str], measure: MeasureView) -> str:
    last = grouping.rsplit(":", 1)[-1]
    level = columns.get(last, last)
    within = f" of the same {noun(measure.outer)}" if level == measure.inner else ""
    return f"{nouns(str(level))}{within}"


def term_words(term: str) -> str:
    """A term of the formula as people read it: C(sex)[T.M] becomes sex: M."""
    term = _DUMMY.sub(lambda found: f"{found[1]}: {found[2]}", term)
    term = re.sub(r"I\((.*)\)", r"\1", term).replace("np.minimum", "min").replace("np.maximum", "max")
    return term.replace("_", " ")


def _effects(measure: MeasureView) -> dict[str, Any]:
    effects = measure.of("fixed_effects").assign(label=lambda t: t["term"].map(term_words))
    kept = effects[effects["term"] != "Intercept"]
    family = str(measure.spec["family"])
    column = {"binomial": "Odds ratio", "log_gaussian": "Ratio of means"}.get(family, "Difference")
    scale = np.exp if family != "gaussian" else np.asarray
    values = kept[["estimate", "lower", "upper"]].astype(float).pipe(scale)
    rows = [
        {
            "term": label,
            "estimate": numbers.ratio(value),
            "interval": numbers.interval(low, high),
            "coefficient": numbers.decimal(coefficient, 4),
            "error": numbers.decimal(error, 4),
        }
        for label, (value, low, high), coefficient, error in zip(
            kept["label"], np.asarray(values), kept["estimate"], kept["standard_error"], strict=True
        )
    ]
    what = "the odds of the event" if measure.counts else "the outcome"
    sub = f"By what factor each trait changes {what}, the others being equal; 1 is no change."
    drawable = len(kept) > 0 and family != "gaussian"
    if family == "gaussian":
        sub = f"By how much each trait changes {what}, the others being equal; 0 is no change."
    return {
        "sub": sub,
        "column": column,
        "rows": rows,
        "drawing": drawings.forest_svg(measure, effects) if drawable else "",
    }


def _calibration(measure: MeasureView) -> dict[str, Any]:
    table = measure.of("calibration")
    show = (lambda v, n: numbers.amount(v)) if measure.counts else (lambda v, n: numbers.decimal(v / n, 2))
    rows = [
        {
            "band": place,
            "n": numbers.integer(row.n),
            "observed": numbers.integer(row.observed) if measure.counts else show(row.observed, row.n),
            "expected": show(row.expected, row.n),
        }
        for place, row in enumerate(each(table), start=1)
    ]
    slope = measure.checks.get("calibration_slope")
    tail = f" Its slope is {numbers.ratio(slope)}, where 1 is ideal." if numbers.known(slope) else ""
    sub = f"Patients in bands of predicted {'risk' if measure.counts else 'outcome'}, lowest first.{tail}"
    return {"sub": sub, "rows": rows, "drawing": drawings.calibration_svg(measure) if rows else ""}


def _flow(measure: MeasureView) -> list[dict[str, str]]:
    return [
        {
            "step": row.step,
            "excluded": numbers.integer(row.excluded) if row.position else "",
            "left": numbers.integer(row.rows_left),
        }
        for row in each(measure.of("cohort_flow"))
    ]


def _missing(measure: MeasureView) -> list[dict[str, str]]:
    few = f"under {measure.masked.threshold}"
    return [
        {
            "name": str(row.column_name).replace("_", " "),
            "text": f"{numbers.integer(row.rows_missing)} of {numbers.integer(row.rows_total)}"
            if numbers.known(row.rows_missing)
            else few,
        }
        for row in each(measure.of("missing"))
    ]

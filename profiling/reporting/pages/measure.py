"""The page of a measure: the finding, its charts, every provider, and the model in plain words."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from profiling.config import formula_columns
from profiling.reporting import numbers, sentences
from profiling.reporting.definitions import DEFINITIONS
from profiling.reporting.pages import drawings
from profiling.reporting.pages.shared import MeasureView, Site, category_counts, each, noun, nouns

LOGISTIC_VARIANCE = math.pi**2 / 3
FINE_SHARES_FROM = 10_000
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


def _links(measure: MeasureView, kind: str, downloads: list[dict[str, str]]) -> Markup:
    files = [file for file in downloads if file["kind"] == kind and file["measure"] == measure.name]
    links = Markup(" · ").join(Markup('<a href="{}">{}</a>').format(file["href"], file["text"]) for file in files)
    return Markup('<p class="note">Figure: {}</p>').format(links) if files else Markup("")


def _funnel(site: Site, measure: MeasureView, level: str, root: str, downloads: list[dict[str, str]]) -> dict[str, Any]:
    flag, provider = measure.spec["flag"], noun(level)
    watch, beyond = float(flag["watch"]), float(flag["flag"])
    reading = sentences.say("read_events" if measure.counts else "read_values", provider=provider, event=measure.event)
    inner = {"level": numbers.level_percent(watch), "chance": numbers.chance(1 - watch)}
    outer = {"level": numbers.level_percent(beyond), "chance": numbers.chance(1 - beyond)}
    small = f"Small {nouns(level)} swing more by chance, so the limits open to the left."
    return {
        "sub": f"Each mark is a {provider}. {small}",
        "drawing": drawings.markup(drawings.funnel_charts(site, measure, level, root), "funnel"),
        "reading": [reading],
        "inner": sentences.say("read_inner", provider=provider, **inner),
        "outer": sentences.say("read_outer", **outer),
        "note": sentences.say("judged_by_interval", provider=provider) if flag["rule"] == "interval" else "",
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
        "note": sentences.say(
            "inner_note", inner=noun(level), outer=noun(measure.outer), hidden=sentences.counted(hidden, noun(level))
        ),
    }


def _formula(measure: MeasureView) -> str:
    random = " + ".join(f"({level['random']} | {level['column']})" for level in measure.spec["providers"])
    outcome = (
        f"log({measure.spec['outcome']})" if measure.spec["family"] == "log_gaussian" else str(measure.spec["outcome"])
    )
    return f"{outcome} ~ {measure.spec['case_mix']} + {random}"


def _model(measure: MeasureView) -> list[str]:
    traits = [column.replace("_", " ") for column in formula_columns(str(measure.spec["case_mix"]))]
    level, checks = measure.outer, measure.checks
    names = {"provider": noun(level), "providers": nouns(level), "Providers": sentences.capital(nouns(level))}
    what = "risk" if measure.counts else "expected outcome"
    known = f"from {sentences.listed(traits)}" if traits else "from the overall rate alone"
    paragraphs = [
        sentences.say("model_risk", what=what, known=known, total=measure.event or "total", **names),
        sentences.say("model_family", spread=_spread(measure, level), **names),
    ]
    if numbers.known(checks.get("c_statistic")):
        paragraphs.append(sentences.say("model_discrimination", value=numbers.ratio(checks["c_statistic"])))
    if numbers.known(checks.get("observed_over_expected")):
        value = numbers.ratio(checks["observed_over_expected"])
        paragraphs.append(sentences.say("model_balance", value=value, **names))
    if checks.get("converged") == 1:
        decrement = checks.get("newton_decrement")
        tail = f" (Newton decrement {decrement:.0e})" if decrement is not None and numbers.known(decrement) else ""
        value = numbers.decimal(checks.get("log_likelihood"), 1)
        paragraphs.append(sentences.say("model_converged", decrement=tail, value=value))
    return paragraphs


def _spread(measure: MeasureView, level: str) -> str:
    ratio = measure.checks.get(f"median_odds_ratio_{level}")
    if not measure.counts or ratio is None or not numbers.known(ratio):
        return ""
    return sentences.say("model_spread", providers=nouns(level), ratio=numbers.ratio(ratio))


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
    rows = [
        {
            "band": place,
            "n": numbers.integer(row.n),
            "observed": numbers.integer(row.observed) if measure.counts else numbers.decimal(row.observed / row.n, 2),
            "expected": numbers.amount(row.expected) if measure.counts else numbers.decimal(row.expected / row.n, 2),
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
    """Shares, not counts: counts by trait and their union would give the small number that lack two traits back."""
    few = f"under {measure.masked.threshold}"
    return [
        {
            "name": str(row.column_name).replace("_", " "),
            "text": numbers.percent(row.rows_missing / row.rows_total, int(row.rows_total >= FINE_SHARES_FROM))
            if numbers.known(row.rows_missing)
            else few,
        }
        for row in each(measure.of("missing"))
    ]

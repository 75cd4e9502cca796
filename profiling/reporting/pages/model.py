"""The page of a model: formula, cohort, effects, where variation lies, calibration, discrimination and convergence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from profiling.config import formula_columns
from profiling.reporting import numbers, sentences
from profiling.reporting.language import figures
from profiling.reporting.pages import drawings, sensitivity, structure, two_ways
from profiling.reporting.pages.shared import MeasureView, Site, each, noun, nouns
from profiling.reporting.pages.terms import term_words

LOGISTIC_VARIANCE = math.pi**2 / 3
FINE_SHARES_FROM = 10_000
DIAGNOSIS = "diagnosis_"


def context(site: Site, measure: MeasureView) -> dict[str, Any]:
    """What the template of a model prints."""
    root = "../"
    who = structure.who_panel(site, measure, root)
    withheld = measure.name in site.masked.withheld
    words = {"provider": noun(measure.outer), "most": site.masked.threshold - 1}
    return {
        "page": {"title": sentences.say("model_title", title=measure.title), "section": "", "scripted": True},
        "measure": {"title": measure.title, "href": f"{root}{measure.href}"},
        "headline": _headline(measure),
        "lede": " ".join(_trust(measure)) if not withheld else sentences.say("model_withheld", **words),
        "withheld": withheld,
        "nouns": nouns(measure.outer),
        "noun": noun(measure.outer),
        "facts": _facts(measure),
        "paragraphs": _model(measure),
        "formula": _formula(measure),
        "flow": _flow(measure),
        "missing": _missing(measure),
        "effects": _effects(measure),
        "two_ways": two_ways.panel(site, measure, root),
        "structure": [] if who else structure.told(measure),
        "who": who,
        "movement": structure.movement_panel(site, measure, root),
        "sensitivity": sensitivity.panel(site, measure, measure.outer, root),
        "shares": _shares(measure),
        "calibration": _calibration(measure),
        "by_provider": _by_provider(site, measure, root),
        "checks": _checks(measure),
        "convergence": _convergence(measure),
    }


def summary(measure: MeasureView) -> list[str]:
    """The model in two paragraphs, for the page of its measure."""
    shares = _variances(measure)
    told = [_risk(measure), " ".join([*_trust(measure), _shares_words(measure, shares)]).strip()]
    return [text for text in told if text]


def _headline(measure: MeasureView) -> str:
    key = "model_headline" if measure.counts else "model_headline_values"
    return sentences.say(key, event=measure.event, title=sentences.mid_sentence(measure.title))


def _facts(measure: MeasureView) -> list[dict[str, str]]:
    notes = measure.notes
    shown = measure.masked.measures.set_index("measure")["rows_used"][measure.name]
    levels = sentences.listed([nouns(level) for level in measure.levels])
    facts = {
        sentences.say("fact_model"): sentences.say(f"family_{measure.spec['family']}"),
        sentences.say("fact_effects"): levels,
        sentences.say("fact_fitted"): notes.get("method", "") or str(measure.spec.get("method", "")),
        sentences.say("fact_records"): numbers.integer(shown) if numbers.known(shown) else sentences.say("not_shown"),
        sentences.say("head_coefficients"): numbers.integer(len(measure.of("fixed_effects"))),
    }
    return [{"name": name, "value": value} for name, value in facts.items() if value]


def _formula(measure: MeasureView) -> str:
    random = " + ".join(f"({level['random']} | {level['column']})" for level in measure.spec["providers"])
    outcome = (
        f"log({measure.spec['outcome']})" if measure.spec["family"] == "log_gaussian" else str(measure.spec["outcome"])
    )
    return f"{outcome} ~ {measure.spec['case_mix']} + {random}"


def _risk(measure: MeasureView) -> str:
    """What is estimated for each patient, and what it adds up to."""
    traits = [column.replace("_", " ") for column in formula_columns(str(measure.spec["case_mix"]))]
    what = sentences.say("model_what_risk" if measure.counts else "model_what_value")
    known = (
        sentences.say("model_known", traits=sentences.listed(traits)) if traits else sentences.say("model_known_none")
    )
    return sentences.say(
        "model_risk",
        what=what,
        known=known,
        total=measure.event or sentences.say("word_total"),
        provider=noun(measure.outer),
    )


def _model(measure: MeasureView) -> list[str]:
    level = measure.outer
    names = {"provider": noun(level), "providers": nouns(level), "Providers": sentences.capital(nouns(level))}
    return [_risk(measure), sentences.say("model_family", spread=_spread(measure, level), **names)]


def _trust(measure: MeasureView) -> list[str]:
    """Discrimination and balance in words, as far as they are known."""
    checks, told = measure.checks, []
    if numbers.known(checks.get("c_statistic")):
        told.append(sentences.say("model_discrimination", value=numbers.ratio(checks["c_statistic"])))
    if numbers.known(checks.get("observed_over_expected")):
        value = numbers.ratio(checks["observed_over_expected"])
        told.append(sentences.say("model_balance", value=value, providers=nouns(measure.outer)))
    return told


def _spread(measure: MeasureView, level: str) -> str:
    ratio = measure.checks.get(f"median_odds_ratio_{level}")
    if not measure.counts or ratio is None or not numbers.known(ratio):
        return ""
    return sentences.say("model_spread", providers=nouns(level), ratio=numbers.ratio(ratio))


def _variances(measure: MeasureView) -> pd.DataFrame:
    """Variance (label, value, share) between outer providers, inner ones within them, and within patients."""
    parts = measure.of("variance_components")
    own = parts[(parts["term_a"] == "Intercept") & (parts["term_b"].isna() | (parts["term_b"] == "Intercept"))]
    variances = [(str(row.grouping), float(row.covariance)) for row in each(own) if row.grouping != "Residual"]
    residual = parts.loc[parts["grouping"] == "Residual", "covariance"]
    rest = LOGISTIC_VARIANCE if measure.counts else float(residual.iloc[0]) if len(residual) else float("nan")
    columns = {level["column"]: level["level"] for level in measure.spec["providers"]}
    labels = [_grouping_words(name, columns, measure) for name, _ in variances]
    values = np.array([*(value for _, value in variances), rest])
    if measure.name in measure.masked.withheld or not np.isfinite(values).all() or values.sum() <= 0:
        return pd.DataFrame(columns=["label", "value", "share"])
    labels.append(sentences.say("shares_patients"))
    return pd.DataFrame({"label": labels, "value": values, "share": values / values.sum()})


def _shares(measure: MeasureView) -> dict[str, Any]:
    frame = _variances(measure)
    if frame.empty:
        return {"sub": sentences.say("shares_none"), "words": "", "drawing": "", "rows": []}
    rows = [
        {
            "name": row.label,
            "share": numbers.percent(row.share),
            "variance": numbers.decimal(row.value, 4),
            "sd": numbers.decimal(math.sqrt(row.value), 3),
        }
        for row in each(frame)
    ]
    return {
        "sub": sentences.say("shares_sub_odds" if measure.counts else "shares_sub"),
        "words": _shares_words(measure, frame),
        "drawing": drawings.shares_svg(frame),
        "rows": rows,
    }


def _shares_words(measure: MeasureView, frame: pd.DataFrame) -> str:
    if frame.empty:
        return ""
    shares = [numbers.percent(share) for share in frame["share"]]
    told = [sentences.say("share_between", label=label) for label in frame["label"]]
    rest = sentences.listed([told[0], *(f"{share} {text}" for share, text in zip(shares[1:], told[1:], strict=True))])
    return sentences.say("model_shares", first=shares[0], rest=rest)


def _grouping_words(grouping: str, columns: dict[str, str], measure: MeasureView) -> str:
    last = grouping.rsplit(":", 1)[-1]
    level = columns.get(last, last)
    words = {"providers": nouns(str(level)), "provider": noun(measure.outer)}
    return sentences.say("share_within", **words) if level == measure.inner else words["providers"]


def _effects(measure: MeasureView) -> dict[str, Any]:
    effects = measure.of("fixed_effects").assign(label=lambda t: t["term"].map(term_words))
    kept = effects[effects["term"] != "Intercept"]
    family = str(measure.spec["family"])
    column = drawings.effect_name(measure)
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
    what = sentences.CATALOGUE.get(f"effects_what_{family}", sentences.CATALOGUE["effects_what"])
    sub = sentences.say("effects_difference" if family == "gaussian" else "effects_factor", what=what)
    finding = _clearest(kept, rows, column)
    return {
        "sub": sub,
        "column": column,
        "rows": rows,
        "finding": finding,
        "drawing": drawings.forest_svg(measure, effects, finding) if rows else "",
    }


def _clearest(kept: pd.DataFrame, rows: list[dict[str, str]], column: str) -> str:
    """The trait whose effect stands out most from its error, with its interval."""
    if not rows:
        return ""
    row = rows[int((kept["estimate"] / kept["standard_error"]).astype(float).abs().to_numpy().argmax())]
    return sentences.say("effects_clearest", term=row["term"], column=sentences.mid_sentence(column), **{
        name: row[name] for name in ("estimate", "interval")
    })  # fmt: skip


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
    sub = sentences.say("calibration_sub" if measure.counts else "calibration_sub_values")
    return {"sub": sub, "rows": rows, "drawing": drawings.calibration_svg(measure) if rows else ""}


def _by_provider(site: Site, measure: MeasureView, root: str) -> dict[str, Any]:
    """Observed against predicted, a mark a provider: what its own effect leaves should be chance."""
    level = measure.outer
    charts = drawings.provider_calibration_charts(site, measure, level, root)
    return {
        "sub": sentences.say("calibration_providers", provider=noun(level), providers=nouns(level)),
        "drawing": drawings.markup(charts, "by-provider") if charts else "",
    }


def _checks(measure: MeasureView) -> list[dict[str, str]]:
    """What calibration and discrimination come to in single figures, with what would be ideal."""
    checks, say = measure.checks, sentences.say
    rows = (
        ("observed_over_expected", say("check_balance"), 3, "1", "calibration"),
        ("calibration_intercept", say("check_intercept"), 3, "0", "calibration"),
        ("calibration_slope", say("check_slope"), 3, "1", "calibration"),
        ("c_statistic", say("check_c"), 3, say("ideal_c"), "c-statistic"),
        ("brier", say("check_brier"), 4, "0", ""),
        *(
            (
                f"rankability_{level}",
                say("check_rankability", providers=nouns(level)),
                2,
                say("ideal_rank"),
                "rankability",
            )
            for level in measure.levels
        ),
        *(
            (
                f"median_odds_ratio_{level}",
                say("check_mor", providers=nouns(level)),
                2,
                say("ideal_none"),
                "median-odds-ratio",
            )
            for level in measure.levels
        ),
    )
    return [
        {"name": name, "value": numbers.decimal(checks[key], places), "ideal": ideal, "key": anchor}
        for key, name, places, ideal, anchor in rows
        if numbers.known(checks.get(key))
    ]


def _convergence(measure: MeasureView) -> dict[str, Any]:
    """Whether the fit found its maximum, and what it wanted to be known about itself."""
    checks, notes = measure.checks, measure.notes
    decrement, steps = checks.get("newton_decrement"), checks.get("iterations")
    entries = {
        sentences.say("fit_method"): notes.get("method", ""),
        sentences.say("fit_likelihood"): numbers.decimal(checks.get("log_likelihood"), 3),
        sentences.say("fit_decrement"): figures(f"{decrement:.1e}")
        if decrement is not None and numbers.known(decrement)
        else "",
        sentences.say("fit_iterations"): numbers.integer(steps) if numbers.known(steps) else "",
        sentences.say("fit_residual"): numbers.decimal(checks["residual_sd"], 4)
        if numbers.known(checks.get("residual_sd"))
        else "",
    }
    said = "model_converged" if checks.get("converged") == 1 else "model_unknown"
    return {
        "sentence": sentences.say(said),
        "rows": [{"name": name, "value": value} for name, value in entries.items() if value not in ("", numbers.DASH)],
        "diagnoses": [note for name, note in notes.items() if name.startswith(DIAGNOSIS) and note],
    }


def _flow(measure: MeasureView) -> list[dict[str, str]]:
    return [
        {
            "step": sentences.stored(str(row.step)),
            "excluded": numbers.integer(row.excluded) if row.position else "",
            "left": numbers.integer(row.rows_left),
        }
        for row in each(measure.of("cohort_flow"))
    ]


def _missing(measure: MeasureView) -> list[dict[str, str]]:
    """Shares, not counts: counts by trait and their union would give the small number that lack two traits back."""
    few = sentences.say("band_under", count=measure.masked.threshold)
    return [
        {
            "name": sentences.stored(str(row.column_name).replace("_", " ")),
            "text": numbers.percent(row.rows_missing / row.rows_total, int(row.rows_total >= FINE_SHARES_FROM))
            if numbers.known(row.rows_missing)
            else few,
        }
        for row in each(measure.of("missing"))
    ]

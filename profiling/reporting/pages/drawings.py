"""Charts of the pages: each picks the masked rows, gives words and addresses, and draws every form."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup
from scipy import stats

from profiling.reporting import charts, numbers
from profiling.reporting.chart import FORMS, Chart
from profiling.reporting.pages.shared import MeasureView, Site, each, noun, nouns, rate_words
from profiling.reporting.sentences import CATALOGUE, headline, say
from profiling.reporting.svg import render_forms, render_svg

CHANCE_RANGE = (0.05, 0.95)
EFFECTS = {"binomial": "Odds ratio", "poisson": "Rate ratio", "log_gaussian": "Ratio of means"}
STATUS = {key: CATALOGUE[key] for key in ("higher", "higher_watch", "as_expected", "lower_watch", "lower", "too_few")}
HIDDEN = "{count} not drawn: counts not published"


def drawable(site: Site, rows: pd.DataFrame, root: str) -> pd.DataFrame:
    """Masked rows as the builders take them: `shown` and the address of each provider's page."""
    keys = zip(rows["level"], rows["provider"], strict=True)
    return rows.assign(
        shown=~rows["hidden"].astype(bool), href=[site.address(level, name, root) for level, name in keys]
    )


def funnel_charts(site: Site, measure: MeasureView, level: str, root: str = "") -> tuple[Chart, ...]:
    """Funnel in both forms."""
    limits = measure.of("funnel_limits")
    flag = measure.spec["flag"]
    event = measure.event or measure.title
    words = {
        "x_name": f"Expected {event} (larger {nouns(level)} to the right)"
        if measure.counts
        else f"Patients (larger {nouns(level)} to the right)",
        "y_name": f"{event[:1].upper()}{event[1:]}, observed ÷ expected (log scale)",
    }
    return _forms(
        lambda form: charts.funnel(
            drawable(site, measure.providers[level], root),
            limits[limits["level"] == level],
            form=form,
            finding=headline(measure.finding(level)),
            event=measure.event or "",
            providers=nouns(level),
            continuous=not measure.counts,
            status=measure.status_words,
            limit_words=(_limit(flag["watch"]), _limit(flag["flag"])),
            hidden_words=HIDDEN,
            **words,
        )
    )


def provider_calibration_charts(site: Site, measure: MeasureView, level: str, root: str = "") -> tuple[Chart, ...]:
    """Observed over predicted of each provider inside the limits of the funnel; none where nothing is shown."""
    limits = measure.of("funnel_limits")
    limits = limits[limits["level"] == level]
    rows = drawable(site, measure.providers[level], root)
    shown = rows[rows["shown"] & (rows["predicted"] > 0)]
    if shown.empty or limits.empty:
        return ()
    ratio = shown["observed"] / shown["predicted"]
    words = [
        f"{name}: observed ÷ predicted {numbers.ratio(value)}"
        for name, value in zip(shown["provider_name"], ratio, strict=True)
    ]
    shown = shown.assign(expected_marginal=shown["predicted"], oe_ratio=ratio, category="as_expected", tooltip=words)
    flag = measure.spec["flag"]
    finding = f"Observed over predicted of each {noun(level)}, its own effect in the prediction."
    return _forms(
        lambda form: charts.funnel(
            shown,
            limits,
            form=form,
            title=f"Does the model describe each {noun(level)}?",
            finding=finding,
            providers=nouns(level),
            continuous=not measure.counts,
            x_name=f"Predicted {measure.event}" if measure.counts else "Patients",
            y_name="Observed ÷ predicted (log scale)",
            reference_words="as predicted",
            limit_words=(_limit(flag["watch"]), _limit(flag["flag"])),
        )
    )


def _limit(level: float) -> str:
    return f"{numbers.level_percent(float(level))} limit"


def caterpillar_charts(site: Site, measure: MeasureView, level: str, root: str = "") -> tuple[Chart, ...]:
    """Caterpillar of shrunken ratios and ranks in both forms."""
    rows = drawable(site, measure.providers[level], root)
    return _forms(
        lambda form: charts.caterpillar(
            rows,
            form=form,
            title=f"How sure are we of each {noun(level)}, and of its rank?",
            finding=headline(measure.finding(level)),
            providers=nouns(level),
            status=measure.status_words,
            grouped_words=say("grouped_rows", providers=nouns(level)),
            hidden_words=HIDDEN,
        )
    )


def shrinkage_charts(site: Site, measure: MeasureView, level: str, root: str = "") -> tuple[Chart, ...]:
    """Raw against shrunken ratios by quarters of size, in both forms."""
    size, size_words = (
        ("expected_marginal", "{low}–{high} expected") if measure.counts else ("n", "{low}–{high} patients")
    )
    finding = f"Small {nouns(level)} are drawn further toward 1 than large ones."
    rows = drawable(site, measure.providers[level], root)
    return _forms(
        lambda form: charts.shrinkage(
            rows,
            form=form,
            finding=finding,
            status=measure.status_words,
            size=size,
            size_words=size_words,
            providers=nouns(level),
        )
    )


def matrix_charts(site: Site, level: str, root: str = "") -> tuple[Chart, ...]:
    """Every provider of a level on every measure."""
    rows = pd.concat([measure.providers[level] for measure in site.measures if level in measure.levels])
    titles = {measure.name: measure.title for measure in site.measures}
    finding = f"Results of every {noun(level)} on every measure."
    return _forms(
        lambda form: charts.matrix(
            drawable(site, rows, root),
            form=form,
            finding=finding,
            titles=titles,
            status=STATUS,
            providers=nouns(level),
            grouped_words=say("grouped_columns", count="{count}", providers=nouns(level)),
        )
    )


def chance_bar_chart(measure: MeasureView, level: str) -> Markup:
    """Seen against what chance does, for both limits."""
    finding = measure.finding(level)
    chances = (
        (finding.outside, finding.chance_watch, finding.watch_level),
        (finding.flagged, finding.chance_flag, finding.flag_level),
    )
    levels = [
        charts.ChanceLevel(f"outside {numbers.level_percent(limit)}", seen, *_chance_range(mean, finding.assessed))
        for seen, mean, limit in chances
        if mean is not None and finding.assessed
    ]
    if not levels:
        return Markup("")
    said = "; ".join(
        f"{level.words}: {level.seen} seen, chance alone {level.low:.0f} to {level.high:.0f}" for level in levels
    )
    return render_svg(charts.chance_bar(levels, finding=said))


def _chance_range(mean: float, assessed: int) -> tuple[float, float]:
    probability = min(max(mean / assessed, 0.0), 1.0)
    low, high = (float(stats.binom.ppf(quantile, assessed, probability)) for quantile in CHANCE_RANGE)
    return max(low, 0.0), high


def strip_svg(name: str, tracks: Sequence[charts.Track]) -> Markup:
    """One provider on every measure."""
    finding = f"{name} on every measure."
    return render_forms(_forms(lambda form: charts.strip(tracks, form=form, finding=finding, status=STATUS)), "strip")


def norm_rate(row: Mapping[Hashable, Any]) -> float:
    """The rate of the norm that O is compared with, so that every step on a page starts from the same expected."""
    return float(row["expected_marginal"] / row["n"])


def waterfall_svg(measure: MeasureView, row: Mapping[Hashable, Any], level: str) -> Markup:
    """From the average rate through case mix to the rate we believe."""
    event = measure.event or "more"
    overall = measure.totals.rate
    rates = [overall, norm_rate(row), row["observed_rate"], row["predicted_rate"]]
    if not all(numbers.known(rate) for rate in rates):
        return Markup("")
    more = (
        (f"More {event} than expected", f"Fewer {event} than expected")
        if measure.counts
        else ("More than expected", "Less than expected")
    )
    words = charts.WaterfallWords(
        average=f"Average {noun(level)}",
        case_mix=("Case mix adds", "Case mix takes away"),
        unexplained=more,
        held_back=("Drawn in", "Held back"),
        notes=(
            "all patients",
            "its patients",
            f"{numbers.amount(row['expected_marginal'])} {event}" if measure.counts else "",
            "not explained",
            f"{numbers.integer(row['observed'])} {event}" if measure.counts else "",
            f"reliability {numbers.ratio(row['reliability'])}",
            "what we believe",
        ),
    )
    told = zip(("Observed", "expected", "predicted"), (rates[2], rates[1], rates[3]), strict=True)
    finding = ", ".join(f"{word} {rate_words(measure, rate)}" for word, rate in told) + "."
    return render_forms(
        _forms(
            lambda form: charts.waterfall(
                charts.Rates(*map(float, rates)),
                form=form,
                finding=finding,
                words=words,
                unit=measure.unit or ("" if measure.counts else "units"),
            )
        ),
        f"why-{measure.name}",
    )


def physicians_svg(measure: MeasureView, level: str, rows: Sequence[Mapping[Hashable, Any]]) -> Markup:
    """The inner providers of one outer provider, each against the norm."""
    finding = f"Shrunken ratios of its {nouns(level)} with 95 % intervals."
    hidden = "{band} cases: not shown"
    chart = charts.physicians(rows, finding=finding, hidden_words=hidden, status=measure.status_words)
    return render_svg(chart, f"inner-{measure.name}")


def forest_svg(measure: MeasureView, effects: pd.DataFrame, finding: str) -> Markup:
    """Effects of the case mix with their intervals; `effects` has label, term, estimate, lower, upper."""
    family = str(measure.spec["family"])
    scale = "" if family == "gaussian" else " (log scale)"
    name = f"{EFFECTS.get(family, 'Difference')}, 95\u202f% interval{scale}"
    return render_forms(
        _forms(
            lambda form: charts.forest(
                effects, form=form, finding=finding, axis_name=name, difference=family == "gaussian"
            )
        ),
        "forest",
    )


def calibration_svg(measure: MeasureView) -> Markup:
    """Observed against predicted by band of risk."""
    unit = "" if measure.counts else measure.unit or "units"
    names = {
        "x_name": "Predicted rate" if measure.counts else "Predicted mean",
        "y_name": "Observed rate" if measure.counts else "Observed mean",
    }
    finding = "Observed against predicted, from the lowest to the highest predicted risk."
    return render_forms(
        _forms(
            lambda form: charts.calibration(measure.of("calibration"), form=form, finding=finding, unit=unit, **names)
        ),
        "calibration",
    )


def shares_svg(shares: pd.DataFrame) -> Markup:
    """Where the variation lies."""
    finding = "; ".join(f"{row.label} {numbers.percent(row.share)}" for row in each(shares))
    return render_forms(_forms(lambda form: charts.variance_bar(shares, form=form, finding=finding)), "shares")


def interval_head(rows: pd.DataFrame) -> tuple[tuple[float, float], Markup]:
    """The shared axis of a column of intervals."""
    domain = charts.interval_domain(rows.assign(shown=~rows["hidden"].astype(bool)))
    return domain, render_svg(charts.interval_axis(domain))


def interval_svg(row: Any, domain: tuple[float, float]) -> Markup:
    """One interval inside a table."""
    return render_svg(charts.interval(row.ratio, row.ratio_lower, row.ratio_upper, row.category, domain=domain))


def _forms(make: Callable[[Any], Chart]) -> tuple[Chart, ...]:
    return tuple(make(form) for form in FORMS)


def markup(made: Sequence[Chart], prefix: str) -> Markup:
    """Forms of a chart for a page."""
    return render_forms(made, prefix)

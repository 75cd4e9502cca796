"""Charts of the pages: each picks the masked rows, gives words and addresses, and draws every form."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup
from scipy import stats

from profiling.reporting import charts, numbers
from profiling.reporting.chart import FORMS, Chart
from profiling.reporting.pages.shared import PER, MeasureView, Site, each, noun, nouns, rate_words
from profiling.reporting.sentences import CATALOGUE, capital, headline, say
from profiling.reporting.svg import render_forms, render_svg

CHANCE_RANGE = (0.05, 0.95)


def not_drawn() -> str:
    """The note of a chart that leaves rows out, their {count} still to be filled."""
    return say("not_drawn", count="{count}")


def effect_name(measure: MeasureView) -> str:
    """What an effect of the case mix is on the scale of its page: an odds ratio, a difference."""
    return CATALOGUE.get(f"effect_{measure.spec['family']}", CATALOGUE["effect_gaussian"])


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
        "x_name": say("axis_expected" if measure.counts else "axis_cases", event=event, providers=nouns(level)),
        "y_name": say("axis_ratio", event=capital(event)),
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
            hidden_words=not_drawn(),
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
        say("tip_over_predicted", name=name, ratio=numbers.ratio(value))
        for name, value in zip(shown["provider_name"], ratio, strict=True)
    ]
    shown = shown.assign(expected_marginal=shown["predicted"], oe_ratio=ratio, category="as_expected", tooltip=words)
    flag = measure.spec["flag"]
    finding = say("said_by_provider", provider=noun(level))
    return _forms(
        lambda form: charts.funnel(
            shown,
            limits,
            form=form,
            title=say("title_by_provider", provider=noun(level)),
            finding=finding,
            providers=nouns(level),
            continuous=not measure.counts,
            x_name=say("axis_predicted", event=measure.event) if measure.counts else say("axis_patients"),
            y_name=say("axis_over_predicted"),
            reference_words=say("as_predicted"),
            limit_words=(_limit(flag["watch"]), _limit(flag["flag"])),
        )
    )


def _limit(level: float) -> str:
    return say("limit", level=numbers.level_percent(float(level)))


def caterpillar_charts(site: Site, measure: MeasureView, level: str, root: str = "") -> tuple[Chart, ...]:
    """Caterpillar of shrunken ratios and ranks in both forms."""
    rows = drawable(site, measure.providers[level], root)
    return _forms(
        lambda form: charts.caterpillar(
            rows,
            form=form,
            title=say("caterpillar_title", provider=noun(level)),
            finding=headline(measure.finding(level)),
            providers=nouns(level),
            status=measure.status_words,
            grouped_words=say("grouped_rows", providers=nouns(level)),
            hidden_words=not_drawn(),
        )
    )


def shrinkage_charts(site: Site, measure: MeasureView, level: str, root: str = "") -> tuple[Chart, ...]:
    """Raw against shrunken ratios by quarters of size, in both forms."""
    size, size_words = (
        ("expected_marginal", CATALOGUE["size_expected"]) if measure.counts else ("n", CATALOGUE["size_patients"])
    )
    finding = say("said_shrinkage", providers=nouns(level))
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
    finding = say("said_matrix", provider=noun(level))
    return _forms(
        lambda form: charts.matrix(
            drawable(site, rows, root),
            form=form,
            finding=finding,
            titles=titles,
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
        charts.ChanceLevel(
            say("outside_level", level=numbers.level_percent(limit)), seen, *_chance_range(mean, finding.assessed)
        )
        for seen, mean, limit in chances
        if mean is not None and finding.assessed
    ]
    if not levels:
        return Markup("")
    said = "; ".join(
        say(
            "chance_bar_said",
            words=level.words,
            seen=level.seen,
            range=say("range", low=f"{level.low:.0f}", high=f"{level.high:.0f}"),
        )
        for level in levels
    )
    return render_svg(charts.chance_bar(levels, finding=said))


def _chance_range(mean: float, assessed: int) -> tuple[float, float]:
    probability = min(max(mean / assessed, 0.0), 1.0)
    low, high = (float(stats.binom.ppf(quantile, assessed, probability)) for quantile in CHANCE_RANGE)
    return max(low, 0.0), high


def strip_svg(name: str, tracks: Sequence[charts.Track]) -> Markup:
    """One provider on every measure."""
    finding = say("said_strip", name=name)
    return render_forms(_forms(lambda form: charts.strip(tracks, form=form, finding=finding)), "strip")


def norm_rate(measure: MeasureView, row: Mapping[Hashable, Any]) -> float:
    """The rate of the norm that O is compared with, so that every step on a page starts from the same expected."""
    if measure.spec.get("exposure") or measure.spec.get("trials"):
        return float(row["expected_marginal"] / row["expected"] * row["expected_rate"])
    return float(row["expected_marginal"] / row["n"])


def waterfall_svg(measure: MeasureView, row: Mapping[Hashable, Any], level: str) -> Markup:
    """From the average rate through case mix to the rate we believe."""
    event = measure.event
    overall = measure.totals.rate
    rates = [overall, norm_rate(measure, row), row["observed_rate"], row["predicted_rate"]]
    if not all(numbers.known(rate) for rate in rates):
        return Markup("")
    more = (
        (say("bar_more", event=event), say("bar_fewer", event=event))
        if measure.counts
        else (say("bar_more_value"), say("bar_less_value"))
    )
    words = charts.WaterfallWords(
        average=say("bar_average", provider=noun(level)),
        case_mix=(say("bar_case_mix_up"), say("bar_case_mix_down")),
        unexplained=more,
        held_back=(say("bar_drawn_in"), say("bar_held_back")),
        notes=(
            say("note_all_patients"),
            say("note_its_patients"),
            f"{numbers.amount(row['expected_marginal'])} {event}" if measure.counts else "",
            say("note_unexplained"),
            f"{numbers.integer(row['observed'])} {event}" if measure.counts else "",
            say("note_reliability", reliability=numbers.ratio(row["reliability"])),
            say("note_believed"),
        ),
    )
    told = {"observed": rates[2], "expected": rates[1], "predicted": rates[3]}
    exposure = measure.spec.get("exposure")
    scale, unit = 1, measure.unit or ("" if measure.counts else say("units_word"))
    if exposure:
        scale, unit = PER, say("unit_per", per=numbers.integer(PER), exposure=exposure)
    finding = say("said_waterfall", **{name: rate_words(measure, rate) for name, rate in told.items()})
    return render_forms(
        _forms(
            lambda form: charts.waterfall(
                charts.Rates(*(scale * float(rate) for rate in rates)),
                form=form,
                finding=finding,
                words=words,
                unit=unit,
            )
        ),
        f"why-{measure.name}",
    )


def physicians_svg(measure: MeasureView, level: str, rows: Sequence[Mapping[Hashable, Any]]) -> Markup:
    """The inner providers of one outer provider, each against the norm."""
    finding = say("said_inner", providers=nouns(level))
    hidden = CATALOGUE["cases_hidden"]
    chart = charts.physicians(rows, finding=finding, hidden_words=hidden, status=measure.status_words)
    return render_svg(chart, f"inner-{measure.name}")


def forest_svg(measure: MeasureView, effects: pd.DataFrame, finding: str) -> Markup:
    """Effects of the case mix with their intervals; `effects` has label, term, estimate, lower, upper."""
    family = str(measure.spec["family"])
    name = say("axis_effect_linear" if family == "gaussian" else "axis_effect", effect=effect_name(measure))
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
    unit = "" if measure.counts else measure.unit or say("units_word")
    names = {
        "x_name": say("axis_predicted_rate" if measure.counts else "axis_predicted_mean"),
        "y_name": say("axis_observed_rate" if measure.counts else "axis_observed_mean"),
    }
    finding = say("said_calibration")
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

"""Panel of a provider: its results by period, what added up, and whether a chart passed its line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.reporting import numbers, sentences
from profiling.reporting.charts.series import Cusum, Floats, Series
from profiling.reporting.charts.trend import TrendWords, trend
from profiling.reporting.definitions import named
from profiling.reporting.pages.panel import Head, Links, Panel, PanelTable, drawn
from profiling.reporting.pages.shared import MeasureView, noun, nouns

KIND = "periods"
FEWEST = 3
LIMITS = ("lower_flag", "lower_watch", "upper_watch", "upper_flag")
SIDES = (("more", "cusum", "signal"), ("fewer", "cusum_lower", "signal_lower"))


def prepare(measure: MeasureView) -> dict[str, tuple[Series, Floats]]:
    """By provider of the outer level the series that may be shown, with the cases of each period."""
    rows = measure.of("provider_periods")
    rows = rows[(rows["level"] == measure.outer) & (rows["expected"].astype(float) > 0)]
    if rows.empty:
        return {}
    rows = rows.sort_values(["provider", "position"], kind="stable", ignore_index=True)
    expected = rows["expected"].to_numpy(dtype=float)
    added = rows["expected"].astype(float).groupby(rows["provider"].astype(str)).cumsum().to_numpy(dtype=float)
    limits = measure.of("funnel_limits")
    limits = limits[limits["level"] == measure.outer]
    each_limit, total_limit = limits_at(limits, expected), added[:, None] * (limits_at(limits, added) - 1.0)
    starts = np.flatnonzero(
        np.r_[True, rows["provider"].astype(str).to_numpy()[1:] != rows["provider"].astype(str).to_numpy()[:-1]]
    )
    columns = {name: rows[name].to_numpy(dtype=float) for name in ("position", "observed", "n", *_numbers(rows))}
    flags = {name: (rows[name].map({True: 1.0, False: 0.0}).fillna(0.0) > 0).to_numpy() for _, _, name in SIDES}
    periods, first = rows["period"].astype(str).to_numpy(), float(columns["position"].min())
    found = {}
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
        part = slice(start, end)
        if end - start >= FEWEST:
            charts = {
                side: _cusum(columns[name][part], columns[f"{name}_limit"][part], flags[signal][part])
                for side, name, signal in SIDES
            }
            series = Series(
                tuple(periods[part].tolist()),
                columns["position"][part] - first,
                columns["observed"][part],
                expected[part],
                each_limit[part],
                total_limit[part],
                **charts,
            )
            found[str(rows["provider"].iloc[start])] = (series, columns["n"][part])
    return found


def _numbers(rows: pd.DataFrame) -> list[str]:
    return [name for _, chart, _ in SIDES for name in (chart, f"{chart}_limit") if name in rows]


def _cusum(values: Floats, limits: Floats, passed: np.ndarray) -> Cusum | None:
    if not np.isfinite(values).all():
        return None
    return Cusum(values, passed, float(limits[-1]))


def limits_at(limits: pd.DataFrame, expected: npt.ArrayLike) -> Floats:
    """Limits of the ratio at each expected number (k, 4), from the published ones.

    Before the first and beyond the last of them the logarithm goes by 1/√E, as that of a normal ratio; NaN without any.
    """
    wanted = np.asarray(expected, dtype=np.float64)
    if limits.empty:
        return np.full((len(wanted), 4), np.nan)
    known = limits.sort_values("expected")
    at = known["expected"].to_numpy(dtype=float)
    inside = np.clip(wanted, at[0], at[-1])
    scale = np.sqrt(inside / wanted)
    edges = [np.log(np.maximum(known[name].to_numpy(dtype=float), 1e-9)) for name in LIMITS]
    logarithms = np.column_stack([np.interp(inside, at, edge) * scale for edge in edges])
    return np.asarray(np.exp(np.clip(logarithms, -50, 50)), dtype=np.float64)


def panel(measure: MeasureView, found: tuple[Series, Floats] | None, links: Links = ()) -> Panel | None:
    """The panel, or None where no series may be shown."""
    if found is None:
        return None
    series, cases = found
    event = measure.event or measure.unit or sentences.say("units_word")
    title = _finding(series, event)
    words = TrendWords(
        ratio=sentences.say("trend_ratio"),
        total=sentences.say("trend_total", event=sentences.capital(event)),
        event=event,
    )
    identity = f"trend-{measure.name}"
    drawing = drawn(identity, lambda form: trend(series, form=form, finding=title, words=words))
    return Panel(
        title,
        sentences.say("trend_sub" if series.more or series.fewer else "trend_sub_values", provider=noun(measure.outer)),
        drawing,
        _told(measure, series, event),
        _table(measure, series, cases),
        links,
        defined=named("limits", "vlad", "cusum") if series.more or series.fewer else named("limits", "vlad"),
        beside="words",
    )


def untold(found: Mapping[str, object], provider: str, word: str) -> str:
    """Why a provider's course is not shown where those of others are, how many of them; else nothing."""
    if not found or provider in found:
        return ""
    return sentences.say("trend_untold", provider=word, count=numbers.integer(len(found)))


def _signals(series: Series) -> dict[str, list[str]]:
    return {
        side: [series.period[place] for place in np.flatnonzero(chart.passed).tolist()] if chart else []
        for side, chart in (("more", series.more), ("fewer", series.fewer))
    }


def _finding(series: Series, event: str) -> str:
    """A chart that passed its line; else a sum that left its limits; else that nothing built up."""
    signals = _signals(series)
    for side in ("more", "fewer"):
        if signals[side]:
            return sentences.say(f"trend_{side}", periods=sentences.listed(signals[side][: sentences.MOST_NAMES]))
    _, low, high, _ = series.total_limits[-1]
    if series.total[-1] > high or series.total[-1] < low:
        return sentences.say("trend_rose" if series.total[-1] > high else "trend_fell", event=event)
    return sentences.say("trend_quiet", ratios=numbers.interval_text(series.ratio.min(), series.ratio.max()))


def _told(measure: MeasureView, series: Series, event: str) -> tuple[str, ...]:
    """What added up, how many periods lie outside beside what chance would put there, and what a line means."""
    difference = float(series.total[-1])
    outside = sum(category != "as_expected" for category in series.categories)
    watch = 1.0 - float(measure.spec["flag"]["watch"])
    told = [
        sentences.say(
            "trend_added" if difference >= 0 else "trend_saved",
            periods=sentences.counted(len(series.period), sentences.level_noun("period")),
            difference=numbers.amount(abs(difference)),
            event=event,
        ),
        sentences.say(
            "trend_outside",
            count=sentences.counted(outside, sentences.level_noun("period"), capital=True),
            lie=sentences.verb("lie", outside),
            level=numbers.level_percent(1 - watch),
            chance=numbers.few(watch * len(series.period)),
        ),
    ]
    if (series.more or series.fewer) and not any(_signals(series).values()):
        told.append(sentences.say("trend_no_signal"))
    alarm = measure.checks.get("cusum_false_alarm")
    if (series.more or series.fewer) and numbers.known(alarm):
        told.append(
            sentences.say(
                "trend_alarm",
                chance=numbers.chance(alarm),
                provider=noun(measure.outer),
                providers=nouns(measure.outer),
            )
        )
    return tuple(told)


def _table(measure: MeasureView, series: Series, cases: Floats) -> PanelTable:
    show = numbers.integer if measure.counts else numbers.amount
    head = (
        Head(sentences.say("head_period"), number=False),
        Head(sentences.say("head_patients")),
        Head(sentences.say("head_observed"), key="observed"),
        Head(sentences.say("head_expected"), key="expected"),
        Head(sentences.say("head_ratio"), key="raw-ratio"),
        Head(sentences.say("head_added")),
        Head(sentences.say("head_words"), number=False),
    )
    rows = tuple(
        (
            period,
            numbers.integer(n),
            show(observed),
            numbers.amount(expected),
            numbers.ratio(ratio),
            numbers.signed(total),
            {"status": measure.worded(category)},
        )
        for period, n, observed, expected, ratio, total, category in zip(
            series.period, cases, series.observed, series.expected, series.ratio, series.total, series.categories,
            strict=True,
        )
    )  # fmt: skip
    return PanelTable(sentences.say("trend_table", title=measure.title), head, rows)

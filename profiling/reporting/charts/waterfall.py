"""Why this result: from the average rate through case mix to the observed and the predicted rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from profiling.reporting import numbers
from profiling.reporting.chart import Bar, Chart, Form, Item, Scale, Segments, Text, text_width
from profiling.reporting.charts import parts
from profiling.reporting.sentences import level_noun, say


@dataclass(frozen=True)
class Rates:
    """The four totals, as shares (binomial) or in the outcome's unit."""

    average: float
    expected: float
    observed: float
    predicted: float


def _said(up: str, down: str) -> Callable[[], tuple[str, str]]:
    """Words for a step up and a step down."""
    return lambda: (say(up), say(down))


@dataclass(frozen=True)
class WaterfallWords:
    """Names of the seven rows and notes beside their figures. Pairs are for a step up and a step down."""

    average: str = field(default_factory=lambda: say("bar_average", provider=level_noun("hospital")))
    case_mix: tuple[str, str] = field(default_factory=_said("bar_case_mix_up", "bar_case_mix_down"))
    expected: str = field(default_factory=lambda: say("bar_expected"))
    unexplained: tuple[str, str] = field(default_factory=_said("bar_more_value", "bar_less_value"))
    observed: str = field(default_factory=lambda: say("bar_observed"))
    held_back: tuple[str, str] = field(default_factory=_said("bar_drawn_in", "bar_held_back"))
    predicted: str = field(default_factory=lambda: say("bar_predicted"))
    notes: tuple[str, str, str, str, str, str, str] = ("", "", "", "", "", "", "")


@dataclass(frozen=True)
class _Step:
    name: str
    start: float
    end: float
    role: str
    figure: str
    note: str

    @property
    def is_total(self) -> bool:
        return self.start == 0.0 and self.role.startswith("total")


def waterfall(
    rates: Rates,
    *,
    form: Form = "wide",
    title: str = "",
    finding: str = "",
    words: WaterfallWords | None = None,
    unit: str = "",
) -> Chart:
    """Seven bars: totals from zero, steps between them; only the unexplained step takes a colour.

    `unit` empty: rates are shares and printed in per cent; else the word after the number (days).
    """
    title = title or say("title_waterfall")
    steps = _steps(rates, words or WaterfallWords(), unit)
    wide = form == "wide"
    width, pitch, bar, first = (720.0, 34.0, 20.0, 18.0) if wide else (350.0, 47.0, 18.0, 34.0)
    left = max(text_width(s.name, bold=s.is_total) for s in steps) + 14 if wide else 1.0
    room = max(text_width(s.figure, bold=True) + text_width(s.note) + 20 for s in steps)
    most = max(rates.average, rates.expected, rates.observed, rates.predicted)
    right = max(width - min(room, width * 0.45), left + 60)
    x = Scale(0.0, most * 1.02 if most > 0 else 1.0, left, right)
    bottom = first + pitch * (len(steps) - 1) + bar / 2 + 6
    ticks = parts.linear_ticks(x, 4 if wide else 3)
    tick_words = [numbers.percent(t, 0 if max(ticks) >= 0.04 else 1) for t in ticks]
    if unit:
        tick_words = [parts.tick_text(t) for t in ticks]
    items = parts.grid_x(x, ticks, 4, bottom, (bottom + 17,), tick_words)
    items += _connectors(steps, x, first, pitch, bar, wide)
    for index, step in enumerate(steps):
        items += _row(step, x, first + pitch * index, bar, wide, left, width)
    items.append(Segments(((left, 4, left, bottom),), "axis"))
    return Chart("waterfall", title, finding, width, bottom + 24, tuple(items), form, {"x": x})


def _steps(rates: Rates, words: WaterfallWords, unit: str) -> list[_Step]:
    total, change = _formats(unit)
    a, e, o, p = rates.average, rates.expected, rates.observed, rates.predicted
    n = words.notes
    return [
        _Step(words.average, 0.0, a, "total", total(a), n[0]),
        _Step(_pick(words.case_mix, e - a), a, e, "case-mix", change(e - a), n[1]),
        _Step(words.expected, 0.0, e, "total", total(e), n[2]),
        _Step(
            _pick(words.unexplained, o - e),
            e,
            o,
            "unexplained-high" if o >= e else "unexplained-low",
            change(o - e),
            n[3],
        ),
        _Step(words.observed, 0.0, o, "total-own", total(o), n[4]),
        _Step(_pick(words.held_back, p - o), o, p, "held-back", change(p - o), n[5]),
        _Step(words.predicted, 0.0, p, "total-own", total(p), n[6]),
    ]


def _formats(unit: str) -> tuple[Callable[[float], str], Callable[[float], str]]:
    """How totals and how changes are printed."""
    if unit:
        return (lambda v: f"{numbers.decimal(v, 1)} {unit}"), (lambda v: numbers.signed(v, 1))
    return (lambda v: numbers.percent(v, 1)), (lambda v: numbers.signed(100 * v, 1))


def _pick(pair: tuple[str, str], change: float) -> str:
    return pair[0] if change >= 0 else pair[1]


def _connectors(steps: list[_Step], x: Scale, first: float, pitch: float, bar: float, wide: bool) -> list[Item]:
    """Thin lines from the end of each bar to the start of the next, none through words above a bar."""
    pieces = tuple(
        (x.at(s.end), first + pitch * i + bar / 2, x.at(s.end), first + pitch * (i + 1) - bar / 2)
        for i, s in enumerate(steps[:-1])
        if wide or x.at(s.end) > x.start + text_width(steps[i + 1].name, bold=steps[i + 1].is_total) + 6
    )
    return [Segments(pieces, "connector")]


def _row(step: _Step, x: Scale, y: float, bar: float, wide: bool, left: float, width: float) -> list[Item]:
    start, end = sorted((x.at(step.start), x.at(step.end)))
    figure_x = end + 8
    note_x = figure_x + text_width(step.figure, bold=step.is_total) + 10
    role = "strong" if step.is_total else "label"
    note = step.note if note_x + text_width(step.note) <= width + 4 else ""
    return [
        Bar(start, y - bar / 2, max(end - start, 1.0), bar, step.role),
        Text(left - 12, y + 4, step.name, role, "end")
        if wide
        else Text(left, y - bar / 2 - 5, step.name, role, "start", True),
        Text(figure_x, y + 4, step.figure, role, halo=True),
        *parts.note(note_x, y + 4, note),
    ]

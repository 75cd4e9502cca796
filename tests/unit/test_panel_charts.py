"""Charts of the panels: places agree with the numbers, words stay on the chart and off each other, nothing hidden."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from lxml import etree
from test_charts import boxes_overlap, hospitals

from profiling.assessment.normality import normal_quantiles
from profiling.reporting.chart import FORMS, Chart, Group, flat
from profiling.reporting.charts.dots import DotRow, dots
from profiling.reporting.charts.effects import effects
from profiling.reporting.charts.events import Threshold, event_line
from profiling.reporting.charts.groups import Estimate, Subgroup, Trait, groups
from profiling.reporting.charts.links import Link, Node, links
from profiling.reporting.charts.reliability import count_ticks, reliability
from profiling.reporting.charts.series import Cusum, Series
from profiling.reporting.charts.trend import trend
from profiling.reporting.svg import render_svg


def with_effects(count: int = 40, hidden: int = 0, seed: int = 1) -> pd.DataFrame:
    table = hospitals(count, hidden=hidden, seed=seed)
    value = np.random.default_rng(seed).normal(size=count)
    value[0] = 5.0
    value = np.where(table["shown"], value, np.nan)
    return table.join(normal_quantiles(value))


def with_reliability(count: int = 40, hidden: int = 0, seed: int = 1) -> pd.DataFrame:
    return hospitals(count, hidden=hidden, seed=seed).assign(reliability=lambda t: t["n"] / (t["n"] + 150))


def series(periods: int = 8, cusum: bool = True, gap: bool = False) -> Series:
    random = np.random.default_rng(periods)
    expected = random.uniform(15, 30, periods)
    observed = random.poisson(expected * 1.2).astype(float)
    place = np.arange(periods, dtype=float)
    if gap:
        place[periods // 2 :] += 1
    z = np.array([-3.09, -1.96, 1.96, 3.09])
    added = np.cumsum(expected)
    path = Cusum(np.linspace(0, 6, periods), np.arange(periods) == periods - 1, 5.0)
    return Series(
        tuple(f"{2021 + i // 4} Q{i % 4 + 1}" for i in range(periods)),
        place,
        observed,
        expected,
        np.exp(z / np.sqrt(expected)[:, None]),
        added[:, None] * (np.exp(z / np.sqrt(added)[:, None]) - 1),
        path if cusum else None,
        Cusum(np.zeros(periods), np.zeros(periods, dtype=bool), 4.0) if cusum else None,
    )


def subgroups(hidden: bool = True) -> list[Trait]:
    estimate = Estimate(1.1, 1.02, 1.19)
    rows = [Subgroup("1 least deprived", estimate, Estimate(1.05, 0.97, 1.13)), Subgroup("5", estimate)]
    return [Trait("Deprivation", tuple(rows)), Trait("Payer", (Subgroup("none", None, instead="not shown"),) * hidden)]


THRESHOLDS = [Threshold(c, s) for c, s in ((8, "lower"), (12, "lower_watch"), (31, "higher_watch"), (38, "higher"))]
BUILDERS: dict[str, Callable[[str], Chart]] = {
    "effects": lambda form: effects(with_effects(hidden=4), form=form, hidden_words="{count} not drawn"),  # type: ignore[arg-type]
    "effects-many": lambda form: effects(with_effects(3000), form=form),  # type: ignore[arg-type]
    "reliability": lambda form: reliability(with_reliability(), 350.0, form=form, needed_words="about 350 patients"),  # type: ignore[arg-type]
    "reliability-many": lambda form: reliability(with_reliability(3000), 350.0, form=form),  # type: ignore[arg-type]
    "trend": lambda form: trend(series(), form=form),  # type: ignore[arg-type]
    "trend-values": lambda form: trend(series(20, cusum=False, gap=True), form=form),  # type: ignore[arg-type]
    "events": lambda form: event_line(40, 20.4, THRESHOLDS, "higher", form=form),  # type: ignore[arg-type]
    "events-near": lambda form: event_line(21, 20.4, THRESHOLDS, "as_expected", form=form),  # type: ignore[arg-type]
    "groups": lambda form: groups(subgroups(), form=form),  # type: ignore[arg-type]
    "dots": lambda form: dots(
        [DotRow("without age", 0.97, "1 of 40"), DotRow("the other", math.nan, "–")],
        (0.5, 1.0),
        form=form,
        finding="One result changes",
        reference=1.0,  # type: ignore[arg-type]
    ),
    "links": lambda form: links(
        [Node("three hospitals of 100–249", "12 %"), Node("two hospitals of 250–499", "88 %")],
        [Node("40 physicians in one hospital", "90 %"), Node("four physicians in two hospitals", "10 %")],
        [Link(0, 0, 0.1), Link(0, 1, 0.02), Link(1, 0, 0.8), Link(1, 1, 0.08)],
        form=form,  # type: ignore[arg-type]
    ),
}
CASES = list(itertools.product(BUILDERS, FORMS))


@pytest.mark.parametrize(("name", "form"), CASES)
def test_words_stay_on_the_chart_and_off_each_other(name: str, form: str) -> None:
    chart = BUILDERS[name](form)
    assert boxes_overlap(list(chart.texts)) == []
    for text in chart.texts:
        left, top, right, bottom = text.box
        assert left >= -2, text
        assert right <= chart.width + 4, text
        assert top >= -1, text
        assert bottom <= chart.height + 1, text
    for mark in chart.marks:
        assert 0 <= mark.x <= chart.width
        assert 0 <= mark.y <= chart.height


@pytest.mark.parametrize(("name", "form"), CASES)
def test_every_mark_has_a_title_and_the_same_bytes(name: str, form: str) -> None:
    first, second = (render_svg(BUILDERS[name](form), "p") for _ in range(2))
    assert first == second
    chart = BUILDERS[name](form)
    titled = {mark for item in chart.items if isinstance(item, Group) and item.title for mark in flat((item,))}  # type: ignore[misc]
    legend = 2 if name == "groups" else 0
    assert len([mark for mark in chart.marks if not mark.title and mark not in titled]) == legend
    assert etree.fromstring(str(first).encode()).get("aria-label")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("builder", [effects, reliability])
def test_hidden_providers_leave_no_trace(form: str, builder: Callable[..., Chart]) -> None:
    make = with_effects if builder is effects else with_reliability
    more = {} if builder is effects else {"needed": 300.0}
    table = make(40, hidden=9)
    chart = builder(table, form=form, **more)
    without = builder(table[table["shown"]].reset_index(drop=True), form=form, **more)
    assert render_svg(chart) == render_svg(without)
    assert render_svg(builder(table.head(0), form=form, **more))


def test_effects_stand_at_their_quantiles_and_bars_count_all() -> None:
    table = with_effects()
    chart = effects(table)
    marks = {mark.title.split(":")[0]: mark for mark in chart.marks}
    for row in table.itertuples():
        mark = marks[str(row.provider_name)]
        assert mark.x == pytest.approx(chart.scales["theoretical"].at(float(row.theoretical)))  # type: ignore[arg-type]
        assert mark.y == pytest.approx(chart.scales["value"].at(float(row.value)))  # type: ignore[arg-type]
    tree = etree.fromstring(str(render_svg(chart)).encode())
    bars = [title.text for title in tree.iter("title") if " to " in (title.text or "") and "spreads" not in title.text]
    assert sum(int(text.rpartition(": ")[2]) for text in bars) == 40
    named = {text.text for text in chart.texts} & set(table["provider_name"])
    assert named == {"Hospital number 0"} == set(table.loc[table["beyond"], "provider_name"])


def test_very_many_effects_make_no_large_drawing() -> None:
    table = with_effects(5000)
    svg = render_svg(effects(table))
    assert len(svg) < 150_000
    chart = effects(table)
    alone = [mark for mark in chart.marks if mark.role != "bin"]
    shared = sum(int(mark.title.split()[0].replace(",", "")) for mark in chart.marks if mark.role == "bin")
    assert len(alone) + shared == 5000
    assert len(render_svg(reliability(with_reliability(5000), 300.0))) < 150_000


def test_the_curve_of_reliability_passes_the_target_at_the_cases_needed() -> None:
    chart = reliability(with_reliability(), 350.0, needed_words="about 350 patients")
    curve = next(item for item in chart.items if getattr(item, "role", "") == "curve")
    x, y = chart.scales["x"], chart.scales["y"]
    places = np.array(curve.points)  # type: ignore[union-attr]
    assert np.interp(x.at(350.0), places[:, 0], places[:, 1]) == pytest.approx(y.at(0.7), abs=0.1)
    assert count_ticks(x, 40) == tuple(sorted(count_ticks(x, 40)))


def test_a_trend_adds_up_and_breaks_where_a_period_is_missing() -> None:
    one = series(8, gap=True)
    assert one.runs == (slice(0, 4), slice(4, 8))
    chart = trend(one)
    lines = [item for item in chart.items if getattr(item, "role", "") == "fine"]
    assert [len(line.points) for line in lines] == [4, 4]  # type: ignore[union-attr]
    path = next(item for item in chart.items if getattr(item, "role", "") == "path")
    y = chart.scales["total"]
    ends = [point[1] for point in path.points]  # type: ignore[union-attr]
    assert ends == pytest.approx([y.at(0.0), *(y.at(float(v)) for v in np.cumsum(one.observed - one.expected))])
    signal = [mark for mark in chart.marks if "passed its line" in mark.title]
    assert [mark.title for mark in signal] == [f"{one.period[-1]}: passed its line"]
    for mark, ratio in zip([m for m in chart.marks if "ratio" in m.title], one.ratio, strict=True):
        assert mark.y == pytest.approx(chart.scales["ratio"].at(float(ratio)))


def test_bands_of_events_end_half_an_event_before_the_threshold() -> None:
    chart = event_line(40, 20.4, THRESHOLDS, "higher")
    x = chart.scales["x"]
    outer, inner = (item for item in chart.items if getattr(item, "role", "").startswith("band"))
    assert (outer.x, outer.x + outer.width) == pytest.approx((x.at(8.5), x.at(37.5)))  # type: ignore[union-attr]
    assert (inner.x, inner.x + inner.width) == pytest.approx((x.at(12.5), x.at(30.5)))  # type: ignore[union-attr]
    (own,) = chart.marks
    assert (own.x, own.role) == (pytest.approx(x.at(40)), "higher")


def test_groups_show_both_case_mixes_and_words_for_hidden_ones() -> None:
    chart = groups(subgroups())
    x = chart.scales["x"]
    drawn = [item for item in chart.items if isinstance(item, Group)]
    assert [group.title for group in drawn] == [
        "1 least deprived: 1.10 (1.02–1.19)", "1 least deprived: 1.05 (0.97–1.13)", "5: 1.10 (1.02–1.19)"
    ]  # fmt: skip
    assert {round(m.x, 3) for g in drawn for m in flat(g.items) if hasattr(m, "shape")} == {
        round(x.at(1.1), 3), round(x.at(1.05), 3)
    }  # fmt: skip
    assert "not shown" in {text.text for text in chart.texts}


def test_ribbons_are_as_wide_as_their_share() -> None:
    chart = BUILDERS["links"]("wide")
    ribbons = [item for item in chart.items if getattr(item, "role", "") in ("band95", "total")]
    widths = sorted(item.points[-1][1] - item.points[0][1] for item in ribbons)  # type: ignore[union-attr]
    assert widths == pytest.approx([300 * share for share in (0.02, 0.08, 0.1, 0.8)])

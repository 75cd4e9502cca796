"""Builders of charts: places agree with the numbers, nothing overlaps, nothing hidden is drawn."""

from __future__ import annotations

import itertools
import math
import re
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from lxml import etree

from profiling.reporting import charts
from profiling.reporting.chart import FORMS, Bar, Chart, Group, Scale, Segments, Text
from profiling.reporting.charts import parts
from profiling.reporting.charts.placement import Anchor, box_of, place_labels
from profiling.reporting.svg import render_svg

FLAGGED = ("higher", "lower", "higher_watch", "lower_watch")
SINGLE = (*FLAGGED, "spot-high", "spot-low")


def hospitals(count: int = 60, hidden: int = 0, seed: int = 1) -> pd.DataFrame:
    """A masked table as reporting hands it to the builders."""
    draw = np.random.default_rng(seed)
    expected = np.exp(draw.normal(3.0, 0.5, count))
    observed = draw.poisson(expected * np.exp(draw.normal(0, 0.25, count))).astype(float)
    z = (observed - expected) / np.sqrt(expected)
    ratio = np.exp(0.4 * np.log(np.maximum(observed, 0.5) / expected))
    rank = pd.Series(ratio).rank().to_numpy()
    table = pd.DataFrame(
        {
            "provider": [f"H{i:04d}" for i in range(count)],
            "provider_name": [f"Hospital number {i}" for i in range(count)],
            "n": np.round(expected * 12),
            "observed": observed,
            "expected": expected,
            "expected_marginal": expected * 1.01,
            "oe_ratio": observed / (expected * 1.01),
            "ratio": ratio,
            "ratio_lower": ratio * 0.8,
            "ratio_upper": ratio * 1.25,
            "expected_rank": rank,
            "rank_lower": np.maximum(rank - 9, 1),
            "rank_upper": np.minimum(rank + 9, count),
            "reliability": 0.4,
            "z": z,
            "category": np.select(
                [z > 3, z > 2, z < -3, z < -2],
                ["higher", "higher_watch", "lower", "lower_watch"],
                "as_expected",
            ),
            "case_band": "11–24",
            "shown": True,
            "href": [f"h/H{i:04d}.html" for i in range(count)],
        }
    )
    return masked(table, draw.choice(count, hidden, replace=False))


def masked(table: pd.DataFrame, rows: object) -> pd.DataFrame:
    table.loc[rows, "shown"] = False  # type: ignore[call-overload]
    table.loc[rows, table.select_dtypes("number").columns] = np.nan  # type: ignore[call-overload]
    return table


def limits(largest: float = 100.0) -> pd.DataFrame:
    at = np.geomspace(1, largest, 80)
    edges = {"lower_flag": -3.09, "lower_watch": -1.96, "upper_watch": 1.96, "upper_flag": 3.09}
    curves = {k: np.exp(z / np.sqrt(at)) for k, z in edges.items()}
    return pd.DataFrame({"position": range(80), "expected": at, **curves})


def every_measure(hidden: int = 5) -> pd.DataFrame:
    return pd.concat(
        [
            hospitals(hidden=hidden).assign(measure="death"),
            hospitals(seed=2).assign(measure="stay"),
        ],
        ignore_index=True,
    )


def tracks(table: pd.DataFrame, me: str) -> list[charts.Track]:
    """A strip's tracks: of every measure the ratios of all and the row of one."""
    return [
        charts.Track(str(measure), rows["ratio"].dropna().to_numpy(), row)
        for measure, rows in table.groupby("measure", sort=False)
        for row in rows[rows["provider"] == me].to_dict("records")
    ]


BUILDERS: dict[str, Callable[[pd.DataFrame, str], Chart]] = {
    "funnel": lambda f, form: charts.funnel(f, limits(), form=form),  # type: ignore[arg-type]
    "caterpillar": lambda f, form: charts.caterpillar(f, form=form),  # type: ignore[arg-type]
    "shrinkage": lambda f, form: charts.shrinkage(f, form=form),  # type: ignore[arg-type]
    "physicians": lambda f, form: charts.physicians(f.head(12).to_dict("records")),
    "strip": lambda f, form: charts.strip(tracks(f.assign(measure="death"), "H0003"), form=form),  # type: ignore[arg-type]
    "matrix": lambda f, form: charts.matrix(f.assign(measure="death"), form=form),  # type: ignore[arg-type]
}
CASES = list(itertools.product(BUILDERS, FORMS))


def titled(chart: Chart) -> etree._Element:
    return etree.fromstring(str(render_svg(chart, "p")).encode())


def corners(path: str) -> list[tuple[float, float]]:
    """The corners of a path whose places are relative to each other."""
    x = y = 0.0
    found = []
    for command, numbers in re.findall(r"([Mmlhv])([^A-Za-z]*)", path):
        steps = [float(value) for value in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = steps
        else:
            x += steps[0] if command != "v" else 0.0
            y += steps[-1] if command != "h" else 0.0
        found.append((round(x, 1), round(y, 1)))
    return found


def boxes_overlap(texts: list[Text]) -> list[tuple[str, str]]:
    def touch(a: Text, b: Text) -> bool:
        (l1, t1, r1, b1), (l2, t2, r2, b2) = a.box, b.box
        return l1 < r2 - 0.5 and l2 < r1 - 0.5 and t1 < b2 - 0.5 and t2 < b1 - 0.5

    return [(a.text, b.text) for a, b in itertools.combinations(texts, 2) if touch(a, b)]


@pytest.mark.parametrize(("name", "form"), CASES)
def test_every_mark_has_a_title_or_words_beside_it(name: str, form: str) -> None:
    if name == "physicians":
        return
    tree = titled(BUILDERS[name](hospitals(), form))
    for element in tree.iter("circle", "path"):
        is_mark = element.get("class") in parts.SHAPES or element.getparent().get("class") in parts.SHAPES
        if element.tag == "circle" or is_mark:
            holders = [element, element.getparent()]
            assert any(h.find("title") is not None and h.find("title").text for h in holders)


@pytest.mark.parametrize(("name", "form"), CASES)
def test_words_do_not_cover_each_other(name: str, form: str) -> None:
    for count, seed in ((40, 3), (60, 4), (300, 5)):
        chart = BUILDERS[name](hospitals(count, seed=seed), form)
        assert boxes_overlap(list(chart.texts)) == []


@pytest.mark.parametrize(("name", "form"), CASES)
def test_words_and_marks_stay_on_the_chart(name: str, form: str) -> None:
    chart = BUILDERS[name](hospitals(60, hidden=3), form)
    for mark in chart.marks:
        assert 0 <= mark.x <= chart.width
        assert 0 <= mark.y <= chart.height
    for text in chart.texts:
        left, top, right, bottom = text.box
        assert left >= -2
        assert right <= chart.width + 4, text
        assert top >= -1
        assert bottom <= chart.height + 1, text


@pytest.mark.parametrize(("name", "form"), CASES)
def test_hidden_providers_leave_no_trace(name: str, form: str) -> None:
    table = hospitals(60, hidden=12)
    hidden = table[~table["shown"]]
    chart = BUILDERS[name](table, form)
    markup = render_svg(chart)
    if name not in ("matrix", "physicians"):  # these say the category, or that it is hidden
        assert not any(f">{n}<" in markup or f"{n}:" in markup for n in hidden["provider_name"])
    without = BUILDERS[name](table[table["shown"]].reset_index(drop=True), form)
    if name not in ("matrix", "physicians", "strip"):
        assert render_svg(without) == markup


@pytest.mark.parametrize(("name", "form"), CASES)
def test_same_table_gives_the_same_bytes(name: str, form: str) -> None:
    first, second = (render_svg(BUILDERS[name](hospitals(), form), "p") for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("name", "form"), [case for case in CASES if case[0] != "physicians"])
def test_order_of_rows_does_not_matter(name: str, form: str) -> None:
    table = hospitals()
    shuffled = table.sample(frac=1, random_state=1)
    assert render_svg(BUILDERS[name](table, form)) == render_svg(BUILDERS[name](shuffled, form))


@pytest.mark.parametrize(("name", "form"), CASES)
def test_nothing_to_draw_is_no_error(name: str, form: str) -> None:
    for table in (hospitals(12, hidden=12), hospitals(12).head(0)):
        render_svg(BUILDERS[name](table, form))


@pytest.mark.parametrize(("name", "form"), CASES)
def test_hostile_names_are_escaped(name: str, form: str) -> None:
    hostile = "<script>alert(\"x\")</script> & 'more'"
    table = hospitals(30).assign(provider_name=hostile)
    chart = BUILDERS[name](table, form)
    if name == "strip":  # names measures, not providers
        chart = charts.strip(tracks(table.assign(measure=hostile), "H0003"), form=form)  # type: ignore[arg-type]
    tree = titled(chart)
    assert not list(tree.iter("script"))
    assert any(hostile[:12] in "".join(e.itertext()) for e in tree.iter("title", "text"))


def test_funnel_puts_marks_where_the_numbers_are() -> None:
    table = hospitals()
    chart = charts.funnel(table, limits())
    by_name = {m.title.split(":")[0]: m for m in chart.marks}
    assert set(by_name) == set(table["provider_name"])
    for row in table.itertuples():
        mark = by_name[str(row.provider_name)]
        assert mark.x == pytest.approx(chart.scales["x"].at(float(row.expected_marginal)))  # type: ignore[arg-type]
        assert mark.y == pytest.approx(chart.scales["y"].at(float(row.oe_ratio)))  # type: ignore[arg-type]
        assert mark.role == row.category
        assert mark.href == row.href


def test_funnel_shapes_say_the_status() -> None:
    chart = charts.funnel(hospitals(300, seed=7), limits())
    shapes = {m.role: (m.shape, m.size) for m in chart.marks}
    assert {k: v[0] for k, v in shapes.items()} == {
        "higher": "up",
        "higher_watch": "up",
        "as_expected": "dot",
        "lower_watch": "down",
        "lower": "down",
    }
    assert shapes["higher"][1] == pytest.approx(1.2 * shapes["higher_watch"][1])


def test_funnel_draws_flagged_marks_last_and_names_only_them() -> None:
    table = hospitals()
    chart = charts.funnel(table, limits())
    flags = [m.role in FLAGGED for m in chart.marks]
    assert flags == sorted(flags)
    names = set(table["provider_name"])
    named = {t.text: t.role for t in chart.texts if t.text in names}
    category = dict(zip(table["provider_name"], table["category"], strict=True))
    assert named
    assert all(category[n] in FLAGGED for n in named)
    assert {n for n, role in named.items() if role == "strong"} == {
        n for n, c in category.items() if c in ("higher", "lower")
    }


@pytest.mark.parametrize("form", FORMS)
def test_funnel_bands_lie_on_the_limits(form: str) -> None:
    given = limits()
    chart = charts.funnel(hospitals(), given, form=form)  # type: ignore[arg-type]
    x, y = chart.scales["x"], chart.scales["y"]
    tree = titled(chart)
    (band,) = (e for e in tree.iter("path") if e.get("class") == "band95")
    points = corners(band.get("d"))
    for px, py in points:
        at = (px - x.start) / (x.end - x.start) * x.high
        if at < 1.5 or not y.end + 1 < py < y.start - 1:
            continue
        value = math.exp(math.log(y.low) + (py - y.start) / (y.end - y.start) * math.log(y.high / y.low))
        assert abs(math.log(value)) == pytest.approx(1.96 / math.sqrt(at), abs=0.02)
    assert points[0] == (x.start, y.end)
    assert points[-1] == (x.start, y.start)


def test_funnel_of_a_continuous_measure_counts_cases() -> None:
    table = hospitals().assign(oe_ratio=np.nan)
    per_case = float(table["expected_marginal"].sum() / table["n"].sum())
    chart = charts.funnel(table, limits(), continuous=True)
    mark = next(m for m in chart.marks if m.title.startswith("Hospital number 5:"))
    row = table.iloc[5]
    assert mark.x == pytest.approx(chart.scales["x"].at(row["n"]))
    assert mark.y == pytest.approx(chart.scales["y"].at(row["observed"] / row["expected_marginal"]))
    assert "cases" in mark.title
    outer = next(t for t in chart.texts if t.text.startswith("95"))
    end = chart.scales["x"].high * per_case
    assert outer.y - 4 == pytest.approx(chart.scales["y"].at(math.exp(1.96 / math.sqrt(end))), abs=4)


def test_funnel_counts_what_is_not_drawn() -> None:
    words = "{count} hospitals are not drawn"
    assert "7 hospitals are not drawn" in render_svg(
        charts.funnel(hospitals(60, hidden=7), limits(), hidden_words=words)
    )
    assert "not drawn" not in render_svg(charts.funnel(hospitals(60), limits(), hidden_words=words))


def of_a_big_region(count: int = 5000) -> pd.DataFrame:
    """Masked rows with more flagged ones than a chart draws one by one."""
    table = hospitals(count, hidden=40, seed=3)
    assert table["category"].isin(FLAGGED).sum() > parts.MOST_FLAGGED
    return table


LARGE = ("funnel", "caterpillar", "shrinkage")


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("form", FORMS)
def test_where_marks_are_shared_no_provider_is_lost_and_every_outlier_is_drawn(name: str, form: str) -> None:
    table = of_a_big_region()
    chart = BUILDERS[name](table, form)
    titles = [getattr(item, "title", "") for item in chart.items]
    told = [re.match(r"([\d,]+) hospitals: ([^.]*)", title) for title in titles]
    sums = [
        (int(m[1].replace(",", "")), [int(k.replace(",", "")) for k in re.findall(r" (\d[\d,]*)", m[2])])
        for m in told
        if m
    ]
    assert all(total == sum(by_status) for total, by_status in sums)
    alone = {mark.title.split(":")[0]: mark for mark in chart.marks if mark.role in SINGLE}
    shown = table[table["shown"]]
    assert sum(total for total, _ in sums) + len(alone) == len(shown)
    beyond = shown[shown["category"].isin(parts.BEYOND)]
    assert set(alone) == set(beyond["provider_name"])
    assert {mark.href for mark in alone.values()} == set(beyond["href"])


@pytest.mark.parametrize("name", LARGE)
def test_while_flags_are_few_those_on_watch_are_drawn_too(name: str) -> None:
    table = hospitals(5000, seed=3)
    keep = table["category"].isin(parts.BEYOND) & (np.arange(5000) < 2000)
    watch = table["category"].str.endswith("watch") & (np.arange(5000) < 800)
    table = table.assign(category=table["category"].where(keep | watch, "as_expected"))
    drawn = {mark.title.split(":")[0] for mark in BUILDERS[name](table, "wide").marks if mark.role in SINGLE}
    assert drawn == set(table.loc[table["category"] != "as_expected", "provider_name"])


@pytest.mark.parametrize("name", LARGE)
def test_charts_of_thousands_are_small_and_fast(name: str) -> None:
    table = of_a_big_region()
    begun = time.process_time()
    markup = render_svg(BUILDERS[name](table, "wide"))
    assert time.process_time() - begun < 1.5
    assert len(markup) < 300_000


@pytest.mark.parametrize("name", ["caterpillar", "shrinkage"])
def test_shared_marks_stand_at_the_means(name: str) -> None:
    table = of_a_big_region()
    chart = BUILDERS[name](table, "wide")
    scale = chart.scales["x" if name == "caterpillar" else "x1"]
    titles = [item for item in chart.items if re.match(r"[\d,]+ hospitals:", getattr(item, "title", ""))]
    for item in titles[:20]:
        said = re.search(r"Mean ([\d.]+) \(([\d.]+)–([\d.]+)\)|shrunken ([\d.]+)", item.title)  # type: ignore[union-attr]
        assert said
        if isinstance(item, Bar):
            assert item.x == pytest.approx(scale.at(float(said[2])), abs=6)
            assert item.x + item.width == pytest.approx(scale.at(float(said[3])), abs=6)
        else:
            assert isinstance(item, Group)
            assert item.items[2].x == pytest.approx(scale.at(float(said[4])), abs=3)  # type: ignore[union-attr]


def test_placement_keeps_names_off_marks_names_and_leaders() -> None:
    draw = np.random.default_rng(2)
    anchors = [Anchor(x, y, f"Hospital {i}", i % 2 == 0) for i, (x, y) in enumerate(draw.uniform(60, 340, (14, 2)))]
    items = place_labels(anchors, box_of([], 3), np.empty((0, 4)), (0, 0, 400, 400))
    names = [i for i in items if isinstance(i, Text)]
    assert len(names) >= 12
    assert boxes_overlap(names) == []
    for text in names:
        left, top, right, bottom = text.box
        for anchor in anchors:
            if anchor.name != text.text:
                assert not (left < anchor.x < right and top < anchor.y < bottom)


def test_placement_draws_a_leader_only_when_far() -> None:
    crowd = [Anchor(100 + 3 * i, 100, f"Hospital number {i}", False) for i in range(5)]
    items = place_labels(crowd, box_of([], 3), np.empty((0, 4)), (0, 0, 400, 200))
    leaders = [p for i in items if isinstance(i, Segments) for p in i.pieces]
    assert leaders
    assert all(math.hypot(c - a, d - b) > 14 for a, b, c, d in leaders)


def test_caterpillar_sorts_by_ratio_and_keeps_both_intervals_in_the_row() -> None:
    table = hospitals(100)
    chart = charts.caterpillar(table)
    rows = {i.title.split(":")[0]: i for i in chart.items if isinstance(i, Group)}
    assert set(rows) == set(table["provider_name"])
    heights = []
    for row in table.sort_values("ratio", ascending=False).itertuples():
        group = rows[str(row.provider_name)]
        interval, rank = (i.pieces[0] for i in group.items if isinstance(i, Segments))
        x, r = chart.scales["x"], chart.scales["rank"]
        assert interval[0] == pytest.approx(x.at(float(row.ratio_lower)))  # type: ignore[arg-type]
        assert interval[2] == pytest.approx(x.at(float(row.ratio_upper)))  # type: ignore[arg-type]
        assert rank[0] == pytest.approx(r.at(float(row.rank_lower)))  # type: ignore[arg-type]
        assert rank[2] == pytest.approx(r.at(float(row.rank_upper)))  # type: ignore[arg-type]
        assert interval[1] == rank[1]
        heights.append(interval[1])
    assert np.allclose(np.diff(heights), 5.4)


@pytest.mark.parametrize("form", FORMS)
def test_caterpillar_names_flagged_and_extreme_rows(form: str) -> None:
    table = hospitals(120)
    chart = charts.caterpillar(table, form=form)  # type: ignore[arg-type]
    wanted = set(table.loc[table["category"].isin(FLAGGED), "provider_name"])
    ordered = table.sort_values("ratio")["provider_name"]
    wanted |= {ordered.iloc[0], ordered.iloc[-1]}
    texts = [t.text.rstrip("…") for t in chart.texts]
    assert all(any(t and name.startswith(t) for t in texts) for name in wanted)


def test_caterpillar_never_shows_a_bare_rank() -> None:
    chart = charts.caterpillar(hospitals(50))
    assert all(", rank " in i.title and "–" in i.title for i in chart.items if isinstance(i, Group))


def test_spread_moves_as_little_as_possible() -> None:
    assert parts.spread(np.array([10.0, 50.0]), 15, 0, 100).tolist() == [10, 50]
    assert parts.spread(np.array([10.0, 10.0, 10.0]), 15, -100, 100).tolist() == [-5, 10, 25]
    crowded = parts.spread(np.sort(np.random.default_rng(1).uniform(0, 200, 20)), 15, 0, 400)
    assert (np.diff(crowded) >= 15 - 1e-9).all()
    assert crowded.min() >= 0
    assert crowded.max() <= 400


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.35, 3.1, (0.5, 0.7, 1, 1.4, 2, 3)),
        (0.65, 1.7, (0.7, 0.8, 1, 1.25, 1.5)),
        (0.94, 1.06, (0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06)),
    ],
)
def test_ratio_axes_have_the_named_ticks(low: float, high: float, expected: tuple[float, ...]) -> None:
    scale = Scale(low, high, 0, 500, "log")
    assert parts.ratio_ticks(scale, 30) == pytest.approx(expected)


def test_shrinkage_has_quarters_on_one_axis() -> None:
    table = hospitals(80)
    chart = charts.shrinkage(table)
    widths = {round(s.end - s.start, 6) for s in chart.scales.values()}
    assert len(widths) == 1
    assert len({(s.low, s.high) for s in chart.scales.values()}) == 1
    groups = [i for i in chart.items if isinstance(i, Group)]
    assert len(groups) == 80
    smallest = table.sort_values("expected_marginal").iloc[0]
    first = chart.scales["x1"]
    pull = next(g for g in groups if g.title.startswith(f"{smallest['provider_name']}:"))
    line = next(i for i in pull.items if isinstance(i, Segments)).pieces[0]
    assert line[0] == pytest.approx(first.at(smallest["oe_ratio"]))
    assert line[2] == pytest.approx(first.at(smallest["ratio"]))


def test_peers_are_ordered_by_ratio_and_i_am_among_them() -> None:
    rows = parts.estimated(hospitals(11)).to_dict("records")
    chart = charts.peers(rows, "H0007")
    names = [t.text for t in sorted(chart.texts, key=lambda t: t.y) if t.text.startswith("Hospital number")]
    assert names == [r["name"] for r in sorted(rows, key=lambda r: -r["ratio"])]
    assert len([i for i in chart.items if isinstance(i, Group) and i.href]) == 10
    assert [t.text for t in chart.texts if t.role == "strong"] == ["Hospital number 7"]
    with pytest.raises(KeyError, match="H9999"):
        charts.peers(rows, "H9999")


def test_physicians_say_what_is_hidden_in_place_of_numbers() -> None:
    table = masked(hospitals(6).assign(provider_name=[f"Physician {c}" for c in "ABCDEF"]), [2])
    chart = charts.physicians(table.to_dict("records"), hidden_words="{band} cases: not shown")
    texts = [t.text for t in chart.texts]
    assert texts.count("11–24 cases: not shown") == 1
    assert len(chart.marks) == 5
    row = table.iloc[0]
    assert f"{row['n']:.0f} · {row['ratio']:.2f} ({row['ratio_lower']:.2f}–{row['ratio_upper']:.2f})" in texts


@pytest.mark.parametrize("form", FORMS)
def test_strip_without_published_numbers_has_words_only(form: str) -> None:
    table = every_measure(hidden=0)
    table = masked(table, table.index[(table["provider"] == "H0003") & (table["measure"] == "death")])
    chart = charts.strip(tracks(table, "H0003"), form=form)  # type: ignore[arg-type]
    assert len([i for i in chart.items if isinstance(i, Group)]) == 1
    assert any(t.text == "small counts: not shown" for t in chart.texts)
    assert {"death", "stay"} <= {t.text for t in chart.texts}


def test_matrix_keeps_a_provider_in_its_column() -> None:
    table = every_measure()
    chart = charts.matrix(table)
    columns: dict[str, set[float]] = {}
    for mark in chart.marks:
        columns.setdefault(mark.title.split(":")[0], set()).add(mark.x)
    assert len(columns) == 60
    assert {len(places) for places in columns.values()} == {1}
    largest = table[table["shown"]].sort_values("n")["provider_name"].iloc[-1]
    assert min(columns, key=lambda name: min(columns[name])) == largest


def test_matrix_gives_no_size_of_hidden_providers_away() -> None:
    table = hospitals(20).assign(measure="death")
    hidden = table.index[[3, 11]]
    first = charts.matrix(masked(table.copy(), hidden))
    table.loc[hidden, "n"] = [100000.0, 1.0]
    kept = masked(table.copy(), hidden)
    kept.loc[hidden, "n"] = [100000.0, 1.0]
    assert render_svg(charts.matrix(kept)) == render_svg(first)


@pytest.mark.parametrize("form", FORMS)
def test_matrix_of_thousands_counts_everybody_in_columns(form: str) -> None:
    table = pd.concat([of_a_big_region().assign(measure=name) for name in ("death", "stay")], ignore_index=True)
    chart = charts.matrix(table, form=form)  # type: ignore[arg-type]
    groups = [item for item in chart.items if isinstance(item, Group)]
    tallies = [dict(re.findall(r"([a-z, ]+?) ([\d,]+)(?:;|$)", group.title.split(":")[1])) for group in groups]
    for category, words in parts.STATUS_WORDS.items():
        told = sum(int(tally.get(" " + words[0].lower() + words[1:], "0")) for tally in tallies)
        assert told == (table["category"] == category).sum()
    drawn = [bar for group in groups for bar in group.items if isinstance(bar, Bar) and bar.role == "spot-high"]
    unit = sum(bar.height for bar in drawn) / (table["category"] == "higher").sum()
    lower = [bar for group in groups for bar in group.items if isinstance(bar, Bar) and bar.role == "lower_watch"]
    assert sum(bar.height for bar in lower) / unit == pytest.approx((table["category"] == "lower_watch").sum())
    assert len(render_svg(chart)) < 60_000


def test_chance_bar_shows_both_levels_on_one_axis() -> None:
    levels = [charts.ChanceLevel("outside 95 %", 8, 2, 10), charts.ChanceLevel("outside 99.8 %", 3, 0, 1)]
    chart = charts.chance_bar(levels)
    x = chart.scales["x"]
    assert [m.x for m in chart.marks] == pytest.approx([x.at(8), x.at(3)])
    texts = {t.text for t in chart.texts}
    assert {"8 seen", "3 seen", "chance alone: 2 to 10", "chance alone: 0 to 1"} <= texts
    assert boxes_overlap(list(chart.texts)) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rates", [(0.072, 0.064, 0.124, 0.079), (0.072, 0.08, 0.05, 0.07), (0.01, 0.0, 0.0, 0.0)])
def test_waterfall_steps_join_the_totals(form: str, rates: tuple[float, float, float, float]) -> None:
    chart = charts.waterfall(charts.Rates(*rates), form=form)  # type: ignore[arg-type]
    x = chart.scales["x"]
    bars = {e.get("class"): e for e in titled(chart).iter("rect")}
    average, expected, observed, _ = rates
    step = bars.get("unexplained-high" if observed >= expected else "unexplained-low")
    assert step is not None
    assert float(step.get("x")) == pytest.approx(min(x.at(expected), x.at(observed)), abs=0.06)
    assert float(step.get("width")) == pytest.approx(max(abs(x.at(observed) - x.at(expected)), 1), abs=0.06)
    assert f"{100 * (observed - expected):+.1f}".replace("-", "−").replace("+0.0", "0.0") in {
        t.text for t in chart.texts
    }
    assert boxes_overlap(list(chart.texts)) == []
    assert f"{100 * average:.1f}\u202f%" in {t.text for t in chart.texts}


def test_interval_is_tiny_and_true() -> None:
    chart = charts.interval(1.24, 1.0, 1.54, "higher", domain=(0.6, 1.7))
    markup = render_svg(chart)
    assert (chart.width, chart.height) == (116, 18)
    assert len(markup) < 420
    assert "1.24 (1.00–1.54)" in markup
    x = chart.scales["x"]
    assert chart.marks[0].x == pytest.approx(x.at(1.24))
    axis = charts.interval_axis((0.6, 1.7))
    assert [t.text for t in axis.texts] == ["0.6", "1", "1.7"]
    assert axis.texts[1].x == pytest.approx(x.at(1.0))


def test_interval_domain_holds_most_intervals() -> None:
    table = hospitals(200)
    low, high = charts.interval_domain(table)
    inside = (table["ratio_lower"] >= low) & (table["ratio_upper"] <= high)
    assert inside.mean() > 0.94
    assert charts.interval_domain(hospitals(5, hidden=5)) == (0.6, 1.7)


def test_calibration_intervals_are_wilsons() -> None:
    from scipy.stats import binomtest

    table = pd.DataFrame({"band": [1, 2], "n": [200.0, 300.0], "observed": [20.0, 60.0], "expected": [22.0, 57.0]})
    chart = charts.calibration(table)
    y = chart.scales["y"]
    groups = [i for i in chart.items if isinstance(i, Group)]
    for group, (_, row) in zip(groups, table.iterrows(), strict=True):
        piece = next(i for i in group.items if isinstance(i, Segments)).pieces[0]
        oracle = binomtest(int(row["observed"]), int(row["n"])).proportion_ci(0.95, method="wilson")
        assert piece[1] == pytest.approx(y.at(oracle.low), abs=1e-6)
        assert piece[3] == pytest.approx(y.at(oracle.high), abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_forest_gives_odds_ratios_without_the_intercept(form: str) -> None:
    table = pd.DataFrame(
        {
            "term": ["Intercept", "age", "C(sex)[T.M]"],
            "estimate": [-3.0, math.log(2), -0.1],
            "lower": [-3.1, math.log(1.8), -0.3],
            "upper": [-2.9, math.log(2.2), 0.1],
        }
    )
    chart = charts.forest(table, form=form)  # type: ignore[arg-type]
    texts = [t.text for t in chart.texts]
    assert "2.00 (1.80–2.20)" in texts
    assert "Intercept" not in texts
    assert chart.marks[0].x == pytest.approx(chart.scales["x"].at(2.0))
    assert boxes_overlap(list(chart.texts)) == []


def test_forest_of_differences_is_linear_around_zero() -> None:
    table = pd.DataFrame({"term": ["age", "sex"], "estimate": [-2.0, 0.5], "lower": [-3.0, 0.0], "upper": [-1.0, 1.0]})
    chart = charts.forest(table, difference=True, axis_name="Difference")
    x = chart.scales["x"]
    assert x.kind == "linear"
    assert [m.x for m in chart.marks] == pytest.approx([x.at(-2.0), x.at(0.5)])
    assert "−2.00 (−3.00–−1.00)" in {t.text for t in chart.texts}
    (reference,) = (i for i in chart.items if isinstance(i, Segments) and i.role == "reference")
    assert reference.pieces[0][0] == pytest.approx(x.at(0.0))


def test_variance_bar_is_a_whole() -> None:
    table = pd.DataFrame({"label": ["hospitals", "physicians", "patients"], "share": [0.02, 0.035, 0.945]})
    bars = [e for e in titled(charts.variance_bar(table)).iter("rect") if e.get("height") == "26"]
    assert sum(float(b.get("width")) for b in bars) == pytest.approx(720, abs=0.2)
    assert float(bars[0].get("width")) == pytest.approx(720 * 0.02, abs=0.06)


@pytest.mark.parametrize("category", list(parts.SHAPES))
def test_glyphs_say_their_status(category: str) -> None:
    tree = titled(charts.glyph(category))
    assert tree.get("aria-label") == parts.STATUS_WORDS[category]
    assert tree.get("width") == "14"

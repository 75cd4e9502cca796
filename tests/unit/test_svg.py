"""The SVG renderer: what it writes is well-formed, safe, without colours, and the same each time."""

from __future__ import annotations

import math
import re

import pytest
from lxml import etree

from profiling.reporting.chart import (
    Area,
    Bar,
    Chart,
    Group,
    Line,
    Mark,
    Scale,
    Segments,
    Text,
    shortened,
    text_width,
    wrapped,
)
from profiling.reporting.roles import DARK, LIGHT, ROLES, css_rule, css_sheet
from profiling.reporting.svg import render_forms, render_svg, safe_href, standalone_svg
from profiling.reporting.svg_paths import number, path

HOSTILE = [
    "<script>alert(1)</script>",
    'St "Mary" & Sons',
    "O'Neill's ]]> <!-- -->",
    "</title></svg><img src=x onerror=alert(1)>",
    "&lt;b&gt; {{ 7*7 }} ${x}",
    "nul\x00 bell\x07 \ud800 end",
]


def chart_with(name: str, href: str = "") -> Chart:
    marks = (Mark(10, 20, "up", "higher", 5.6, name, href), Mark(12, 20.04, "dot", "as_expected", 3.2, name))
    row = Group((Segments(((0, 1, 5, 1),), "whisker"), Mark(3, 1, "diamond", "own", 4)), name, href)
    words = (Text(1, 2, name, "strong", "end", halo=True), Text(1, 9, name, "note"))
    return Chart("test", name, name, 100, 50, (*marks, row, *words), "wide")


def parsed(markup: str) -> etree._Element:
    return etree.fromstring(markup.encode())


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    tree = parsed(str(render_svg(chart_with(name, "a.html"), "p")))
    clean = re.sub("[\x00-\x08\ud800-\udfff]", "\ufffd", name)
    assert {e.text for e in tree.iter("title")} == {clean}
    assert {e.text for e in tree.iter("text")} == {clean}
    assert tree.get("aria-label") == clean
    assert {e.tag for e in tree.iter()} == {"svg", "a", "path", "circle", "title", "text"}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text_in_a_file(name: str) -> None:
    tree = parsed(standalone_svg(chart_with(name), css_sheet()))
    space = "{http://www.w3.org/2000/svg}"
    assert not list(tree.iter(f"{space}script", f"{space}img"))
    assert tree.find(f"{space}style").text == css_sheet()


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "java\tscript:x"]
)
def test_links_that_could_run_are_left_out(href: str) -> None:
    assert safe_href(href) == ""
    assert not list(parsed(str(render_svg(chart_with("x", href)))).iter("a"))


@pytest.mark.parametrize("href", ["../h/H1.html", "h.html?a=b:c", "#H:1", "https://example.org/a", "a/b:c.html"])
def test_usual_links_are_kept(href: str) -> None:
    links = [e.get("href") for e in parsed(str(render_svg(chart_with("x", href)))).iter("a")]
    assert links == [href, href]


def test_links_can_be_left_out() -> None:
    assert "<a" not in render_svg(chart_with("x", "a.html"), links=False)


def test_roles_are_classes_and_no_colour_is_written() -> None:
    markup = str(render_svg(chart_with("name"), "p"))
    assert not re.search(r"#[0-9a-f]{3,6}\b|rgb|style=|fill=|stroke=", markup)
    tree = parsed(markup)
    assert tree.get("class") == "chart wide"
    assert tree.get("id") == "p"
    assert tree.get("role") == "img"
    assert tree.find("path").get("class") == "higher"


def test_neighbours_of_a_role_share_a_class() -> None:
    dots = tuple(Mark(x, 1, "dot", "as_expected", 3, f"h{x}") for x in range(5))
    tree = parsed(str(render_svg(Chart("t", "t", "", 10, 10, dots))))
    (group,) = tree.iter("g")
    assert group.get("class") == "as_expected"
    assert [e.get("cx") for e in group.iter("circle")] == ["0", "1", "2", "3", "4"]
    assert all(e.get("class") is None for e in group.iter("circle"))


def test_every_kind_is_drawn_where_it_says() -> None:
    items = (
        Area(((0, 0), (10.04, 0), (10, 5.06)), "band95"),
        Line(((0, 0), (1, 2)), "diagonal"),
        Segments(((0, 1, 5, 1), (2, 0, 2, 9), (0, 0, 3, 3)), "grid"),
        Bar(1, 2, 3, 4.25, "total", "a bar"),
        Mark(5, 6, "dash", "too_few", 4, "few"),
        Mark(5, 6, "down", "lower", 10, "low"),
    )
    tree = parsed(str(render_svg(Chart("t", "t", "says", 10, 10, items))))
    paths = [e.get("d") for e in tree.iter("path")]
    assert paths[:3] == ["M0 0h10v5.1Z", "M0 0l1 2", "M0 1h5m-3-1v9m-2-9l3 3"]
    assert paths[3] == "M1 6h8"
    assert paths[4] == "M5 17l9.5-16.5h-19Z"
    assert dict(tree.find("rect").attrib) == {"class": "total", "x": "1", "y": "2", "width": "3", "height": "4.2"}


def test_places_are_rounded_and_never_missing() -> None:
    assert [number(v) for v in (1.0, 1.26, -0.04, 1e-9, 123.95)] == ["1", "1.3", "0", "0", "124"]
    with pytest.raises(ValueError, match="not a place"):
        number(float("nan"))


def test_same_chart_gives_the_same_bytes() -> None:
    assert render_svg(chart_with("a"), "x") == render_svg(chart_with("a"), "x")


def test_forms_get_ids_of_their_own() -> None:
    wide = chart_with("a")
    narrow = Chart("test", "a", "a", 10, 10, (), "narrow")
    tree = parsed(f"<div>{render_forms([wide, narrow], 'f')}</div>")
    assert [e.get("id") for e in tree] == ["f-wide", "f-narrow"]
    assert [e.get("class") for e in tree] == ["chart wide", "chart narrow"]


def test_a_file_is_shown_whatever_its_form() -> None:
    tree = parsed(standalone_svg(chart_with("a"), ""))
    assert tree.get("class") == "chart"


def test_sheet_is_the_one_of_the_roles() -> None:
    from pathlib import Path

    import profiling

    sheet = Path(profiling.__file__).parents[1] / "reports" / "templates" / "chart.css"
    assert sheet.read_text() == css_sheet()


def test_roles_name_known_colours_and_palettes_agree() -> None:
    assert set(LIGHT) == set(DARK)
    used = {c for look in ROLES.values() for c in (look.fill, look.stroke) if c}
    assert used <= set(LIGHT)
    assert css_rule("whisker").startswith(".chart .whisker{fill:none;stroke:var(--dot);stroke-width:1.25;")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_and_marks_have_contrast_on_paper_and_bands(palette: dict[str, str]) -> None:
    for ground in ("paper", "b95", "b998", "hl"):
        for ink in ("ink", "ink2", "high", "low"):
            assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
        assert contrast(palette["dot"], palette[ground]) >= 3, ground


def test_words_are_measured_shortened_and_broken() -> None:
    assert text_width("iiii") < text_width("WWWW") < text_width("WWWW", bold=True)
    assert shortened("Short", 100) == "Short"
    cut = shortened("A very long name of a hospital", 80)
    assert cut.endswith("…")
    assert text_width(cut) <= 80
    lines = wrapped("one two three four five six", 60)
    assert " ".join(lines) == "one two three four five six"
    assert all(text_width(line) <= 60 for line in lines)


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_scales_map_ends_and_hold_what_lies_outside(kind: str) -> None:
    scale = Scale(0.5, 2.0, 100, 20, kind)  # type: ignore[arg-type]
    assert scale([0.5, 2.0, 0.0, 9.0]).tolist() == pytest.approx([100, 20, 100, 20])
    assert scale.at(1.0) == pytest.approx(60 if kind == "log" else 100 - 80 / 3)


def test_relative_places_do_not_add_up_their_rounding() -> None:
    points = [(0.06 * i, math.sin(i) * 40) for i in range(3000)]
    x = y = 0
    for command, numbers in re.findall(r"([Mlhv])([^A-Za-z]*)", path(points)):
        steps = [round(10 * float(value)) for value in re.findall(r"-?\d*\.?\d+", numbers)]
        x = steps[0] if command == "M" else x + steps[0] * (command != "v")
        y = steps[-1] if command == "M" else y + steps[-1] * (command != "h")
    assert (x / 10, y / 10) == (float(f"{points[-1][0]:.1f}"), float(f"{points[-1][1]:.1f}"))
    with pytest.raises(ValueError, match="not a place"):
        path([(0, 0), (float("nan"), 1)])

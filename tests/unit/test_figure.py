"""Figures by matplotlib: the same bytes each time, text as text, the light scheme, no date."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from lxml import etree

from profiling.reporting.chart import Area, Bar, Chart, Group, Line, Mark, Segments, Text
from profiling.reporting.figure import FORMATS, PIXELS_A_UNIT, Format, figure_bytes, render_figure
from profiling.reporting.roles import LIGHT, ROLES
from profiling.reporting.svg import MARGIN, caption

SVG = "{http://www.w3.org/2000/svg}"


def chart(name: str = "Oakwick & <Sons> $5 $6", finding: str = "One hospital lies outside.") -> Chart:
    roles = [r for r, look in ROLES.items() if look.fill and r not in ("label", "strong", "name", "note", "tick")]
    marks = tuple(Mark(10 + 4 * i, 40, "dot", r, 4, name) for i, r in enumerate(roles))
    items = (
        Area(((0, 0), (90, 0), (90, 60)), "band95"),
        Line(((0, 0), (5, 9), (9, 0)), "diagonal"),
        Segments(((0, 5, 90, 5), (0, 9, 90, 9)), "whisker"),
        Bar(5, 50, 40, 5, "held-back"),
        *marks,
        Group((Mark(5, 5, "up", "higher", 5), Mark(9, 9, "dash", "too_few", 5)), name),
        Text(20, 20, name, "strong", "middle", halo=True),
        Text(20, 35, "95\u202f% limit", "note"),
    )
    return Chart("test", "Who lies outside?", finding, 200, 60, items, "wide")


@pytest.mark.parametrize("format", FORMATS)
def test_same_chart_gives_the_same_bytes(format: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = figure_bytes(chart(), format)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12345")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    render_figure(chart(), tmp_path / f"f.{format}", format)
    assert (tmp_path / f"f.{format}").read_bytes() == first


@pytest.mark.parametrize(("format", "words"), [("svg", b"<dc:date>"), ("pdf", b"CreationDate"), ("png", b"Software")])
def test_no_date_or_software_is_written(format: Format, words: bytes) -> None:
    assert words not in figure_bytes(chart(), format)


def test_text_stays_text() -> None:
    tree = etree.fromstring(figure_bytes(chart(), "svg"))
    texts = ["".join(e.itertext()).strip() for e in tree.iter(f"{SVG}text")]
    assert "Oakwick & <Sons> $5 $6" in texts
    assert {"Who lies outside?", "One hospital lies outside."} <= set(texts)


def test_size_is_that_of_the_chart_with_its_caption() -> None:
    data = figure_bytes(chart(), "png")
    width, height = struct.unpack(">II", data[16:24])
    assert width == round(PIXELS_A_UNIT * (200 + 2 * MARGIN))
    assert height == pytest.approx(PIXELS_A_UNIT * (60 + caption(chart())[1] + 2 * MARGIN), abs=1)


def test_colours_are_those_of_the_light_scheme() -> None:
    markup = figure_bytes(chart(), "svg").decode()
    for role in ("higher", "lower", "as_expected", "band95", "paper", "strong"):
        assert LIGHT[ROLES[role].fill] in markup, role


def test_marks_stand_where_the_chart_says() -> None:
    single = Chart("t", "", "", 100, 50, (Bar(10, 20, 30, 5, "total"),))
    tree = etree.fromstring(figure_bytes(single, "svg"))
    path = next(e for e in tree.iter(f"{SVG}path") if e.getparent().get("id") == "patch_2")
    numbers = [float(t) for t in path.get("d").split() if t[0].isdigit()]
    assert sorted(set(numbers[::2])) == pytest.approx([10 + MARGIN, 40 + MARGIN])
    assert sorted(set(numbers[1::2])) == pytest.approx([20 + MARGIN, 25 + MARGIN])


def test_a_machine_with_one_face_draws_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from profiling.reporting import figure

    monkeypatch.setattr(figure, "_faces", lambda: (figure.FALLBACK,))
    assert figure_bytes(chart(), "pdf").startswith(b"%PDF")

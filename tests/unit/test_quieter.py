"""Fewer words and links where marks are many: everything is still drawn where it was."""

from __future__ import annotations

import re

import numpy as np
import pytest

from profiling.reporting.chart import Chart, Form, Mark, Spots, Text, flat
from profiling.reporting.figure import figure_bytes
from profiling.reporting.quieter import ALL_SPEAK, MOST_BEYOND, quieter
from profiling.reporting.svg import render_forms, render_svg

ROLES = (("as_expected", "dot"), ("higher", "up"), ("lower_watch", "down"), ("too_few", "dash"))


def chart(plain: int, beyond: int, form: Form = "wide", kind: str = "any") -> Chart:
    draw = np.random.default_rng(1)
    roles = [*(ROLES[i] for i in [0, 2, 3] * (plain // 3)), *[ROLES[1]] * beyond]
    marks = [
        Mark(float(x), float(y), shape, role, 3.0, f"Hospital {i}", f"h/{i}.html")  # type: ignore[arg-type]
        for i, ((role, shape), (x, y)) in enumerate(zip(roles, draw.uniform(10, 190, (len(roles), 2)), strict=True))
    ]
    shared = Mark(50.0, 50.0, "dot", "bin", 4.0, "12 hospitals")
    return Chart(kind, "A title", "", 200, 200, (Text(0, 10, "words"), shared, *marks), form)


def places(drawing: Chart) -> set[tuple[str, str, float, float]]:
    found = {(item.role, item.shape, item.x, item.y) for item in flat(drawing.items) if isinstance(item, Mark)}
    spots = [item for item in flat(drawing.items) if isinstance(item, Spots)]
    return found | {(item.role, item.shape, x, y) for item in spots for x, y in item.places}


@pytest.mark.parametrize("form", ["wide", "narrow"])
@pytest.mark.parametrize(("plain", "beyond"), [(30, 5), (300, 20), (300, 200)])
def test_every_mark_stays_where_it_was(form: Form, plain: int, beyond: int) -> None:
    before = chart(plain, beyond, form)
    assert places(quieter(before)) == places(before)


def test_few_marks_and_those_of_the_wide_funnel_all_speak() -> None:
    few, funnel = chart(30, 5), chart(600, 200, kind="funnel")
    assert quieter(few) is few
    assert quieter(funnel) is funnel
    assert quieter(chart(600, 200, "narrow", "funnel")) != chart(600, 200, "narrow", "funnel")


def test_those_beyond_the_limits_speak_while_they_are_few() -> None:
    few, many = (quieter(chart(ALL_SPEAK["wide"] + 30, MOST_BEYOND["wide"] + more)) for more in (0, 1))
    assert {mark.role for mark in few.marks} == {"bin", "higher"}
    assert [mark.role for mark in many.marks] == ["bin"]


def test_many_quiet_marks_are_one_path_of_the_same_shapes() -> None:
    loud = chart(900, 150)
    markup = str(render_forms([loud], "p"))
    assert "<a " not in markup
    assert len(markup) < 0.6 * len(render_svg(loud, "p"))
    first = next(item for item in loud.items if isinstance(item, Mark) and item.role == "as_expected")
    x, y = (f"{value:.1f}".removesuffix(".0") for value in (first.x - 3, first.y))
    assert re.search(rf'<path class="as_expected" d="[^"]*M{x} {y}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z', markup)


def test_a_figure_draws_quiet_marks_like_the_others() -> None:
    loud = chart(90, 120)
    assert figure_bytes(quieter(loud), "png") == figure_bytes(loud, "png")

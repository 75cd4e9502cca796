"""The inner providers of an outer one: each beside its norm, those shown by surprise, then those hidden by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from profiling.reporting import sentences
from profiling.reporting.pages import drawings
from profiling.reporting.pages.paging import Pages
from profiling.reporting.pages.provider_table import hidden_row, observed_head, observed_label, shown_row
from profiling.reporting.pages.shared import FLAGGED, MeasureView, Site, each, noun, nouns

ROOT = "../"
ROWS_A_PAGE = 60
MOST_DRAWN = 40
TOLD = [
    *("level", "provider", "provider_name", "parent", "n_parents", "hidden", "case_band", "category", "z", "n"),
    *("observed", "observed_rate", "expected_marginal", "oe_ratio", "ratio", "ratio_lower", "ratio_upper"),
    *("probability_by_chance", "rank_lower", "rank_upper", "reliability"),
]


def rows_by_parent(measure: MeasureView) -> dict[str, list[Any]]:
    """Inner providers by parent: those shown by surprise |z|, then those hidden by name."""
    if not measure.inner:
        return {}
    rows = measure.providers[measure.inner][TOLD]
    surprise = -rows["z"].abs().where(~rows["hidden"])
    rows = rows.assign(surprise=surprise, shown=~rows["hidden"].astype(bool))
    keys = ["parent", "hidden", "surprise", "provider_name", "provider"]
    by_parent: dict[str, list[Any]] = {}
    for row in each(rows.sort_values(keys, kind="stable", na_position="last")):
        by_parent.setdefault(str(row.parent), []).append(row)
    return by_parent


def pages_of(rows: Sequence[Any]) -> Pages:
    """How the rows of one outer provider are shared out to pages."""
    return Pages(len(rows), ROWS_A_PAGE)


def address(home: str, measure: MeasureView, page: int) -> str:
    """Where a page of the table stands; `home`: of the outer provider. No other page has an underscore there."""
    return home if page == 1 else f"{home.removesuffix('.html')}_{measure.name}_{page}.html"


def within(
    site: Site, measure: MeasureView, every: Sequence[Any] | None, home: str, page: int
) -> dict[str, Any] | None:
    """What the template prints of the inner providers of one outer provider, `every` of `rows_by_parent`.

    home: address of the outer provider, empty where its page stands alone; then all rows are on it.
    """
    if every is None or measure.inner is None:
        return None
    pages = pages_of(every) if home else Pages(len(every), len(every))
    first, last = pages.span(page)
    rows = every[first:last]
    table = [
        (shown_row(measure, row, None) if row.shown else hidden_row(measure, row))
        | {"shared": bool(row.shown) and (row.n_parents or 1) > 1, "href": site.address(row.level, row.provider, ROOT)}
        for row in rows
    ]
    inside = measure.spec.get("inner_expected") != "statewide"
    words = {"provider": noun(measure.outer), "inner": noun(measure.inner), "providers": nouns(measure.inner)}
    norm = sentences.say("norm_own" if inside else "norm_all", **words)
    standing = sum(row.category in FLAGGED for row in every)
    told = (
        sentences.say("inner_some", count=sentences.capital(sentences.counted(standing, noun(measure.inner))))
        if standing
        else sentences.say("inner_none", **words)
    )
    drawn = [row._asdict() | {"href": words["href"]} for row, words in zip(rows, table, strict=True)]
    names = {one: address(home, measure, one).rpartition("/")[2] for one in range(1, pages.number + 1)}
    return {
        "noun": noun(measure.inner),
        "title": sentences.say("inner_title", **words),
        "sub": sentences.say("inner_sub", norm=norm, told=told),
        "drawing": drawings.physicians_svg(measure, measure.inner, drawn[:MOST_DRAWN])
        if any(row.shown for row in rows)
        else "",
        "observed": observed_head(measure),
        "observed_label": observed_label(measure),
        "rows": table,
        "pages": pages.links(page, lambda one: f"{names[one]}#{measure.name}", nouns(measure.inner)),
        "note": sentences.say("inner_shared", providers=nouns(measure.outer))
        if any(row["shared"] for row in table)
        else "",
    }

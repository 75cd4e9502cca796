"""The table of all providers of a measure, the most surprising first, over as many pages as it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from profiling.reporting import numbers, sentences
from profiling.reporting.pages import drawings
from profiling.reporting.pages.paging import Pages
from profiling.reporting.pages.shared import ORDER, MeasureView, Site, each, noun, nouns

ROWS_A_PAGE = 100
ANCHOR = "providers"
ROOT = "../"


@dataclass(frozen=True)
class ProviderTable:
    """Rows of a measure's outer level in the order of the table, and what its pages share."""

    site: Site
    measure: MeasureView
    rows: pd.DataFrame
    pages: Pages
    domain: tuple[float, float]
    axis: Markup

    def page(self, number: int) -> dict[str, Any]:
        """What the template of the table prints for one page, counted from 1."""
        first, last = self.pages.span(number)
        measure, level = self.measure, self.measure.outer
        return {
            "noun": noun(level),
            "count": numbers.integer(len(self.rows)),
            "axis": self.axis,
            "observed": observed_head(measure),
            "observed_label": observed_label(measure),
            "rows": [self._row(row) for row in each(self.rows.iloc[first:last])],
            "pages": self.pages.links(number, lambda page: self.address(page, within=True), nouns(level)),
        }

    def address(self, number: int, within: bool = False) -> str:
        """Where a page stands, from the top of the site or from the folder of measures."""
        name = self.measure.name if number == 1 else f"{self.measure.name}-providers-{number}"
        return f"{name}.html#{ANCHOR}" if within else f"measures/{name}.html"

    def context(self, number: int) -> dict[str, Any]:
        """What the template of a further page prints."""
        level = self.measure.outer
        words = {"title": self.measure.title, "providers": nouns(level), "number": numbers.integer(number)}
        return {
            "page": {
                "title": sentences.say("further_title", **words),
                "section": self.measure.href,
                "scripted": True,
            },
            "measure_title": self.measure.title,
            "measure_href": ROOT + self.measure.href,
            "headline": sentences.say("further_headline", **words),
            "lede": sentences.say("further_lede", provider=noun(level)),
            "table": self.page(number),
        }

    def index(self) -> dict[str, Any]:
        """For the search of the script: name, file name and place among the statuses of what is on further pages."""
        if self.pages.number == 1:
            return {}
        place = {category: index for index, category in enumerate(ORDER)}
        further = self.rows.iloc[self.pages.size :]
        slugs = (self.site.addresses.get(key, "") for key in zip(further["level"], further["provider"], strict=True))
        codes = further["category"].map(place).tolist()
        return {
            "page": f"{self.measure.name}-providers-",
            "rows": self.pages.size,
            "found": sentences.say("found_on_page", page="{page}"),
            "statuses": [self.measure.status_words[category] for category in ORDER],
            "classes": list(ORDER),
            "entries": [list(entry) for entry in zip(further["provider_name"], slugs, codes, strict=True)],
        }

    def _row(self, row: Any) -> dict[str, Any]:
        words = hidden_row(self.measure, row) if row.hidden else shown_row(self.measure, row, self.domain)
        slug = self.site.addresses.get((row.level, row.provider), "")
        return words | {"href": self.site.address(row.level, row.provider, ROOT), "anchor": slug}


def provider_table(site: Site, measure: MeasureView) -> ProviderTable:
    """Every provider of the outer level: those shown by surprise |z|, then those hidden by name."""
    rows = measure.providers[measure.outer]
    domain, axis = drawings.interval_head(rows)
    shown = rows[~rows["hidden"]].sort_values("z", key=lambda z: -z.abs(), kind="stable", na_position="last")
    hidden = rows[rows["hidden"]].sort_values(["provider_name", "provider"])
    return ProviderTable(site, measure, pd.concat([shown, hidden]), Pages(len(rows), ROWS_A_PAGE), domain, axis)


def observed_head(measure: MeasureView) -> str:
    """Head of the column of what was observed."""
    return (
        measure.event[:1].upper() + measure.event[1:]
        if measure.counts
        else sentences.say("mean_of", unit=measure.unit).strip()
    )


def observed_label(measure: MeasureView) -> str:
    """What stands after an observed figure on a phone."""
    return sentences.say("event_observed", event=measure.event if measure.counts else measure.unit).strip()


def shown_row(measure: MeasureView, row: Any, domain: tuple[float, float] | None) -> dict[str, Any]:
    """Words of a provider whose figures are shown."""
    counts = measure.counts
    expected = row.expected_marginal if counts else row.expected_marginal / row.n
    return {
        "name": row.provider_name,
        "hidden": False,
        "n": numbers.integer(row.n),
        "observed": numbers.integer(row.observed) if counts else numbers.decimal(row.observed_rate, 2),
        "expected": numbers.amount(expected) if counts else numbers.decimal(expected, 2),
        "raw": numbers.ratio(row.oe_ratio),
        "ratio": numbers.ratio(row.ratio),
        "interval": numbers.interval(row.ratio_lower, row.ratio_upper),
        "graphic": drawings.interval_svg(row, domain) if domain else "",
        "chance": numbers.chance(row.probability_by_chance),
        "rank": numbers.rank_interval(row.rank_lower, row.rank_upper),
        "reliability": numbers.ratio(row.reliability),
        "category": measure.worded(row.category),
    }


def hidden_row(measure: MeasureView, row: Any) -> dict[str, Any]:
    """Words of a provider whose figures are hidden: name, case band and category."""
    return {
        "name": row.provider_name,
        "hidden": True,
        "band": sentences.band(str(row.case_band)),
        "category": measure.worded(row.category),
    }

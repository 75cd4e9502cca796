"""All providers by name: a list on the overview, or pages of their own where they are very many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from profiling.reporting import numbers, sentences
from profiling.reporting.pages.paging import Pages
from profiling.reporting.pages.shared import Site, natural, nouns

ON_OVERVIEW = 600
NAMES_A_PAGE = 1000


@dataclass(frozen=True)
class Directory:
    """Names with their addresses in the order of people, and how they are shared out to pages."""

    nouns: str
    entries: tuple[dict[str, str], ...]
    pages: Pages

    @property
    def apart(self) -> bool:
        """Whether the list has pages of its own."""
        return len(self.entries) > ON_OVERVIEW

    def address(self, number: int) -> str:
        """Where a page of the list stands, from the top of the site."""
        return "directory.html" if number == 1 else f"directory-{number}.html"

    def on_overview(self) -> dict[str, Any]:
        """What the overview prints: every name, or where the names of a range stand."""
        if not self.apart:
            return {"nouns": self.nouns, "sub": sentences.say("directory_few"), "entries": self.entries}
        spans = [(page, *self.pages.span(page)) for page in range(1, self.pages.number + 1)]
        names = [entry["name"] for entry in self.entries]
        ranges = [
            {
                "href": self.address(page),
                "name": sentences.say("directory_range", first=names[first], last=names[last - 1]),
            }
            for page, first, last in spans
        ]
        sub = sentences.say("directory_sub", count=numbers.in_words(self.pages.number))
        return {"nouns": self.nouns, "sub": sub, "entries": ranges}

    def context(self, number: int) -> dict[str, Any]:
        """What the template of one page of the list prints."""
        first, last = self.pages.span(number)
        headline = sentences.say("directory_title", providers=self.nouns, number=numbers.integer(number))
        return {
            "page": {"title": headline, "section": ""},
            "headline": headline,
            "lede": sentences.say("directory_lede"),
            "entries": self.entries[first:last],
            "pages": self.pages.links(number, self.address, self.nouns),
        }


def directory(site: Site) -> Directory:
    """The providers of a site."""
    outer = (item for item in site.names.items() if item[0][0] in site.outer_levels)
    names = sorted(outer, key=lambda item: natural(item[1]))
    entries = tuple({"href": site.address(*key), "name": name} for key, name in names)
    level = site.outer_levels[0] if site.outer_levels else "provider"
    return Directory(nouns(level), entries, Pages(len(entries), NAMES_A_PAGE))

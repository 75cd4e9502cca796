"""Long tables and lists over several pages, joined by links that work without a script."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from profiling.reporting import numbers, sentences

# A last page of a few rows is not worth a page: what is longer by less stays whole.
TOLERANCE = 1.5


@dataclass(frozen=True)
class Pages:
    """How `count` rows are shared out: `size` a page, or all on one."""

    count: int
    size: int

    @property
    def number(self) -> int:
        """How many pages there are, at least one."""
        return 1 if self.count <= TOLERANCE * self.size else math.ceil(self.count / self.size)

    def span(self, page: int) -> tuple[int, int]:
        """First row and the one after the last of a page; pages count from 1, rows from 0."""
        if self.number == 1:
            return 0, self.count
        return (page - 1) * self.size, min(page * self.size, self.count)

    def links(self, page: int, address: Callable[[int], str], things: str) -> dict[str, Any]:
        """What the template prints below a table or list; empty where there is one page only."""
        if self.number == 1:
            return {}
        first, last = self.span(page)
        words = {"first": numbers.integer(first + 1), "last": numbers.integer(last)}
        return {
            "label": sentences.say("pages_label", things=things),
            "shown": sentences.say("pages_shown", all=numbers.integer(self.count), things=things, **words),
            "entries": [
                {"number": numbers.integer(one), "href": address(one), "current": one == page}
                for one in range(1, self.number + 1)
            ],
            "before": address(page - 1) if page > 1 else "",
            "after": address(page + 1) if page < self.number else "",
        }

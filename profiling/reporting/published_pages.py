"""What the pages of a folder tell of hidden providers: table rows, names of marks, words for screen readers.

A page is read as text, in parts that belong to one measure where it has such. Whatever begins with the name of a
provider that is hidden in that part, and of nobody else, may hold no figure beside its case band.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from profiling.reporting.sentences import band

_STATEMENT = re.compile(r'<title>([^<]+)</title>|aria-label="([^"]+)"|<tr\b[^>]*>(.*?)</tr>', re.DOTALL)
_PART = re.compile(r'<section class="on-measure[^"]*" id="([^"]+)">')
_TAG = re.compile(r"<[^>]*>")
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_FIGURE = re.compile(r"\d")


@dataclass(frozen=True)
class Names:
    """Names of providers that are hidden by measure, without those that a shown provider of the measure has too.

    `harmless`: texts with figures that tell nothing: titles of measures, case bands.
    """

    hidden: Mapping[str, frozenset[str]]
    harmless: re.Pattern[str]

    @classmethod
    def of(cls, providers: pd.DataFrame, titles: Sequence[str]) -> Names:
        """providers: measure, provider_name, hidden, case_band, as they are published."""
        away = providers["hidden"].astype(bool)
        found = {}
        for measure, part in providers.groupby("measure", sort=False):
            shown = set(part.loc[~away[part.index], "provider_name"])
            found[str(measure)] = frozenset(set(part.loc[away[part.index], "provider_name"]) - shown)
        bands = providers["case_band"].unique()
        texts = [*titles, *bands, *(band(str(one)) for one in bands)]
        longest = sorted({str(text) for text in texts if text}, key=lambda text: (-len(text), text))
        return cls(found, re.compile("|".join(map(re.escape, longest)) or r"(?!)"))


def told_of_hidden(folder: Path, names: Names) -> list[tuple[str, str]]:
    """Page and name of every statement with a figure of a hidden provider."""
    found = []
    for path in sorted(folder.rglob("*.html")) + sorted(folder.rglob("*.svg")):
        address = path.relative_to(folder).as_posix()
        for measure, text in _parts(address, path.read_text(encoding="utf-8"), names):
            found += [(address, name) for name in _statements(text, _hidden(names, measure), names.harmless)]
    return found


def _parts(address: str, text: str, names: Names) -> Iterator[tuple[str | None, str]]:
    """Parts of a page with the measure each belongs to; None for all of them."""
    whole = next((name for name in sorted(names.hidden, key=len, reverse=True) if _is_of(address, name)), None)
    if whole is not None:
        yield whole, text
        return
    starts = [(0, ""), *((found.start(), found[1]) for found in _PART.finditer(text))]
    ends = [*(start for start, _ in starts[1:]), len(text)]
    for (start, measure), end in zip(starts, ends, strict=True):
        yield (measure if measure in names.hidden else None), text[start:end]


def _is_of(address: str, measure: str) -> bool:
    return bool(re.match(rf"(?:measures|models|downloads)/{re.escape(measure)}(?![a-z0-9])", address))


def _hidden(names: Names, measure: str | None) -> frozenset[str]:
    if measure is not None:
        return names.hidden[measure]
    every = list(names.hidden.values())
    return frozenset.intersection(*every) if every else frozenset()


def _statements(text: str, hidden: frozenset[str], harmless: re.Pattern[str]) -> Iterator[str]:
    if not hidden:
        return
    for found in _STATEMENT.finditer(text):
        row = found[3]
        if row is None:
            words = html.unescape(found[1] or found[2])
            name = words.partition(":")[0].strip()
        else:
            cells = [html.unescape(_TAG.sub("", cell)).strip() for cell in re.split(r"</t[hd]>", _DRAWING.sub("", row))]
            name, words = cells[0].rstrip("*").strip(), " ".join(cells[1:])
        if name in hidden and _FIGURE.search(harmless.sub("", words.replace(name, ""))):
            yield name

"""Words that a run keeps in the database in English, found again in the catalogue and said in another language."""

from __future__ import annotations

import re
from functools import cache
from string import Formatter

from profiling.reporting.language import current, figures
from profiling.reporting.sentences.catalogue import ENGLISH, say

PREFIX = "stored_"
_NUMBER = re.compile(r"[\d,]+(?:\.\d+)?")


def stored(text: str) -> str:
    """The text as the current language says it; what no pattern of the catalogue fits stays as it was kept."""
    if current() == "en":
        return text
    for key, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return say(key, **{name: stored(value) for name, value in found.groupdict().items()})
    ends = text.split("–")
    return figures(text) if all(_NUMBER.fullmatch(end) for end in ends) else text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The English sentences as patterns that find what was filled in; those with most fixed words come first."""
    keys = [key for key in ENGLISH if key.startswith(PREFIX)]
    return tuple((key, _pattern(ENGLISH[key])) for key in sorted(keys, key=lambda key: -len(ENGLISH[key])))


def _pattern(text: str) -> re.Pattern[str]:
    parts = Formatter().parse(text)
    return re.compile("".join(re.escape(fixed) + (f"(?P<{name}>.+)" if name else "") for fixed, name, _, _ in parts))

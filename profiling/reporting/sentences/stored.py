"""Words that a run keeps in the database in English, found again in the catalogue and said in another language."""

from __future__ import annotations

import re
from functools import cache
from string import Formatter

from profiling.reporting.language import current, figures
from profiling.reporting.numbers import day
from profiling.reporting.sentences.catalogue import ENGLISH, say
from profiling.reporting.sentences.german.levels import LEVELS
from profiling.reporting.sentences.words import level_noun

_NUMBER = r"[−-]?[\d,]+(?:\.\d+)?"
_FIGURES = re.compile(f"{_NUMBER}(?:–{_NUMBER})?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBERED = ("count", "low", "high")


def stored(text: str) -> str:
    """Names of records, steps of a cohort and notes of a run; what no pattern of the catalogue fits stays as it was."""
    if current() == "en":
        return text
    if text in LEVELS:
        return level_noun(text)
    return day(text) if _DAY.fullmatch(text) else _said("stored_", text)


def band(text: str) -> str:
    """A band of cases or of another number: under 11, 11–24, 40 to 59; a value that is no band stays as it was."""
    return text if current() == "en" else _said("band_", text)


def _said(prefix: str, text: str) -> str:
    for key, pattern in _patterns(prefix):
        found = pattern.fullmatch(text)
        if found:
            return say(key, **{name: stored(value) for name, value in found.groupdict().items()})
    return figures(text) if _FIGURES.fullmatch(text) else text


@cache
def _patterns(prefix: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The English sentences as patterns that find what was filled in; those with most fixed words come first."""
    keys = [key for key in ENGLISH if key.startswith(prefix)]
    return tuple((key, _pattern(ENGLISH[key])) for key in sorted(keys, key=lambda key: -len(ENGLISH[key])))


def _pattern(text: str) -> re.Pattern[str]:
    parts = Formatter().parse(text)
    return re.compile("".join(re.escape(fixed) + _filled(name) for fixed, name, _, _ in parts))


def _filled(name: str | None) -> str:
    return f"(?P<{name}>{_NUMBER if name in _NUMBERED else '.+'})" if name else ""

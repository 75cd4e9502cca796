"""The language in which pages are being written: one for a whole site, set where its writing begins.

Every number, date and sentence asks `current`, so that nothing in between has to hand the language on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType

from profiling.vocabulary import Language

_CURRENT: ContextVar[Language] = ContextVar("language of the pages", default="en")


def current() -> Language:
    """The language of what is being written."""
    return _CURRENT.get()


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Write in a language until the end of the block."""
    before = _CURRENT.set(language)
    try:
        yield
    finally:
        _CURRENT.reset(before)


@dataclass(frozen=True)
class Locale:
    """How a language writes numbers, dates and chances. `words`: the numbers from zero on; `day`: of a date.

    `thousands` and `mark` separate groups of three and decimals. Patterns hold one {number}. `bend`: whether the words
    for none and one follow the gender of what is counted.
    """

    thousands: str
    mark: str
    words: tuple[str, ...]
    months: tuple[str, ...]
    day: str
    chance: str
    often: str
    seldom: str
    under: str
    to: str
    bend: bool


ENGLISH = Locale(
    thousands=",",
    mark=".",
    words=("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    day="{day} {month} {year}",
    chance="1 in {number}",
    often="over 1 in 2",
    seldom="under 1 in {number}",
    under="under {number}",
    to="{low} to {high}",
    bend=False,
)
GERMAN = Locale(
    thousands=".",
    mark=",",
    # What is counted is of feminine gender throughout: see the levels of the catalogue.
    words=("keine", "eine", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
    months=(
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
    day="{day}. {month} {year}",
    chance="1 von {number}",
    often="mehr als 1 von 2",
    seldom="weniger als 1 von {number}",
    under="unter {number}",
    to="{low} bis {high}",
    bend=True,
)
LOCALES: MappingProxyType[Language, Locale] = MappingProxyType({"en": ENGLISH, "de": GERMAN})


def locale() -> Locale:
    """The conventions of the current language."""
    return LOCALES[_CURRENT.get()]


_FIGURES = str.maketrans(",.", ".,")


def figures(text: str) -> str:
    """A number formatted the English way, as the current language writes it."""
    return text if _CURRENT.get() == "en" else text.translate(_FIGURES)

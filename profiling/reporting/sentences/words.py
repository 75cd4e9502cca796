"""Words around numbers and names: plurals, counts with their noun, lists, titles inside a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from profiling.reporting import numbers
from profiling.reporting.language import current
from profiling.reporting.sentences.catalogue import CATALOGUE
from profiling.reporting.sentences.german.levels import LEVELS, MANY

PLURALS = {"person": "people", "staff": "staff"}


def level_noun(level: str) -> str:
    """A level's name as a word of the current language; one that is not known stays as it was given."""
    known = LEVELS.get(level) if current() == "de" else None
    return known[0] if known else level.replace("_", " ")


def plural(noun: str) -> str:
    """Hospitals, surgeries, practices, trusts: the plural of a level's name."""
    if current() == "de":
        return MANY.get(noun, noun)
    if noun in PLURALS:
        return PLURALS[noun]
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def one_of(nouns: str) -> str:
    """One of many: deaths become death, infections infection, injuries injury; what has no such plural stays."""
    if current() == "de":
        return nouns
    if nouns.endswith("ies"):
        return nouns[:-3] + "y"
    return nouns[:-1] if nouns.endswith("s") and not nouns.endswith("ss") else nouns


def counted(count: float, noun: str, capital: bool = False) -> str:
    """A number with its noun: one hospital, four hospitals, no hospitals."""
    return f"{numbers.in_words(count, capital)} {noun if round(count) == 1 else plural(noun)}"


def how_many(count: float, capital: bool = False) -> str:
    """A number before "of": none of 14, one of 14, three of 14."""
    if round(count):
        return numbers.in_words(count, capital)
    none = CATALOGUE["none_of"]
    return none[:1].upper() + none[1:] if capital else none


def listed(names: Sequence[str]) -> str:
    """A and B; A, B and C."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {CATALOGUE['and']} {names[-1]}"


def mid_sentence(title: str) -> str:
    """A title inside a sentence: "Length of stay" becomes "length of stay", "HIV" stays; German nouns stay too."""
    if current() == "de":
        return title
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def uncapital(text: str) -> str:
    """With a small letter at the start."""
    return text[:1].lower() + text[1:]


def verb(name: str, count: float) -> str:
    """A verb as it goes with none, with one or with many: lie, lies, lie."""
    return CATALOGUE[f"{name}_{('none', 'one')[round(count)] if round(count) < 2 else 'many'}"]


def capital(text: str) -> str:
    """With a capital letter at the start."""
    return text[:1].upper() + text[1:]

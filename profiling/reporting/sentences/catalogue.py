"""The one catalogue of sentences, put together from the modules of the pages, and `say`, which fills one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from types import MappingProxyType

from profiling.errors import InternalError, Problem
from profiling.reporting.language import current
from profiling.vocabulary import Language


def joined(parts: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    """The patterns of all parts. Raises InternalError for a name that stands in two of them."""
    found: dict[str, str] = {}
    for part in parts:
        twice = sorted(found.keys() & part.keys())
        if twice:
            raise InternalError(Problem("catalogue of sentences", f"{', '.join(twice)} twice", "each name once"))
        found.update(part)
    return MappingProxyType(found)


MODULES = (
    *("findings", "overview", "measure", "hospital", "evidence", "model", "audit", "comparison", "rules", "every_page"),
    *("many", "charts", "heads", "stored", "assets", "bundle"),
)
FOLDERS: Mapping[Language, str] = MappingProxyType({"en": "texts", "de": "german"})


def _catalogue(language: Language) -> Mapping[str, str]:
    folder = f"{__package__}.{FOLDERS[language]}"
    return joined(import_module(f"{folder}.{name}").TEXTS for name in MODULES)


ENGLISH = _catalogue("en")


class _Spoken(Mapping[str, str]):
    """The patterns of the language that is being written, whichever that is when one is asked for."""

    def __getitem__(self, key: str) -> str:
        # A sentence that was added and is not translated yet is said in English; a test asks for all of them.
        return CATALOGUES[current()].get(key) or ENGLISH[key]

    def __iter__(self) -> Iterator[str]:
        return iter(ENGLISH)

    def __len__(self) -> int:
        return len(ENGLISH)


CATALOGUES: Mapping[Language, Mapping[str, str]] = MappingProxyType({"en": ENGLISH, "de": _catalogue("de")})
CATALOGUE: Mapping[str, str] = _Spoken()


def say(key: str, **values: object) -> str:
    """A sentence of the catalogue, filled."""
    return CATALOGUE[key].format(**values)

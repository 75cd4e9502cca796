"""What all pages share: the measures with their words and masked tables, and where each provider's page stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from profiling.reporting import numbers
from profiling.reporting.disclosure import MaskedRun, Totals
from profiling.reporting.sentences import CATALOGUE, Finding, level_noun, plural, say
from profiling.vocabulary import COUNT_FAMILIES

FLAGGED = ("higher", "lower")
WATCHED = ("higher_watch", "lower_watch")
ORDER = ("higher", "higher_watch", "as_expected", "lower_watch", "lower", "too_few")
SLUG_LENGTH = 60
PER = 1000  # units of exposure that rates are printed for
OUTER_PAGES, INNER_PAGES = "hospitals", "physicians"


@dataclass(frozen=True)
class MeasureView:
    """One measure: its specification, words and masked rows."""

    name: str
    spec: Mapping[str, Any]
    masked: MaskedRun
    depth: int = 0

    @property
    def title(self) -> str:
        """Title for people."""
        return str(self.spec["title"])

    @property
    def counts(self) -> bool:
        """Whether the outcome is an event that is counted."""
        return self.spec["family"] in COUNT_FAMILIES

    @property
    def event(self) -> str:
        """Plural noun of what is counted, empty for a continuous outcome."""
        return str(self.spec.get("event") or CATALOGUE["events_word"]) if self.counts else ""

    @property
    def unit(self) -> str:
        """Unit of a continuous outcome."""
        return "" if self.counts else str(self.spec.get("unit") or "")

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the provider levels, the outermost first."""
        return tuple(str(level["level"]) for level in self.spec["providers"])[self.depth :]

    @property
    def outer(self) -> str:
        """The outermost level."""
        return self.levels[0]

    @property
    def inner(self) -> str | None:
        """The inner level, if there is one."""
        return self.levels[1] if len(self.levels) > 1 else None

    def within(self) -> MeasureView | None:
        """The same measure seen from its inner level, for which that is the outermost; None where it has one level."""
        return replace(self, depth=self.depth + 1) if self.inner else None

    @property
    def href(self) -> str:
        """Address of the page from the top of the site."""
        return f"measures/{self.name}.html"

    @property
    def model_href(self) -> str:
        """Address of the page of its model from the top of the site."""
        return f"models/{self.name}.html"

    @property
    def modelled(self) -> bool:
        """Whether a model of patients stands behind it, and not a published table of providers."""
        return self.spec.get("source") != "aggregates"

    @property
    def widened(self) -> bool:
        """Whether the limits allow for more spread than chance explains."""
        return str(self.spec["flag"].get("overdispersion") or "none") != "none"

    def worded(self, category: str) -> str:
        """The category as its word and mark are chosen: inside widened limits it is within the usual spread."""
        return "usual_spread" if self.widened and category == "as_expected" else str(category)

    @property
    def status_words(self) -> Mapping[str, str]:
        """Word of each category on charts of this measure."""
        return {category: CATALOGUE[self.worded(category)] for category in ORDER}

    @cached_property
    def totals(self) -> Totals:
        """Totals over all providers, as far as they may be shown."""
        return self.masked.totals[self.name]

    @cached_property
    def checks(self) -> Mapping[str, float]:
        """Model checks by name."""
        return dict(zip(*(self.of("model_checks")[column] for column in ("name", "value")), strict=True))

    @cached_property
    def notes(self) -> Mapping[str, str]:
        """What the model checks say beside their values."""
        rows = self.of("model_checks")
        return dict(zip(rows["name"], rows["note"].fillna("").astype(str), strict=True))

    @cached_property
    def providers(self) -> Mapping[str, pd.DataFrame]:
        """Masked rows by level, indexed by provider, in the order of labels."""
        rows = self.of("providers")
        return {
            level: rows[rows["level"] == level].set_index("provider", drop=False).rename_axis(None)
            for level in self.levels
        }

    def of(self, frame: str) -> pd.DataFrame:
        """The rows of one of the run's frames that belong to this measure."""
        table: pd.DataFrame = getattr(self.masked, frame)
        return table[table["measure"] == self.name] if len(table) else table

    def finding(self, level: str) -> Finding:
        """What the sentences about one level need."""
        rows = self.providers[level]
        by_surprise = rows.sort_values("z", key=lambda z: -z.abs(), kind="stable", na_position="last")
        names = {c: tuple(by_surprise.loc[by_surprise["category"] == c, "provider_name"]) for c in FLAGGED}
        flag = self.spec["flag"]
        return Finding(
            title=self.title,
            event=self.event,
            provider=noun(level),
            higher=names["higher"],
            lower=names["lower"],
            watch=int(rows["category"].isin(WATCHED).sum()),
            assessed=int((rows["category"] != "too_few").sum()),
            too_few=int((rows["category"] == "too_few").sum()),
            rule=str(flag["rule"]),
            watch_level=float(flag["watch"]),
            flag_level=float(flag["flag"]),
            chance_watch=self.checks.get(f"expected_false_watch_{level}"),
            chance_flag=self.checks.get(f"expected_false_flag_{level}"),
            overdispersion=str(flag.get("overdispersion") or "none"),
            power=self.checks.get(f"power_flag_{level}"),
        )


@dataclass(frozen=True)
class Site:
    """A whole edition of a run, ready to be put on pages."""

    masked: MaskedRun
    measures: tuple[MeasureView, ...]
    addresses: Mapping[tuple[str, str], str]
    names: Mapping[tuple[str, str], str]

    @cached_property
    def outer_levels(self) -> tuple[str, ...]:
        """Outermost levels of the measures, each once."""
        return tuple(dict.fromkeys(measure.outer for measure in self.measures))

    @cached_property
    def inner_pages(self) -> bool:
        """Whether inner providers have pages of their own."""
        return any(level not in self.outer_levels for level, _ in self.addresses)

    def address(self, level: str, provider: str, root: str = "") -> str:
        """Address of a provider's page, empty when it has none."""
        slug = self.addresses.get((level, provider))
        folder = OUTER_PAGES if level in self.outer_levels else INNER_PAGES
        return f"{root}{folder}/{slug}.html" if slug else ""


def build(masked: MaskedRun, *, inner_pages: bool = False) -> Site:
    """Measures in the order of the configuration and an address for every outer provider.

    inner_pages: the inner ones have addresses too, and names.
    """
    order = masked.measures.sort_values("position")["measure"]
    measures = tuple(MeasureView(str(name), masked.specs[str(name)], masked) for name in order)
    outer = _names([measure.providers[measure.outer] for measure in measures], masked)
    if not inner_pages:
        return Site(masked, measures, _addresses(outer), outer)
    rows = [measure.providers[measure.inner] for measure in measures if measure.inner]
    inner = {key: name for key, name in _names(rows, masked).items() if key not in outer} if rows else {}
    return Site(masked, measures, _addresses(outer) | _addresses(inner), outer | inner)


def _names(rows: Sequence[pd.DataFrame], masked: MaskedRun) -> dict[tuple[str, str], str]:
    """Names by level and provider, in their order."""
    every = pd.concat(rows) if rows else masked.providers
    every = every.drop_duplicates(["level", "provider"]).sort_values(["level", "provider"])
    keys = zip(every["level"], every["provider"].astype(str), strict=True)
    return dict(zip(keys, every["provider_name"].astype(str), strict=True))


def _addresses(names: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """File names made of letters, digits and hyphens only, each once even where letters' case is ignored."""
    taken: dict[str, int] = {}
    addresses = {}
    for key, name in names.items():
        stem = slug(name) or slug(key[0]) or "provider"
        taken[stem] = taken.get(stem, 0) + 1
        address = stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"
        while taken[stem] > 1 and address in taken:
            taken[stem] += 1
            address = f"{stem}-{taken[stem]}"
        taken.setdefault(address, 1)
        addresses[key] = address
    return addresses


def each(rows: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table one by one, their cells as attributes."""
    return iter(rows.itertuples())


def natural(name: str) -> list[tuple[int, str]]:
    """Order of names as people expect it: Hospital 2 before Hospital 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]


def slug(text: str) -> str:
    """Small letters, digits and hyphens: St Edith's, Caldcombe becomes st-ediths-caldcombe."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower().replace("'", "")
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].strip("-")


def noun(level: str) -> str:
    """A level's name as a word."""
    return level_noun(level)


def nouns(level: str) -> str:
    """A level's name as a word for many."""
    return plural(noun(level))


def category_counts(rows: pd.DataFrame) -> dict[str, int]:
    """How many providers lie in each category."""
    found = rows["category"].value_counts()
    return {category: int(found.get(category, 0)) for category in ORDER}


def rate_words(measure: MeasureView, rate: float | None) -> str:
    """A rate in per cent or, of a measure with an exposure, per 1,000 units of it; or a mean with its unit."""
    exposure = measure.spec.get("exposure")
    if exposure and numbers.known(rate) and rate is not None:
        return say("rate_per", rate=numbers.amount(PER * rate), per=numbers.integer(PER), exposure=exposure)
    return numbers.percent(rate) if measure.counts else f"{numbers.decimal(rate, 2)} {measure.unit}".strip()

"""The finding of a measure in sentences: who stands out, beside what chance alone would do, and by which rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from profiling.reporting import numbers
from profiling.reporting.sentences.catalogue import CATALOGUE, say
from profiling.reporting.sentences.words import capital, listed, mid_sentence, plural, verb

MOST_NAMES = 3


@dataclass(frozen=True)
class Finding:
    """What sentences about one measure need. `event` is empty for continuous outcomes."""

    title: str
    event: str
    provider: str
    higher: tuple[str, ...]
    lower: tuple[str, ...]
    watch: int
    assessed: int
    too_few: int
    rule: str
    watch_level: float
    flag_level: float
    chance_watch: float | None
    chance_flag: float | None
    overdispersion: str = "none"
    power: float | None = None

    @property
    def against_spread(self) -> bool:
        """Whether the rule asks who lies outside the usual spread, rather than who lies outside chance."""
        return self.overdispersion != "none" or self.rule == "empirical_null"

    @property
    def flagged(self) -> int:
        """How many lie beyond the outer limits."""
        return len(self.higher) + len(self.lower)

    @property
    def outside(self) -> int:
        """How many lie outside the inner limits, those beyond the outer among them."""
        return self.watch + self.flagged


def headline(finding: Finding) -> str:
    """The finding of a measure, with names while at most three stand out."""
    if not finding.flagged:
        key = "none_events" if finding.event else "none_values"
        return say(key, provider=finding.provider, event=finding.event, title=mid_sentence(finding.title))
    return capital(_clauses(finding, named=finding.flagged <= MOST_NAMES))


def overall_headline(findings: Sequence[Finding], flagged_anywhere: int, all_providers: int) -> str:
    """The finding of a whole run: names while at most three results stand out, else a count."""
    results = sum(finding.flagged for finding in findings)
    provider = findings[0].provider if findings else "provider"
    if len(findings) == 1:
        return headline(findings[0])
    if not results:
        measures = say("any_measure", count=numbers.in_words(len(findings)))
        return say("none_anywhere", provider=provider, measures=measures)
    if results <= MOST_NAMES:
        return capital("; ".join(_clauses(finding, named=True) for finding in findings if finding.flagged))
    measures = say("least_one", count=numbers.in_words(len(findings)))
    key = "counts_anywhere_one" if flagged_anywhere == 1 else "counts_anywhere"
    flagged = numbers.in_words(flagged_anywhere, capital=True)
    return say(key, flagged=flagged, all=numbers.integer(all_providers), providers=plural(provider), measures=measures)


def _clauses(finding: Finding, named: bool) -> str:
    form = "names" if named else "count"
    more, fewer = ("more", "fewer") if finding.event else ("above", "below")
    clauses: list[str] = []
    for side, word in ((finding.higher, more), (finding.lower, fewer)):
        if side:
            short = "_short" if clauses else ""
            noun = finding.provider if len(side) == 1 else plural(finding.provider)
            count = numbers.in_words(len(side))
            words = {
                "names": listed(side) if named else "",
                "count": count,
                "providers": noun,
                "event": finding.event,
                "had": verb("had", len(side)),
            }
            clauses.append(say(f"{form}_{word}{short}", title=mid_sentence(finding.title), **words))
    return "; ".join(clauses) if named else f" {CATALOGUE['and']} ".join(clauses)


def against_chance(finding: Finding) -> str:
    """How many lie outside both limits, beside what chance alone would put there."""
    levels = {
        "watch_level": numbers.level_percent(finding.watch_level),
        "flag_level": numbers.level_percent(finding.flag_level),
    }
    every = {"all": numbers.in_words(finding.assessed), "providers": plural(finding.provider)}
    null = say("null_spread" if finding.against_spread else "null_chance")
    lie = verb("lie", finding.outside)
    watch = (
        numbers.in_words(finding.outside, capital=finding.rule != "interval")
        if finding.outside
        else CATALOGUE["none_of"]
    )
    watch = capital(watch) if finding.rule != "interval" else watch
    if finding.chance_watch is None or finding.chance_flag is None:
        return say("no_chance", watch=capital(watch), lie=lie, **levels, **every)
    first = say(
        "outside" if finding.rule != "interval" else "excludes",
        watch=watch, lie=lie, by_chance=_by_chance(finding.chance_watch), null=null, **levels, **every,
    )  # fmt: skip
    keys = ("beyond_none", "beyond") if finding.rule != "interval" else ("excludes_none", "excludes_flag")
    flag = numbers.in_words(finding.flagged, capital=finding.rule != "interval")
    second = say(
        keys[bool(finding.flagged)],
        flag=flag, lie=verb("lie", finding.flagged), by_chance=_by_chance(finding.chance_flag), null=null,
        **levels,
    )  # fmt: skip
    return f"{first} {second}"


def lede(finding: Finding) -> str:
    """The paragraph under a measure's headline."""
    rest = finding.assessed - finding.outside
    parts = [against_chance(finding)]
    if 0 < rest < finding.assessed:
        kind = "_spread" if finding.against_spread else ""
        key = f"rest_one{kind}" if rest == 1 else f"rest{kind}"
        parts.append(say(key, rest=numbers.in_words(rest), providers=plural(finding.provider)))
    if finding.too_few:
        nouns = {"provider": finding.provider, "providers": plural(finding.provider)}
        count = numbers.in_words(finding.too_few, capital=True)
        parts.append(say("too_small_one" if finding.too_few == 1 else "too_small", count=count, **nouns))
    return " ".join(parts)


def stand_out(finding: Finding) -> str:
    """Stand out: two higher and one lower."""
    key = {(True, True): "both", (True, False): "higher", (False, True): "lower", (False, False): "none"}
    chosen = key[bool(finding.higher), bool(finding.lower)]
    counts = {"higher": numbers.in_words(len(finding.higher)), "lower": numbers.in_words(len(finding.lower))}
    return say(f"stand_out_{chosen}", **counts)


def rule(finding: Finding) -> str:
    """Which rule flags, and how many flags it would raise if all were average."""
    levels = {
        "watch_level": numbers.level_percent(finding.watch_level),
        "flag_level": numbers.level_percent(finding.flag_level),
    }
    many = plural(finding.provider)
    names = {"provider": finding.provider, "providers": many, "Providers": capital(many)}
    text = say(f"rule_{finding.rule}", event=finding.event or CATALOGUE["word_total"], **names, **levels)
    if finding.overdispersion != "none":
        text += " " + say("limits_widened", **names)
    if numbers.known(finding.power):
        text += " " + say("power", power=numbers.percent(finding.power, 0), **names)
    if finding.chance_watch is None or finding.chance_flag is None:
        return text
    by_chance = {"watch": numbers.few(finding.chance_watch), "flag": numbers.few(finding.chance_flag)}
    key = "false_flags_spread" if finding.against_spread else "false_flags"
    return f"{text} {say(key, providers=plural(finding.provider), **by_chance, **levels)}"


def _by_chance(count: float) -> str:
    return numbers.in_words(count) if count >= 1.95 else numbers.few(count)

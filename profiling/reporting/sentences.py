"""Every sentence the report generates from numbers, in one catalogue that can be translated as a whole.

`CATALOGUE` holds the patterns; the functions below choose among them and fill them. Words follow the rules of the
report: up is always more of the event, a flag is a reason to look and not a verdict, the uncertainty stands beside
the estimate, numbers to twelve are words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from profiling.reporting import numbers

CATALOGUE: Mapping[str, str] = {
    # status
    "higher": "Higher than expected",
    "higher_watch": "Higher, watch",
    "as_expected": "As expected",
    "lower_watch": "Lower, watch",
    "lower": "Lower than expected",
    "too_few": "Too few to say",
    "usual_spread": "Within usual spread",
    # headline of a measure
    "names_more": "{names} had more {event} than expected",
    "names_fewer": "{names} had fewer {event} than expected",
    "names_fewer_short": "{names} had fewer",
    "names_above": "{names} had a higher {title} than expected",
    "names_below": "{names} had a lower {title} than expected",
    "names_below_short": "{names} had a lower one",
    "count_more": "{count} {providers} had more {event} than expected",
    "count_fewer": "{count} {providers} had fewer {event} than expected",
    "count_fewer_short": "{count} had fewer",
    "count_above": "{count} {providers} had a higher {title} than expected",
    "count_below": "{count} {providers} had a lower {title} than expected",
    "count_below_short": "{count} had a lower one",
    "none_events": "No {provider} had more or fewer {event} than chance explains",
    "none_values": "No {provider} differs in {title} by more than chance explains",
    # headline of the overview
    "none_anywhere": "No {provider} stands out on {measures}",
    "counts_anywhere": "{flagged} of {all} {providers} stand out on {measures}",
    "counts_anywhere_one": "One of {all} {providers} stands out on {measures}",
    "any_measure": "any of {count} measures",
    "least_one": "at least one of {count} measures",
    # funnel rule
    "outside": (
        "{watch} of {all} {providers} {lie} outside the {watch_level} limits, where {null} would put "
        "{by_chance}."
    ),
    "beyond_none": "None lies beyond the {flag_level} limits, where {null} would put {by_chance}.",
    "beyond": "{flag} {lie} beyond the {flag_level} limits, where {null} would put {by_chance}.",
    "null_chance": "chance alone",
    "null_spread": "chance and the usual spread",
    # interval rule
    "excludes": (
        "For {watch} of {all} {providers} the {watch_level} interval leaves out the norm, where chance alone "
        "would put {by_chance}."
    ),
    "excludes_none": (
        "For none does the {flag_level} interval leave it out, where chance alone would put {by_chance}."
    ),
    "excludes_flag": (
        "For {flag} the {flag_level} interval leaves it out too, where chance alone would put {by_chance}."
    ),
    "rest": "For the other {rest} the data show no clear difference from the average.",
    "rest_spread": "The other {rest} lie within the usual spread of {providers}.",
    "rest_one_spread": "The other one lies within the usual spread of {providers}.",
    "rest_one": "For the other one the data show no clear difference from the average.",
    "too_small": "{count} {providers} had too few cases to say.",
    "too_small_one": "One {provider} had too few cases to say.",
    "no_chance": "{watch} of {all} {providers} {lie} outside the {watch_level} limits.",
    # stand-out line
    "stand_out_both": "Stand out: {higher} higher and {lower} lower",
    "stand_out_higher": "Stand out: {higher} higher",
    "stand_out_lower": "Stand out: {lower} lower",
    "stand_out_none": "Stand out: none",
    # one provider
    "provider_events": "{name} had {observed} {event} where {expected} were expected",
    "provider_values": "{name}: {title} averaged {observed} {unit} where {expected} were expected",
    "within_chance": ", which is within what chance does",
    "provider_chance": "; chance alone would do this to {chance} {providers}",
    "provider_hidden": "{name}: counts are not published",
    "provider_none": "{name} is in none of the measures",
    "drawn_in": (
        "With {cases} patients the ratio of {raw} is drawn in to {ratio}, and anything from {lower} to "
        "{upper} is plausible."
    ),
    "not_drawn_in": (
        "With {cases} patients the ratio we believe is {ratio}, and anything from {lower} to {upper} is "
        "plausible."
    ),
    "ranks": "Among {all} {providers} it could rank anywhere from {low} to {high}.",
    "ranks_narrow": "Among {all} {providers} its rank lies between {low} and {high}.",
    "hidden_lede": (
        "It had {band} cases. Counts from 1 to {most} of cases, events or patients without the event are not "
        "published, nor is any figure that would give one back, here or at another {provider}."
    ),
    "status_chance": "{status}; chance alone would do this to {chance}.",
    # around the charts and the model
    "why_expected_lower": (
        "All patients together: {overall}. With this {provider}’s case mix the average {provider} would "
        "have {expected}: its patients are at lower risk than most."
    ),
    "why_expected_higher": (
        "All patients together: {overall}. With this {provider}’s case mix the average {provider} would "
        "have {expected}: its patients are at higher risk than most."
    ),
    "why_expected": (
        "All patients together: {overall}. With this {provider}’s case mix the average {provider} would "
        "have {expected}."
    ),
    "why_believed": (
        "It had {observed}. With a reliability of {reliability} we believe about {share} of the "
        "difference is its own, and put its long-run figure at {predicted}."
    ),
    "read_events": (
        "A {provider} at 1.4 had 40\u202f% more {event} than the average {provider} would have had with "
        "the same patients."
    ),
    "read_values": (
        "A {provider} at 1.4 had an average 40\u202f% higher than the average {provider} would have had "
        "with the same patients."
    ),
    "read_inner": (
        "{level} limits: inside, no sign that the {provider} differs; chance alone puts {chance} "
        "outside."
    ),
    "read_outer": "{level} limits: outside, chance alone would do this to {chance}.",
    "judged_by_interval": (
        "The marks are judged by the interval of the shrunken ratio, not by these bands, so a {provider}"
        " may lie inside a band and be flagged."
    ),
    "intervals": (
        "Intervals hold the true value with 95\u202f% probability under the model. Two intervals that "
        "overlap, or do not, are no test of one {provider} against another."
    ),
    "intervals_and_limits": (
        "Interval and limits answer different questions, so a {provider} may lie outside the limits "
        "while its interval touches 1."
    ),
    "inner_note": "Each {inner} stands on the page of its {outer}. Counts of {hidden} are not shown.",
    "model_risk": (
        "For each patient we estimate the {what} {known}. Adding these over a {provider}’s patients "
        "gives its expected {total}."
    ),
    "model_family": (
        "Each {provider} then gets its own effect. {Providers} are taken to come from one family whose "
        "spread is estimated from the data{spread}. A small {provider}’s effect is drawn toward the "
        "family average, a large one’s hardly."
    ),
    "model_spread": ": for the same patient, two typical {providers} differ by a factor of about {ratio} in the odds",
    "model_discrimination": (
        "The model tells patients with and without the event apart with a c-statistic of {value}; 0.5 "
        "would be guessing and 1 complete."
    ),
    "model_balance": "Over all {providers} observed ÷ expected is {value}.",
    "model_converged": "The fit found its maximum: no small change of any parameter makes the data more likely.",
    "model_unknown": "Nothing is known about how the fit ended.",
    "model_headline": "How the expected {event} are made, and how far they can be trusted",
    "model_headline_values": "How the expected {title} is made, and how far it can be trusted",
    "two_ways_one": "For a patient of one {provider}, {trait} multiplies the odds of the event by {ratio}.",
    "two_ways_all": "Over the patients of all {providers} together it multiplies them by {ratio}.",
    "two_ways_naive": (
        "A model that ignores {providers} would have been overconfident: its standard error of {trait} would have to "
        "be {factor} times as large."
    ),
    "two_ways_modest": "A model that ignores {providers} would not have been overconfident about any of these traits.",
    "two_ways_design": "Patients of one {provider} are alike: for the overall rate, {effect} of them count as one.",
    "structure_sizes": "There are {count} {providers}, half of them with about {size} records or more.",
    "structure_sizes_small": "There are {count} {providers}, half of them with fewer than {size} records.",
    "structure_nested": "Each {child} belongs to one {parent}.",
    "structure_twins": "Each {parent} has one {child} of its own, so that their effects cannot be told apart.",
    "structure_crossed": "Every {child} has patients in every {parent}.",
    "structure_partial": "Of the {children}, {share} have patients in more than one {parent}.",
    "structure_off_main": "Away from a {child}’s main {parent} lie {share} of the records.",
    "model_shares": "Of what the case mix leaves unexplained, {first} lies {rest}.",
    "audit_headline": "What this report was made from, and how to check it",
    "audit_lede": "Every number of these pages follows from the files, the settings and the programs named here.",
    "audit_kept": "{rules} more, broken by no row.",
    "audit_first": "No run was published before this one, so there is nothing it could be compared with.",
    "audit_previous": (
        "Before this run {previous} was published. What changed between the two: profiling compare {previous} {run}."
    ),
    "audit_passed": "The gate found no jump in volume, event rate, missing values or flags against it.",
    "audit_released": (
        "The gate held this run for a jump in the {reasons}. It was released after somebody had looked at the reasons."
    ),
    "bundle_note": (
        "For {name} only: this page shows its own small counts, which are never published. Others have no names here."
    ),
    "compare_none": "No {provider} has another result than in run {before}",
    "compare_some": "{moved} of {all} {providers} have another result than in run {before}",
    "compare_one": "One of {all} {providers} has another result than in run {before}",
    "compare_same_files": "Both runs read the same files.",
    "compare_other_files": "{files} changed between the runs.",
    "compare_same_settings": "The measures were set up alike.",
    "compare_other_settings": "What was asked of the data changed as well: {settings}.",
    "cause_outcomes": "Other outcomes",
    "cause_case_mix": "Other patients",
    "cause_model": "Another model",
    "cause_rule": "Another rule",
    "cause_size": "More or fewer cases",
    "cause_hidden": "Counts not shown",
    "cause_unknown": "No figures to compare",
    "cause_came": "Not in the former run",
    "cause_left": "Not in the later run",
    "cause_": "",
    "compare_reading": (
        "The raw ratio changed by the product of three factors: what happened to the patients (outcomes), who the "
        "patients were (case mix), and how the same patients are valued (model). A result may also change by the rule "
        "alone, the figures being as before."
    ),
    "compare_inner": "{moved} of {all} moved too; they stand in the table for download.",
    "compare_few": (
        "Where the two runs differ by 1 to {most} cases, events or cases without the event, the figures of both are "
        "withheld here: their difference would be such a count."
    ),
    "step_before": "Run {before}",
    "step_left": "Records of it alone, taken away",
    "step_came": "Records of the later run alone, added",
    "step_same": "Same records, valued anew",
    "step_after": "Run {after}",
    "calibration_providers": (
        "Observed ÷ predicted, each {provider}’s own effect in its prediction. Where the model describes "
        "{providers} well, the marks lie inside the limits, closer to 1 than chance alone would put them."
    ),
    "watched_one": "One {provider} lies just beyond what chance usually does and is worth watching.",
    "watched": "{count} {providers} lie just beyond what chance usually does and are worth watching.",
    "conversation": (
        "Beyond the {flag} limits on any measure, or beyond the {watch} limits on {first}. Beside each "
        "word: the shrunken ratio and its 95\u202f% interval."
    ),
    # rules
    "rule_funnel": (
        "A {provider} is flagged by an exact test of its observed {event} against the number expected: beyond"
        " the {flag_level} limits “higher” or “lower than expected”, beyond the {watch_level} limits “watch”."
    ),
    "rule_interval": (
        "A {provider} is flagged by the posterior interval of its shrunken ratio: where the {flag_level} "
        "interval leaves out the norm “higher” or “lower than expected”, where the {watch_level} interval "
        "does “watch”."
    ),
    "rule_meaningful_difference": (
        "A {provider} is flagged by the posterior probability that its ratio differs from 1 by more than is worth "
        "acting on: above {flag_level} “higher” or “lower than expected”, above {watch_level} “watch”."
    ),
    "rule_empirical_null": (
        "A {provider} is flagged by how far its result lies from those of the bulk of {providers}: beyond their "
        "{flag_level} limits “higher” or “lower than expected”, beyond the {watch_level} limits “watch”."
    ),
    "rule_false_discovery": (
        "{Providers} are flagged so that the share of false ones among them stays small: less than one minus "
        "{flag_level} among those “higher” or “lower than expected”, less than one minus {watch_level} with “watch”."
    ),
    "rule_local_false_discovery": (
        "A {provider} is flagged where {providers} with its result are, with a probability of at least {flag_level}, "
        "not of the average kind (“higher” or “lower than expected”); from {watch_level} on “watch”."
    ),
    "rule_srtr": (
        "A {provider} is flagged, on the higher side only, where the probability that its ratio is above 1.2 exceeds "
        "75 %, or that it is above 2.5 exceeds 10 %."
    ),
    "rule_ahrq": (
        "A {provider} is flagged by its smoothed rate: where its {flag_level} interval leaves out the overall rate "
        "“higher” or “lower than expected”, where the {watch_level} interval does “watch”."
    ),
    "limits_widened": (
        "{Providers} differ by more than chance explains, so the limits were widened: inside them a {provider} is "
        "within the usual spread."
    ),
    "power": (
        "A typical {provider} whose true ratio is 1.5 would be found beyond the outer limit with a probability of "
        "{power}."
    ),
    "aggregates": (
        "These are published figures of each {provider}: {cases} cases, observed and expected {event}. There are no "
        "patient records behind this report, so the case mix is taken as it was published."
    ),
    "aggregates_shrunken": (
        "The shrunken ratio takes the ratios of all {providers} to come from one gamma distribution, whose mean and "
        "spread are estimated from the table."
    ),
    "false_flags_spread": (
        "If {providers} differed by the usual spread alone, this rule would put about {watch} outside the"
        " {watch_level} limits and {flag} beyond the {flag_level} limits."
    ),
    "read_inner_spread": (
        "{level} limits: inside, within the usual spread of {providers}; the usual spread puts {chance} outside."
    ),
    "read_outer_spread": "{level} limits: outside, the usual spread would do this to {chance}.",
    "disclosure_none": "No count is hidden in this report.",
    "false_flags": (
        "If all {providers} were exactly average, this rule would put about {watch} outside the {watch_level}"
        " limits and {flag} beyond the {flag_level} limits."
    ),
    "verdict": (
        "A flag is a reason to look, not a verdict. Check the data first, then the case mix, then the "
        "structure, then the process, and the people last."
    ),
    "disclosure": (
        "Counts of patients or events from 1 to {most} are not shown, nor is any figure that would give them "
        "back: such a {provider} shows its case band and result only. Totals include it."
    ),
    "missing_warning": (
        "More than {share} of this {provider}’s records for {measures} lacked a value of the case mix and "
        "were left out. Read its figures with care."
    ),
}  # fmt: skip

MOST_NAMES = 3
PLURALS = {"person": "people", "staff": "staff"}


def say(key: str, **values: object) -> str:
    """A sentence of the catalogue, filled."""
    return CATALOGUE[key].format(**values)


def plural(noun: str) -> str:
    """Hospitals, surgeries, practices, trusts: the plural of a level's name."""
    if noun in PLURALS:
        return PLURALS[noun]
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def counted(count: float, noun: str, capital: bool = False) -> str:
    """A number with its noun: one hospital, four hospitals, no hospitals."""
    return f"{numbers.in_words(count, capital)} {noun if round(count) == 1 else plural(noun)}"


def listed(names: Sequence[str]) -> str:
    """A and B; A, B and C."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def mid_sentence(title: str) -> str:
    """A title inside a sentence: "Length of stay" becomes "length of stay", "HIV" stays."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def capital(text: str) -> str:
    """With a capital letter at the start."""
    return text[:1].upper() + text[1:]


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
            words = {"names": listed(side) if named else "", "count": count, "providers": noun, "event": finding.event}
            clauses.append(say(f"{form}_{word}{short}", title=mid_sentence(finding.title), **words))
    return "; ".join(clauses) if named else " and ".join(clauses)


def against_chance(finding: Finding) -> str:
    """How many lie outside both limits, beside what chance alone would put there."""
    levels = {
        "watch_level": numbers.level_percent(finding.watch_level),
        "flag_level": numbers.level_percent(finding.flag_level),
    }
    every = {"all": numbers.in_words(finding.assessed), "providers": plural(finding.provider)}
    null = say("null_spread" if finding.against_spread else "null_chance")
    lie = "lies" if finding.outside == 1 else "lie"
    watch = numbers.in_words(finding.outside, capital=finding.rule != "interval") if finding.outside else "none"
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
        flag=flag, lie="lies" if finding.flagged == 1 else "lie", by_chance=_by_chance(finding.chance_flag), null=null,
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
    text = say(f"rule_{finding.rule}", event=finding.event or "total", **names, **levels)
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


def status_with_chance(category: str, probability: float | None) -> str:
    """Higher than expected; chance alone would do this to 1 in 500."""
    if category in ("too_few", "as_expected") or not numbers.known(probability):
        return f"{CATALOGUE[category]}."
    return say("status_chance", status=CATALOGUE[category], chance=numbers.chance(probability))

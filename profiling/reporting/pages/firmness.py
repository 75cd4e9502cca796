"""Panel of a provider: how firm its result is, and what would change it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from profiling.reporting import numbers, sentences
from profiling.reporting.charts.events import Threshold, event_line
from profiling.reporting.definitions import named
from profiling.reporting.pages.agreement import agreement
from profiling.reporting.pages.panel import Head, Links, Panel, PanelTable, drawn, status
from profiling.reporting.pages.shared import MeasureView, noun, nouns

KIND = "evidence"
LITTLE_OVERLAP = 0.5
SIDES = ("lower", "lower_watch", "higher_watch", "higher")
COLUMNS = {
    "lower": "events_to_lower_flag",
    "lower_watch": "events_to_lower_watch",
    "higher_watch": "events_to_higher_watch",
    "higher": "events_to_higher_flag",
}

Record = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Step:
    """A change of the number of events that gives another result."""

    change: int
    category: str


def prepare(measure: MeasureView) -> tuple[dict[str, Record], dict[str, Record]]:
    """Evidence and social risk of the outer providers that are shown, by provider."""
    return _by_provider(measure, "provider_evidence"), _by_provider(measure, "social_risk")


def _by_provider(measure: MeasureView, name: str) -> dict[str, Record]:
    rows = measure.of(name)
    return {str(row["provider"]): row for row in rows[rows["level"] == measure.outer].to_dict("records")}


def panel(
    measure: MeasureView,
    row: Record,
    evidence: Record | None,
    social: Record | None,
    count: int,
    links: Links = (),
) -> Panel | None:
    """The panel of one provider, or None where nothing is known beside its result. `count`: providers of its level."""
    if evidence is None or row["category"] == "too_few":
        return None
    steps = changes(row, evidence)
    agreed = agreement(measure, evidence)
    told = [text for text in (_change_words(measure, row, steps), agreed, _hidden_trait(row, evidence)) if text]
    told += [
        text
        for text in (_rank(measure, row, evidence, count), _social(measure, social), _overlap(measure, evidence))
        if text
    ]
    if not told:
        return None
    title = _title(measure, steps) or agreed or sentences.say("firm_title", provider=noun(measure.outer))
    told = [text for text in told if text != title]
    return Panel(
        title.rstrip("."),
        sentences.say(_sub(evidence), event=measure.event) if steps else "",
        _drawing(measure, row, evidence, title) if steps else "",
        tuple(told),
        _table(measure, row, evidence) if steps else None,
        links,
        (sentences.say("firm_near"),) if steps and measure.spec["flag"]["rule"] != "funnel" else (),
        named("stability", "events-to-change", "e-value", "fifths", "rank-set", "overlap"),
        beside="table" if steps else "",
    )


def _sub(evidence: Record) -> str:
    watched = any(numbers.known(evidence.get(COLUMNS[side])) for side in ("lower_watch", "higher_watch"))
    return "firm_sub" if watched else "firm_sub_three"


def thresholds(row: Record, evidence: Record) -> list[Threshold]:
    """The first number of events beyond each limit, as far as there is one."""
    observed = float(row["observed"])
    return [
        Threshold(observed + float(evidence[COLUMNS[side]]), side)
        for side in SIDES
        if numbers.known(evidence.get(COLUMNS[side]))
    ]


def changes(row: Record, evidence: Record) -> list[Step]:
    """The changes of the number of events that change the result, the smallest first: of a flagged provider those on
    its own side, of any other the nearest on either."""
    places = {threshold.category: threshold.count - float(row["observed"]) for threshold in thresholds(row, evidence)}
    steps: list[Step] = []
    for side, sign in (("higher", 1), ("lower", -1)):
        outer, inner = places.get(side), places.get(f"{side}_watch")
        # Beyond a limit now: so many back; short of it: so many on. Without a watch a flag ends as expected.
        if inner is not None:
            beyond = sign * inner <= 0
            steps.append(Step(round(inner - sign), "as_expected") if beyond else Step(round(inner), f"{side}_watch"))
        if outer is not None and sign * outer <= 0:
            steps.append(Step(round(outer - sign), "as_expected" if inner is None else f"{side}_watch"))
        elif outer is not None and (inner is None or sign * inner <= 0):
            steps.append(Step(round(outer), side))
    side = str(row["category"]).removesuffix("_watch")
    if side in ("higher", "lower"):
        steps = [step for step in steps if step.category == "as_expected" or step.category.startswith(side)]
    return sorted((step for step in steps if step.change), key=lambda step: (abs(step.change), step.change))


def _step_words(measure: MeasureView, step: Step, capital: bool = False) -> str:
    count = abs(step.change)
    noun_of = sentences.one_of(measure.event) if count == 1 else measure.event
    key = "firm_more" if step.change > 0 else "firm_fewer"
    return sentences.say(
        key, count=numbers.in_any_gender(count, capital), event=noun_of, status=_word(measure, step.category)
    )


def _word(measure: MeasureView, category: str) -> str:
    return str(sentences.CATALOGUE[measure.worded(category)])


def _title(measure: MeasureView, steps: Sequence[Step]) -> str:
    return _step_words(measure, steps[0], capital=True) if steps else ""


def _change_words(measure: MeasureView, row: Record, steps: Sequence[Step]) -> str:
    if not steps:
        return ""
    now = sentences.say(
        "firm_now",
        observed=numbers.integer(row["observed"]),
        event=measure.event if row["observed"] != 1 else sentences.one_of(measure.event),
        status=_word(measure, str(row["category"])),
    )
    return f"{now} {sentences.capital(sentences.listed([_step_words(measure, step) for step in steps[:3]]))}."


def _hidden_trait(row: Record, evidence: Record) -> str:
    """The e-value in plain words."""
    value, limit = evidence.get("e_value"), evidence.get("e_value_limit")
    if not numbers.known(value) or not numbers.known(limit):
        return ""
    if float(limit or 1.0) <= 1.0:
        return sentences.say("trait_none", interval=numbers.interval_text(row["ratio_lower"], row["ratio_upper"]))
    figures = {"value": numbers.decimal(value, 1), "limit": numbers.decimal(limit, 1)}
    return sentences.say("trait_needed", ratio=numbers.ratio(row["ratio"]), **figures)


def _rank(measure: MeasureView, row: Record, evidence: Record, count: int) -> str:
    if not numbers.known(row.get("rank_lower")) or not numbers.known(evidence.get("top_fifth")):
        return ""
    told = sentences.say(
        "rank_fifths",
        low=numbers.integer(row["rank_lower"]),
        high=numbers.integer(row["rank_upper"]),
        all=numbers.integer(count),
        providers=nouns(measure.outer),
        top=likely(evidence["top_fifth"]),
        bottom=likely(evidence["bottom_fifth"]),
    )
    if numbers.known(evidence.get("rank_set_lower")):
        together = {
            "low": numbers.integer(evidence["rank_set_lower"]),
            "high": numbers.integer(evidence["rank_set_upper"]),
        }
        told += " " + sentences.say("rank_together", providers=nouns(measure.outer), **together)
    return told


def likely(probability: float) -> str:
    """A probability in whole per cent, never 0 % and never 100 %."""
    if probability < 0.005:
        return sentences.say("under_one_percent")
    return sentences.say("over_99_percent") if probability > 0.995 else numbers.percent(probability, 0)


def _social(measure: MeasureView, social: Record | None) -> str:
    if social is None or not numbers.known(social.get("ratio_with")):
        return ""
    ratios = {"without": numbers.ratio(social["ratio_without"]), "ratio": numbers.ratio(social["ratio_with"])}
    same = social.get("category_with") == social.get("category_without")
    if same and ratios["without"] == ratios["ratio"]:
        return sentences.say("social_unchanged")
    key = "social_same" if same else "social_moved"
    return sentences.say(key, status=_word(measure, str(social.get("category_with"))), **ratios)


def _overlap(measure: MeasureView, evidence: Record) -> str:
    overlap = evidence.get("overlap")
    if not numbers.known(overlap) or float(overlap or 0.0) >= LITTLE_OVERLAP:
        return ""
    return sentences.say("overlap_little", share=numbers.percent(overlap, 0), providers=nouns(measure.outer))


def _drawing(measure: MeasureView, row: Record, evidence: Record, title: str) -> Markup:
    return drawn(
        f"limits-{measure.name}",
        lambda form: event_line(
            float(row["observed"]),
            float(row["expected_marginal"]),
            thresholds(row, evidence),
            str(row["category"]),
            form=form,
            finding=title,
            axis_name=sentences.capital(measure.event),
        ),
    )


def _table(measure: MeasureView, row: Record, evidence: Record) -> PanelTable:
    """Each result with the number of events from which on it is given, and how far that is."""
    head = (
        Head(sentences.capital(measure.event), number=False),
        Head(sentences.say("head_difference")),
        Head(sentences.say("head_result"), number=False),
    )
    rows = tuple(
        (
            sentences.say(
                "from_up" if t.category.startswith("higher") else "from_down", count=numbers.integer(t.count)
            ),
            numbers.signed(t.count - float(row["observed"]), 0),
            status(measure.worded(t.category)),
        )
        for t in reversed(thresholds(row, evidence))
    )
    return PanelTable(sentences.say("firm_table", event=measure.event), head, rows)

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from profiling.reporting import sentences
from profiling.reporting.definitions import DEFINITIONS
from profiling.reporting.sentences import Finding

FORBIDDEN = re.compile(r"\b(worst|best|bad|good|poor|significant|significantly|league)\b", re.IGNORECASE)
FINDING = Finding(
    title="Death within 30 days",
    event="deaths",
    provider="hospital",
    higher=("Oakwick University", "Kirkden District"),
    lower=("Yarholt Regional",),
    watch=5,
    assessed=121,
    too_few=0,
    rule="funnel",
    watch_level=0.95,
    flag_level=0.998,
    chance_watch=6.05,
    chance_flag=0.24,
)


def test_headline_names_who_stands_out_while_they_are_few() -> None:
    expected = "Oakwick University and Kirkden District had more deaths than expected; Yarholt Regional had fewer"
    assert sentences.headline(FINDING) == expected


def test_headline_counts_when_more_than_three_stand_out() -> None:
    many = replace(FINDING, higher=("A", "B", "C"), lower=("D",))
    assert sentences.headline(many) == "Three hospitals had more deaths than expected and one had fewer"


def test_headline_of_one_and_of_none() -> None:
    assert sentences.headline(replace(FINDING, higher=(), lower=("Elm",))) == "Elm had fewer deaths than expected"
    none = sentences.headline(replace(FINDING, higher=(), lower=()))
    assert none == "No hospital had more or fewer deaths than chance explains"


def test_headline_of_a_continuous_measure() -> None:
    stay = replace(FINDING, event="", title="Length of stay")
    assert sentences.headline(stay).endswith(
        "had a higher length of stay than expected; Yarholt Regional had a lower one"
    )


def test_what_was_seen_stands_beside_what_chance_does() -> None:
    expected = (
        "Eight of 121 hospitals lie outside the 95\u202f% limits, where chance alone would put six. "
        "Three lie beyond the 99.8\u202f% limits, where chance alone would put 0.2."
    )
    assert sentences.against_chance(FINDING) == expected
    assert "For the other 113 the data show" in sentences.lede(FINDING)


def test_nobody_and_one_agree_with_their_verbs() -> None:
    none = replace(FINDING, higher=(), lower=(), watch=0)
    assert sentences.against_chance(none).startswith("None of 121 hospitals lie outside")
    one = replace(FINDING, higher=("A",), lower=(), watch=0)
    assert sentences.against_chance(one).startswith("One of 121 hospitals lies outside")
    assert " One lies beyond" in sentences.against_chance(one)


def test_interval_rule_speaks_of_intervals_not_of_limits_of_a_funnel() -> None:
    text = sentences.against_chance(replace(FINDING, rule="interval"))
    assert text.startswith("For eight of 121 hospitals the 95\u202f% interval leaves out the norm")
    assert "lie outside" not in text


def test_the_rule_is_named_with_the_flags_it_expects() -> None:
    text = sentences.rule(FINDING)
    assert "exact test" in text
    assert "about 6 outside the 95\u202f% limits and 0.2 beyond the 99.8\u202f% limits" in text
    assert "posterior interval" in sentences.rule(replace(FINDING, rule="interval"))


def test_overall_headline_is_the_finding() -> None:
    quiet = replace(FINDING, higher=(), lower=())
    one = replace(FINDING, title="Length of stay", event="", higher=("Elm",), lower=())
    named = sentences.overall_headline([FINDING, quiet], 3, 121)
    assert named == sentences.headline(FINDING)
    assert (
        sentences.overall_headline([FINDING, one], 4, 121)
        == "Four of 121 hospitals stand out on at least one of two measures"
    )
    assert sentences.overall_headline([quiet, quiet], 0, 121) == "No hospital stands out on any of two measures"
    assert sentences.overall_headline([quiet], 0, 121) == sentences.headline(quiet)


def test_stand_out_line() -> None:
    assert sentences.stand_out(FINDING) == "Stand out: two higher and one lower"
    assert sentences.stand_out(replace(FINDING, higher=(), lower=())) == "Stand out: none"


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("hospital", "hospitals"),
        ("surgery", "surgeries"),
        ("trust", "trusts"),
        ("clinic", "clinics"),
        ("practice", "practices"),
        ("branch", "branches"),
        ("bay", "bays"),
    ],
)
def test_plurals(one: str, many: str) -> None:
    assert sentences.plural(one) == many


def test_no_sentence_judges() -> None:
    texts = [*sentences.CATALOGUE.values(), *(entry.meaning for entry in DEFINITIONS)]
    assert [text for text in texts if FORBIDDEN.search(text)] == []


def test_titles_inside_sentences_keep_abbreviations() -> None:
    assert sentences.mid_sentence("Length of stay") == "length of stay"
    assert sentences.mid_sentence("HIV testing") == "HIV testing"

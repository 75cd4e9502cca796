"""Other ways of judging in words, and how many of them agree with the published one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from profiling.reporting import numbers, sentences
from profiling.reporting.disclosure import clean
from profiling.reporting.pages.shared import MeasureView, noun, nouns
from profiling.reporting.pages.terms import term_words

Record = Mapping[Hashable, Any]


def agreement(measure: MeasureView, evidence: Record) -> str:
    """How many other ways of judging come to the same side, and which do not."""
    methods, agree = evidence.get("methods"), evidence.get("agree")
    if not numbers.known(methods) or not numbers.known(agree) or not methods:
        return ""
    total, same = round(float(methods or 0)), round(float(agree or 0))
    words = {"all": numbers.in_words(total), "agree": numbers.in_words(same, capital=True)}
    words["say"] = sentences.verb("say", same)
    if same == total:
        return sentences.say("agree_all" if total > 1 else "agree_one", **words)
    dissent = [method_words(measure, name) for name in str(evidence.get("dissent") or "").split(", ") if name]
    who = sentences.listed(dissent) if dissent else sentences.say("agree_others")
    return sentences.say("agree_none" if not same else "agree_some", dissent=sentences.capital(who), **words)


def method_words(measure: MeasureView, name: str) -> str:
    """A way of judging in words."""
    known = f"method_{name}"
    words = {"provider": noun(measure.outer), "providers": nouns(measure.outer)}
    if known in sentences.CATALOGUE:
        return sentences.say(known, **words)
    if name.startswith("without largest "):
        return sentences.say("method_without_largest", level=noun(name.removeprefix("without largest ")))
    if name.startswith("without "):
        return sentences.say("method_without", term=clean(term_words(name.removeprefix("without "))))
    return sentences.stored(clean(name.replace("_", " ")))

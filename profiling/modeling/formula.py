"""Formulas as in lme4: a fixed part, read by formulaic, and random terms `(expression | grouping)`.

`(1 + x || g)` gives one block without correlations, `(1 | a/b)` reads as `(1 | a) + (1 | a:b)`, and the grouping
`a:b` is the factor of the pairs that occur (Bates, Maechler, Bolker & Walker 2015, section 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass

from profiling.errors import ModelError, Problem


@dataclass(frozen=True)
class RandomTerm:
    """One random term: the expression of its columns, its grouping columns and whether they are correlated."""

    expression: str
    grouping: tuple[str, ...]
    correlated: bool

    @property
    def name(self) -> str:
        """Return the grouping's name: `hospital`, or `hospital:physician` for pairs."""
        return ":".join(self.grouping)


@dataclass(frozen=True)
class ModelFormula:
    """A parsed formula: outcome, fixed right-hand side, random terms."""

    outcome: str
    fixed: str
    random: tuple[RandomTerm, ...]
    text: str


def parse_formula(text: str) -> ModelFormula:
    """Split `text` into outcome, fixed part and random terms; raise ModelError where it cannot be read."""
    outcome, tilde, right = text.partition("~")
    if not tilde or not outcome.strip():
        raise ModelError(Problem("formula", text, "outcome ~ terms + (expression | grouping)"))
    fixed: list[str] = []
    random: list[RandomTerm] = []
    for sign, part in split_terms(right):
        inner = _bar(part)
        if inner is None and _has_bar(part):
            raise ModelError(Problem("formula", text, "random terms in brackets such as (1 | hospital)"))
        if inner is None:
            fixed.append(f"{sign} {part}")
        else:
            random.extend(_random_terms(*inner, text))
    merged = " ".join(fixed).strip().removeprefix("+").strip()
    return ModelFormula(outcome.strip(), merged or "1", tuple(random), text)


def split_terms(text: str) -> list[tuple[str, str]]:
    """Return (sign, term) of a right-hand side, cut at the + and - that stand outside of every bracket."""
    parts: list[tuple[str, str]] = []
    depth, sign, start = 0, "+", 0
    for position, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter in "+-" and depth == 0:
            parts.append((sign, text[start:position].strip()))
            sign, start = letter, position + 1
    parts.append((sign, text[start:].strip()))
    if depth:
        raise ModelError(Problem("formula", text.strip(), "as many closing as opening brackets"))
    return [(sign, part) for sign, part in parts if part]


def _has_bar(part: str) -> bool:
    """Return whether a bar stands outside of every bracket."""
    depth = 0
    for letter in part:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "|" and depth == 0:
            return True
    return False


def _bar(part: str) -> tuple[str, str, bool] | None:
    """Return (expression, grouping, correlated) of a bracketed term with a bar, None for a fixed term."""
    if not (part.startswith("(") and part.endswith(")")):
        return None
    depth = 0
    for position, letter in enumerate(part):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "|" and depth == 1:
            double = part[position + 1] == "|"
            return part[1:position].strip(), part[position + 1 + double : -1].strip(), not double
    return None


def _random_terms(expression: str, grouping: str, correlated: bool, text: str) -> list[RandomTerm]:
    nested = [tuple(name.strip() for name in level.split(":")) for level in grouping.split("/")]
    if not expression or not all(name for level in nested for name in level):
        raise ModelError(Problem("formula", text, "a random term like (1 | hospital) or (1 | hospital/physician)"))
    groups = [sum(nested[: depth + 1], ()) for depth in range(len(nested))]
    return [RandomTerm(expression, group, correlated) for group in groups]

"""Terms of a formula as people read them."""

from __future__ import annotations

import re

_DUMMY = re.compile(r"C\((\w+)[^)]*\)\[(?:T\.)?(.*)\]")
_FACTOR = re.compile(r"C\((\w+)[^)]*\)$")


def term_words(term: str) -> str:
    """A term of the formula as people read it: C(sex)[T.M] becomes sex: M, C(sex) becomes sex."""
    term = _DUMMY.sub(lambda found: f"{found[1]}: {found[2]}", term)
    term = _FACTOR.sub(lambda found: found[1], term)
    term = re.sub(r"I\((.*)\)", r"\1", term).replace("np.minimum", "min").replace("np.maximum", "max")
    return term.replace("_", " ")

"""Categorical covariates with many levels as codes instead of dummies, named and ordered as formulaic's dummies.

Taken are main effects `C(name)` or `name` (text, a category) beside an intercept, of at least `LEAST_LEVELS` levels,
whose column stands nowhere else in the formula: their coding is then the plain one, one dummy a level but the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.coded import CodedColumns
from profiling.modeling.columns import FixedColumns
from profiling.modeling.fixed import fixed_matrix
from profiling.modeling.formula import split_terms

LEAST_LEVELS = 12  # with fewer there is little to save
_FACTOR = re.compile(r"C\(\s*([A-Za-z_]\w*)\s*\)|([A-Za-z_]\w*)")


@dataclass(frozen=True)
class CodedTerm:
    """One covariate as codes: formulaic's name of its term, its column and its levels, the first without a dummy."""

    term: str
    name: str
    levels: pd.Index

    @property
    def names(self) -> list[str]:
        """Return the names of its dummies."""
        return [f"{self.term}[T.{level}]" for level in self.levels[1:]]


@dataclass(frozen=True)
class CodedSpec:
    """How new data become the same columns: the rest's formula and spec (see `fixed_matrix`), and the coded terms."""

    rest: str
    spec: Any
    coded: tuple[CodedTerm, ...]
    names: tuple[str, ...]

    def codes(self, data: pd.DataFrame) -> np.ndarray:
        """Return the codes (n, m) of the data's rows; raise ModelError where a level is missing or new."""
        codes, first = np.empty((len(data), len(self.coded)), dtype=np.int32), 0
        nothing = sum(len(own.names) for own in self.coded)
        for f, own in enumerate(self.coded):
            if own.name not in data:
                raise ModelError(Problem("data", f"no column {own.name!r}", "the columns that the formula names"))
            found = own.levels.get_indexer(pd.Index(data[own.name]))
            unknown = int((found < 0).sum())
            if unknown:
                what = f"{unknown} rows with a level that is missing or that the fit has not seen"
                raise ModelError(Problem(f"column {own.name}", what, "levels of the fit in every row"))
            codes[:, f] = np.where(found == 0, nothing, first + found - 1)
            first += len(own.names)
        return codes

    def columns(self, dense: np.ndarray, names: list[str], codes: np.ndarray) -> CodedColumns:
        """Return the matrix, on the scale of the data, of the rest's columns and of the codes."""
        position = {name: j for j, name in enumerate(self.names)}
        coded = [position[name] for own in self.coded for name in own.names]
        p = len(self.names)
        return CodedColumns(
            dense,
            codes,
            np.array([position[name] for name in names], dtype=np.int64),
            np.array(coded, dtype=np.int64),
            np.zeros(p),
            np.ones(p),
            position["Intercept"],
        )


def fixed_part(text: str, data: pd.DataFrame, order: np.ndarray) -> tuple[FixedColumns, list[str], Any]:
    """Return (matrix (n, p), names, spec) of a right-hand side, categorical covariates of many levels as codes.

    `order` (n): the data's row of each row of the matrix.
    """
    coded, rest = _split(text, data)
    if not coded:
        return fixed_matrix(text, data, order)
    dense, names, spec = fixed_matrix(rest, data, order)
    all_names = _ordered(text, coded, names, spec)
    if len(set(all_names)) < len(all_names):
        return fixed_matrix(text, data, order)
    own = CodedSpec(rest, spec, coded, tuple(all_names))
    return own.columns(dense, names, own.codes(data)[order]), all_names, own


def _split(text: str, data: pd.DataFrame) -> tuple[tuple[CodedTerm, ...], str]:
    """Return the terms to code and the rest of the right-hand side."""
    parts = split_terms(text)
    if any(sign == "-" or part == "0" for sign, part in parts):
        return (), text
    coded = {part: own for _, part in parts if (own := _coded(part, text, data)) is not None}
    return tuple(coded.values()), " + ".join(part for _, part in parts if part not in coded) or "1"


def _coded(part: str, text: str, data: pd.DataFrame) -> CodedTerm | None:
    found = _FACTOR.fullmatch(part)
    name = found and (found[1] or found[2])
    if not found or name not in data.columns or len(re.findall(rf"(?<!\w){name}(?!\w)", text)) > 1:
        return None
    column: Any = data[name]
    category = isinstance(column.dtype, pd.CategoricalDtype)
    numeric = isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf" and bool(found[1])
    text_like = column.dtype == object or str(column.dtype) == "str"
    if not (category or numeric or text_like) or column.isna().any():
        return None
    values = column.cat.remove_unused_categories() if category else column.astype("category")
    levels = values.cat.categories
    return (
        CodedTerm(f"C({name})" if found[1] else str(name), str(name), levels) if len(levels) >= LEAST_LEVELS else None
    )


def _ordered(text: str, coded: tuple[CodedTerm, ...], names: list[str], spec: Any) -> list[str]:
    """Return all columns' names in formulaic's order of terms; `names` those of the rest."""
    from formulaic import Formula

    own = {term.term: term.names for term in coded}
    if isinstance(spec, tuple):
        own |= {"1": ["Intercept"], **{name: [name] for name in spec}}
    else:
        own |= {str(term): [names[j] for j in at] for term, at in spec.term_indices.items()}
    return [name for term in Formula(text) for name in own[str(term)]]

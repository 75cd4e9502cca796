"""Grouping factors: levels, codes, the columns of their random terms, and what makes them inseparable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.fixed import fixed_matrix
from profiling.modeling.formula import RandomTerm


@dataclass(frozen=True)
class GroupingFactor:
    """One grouping factor: its name, labels in order, each row's code (in the data's order), its terms' names."""

    name: str
    levels: np.ndarray
    codes: np.ndarray
    terms: tuple[str, ...]
    columns: np.ndarray | None
    mask: np.ndarray
    specs: tuple[Any, ...] = (None,)  # how to make each term's columns from new data; None: an intercept

    @property
    def size(self) -> int:
        """Return the number of levels."""
        return len(self.levels)


def grouping_factor(term: RandomTerm, data: pd.DataFrame) -> GroupingFactor:
    """Return the factor of one random term; raise ModelError where its columns are not there."""
    absent = [name for name in term.grouping if name not in data.columns]
    if absent:
        raise ModelError(
            [Problem(f"random term {term.name}", f"no column {name!r}", "a column of the data") for name in absent]
        )
    codes, levels = _pairs([data[name] for name in term.grouping])
    if term.expression == "1":
        names, columns, spec = ["Intercept"], None, None
    else:
        columns, names, spec = fixed_matrix(term.expression, data)
    q = len(names)
    mask = np.tril(np.ones((q, q), dtype=bool)) if term.correlated else np.eye(q, dtype=bool)
    return GroupingFactor(term.name, levels, codes, tuple(names), columns, mask, (spec,))


def _pairs(columns: list[pd.Series]) -> tuple[np.ndarray, np.ndarray]:
    """Return codes (n) and sorted labels of one grouping column or of the pairs that occur."""
    parts = [pd.factorize(column, sort=True) for column in columns]
    missing = sum(int((codes < 0).sum()) for codes, _ in parts)
    if missing:
        name = ":".join(str(column.name) for column in columns)
        raise ModelError(Problem(f"grouping factor {name}", f"{missing} rows without a level", "a level in every row"))
    for column, (_, found) in zip(columns, parts, strict=True):
        if pd.api.types.infer_dtype(found, skipna=True).startswith("mixed"):
            where = f"grouping factor {column.name}"
            raise ModelError(Problem(where, "labels of different types", "all text or all numbers", "Convert them"))
    codes, levels = np.asarray(parts[0][0], dtype=np.int64), np.asarray(parts[0][1])
    for more_codes, more_levels in parts[1:]:
        more = np.asarray(more_levels)
        used, codes = np.unique(codes * len(more) + more_codes, return_inverse=True)
        labels = np.empty(len(used), dtype=object)
        labels[:] = [f"{a}:{b}" for a, b in zip(levels[used // len(more)], more[used % len(more)], strict=True)]
        levels = labels
    return codes.astype(np.int64), levels


def merge_factors(factors: list[GroupingFactor]) -> list[GroupingFactor]:
    """Join terms with the same grouping into one factor whose blocks are uncorrelated."""
    merged: dict[str, GroupingFactor] = {}
    for new in factors:
        old = merged.get(new.name)
        if old is None:
            merged[new.name] = new
            continue
        n = len(new.codes)
        q, more = len(old.terms), len(new.terms)
        mask = np.zeros((q + more,) * 2, dtype=bool)
        mask[:q, :q], mask[q:, q:] = old.mask, new.mask
        both = [np.ones((n, 1)) if f.columns is None else f.columns for f in (old, new)]
        if set(old.terms) & set(new.terms):
            raise ModelError(
                Problem(
                    f"random terms of {new.name}",
                    f"{new.terms[0]} stands twice",
                    "each term once",
                    "Write (0 + x | g) beside (1 | g)",
                )
            )
        merged[new.name] = GroupingFactor(
            old.name,
            old.levels,
            old.codes,
            old.terms + new.terms,
            np.concatenate(both, axis=1),
            mask,
            old.specs + new.specs,
        )
    return list(merged.values())


def random_columns(factors: list[GroupingFactor], order: np.ndarray) -> np.ndarray:
    """Return Z (n, k) sorted, or an empty array where every term is an intercept."""
    if all(factor.columns is None for factor in factors):
        return np.zeros((0, len(factors)))
    n = len(order)
    parts = [np.ones((n, 1)) if factor.columns is None else factor.columns[order] for factor in factors]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def faulty_columns(factors: list[GroupingFactor]) -> list[Problem]:
    """Name random terms with values that are missing or infinite, or whose columns say the same."""
    problems = []
    for factor in factors:
        if factor.columns is None:
            continue
        where = f"random term {', '.join(map(str, factor.terms))} by {factor.name}"
        bad = int((~np.isfinite(factor.columns)).sum())
        if bad:
            problems.append(Problem(where, f"{bad} values that are missing or infinite", "finite numbers"))
            continue
        size = np.abs(factor.columns).max(axis=0, initial=0.0)
        scaled = factor.columns / np.where(size > 0, size, 1.0)
        gram = scaled.T @ scaled / max(len(scaled), 1)
        if np.linalg.eigvalsh(gram)[0] < 1e-12:
            found = "columns of which one is a combination of the others (or does not vary)"
            problems.append(Problem(where, found, "columns that differ", "Leave one out"))
    return problems


def one_to_one(factors: list[GroupingFactor]) -> list[Problem]:
    """Name pairs of factors whose levels coincide: their effects cannot be separated by any data."""
    pairs = [(a, b) for i, a in enumerate(factors) for b in factors[i + 1 :] if a.size == b.size]
    return [
        Problem(
            f"grouping factors {a.name} and {b.name}",
            "are one to one: each level of one has its own of the other",
            "factors whose effects can be separated",
            f"Keep one of {a.name} and {b.name}",
        )
        for a, b in pairs
        if len(np.unique(a.codes * b.size + b.codes)) == a.size
    ]

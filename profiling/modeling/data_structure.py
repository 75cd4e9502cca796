"""What is nested in what: the relations between grouping factors, found from the data alone.

For a pair, the factor with more levels is the child, the other the parent. One to one: each level has its own partner;
nested: each child has one parent; crossed: every combination occurs; partially crossed: anything between (Bates 2010,
chapter 2). With a time, children with several parents are told apart: those that moved once and for all, and those
that go to and fro.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from profiling.errors import ModelError, Problem
from profiling.frames import frame_of

ONE_TO_ONE, NESTED, PARTIAL, CROSSED = "one to one", "nested", "partially crossed", "crossed"
# Below this number of levels a variance has too few draws to be estimated; fixed effects say the same.
FEW_LEVELS = 5
# Levels with fewer rows say little on their own.
SMALL_LEVEL = 5


@dataclass(frozen=True)
class DataStructure:
    """Factors, their relations pair by pair, and the random part that they suggest.

    `factors`: factor, levels, smallest, median, largest (rows a level), too_small (levels below `small_level` rows).
    `pairs`: child, parent, relation, share_of_levels (children with more than one parent), share_of_rows (rows away
    from the child's main parent), components, moved, alternating (levels; missing without a time), change_rate (of
    a child's consecutive rows). `random_part` is empty where no factor fits.
    """

    rows: int
    small_level: int
    factors: pd.DataFrame
    pairs: pd.DataFrame
    random_part: str
    reasons: tuple[str, ...]

    def relation(self, a: str, b: str) -> str:
        """Return the relation of two factors, in whatever order."""
        both = self.pairs[["child", "parent"]].isin([a, b]).all(axis=1)
        return str(self.pairs.loc[both, "relation"].iloc[0])

    def text(self) -> str:
        """Return the structure in sentences."""
        lines = [f"{self.rows} rows", *(_factor_line(row, self.small_level) for row in _records(self.factors))]
        lines += ["", *(_pair_line(row) for row in _records(self.pairs))] if len(self.pairs) else []
        return "\n".join([*lines, "", f"Random part: {self.random_part or 'none'}", *(f"- {r}" for r in self.reasons)])

    __str__ = text


def structure(
    data: Any, factors: Sequence[str], time: str | None = None, small_level: int = SMALL_LEVEL
) -> DataStructure:
    """Find how the grouping columns `factors` of `data` relate; rows need a level in each. Raises ModelError.

    `data`: a pandas frame or anything of Arrow (see `frame_of`).
    """
    data = frame_of(data, *factors, time)
    _check(data, factors, time)
    codes = {name: pd.factorize(data[name])[0].astype(np.int64) for name in factors}
    counts = {name: np.bincount(code) for name, code in codes.items()}
    moment = None if time is None else pd.factorize(data[time], sort=True)[0]
    pairs = pd.DataFrame([_pair(a, b, codes, counts, moment) for a, b in combinations(factors, 2)], columns=_COLUMNS)
    summary = pd.DataFrame(
        {
            "factor": list(factors),
            "levels": [len(counts[name]) for name in factors],
            "smallest": [int(counts[name].min()) for name in factors],
            "median": [float(np.median(counts[name])) for name in factors],
            "largest": [int(counts[name].max()) for name in factors],
            "too_small": [int((counts[name] < small_level).sum()) for name in factors],
        }
    )
    random_part, reasons = _recommend(summary, pairs, len(data))
    return DataStructure(len(data), small_level, summary, pairs, random_part, tuple(reasons))


_COLUMNS = [
    "child",
    "parent",
    "relation",
    "share_of_levels",
    "share_of_rows",
    "components",
    "moved",
    "alternating",
    "change_rate",
]


def _check(data: pd.DataFrame, factors: Sequence[str], time: str | None) -> None:
    wanted = [*factors, *([] if time is None else [time])]
    problems = [Problem("data", f"no column {name!r}", "a column of the data") for name in wanted if name not in data]
    if not factors or len(set(factors)) < len(factors):
        problems.append(Problem("factors", ", ".join(factors) or "none", "one or more different columns"))
    if not len(data):
        problems.append(Problem("data", "no rows", "at least one"))
    for name in wanted:
        missing = int(data[name].isna().sum()) if name in data else 0
        if missing:
            problems.append(Problem(f"column {name}", f"{missing} rows without a value", "a value in every row"))
    if problems:
        raise ModelError(problems)


def _pair(
    a: str,
    b: str,
    codes: dict[str, np.ndarray],
    counts: dict[str, np.ndarray],
    moment: np.ndarray | None,
) -> tuple[object, ...]:
    """Return one row of `pairs`."""
    child, parent = (a, b) if len(counts[a]) >= len(counts[b]) else (b, a)
    children, parents = len(counts[child]), len(counts[parent])
    cells, rows = np.unique(codes[child] * parents + codes[parent], return_counts=True)
    heads, tails = cells // parents, cells % parents
    many = np.bincount(heads, minlength=children) > 1
    main = np.zeros(children, dtype=np.int64)
    np.maximum.at(main, heads, rows)
    graph = sparse.coo_matrix((np.ones(len(cells)), (heads, tails + children)), shape=(children + parents,) * 2)
    components = int(connected_components(graph, directed=False)[0])
    if not many.any():
        relation = ONE_TO_ONE if children == parents else NESTED
    else:
        relation = CROSSED if len(cells) == children * parents else PARTIAL
    away = 1 - main.sum() / len(codes[child])
    moves = (np.nan, np.nan, np.nan) if moment is None else _moves(codes[child], codes[parent], moment, many, heads)
    return (child, parent, relation, float(many.mean()), float(away), components, *moves)


def _moves(
    child: np.ndarray, parent: np.ndarray, moment: np.ndarray, many: np.ndarray, heads: np.ndarray
) -> tuple[int, int, float]:
    """Return children that moved and stayed, children that came back, and the share of steps that change parent."""
    order = np.lexsort((parent, moment, child))
    same = child[order][1:] == child[order][:-1]
    change = same & (parent[order][1:] != parent[order][:-1])
    changes = np.bincount(child[order][1:][change], minlength=len(many))
    alternating = changes > np.bincount(heads, minlength=len(many)) - 1
    return int((many & ~alternating).sum()), int(alternating.sum()), float(change.sum() / max(same.sum(), 1))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _recommend(factors: pd.DataFrame, pairs: pd.DataFrame, rows: int) -> tuple[str, list[str]]:
    """Return the random part, outer factors first, and one reason for every decision."""
    kept: list[str] = []
    reasons: list[str] = []
    twins = {row["child"]: row["parent"] for row in _records(pairs) if row["relation"] == ONE_TO_ONE}
    twins |= {parent: child for child, parent in twins.items()}
    for row in _records(factors.sort_values("levels", kind="stable")):
        name, levels = row["factor"], row["levels"]
        if twins.get(name) in kept:
            reasons.append(
                f"{name} is left out: it is one to one with {twins[name]}, and their effects cannot be told apart"
            )
        elif levels < FEW_LEVELS:
            reasons.append(f"{name} has {levels} levels: too few for a variance, use C({name})")
        elif levels == rows:
            reasons.append(f"{name} has one row a level: its effect cannot be told from the residual")
        else:
            kept.append(name)
    reasons += [
        f"{row['child']} and {row['parent']} are both kept: {_WHY[row['relation']]}"
        for row in _records(pairs)
        if row["child"] in kept and row["parent"] in kept
    ]
    return " + ".join(f"(1 | {name})" for name in kept), reasons


_WHY = {
    NESTED: "nested, so variance is split between the levels and every block stays small",
    CROSSED: "crossed, so their effects are separated by the design",
    PARTIAL: "partially crossed, so their effects are separated through the levels that link them",
}


def _factor_line(values: dict[str, Any], small: int) -> str:
    few = f"; {values['too_small']} with fewer than {small} rows" if values["too_small"] else ""
    return (
        f"{values['factor']}: {values['levels']} levels of {values['smallest']} to {values['largest']} rows "
        f"(median {values['median']:g}){few}"
    )


def _pair_line(values: dict[str, Any]) -> str:
    child, parent, relation = values["child"], values["parent"], values["relation"]
    if relation == ONE_TO_ONE:
        return f"{child} and {parent} are one to one: each level of one has its own level of the other"
    if relation == NESTED:
        return f"{child} is nested in {parent}: every level has one {parent}"
    if relation == CROSSED:
        return f"{child} and {parent} are crossed: every combination occurs"
    pieces = "one piece" if values["components"] == 1 else f"{values['components']} unconnected pieces"
    line = (
        f"{child} and {parent} are partially crossed: {values['share_of_levels']:.1%} of {child} levels have more "
        f"than one {parent}, {values['share_of_rows']:.1%} of rows lie off the main one; {pieces}"
    )
    if values["moved"] == values["moved"]:
        line += f"; {values['moved']:g} moved and stayed, {values['alternating']:g} go to and fro"
    return line

"""From a formula and a frame to rows sorted by cluster: contiguous arrays, made once for a fit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.design import _outcome
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.fixed import Scaling, column_scaling, drop_dependent, fixed_matrix
from profiling.modeling.formula import ModelFormula, parse_formula
from profiling.modeling.tiles import gather_scaled, permute_rows

TILES = 64


@dataclass(frozen=True)
class Clusters:
    """Rows sorted by cluster, inner block and time; X (n, p) scaled.

    `ptr` (K+1) rows of a cluster; `inner_ptr` (B+1) rows of an inner block, `inner_first` (K+1) first block of a
    cluster; `time` (n) for AR(1); `occasion` (n) whole numbers; `tiles` (T, 2) first and
    last cluster of a tile; `order` (n) the data's
    row of each sorted row.
    """

    formula: ModelFormula
    groups: tuple[str, ...]
    y: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    X: np.ndarray
    terms: tuple[str, ...]
    scaling: Scaling
    ptr: np.ndarray
    inner_ptr: np.ndarray
    inner_first: np.ndarray
    time: np.ndarray
    occasion: np.ndarray
    occasions: np.ndarray
    tiles: np.ndarray
    order: np.ndarray
    diagnoses: tuple[Diagnosis, ...] = field(default=())

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    @property
    def count(self) -> int:
        """Return the number of clusters."""
        return len(self.ptr) - 1

    @property
    def sizes(self) -> np.ndarray:
        """Return the number of rows of each cluster (K)."""
        return np.diff(self.ptr)

    @property
    def total_weight(self) -> float:
        """Return the sum of the weights of the rows that the tiles hold."""
        return float(sum(self.weights[self.ptr[first] : self.ptr[last]].sum() for first, last in self.tiles))

    def share(self, part: int) -> Clusters:
        """Return the same arrays with one in `part` of the tiles, spread over the clusters."""
        return replace(self, tiles=np.ascontiguousarray(self.tiles[::part]))

    def by_data(self, values: np.ndarray) -> np.ndarray:
        """Return sorted row values in the order of the data (n)."""
        given = np.empty_like(values)
        given[self.order] = values
        return given


def build_clusters(
    text: str,
    data: pd.DataFrame,
    groups: tuple[str, ...],
    *,
    binomial: bool,
    time: str | None,
    weights: np.ndarray | None,
    offset: np.ndarray | None,
) -> Clusters:
    """Read formula and data into sorted arrays; raise ModelError with everything that is wrong."""
    formula = parse_formula(text)
    if formula.random:
        raise ModelError(Problem("formula", text, "fixed terms only", f"Name the clusters by groups={list(groups)}"))
    y, trials = _outcome(formula.outcome, data, binomial)
    raw, names, _ = fixed_matrix(formula.fixed, data)
    _check(raw, names, {"outcome": y, "weights": weights, "offset": offset}, len(data))
    codes = [_codes(name, data) for name in groups]
    moment = np.zeros(0) if time is None else _times(time, data)
    order = _order(codes if time is None else [*codes, moment])
    X = np.ascontiguousarray(raw)
    # Sorted and scaled in place: the design is never held twice.
    del raw
    scaling = column_scaling(X, names)
    permute_rows(X, order)
    gather_scaled(X, np.arange(len(X)), scaling.center, 1.0 / scaling.scale, X)
    X, terms, scaling, notes = drop_dependent(X, names, scaling)
    ones = np.ones(len(y))
    row_weights = (ones if weights is None else weights) * (ones if trials is None else trials)
    shift = np.zeros(len(y)) if offset is None else offset[order]
    codes = [code[order] for code in codes]
    ptr, inner_ptr = _bounds(codes[:1]), _bounds(codes)
    place = np.arange(len(y)) - np.repeat(ptr[:-1], np.diff(ptr))
    if time is None:
        occasions, occasion = np.arange(place.max() + 1.0), place
    else:
        occasions, occasion = np.unique(moment[order], return_inverse=True)
    return Clusters(
        formula=formula,
        groups=groups,
        y=y[order],
        weights=row_weights[order],
        offset=shift,
        X=X,
        terms=tuple(terms),
        scaling=scaling,
        ptr=ptr,
        inner_ptr=inner_ptr,
        inner_first=np.searchsorted(inner_ptr, ptr).astype(np.int64),
        time=occasions[occasion],
        occasion=np.asarray(occasion, dtype=np.int64),
        occasions=occasions,
        tiles=_tiles(ptr),
        order=order,
        diagnoses=tuple(notes),
    )


def _check(X: np.ndarray, terms: list[str], columns: dict[str, np.ndarray | None], n: int) -> None:
    problems = [Problem("data", "no rows", "at least one")] if n == 0 else []
    for name, values in columns.items():
        if values is None:
            continue
        if len(values) != n:
            problems.append(Problem(name, f"{len(values)} values", f"{n}, one a row"))
        elif not np.isfinite(values).all():
            bad = int((~np.isfinite(values)).sum())
            problems.append(
                Problem(name, f"{bad} rows that are missing or infinite", "finite numbers", "Remove these rows")
            )
        elif name == "weights" and (values < 0).any():
            problems.append(Problem("weights", "negative values", "weights of zero or more"))
    suspect = range(0) if np.isfinite(X.sum()) else range(len(terms))
    for j in suspect:
        term, bad = terms[j], int((~np.isfinite(X[:, j])).sum())
        if bad:
            problems.append(Problem(f"term {term}", f"{bad} values that are missing or infinite", "finite numbers"))
    if problems:
        raise ModelError(problems)


def _codes(name: str, data: pd.DataFrame) -> np.ndarray:
    if name not in data.columns:
        raise ModelError(Problem("groups", f"no column {name!r}", "a column of the data"))
    codes, _ = pd.factorize(data[name], sort=True)
    missing = int((codes < 0).sum())
    if missing:
        raise ModelError(Problem(f"groups {name}", f"{missing} rows without a level", "a level in every row"))
    return np.asarray(codes, dtype=np.int64)


def _times(name: str, data: pd.DataFrame) -> np.ndarray:
    if name not in data.columns:
        raise ModelError(Problem("time", f"no column {name!r}", "a column of the data"))
    column: Any = data[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise ModelError(Problem(f"time {name}", "values that are no numbers", "numbers", "Give visits as 1, 2, 3"))
    values = np.asarray(column, dtype=float)
    if not np.isfinite(values).all():
        raise ModelError(Problem(f"time {name}", "rows that are missing or infinite", "a time in every row"))
    return values


def _order(keys: list[np.ndarray]) -> np.ndarray:
    """Return the stable order of rows by cluster, inner block and time."""
    tied = np.ones(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        step = np.diff(key)
        if (step[tied] < 0).any():
            return np.lexsort(keys[::-1])
        tied &= step == 0
    return np.arange(len(keys[0]))


def _bounds(codes: list[np.ndarray]) -> np.ndarray:
    changes = np.ones(len(codes[0]), dtype=bool)
    changes[1:] = False
    for code in codes:
        changes[1:] |= code[1:] != code[:-1]
    return np.concatenate([np.flatnonzero(changes), [len(changes)]]).astype(np.int64)


def _tiles(ptr: np.ndarray) -> np.ndarray:
    """Deal clusters to tiles of about equal numbers of rows; the cut depends on the data alone."""
    cuts = np.searchsorted(ptr, ptr[-1] * np.arange(1, TILES) / TILES)
    bounds = np.unique(np.concatenate([[0], cuts, [len(ptr) - 1]])).astype(np.int64)
    return np.stack([bounds[:-1], bounds[1:]], axis=1)

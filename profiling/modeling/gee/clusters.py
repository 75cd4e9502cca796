"""From a formula and a frame to rows sorted by cluster: contiguous columns, made once for a fit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.design import _outcome
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.fixed import Scaling, fixed_columns, scaling_of
from profiling.modeling.formula import ModelFormula, parse_formula
from profiling.modeling.gee.columns import SortedColumns, sort_columns
from profiling.modeling.structure import counting_order

TILES = 64


@dataclass(frozen=True)
class Clusters:
    """Rows sorted by cluster, inner block and time, with covariates as columns; X (n, p) is them centred and scaled.

    `weights`, `offset` (n), or empty where every row has one and zero. `ptr` (K+1) rows of a cluster; `inner_ptr`
    (B+1) rows of an inner block, `inner_first` (K+1) first block of a cluster; `moment` (n) the times given, empty
    where the order of rows is the time; `tiles` (T, 2) first and last cluster of a tile; `order` (n) the data's row of
    each sorted row.
    """

    formula: ModelFormula
    groups: tuple[str, ...]
    y: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    columns: SortedColumns
    terms: tuple[str, ...]
    scaling: Scaling
    ptr: np.ndarray
    inner_ptr: np.ndarray
    inner_first: np.ndarray
    moment: np.ndarray
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

    @cached_property
    def occasions(self) -> np.ndarray:
        """Return the times that occur, sorted: those given, or 0, 1, 2 for the rows of a cluster."""
        if len(self.moment):
            return np.asarray(np.unique(self.moment))
        return np.arange(float(self.sizes.max()))

    @cached_property
    def occasion(self) -> np.ndarray:
        """Return the number of each row's time among the occasions (n)."""
        if len(self.moment):
            return np.searchsorted(self.occasions, self.moment)
        return np.asarray(np.arange(self.n) - np.repeat(self.ptr[:-1], self.sizes))

    @cached_property
    def time(self) -> np.ndarray:
        """Return the time of each row (n)."""
        return self.moment if len(self.moment) else self.occasion.astype(float)

    @property
    def total_weight(self) -> float:
        """Return the sum of the weights of the rows that the tiles hold."""
        bounds = self.ptr[self.tiles]
        if not len(self.weights):
            return float((bounds[:, 1] - bounds[:, 0]).sum())
        return float(sum(self.weights[first:last].sum() for first, last in bounds))

    def share(self, part: int) -> Clusters:
        """Return the same arrays with one in `part` of the tiles, spread over the clusters."""
        return replace(self, tiles=np.ascontiguousarray(self.tiles[::part]))

    def predict(self, beta: np.ndarray) -> np.ndarray:
        """Return the linear predictor (n) as sorted, offset included, at scaled coefficients."""
        eta = self.columns.predict(self.scaling, beta)
        return eta + self.offset if len(self.offset) else eta

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
    """Read formula and data into sorted columns; raise ModelError with everything that is wrong."""
    formula = parse_formula(text)
    if formula.random:
        raise ModelError(Problem("formula", text, "fixed terms only", f"Name the clusters by groups={list(groups)}"))
    y, trials = _outcome(formula.outcome, data, binomial)
    _check({"outcome": y, "weights": weights, "offset": offset}, len(data))
    codes = [_codes(name, data) for name in groups]
    moment = np.zeros(0) if time is None else _times(time, data)
    order = _order(codes, moment)
    ptr, inner_ptr = _bounds(codes[:1], order), _bounds(codes, order)
    del codes
    raw, names = fixed_columns(formula.fixed, data)
    columns = sort_columns(raw, order)
    del raw
    row_weights = trials if weights is None else weights if trials is None else weights * trials
    return Clusters(
        formula=formula,
        groups=groups,
        y=y[order],
        weights=np.zeros(0) if row_weights is None else row_weights[order],
        offset=np.zeros(0) if offset is None else offset[order],
        columns=columns,
        terms=tuple(names),
        scaling=_scaling(columns, names),
        ptr=ptr,
        inner_ptr=inner_ptr,
        inner_first=np.searchsorted(inner_ptr, ptr).astype(np.int64),
        moment=moment[order] if len(moment) else moment,
        tiles=_tiles(ptr),
        order=order,
    )


def _scaling(columns: SortedColumns, names: list[str]) -> Scaling:
    mean, spread = columns.moments()
    problems = []
    for j in np.flatnonzero(~np.isfinite(spread)).tolist():
        found = f"{columns.unusable(j)} values that are missing or infinite"
        problems.append(Problem(f"term {names[j]}", found, "finite numbers small enough to be squared"))
    if problems:
        raise ModelError(problems)
    return scaling_of(mean, spread, names)


def _check(columns: dict[str, np.ndarray | None], n: int) -> None:
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


def _order(codes: list[np.ndarray], moment: np.ndarray) -> np.ndarray:
    """Return the stable order of rows by cluster, inner block and time."""
    order = np.argsort(moment, kind="stable") if len(moment) else np.arange(len(codes[0]))
    for code in reversed(codes):
        order = counting_order(code, int(code.max()) + 1, order)
    return order


def _bounds(codes: list[np.ndarray], order: np.ndarray) -> np.ndarray:
    """Return where in the sorted rows a level of any of the codes begins, and their end."""
    changes = np.ones(len(order), dtype=bool)
    changes[1:] = False
    for code in codes:
        own = code[order]
        changes[1:] |= own[1:] != own[:-1]
    return np.concatenate([np.flatnonzero(changes), [len(changes)]]).astype(np.int64)


def _tiles(ptr: np.ndarray) -> np.ndarray:
    """Deal clusters to tiles of about equal numbers of rows; the cut depends on the data alone."""
    cuts = np.searchsorted(ptr, ptr[-1] * np.arange(1, TILES) / TILES)
    bounds = np.unique(np.concatenate([[0], cuts, [len(ptr) - 1]])).astype(np.int64)
    return np.stack([bounds[:-1], bounds[1:]], axis=1)

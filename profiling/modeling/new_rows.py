"""Rows to predict: the rows of the fit, or new data as the fit's formula and levels read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.categorical import CodedSpec
from profiling.modeling.columns import FixedColumns, keep, to_dense, unscaled
from profiling.modeling.fixed import fixed_matrix
from profiling.modeling.grouping import GroupingFactor
from profiling.modeling.state import source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


@dataclass(frozen=True)
class NewRows:
    """Rows to predict: X (n, p) raw, offset (n), and a code (n; -1 for a new level) and columns a factor."""

    X: FixedColumns
    offset: np.ndarray
    codes: list[np.ndarray]
    columns: list[np.ndarray | None]


def old_rows(fit: MixedModelResult) -> NewRows:
    """Return the rows of the fit, X on the raw scale, in the data's order."""
    design = source_of(fit).design
    back = np.empty(design.n, dtype=np.int64)
    back[design.order] = np.arange(design.n)
    X = unscaled(design.X[back], design.scaling)
    return NewRows(X, design.offset[back], [f.codes for f in fit.factors], [f.columns for f in fit.factors])


def new_rows(fit: MixedModelResult, data: pd.DataFrame, offset: Any) -> NewRows:
    """Return the rows of new data as the fit's formula reads them; raise ModelError where columns are missing."""
    design = source_of(fit).design
    used = {name for term in design.formula.random for name in term.grouping}
    absent = sorted(used - set(data.columns))
    if absent:
        raise ModelError([Problem("new_data", f"no column {name!r}", "every grouping column") for name in absent])
    made, names = columns_of(design.model_spec, design.formula.fixed, data)
    position = {name: j for j, name in enumerate(names)}
    lost = [term for term in design.terms if term not in position]
    if lost:
        raise ModelError(Problem("new_data", f"no term {', '.join(lost)}", "columns of the same types as in the fit"))
    X = keep(made, [position[term] for term in design.terms])
    if offset is None:
        shift = np.zeros(len(data))
    else:
        shift = np.asarray(data[offset] if isinstance(offset, str) else offset, dtype=float)
    if len(shift) != len(data):
        raise ModelError(Problem("offset", f"{len(shift)} values", f"{len(data)}, one a row"))
    expressions = {factor.name: _expressions(fit, factor.name) for factor in fit.factors}
    columns = [_random_columns(factor, expressions[factor.name], data) for factor in fit.factors]
    return NewRows(X, shift, [level_positions(factor, data) for factor in fit.factors], columns)


def columns_of(spec: Any, text: str, data: pd.DataFrame) -> tuple[FixedColumns, list[str]]:
    """Return the matrix and names that a right-hand side gives on new data, by the spec of the fit."""
    if isinstance(spec, CodedSpec):
        rest, names = columns_of(spec.spec, spec.rest, data)
        return spec.columns(to_dense(rest), names, spec.codes(data)), list(spec.names)
    if spec is None or isinstance(spec, tuple):
        made, names, _ = fixed_matrix(text, data)
        return made, names
    from formulaic.errors import FormulaicError

    try:
        frame = spec.get_model_matrix(data, na_action="raise", context={"np": np})
    except (FormulaicError, ValueError, NameError, KeyError, TypeError) as error:
        text_of = str(error.__cause__ or error).splitlines()
        raise ModelError(
            Problem(
                "new_data",
                text_of[0][:200] if text_of else "columns that cannot be read",
                "the columns of the fit, without missing values and without new categories",
            )
        ) from error
    return np.asarray(frame, dtype=float), [str(name) for name in frame.columns]


def _expressions(fit: MixedModelResult, group: str) -> list[str]:
    return [term.expression for term in source_of(fit).design.formula.random if term.name == group]


def _random_columns(factor: GroupingFactor, expressions: list[str], data: pd.DataFrame) -> np.ndarray | None:
    if factor.columns is None:
        return None
    parts = [
        np.ones((len(data), 1)) if spec is None else to_dense(columns_of(spec, expression, data)[0])
        for spec, expression in zip(factor.specs, expressions, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def level_positions(factor: GroupingFactor, data: pd.DataFrame) -> np.ndarray:
    """Return each row's position among the factor's levels (n), -1 for a level the fit has not seen."""
    names = factor.name.split(":")
    if len(names) == 1:
        return np.asarray(pd.Index(factor.levels).get_indexer(pd.Index(data[names[0]])))
    labels = data[names[0]].astype(str)
    for name in names[1:]:
        labels = labels + ":" + data[name].astype(str)
    return np.asarray(pd.Index(factor.levels.astype(str)).get_indexer(pd.Index(labels)))

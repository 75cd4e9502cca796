"""The fixed part: a right-hand side to a matrix, its dependent columns dropped, its columns centred and scaled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.frames import in_memory
from profiling.modeling.columns import FixedColumns, keep, moments, weighted_gram
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.stacking import stack
from profiling.modeling.tiles import permute_rows

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Scaling:
    """x_scaled = (x - center) / scale; the intercept's column (index or -1) takes up the centres."""

    center: np.ndarray
    scale: np.ndarray
    intercept: int

    @property
    def to_raw(self) -> np.ndarray:
        """Return T with beta_raw = T beta_scaled (p, p)."""
        T = np.diag(1.0 / self.scale)
        if self.intercept >= 0:
            T[self.intercept] -= self.center / self.scale
        return T


def evaluate(expression: str, data: pd.DataFrame) -> np.ndarray:
    """Return one numeric column: a column of the data or an expression such as np.log(y)."""
    if expression in data.columns:
        return _numbers(data[expression], expression)
    matrix, _, _ = fixed_matrix(
        f"0 + I({expression})" if not expression.startswith("np.") else f"0 + {expression}", data
    )
    return np.ascontiguousarray(matrix[:, 0])


def _numbers(column: pd.Series[Any], name: str) -> np.ndarray:
    """Return an outcome as numbers (n); raise ModelError where it is text or the like."""
    try:
        return np.ascontiguousarray(column.to_numpy(dtype=float, na_value=np.nan))
    except (ValueError, TypeError):
        found = f"values of type {column.dtype}"
        raise ModelError(Problem(f"outcome {name}", found, "numbers, or 0/1 for a binomial outcome")) from None


def fixed_matrix(text: str, data: pd.DataFrame, order: np.ndarray | None = None) -> tuple[np.ndarray, list[str], Any]:
    """Return (matrix (n, p), names, formulaic's spec) of a right-hand side; plain sums of numbers skip formulaic.

    `order` (n): the data's row of each row of the matrix; None: as in the data.
    """
    plain = _plain_terms(text, data)
    if plain is not None:
        columns: Any = [data[name] for name in plain]
        return stack(columns, _places(order, len(data))), ["Intercept", *plain], tuple(plain)
    made = _made(text, data)
    # The design is sorted in place: the matrix must be ours, not a view of the caller's columns.
    matrix = np.require(made, dtype=float, requirements=["C", "W", "O"])
    if order is not None:
        permute_rows(matrix, order)
    return matrix, [str(name) for name in made.columns], made.model_spec


def fixed_columns(text: str, data: pd.DataFrame) -> tuple[list[Any], list[str]]:
    """Return (columns (n) each, arrays or series, and names) of a right-hand side; the caller may own them."""
    plain = _plain_terms(text, data)
    if plain is not None:
        return [np.broadcast_to(1.0, len(data)), *(data[name] for name in plain)], ["Intercept", *plain]
    made = _made(text, data)
    return [made.iloc[:, j].to_numpy(dtype=float) for j in range(made.shape[1])], [str(name) for name in made.columns]


def _plain_terms(text: str, data: pd.DataFrame) -> list[str] | None:
    """Return the names of a plain sum of numeric columns with an intercept, None where it is something else."""
    names = [part.strip() for part in text.split("+")]
    plain = [name for name in names if name != "1"]
    numeric = all(_NAME.fullmatch(name) and name in data.columns and _is_number(data[name]) for name in plain)
    return plain if numeric and len(set(plain)) == len(plain) else None


def _made(text: str, data: pd.DataFrame) -> Any:
    """Return formulaic's model matrix, a frame."""
    data = _without_unused(text, data)
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        return Formula(text).get_model_matrix(data, na_action="raise", context={"np": np})
    except (FormulaicError, ValueError, NameError, TypeError) as error:
        cause = error.__cause__ or error
        raise ModelError(
            Problem(
                f"formula {text!r}",
                _short(str(cause)),
                "terms that formulaic can evaluate on the data's columns",
                "Check the names of columns and remove rows with missing values",
            )
        ) from error


def _without_unused(text: str, data: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the categories that no row has left out of the columns that `text` names."""
    named = set(_NAME.findall(text))
    data = in_memory(data, named)
    unused = {
        name: data[name].cat.remove_unused_categories()
        for name in data.columns
        if name in named and isinstance(data[name].dtype, pd.CategoricalDtype)
    }
    return data.assign(**unused) if unused else data


def _places(order: np.ndarray | None, n: int) -> np.ndarray:
    """Return the place of each row of the data (n)."""
    if order is None:
        return np.arange(n)
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    return place


def _short(text: str) -> str:
    return text.splitlines()[0][:200] if text else "cannot be evaluated"


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype)) and not pd.api.types.is_bool_dtype(column.dtype)


def _check_units(mean: np.ndarray, spread: np.ndarray, terms: list[str]) -> None:
    """Refuse columns (mean and sd (p)) whose squares do not fit into a float64."""
    small, large = 1e-140, 1e140
    size = np.abs(mean)  # not finite where values are missing or infinite, of which `design` speaks
    away = np.isfinite(mean) & ((size > large) | ~(spread < large) | ((size < small) & (size > 0) & (spread < small)))
    if away.any():
        found = f"values beyond {large:g} or all below {small:g}"
        raise ModelError(
            Problem(f"term {terms[j]}", found, "numbers whose squares a computer can hold", "Use other units")
            for j in np.flatnonzero(away)
        )


def column_scaling(raw: FixedColumns, terms: list[str]) -> Scaling:
    """Return the centres and scales of the columns of `raw` (n, p); centres only where an intercept takes them up."""
    if not len(raw):
        return Scaling(np.zeros(len(terms)), np.ones(len(terms)), _intercept(terms))
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = moments(raw)
    return scaling_of(mean, spread, terms)


def scaling_of(mean: np.ndarray, spread: np.ndarray, terms: list[str]) -> Scaling:
    """Return the centres and scales from the columns' means and standard deviations (p); nan where not finite."""
    intercept = _intercept(terms)
    _check_units(mean, spread, terms)
    scale = np.where(spread > 1e-12 * np.abs(mean), spread, np.where(intercept < 0, np.abs(mean), 1.0))
    scale[scale == 0] = 1.0
    scale[~np.isfinite(spread)] = np.nan
    center = np.zeros(len(terms))
    if intercept >= 0:
        center = mean
        center[intercept], scale[intercept] = 0.0, 1.0
    return Scaling(center, scale, intercept)


def _intercept(terms: list[str]) -> int:
    return terms.index("Intercept") if "Intercept" in terms else -1


def drop_dependent(
    X: FixedColumns, terms: list[str], scaling: Scaling
) -> tuple[FixedColumns, list[str], Scaling, list[Diagnosis]]:
    """Drop scaled columns that are combinations of earlier ones, as lme4 does, and say which."""
    kept = independent_columns(weighted_gram(X, np.full(len(X), 1.0 / max(len(X), 1))))
    if len(kept) == X.shape[1]:
        return X, terms, scaling, []
    return keep(X, kept), *keep_columns(kept, terms, scaling)


def independent_columns(gram: np.ndarray, size: float | np.ndarray = 0.0) -> list[int]:
    """Return which columns with these cross-products (p, p) are no combinations of earlier ones.

    `size` (p, or the same for all): squared lengths against which to judge what is left; zero: their own.
    """
    size = np.where(np.broadcast_to(size, len(gram)) > 0, size, np.diag(gram))
    size[size == 0] = 1.0
    gram = gram / np.sqrt(np.outer(size, size))
    keep: list[int] = []
    for j in range(len(gram)):
        rest = gram[j, j]
        if keep:
            rest -= gram[keep, j] @ np.linalg.solve(gram[np.ix_(keep, keep)], gram[keep, j])
        # 1e-9 of a column's squared length: below that, float64 cross-products cannot tell it from rounding.
        if rest > 1e-9:
            keep.append(j)
    return keep


def keep_columns(keep: list[int], terms: list[str], scaling: Scaling) -> tuple[list[str], Scaling, list[Diagnosis]]:
    """Return terms and scaling of the columns kept, and a note of those dropped."""
    dropped = [terms[j] for j in range(len(terms)) if j not in keep]
    note = Diagnosis("rank_deficient", f"dropped, as combinations of other terms: {', '.join(dropped)}", "warning")
    kept_terms = [terms[j] for j in keep]
    intercept = kept_terms.index("Intercept") if scaling.intercept in keep else -1
    return kept_terms, Scaling(scaling.center[keep], scaling.scale[keep], intercept), [note]

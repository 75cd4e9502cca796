"""The fixed part: a right-hand side to a matrix, its dependent columns dropped, its columns centred and scaled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.tiles import weighted_gram

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
        return np.ascontiguousarray(data[expression], dtype=float)
    matrix, _, _ = fixed_matrix(
        f"0 + I({expression})" if not expression.startswith("np.") else f"0 + {expression}", data
    )
    return np.ascontiguousarray(matrix[:, 0])


def fixed_matrix(text: str, data: pd.DataFrame) -> tuple[np.ndarray, list[str], Any]:
    """Return (matrix (n, p), names, formulaic's spec) of a right-hand side; plain sums of numbers skip formulaic."""
    names = [part.strip() for part in text.split("+")]
    plain = [name for name in names if name != "1"]
    if all(_NAME.fullmatch(name) and name in data.columns and _is_number(data[name]) for name in plain):
        matrix = np.empty((len(data), len(plain) + 1))
        matrix[:, 0] = 1.0
        for position, name in enumerate(plain, start=1):
            matrix[:, position] = data[name]
        if len(set(plain)) == len(plain):
            return matrix, ["Intercept", *plain], tuple(plain)
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        made = Formula(text).get_model_matrix(data, na_action="raise", context={"np": np})
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
    return np.asarray(made, dtype=float), [str(name) for name in made.columns], made.model_spec


def _short(text: str) -> str:
    return text.splitlines()[0][:200] if text else "cannot be evaluated"


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype)) and not pd.api.types.is_bool_dtype(column.dtype)


def drop_dependent(X: np.ndarray, terms: list[str]) -> tuple[np.ndarray, list[str], list[Diagnosis]]:
    """Drop columns that are combinations of earlier ones, as lme4 does, and say which."""
    if X.shape[1] == 0:
        return X, terms, []
    scale = np.sqrt((X**2).sum(axis=0))
    scale[scale == 0] = 1.0
    gram = (X / scale).T @ (X / scale) if len(X) < 200_000 else _gram_scaled(X, scale)
    keep: list[int] = []
    for j in range(X.shape[1]):
        rest = gram[j, j]
        if keep:
            block = gram[np.ix_(keep, keep)]
            rest -= gram[keep, j] @ np.linalg.solve(block, gram[keep, j])
        # 1e-9 of a column's squared length: below that, float64 cross-products cannot tell it from rounding.
        if rest > 1e-9 and gram[j, j] > 0:
            keep.append(j)
    if len(keep) == X.shape[1]:
        return X, terms, []
    dropped = [terms[j] for j in range(len(terms)) if j not in keep]
    note = Diagnosis("rank_deficient", f"dropped, as combinations of other terms: {', '.join(dropped)}", "warning")
    return X[:, keep], [terms[j] for j in keep], [note]


def _gram_scaled(X: np.ndarray, scale: np.ndarray) -> np.ndarray:
    gram = weighted_gram(np.ascontiguousarray(X), np.ones(len(X)))
    return np.asarray(gram / np.outer(scale, scale))


def scale_columns(X: np.ndarray, terms: list[str]) -> tuple[np.ndarray, Scaling]:
    """Centre and scale X in place and return it with the way back."""
    p = X.shape[1]
    intercept = terms.index("Intercept") if "Intercept" in terms else -1
    center, scale = np.zeros(p), np.ones(p)
    if len(X):
        mean = X.mean(axis=0)
        center = mean if intercept >= 0 else center
        scale = np.sqrt(((X - mean) ** 2).mean(axis=0) if len(X) < 200_000 else X.var(axis=0))
        if intercept >= 0:
            center[intercept] = 0.0
        flat = scale <= 1e-12 * np.abs(mean)
        scale[flat] = np.maximum(np.abs(mean[flat]), 1e-300) if intercept < 0 else 1.0
        scale[scale == 0] = 1.0
    X -= center
    X /= scale
    return X, Scaling(center, scale, intercept)

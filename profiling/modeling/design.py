"""From a formula and a frame to sorted, contiguous arrays: done once, everything after works on these.

Columns of X are centred (where an intercept can take it up) and scaled to unit variance, so that estimates do not
depend on the units of covariates; `Scaling` carries coefficients and covariances back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.blocks import CellStructure, order_rows
from profiling.modeling.covariance import CovarianceTemplate, template
from profiling.modeling.formula import ModelFormula, RandomTerm, parse_formula

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Diagnosis:
    """Something the fit wants to be known: a code, a sentence with advice, and how grave it is."""

    code: str
    message: str
    severity: str = "note"


@dataclass(frozen=True)
class GroupingFactor:
    """One grouping factor: its name, labels in order, each row's code (in the data's order), its terms' names."""

    name: str
    levels: np.ndarray
    codes: np.ndarray
    terms: tuple[str, ...]
    columns: np.ndarray | None
    mask: np.ndarray

    @property
    def size(self) -> int:
        """Return the number of levels."""
        return len(self.levels)


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


@dataclass(frozen=True)
class Design:
    """Arrays sorted by cell (X scaled), the factors with the eliminated one first, and the way back to the data.

    y, weights, offset (n); X (n, p); Z (n, k), empty where every term is an intercept; `order` (n) the data's row of
    each sorted row; `new_level0` (G) old code of each level of factor 0 as sorted.
    """

    formula: ModelFormula
    y: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    X: np.ndarray
    Z: np.ndarray
    terms: tuple[str, ...]
    scaling: Scaling
    factors: tuple[GroupingFactor, ...]
    structure: CellStructure
    form: CovarianceTemplate
    order: np.ndarray
    new_level0: np.ndarray
    cell_multiplicity: np.ndarray
    level_multiplicity: tuple[np.ndarray, ...]
    component_multiplicity: np.ndarray
    diagnoses: tuple[Diagnosis, ...]
    model_spec: Any

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    @property
    def plain(self) -> bool:
        """Return whether every random term is an intercept."""
        return len(self.Z) == 0

    @property
    def kz(self) -> int:
        """Return the number of columns that cell sums need: one for intercepts, k otherwise."""
        return 1 if self.plain else self.Z.shape[1]


def build_design(
    text: str,
    data: pd.DataFrame,
    *,
    binomial: bool = False,
    weights: np.ndarray | None = None,
    cluster_weights: np.ndarray | Mapping[Any, float] | None = None,
    offset: np.ndarray | None = None,
) -> Design:
    """Read formula and data into a Design; raise ModelError with everything that is wrong.

    `weights`, `offset`: one a row. `cluster_weights`: multiplicities of the levels of the outermost factor, as a
    mapping from label or an array in the order of labels.
    """
    formula = parse_formula(text)
    if not formula.random:
        raise ModelError(Problem("formula", text, "at least one random term such as (1 | hospital)"))
    y, trials = _outcome(formula.outcome, data, binomial)
    X, terms, spec = fixed_matrix(formula.fixed, data)
    n = len(y)
    row_weights = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    if trials is not None:
        row_weights = row_weights * trials
    shift = np.zeros(n) if offset is None else np.asarray(offset, dtype=float)
    factors = _merge([_factor(term, data) for term in formula.random])
    _check(y, X, terms, row_weights, shift, factors, data)
    X, terms, notes = _drop_dependent(X, terms)
    factors = sorted(factors, key=lambda factor: -factor.size * len(factor.terms))
    codes = [factor.codes for factor in factors]
    order, structure, new_level0 = order_rows(codes, [f.size for f in factors], [len(f.terms) for f in factors])
    X, scaling = _scale(np.ascontiguousarray(X[order]), terms)
    cell_m, level_m, component_m = _multiplicities(factors, structure, order, cluster_weights)
    return Design(
        formula=formula, y=y[order], weights=row_weights[order], offset=shift[order], X=X, Z=_columns(factors, order),
        terms=tuple(terms), scaling=scaling, factors=tuple(factors), structure=structure,
        form=template([factor.mask for factor in factors]), order=order, new_level0=new_level0,
        cell_multiplicity=cell_m, level_multiplicity=level_m, component_multiplicity=component_m,
        diagnoses=tuple(notes), model_spec=spec,
    )


def _outcome(text: str, data: pd.DataFrame, binomial: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the outcome (a proportion for successes out of trials) and the trials (None where there are none)."""
    pair = re.fullmatch(r"cbind\((.*),(.*)\)", text)
    if pair and binomial:
        successes, failures = (_evaluate(part.strip(), data) for part in pair.groups())
        trials = successes + failures
        return np.divide(successes, trials, out=np.zeros_like(trials), where=trials > 0), trials
    return _evaluate(text, data), None


def _evaluate(expression: str, data: pd.DataFrame) -> np.ndarray:
    if expression in data.columns:
        return np.ascontiguousarray(data[expression], dtype=float)
    matrix, _, _ = fixed_matrix(f"0 + I({expression})" if not expression.startswith("np.") else f"0 + {expression}", data)
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
            Problem(f"formula {text!r}", _short(str(cause)), "terms that formulaic can evaluate on the data's columns",
                    "Check the names of columns and remove rows with missing values")
        ) from error
    return np.asarray(made, dtype=float), [str(name) for name in made.columns], made.model_spec


def _short(text: str) -> str:
    return text.splitlines()[0][:200] if text else "cannot be evaluated"


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype)) and not pd.api.types.is_bool_dtype(column.dtype)


def _factor(term: RandomTerm, data: pd.DataFrame) -> GroupingFactor:
    absent = [name for name in term.grouping if name not in data.columns]
    if absent:
        raise ModelError([Problem(f"random term {term.name}", f"no column {name!r}", "a column of the data") for name in absent])
    codes, levels = _pairs([data[name] for name in term.grouping])
    if term.expression == "1":
        names, columns = ["Intercept"], None
    else:
        columns, names, _ = fixed_matrix(term.expression, data)
    q = len(names)
    mask = np.tril(np.ones((q, q), dtype=bool)) if term.correlated else np.eye(q, dtype=bool)
    return GroupingFactor(term.name, levels, codes, tuple(names), columns, mask)


def _pairs(columns: list[pd.Series]) -> tuple[np.ndarray, np.ndarray]:
    """Return codes (n) and sorted labels of one grouping column or of the pairs that occur."""
    parts = [pd.factorize(column, sort=True) for column in columns]
    missing = sum(int((codes < 0).sum()) for codes, _ in parts)
    if missing:
        name = ":".join(str(column.name) for column in columns)
        raise ModelError(Problem(f"grouping factor {name}", f"{missing} rows without a level", "a level in every row"))
    codes, levels = np.asarray(parts[0][0], dtype=np.int64), np.asarray(parts[0][1])
    for more_codes, more_levels in parts[1:]:
        more = np.asarray(more_levels)
        used, codes = np.unique(codes * len(more) + more_codes, return_inverse=True)
        labels = np.empty(len(used), dtype=object)
        labels[:] = [f"{a}:{b}" for a, b in zip(levels[used // len(more)], more[used % len(more)], strict=True)]
        levels = labels
    return codes.astype(np.int64), levels


def _merge(factors: list[GroupingFactor]) -> list[GroupingFactor]:
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
            raise ModelError(Problem(f"random terms of {new.name}", f"{new.terms[0]} stands twice", "each term once",
                                     "Write (0 + x | g) beside (1 | g)"))
        merged[new.name] = GroupingFactor(
            old.name, old.levels, old.codes, old.terms + new.terms, np.concatenate(both, axis=1), mask
        )
    return list(merged.values())


def _columns(factors: list[GroupingFactor], order: np.ndarray) -> np.ndarray:
    """Return Z (n, k) sorted, or an empty array where every term is an intercept."""
    if all(factor.columns is None for factor in factors):
        return np.zeros((0, len(factors)))
    n = len(order)
    parts = [np.ones((n, 1)) if factor.columns is None else factor.columns[order] for factor in factors]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _check(
    y: np.ndarray, X: np.ndarray, terms: list[str], weights: np.ndarray, offset: np.ndarray,
    factors: list[GroupingFactor], data: pd.DataFrame,
) -> None:
    """Refuse data on which no fit has a meaning, naming every fault."""
    n = len(y)
    problems = []
    for name, values in (("outcome", y), ("weights", weights), ("offset", offset)):
        if len(values) != len(data):
            problems.append(Problem(name, f"{len(values)} values", f"{len(data)}, one a row"))
        bad = int((~np.isfinite(values)).sum())
        if bad:
            problems.append(Problem(name, f"{bad} rows that are missing or infinite", "finite numbers",
                                    "Remove or impute these rows"))
    finite = np.isfinite(X).all(axis=0) if n else np.ones(X.shape[1], dtype=bool)
    problems += [
        Problem(f"term {term}", f"{int((~np.isfinite(X[:, j])).sum())} values that are missing or infinite", "finite numbers")
        for j, term in enumerate(terms) if not finite[j]
    ]
    if n == 0:
        problems.append(Problem("data", "no rows", "at least one"))
    if (weights < 0).any():
        problems.append(Problem("weights", "negative values", "weights of zero or more"))
    for factor in factors:
        if factor.size == 1:
            problems.append(Problem(f"grouping factor {factor.name}", "one level only", "at least two",
                                    "Leave the random term out"))
    problems += _one_to_one(factors)
    if problems:
        raise ModelError(problems)


def _one_to_one(factors: list[GroupingFactor]) -> list[Problem]:
    """Name pairs of factors whose levels coincide: their effects cannot be separated by any data."""
    problems = []
    for i, a in enumerate(factors):
        for b in factors[i + 1 :]:
            if a.size == b.size and len(np.unique(a.codes * b.size + b.codes)) == a.size:
                problems.append(Problem(
                    f"grouping factors {a.name} and {b.name}", "are one to one: each level of one has its own of the other",
                    "factors whose effects can be separated", f"Keep one of {a.name} and {b.name}",
                ))
    return problems


def _drop_dependent(X: np.ndarray, terms: list[str]) -> tuple[np.ndarray, list[str], list[Diagnosis]]:
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
    from profiling.modeling.tiles import weighted_gram

    gram = weighted_gram(np.ascontiguousarray(X), np.ones(len(X)))
    return np.asarray(gram / np.outer(scale, scale))


def _scale(X: np.ndarray, terms: list[str]) -> tuple[np.ndarray, Scaling]:
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


def _multiplicities(
    factors: list[GroupingFactor], structure: CellStructure, order: np.ndarray,
    cluster_weights: np.ndarray | Mapping[Any, float] | None,
) -> tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray]:
    """Return the multiplicity of each cell, of each factor's levels (as sorted) and of each component."""
    n_components = len(structure.component_ptr) - 1
    component = np.ones(n_components)
    cell_component = structure.level_component[structure.cell_level0]
    if cluster_weights is not None:
        outer = min(factors, key=lambda factor: factor.size)
        by_level = (
            np.array([float(cluster_weights[label]) for label in outer.levels])
            if isinstance(cluster_weights, Mapping) else np.asarray(cluster_weights, dtype=float)
        )
        if len(by_level) != outer.size:
            raise ModelError(Problem("cluster_weights", f"{len(by_level)} values", f"{outer.size}, one a level of {outer.name}"))
        by_cell = by_level[outer.codes[order[structure.cell_ptr[:-1]]]]
        component = np.bincount(cell_component, by_cell, n_components) / np.bincount(cell_component, minlength=n_components)
        if not np.allclose(component[cell_component], by_cell):
            raise ModelError(Problem(
                "cluster_weights", f"levels of {outer.name} that share levels of another factor", "clusters that are independent",
                "Multiplicities belong to the outermost of strictly nested factors",
            ))
    cell = component[cell_component]
    level = tuple(cell[first] for first in structure.first_cells)
    return cell, level, component

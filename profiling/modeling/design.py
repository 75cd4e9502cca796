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
from profiling.modeling.categorical import fixed_part
from profiling.modeling.checks import check_memory, check_multiplicities, check_names
from profiling.modeling.columns import FixedColumns, column, rescaled
from profiling.modeling.covariance import CovarianceTemplate, template
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.fixed import Scaling, column_scaling, drop_dependent, evaluate
from profiling.modeling.formula import ModelFormula, parse_formula
from profiling.modeling.grouping import (
    GroupingFactor,
    faulty_columns,
    grouping_factor,
    merge_factors,
    one_to_one,
    random_columns,
)
from profiling.modeling.iterative import Iteration
from profiling.modeling.structure import CellStructure, order_rows


@dataclass(frozen=True)
class Design:
    """Arrays sorted by cell (X scaled), the factors with the eliminated one first, and the way back to the data.

    y, weights, offset (n); X (n, p), dense or with codes (see `coded`); Z (n, k), empty where every term is an
    intercept; `order` (n) the data's row of each sorted row; `new_level0` (G) old code of each level of factor 0 as
    sorted. `whole`: the design of all rows where equal ones stand here as one (see `collapse`).
    """

    formula: ModelFormula
    y: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    X: FixedColumns
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
    whole: Design | None = None

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
    iteration: Iteration | None = None,
) -> Design:
    """Read formula and data into a Design; raise ModelError with everything that is wrong.

    `weights`, `offset`: one a row. `cluster_weights`: multiplicities of the levels of the outermost factor, as a
    mapping from label or an array in the order of labels. `iteration`: how factors that cross beyond the memory are
    treated.
    """
    check_names(text, data)
    formula = parse_formula(text)
    if not formula.random:
        raise ModelError(Problem("formula", text, "at least one random term such as (1 | hospital)"))
    y, trials = _outcome(formula.outcome, data, binomial)
    n = len(y)
    row_weights = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    if trials is not None:
        row_weights = row_weights * trials
    shift = np.zeros(n) if offset is None else np.asarray(offset, dtype=float)
    factors = merge_factors([grouping_factor(term, data) for term in formula.random])
    factors = sorted(factors, key=lambda factor: -factor.size * len(factor.terms))
    codes = [factor.codes for factor in factors]
    order, structure, new_level0 = order_rows(
        codes, [f.size for f in factors], [len(f.terms) for f in factors], iteration
    )
    check_memory(structure.core_bytes)
    # Sorted and scaled in place: the design is never held twice.
    X, names, spec = fixed_part(formula.fixed, data, order)
    scaling = column_scaling(X, names)
    _check(y, X, names, scaling, row_weights, shift, factors, data)
    X, terms, scaling, notes = drop_dependent(rescaled(X, scaling), names, scaling)
    cell_m, level_m, component_m = multiplicities(factors, structure, order, cluster_weights)
    return Design(
        formula=formula,
        y=y[order],
        weights=row_weights[order],
        offset=shift[order],
        X=X,
        Z=random_columns(factors, order),
        terms=tuple(terms),
        scaling=scaling,
        factors=tuple(factors),
        structure=structure,
        form=template([factor.mask for factor in factors]),
        order=order,
        new_level0=new_level0,
        cell_multiplicity=cell_m,
        level_multiplicity=level_m,
        component_multiplicity=component_m,
        diagnoses=tuple(notes),
        model_spec=spec,
    )


def _outcome(text: str, data: pd.DataFrame, binomial: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the outcome (a proportion for successes out of trials) and the trials (None where there are none)."""
    pair = re.fullmatch(r"cbind\((.*),(.*)\)", text)
    if pair and binomial:
        successes, failures = (evaluate(part.strip(), data) for part in pair.groups())
        if (successes < 0).any() or (failures < 0).any():
            raise ModelError(Problem(f"outcome {text}", "negative values", "successes and failures of zero or more"))
        trials = successes + failures
        return np.divide(successes, trials, out=np.zeros_like(trials), where=trials > 0), trials
    return evaluate(text, data), None


def _check(
    y: np.ndarray,
    X: FixedColumns,
    terms: list[str],
    scaling: Scaling,
    weights: np.ndarray,
    offset: np.ndarray,
    factors: list[GroupingFactor],
    data: pd.DataFrame,
) -> None:
    """Refuse data on which no fit has a meaning, naming every fault."""
    n = len(y)
    problems = []
    for name, values in (("outcome", y), ("weights", weights), ("offset", offset)):
        if len(values) != len(data):
            problems.append(Problem(name, f"{len(values)} values", f"{len(data)}, one a row"))
        bad = int((~np.isfinite(values)).sum())
        if bad:
            problems.append(
                Problem(
                    name, f"{bad} rows that are missing or infinite", "finite numbers", "Remove or impute these rows"
                )
            )
    # A column with a missing, infinite or overflowing value has no finite spread.
    problems += [
        Problem(
            f"term {terms[j]}",
            f"{int((~np.isfinite(column(X, int(j)))).sum())} values that are missing or infinite",
            "finite numbers small enough to be squared",
        )
        for j in np.flatnonzero(~np.isfinite(scaling.scale))
    ]
    if n == 0:
        problems.append(Problem("data", "no rows", "at least one"))
    if (weights < 0).any():
        problems.append(Problem("weights", "negative values", "weights of zero or more"))
    elif n and not (weights > 0).any():
        problems.append(Problem("weights", "zero in every row", "some rows that count"))
    for factor in factors:
        if factor.size == 1:
            problems.append(
                Problem(f"grouping factor {factor.name}", "one level only", "at least two", "Leave the random term out")
            )
    problems += one_to_one(factors) + faulty_columns(factors)
    if problems:
        raise ModelError(problems)


def multiplicities(
    factors: list[GroupingFactor],
    structure: CellStructure,
    order: np.ndarray,
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
            if isinstance(cluster_weights, Mapping)
            else np.asarray(cluster_weights, dtype=float)
        )
        check_multiplicities(by_level)
        if len(by_level) != outer.size:
            raise ModelError(
                Problem("cluster_weights", f"{len(by_level)} values", f"{outer.size}, one a level of {outer.name}")
            )
        by_cell = by_level[outer.codes[order[structure.cell_ptr[:-1]]]]
        component = np.bincount(cell_component, by_cell, n_components) / np.bincount(
            cell_component, minlength=n_components
        )
        if not np.allclose(component[cell_component], by_cell):
            raise ModelError(
                Problem(
                    "cluster_weights",
                    f"levels of {outer.name} that share levels of another factor",
                    "clusters that are independent",
                    "Multiplicities belong to the outermost of strictly nested factors",
                )
            )
    cell = component[cell_component]
    level = tuple(cell[first] for first in structure.first_cells)
    return cell, level, component

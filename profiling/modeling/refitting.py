"""Fitting again: another outcome, another formula, other data; from where the last fit ended."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling import cells
from profiling.modeling.columns import transposed_times
from profiling.modeling.criterion_lmm import LinearCriterion
from profiling.modeling.design import Design
from profiling.modeling.families import family_of
from profiling.modeling.formula import parse_formula
from profiling.modeling.source import warm_point, with_outcome
from profiling.modeling.state import scaled_beta, source_of
from profiling.modeling.threads import threads_for

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


def refit(fit: MixedModelResult, y: Any) -> MixedModelResult:
    """Return the same model fitted to another outcome (n, in the data's order), started at this fit."""
    from profiling.modeling.check_design import check_outcome
    from profiling.modeling.fit import fit_design

    source = source_of(fit)
    values = np.asarray(y, dtype=float)
    if values.shape != (source.design.n,) or not np.isfinite(values).all():
        raise ModelError(Problem("y", f"shape {values.shape}", f"{source.design.n} finite values, one a row"))
    design = with_outcome(source.design, values)
    check_outcome(design, family_of(source.call.family, source.call.link))
    start = warm_point(design, fit.fixed_effects.to_numpy(), fit.theta)
    with threads_for(design.n):
        again = fit_design(design, source.call, start)
    return replace(again, source=replace(source, design=design))


def start_of(design: Design, fit: MixedModelResult) -> np.ndarray | None:
    """Return the search's coordinates at an earlier fit of a like model: terms of the same name keep their coefficients
    on the scaled columns, new ones start at zero. None where the random terms differ."""
    old = source_of(fit).design
    if [(f.name, f.terms) for f in old.factors] != [(f.name, f.terms) for f in design.factors]:
        return None
    known = dict(zip(old.terms, scaled_beta(fit), strict=True))
    scaled = np.array([known.get(term, 0.0) for term in design.terms])
    return warm_point(design, design.scaling.to_raw @ scaled, fit.theta)


def update(fit: MixedModelResult, formula: str | None, data: pd.DataFrame | None, **changes: Any) -> MixedModelResult:
    """Return the model fitted with another formula, data or choice; see `MixedModelResult.update`."""
    from profiling.modeling.fit import glmm, lmm

    source = source_of(fit)
    frame = source.data if data is None else data
    if frame is None:
        raise ModelError(Problem("update", "a fit read from a pickle, without its data", "data=", "Pass the data"))
    call = source.call
    choices: dict[str, Any] = {
        "weights": call.weights,
        "cluster_weights": call.cluster_weights,
        "offset": call.offset,
        "iteration": call.iteration,
    }
    if data is not None and data is not source.data:
        choices = {name: value if isinstance(value, str) else None for name, value in choices.items()}
        lost = [n for n in choices if getattr(call, n) is not None and choices[n] is None and n not in changes]
        if lost:
            raise ModelError(
                Problem("update", f"{', '.join(lost)} given as arrays for other data", "the same for the new data")
            )
    text = fit.formula if formula is None else expand(formula, fit.formula)
    if call.family == "gaussian":
        return lmm(text, frame, **{"start": fit, "reml": call.reml, "repeated": call.repeated, **choices, **changes})
    own: dict[str, Any] = {"family": call.family, "link": call.link, "method": call.method, "points": call.points}
    own |= {"repeated": call.repeated, "start": fit}
    return glmm(text, frame, **{**own, **choices, **changes})


def expand(change: str, formula: str) -> str:
    """Return `change` with lme4's dots filled in: `. ~ . + x` keeps the outcome and adds x to the right-hand side."""
    if "~" not in change:
        raise ModelError(Problem("formula", change, "outcome ~ terms, where . stands for what was there"))
    outcome, _, right = change.partition("~")
    old_outcome, _, old_right = formula.partition("~")
    filled = re.sub(r"(?<![\w.)])\.(?![\w.])", lambda _: old_right.strip(), right).strip()
    text = f"{old_outcome.strip() if outcome.strip() == '.' else outcome.strip()} ~ {filled}"
    parse_formula(text)
    return text


def with_linear_outcome(criterion: LinearCriterion, y: np.ndarray) -> LinearCriterion:
    """Return the criterion for another outcome (n, sorted): one pass over X; what X and Z make is shared."""
    d, s, p = criterion.design, criterion.design.structure, criterion.p
    center = float(np.average(y, weights=d.weights)) if d.scaling.intercept >= 0 else 0.0
    moved = y - d.offset - center
    weighted = d.weights * moved
    counted = weighted * np.repeat(d.cell_multiplicity, np.diff(s.cell_ptr))
    new = copy.copy(criterion)
    new._center = center
    new.cross, new.products = criterion.cross.copy(), criterion.products.copy()
    new.cross[:p, p] = new.cross[p, :p] = transposed_times(d.X, counted)
    new.cross[p, p] = counted @ moved
    sums = np.empty((s.n_cells, d.kz))
    cells.weighted_sums(weighted, d.Z, s.cell_ptr, s.tile_ptr, sums)
    new.products[:, :, p] = sums
    return new

"""`glmm` and `lmm`: from a formula and a frame to a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.design import Design, build_design
from profiling.modeling.families import Family, family_of
from profiling.modeling.fit_lmm import fit_lmm
from profiling.modeling.fit_quadrature import Points, fit_auto, fit_laplace, fit_quadrature
from profiling.modeling.negative_binomial import fit_negative_binomial
from profiling.modeling.result import MixedModelResult
from profiling.modeling.source import ModelCall, ModelSource
from profiling.modeling.threads import threads_for

_METHODS = ("laplace", "agq", "auto")


def glmm(
    formula: str,
    data: pd.DataFrame,
    family: str = "binomial",
    link: str | None = None,
    method: str = "laplace",
    points: Points = None,
    weights: Any = None,
    cluster_weights: Mapping[Any, float] | np.ndarray | None = None,
    offset: Any = None,
) -> MixedModelResult:
    """Fit a generalized linear mixed model by maximum likelihood.

    `formula` as in lme4 (`died ~ age + (1 | hospital)`), fixed part by formulaic; `data` without missing values.
    `family` binomial (logit, probit, cloglog; 0/1, proportions with `weights` trials, `cbind(successes, failures)`),
    poisson (log) or negative_binomial (NB2, log; the result's `dispersion` is its shape kappa). `weights` (n): trials
    for proportions, otherwise multipliers of log p; `cluster_weights`: multiplicity of each level of the outermost
    factor; `offset` (n) on the scale of the link.

    `method`: `laplace` (says where clusters are too small for it), `agq` (adaptive Gauss-Hermite quadrature, for one
    factor or strictly nested intercepts) or `auto` (quadrature where Laplace is off, else Laplace). `points` for
    `agq`: one odd number for every factor, a number by factor, or None: as many as it takes. Raises ModelError.
    """
    chosen = family_of(family, link)
    if chosen.name == "gaussian":
        return lmm(formula, data, False, weights, cluster_weights, offset)
    if method not in _METHODS:
        raise ModelError(Problem("method", method, f"one of {', '.join(_METHODS)}"))
    if chosen.name == "negative_binomial" and method == "agq":
        raise ModelError(Problem("method", "agq with a negative binomial outcome", "laplace"))
    call = ModelCall(chosen.name, chosen.link, method, points, False, weights, cluster_weights, offset)
    # Big problems need their threads in our tiles; BLAS inside a tile runs on one.
    with threads_for(len(data)):
        design = build_design(
            formula,
            data,
            binomial=chosen.name == "binomial",
            weights=_rows(weights, data),
            cluster_weights=cluster_weights,
            offset=_rows(offset, data),
        )
        check_outcome(design, chosen)
        return replace(fit_design(design, call), source=ModelSource(design, data, call))


def lmm(
    formula: str,
    data: pd.DataFrame,
    reml: bool = True,
    weights: Any = None,
    cluster_weights: Mapping[Any, float] | np.ndarray | None = None,
    offset: Any = None,
) -> MixedModelResult:
    """Fit a linear mixed model by REML (default) or ML; `weights` (n) are precisions: variance sigma^2 / w."""
    call = ModelCall("gaussian", "identity", "reml" if reml else "ml", 1, reml, weights, cluster_weights, offset)
    with threads_for(len(data)):
        design = build_design(
            formula, data, weights=_rows(weights, data), cluster_weights=cluster_weights, offset=_rows(offset, data)
        )
        return replace(fit_design(design, call), source=ModelSource(design, data, call))


def fit_design(design: Design, call: ModelCall, start: np.ndarray | None = None) -> MixedModelResult:
    """Fit a design as `call` says, from the search's coordinates `start` (scaled beta and psi) where given."""
    if call.family == "gaussian":
        return fit_lmm(design, call.reml, start)
    if call.family == "negative_binomial":
        return fit_negative_binomial(design, start)
    family = family_of(call.family, call.link)
    if call.method == "agq":
        return fit_quadrature(design, family, call.points, start)
    return fit_auto(design, family, start) if call.method == "auto" else fit_laplace(design, family, start)


def _rows(values: Any, data: pd.DataFrame) -> np.ndarray | None:
    """Return row values given as an array or as a column's name."""
    if values is None:
        return None
    return np.asarray(data[values] if isinstance(values, str) else values, dtype=float)


def check_outcome(design: Design, family: Family) -> None:
    """Refuse outcomes that the family cannot have, and outcomes that do not vary."""
    y = design.y
    outcome = design.formula.outcome
    if family.name == "binomial" and ((y < 0) | (y > 1)).any():
        raise ModelError(Problem(f"outcome {outcome}", "values outside of 0 to 1", "0/1, proportions or cbind()"))
    if family.name in ("poisson", "negative_binomial") and ((y < 0) | (y != np.floor(y))).any():
        raise ModelError(Problem(f"outcome {outcome}", "values that are no counts", "whole numbers from 0"))
    if (
        len(y)
        and (y == y[0]).all()
        and (family.name != "binomial" or y[0] in (0.0, 1.0))
        and (y[0] == 0 or family.name == "binomial")
    ):
        raise ModelError(
            Problem(
                f"outcome {outcome}", "the same in every row", "an outcome that varies", "There is nothing to explain"
            )
        )

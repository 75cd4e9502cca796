"""`glmm` and `lmm`: from a formula and a frame to a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.frames import frame_of
from profiling.modeling.check_design import check_outcome, rows_of
from profiling.modeling.collapse import collapse
from profiling.modeling.design import Design, build_design
from profiling.modeling.diagnose import repeated_note
from profiling.modeling.families import Family, family_of
from profiling.modeling.fit_lmm import fit_lmm
from profiling.modeling.fit_quadrature import fit_auto, fit_laplace, fit_quadrature
from profiling.modeling.fit_shape import fit_shape_auto, fit_shape_quadrature
from profiling.modeling.iterative import Iteration
from profiling.modeling.negative_binomial import fit_negative_binomial
from profiling.modeling.refitting import start_of
from profiling.modeling.result import MixedModelResult
from profiling.modeling.rule_points import Points
from profiling.modeling.source import ModelCall, ModelSource
from profiling.modeling.threads import threads_for

_METHODS = ("laplace", "agq", "auto")


def glmm(
    formula: str,
    data: Any,
    family: str = "binomial",
    link: str | None = None,
    method: str = "laplace",
    points: Points = None,
    weights: Any = None,
    cluster_weights: Mapping[Any, float] | np.ndarray | None = None,
    offset: Any = None,
    repeated: str | None = None,
    start: MixedModelResult | None = None,
    iteration: Iteration | None = None,
) -> MixedModelResult:
    """Fit a generalized linear mixed model by maximum likelihood.

    `formula` as in lme4 (`died ~ age + (1 | hospital)`), fixed part by formulaic; `data` without missing values, a
    pandas frame or anything of Arrow (see `frame_of`). `family` binomial (logit, probit, cloglog; 0/1, proportions
    with `weights` trials, `cbind(successes, failures)`), poisson (log) or negative_binomial (NB2, log; the result's
    `dispersion` is its shape kappa). `weights` (n): trials for proportions, otherwise multipliers of log p;
    `cluster_weights`: multiplicity of each level of the outermost
    factor; `offset` (n) on the scale of the link; `repeated`: a column of subjects (patients) to be looked at for
    repeated rows that the model takes as independent. `start`: a fit of a model like this one, from which to search.
    `iteration`: how factors are treated that cross too widely for the memory (see `Iteration`); the fit then states
    its Monte-Carlo error (`monte_carlo`).

    `method`: `laplace` (says where clusters are too small for it), `agq` (adaptive Gauss-Hermite quadrature, for one
    factor, or strictly nested ones unless negative binomial) or `auto` (quadrature where Laplace is off, else Laplace).
    `points` for `agq`: one odd number for every factor, a number by factor, or None: as many as it takes. Raises
    ModelError.
    """
    chosen = family_of(family, link)
    if chosen.name == "gaussian":
        return lmm(formula, data, False, weights, cluster_weights, offset, repeated, start, iteration)
    if method not in _METHODS:
        raise ModelError(Problem("method", method, f"one of {', '.join(_METHODS)}"))
    call = ModelCall(
        chosen.name, chosen.link, method, points, False, weights, cluster_weights, offset, repeated, iteration
    )
    data = frame_of(data, formula, weights, offset, repeated)
    # Big problems need their threads in our tiles; BLAS inside a tile runs on one.
    with threads_for(len(data)):
        design = build_design(
            formula,
            data,
            binomial=chosen.name == "binomial",
            weights=rows_of(weights, data, "weights"),
            cluster_weights=cluster_weights,
            offset=rows_of(offset, data, "offset"),
            iteration=iteration,
        )
        return _fit(design, chosen, data, call, start)


def lmm(
    formula: str,
    data: Any,
    reml: bool = True,
    weights: Any = None,
    cluster_weights: Mapping[Any, float] | np.ndarray | None = None,
    offset: Any = None,
    repeated: str | None = None,
    start: MixedModelResult | None = None,
    iteration: Iteration | None = None,
) -> MixedModelResult:
    """Fit a linear mixed model by REML (default) or ML; `weights` (n) are precisions: variance sigma^2 / w.

    `repeated`, `start`, `iteration`: as in `glmm`.
    """
    data = frame_of(data, formula, weights, offset, repeated)
    method = "reml" if reml else "ml"
    call = ModelCall("gaussian", "identity", method, 1, reml, weights, cluster_weights, offset, repeated, iteration)
    with threads_for(len(data)):
        design = build_design(
            formula,
            data,
            weights=rows_of(weights, data, "weights"),
            cluster_weights=cluster_weights,
            offset=rows_of(offset, data, "offset"),
            iteration=iteration,
        )
        return _fit(design, family_of("gaussian", None), data, call, start)


def _fit(
    design: Design, family: Family, data: pd.DataFrame, call: ModelCall, start: MixedModelResult | None
) -> MixedModelResult:
    check_outcome(design, family)
    notes = repeated_note(design, data, call.repeated)
    fit = fit_design(design, call, None if start is None else start_of(design, start))
    return replace(fit, source=ModelSource(design, data, call), diagnostics=(*fit.diagnostics, *notes))


def fit_design(design: Design, call: ModelCall, start: np.ndarray | None = None) -> MixedModelResult:
    """Fit a design as `call` says, from the search's coordinates `start` (scaled beta and psi) where given."""
    if call.family == "gaussian":
        return fit_lmm(design, call.reml, start)
    if call.family == "negative_binomial":
        if call.method == "agq":
            return fit_shape_quadrature(design, call.points, start)
        return fit_shape_auto(design, start) if call.method == "auto" else fit_negative_binomial(design, start)
    family = family_of(call.family, call.link)
    design = collapse(design, family)
    if call.method == "agq":
        return fit_quadrature(design, family, call.points, start)
    return fit_auto(design, family, start) if call.method == "auto" else fit_laplace(design, family, start)

"""From estimates on the scaled columns to the result on the scale of the data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import Family
from profiling.modeling.newton import Optimum
from profiling.modeling.result import MixedModelResult, RandomEffects


def assemble(
    design: Design,
    family: Family,
    method: str,
    optimum: Optimum,
    converged: bool,
    log_likelihood: float,
    beta: np.ndarray,
    covariance: np.ndarray,
    theta: np.ndarray,
    covariance_theta: np.ndarray,
    sigma: float,
    effects: dict[str, RandomEffects],
    diagnoses: list[Diagnosis],
    eta: np.ndarray,
    singular: bool,
    n_parameters: int,
    covariance_cross: np.ndarray | None = None,
) -> MixedModelResult:
    """Return the result: coefficients and covariances unscaled, rows in the data's order, factors in the formula's."""
    T = design.scaling.to_raw
    terms = pd.Index(design.terms, name="term")
    components = {}
    named = {factor.name: f for f, factor in enumerate(design.factors)}
    for name in dict.fromkeys(term.name for term in design.formula.random):
        f = named[name]
        L = sigma * design.form.block(theta, f)
        names = list(design.factors[f].terms)
        components[name] = pd.DataFrame(L @ L.T, index=names, columns=names)
    back = np.empty(design.n, dtype=np.int64)
    back[design.order] = np.arange(design.n)
    by_name = {factor.name: factor for factor in design.factors}
    return MixedModelResult(
        formula=design.formula.text,
        family=family.name,
        link=family.link,
        method=method,
        fixed_effects=pd.Series(T @ beta, index=terms, name="estimate"),
        covariance=pd.DataFrame(T @ covariance @ T.T, index=terms, columns=terms),
        variance_components=components,
        log_likelihood=float(log_likelihood),
        residual_sd=sigma if family.name == "gaussian" else float("nan"),
        dispersion=1.0,
        theta=theta,
        covariance_theta=covariance_theta,
        covariance_cross=T @ covariance_cross if covariance_cross is not None else np.zeros((len(terms), len(theta))),
        converged=converged,
        singular=singular,
        newton_decrement=optimum.decrement,
        iterations=optimum.iterations,
        diagnostics=tuple(diagnoses),
        outcome=design.y[back],
        weights=design.weights[back],
        linear_predictor=eta[back],
        factors=tuple(by_name[name] for name in components),
        effects=effects,
        n_parameters=n_parameters,
        optimizer_log=tuple(optimum.log),
    )

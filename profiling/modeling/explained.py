"""What a model explains and what clusters cost: R2, design effects of the mean and of coefficients.

R2 (Nakagawa & Schielzeth 2013): f / (f + r + e) marginal, (f + r) / (f + r + e) conditional, f = Var(x b), r the
mean of z'Sz (Johnson 2014), e the residual variance on the latent scale (Nakagawa, Johnson & Schielzeth 2017).

Design effects: of weighted sums c'y the variance over that of independent rows is
1 + sum_g rho_g (sum_j (sum_(i in j) c_i)^2 - sum c_i^2) / sum c_i^2. With c = 1 this is Kish's 1 + (m - 1) rho; with c
the part of a covariate that the others leave it is Moulton's (1986) for its least-squares coefficient,
1 + (m - 1) rho_x rho_y. On the scale of the outcome, with rho_y at the average linear predictor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.modeling.columns import weighted_gram
from profiling.modeling.partition import average_predictor, latent_residual, partition
from profiling.modeling.prediction_variance import effect_variance_of
from profiling.modeling.state import source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

MEAN, ALL = "mean", "all"


def r_squared(fit: MixedModelResult) -> pd.Series:
    """Return marginal, conditional, fixed_variance, random_variance, residual_variance."""
    design = source_of(fit).design
    offset = np.empty(design.n)
    offset[design.order] = design.offset
    fixed = float(np.var(fit.linear_predictor - offset, ddof=1))
    random = sum(float(np.mean(effect_variance_of(fit, group))) for group in fit.groups)
    residual = latent_residual(fit, average_predictor(fit), random)
    total = fixed + random + residual
    return pd.Series(
        {
            "marginal": fixed / total,
            "conditional": (fixed + random) / total,
            "fixed_variance": fixed,
            "random_variance": random,
            "residual_variance": residual,
        },
        name="r_squared",
    )


def design_effects(fit: MixedModelResult) -> pd.DataFrame:
    """Return group, term, rho_y, rho_x, design_effect, effective_size; see `MixedModelResult.design_effects`."""
    design = source_of(fit).design
    weights = design.weights
    shares = partition(fit).set_index("group")["icc_observed"]
    terms = [MEAN, *(str(term) for term in fit.fixed_effects.index if term != "Intercept")]
    columns = _influences(fit)
    squares = (weights[:, None] * columns**2).sum(axis=0)
    cases, rows, added = float(weights.sum()), [], np.zeros(len(terms))
    for group in fit.groups:
        codes = fit.level_codes(group)[design.order]
        size = np.bincount(codes, weights)
        sums = np.stack([np.bincount(codes, weights * column) for column in columns.T], axis=1)
        pull = (sums**2).sum(axis=0) / squares - 1
        rho, mean_size = float(shares[group]), float((size**2).sum() / size.sum())
        added += rho * pull
        rho_x = pull / (mean_size - 1) if mean_size > 1 else np.full(len(terms), np.nan)
        rows.append(_rows(group, terms, np.full(len(terms), rho), rho_x, 1 + rho * pull, cases))
    if len(fit.groups) > 1:
        nothing = np.full(len(terms), np.nan)
        rows.append(_rows(ALL, terms, np.full(len(terms), float(shares.sum())), nothing, 1 + added, cases))
    return pd.concat(rows, ignore_index=True)


def _influences(fit: MixedModelResult) -> np.ndarray:
    """Return what weighs the rows, sorted: ones for the mean, then each covariate less its regression on the others."""
    design = source_of(fit).design
    keep = [k for k, term in enumerate(fit.fixed_effects.index) if term != "Intercept"]
    inverse = np.linalg.inv(weighted_gram(design.X, design.weights))
    # Column k of X G^-1 is the residual of x_k on the others, up to a factor that drops out.
    return np.column_stack([np.ones(design.n), design.X @ inverse[:, keep]])


def _rows(
    group: str, terms: list[str], rho_y: np.ndarray, rho_x: np.ndarray, effect: np.ndarray, cases: float
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": group,
            "term": terms,
            "rho_y": rho_y,
            "rho_x": rho_x,
            "design_effect": effect,
            "effective_size": cases / effect,
        }
    )

"""The bias that maximum likelihood owes to the estimated coefficients, for each variance.

In a linear model the expected score of a variance v at the truth, coefficients at their estimates, is half the slope
of log |C(v)^-1|, C the covariance of the coefficients (Patterson & Thompson 1971), so that

    E[v^] - v = I(v)^-1 (d/dv log |C(v)^-1|) / 2,

of order 1 / J in the number of levels; for one balanced factor -q (v + s^2/n) / J with q coefficients told by
differences between levels. For other families it is stated with the working weights at the truth.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.recovery.designs import Study
from profiling.modeling.climb import LaplaceObjective
from profiling.modeling.design import Design, build_design
from profiling.modeling.families import family_of
from profiling.modeling.laplace import LaplaceCriterion

STEP = 0.02  # of a variance, relative to the geometric mean of the two it belongs to
DRAWS = 8


def stated_bias(study: Study) -> dict[str, float]:
    """Return the stated bias of each variance by the name of its standard deviation; nothing for REML."""
    if study.family == "gaussian":
        return {}
    draws = [_one(study, study.draw(np.random.default_rng([9, number]))[0]) for number in range(DRAWS)]
    return {name: float(np.mean([draw[name] for draw in draws])) for name in draws[0]}


def _one(study: Study, frame: pd.DataFrame) -> dict[str, float]:
    offset = frame["log_exposure"].to_numpy() if study.exposure else None
    design = build_design(study.formula, frame, binomial=study.family == "binomial", offset=offset)
    objective = LaplaceObjective(LaplaceCriterion(design, family_of(study.family, None)))
    sigma = _block_covariance(study, design)
    entries = [(int(r), int(c)) for r, c in zip(design.form.rows, design.form.columns, strict=True)]
    steps = [STEP * float(np.sqrt(sigma[r, r] * sigma[c, c])) for r, c in entries]
    beta = np.linalg.solve(design.scaling.to_raw, np.array([study.beta[term] for term in design.terms]))
    slope, jacobian = np.empty(len(entries)), np.empty((len(entries), len(entries)))
    for k, step in enumerate(steps):
        log_det, psi = [], []
        for sign in (-1.0, 1.0):
            psi.append(_psi(design, _moved(sigma, *entries[k], sign * step)))
            objective.evaluate(np.concatenate([beta, psi[-1]]))
            log_det.append(np.linalg.slogdet(objective.information()[: len(beta), : len(beta)])[1])
        slope[k] = (log_det[1] - log_det[0]) / (2 * step)
        jacobian[:, k] = (psi[1] - psi[0]) / (2 * step)
    objective.evaluate(np.concatenate([beta, _psi(design, sigma)]))
    information = jacobian.T @ objective.information()[len(beta) :, len(beta) :] @ jacobian
    bias = np.linalg.solve(information, slope / 2)
    names = _names(design)
    return {names[r]: float(value) for (r, c), value in zip(entries, bias, strict=True) if r == c}


def _names(design: Design) -> list[str]:
    return [f"sd({term} | {factor.name})" for factor in design.factors for term in factor.terms]


def _block_covariance(study: Study, design: Design) -> np.ndarray:
    """Return the true covariance of all terms (k, k) in the design's order of factors."""
    by_group = {effect.group: np.array(effect.covariance) for effect in study.effects}
    sigma = np.zeros((design.form.offsets[-1],) * 2)
    for f, factor in enumerate(design.factors):
        part = slice(design.form.offsets[f], design.form.offsets[f + 1])
        sigma[part, part] = by_group[factor.name]
    return sigma


def _moved(sigma: np.ndarray, row: int, column: int, step: float) -> np.ndarray:
    moved = sigma.copy()
    moved[row, column] += step
    if row != column:
        moved[column, row] += step
    return moved


def _psi(design: Design, sigma: np.ndarray) -> np.ndarray:
    root = np.linalg.cholesky(sigma)
    theta = root[design.form.rows, design.form.columns]
    return np.asarray(np.where(design.form.diagonal, np.log(theta), theta))

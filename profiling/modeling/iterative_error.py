"""The Monte-Carlo error of a fit whose crossed factors were solved by iteration.

Every probe alone gives a log-likelihood l_k and a gradient g_k at the estimates, all but unbiased (see
`iterative_trace`). The standard error of the log-likelihood is the spread of l_k over the root of their number; that of
the estimates, to first order, the same of I^-1 g_k, I the information. Standard errors of coefficients describe the
data's chance and do not hold it. Where the spectrum is wide (large variances, many visits) and probes are few, that of
the estimates has been seen to be too small by a factor of 1.6, and the diagnosis says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis

if TYPE_CHECKING:
    from profiling.modeling.blocks import Factor
    from profiling.modeling.climb import LaplaceObjective, LinearObjective
    from profiling.modeling.result import MixedModelResult

STEP = 0.01  # of a standard error of theta, for the slope of an LMM's coefficients
LARGE_SHARE = 0.1  # of a standard error, beyond which the Monte-Carlo error is a warning


@dataclass(frozen=True)
class MonteCarlo:
    """Monte-Carlo standard errors: of the log-likelihood, the coefficients, and theta.

    `share`: the largest among coefficients and theta in units of their standard errors; `effects`: the largest of the
    effects' conditional standard deviations relative to themselves.
    """

    probes: int
    seed: int
    log_likelihood: float
    fixed_effects: pd.Series
    theta: np.ndarray
    share: float
    effects: float

    def note(self, design: Design) -> Diagnosis:
        """Return what the reader must know, a warning where the error matters."""
        s = design.structure
        size = int(sum(s.rest_ptr[c + 1] - s.rest_ptr[c] for c in s.iterated))
        text = (
            f"{size} coefficients cross so widely that they were solved by iteration; log-determinant and gradient are "
            f"estimated from {self.probes} probes (seed {self.seed}). Monte-Carlo standard errors: log-likelihood "
            f"{self.log_likelihood:.2g}, estimates up to {100 * self.share:.2g} % of their standard errors, which do "
            f"not hold it, standard deviations of effects up to {100 * self.effects:.2g} %. With large variances the "
            "error of estimates can be half as much again"
        )
        large = self.share > LARGE_SHARE
        advice = ". Take more probes, as in iteration=Iteration(probes=...)" if large else ""
        return Diagnosis("monte_carlo", text + advice, "warning" if large else "note")


def glmm_errors(fit: MixedModelResult, objective: LaplaceObjective, joint: np.ndarray) -> MixedModelResult:
    """Return the fit with its Monte-Carlo errors, unchanged where nothing was estimated from probes.

    The objective stands at the estimates; `joint` is the covariance of (scaled beta, theta).
    """
    design, last = objective.criterion.design, objective.last
    if not len(design.structure.iterated):
        return fit
    with objective.excursion():
        found = [objective.criterion.of_probe(last, objective.theta, k) for k in _probes(design)]
    moved = np.array([gradient for gradient, _ in found]) @ joint
    return _with_errors(fit, design, last.modes.factor, moved, joint, [variances for _, variances in found])


def lmm_errors(fit: MixedModelResult, objective: LinearObjective, joint: np.ndarray) -> MixedModelResult:
    """Return the same of an LMM, whose coefficients depend on the probes through theta alone."""
    design, last, p = objective.criterion.design, objective.last, objective.criterion.p
    if not len(design.structure.iterated):
        return fit
    theta = objective.theta.copy()
    found = [objective.criterion.of_probe(last, theta, k) for k in _probes(design)]
    by_theta = np.array([gradient for gradient, _ in found]) @ joint[p:, p:]
    along = np.zeros((len(theta), p))
    for entry in np.flatnonzero(by_theta.any(axis=0)):
        step = np.zeros(len(theta))
        step[entry] = STEP * np.sqrt(joint[p + entry, p + entry])
        along[entry] = (objective.criterion.evaluate(theta + step).beta - last.beta) / step[entry]
    moved = np.concatenate([by_theta @ along, by_theta], axis=1)
    return _with_errors(fit, design, last.factor, moved, joint, [variances for _, variances in found])


def _probes(design: Design) -> range:
    return range(design.structure.iteration.probes)


def _with_errors(
    fit: MixedModelResult, design: Design, factor: Factor, moved: np.ndarray, joint: np.ndarray, drawn: list[np.ndarray]
) -> MixedModelResult:
    """Return the fit with errors; `moved` (probes, p + t) estimates by each probe, `drawn` the effects' variances."""
    p, own = design.X.shape[1], np.sqrt(np.diag(joint))
    error = _error(moved)
    found = MonteCarlo(
        len(moved),
        design.structure.iteration.seed,
        0.5 * factor.log_determinant_error(design.component_multiplicity),
        pd.Series(_error(moved[:, :p] @ design.scaling.to_raw.T), index=fit.fixed_effects.index, name="monte_carlo"),
        error[p:],
        float(np.divide(error, own, out=np.zeros_like(error), where=own > 0).max(initial=0.0)),
        float((0.5 * _error(np.array(drawn)) / np.mean(drawn, axis=0)).max(initial=0.0)),
    )
    return replace(fit, monte_carlo=found, diagnostics=(*fit.diagnostics, found.note(design)))


def _error(drawn: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over probes (k, ...)."""
    return np.asarray(np.std(drawn, axis=0, ddof=1) / np.sqrt(len(drawn)))

"""The Monte-Carlo error of a fit whose crossed factors were solved by iteration.

Every probe alone gives an unbiased log-determinant l_k and gradient g_k at the estimates. The standard error of the
log-likelihood is the spread of l_k over the root of their number; that of the estimates, to first order, the same of
I^-1 g_k, I the information. Standard errors of coefficients describe the data's chance and do not hold it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis

if TYPE_CHECKING:
    from profiling.modeling.climb import LaplaceObjective
    from profiling.modeling.result import MixedModelResult

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
            f"{self.log_likelihood:.2g}, estimates up to {self.share:.2%} of their standard errors, which do not hold "
            f"it, standard deviations of effects up to {self.effects:.1%}"
        )
        large = self.share > LARGE_SHARE
        advice = ". Take more probes, as in iteration=Iteration(probes=...)" if large else ""
        return Diagnosis("monte_carlo", text + advice, "warning" if large else "note")


def monte_carlo(objective: LaplaceObjective, covariance: np.ndarray) -> MonteCarlo:
    """Return the errors at the point that the objective stands at; `covariance` of (beta, psi), inverse information."""
    design, last, p = objective.criterion.design, objective.last, objective.p
    iteration, factor = design.structure.iteration, last.modes.factor
    slope = np.concatenate([np.ones(p), design.form.slope(objective.theta)])
    with objective.excursion():
        gradients = [objective.criterion.of_probe(last, objective.theta, k) for k in range(iteration.probes)]
    moved = (np.array([gradient for gradient, _ in gradients]) * slope) @ covariance
    error = np.std(moved, axis=0, ddof=1) / np.sqrt(iteration.probes)
    own = np.sqrt(np.diag(covariance))
    share = np.divide(error, own, out=np.zeros_like(error), where=own > 0)
    to_raw = design.scaling.to_raw
    raw = np.std(moved[:, :p] @ to_raw.T, axis=0, ddof=1) / np.sqrt(iteration.probes)
    return MonteCarlo(
        iteration.probes,
        iteration.seed,
        0.5 * factor.log_determinant_error(design.component_multiplicity),
        pd.Series(raw, index=pd.Index(design.terms, name="term"), name="monte_carlo_error"),
        error[p:] * slope[p:],
        float(share.max(initial=0.0)),
        _of_effects([variances for _, variances in gradients]),
    )


def _of_effects(variances: list[np.ndarray]) -> float:
    """Return the largest relative error of the effects' sds from every probe's conditional variances (levels)."""
    drawn = np.array(variances)
    error = np.std(drawn, axis=0, ddof=1) / np.sqrt(len(drawn))
    return float((0.5 * error / drawn.mean(axis=0)).max(initial=0.0))


def with_errors(fit: MixedModelResult, objective: LaplaceObjective, covariance: np.ndarray) -> MixedModelResult:
    """Return the fit with its Monte-Carlo errors, unchanged where nothing was estimated from probes."""
    design = objective.criterion.design
    if not len(design.structure.iterated):
        return fit
    found = monte_carlo(objective, covariance)
    return replace(fit, monte_carlo=found, diagnostics=(*fit.diagnostics, found.note(design)))

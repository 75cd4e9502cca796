"""Standard errors of the same coefficients by three models: no clusters, estimating equations, mixed.

Naive: the generalized linear model, every row a case of its own. GEE: exchangeable within the outermost factor, with a
sandwich corrected for few clusters (Kauermann & Carroll 2001); naive and GEE estimate the same population-averaged
coefficients, so their errors compare (Zeger, Liang & Albert 1988). The mixed model's coefficients are conditional on
the level; beside them stand the marginal ones that it implies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.frames import frame_of
from profiling.modeling.formula import parse_formula
from profiling.modeling.gee import gee
from profiling.modeling.marginal import marginal
from profiling.modeling.result import MixedModelResult
from profiling.modeling.state import source_of


def compare_errors(fit: MixedModelResult, data: Any = None, covariance: str = "kauermann_carroll") -> pd.DataFrame:
    """Return by term: naive, naive_error, gee, gee_error, mixed, mixed_error, marginal, marginal_error, attenuated,
    attenuation_error, understated.

    `marginal` is what the mixed model implies over the population (`gee` estimates the same), `attenuated` its
    approximation by Zeger, Liang & Albert (1988), `attenuation_error` the difference of the two. `understated` is
    gee_error over naive_error: by what factor a model without clusters is overconfident (below one: too modest).
    `data`: the frame of the fit, needed after a pickle. Raises ModelError.
    """
    source = source_of(fit)
    frame = source.data if data is None else data
    if frame is None:
        raise ModelError(Problem("compare_errors", "a fit read from a pickle", "data=", "Pass the data of the fit"))
    frame = frame_of(frame, fit.formula, source.call.weights, source.call.offset)
    formula, outermost = parse_formula(fit.formula), min(fit.factors, key=lambda factor: factor.size)
    column = "__cluster__"
    choices = {
        "family": fit.family,
        "link": fit.link,
        "weights": source.call.weights,
        "offset": source.call.offset,
        "shape": fit.dispersion if fit.family == "negative_binomial" else None,
    }
    text = f"{formula.outcome} ~ {formula.fixed}"
    rows = frame.assign(**{column: outermost.codes})
    scale = None if fit.family == "gaussian" else 1.0
    naive = gee(text, rows, column, working_correlation="independence", covariance="model", scale=scale, **choices)
    clustered = gee(text, rows, column, covariance=covariance, **choices)
    own, n = marginal(fit).coefficients, fit.n_observations
    # The moment estimate of the scale divides by n; a regression by its degrees of freedom.
    freedom = np.sqrt(n / (n - len(own))) if fit.family == "gaussian" else 1.0
    table = pd.DataFrame(
        {
            "naive": naive.fixed_effects,
            "naive_error": naive.standard_errors * freedom,
            "gee": clustered.fixed_effects,
            "gee_error": clustered.standard_errors,
            "mixed": fit.fixed_effects,
            "mixed_error": fit.standard_errors,
            "marginal": own["marginal"],
            "marginal_error": own["standard_error"],
            "attenuated": own["attenuated"],
            "attenuation_error": own["attenuation_error"],
        }
    ).loc[fit.fixed_effects.index]
    return table.assign(understated=table["gee_error"] / table["naive_error"])

"""statsmodels: generalized estimating equations with an exchangeable correlation, robust standard errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import statsmodels.api as sm
from harness import Answer, Data, Prepared, run


def prepare(data: Data, task: str) -> Prepared:
    def fit() -> Any:
        correlation = sm.cov_struct.Exchangeable()
        X = sm.add_constant(data.x)
        return sm.GEE(data.y, X, groups=data.hosp, family=sm.families.Binomial(), cov_struct=correlation).fit()

    def describe(model: Any) -> Answer:
        alpha = {"correlation": float(model.cov_struct.dep_params)}
        return Answer(float("nan"), list(np.asarray(model.params)), alpha, "", list(np.asarray(model.bse)))

    return fit, describe


run(prepare)

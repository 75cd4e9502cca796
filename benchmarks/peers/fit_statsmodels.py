"""statsmodels: plain logistic regression by iteratively weighted least squares, no random effects."""

from __future__ import annotations

from typing import Any

import numpy as np
import statsmodels.api as sm
from harness import Answer, Data, Prepared, run


def prepare(data: Data, task: str) -> Prepared:
    def fit() -> Any:
        return sm.GLM(data.y, sm.add_constant(data.x), sm.families.Binomial()).fit()

    def describe(model: Any) -> Answer:
        return Answer(model.llf, list(np.asarray(model.params)), {}, "no random effects")

    return fit, describe


run(prepare)

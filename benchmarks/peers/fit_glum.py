"""glum: plain logistic regression, no penalty, no random effects; the yardstick of speed."""

from __future__ import annotations

import numpy as np
from glum import GeneralizedLinearRegressor
from harness import Answer, Data, Prepared, run


def prepare(data: Data, task: str) -> Prepared:
    def fit() -> GeneralizedLinearRegressor:
        model = GeneralizedLinearRegressor(family="binomial", alpha=0, gradient_tol=1e-6)
        return model.fit(data.x, data.y)

    def describe(model: GeneralizedLinearRegressor) -> Answer:
        eta = data.x @ model.coef_ + model.intercept_
        value = float((data.y * eta - np.logaddexp(0, eta)).sum())
        return Answer(value, [model.intercept_, *model.coef_], {}, "no random effects, no standard errors")

    return fit, describe


run(prepare)

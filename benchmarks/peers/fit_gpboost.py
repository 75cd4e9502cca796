"""GPBoost: Laplace with grouped random effects, by its default stop (`loose`) or stopped at 1e-10 (`tight`)."""

from __future__ import annotations

import os
import sys
from typing import Any

import gpboost
import numpy as np
from harness import Answer, Data, Prepared, run

STOPS: dict[str, dict[str, Any]] = {"loose": {}, "tight": {"delta_rel_conv": 1e-10, "maxit": 5000}}


def prepare(data: Data, task: str) -> Prepared:
    groups = data.hosp if task == "one" else np.column_stack([data.hosp, data.phys])
    stop = STOPS[sys.argv[4]]

    def fit() -> Any:
        X = np.column_stack([np.ones(len(data.y)), data.x])
        threads = int(os.environ["OMP_NUM_THREADS"])
        model = gpboost.GPModel(group_data=groups, likelihood="bernoulli_logit", num_parallel_threads=threads)
        model.fit(y=data.y, X=X, params=stop)
        model.get_coef(std_err=True)
        return model

    def describe(model: Any) -> Answer:
        variances = np.asarray(model.get_cov_pars(std_err=False)).ravel()
        beta = np.asarray(model.get_coef(std_err=False)).ravel()
        sd = dict(zip(("hosp", "phys"), np.sqrt(variances), strict=False))
        return Answer(-model.get_current_neg_log_likelihood(), list(beta), sd)

    return fit, describe


run(prepare)

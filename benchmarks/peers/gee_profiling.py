"""This project's estimating equations: from unsorted arrays in memory to estimates with robust standard errors."""

from __future__ import annotations

import pandas as pd
from harness import Answer, Data, Prepared, run

from profiling.modeling import GeeResult, gee


def prepare(data: Data, task: str) -> Prepared:
    columns = {name: data.x[:, j] for j, name in enumerate(data.names)}
    frame = pd.DataFrame({"y": data.y, "hosp": data.hosp, **columns}, copy=False)

    def fit() -> GeeResult:
        return gee(data.formula, frame, "hosp")

    def describe(found: GeeResult) -> Answer:
        alpha = {"correlation": float(found.working_correlation_parameters["alpha"])}
        note = f"{found.iterations} iterations" if found.converged else "not converged"
        errors = list(found.robust_standard_errors)
        return Answer(float("nan"), list(found.fixed_effects), alpha, note, errors)

    return fit, describe


run(prepare)

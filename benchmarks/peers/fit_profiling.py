"""This project: from unsorted arrays in memory to estimates with standard errors."""

from __future__ import annotations

import pandas as pd
from harness import Answer, Data, Prepared, run

from profiling.modeling import MixedModelResult, glmm


def prepare(data: Data, task: str) -> Prepared:
    frame = pd.DataFrame(data.x, columns=data.names, copy=False)
    frame["y"], frame["hosp"], frame["phys"] = data.y, data.hosp, data.phys
    formula = data.formula + (" + (1 | hosp)" if task == "one" else " + (1 | hosp) + (1 | phys)")

    def fit() -> MixedModelResult:
        return glmm(formula, frame)

    def describe(found: MixedModelResult) -> Answer:
        sd = {name: found.variance(name) ** 0.5 for name in found.groups}
        note = f"{found.iterations} iterations, decrement {found.newton_decrement:.0e}"
        return Answer(found.log_likelihood, list(found.fixed_effects), sd, note if found.converged else "not converged")

    return fit, describe


run(prepare)

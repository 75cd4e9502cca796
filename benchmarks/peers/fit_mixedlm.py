"""mixedlm: glmer in Rust with lme4's formulas."""

from __future__ import annotations

from typing import Any

import mixedlm
import numpy as np
import pandas as pd
from harness import Answer, Data, Prepared, run


def prepare(data: Data, task: str) -> Prepared:
    frame = pd.DataFrame(data.x, columns=data.names, copy=False)
    frame["y"], frame["hosp"], frame["phys"] = data.y, data.hosp, data.phys
    formula = data.formula + (" + (1 | hosp)" if task == "one" else " + (1 | hosp) + (1 | phys)")

    def fit() -> Any:
        model = mixedlm.glmer(formula, frame, family=mixedlm.families.Binomial())
        model.vcov()
        return model

    def describe(model: Any) -> Answer:
        sd = {name: float(np.sqrt(group.variance["(Intercept)"])) for name, group in model.VarCorr().groups.items()}
        value = model.logLik()
        return Answer(float(getattr(value, "value", value)), list(model.fixef().values()), sd)

    return fit, describe


run(prepare)

"""One yardstick for everybody: the Laplace log-likelihood at a program's estimates, whatever it reports itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from benchmarks.admissions import Admissions
from profiling.modeling.design import build_design
from profiling.modeling.families import family_of
from profiling.modeling.fit_glmm import constant
from profiling.modeling.laplace import LaplaceCriterion


class Yardstick:
    """The log-likelihood of one data set and task as a function of coefficients and standard deviations."""

    def __init__(self, admissions: Admissions, task: str) -> None:
        """Build the design once; `task`: one (hospitals) or two (hospitals and physicians)."""
        names = [f"x{j}" for j in range(admissions.x.shape[1])]
        frame = pd.DataFrame(admissions.x, columns=names, copy=False)
        frame["y"], frame["hosp"], frame["phys"] = admissions.y, admissions.hospital, admissions.physician
        random = "(1 | hosp)" if task == "one" else "(1 | hosp) + (1 | phys)"
        self.design = build_design(f"y ~ {' + '.join(names)} + {random}", frame, binomial=True)
        self.criterion = LaplaceCriterion(self.design, family_of("binomial", None))

    def log_likelihood(self, beta: Sequence[float], sd: Mapping[str, float]) -> float:
        """Return the log-likelihood at coefficients (intercept first) and standard deviations by factor."""
        scaled = np.linalg.solve(self.design.scaling.to_raw, np.asarray(beta))
        theta = np.array([sd[factor.name] for factor in self.design.factors])
        return float(self.criterion.evaluate(scaled, theta).value + constant(self.design, self.criterion.family))

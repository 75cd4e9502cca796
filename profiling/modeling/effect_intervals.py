"""Intervals of random effects that hold what they say: the variance parameters integrated out, not plugged in.

Mode ± 1.96 sd_full is first order: with a hundred levels of twenty binary rows 95 % intervals hold 93 to 94 % of the
true effects, since estimated variances are too small on average and their uncertainty is skewed. Here the posterior of
each effect is the mixture of its normals over the lattice of `variance_grid` (Morris 1983; Rue, Martino & Chopin 2009).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.normal_mixture import mixture_quantiles
from profiling.modeling.variance_grid import VarianceGrid, variance_grid

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

LEAST_SD = 1e-9  # an effect whose standard deviation is zero, as a very narrow normal


def effect_intervals(
    fit: MixedModelResult, group: str, level: float = 0.95, grid: VarianceGrid | None = None
) -> pd.DataFrame:
    """Return level, term, mean, sd, lower and upper of a group's effects, a row a level and term.

    `grid`: the fit's lattice, for a caller who asks for several groups. Raises ModelError for a level outside of 0 to 1
    and for a fit that does not carry its data.
    """
    if not 0.0 < level < 1.0:
        raise ModelError(Problem("level", f"{level:g}", "a number between 0 and 1"))
    factor, at_estimate = fit.factor(group), fit.effects[group]
    lattice = variance_grid(fit, group) if grid is None else grid
    probabilities = np.array([(1 - level) / 2, (1 + level) / 2])
    parts = []
    for term, name in enumerate(factor.terms):
        mode, sd = (lattice.table(group, kind, term) for kind in ("mode", "sd_beta"))
        if group not in lattice.groups:
            added = np.square(at_estimate.sd_full[:, term]) - np.square(at_estimate.sd_beta[:, term])
            sd = np.sqrt(np.square(sd) + np.maximum(added, 0.0)[:, None])
        sd = np.maximum(sd, LEAST_SD)
        mean = mode @ lattice.weight
        spread = np.sqrt((np.square(sd) + np.square(mode - mean[:, None])) @ lattice.weight)
        ends = mixture_quantiles(lattice.weight, mode, sd, np.zeros_like(mode), probabilities)
        columns = {"mean": mean, "sd": spread, "lower": ends[:, 0], "upper": ends[:, 1]}
        parts.append(pd.DataFrame({"level": factor.levels, "term": name, **columns}))
    by_level = np.argsort(np.tile(np.arange(factor.size), len(parts)), kind="stable")
    return pd.concat(parts, ignore_index=True).iloc[by_level].reset_index(drop=True)

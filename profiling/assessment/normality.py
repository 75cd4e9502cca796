"""Whether the effects of providers look like one normal family: each in spreads of its own, against normal quantiles.

A conditional mode has variance σ² − s², s its conditional standard deviation (exact for a linear model; the diagnostic
standard error of Skrondal & Rabe-Hesketh 2009, J R Stat Soc A 172, section 5): divided by that spread, modes of large
and of small providers are alike, N(0, 1) if the model holds. The envelope holds all of them together with 95 %
probability: each order statistic of n uniforms between two quantiles of its beta distribution, at the one local level
that makes it so (Aldor-Noiman, Brown, Buja, Rolke & Stine 2013, Am Stat 67).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from profiling.assessment.fitted import Floats

LEAST_SPREAD = 1e-3  # of σ: below it a mode is all shrinkage and says nothing
# Local levels at which n order statistics stay within their limits all together with probability .95, exact by the
# recursion of Khmaladze & Shinjikashvili (2001) over the n-fold Poisson bridge; between them linear in the logarithms.
_SIZES = (1, 2, 3, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240)
_LEVELS = (
    *(0.05, 0.026533, 0.018633, 0.012271, 0.007385, 0.004771, 0.003292, 0.002404),
    *(0.001840, 0.001464, 0.001201, 0.001010, 0.000866, 0.000756, 0.000668),
)


def standardized_effects(mode: Floats, mode_sd: Floats, variance: float) -> Floats:
    """Modes (J,) over √(σ² − s²): N(0, 1) if effects are normal; NaN where the data say nothing of a provider."""
    spread = np.sqrt(np.maximum(variance - np.square(mode_sd), 0.0))
    told = spread > LEAST_SPREAD * np.sqrt(max(variance, 0.0))
    return np.where(told & (variance > 0), mode / np.where(told, spread, 1.0), np.nan)


def normal_quantiles(values: Floats) -> pd.DataFrame:
    """value, theoretical, lower, upper, beyond: of each of `values` (J,), in their order; rows of NaN stay NaN.

    theoretical: the median of the normal order statistic of its rank. lower, upper:
    the 95 % envelope of the whole sample there; beyond: outside it.
    """
    table = pd.DataFrame({"value": values, "theoretical": np.nan, "lower": np.nan, "upper": np.nan, "beyond": False})
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return table
    order = known[np.argsort(values[known], kind="stable")]
    columns = envelope(len(order))
    for name in ("theoretical", "lower", "upper"):
        table.loc[order, name] = columns[name].to_numpy()
    return table.assign(beyond=(table["value"] < table["lower"]) | (table["value"] > table["upper"]))


def envelope(count: int) -> pd.DataFrame:
    """theoretical, lower, upper of each order statistic of `count` standard normal values, the smallest first."""
    rank = np.arange(1, count + 1, dtype=np.float64)
    tail = local_level(count) / 2
    quantiles = {"theoretical": 0.5, "lower": tail, "upper": 1.0 - tail}
    return pd.DataFrame({
        name: special.ndtri(special.betaincinv(rank, count - rank + 1, probability))
        for name, probability in quantiles.items()
    })  # fmt: skip


def local_level(count: int) -> float:
    """Two-sided level of a single order statistic at which all `count` together stay inside with probability .95."""
    return float(np.exp(np.interp(np.log(count), np.log(_SIZES), np.log(_LEVELS))))

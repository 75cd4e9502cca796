"""Observed against expected among the patients of each kind: does the model hold for all of them?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.assessment.fitted import FittedModel, Floats, Integers
from profiling.assessment.frames import conditional
from profiling.assessment.intervals import poisson_exact
from profiling.assessment.options import ProfileOptions
from profiling.assessment.rows_of_fit import scale_of, whole_trials
from profiling.vocabulary import COUNT_FAMILIES

MISSING = "not recorded"
MOST_VALUES, BANDS = 8, 5
NORMAL_95 = 1.959963984540054


def readable_bands(values: pd.Series) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Number of each row's group (n,) and the groups' names: the values in order, or, of a numeric column with more
    than eight, five bands of nearly equal size with round limits; missing values last."""
    known = values.notna().to_numpy()
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    distinct = np.unique(values[known]) if numeric else np.unique(values[known].astype(str))
    if numeric and len(distinct) > MOST_VALUES:
        codes, names = _bands(values.to_numpy(dtype=np.float64, na_value=np.nan))
    else:
        own = values.where(known, distinct[0] if len(distinct) else None)
        codes = np.searchsorted(distinct, own if numeric else own.astype(str)).astype(np.int64)
        names = [f"{value:g}" for value in distinct] if numeric else [str(value) for value in distinct]
    if not known.all():
        codes, names = np.where(known, codes, len(names)), [*names, MISSING]
    return codes, names


def _bands(values: Floats) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Bands between rounded quantiles; the outermost are open, so that no name holds one patient's value."""
    cuts = np.nanquantile(values, np.linspace(0, 1, BANDS + 1)[1:-1])
    unit = 10.0 ** np.floor(np.log10(max(float(np.ptp(cuts)), 1e-300) / 2.0))
    edges = np.unique(np.round(np.rint(cuts / unit) * unit, 12))
    edges = edges[(edges > np.nanmin(values)) & (edges <= np.nanmax(values))]
    whole = bool((values[np.isfinite(values)] % 1 == 0).all() and (edges % 1 == 0).all())
    tops = [f"{edge - 1:g}" if whole else f"under {edge:g}" for edge in edges[1:]]
    inner = [f"{low:g}" if f"{low:g}" == top else f"{low:g} to {top}" for low, top in zip(edges, tops, strict=False)]
    names = [f"under {edges[0]:g}", *inner, f"{edges[-1]:g} and over"] if len(edges) else ["all"]
    return np.searchsorted(edges, values, side="right").astype(np.int64), names


def subgroups(
    fit: FittedModel, columns: Mapping[str, pd.Series], options: ProfileOptions | None = None
) -> pd.DataFrame:
    """position, column_name, value, n, observed, expected, ratio, lower, upper by the values of each column.

    columns: values of each row of the data by name. expected: from the case mix and the estimated effects of the
    patients' own providers, so that a group is not blamed for where it is treated. Limits: exact Poisson, of continuous
    outcomes normal with the variance of the outcomes within the group.
    """
    chosen = options or ProfileOptions()
    observed, expected, _, _ = conditional(fit, chosen)
    trials, counts = whole_trials(fit), scale_of(fit, chosen).family in COUNT_FAMILIES
    size = np.ones_like(trials) if chosen.trials_within_cases else trials
    parts = [_of_column(name, values, trials, size, observed, expected, counts) for name, values in columns.items()]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return table.assign(position=range(len(table)))


def _of_column(
    name: str,
    values: pd.Series,
    trials: Integers,
    size: Integers,
    outcome: Floats,
    mean: Floats,
    counts: bool,
) -> pd.DataFrame:
    codes, names = readable_bands(values)
    own = np.repeat(codes, trials)

    def sums(weights: Floats) -> Floats:
        return np.asarray(np.bincount(own, weights=weights, minlength=len(names)), dtype=np.float64)

    observed, expected = sums(outcome), sums(mean)
    if counts:
        low, high = poisson_exact(np.rint(observed))
    else:
        half = NORMAL_95 * np.sqrt(sums(np.square(outcome - mean)))
        low, high = observed - half, observed + half
    n = np.rint(np.bincount(codes, weights=size, minlength=len(names))).astype(np.int64)
    table = pd.DataFrame({"column_name": name, "value": names, "n": n, "observed": observed, "expected": expected})
    held = table["n"] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = {"ratio": observed / expected, "lower": low / expected, "upper": high / expected}
    return table.assign(**ratios)[held]

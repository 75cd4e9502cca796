"""Providers over the calendar: observed against expected by period, and whether a chart of single cases signalled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.intervals import poisson_exact
from profiling.assessment.monitoring import period_correlation
from profiling.assessment.profile import Assessment
from profiling.assessment.provider_charts import provider_cusum, provider_limits

Days = npt.NDArray[np.datetime64]

ODDS_RATIOS = {"cusum": 2.0, "cusum_lower": 0.5}
SIGNALS = {"cusum": "signal", "cusum_lower": "signal_lower"}
FALSE_ALARM = 0.05
DAYS_A_YEAR = 365.25
# Months in a period, for spans of at most so many years; beyond, a year.
LENGTHS = ((3, 4.0), (6, 8.0))
NORMAL_95 = 1.959963984540054
LEAST_HALF = 10


@dataclass(frozen=True)
class _Dated:
    """Rows with a day, by provider and day: row of `rows`, provider, day, first row of each provider with any."""

    row: Integers
    provider: Integers
    day: Days
    span: float


def provider_periods(
    assessment: Assessment, level: str, admitted: Days, false_alarm: float = FALSE_ALARM
) -> pd.DataFrame:
    """Rows level, provider, position, period, n, observed, expected, ratio, lower, upper and the charts' columns.

    admitted (n,) in the order of the data, NaT where it is not known. Periods are quarters of the calendar, half-years
    from four years on, years from eight. Limits of O/E: exact Poisson, of continuous outcomes from the residual
    variance. cusum: the largest sum of the period on the chart for doubled odds, cusum_lower for halved ones, each with
    the limit that a provider at the norm passes with probability `false_alarm` a year: 1 − (1 − false_alarm)^years on
    the whole chart. Of counts the rates are doubled and halved; continuous outcomes have no chart.
    """
    dated = _dated(assessment, admitted)
    if dated is None:
        return pd.DataFrame()
    months = next((length for length, most in LENGTHS if dated.span <= most), 12)
    position, names = _periods(dated.day, months)
    first = np.flatnonzero(np.r_[True, (np.diff(dated.provider) != 0) | (np.diff(position) != 0)])
    rows = assessment.rows
    table = pd.DataFrame({
        "level": level,
        "provider": rows.labels[dated.provider[first]],
        "position": position[first],
        "period": names[position[first]],
        "n": _cases(assessment, dated, first),
        "observed": np.add.reduceat(rows.observed[dated.row], first),
        "expected": np.add.reduceat(rows.expected_marginal[dated.row], first),
    })  # fmt: skip
    limits = _ratio_limits(assessment, table, dated.provider[first])
    return pd.concat([table, limits, _charts(assessment, dated, first, false_alarm)], axis=1)


def halves_correlation(assessment: Assessment, admitted: Days, seed: int = 0) -> pd.Series | None:
    """`period_correlation` of the providers' effects in the first and the second half of the days; None without days
    or with fewer than ten providers with cases in both."""
    dated = _dated(assessment, admitted)
    if dated is None or dated.span <= 0:
        return None
    days = dated.day.astype(np.int64)
    late = days > (days.min() + days.max()) / 2
    (early_effect, early_error), (late_effect, late_error) = (
        _unshrunken(assessment, dated, half) for half in (~late, late)
    )
    both = np.isfinite(early_error) & np.isfinite(late_error)
    if both.sum() < LEAST_HALF:
        return None
    return period_correlation(early_effect[both], early_error[both], late_effect[both], late_error[both], seed=seed)


def _dated(assessment: Assessment, admitted: Days) -> _Dated | None:
    rows = assessment.rows
    day = admitted.astype("datetime64[D]")[rows.order]
    provider = np.repeat(np.arange(len(rows.labels)), np.diff(rows.starts))
    known = np.flatnonzero(~np.isnat(day))
    if len(known) == 0:
        return None
    order = known[np.lexsort((day[known], provider[known]))]
    span = float((day[known].max() - day[known].min()).astype(np.int64) + 1) / DAYS_A_YEAR
    return _Dated(order, provider[order], day[order], span)


def _cases(assessment: Assessment, dated: _Dated, first: Integers) -> Integers:
    """Cases in each part of the rows: trials of one case stand together and count once."""
    if not assessment.rows.within_cases:
        return np.asarray(np.diff(np.r_[first, len(dated.row)]), dtype=np.int64)
    new = np.r_[True, np.diff(assessment.rows.order[dated.row]) != 0]
    new[first] = True
    return np.asarray(np.add.reduceat(new.astype(np.int64), first), dtype=np.int64)


def _periods(day: Days, months: int) -> tuple[Integers, npt.NDArray[np.object_]]:
    """Position of each day's period, from the first one on, and the names of all periods."""
    number = day.astype("datetime64[M]").astype(np.int64) // months
    first, count = int(number.min()), int(np.ptp(number)) + 1
    year, part = np.divmod(np.arange(first, first + count) * months, 12)
    letter = {3: " Q", 6: " H"}.get(months)
    names = [f"{y}{letter}{p // months + 1}" if letter else f"{y}" for y, p in zip(year + 1970, part, strict=True)]
    return (number - first).astype(np.int64), np.array(names, dtype=object)


def _ratio_limits(assessment: Assessment, table: pd.DataFrame, provider: Integers) -> pd.DataFrame:
    observed, expected, n = (table[name].to_numpy(dtype=np.float64) for name in ("observed", "expected", "n"))
    rows, ratio = assessment.rows, observed / expected
    if rows.counts:
        low, high = poisson_exact(np.rint(observed))
        return pd.DataFrame({"ratio": ratio, "lower": low / expected, "upper": high / expected})
    half = NORMAL_95 * np.sqrt(rows.residual_variance / n + rows.shared_variance[provider])
    if rows.family == "log_gaussian":
        return pd.DataFrame({"ratio": ratio, "lower": ratio * np.exp(-half), "upper": ratio * np.exp(half)})
    half = half * n / np.abs(expected)
    return pd.DataFrame({"ratio": ratio, "lower": ratio - half, "upper": ratio + half})


def _charts(assessment: Assessment, dated: _Dated, first: Integers, false_alarm: float) -> pd.DataFrame:
    rows = assessment.rows
    if not rows.counts:
        return pd.DataFrame(index=range(len(first)))
    observed, counts = rows.observed[dated.row], rows.family == "poisson"
    risk = np.clip(rows.expected_marginal[dated.row], 1e-12, np.inf if counts else 1.0 - 1e-12)
    present, begin = np.unique(dated.provider, return_index=True)
    starts = np.append(begin, len(risk)).astype(np.int64)
    ratios = tuple(ODDS_RATIOS.values())
    whole_span = 1.0 - (1.0 - false_alarm) ** dated.span
    limits = provider_limits(risk, starts, ratios, whole_span, assessment.options.seed, counts)
    own = np.searchsorted(present, dated.provider[first])
    columns: dict[str, Floats | npt.NDArray[np.bool_]] = {}
    for place, (name, ratio) in enumerate(ODDS_RATIOS.items()):
        path, signal = provider_cusum(observed, risk, starts, ratio, limits[:, place], counts)
        columns[name] = np.maximum.reduceat(path, first)
        columns[f"{name}_limit"] = limits[own, place]
        columns[SIGNALS[name]] = np.logical_or.reduceat(signal, first)
    return pd.DataFrame(columns)


def _unshrunken(assessment: Assessment, dated: _Dated, half: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Each provider's effect from these rows, by one step from the norm, and its standard error; ∞ without rows."""
    rows, count = assessment.rows, len(assessment.rows.labels)
    row, provider = dated.row[half], dated.provider[half]
    if rows.counts:
        mean = rows.expected_marginal[row]
        weight = mean * (1.0 - mean) if rows.family == "binomial" else mean
        score = rows.observed[row] - mean
    else:
        weight = np.full(len(row), 1.0 / rows.residual_variance)
        score = rows.residual[row] * weight
    total, information = (np.bincount(provider, weights=values, minlength=count) for values in (score, weight))
    with np.errstate(divide="ignore", invalid="ignore"):
        return total / information, np.where(information > 0, 1.0 / np.sqrt(information), np.inf)

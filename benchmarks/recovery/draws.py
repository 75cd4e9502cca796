"""One draw of a design, fitted and held against the truth; many draws in processes of one thread each."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial

import numba
import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.recovery.designs import HOSPITALS_BY_LAPLACE, SMALL_CLUSTERS, STUDIES, Study
from profiling.errors import ProfilingError
from profiling.modeling import MixedModelResult, glmm, lmm
from profiling.modeling.effect_intervals import effect_intervals
from profiling.modeling.intervals import Estimate, estimates, maximum_likelihood, profile_for
from profiling.modeling.threads import threads_for
from profiling.modeling.variance_grid import variance_grid

Z = float(stats.norm.ppf(0.975))
PROCESSES = 2
SEED = 3
BY_NAME = {study.name: study for study in (*STUDIES, *SMALL_CLUSTERS, HOSPITALS_BY_LAPLACE)}


def fit(study: Study, frame: pd.DataFrame) -> MixedModelResult:
    """Fit the design's model: REML for a linear one, otherwise maximum likelihood by its method."""
    if study.family == "gaussian":
        return lmm(study.formula, frame)
    offset = "log_exposure" if study.exposure else None
    return glmm(study.formula, frame, study.family, method=study.method, offset=offset)


def generator(study: Study, number: int) -> np.random.Generator:
    """Return the generator of one draw: any draw can be made again alone."""
    return np.random.default_rng([SEED, *study.name.split("_")[0].encode(), number])


def judge(study: Study, number: int) -> dict[str, float]:
    """Return what one draw says, by `what/parameter`.

    estimate; error (standard error, coefficients); covered: 1 where the 95 % interval holds the truth - Wald for
    coefficients, adjusted profile likelihood for standard deviations and correlations, for effects the share of levels
    by `effect_intervals`; first_order: the same by the plain profile and by mode ± 1.96 sd_full; fit/converged;
    fit/undefined (profiles without an answer, counted as not covering).
    """
    frame, effects = study.draw(generator(study, number))
    found = fit(study, frame)
    row = {"draw": float(number), "fit/converged": float(found.converged), "fit/undefined": 0.0}
    truth = study.truth
    wald = found.intervals("wald", 0.95, list(study.beta))
    for term, value in study.beta.items():
        row[f"estimate/{term}"] = float(found.fixed_effects[term])
        row[f"error/{term}"] = float(found.standard_errors[term])
        row[f"covered/{term}"] = float(wald["lower"][term] <= value <= wald["upper"][term])
    row |= {f"estimate/{each.name}": each.value for each in estimates(found) if each.kind != "fixed"}
    row |= _profiles(found, truth, row)
    lattice = variance_grid(found)
    for group, true in effects.items():
        table, ends = found.random_effects(group), effect_intervals(found, group, grid=lattice)
        level = table["level"].to_numpy(dtype=np.int64)
        for position, term in enumerate(dict.fromkeys(table["term"])):
            own = (table["term"] == term).to_numpy()
            effect = true[level[own], position]
            lower, upper = (ends[end].to_numpy()[own] for end in ("lower", "upper"))
            row[f"covered/b({term} | {group})"] = float(((lower <= effect) & (effect <= upper)).mean())
            distance = np.abs(table["mode"].to_numpy()[own] - effect)
            row[f"first_order/b({term} | {group})"] = float((distance <= Z * table["sd_full"].to_numpy()[own]).mean())
    return row


def _profiles(found: MixedModelResult, truth: dict[str, float], row: dict[str, float]) -> dict[str, float]:
    """Return whether each profile interval holds the truth.

    The 95 % interval holds c where |zeta(c)| <= 1.96 (see `profiling.modeling.profile`): one constrained maximum says
    so, where its two ends take a dozen. `test_recovery` holds this against the intervals themselves.
    """
    covered = {}
    with threads_for(found.n_observations):
        model = maximum_likelihood(found)
        for each in estimates(model):
            if each.kind != "fixed":
                for what, adjusted in (("covered", True), ("first_order", False)):
                    zeta = _zeta(model, each, truth[each.name], adjusted)
                    covered[f"{what}/{each.name}"] = float(abs(zeta) <= Z)
                row["fit/undefined"] += float(np.isnan(zeta))
    return covered


def _zeta(model: MixedModelResult, each: Estimate, value: float, adjusted: bool) -> float:
    if not np.isfinite(each.value):
        return float("nan")
    try:
        return profile_for(model, each, adjusted).zeta(value)
    except ProfilingError:
        return float("nan")


def judge_named(name: str, number: int) -> dict[str, float]:
    """Judge one draw of the design called `name`; an error of the program counts as a fit that did not converge."""
    try:
        return judge(BY_NAME[name], number)
    except ProfilingError:
        return {"draw": float(number), "fit/converged": 0.0, "fit/undefined": 0.0}


def workers() -> ProcessPoolExecutor:
    """Return `PROCESSES` processes with one thread each (a context manager)."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(PROCESSES, context, initializer=numba.set_num_threads, initargs=(1,))


def judge_all(study: Study, draws: int, pool: Executor) -> pd.DataFrame:
    """Return one row a draw, in the order of the draws, made in the processes of `pool`."""
    found = pool.map(partial(judge_named, study.name), range(draws), chunksize=max(1, min(20, draws // 10)))
    return pd.DataFrame(list(found))

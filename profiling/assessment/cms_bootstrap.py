"""The bootstrap of the ratio P/E as CMS publishes it: hospitals drawn with replacement, the model fitted anew.

Each resample draws as many hospitals as there are, fits the model to them (started at the fit of all), draws each drawn
hospital's effect b* ~ N(b̂_j, var_j) of that refit, and keeps P*_j/E*_j. The interval is the percentiles over the
resamples in which the hospital was drawn (Normand, Glickman & Gatsonis 1997; Krumholz et al. 2006; Horwitz et al. 2014,
appendix). Austin 2022 found bootstraps of this kind not to have their stated coverage: it is here for comparison.

Resample i has its own random numbers from (seed, i): the result does not depend on the number of workers, nor on where
a run was interrupted.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from profiling.assessment.options import ProfileOptions
from profiling.assessment.rows import sort_by_provider
from profiling.assessment.rows_of_fit import scale_of
from profiling.assessment.standardization import predicted_at
from profiling.errors import ModelError, Problem
from profiling.modeling.resampling import Resampler

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

BATCH = 10  # resamples between two writings of the state
FEWEST = 20  # resamples in which a hospital must appear to have an interval


@dataclass(frozen=True)
class CmsBootstrap:
    """`ratios` (resamples, J): P*/E*, NaN where the provider was not drawn; providers' labels; refits that failed."""

    labels: npt.NDArray[np.object_]
    ratios: npt.NDArray[np.float32]
    failed: int

    def intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Provider, resamples in which it was drawn, lower and upper percentile; NaN with fewer than FEWEST."""
        drawn = np.isfinite(self.ratios).sum(axis=0)
        limits = np.full((2, len(self.labels)), np.nan)
        enough = drawn >= FEWEST
        if enough.any():
            tails = [0.5 - level / 2, 0.5 + level / 2]
            limits[:, enough] = np.nanquantile(self.ratios[:, enough].astype(np.float64), tails, axis=0)
        return pd.DataFrame(
            {"provider": self.labels, "resamples": drawn, "ratio_lower": limits[0], "ratio_upper": limits[1]}
        )


def cms_bootstrap(
    fit: MixedModelResult,
    provider: str,
    resamples: int = 1000,
    seed: int = 0,
    workers: int = 1,
    state: Path | None = None,
    options: ProfileOptions | None = None,
) -> CmsBootstrap:
    """Resample the levels of the fit's outermost factor and return P*/E* of each level of `provider`.

    P and E of an inner provider keep the outer effect (`inner_expected` within_hospital). workers: processes. state: a
    file in which finished resamples are kept, so that a run that was interrupted goes on; ModelError where it belongs
    to another fit or seed.
    """
    if resamples < 1:
        raise ModelError(Problem("resamples", str(resamples), "1 or more"))
    if provider not in fit.groups:
        raise ModelError(Problem("provider level", f"found {provider}", f"one of {', '.join(fit.groups)}"))
    job = _Job(fit, provider, seed, scale_of(fit, options or ProfileOptions()).link)
    store = _State(state, job.key(), resamples, len(fit.levels(provider)))
    batches = [todo for a in range(0, resamples, BATCH) if (todo := store.missing(a, min(a + BATCH, resamples)))]
    for todo, ratios in _run(job, batches, workers):
        store.add(todo, ratios)
    failed = int((~np.isfinite(store.ratios).any(axis=1)).sum())
    return CmsBootstrap(np.asarray(fit.levels(provider), dtype=object), store.ratios, failed)


@dataclass(frozen=True)
class _Job:
    """What a worker needs."""

    fit: MixedModelResult
    provider: str
    seed: int
    link: str

    def key(self) -> str:
        digest = hashlib.sha256()
        for part in (self.fit.formula, self.provider, str(self.seed), self.link, self.fit.method):
            digest.update(part.encode())
        for array in (self.fit.outcome, self.fit.linear_predictor, self.fit.fixed_effects.to_numpy()):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


class _Worker:
    """One process's model, built once."""

    def __init__(self, job: _Job) -> None:
        self.job, self.resampler = job, Resampler(job.fit)
        self.count = len(job.fit.levels(job.provider))
        codes = np.asarray(job.fit.level_codes(job.provider), dtype=np.int64)
        self.order, self.starts = sort_by_provider(codes, self.count)
        self.outer = self.resampler.outer
        own = self.resampler.codes(job.provider)
        # Rows of one provider under several outer levels are several levels there: the first stands for the provider.
        self.own_level = own[self.order[self.starts[:-1]]]
        self.parent = self.outer.codes[self.order[self.starts[:-1]]]

    def ratios(self, index: int) -> npt.NDArray[np.float32]:
        """P*/E* of every provider (J,) in one resample; NaN where it was not drawn or the refit did not arrive."""
        generator = np.random.default_rng([self.job.seed, index])
        drawn = generator.integers(0, self.outer.size, self.outer.size)
        multiplicity = np.bincount(drawn, minlength=self.outer.size).astype(np.float64)
        normal = generator.standard_normal(self.count)
        again = self.resampler.refit(multiplicity)
        if not again.converged:
            return np.full(self.count, np.nan, dtype=np.float32)
        effects = again.effects[self.job.provider]
        shift = effects.mode[self.own_level, 0] + effects.sd[self.own_level, 0] * normal
        eta = self.resampler.linear_predictor(again.fixed_effects)
        if self.job.provider != self.outer.name:
            eta = eta + again.effects[self.outer.name].mode[self.outer.codes, 0]
        shifts = np.stack([shift, np.zeros(self.count)], axis=1)
        predicted, expected = predicted_at(eta[self.order], self.starts, shifts, self.job.link).T
        ratio = np.where(multiplicity[self.parent] > 0, predicted / expected, np.nan)
        return np.asarray(ratio, dtype=np.float32)


_WORKER: list[_Worker] = []


def _start(job: _Job) -> None:
    numba.set_num_threads(1)
    _WORKER[:] = [_Worker(job)]


def _batch(indices: list[int]) -> npt.NDArray[np.float32]:
    with threadpool_limits(limits=1, user_api="blas"):
        return np.stack([_WORKER[0].ratios(index) for index in indices])


def _run(job: _Job, batches: list[list[int]], workers: int) -> Iterator[tuple[list[int], npt.NDArray[np.float32]]]:
    if workers <= 1:
        worker = _Worker(job)
        for todo in batches:
            with threadpool_limits(limits=1, user_api="blas"):
                yield todo, np.stack([worker.ratios(index) for index in todo])
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start, (job,)) as pool:
        yield from zip(batches, pool.map(_batch, batches), strict=True)


class _State:
    """Finished resamples, in memory and in a file that is replaced as a whole."""

    def __init__(self, path: Path | None, key: str, resamples: int, count: int) -> None:
        self.path, self.key = path, key
        self.ratios = np.full((resamples, count), np.nan, dtype=np.float32)
        self.done = np.zeros(resamples, dtype=np.bool_)
        if path is not None and path.exists():
            self._read(path)

    def _read(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["key"]) != self.key or kept["ratios"].shape[1] != self.ratios.shape[1]:
                raise ModelError(
                    Problem("bootstrap state", "of another fit, level or seed", "this fit's", "Name another file")
                )
            rows = min(len(kept["done"]), len(self.done))
            self.done[:rows], self.ratios[:rows] = kept["done"][:rows], kept["ratios"][:rows]

    def missing(self, first: int, stop: int) -> list[int]:
        """Resamples of a batch that are not done yet."""
        return [int(i) for i in range(first, stop) if not self.done[i]]

    def add(self, indices: list[int], ratios: npt.NDArray[np.float32]) -> None:
        """Keep finished resamples; the file holds all of them or the ones before."""
        self.ratios[indices], self.done[indices] = ratios, True
        if self.path is None:
            return
        draft = self.path.with_name(self.path.name + ".part")
        with draft.open("wb") as file:
            np.savez(file, key=np.array(self.key), done=self.done, ratios=self.ratios)
        os.replace(draft, self.path)

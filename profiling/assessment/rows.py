"""The rows of one provider kind, sorted by provider: what every figure of an assessment starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from profiling.assessment.fitted import Floats, Integers
from profiling.assessment.mixture import EffectMixture
from profiling.assessment.options import Family
from profiling.assessment.standardization import provider_sums
from profiling.errors import ModelError, Problem


@dataclass(frozen=True)
class ProviderRows:
    """One provider kind: arrays by row (n,) sorted by provider, arrays by provider (J,), and the scale.

    order: the sorted rows' positions in the data; starts (J + 1,): first row of each provider. observed,
    expected, expected_marginal: on the outcome's own scale. eta: the linear predictor to which a provider's
    effect is added. residual: outcome minus expectation on the scale of the model (continuous outcomes; else
    zeros). mode, sd, sd_full (J,): the provider's effect (NaN without a model); parent, n_parents: outer
    provider with most rows, number of them. shared_variance (J,): variance that other random effects add to a
    mean residual. same_base: eta is the expected one's. single: the effect is the model's only one, its
    posterior one-dimensional. mixture: the posterior with beta and the variances integrated, where asked for.
    exposure (n,): what counts are proportional to, where rates are per unit of it. within_cases: rows are trials,
    several of one case (one position in the data).
    """

    labels: npt.NDArray[np.object_]
    order: Integers
    starts: Integers
    observed: Floats
    expected: Floats
    expected_marginal: Floats
    eta: Floats
    residual: Floats
    mode: Floats
    sd: Floats
    sd_full: Floats
    shared_variance: Floats
    parent: npt.NDArray[np.object_]
    n_parents: Integers
    variance: float
    residual_variance: float
    family: Family
    link: str
    same_base: bool
    single: bool
    mixture: EffectMixture | None = None
    exposure: Floats | None = None
    within_cases: bool = False

    @property
    def counts(self) -> bool:
        """Whether the outcome is a number of events."""
        return self.family in ("binomial", "poisson")

    def level_codes(self, count: int) -> Integers:
        """Number of the provider of each of the data's `count` rows."""
        codes = np.empty(count, dtype=np.int64)
        codes[self.order] = np.repeat(np.arange(len(self.labels)), np.diff(self.starts))
        return codes

    @property
    def base(self) -> Floats:
        """What a provider's number is divided by for its rate (J,): its exposure, or its rows."""
        if self.exposure is None:
            return self.cases
        return provider_sums(self.exposure, self.starts)

    @property
    def patients(self) -> Floats:
        """Cases of each provider: its rows, or the rows of the data that its trials come from."""
        if not self.within_cases:
            return self.cases
        first = np.r_[True, np.diff(self.order) != 0]
        first[self.starts[1:-1]] = True
        return provider_sums(first.astype(np.float64), self.starts)

    @property
    def cases(self) -> Floats:
        """Rows of each provider."""
        return np.diff(self.starts).astype(np.float64)


def sort_by_provider(codes: Integers, count: int) -> tuple[Integers, Integers]:
    """Stable order of the rows by provider, and the first row of each; ModelError if a provider has none."""
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=count))]).astype(np.int64)
    if (np.diff(starts) == 0).any():
        raise ModelError(
            Problem("providers", f"{int((np.diff(starts) == 0).sum())} of them have no rows", "a row each")
        )
    return _counted_order(codes, starts), starts


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _counted_order(codes: Any, starts: Any) -> Any:
    """The stable order of codes whose groups begin at `starts`, by counting."""
    order, place = np.empty(codes.shape[0], dtype=np.int64), starts.copy()
    for row in range(codes.shape[0]):
        order[place[codes[row]]] = row
        place[codes[row]] += 1
    return order


def means_by(values: Floats, starts: Integers) -> Floats:
    """Mean of sorted values by provider."""
    return np.asarray(np.add.reduceat(values, starts[:-1]) / np.diff(starts), dtype=np.float64)


def shares(codes: Integers, starts: Integers) -> Floats:
    """Σ_k (n_jk/n_j)² over the levels k of another factor among the rows of provider j."""
    size = np.diff(starts)
    provider = np.repeat(np.arange(len(size)), size)
    pair, count = _count_pairs(provider, codes)
    return np.asarray(
        np.bincount(pair[:, 0], weights=np.square(count / size[pair[:, 0]]), minlength=len(size)),
        dtype=np.float64,
    )


def parents(
    provider: Integers, outer: Integers, labels: npt.NDArray[np.generic], starts: Integers
) -> tuple[npt.NDArray[np.object_], Integers]:
    """Outer provider with most of each provider's rows (first label among equals), and their number."""
    pair, count = _count_pairs(provider, outer)
    order = np.lexsort((pair[:, 1], -count, pair[:, 0]))
    first = np.searchsorted(pair[:, 0], np.arange(len(starts) - 1))
    number = np.bincount(pair[:, 0], minlength=len(starts) - 1).astype(np.int64)
    return np.asarray(labels, dtype=object)[pair[order][first, 1]], number


def no_parents(count: int) -> tuple[npt.NDArray[np.object_], Integers]:
    """An outer provider has no parent."""
    return np.full(count, None, dtype=object), np.zeros(count, dtype=np.int64)


def _count_pairs(first: Integers, second: Integers) -> tuple[Integers, Integers]:
    width = int(second.max()) + 1
    keys, count = np.unique(first.astype(np.int64) * width + second, return_counts=True)
    return np.stack([keys // width, keys % width], axis=1), count.astype(np.int64)

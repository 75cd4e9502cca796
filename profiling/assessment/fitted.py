"""What an assessment needs of a fitted model, and nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.errors import ModelError, Problem

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@runtime_checkable
class FittedModel(Protocol):
    """A mixed model with random intercepts, as profiling.modeling returns it.

    `linear_predictor` (n,) is Xβ + offset without random effects; `outcome` (n,) as modelled;
    `level_codes(group)` (n,) points into `levels(group)` (J,), with which `mode(group)` and `mode_sd(group)`
    are aligned.
    """

    @property
    def groups(self) -> Sequence[str]:
        """Names of the grouping factors."""

    @property
    def family(self) -> Any:
        """Name of the family (or an object whose `name` it is)."""

    @property
    def link(self) -> Any:
        """Name of the link (or an object whose `name` it is)."""

    @property
    def linear_predictor(self) -> Floats:
        """Xβ + offset."""

    @property
    def outcome(self) -> Floats:
        """The outcome as modelled."""

    @property
    def variance_components(self) -> Mapping[str, pd.DataFrame]:
        """Covariance of the random effects by grouping factor."""

    @property
    def residual_sd(self) -> float | None:
        """Standard deviation of the residual, where the family has one."""

    def level_codes(self, group: str) -> npt.NDArray[Any]:
        """Index of each row's level."""

    def levels(self, group: str) -> npt.NDArray[Any]:
        """Labels, sorted."""

    def mode(self, group: str) -> Floats:
        """Conditional modes."""

    def mode_sd(self, group: str) -> Floats:
        """Their conditional standard deviations."""


def named(thing: Any) -> str:
    """Name of a family or link, given as text or as an object that bears it."""
    return str(getattr(thing, "name", thing)).lower()


def variance_of(fit: FittedModel, group: str) -> float:
    """Variance of the random intercept of a grouping factor; ModelError if it has other terms."""
    covariance = fit.variance_components[group]
    if covariance.shape != (1, 1):
        raise ModelError(
            Problem(
                f"grouping factor {group}",
                f"found {covariance.shape[0]} random terms",
                "a random intercept alone",
                "Profile a level whose random term is 1; slopes have no single ratio.",
            )
        )
    return float(covariance.to_numpy(dtype=np.float64)[0, 0])


def full_sd(fit: FittedModel, group: str) -> Floats:
    """Standard deviation of each effect with the parameters' uncertainty, where the fit has it."""
    conditional = np.asarray(fit.mode_sd(group), dtype=np.float64).reshape(-1)
    table = fit.random_effects(group) if hasattr(fit, "random_effects") else None
    if table is None or "sd_full" not in table or len(table) != len(conditional):
        return conditional
    position = pd.Index(table["level"]).get_indexer(pd.Index(fit.levels(group)))
    if (position < 0).any():
        return conditional
    full = table["sd_full"].to_numpy(dtype=np.float64)[position]
    return np.where(np.isfinite(full), full, conditional)

"""What a fit was made from, kept so that it can be fitted again, extended and questioned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from profiling.modeling.design import Design
from profiling.modeling.iterative import Iteration


@dataclass(frozen=True)
class ModelCall:
    """The choices with which a model was fitted; `weights`, `cluster_weights`, `offset` as they were given."""

    family: str
    link: str
    method: str = "laplace"
    points: int | Mapping[str, int] | None = None
    reml: bool = False
    weights: Any = field(default=None, repr=False)
    cluster_weights: Any = field(default=None, repr=False)
    offset: Any = field(default=None, repr=False)
    repeated: str | None = None
    iteration: Iteration | None = None


@dataclass(frozen=True)
class ModelSource:
    """The design that was fitted (X is held here once), the caller's frame by reference, and the choices made.

    A pickle carries the design but not the frame: a fit read back predicts, simulates and refits; only `update` asks
    for the data again.
    """

    design: Design
    data: pd.DataFrame | None
    call: ModelCall

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: everything but the frame."""
        return {**self.__dict__, "data": None}


def warm_point(design: Design, beta: np.ndarray, theta: np.ndarray, least: float = 0.03) -> np.ndarray:
    """Return the search's coordinates (scaled beta, psi) at raw `beta` and `theta`; zero terms start at `least`."""
    scaled = np.linalg.solve(design.scaling.to_raw, beta) if len(beta) else beta
    diagonal = design.form.diagonal
    psi = np.where(diagonal, np.log(np.maximum(np.abs(theta), least)), theta)
    return np.concatenate([scaled, psi])


def with_outcome(design: Design, y: np.ndarray) -> Design:
    """Return the design with another outcome (n, in the data's order); every other array is shared."""
    return replace(design, y=np.ascontiguousarray(np.asarray(y, dtype=float)[design.order]))

"""What every measured program shares: reading the data, timing fits, memory, one line of JSON as the answer.

Run by the peers' own Python, where the project is not installed: numpy and the standard library only. A program gives
`prepare(data, task)`, which returns `fit` (timed) and `describe` (not timed). Reading the data is not timed.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

SLOW = 30.0  # seconds above which a fit is not repeated


@dataclass(frozen=True)
class Data:
    """Outcome y (n), covariates x (n, p; column after column), codes of hospitals and physicians (n)."""

    y: np.ndarray
    x: np.ndarray
    hosp: np.ndarray
    phys: np.ndarray

    @property
    def names(self) -> list[str]:
        """Return the covariates' names."""
        return [f"x{j}" for j in range(self.x.shape[1])]

    @property
    def formula(self) -> str:
        """Return the fixed part of the formula."""
        return "y ~ " + " + ".join(self.names)


@dataclass(frozen=True)
class Answer:
    """What a fit found: log-likelihood (its own figure), coefficients (intercept first), standard deviations.

    `errors`: standard errors of the coefficients, where they are compared.
    """

    log_likelihood: float
    beta: list[float]
    sd: dict[str, float]
    note: str = ""
    errors: list[float] = field(default_factory=list)


Prepared = tuple[Callable[[], Any], Callable[[Any], Answer]]


def read(folder: Path, task: str) -> Data:
    """Read the plain files of `benchmarks.storage`; the task gee has no physicians."""
    shape = json.loads((folder / "shape.json").read_text(encoding="utf-8"))
    x = np.fromfile(folder / "x.f64", "<f8").reshape((shape["rows"], shape["covariates"]), order="F")
    names = ("hosp.i32",) if task == "gee" else ("hosp.i32", "phys.i32")
    hosp, phys = (*(np.fromfile(folder / name, "<i4").astype(np.int64) for name in names), np.zeros(0))[:2]
    return Data(np.fromfile(folder / "y.f64", "<f8"), x, hosp, phys)


def resident_bytes() -> int:
    """Return the memory the process holds now."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text(encoding="utf-8"))
    return int(found.group(1)) * 1024 if found else 0


def peak_bytes() -> int:
    """Return the most memory the process ever held (getrusage's ru_maxrss)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def run(prepare: Callable[[Data, str], Prepared]) -> None:
    """Measure one program: `argv` is the data's folder, the task (one, two or gee), the number of repeats."""
    folder, task, repeats = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    before = resident_bytes()
    data = read(folder, task)
    fit, describe = prepare(data, task)
    seconds: list[float] = []
    fitted = None
    for number in range(repeats + 1):
        fitted = None  # what the last fit holds is not part of the memory of the next
        begun = perf_counter()
        fitted = fit()
        seconds.append(perf_counter() - begun)
        # The first fit of a process loads libraries and compiled code; where that is a trifle it counts.
        if seconds[-1] > SLOW or (number == 0 and repeats == 0):
            break
    peak = peak_bytes() - before
    answer = describe(fitted)
    print(
        json.dumps(
            {
                "first_seconds": seconds[0],
                "seconds": seconds[1:] or seconds,
                "peak_bytes": peak,
                "log_likelihood": float(answer.log_likelihood),
                "beta": [float(value) for value in answer.beta],
                "sd": {name: float(value) for name, value in answer.sd.items()},
                "note": answer.note,
                "errors": [float(value) for value in answer.errors],
            }
        )
    )

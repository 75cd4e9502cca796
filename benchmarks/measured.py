"""Timing our own work in fresh processes: a small program is given as source, run with given caches and threads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.environment import ROOT, surroundings


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median seconds of some repeats."""
    taken = []
    for _ in range(repeats):
        begun = perf_counter()
        work()
        taken.append(perf_counter() - begun)
    return median(taken)


def in_process(
    module: str, arguments: list[str], threads: int, extra: Mapping[str, str] | None = None, limit: float | None = None
) -> dict[str, Any]:
    """Run `python -m module arguments` in a process of its own and return its last line, a JSON object."""
    command = [sys.executable, "-m", module, *arguments]
    environment = {**surroundings(threads), **(extra or {})}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=limit)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found

"""The programs compared, and running one of them in a process of its own with a limit on its time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environment import peers_python, r_with, surroundings

PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Program:
    """One program: its name in the table, its file, what else it is told, and whether it has random effects."""

    title: str
    file: str
    extra: str = ""
    mixed: bool = True

    @property
    def ours(self) -> bool:
        """Return whether this is the project itself."""
        return self.file in ("fit_profiling.py", "gee_profiling.py")

    @property
    def here(self) -> bool:
        """Return whether it can run here (R and its packages are not installed by the command)."""
        return not self.file.endswith(".R") or r_with(self.extra)

    def command(self, folder: Path, task: str, repeats: int) -> list[str]:
        """Return the command line."""
        python = sys.executable if self.ours else str(peers_python())
        start = "Rscript" if self.file.endswith(".R") else python
        return [start, str(PEERS / self.file), str(folder), task, str(repeats), *([self.extra] if self.extra else [])]


OURS = Program("profiling", "fit_profiling.py")
GLUM = Program("glum, no random effects", "fit_glum.py", mixed=False)
PROGRAMS = (
    GLUM,
    Program("statsmodels GLM, no random effects", "fit_statsmodels.py", mixed=False),
    OURS,
    Program("GPBoost, default stop", "fit_gpboost.py", "loose"),
    Program("GPBoost, stop at 1e-10", "fit_gpboost.py", "tight"),
    Program("mixedlm", "fit_mixedlm.py"),
    Program("glmmTMB", "fit_r.R", "glmmTMB"),
    Program("lme4 glmer", "fit_r.R", "lme4"),
)


@dataclass(frozen=True)
class Run:
    """What one program did: median seconds of `repeats` fits, peak memory, its answer; or why there is none."""

    program: Program
    seconds: float = float("nan")
    first_seconds: float = float("nan")
    repeats: int = 0
    peak_bytes: float = float("nan")
    log_likelihood: float = float("nan")
    beta: tuple[float, ...] = ()
    sd: tuple[tuple[str, float], ...] = ()
    note: str = ""
    errors: tuple[float, ...] = ()


def run_program(program: Program, folder: Path, task: str, repeats: int, limit: float, threads: int) -> Run:
    """Run one program on the data in `folder`; a time limit and a failure become a note."""
    if not program.here:
        return Run(program, note="not installed here")
    command = program.command(folder, task, repeats)
    try:
        done = subprocess.run(
            command, env=surroundings(threads), timeout=limit, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        return Run(program, note=f"over {limit:.0f} s")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Run(program, note=f"failed: {last[:120]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return Run(
        program,
        median(answer["seconds"]),
        answer["first_seconds"],
        len(answer["seconds"]),
        answer["peak_bytes"],
        answer["log_likelihood"],
        tuple(answer["beta"]),
        tuple(answer["sd"].items()),
        answer["note"],
        tuple(answer.get("errors", ())),
    )

"""Run all benchmarks and print one line each: what, its median seconds, and the limit if there is one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parents[1]


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median seconds of some repeats."""
    taken = []
    for _ in range(repeats):
        begun = perf_counter()
        work()
        taken.append(perf_counter() - begun)
    return median(taken)


def profiling(arguments: Sequence[str], folder: Path) -> None:
    """Run a command of the program in a folder; an error if it fails."""
    command = [sys.executable, "-m", "profiling", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def main() -> None:
    """Start-up of `--help`, then the generated records from files to pages, cold caches excluded."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [("profiling --help", seconds(lambda: profiling(["--help"], folder), 7), "under 0.3")]
        profiling(["init"], folder)
        rows.append(("draw 30,000 records", seconds(lambda: profiling(["sample", "--force"], folder), 3), ""))
        rows.append(("load them", seconds(lambda: profiling(["load"], folder), 1), ""))
        profiling(["fit"], folder)
        rows.append(("fit and assess two measures", seconds(lambda: profiling(["fit"], folder), 3), ""))
        rows.append(("draw the report", seconds(lambda: profiling(["report"], folder), 3), ""))
    for what, taken, limit in rows:
        print(f"{what:30} {taken:7.2f} s  {limit}")


main()

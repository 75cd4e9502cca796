"""The program's own commands: start-up of `--help`, then the generated records from files to pages."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.choices import Choices
from benchmarks.measured import seconds
from benchmarks.results import Part


def profiling(arguments: Sequence[str], folder: Path) -> None:
    """Run a command of the program in a folder; an error if it fails."""
    command = [sys.executable, "-m", "profiling", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def commands(choices: Choices) -> Part:
    """Time every command on the way from records to pages, cold caches excluded."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [("profiling --help", seconds(lambda: profiling(["--help"], folder), 7), "under 0.3")]
        profiling(["init"], folder)
        rows.append(("draw 30,000 records", seconds(lambda: profiling(["sample", "--force"], folder), 3), ""))
        rows.append(("load them", seconds(lambda: profiling(["load"], folder), 1), ""))
        profiling(["fit"], folder)
        rows.append(("fit and assess two measures", seconds(lambda: profiling(["fit"], folder), 3), ""))
        rows.append(("draw the report", seconds(lambda: profiling(["report"], folder), 3), ""))
    return Part(
        "commands",
        "Commands, from records to pages",
        ("command", "seconds", "aim"),
        [(what, f"{taken:.2f}", aim) for what, taken, aim in rows],
        position=8,
    )

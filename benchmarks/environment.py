"""The peers' own virtual environment, made on first use, and the threads everybody gets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".venv-bench"
LOCK = ROOT / "requirements" / "bench.txt"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")


def peers_python() -> Path:
    """Return the peers' interpreter, its environment made or renewed where the lock file is newer."""
    python = FOLDER / "bin" / "python"
    stamp = FOLDER / "made"
    if stamp.is_file() and stamp.stat().st_mtime >= LOCK.stat().st_mtime:
        return python
    print("Making the peers' environment ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*install, "--require-hashes", "-r", str(LOCK)], check=True)
    stamp.touch()
    return python


def r_with(package: str) -> bool:
    """Return whether R is here with the package."""
    if shutil.which("Rscript") is None:
        return False
    command = ["Rscript", "-e", f"quit(status = !requireNamespace('{package}', quietly = TRUE))"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def surroundings(threads: int) -> dict[str, str]:
    """Return the environment of a measured process: the same threads for everybody."""
    return {**os.environ, **dict.fromkeys(THREADS, str(threads)), "PYTHONPATH": str(ROOT)}

"""Hospitals, and hospitals with physicians: every program on the same admissions, its speed, memory and shortfall."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.admissions import SIZES, draw_admissions, published_admissions
from benchmarks.choices import Choices
from benchmarks.programs import GLUM, OURS, PROGRAMS, Program, Run, run_program
from benchmarks.results import Part
from benchmarks.storage import write_admissions
from benchmarks.yardstick import Yardstick

TASKS = {"one": "(1 | hospital)", "two": "(1 | hospital) + (1 | physician)"}
PUBLISHED = {
    (20_000, "one"): -7619.12706,
    (20_000, "two"): -7615.30334,
    (100_000, "one"): -43929.99946,
    (100_000, "two"): -43893.78616,
    (1_000_000, "one"): -344764.65480,
    (1_000_000, "two"): -344548.69151,
}
MEMORY_ROWS = 5_000_000  # from here on only this program and the plain regression run: the rest is measured below
SEED = 1


def compare(task: str, rows: int, choices: Choices) -> Part:
    """Run every program on one size and task."""
    size = SIZES[rows]
    shared = Path(os.environ.get("PROFILING_SHARED", "../shared"))
    published = published_admissions(size, shared) if rows < MEMORY_ROWS else None
    admissions = published or draw_admissions(size, SEED)
    programs = PROGRAMS if rows < MEMORY_ROWS else (GLUM, OURS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_admissions(admissions, folder)
        if rows >= MEMORY_ROWS:
            del admissions
        runs = []
        for program in programs:
            print(f"  {program.title} ...", end=" ", flush=True)
            runs.append(run_program(program, folder, task, choices.repeats, choices.limit, choices.threads))
            print(runs[-1].note if np.isnan(runs[-1].seconds) else f"{runs[-1].seconds:.2f} s", flush=True)
    measured: dict[Program, float] = {}
    if rows < MEMORY_ROWS:
        yardstick = Yardstick(admissions, task)
        measured = {
            run.program: yardstick.log_likelihood(run.beta, dict(run.sd))
            for run in runs
            if run.program.mixed and run.sd
        }
    remarks = _remarks(runs, measured, PUBLISHED.get((rows, task)) if published else None, size.rows, size.covariates)
    return Part(
        f"{task}-{rows:09d}",
        f"{rows:,} × {size.covariates}, {size.hospitals:,} hospitals"
        + (f" and {size.physicians:,} physicians" if task == "two" else "")
        + f": y ~ x… + {TASKS[task]}",
        ("software", "seconds", "× glum", "first fit, s", "memory, MB", "short by", "own figure off", "remark"),
        [_row(run, runs, measured) for run in runs],
        remarks,
        position=1 if task == "one" else 2,
    )


def _row(run: Run, runs: list[Run], measured: dict[Program, float]) -> tuple[str, ...]:
    if np.isnan(run.seconds):
        return (run.program.title, "", "", "", "", "", "", run.note)
    plain = next(other.seconds for other in runs if other.program is GLUM)
    value = measured.get(run.program, float("nan"))
    best = max(measured.values(), default=float("nan"))
    repeats = f"{run.repeats} repeats" if run.repeats > 1 else "one fit"
    return (
        run.program.title,
        f"{run.seconds:.2f}",
        f"{run.seconds / plain:.2f}",
        f"{run.first_seconds:.2f}",
        f"{run.peak_bytes / 1e6:,.0f}",
        "" if np.isnan(value) else _short(best - value),
        "" if np.isnan(value) else _short(abs(run.log_likelihood - value)),
        "; ".join(part for part in (repeats, run.note) if part),
    )


def _short(distance: float) -> str:
    return f"{distance:.1e}" if distance < 0.005 else f"{distance:.2f}"


def _remarks(
    runs: list[Run], measured: dict[Program, float], published: float | None, rows: int, covariates: int
) -> tuple[str, ...]:
    found = []
    if measured:
        found.append(f"Best log-likelihood found: {max(measured.values()):.5f}.")
    if published is not None and OURS in measured:
        found.append(
            f"Published maximum of these data: {published:.5f}; ours {measured[OURS] - published:+.1e} from it."
        )
    ours = next(run for run in runs if run.program is OURS)
    design = rows * (covariates + 1) * 8
    if not np.isnan(ours.seconds):
        found.append(
            f"The design ({covariates} columns, intercept, float64) is {design / 1e6:,.0f} MB; profiling: memory "
            f"{ours.peak_bytes / design:.2f} times that, {1e6 * ours.seconds / rows:.2f} microseconds a row."
        )
    return tuple(found)

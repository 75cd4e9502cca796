"""Estimating equations with exchangeable clusters: this project, statsmodels and geepack on the same admissions."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.admissions import Size, draw_clusters
from benchmarks.choices import Choices
from benchmarks.programs import Program, Run, run_program
from benchmarks.results import Part
from benchmarks.storage import write_admissions

COVARIATES = 20
ROWS_A_CLUSTER = 200
SEED = 3
TIMES = ("seconds", "× profiling", "first fit, s")
OURS = Program("profiling", "gee_profiling.py")
PROGRAMS = (
    OURS,
    Program("statsmodels GEE", "gee_statsmodels.py"),
    Program("geepack geeglm", "gee_geepack.R", "geepack"),
)


def marginal(rows: int, choices: Choices) -> Part:
    """Run every program on clusters of about 200 admissions, 20 covariates."""
    size = Size(rows, COVARIATES, rows // ROWS_A_CLUSTER, 1)
    with tempfile.TemporaryDirectory() as name:
        write_admissions(draw_clusters(size, SEED), Path(name))
        runs = []
        for program in PROGRAMS:
            print(f"  {program.title} ...", end=" ", flush=True)
            runs.append(run_program(program, Path(name), "gee", choices.repeats, choices.limit, choices.threads))
            print(runs[-1].note if np.isnan(runs[-1].seconds) else f"{runs[-1].seconds:.2f} s", flush=True)
    design = rows * (COVARIATES + 1) * 8
    return Part(
        f"gee-{rows:09d}",
        f"Estimating equations, {rows:,} × {COVARIATES}, {size.hospitals:,} clusters, exchangeable, logistic",
        ("software", *TIMES, "memory, MB", "× design", "correlation", "off", "remark"),
        [_row(run, runs[0], design) for run in runs],
        (
            f"The design ({COVARIATES} columns, intercept, float64) is {design / 1e6:,.0f} MB; three covariates in ten "
            "are normal, the others 0/1. Robust standard errors included.",
            "Off: the largest difference of a coefficient from ours, in standard errors, at the program's own stop "
            "and its own definition of the correlation. Aims: 20 times as fast as statsmodels, memory of 2 designs.",
        ),
        position=5,
    )


def _row(run: Run, ours: Run, design: int) -> tuple[str, ...]:
    if np.isnan(run.seconds):
        return (run.program.title, "", "", "", "", "", "", "", run.note)
    off = np.abs(np.subtract(run.beta, ours.beta)) / ours.errors if ours.errors else np.array([np.nan])
    repeats = f"{run.repeats} repeats" if run.repeats > 1 else "one fit"
    return (
        run.program.title,
        f"{run.seconds:.3f}",
        f"{run.seconds / ours.seconds:.1f}",
        f"{run.first_seconds:.2f}",
        f"{run.peak_bytes / 1e6:,.0f}",
        f"{run.peak_bytes / design:.2f}",
        f"{dict(run.sd)['correlation']:.5f}",
        "" if run is ours else f"{off.max():.1e}",
        "; ".join(part for part in (repeats, run.note) if part),
    )

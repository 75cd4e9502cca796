"""A run: load -> cohort -> fit -> assess -> publish, each stage timed."""

from profiling.pipeline.clock import Clock, Progress, silent
from profiling.pipeline.stages import Published, fit_measures, load_records, publish_run, run_all

__all__ = [
    "Clock",
    "Progress",
    "Published",
    "fit_measures",
    "load_records",
    "publish_run",
    "run_all",
    "silent",
]

"""Everything that is said of 500,000 physicians, from a fitted model of 20,000,000 patients to a row each.

The model is fitted in the same process, then assessed as the pipeline does it: the posterior integrated over effect,
coefficients and variance, exact tests of counts, flags, reliability, expected ranks, rank intervals from draws.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.choices import Choices
from benchmarks.measured import in_process
from benchmarks.results import Part

SIZES = {False: (500_000, 20_000_000), True: (6_000, 120_000)}
WARM = (6_000, 60_000)
CHECKED = 5_000
AIMS = {
    "seconds on the clock, after the fit": "60",
    "memory that the assessment adds": "4 GB",
    "expected ranks off by": "1e-4 n",
}
PARTS = {
    "rows sorted, expected numbers": ("rows_of_fit",),
    "posterior of effects over the parameters": ("grid_of", "effect_mixture"),
    "ratios and their intervals": ("posterior_of", "_ratios"),
    "exact tests": ("compare_with_norm",),
    "flags": ("evidence_of", "judged", "expected_false"),
    "expected ranks": ("expected_ranks_on_grid",),
    "rank intervals": ("_drawn_positions", "_summaries"),
    "funnel": ("funnel_limits",),
}


def providers(choices: Choices) -> Part:
    """Fit, assess in a process of its own, and report its parts."""
    physicians, rows = SIZES[choices.quick]
    found = in_process("benchmarks.providers", [str(physicians), str(rows)], choices.threads)
    lines = [(what, value, AIMS.get(what, "")) for what, value in table_of(found)]
    return Part(
        "providers",
        f"{physicians:,} physicians with {rows:,} patients behind them, {choices.threads} threads",
        ("what", "found", "aim"),
        lines,
        (
            "Logistic regression with a random intercept a physician; processor seconds of a part are those of all "
            "threads. Kernels are compiled before, on few physicians. Memory before the assessment: the data, and what "
            "the fit keeps; added: the most the process held during the assessment beyond that. 1,000 draws behind the "
            "rank intervals.",
        ),
        position=10,
    )


def table_of(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What was found, in words."""
    return [
        ("the fit, processor seconds", f"{found['fit_processor']:.1f}"),
        ("seconds on the clock, after the fit", f"{found['seconds']:.1f}"),
        ("processor seconds, after the fit", f"{found['processor']:.1f}"),
        *((f"of these: {part}", f"{seconds:.1f}") for part, seconds in found["parts"].items()),
        ("memory before the assessment", f"{found['held'] / 1e9:.2f} GB"),
        ("memory that the assessment adds", f"{(found['peak'] - found['held']) / 1e9:.2f} GB"),
        ("expected ranks off by", f"{found['rank_error']:.1e} n at {CHECKED:,} providers, all pairs"),
        ("compiling or loading kernels, processor seconds", f"{found['compiling']:.1f}"),
    ]


def main(physicians: int, rows: int) -> dict[str, Any]:
    """Draw, fit and assess in this process."""
    import cProfile
    import gc
    import pstats
    from pathlib import Path
    from time import perf_counter, process_time

    from profiling.assessment import ProfileOptions, assess, funnel_limits

    begun = process_time()
    funnel_limits(assess(_fit(*WARM), "physician", ProfileOptions()), "physician")
    compiling = process_time() - begun
    frame = _admissions(physicians, rows)
    begun = process_time()
    fit = _fitted(frame)
    fit_processor = process_time() - begun
    gc.collect()
    held = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    profile = cProfile.Profile(process_time)
    clock, begun = perf_counter(), process_time()
    profile.enable()
    funnel_limits(assess(fit, "physician", ProfileOptions()), "physician")
    profile.disable()
    seconds, processor = perf_counter() - clock, process_time() - begun
    spent: dict[str, float] = {}
    for (_, _, name), figures in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        spent[name] = spent.get(name, 0.0) + figures[3]
    return {
        "fit_processor": fit_processor,
        "seconds": seconds,
        "processor": processor,
        "parts": {part: sum(spent.get(name, 0.0) for name in names) for part, names in PARTS.items()},
        "held": held,
        "peak": _memory("VmHWM"),
        "rank_error": rank_error(CHECKED),
        "compiling": compiling,
    }


def _memory(name: str) -> int:
    """Return a figure of this process's memory in bytes, by its name in /proc/self/status."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name))


def rank_error(count: int) -> float:
    """The largest error of an expected rank on the grid against all pairs, as a share of the providers."""
    import numpy as np

    from profiling.assessment.rank_grid import expected_ranks_on_grid
    from profiling.assessment.ranks import expected_ranks

    random = np.random.default_rng(3)
    effect, variance = random.normal(0, 0.15, count), random.uniform(0.05, 0.25, count) ** 2
    return float(np.abs(expected_ranks_on_grid(effect, variance) - expected_ranks(effect, variance)).max() / count)


def _fit(physicians: int, rows: int) -> Any:
    return _fitted(_admissions(physicians, rows))


def _fitted(frame: Any) -> Any:
    from profiling.modeling import glmm

    return glmm("y ~ x + (1 | physician)", frame)


def _admissions(physicians: int, rows: int) -> Any:
    """Patients of physicians with log-normal volumes, each with one at least; a risk of some 12 %."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(1)
    volume = random.lognormal(0, 0.8, physicians)
    rest = random.choice(physicians, rows - physicians, p=volume / volume.sum())
    physician = np.concatenate([np.arange(physicians), rest]).astype(np.int32)
    x = random.standard_normal(rows)
    eta = -2 + 0.5 * x + random.normal(0, 0.25, physicians)[physician]
    y = (random.random(rows) < 1 / (1 + np.exp(-eta))).astype(float)
    return pd.DataFrame({"physician": physician, "x": x, "y": y})


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:3]))))

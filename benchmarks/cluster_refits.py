"""Warm refits with other multiplicities of hospitals: the price of the resampling that intervals of P/E take."""

from __future__ import annotations

import json
import sys
from time import perf_counter

from benchmarks.admissions import SIZES, draw_admissions
from benchmarks.choices import Choices
from benchmarks.measured import in_process, seconds
from benchmarks.results import Part

REFITS = 200


def cluster_refits(rows: int, choices: Choices) -> Part:
    """Time one cold fit and `REFITS` warm ones to resampled hospitals, effects and their variances included."""
    refits = 20 if choices.quick else REFITS
    found = in_process("benchmarks.cluster_refits", [str(rows), str(refits), str(choices.repeats)], choices.threads)
    scaled = found["warm_seconds"] / found["cold_seconds"]
    return Part(
        f"refits-{rows:09d}",
        f"{refits} cluster-weight refits of {rows:,} × {SIZES[rows].covariates}, hospitals",
        (
            "cold fit, s",
            f"{refits} warm refits, s",
            "refits in cold fits",
            "one refit, cold fits",
            "largest difference",
        ),
        [
            (
                f"{found['cold_seconds']:.3f}",
                f"{found['warm_seconds']:.2f}",
                f"{scaled:.1f}",
                f"{scaled / refits:.3f}",
                f"{found['difference']:.1e}",
            )
        ],
        (
            "Aim: 200 refits in 60 cold fits (0.3 a refit). The difference is that of estimates, in standard errors, "
            "between warm and cold fits of the first three resamples.",
        ),
        position=6,
    )


def main(rows: int, refits: int, repeats: int) -> dict[str, float]:
    """Draw, fit, resample hospitals and refit in this process."""
    import numpy as np
    import pandas as pd

    from profiling.modeling import glmm
    from profiling.modeling.resampling import Resampler

    size = SIZES[rows]
    drawn = draw_admissions(size, 1)
    names = [f"x{j}" for j in range(size.covariates)]
    frame = pd.DataFrame(drawn.x, columns=names, copy=False).assign(y=drawn.y, hosp=drawn.hospital)
    formula = f"y ~ {' + '.join(names)} + (1 | hosp)"
    full = glmm(formula, frame)
    cold = seconds(lambda: glmm(formula, frame), max(repeats, 3))
    levels = len(full.levels("hosp"))
    random = np.random.default_rng(2)
    weights = [random.multinomial(levels, np.full(levels, 1 / levels)).astype(float) for _ in range(refits)]
    Resampler(full).refit(weights[0])
    begun = perf_counter()
    resampler = Resampler(full)
    refitted = [resampler.refit(one) for one in weights]
    warm = perf_counter() - begun
    difference = 0.0
    for one, fit in zip(weights[:3], refitted[:3], strict=True):
        again = glmm(formula, frame, cluster_weights=one)
        moved = (again.fixed_effects - fit.fixed_effects).abs() / again.standard_errors
        difference = max(difference, float(moved.max()))
    return {"cold_seconds": cold, "warm_seconds": warm, "difference": difference}


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:4]))))

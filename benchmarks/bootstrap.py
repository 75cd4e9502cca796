"""The bootstrap of CMS: 1,000 resamples of 1,000 hospitals with 100,000 admissions and 20 covariates, each fitted."""

from __future__ import annotations

import json
import sys

from benchmarks.admissions import Size
from benchmarks.choices import Choices
from benchmarks.measured import in_process
from benchmarks.results import Part

FULL, QUICK = (Size(100_000, 20, 1_000, 1), 1_000), (Size(10_000, 5, 100, 1), 100)


def bootstrap(choices: Choices) -> Part:
    """Time the fit and the bootstrap, its resamples shared out to as many processes as there are threads."""
    size, resamples = QUICK if choices.quick else FULL
    found = in_process("benchmarks.bootstrap", [str(int(choices.quick)), str(choices.threads)], 1)
    return Part(
        "bootstrap",
        f"CMS bootstrap, {resamples:,} resamples of {size.rows:,} × {size.covariates}, {size.hospitals:,} hospitals",
        (
            "processes",
            "fit, s",
            "bootstrap, s",
            "processor seconds",
            "a resample, processor s",
            "did not arrive",
            "aim",
        ),
        [
            (
                str(choices.threads),
                f"{found['fit']:.2f}",
                f"{found['seconds']:.1f}",
                f"{found['processor']:.1f}",
                f"{found['processor'] / resamples:.3f}",
                f"{found['failed']:.0f}",
                "300 s",
            )
        ],
        ("The start of the processes and the kernels they load are in it.",),
        position=7,
    )


def main(quick: bool, workers: int) -> dict[str, float]:
    """Draw, fit and resample."""
    import os
    from time import perf_counter

    import pandas as pd

    from benchmarks.admissions import draw_clusters
    from profiling.assessment import cms_bootstrap
    from profiling.modeling import glmm

    size, resamples = QUICK if quick else FULL
    drawn = draw_clusters(size, 1)
    names = [f"x{j}" for j in range(size.covariates)]
    frame = pd.DataFrame(drawn.x, columns=names, copy=False).assign(y=drawn.y, hosp=drawn.hospital)
    formula = f"y ~ {' + '.join(names)} + (1 | hosp)"
    glmm(formula, frame)
    clock = perf_counter()
    fit = glmm(formula, frame)
    fitted = perf_counter()
    before = os.times()
    found = cms_bootstrap(fit, "hosp", resamples, seed=1, workers=workers)
    after = os.times()
    spent = sum(after[:4]) - sum(before[:4])
    return {
        "fit": fitted - clock,
        "seconds": perf_counter() - fitted,
        "processor": spent,
        "failed": float(found.failed),
    }


if __name__ == "__main__":
    print(json.dumps(main(bool(int(sys.argv[1])), int(sys.argv[2]))))

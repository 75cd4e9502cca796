"""One fit of a drawn data set in this process: `python -m benchmarks.one_fit KIND ROWS COLUMNS LEVELS REPEATS`.

KIND: one (hospitals), two (hospitals and physicians; LEVELS counts physicians, a tenth as many hospitals, at
most 5,000). Prints
seconds of importing, of the first fit and of the repeats (median), and the peak memory less that before the data.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter

BEGUN = perf_counter()

import pandas as pd

from benchmarks.admissions import Size, draw_admissions
from benchmarks.measured import seconds
from benchmarks.peers.harness import peak_bytes, resident_bytes
from profiling.modeling import glmm

MOST_HOSPITALS = 5_000


def main(kind: str, rows: int, columns: int, levels: int, repeats: int) -> dict[str, float | bool]:
    """Draw, fit and measure."""
    imported = perf_counter() - BEGUN
    before = resident_bytes()
    size = Size(rows, columns, levels if kind == "one" else min(max(levels // 10, 2), MOST_HOSPITALS), max(levels, 2))
    drawn = draw_admissions(size, 2)
    frame = pd.DataFrame(drawn.x, columns=[f"x{j}" for j in range(columns)], copy=False)
    frame["y"], frame["hosp"], frame["phys"] = drawn.y, drawn.hospital, drawn.physician
    names = " + ".join(f"x{j}" for j in range(columns)) or "1"
    formula = f"y ~ {names} + (1 | hosp)" + (" + (1 | phys)" if kind == "two" else "")
    begun = perf_counter()
    found = glmm(formula, frame)
    first = perf_counter() - begun
    again = seconds(lambda: glmm(formula, frame), repeats) if repeats else first
    return {
        "import_seconds": imported,
        "first_seconds": first,
        "seconds": again,
        "peak_bytes": peak_bytes() - before,
        "converged": found.converged,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], *map(int, sys.argv[2:6]))))

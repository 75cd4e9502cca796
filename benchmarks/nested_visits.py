"""Visits in patients in physicians in clinics by converged recursive quadrature."""

from __future__ import annotations

import json
import sys
from time import perf_counter

from benchmarks.choices import Choices
from benchmarks.measured import in_process
from benchmarks.results import Part
from benchmarks.visits import FORMULA, SD, draw_visits

SEED = 1
LIMIT = 3_600.0


def nested_visits(rows: int, choices: Choices) -> Part:
    """Fit by Laplace and by quadrature in a process of its own."""
    found = in_process("benchmarks.nested_visits", [str(rows)], choices.threads, limit=LIMIT)
    table = [
        (
            title,
            f"{found[key]['seconds']:.1f}",
            *(f"{found[key]['sd'][group]:.3f}" for group in SD),
            f"{found[key]['log_likelihood']:.2f}",
            "yes" if found[key]["converged"] else "**no**",
        )
        for key, title in (("laplace", "Laplace"), ("agq", "recursive quadrature"))
    ]
    truth = ("truth", "", *(f"{sd:g}" for sd in SD.values()), "", "")
    return Part(
        f"nested-{rows:09d}",
        f"{rows:,} visits in {found['patients']:,} patients in {found['physicians']:,} physicians in "
        f"{found['clinics']:,} clinics, binary, three covariates",
        ("method", "seconds", *(f"sd {group}" for group in SD), "log-likelihood", "converged"),
        [*table, truth],
        (*found["agq"]["notes"], f"Memory, both fits: {found['peak_bytes'] / 1e6:,.0f} MB."),
        position=3,
    )


def main(rows: int) -> dict[str, object]:
    """Draw and fit in this process; small data first, so that what is timed is compiled."""
    from benchmarks.peers.harness import peak_bytes, resident_bytes
    from profiling.modeling import glmm

    small = draw_visits(2_000, SEED)
    for method in ("laplace", "agq"):
        glmm(FORMULA, small, method=method, points=3 if method == "agq" else None)
    before = resident_bytes()
    frame = draw_visits(rows, SEED)
    answer: dict[str, object] = {f"{name}s": int(frame[name].nunique()) for name in ("patient", "physician", "clinic")}
    for method in ("laplace", "agq"):
        begun = perf_counter()
        fit = glmm(FORMULA, frame, method=method)
        answer[method] = {
            "seconds": perf_counter() - begun,
            "sd": {name: fit.variance(name) ** 0.5 for name in SD},
            "log_likelihood": fit.log_likelihood,
            "converged": fit.converged and not any("not converged" in note.message for note in fit.diagnostics),
            "notes": [note.message for note in fit.diagnostics if note.code == "quadrature"],
        }
    return answer | {"peak_bytes": peak_bytes() - before}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))

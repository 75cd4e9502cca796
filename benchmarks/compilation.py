"""What the first call costs: with nothing compiled, and in later processes."""

from __future__ import annotations

import tempfile

from benchmarks.choices import Choices
from benchmarks.measured import in_process
from benchmarks.results import Part


def compilation(choices: Choices) -> Part:
    """Fit 20,000 rows in fresh processes: an empty cache of compiled code, then the cache it left."""
    rows = []
    for kind, title in (("one", "hospitals"), ("two", "hospitals and physicians")):
        with tempfile.TemporaryDirectory() as folder:
            arguments, cache = [kind, "20000", "10", "200", "3"], {"NUMBA_CACHE_DIR": folder}
            cold, later = (in_process("benchmarks.one_fit", arguments, choices.threads, cache) for _ in range(2))
        rows.append(
            (
                title,
                f"{cold['first_seconds'] - cold['seconds']:.1f}",
                f"{later['first_seconds'] - later['seconds']:.2f}",
                f"{later['import_seconds']:.2f}",
                f"{later['seconds']:.3f}",
            )
        )
    return Part(
        "compilation",
        "What the first call of a process costs",
        ("model", "empty cache: compiling, s", "later processes: loading, s", "importing, s", "a fit then, s"),
        rows,
        ("Aims: under 15 s with an empty cache (in a folder of its own), under 1 s in later processes.",),
        position=5,
    )

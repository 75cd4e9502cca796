"""What compiled kernels need before numba starts.

Threads that wait must sleep: spinning ones take the cores from whoever else works on the machine (fits took 20 times
as long beside another job). And numba forgets a cached kernel when its own file changes, not when a file whose
functions it calls does: kernels compiled from older sources of such files are forgotten here.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

# Files whose compiled functions are called from kernels in other files; a test finds any that is missing here.
CALLED_FROM_ELSEWHERE = (
    "assessment/fixed_effects.py",
    "assessment/monitoring.py",
    "assessment/poisson_binomial.py",
    "assessment/posterior.py",
    "assessment/rows.py",
    "assessment/standardization.py",
    "assessment/tilting.py",
    "modeling/elimination.py",
    "modeling/elimination_large.py",
    "modeling/elimination_order.py",
    "modeling/families.py",
    "modeling/gee/adjusted.py",
    "modeling/gee/autoregressive.py",
    "modeling/gee/exchange.py",
    "modeling/gee/factored.py",
    "modeling/gee/rows.py",
    "modeling/inner_integral.py",
    "modeling/iterative_solve.py",
    "modeling/product_rule.py",
    "modeling/smoothing.py",
    "modeling/sparse_columns.py",
    "modeling/tiles.py",
)
_HOME = Path(__file__).parent


def prepare() -> None:
    """Let waiting threads sleep, and forget kernels that older sources were compiled into."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    digest = hashlib.sha256()
    for name in CALLED_FROM_ELSEWHERE:
        digest.update((_HOME / name).read_bytes())
    stamp = _HOME / "__pycache__" / "kernels.sha256"
    # An installation that cannot be written to has no caches beside its sources either.
    with suppress(OSError):
        if not stamp.exists() or stamp.read_text() != digest.hexdigest():
            for room in ("modeling", "modeling/gee", "assessment"):
                for kept in (_HOME / room / "__pycache__").glob("*.nb[ic]"):
                    kept.unlink(missing_ok=True)
            stamp.parent.mkdir(exist_ok=True)
            stamp.write_text(digest.hexdigest())

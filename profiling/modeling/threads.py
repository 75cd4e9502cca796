"""How many threads work: BLAS always one (our tiles bring the threads), small problems one altogether.

Waking threads costs more than a few thousand rows do, and far more on a machine with other work; the tiling is fixed,
so the bits are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numba as nb
from threadpoolctl import threadpool_limits

SMALL_ROWS = 20_000


@contextmanager
def threads_for(rows: int) -> Iterator[None]:
    """Run the body with one BLAS thread, and with one thread of ours where there are few rows."""
    before = nb.get_num_threads()
    with threadpool_limits(limits=1, user_api="blas"):
        try:
            if rows < SMALL_ROWS:
                nb.set_num_threads(1)
            yield
        finally:
            nb.set_num_threads(before)

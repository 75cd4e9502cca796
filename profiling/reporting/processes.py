"""Work on files shared out to processes that begin with all that is in memory, where the system can fork."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import TypeVar

from profiling.errors import InternalError, Problem

Share = TypeVar("Share")


def in_processes(work: Callable[[Share], None], shares: Sequence[Share]) -> None:
    """Call `work` with each share, the first here and every other in a process of its own.

    The processes see the memory of this one and give nothing back: `work` writes files. InternalError if one fails.
    """
    if len(shares) < 2 or "fork" not in multiprocessing.get_all_start_methods():
        for share in shares:
            work(share)
        return
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=work, args=(share,)) for share in shares[1:]]
    for process in started:
        process.start()
    try:
        work(shares[0])
    finally:
        for process in started:
            process.join()
    failed = [process.exitcode for process in started if process.exitcode]
    if failed:
        raise InternalError(Problem("pages", f"{len(failed)} processes that write them failed", "none"))

"""What the command line chooses for every part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Choices:
    """Rows of the parts that come in sizes, repeats, the limit of one program in seconds, and threads."""

    rows: tuple[int, ...]
    repeats: int
    limit: float
    threads: int
    quick: bool = False

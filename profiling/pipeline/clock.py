"""What accompanies a run: the seconds of its stages and the report of its progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol


class Progress(Protocol):
    """Told what is being done, and of how many parts how many are ready (0 of 0 where nobody can know)."""

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """Take note of a step."""


def silent(step: str, done: int = 0, total: int = 0) -> None:
    """Progress that nobody hears."""


@dataclass
class Clock:
    """Seconds spent in each stage, in the order in which the stages first began."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, adding to what it has taken before."""
        begun = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - begun

"""What a command says and how: lines for people, a bar on a terminal, one JSON document for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click


@dataclass
class Console:
    """The voice of one command: `as_json` gives one document, `quiet` nothing but errors.

    `log_folder` is where the report of an unexpected fault goes; it follows the database once that is known.
    """

    as_json: bool = False
    quiet: bool = False
    log_folder: Path = field(default_factory=lambda: Path("var"))

    def say(self, text: str = "") -> None:
        """One line for people."""
        if not (self.as_json or self.quiet):
            click.echo(text)

    def answer(self, document: Mapping[str, Any], lines: Sequence[str]) -> None:
        """The result of a command: the document for machines, or the lines for people."""
        if self.as_json:
            click.echo(json.dumps(document, indent=2, default=str, ensure_ascii=False))
            return
        for line in lines:
            self.say(line)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Progress: a bar on a terminal, a line a step elsewhere, nothing when quiet or for machines."""
        if self.as_json or self.quiet:
            yield Progress()
        elif sys.stderr.isatty():
            with _bar() as bar:
                yield bar
        else:
            yield Lines()


class Progress:
    """Silent progress; `profiling.pipeline` calls it with what is being done and how far it is."""

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """Take note of a step, of which `done` parts out of `total` are ready."""


class Lines(Progress):
    """Progress as one plain line when a step begins."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """Print the step once."""
        if step != self._last:
            self._last = step
            click.echo(step[:1].upper() + step[1:], err=True)


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=RichConsole(stderr=True), transient=True) as rich:
        task = rich.add_task("", total=None)

        class Bar(Progress):
            def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
                rich.update(task, description=step, completed=done, total=total or None)

        yield Bar()


def table(rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> list[str]:
    """Rows as aligned lines; columns in `right` are numbers and stand to the right."""
    words = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in words) for column in range(len(words[0]))] if words else []
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in words
    ]

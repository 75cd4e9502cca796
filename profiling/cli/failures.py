"""How a command ends: errors on standard error, one line each, with their exit code and never a traceback."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb

import click

from profiling.cli.console import Console
from profiling.errors import ProfilingError

INTERRUPTED = 130
INTERNAL = 70
USAGE = 2


def end_of_known(error: ProfilingError, console: Console) -> int:
    """Print what is wrong; the exit code says of which kind it is."""
    problems = [
        {"where": p.where, "found": p.found, "expected": p.expected, "advice": p.advice} for p in error.problems
    ]
    if console.as_json:
        _json({"kind": type(error).__name__, "exit_code": error.exit_code, "problems": problems})
    else:
        for problem in error.problems:
            click.echo(f"Error: {problem}", err=True)
    return error.exit_code


def end_of_usage(error: click.ClickException, console: Console) -> int:
    """Print a misuse of the command line."""
    if console.as_json:
        problem = {"where": "command line", "found": error.format_message(), "expected": "", "advice": ""}
        _json({"kind": "UsageError", "exit_code": USAGE, "problems": [problem]})
    else:
        error.show()
    return USAGE


def end_of_interrupt(console: Console) -> int:
    """Print that the command was stopped."""
    if console.as_json:
        _json({"kind": "Interrupted", "exit_code": INTERRUPTED, "problems": []})
    else:
        click.echo("Interrupted: what was not finished has been undone, nothing was published.", err=True)
    return INTERRUPTED


def end_of_unknown(error: BaseException, console: Console) -> int:
    """Print one line that names a log file, which holds the way to the fault but no value of any record."""
    log = _write_log(error, console.log_folder)
    found = f"an internal fault ({type(error).__name__})"
    if console.as_json:
        problem = {"where": "profiling", "found": found, "expected": "", "advice": f"See {log}"}
        _json({"kind": "InternalError", "exit_code": INTERNAL, "problems": [problem]})
    else:
        click.echo(f"Error: profiling met {found}; nothing was published. Where it happened is in {log}", err=True)
    return INTERNAL


def end_of_pipe() -> int:
    """The reader of our output went away (`profiling runs | head`): stay silent."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _json(error: dict[str, object]) -> None:
    click.echo(json.dumps({"error": error}, indent=2, ensure_ascii=False), err=True)


def _write_log(error: BaseException, folder: Path) -> Path:
    now = datetime.now(UTC)
    name, text = (
        f"fault-{now:%Y%m%dT%H%M%S}.log",
        "\n".join([f"{now:%Y-%m-%d %H:%M:%S} UTC", *_frames(error)]),
    )
    for place in (folder, Path(tempfile.gettempdir())):
        try:
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text + "\n", encoding="utf-8")
        except OSError:
            continue
        return place / name
    return Path(os.devnull)


def _frames(error: BaseException | None) -> Iterator[str]:
    # Messages of foreign exceptions may quote a record, so only their types and places are written down.
    while error is not None:
        yield f"{type(error).__module__}.{type(error).__qualname__}"
        yield from (f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in extract_tb(error.__traceback__))
        error = error.__cause__ or error.__context__

"""Results of parts, kept in one file so that parts can be run one by one, and the page made from all of them."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

INTRODUCTION = """# Speed and memory

Written by `make bench` (`python -m benchmarks`); not to be edited. Each part says when and where it ran.

- **Seconds**: median of the repeats, from unsorted arrays in memory to estimates with standard errors (glum gives
  none), each program in a process of its own, one after the other, with the same number of threads. Reading the data is
  not timed, nor is the first fit of a process (it loads libraries and compiled code) unless one fit takes over 30 s.
- **Memory**: the most the process ever held (`ru_maxrss`) less what it held before the data were read; the data in
  memory are part of it.
- **Short by**: how far the Laplace log-likelihood at the program's estimates lies below the best one found, by one
  yardstick for all; **own figure off** is how far the log-likelihood the program itself reports lies from that."""


@dataclass(frozen=True)
class Part:
    """One part's outcome: its name (parts of one name replace each other), title, columns, rows and remarks."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    remarks: tuple[str, ...] = ()
    picture: str = ""
    position: int = 0
    machine: str = field(default_factory=lambda: machine())


def machine() -> str:
    """Return date, processor, cores in use and memory."""
    processor, memory = platform.processor() or platform.machine(), ""
    info, total = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    if info.is_file():
        found = re.search(r"model name\s*:\s*(.+)", info.read_text(encoding="utf-8"))
        processor = found.group(1).strip() if found else processor
    if total.is_file():
        found = re.search(r"MemTotal:\s+(\d+)", total.read_text(encoding="utf-8"))
        memory = f", {int(found.group(1)) / 2**20:.0f} GB" if found else ""
    return f"{date.today().isoformat()}, {processor}{memory}, Python {platform.python_version()}"


def keep(part: Part, folder: Path) -> None:
    """Keep a part in `folder`/benchmarks.json in the place of its last run and write `folder`/benchmarks.md anew."""
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "benchmarks.json"
    kept = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    kept[part.name] = asdict(part)
    store.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    ordered = sorted(kept.values(), key=lambda one: (one["position"], one["name"]))
    page = "\n".join([INTRODUCTION, *(_section(one) for one in ordered)])
    (folder / "benchmarks.md").write_text(page + "\n", encoding="utf-8")


def text_table(part: Part) -> str:
    """Return the part for a terminal."""
    rows = [part.columns, *part.rows]
    widths = [max(len(row[j]) for row in rows) for j in range(len(part.columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([part.title, *lines, *part.remarks])


def _section(part: dict[str, object]) -> str:
    columns, rows, remarks = part["columns"], part["rows"], part["remarks"]
    assert isinstance(columns, list | tuple)
    assert isinstance(rows, list)
    assert isinstance(remarks, list | tuple)
    lines = ["", f"## {part['title']}", "", f"_{part['machine']}_", ""]
    lines += [_row(columns), "|" + "---|" * len(columns), *(_row(row) for row in rows)]
    lines += ["", *remarks] if remarks else []
    lines += ["", f"![{part['title']}]({part['picture']})"] if part["picture"] else []
    return "\n".join(lines)


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"

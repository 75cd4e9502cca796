"""Measure speed and memory: `python -m benchmarks [parts] [--rows N ...] [--repeats 5] [--quick]` (`make bench`)."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.admissions import SIZES
from benchmarks.choices import Choices
from benchmarks.environment import ROOT
from benchmarks.results import Part, keep, text_table

ALL_SIZES = (20_000, 100_000, 1_000_000)
PARTS = ("commands", "compilation", "one", "two", "nested", "linear", "gee", "refits", "growth", "site")
PARTS += ("bootstrap", "providers")
BIG = 10_000_000


def parts(names: list[str], choices: Choices, folder: Path) -> Iterator[tuple[str, Callable[[], Part]]]:
    """Yield what runs, by name; a part's modules are loaded when its turn comes."""
    from benchmarks import cluster_refits, commands, comparison, compilation, growth, lecturers, marginal, nested_visits
    from benchmarks.bootstrap import bootstrap
    from benchmarks.providers import providers
    from benchmarks.site_scale import site

    single: dict[str, Callable[[], Part]] = {
        "commands": partial(commands.commands, choices),
        "compilation": partial(compilation.compilation, choices),
        "linear": partial(lecturers.lecturers, choices),
        "growth": partial(growth.growth, choices, folder),
        "site": partial(site, choices),
        "bootstrap": partial(bootstrap, choices),
        "providers": partial(providers, choices),
    }
    for name in names:
        if name in single:
            yield name, single[name]
            continue
        for rows in choices.rows:
            if name == "one" or (name == "two" and rows < BIG):
                yield f"{name}, {rows:,} rows", partial(comparison.compare, name, rows, choices)
            if name == "nested" and rows < BIG:
                yield f"{name}, {rows:,} rows", partial(nested_visits.nested_visits, rows, choices)
            if name == "gee" and rows < BIG:
                yield f"{name}, {rows:,} rows", partial(marginal.marginal, rows, choices)
            if name == "refits" and rows <= ALL_SIZES[1]:
                yield f"{name}, {rows:,} rows", partial(cluster_refits.cluster_refits, rows, choices)


def main() -> None:
    """Run the parts asked for, print each, and write docs/benchmarks.md (a quick run: build/benchmarks.md)."""
    asked = _arguments()
    rows = tuple(asked.rows or ((20_000,) if asked.quick else ALL_SIZES))
    choices = Choices(rows, 1 if asked.quick else asked.repeats, asked.limit, asked.threads, asked.quick)
    folder = ROOT / ("build" if asked.quick else "docs")
    for title, work in parts(asked.parts or list(PARTS), choices, folder):
        print(f"\n{title}", flush=True)
        part = work()
        print(text_table(part), flush=True)
        keep(part, folder)
    print(f"\nWritten: {folder.name}/benchmarks.md")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Speed and memory, beside the peers'.",
        epilog="bootstrap: 1,000 resamples of 100,000 x 20 as CMS makes them. providers: all that is said of 500,000 "
        "physicians with 20,000,000 patients. python -m benchmarks.intervals [FOLDER]: every kind of interval side by "
        "side on public data.",
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=f"among {', '.join(PARTS)} (default: all)")
    sizes = ", ".join(map(str, SIZES))
    parser.add_argument("--rows", type=int, nargs="+", choices=tuple(SIZES), help=f"sizes among {sizes}")
    parser.add_argument("--repeats", type=int, default=5, help="fits whose median is given")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which a program is given up")
    parser.add_argument("--threads", type=int, default=min(os.cpu_count() or 1, 2), help="threads of every program")
    parser.add_argument("--quick", action="store_true", help="20,000 rows, no repeats, written to build/")
    asked = parser.parse_args()
    unknown = [name for name in asked.parts if name not in PARTS]
    if unknown:
        parser.error(f"unknown part {', '.join(unknown)}: choose among {', '.join(PARTS)}")
    return asked


if __name__ == "__main__":
    main()

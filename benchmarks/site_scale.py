"""The report of a large region: time, memory and size of `profiling report`, and how soon its largest page answers."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.big_region import RUN, Region, write_configuration, write_region
from benchmarks.choices import Choices
from benchmarks.environment import surroundings
from benchmarks.results import Part

REGIONS = (Region(500), Region(5_000))
AIMS = {
    500: {"largest page": "500 kB"},
    5_000: {
        "seconds": "120",
        "processor seconds": "",
        "memory": "2 GB",
        "whole site": "500 MB",
        "measure page": "2 MB",
        "overview": "1 MB",
        "measure page answers": "1 s",
    },
}
SAMPLE = 0.5
MEGABYTE = 1e6


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and of the processor, and the most memory of all processes together, in bytes."""

    seconds: float
    processor: float
    memory: int


def site(choices: Choices) -> Part:
    """Draw the report of each region from its database and look at what came out."""
    rows: list[tuple[str, ...]] = []
    for region in REGIONS[: 1 if choices.quick else None]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            database = f"sqlite:///{folder / 'region.db'}"
            write_region(region, database)
            cost = report(write_configuration(folder, database), choices.threads)
            found = _found(folder / "site" / "runs" / RUN, cost)
        words = f"{region.hospitals:,} hospitals, {region.hospitals * region.physicians_each:,} physicians"
        rows += [(words, what, value, AIMS[region.hospitals].get(what, "")) for what, value in found.items()]
    return Part(
        "site",
        "The report of a large region",
        ("region", "what", "found", "at most"),
        rows,
        (
            "`python -m benchmarks site`: two measures, eight quarters, subgroups and evidence drawn from simple laws "
            "(`benchmarks/big_region.py`), then `profiling report` in a process of its own. Memory is the most that "
            "all its processes held together, shared pages counted once (proportional set size). A page answers when "
            "its load event has ended in headless Chromium, its script included.",
        ),
        position=9,
    )


def report(configuration: Path, threads: int) -> Cost:
    """Run `profiling report` and watch it."""
    command = [sys.executable, "-m", "profiling", "report", "--quiet", "--config", str(configuration)]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    process = subprocess.Popen(command, env=surroundings(threads))
    most, ended = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, most, ended))
    watcher.start()
    code = process.wait()
    seconds = perf_counter() - begun
    ended.set()
    watcher.join()
    if code:
        raise subprocess.CalledProcessError(code, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, processor, most[0])


def _watch(process: int, most: list[int], ended: threading.Event) -> None:
    while not ended.wait(SAMPLE):
        most[0] = max(most[0], sum(_held(one) for one in _family(process)))


def _family(process: int) -> list[int]:
    """A process and its children, where the system tells."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return [process]
    return [process, *(one for child in children for one in _family(int(child)))]


def _held(process: int) -> int:
    """Bytes in memory, shared pages by share."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _found(folder: Path, cost: Cost) -> dict[str, str]:
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    pages = {name: size for name, size in sizes.items() if name.endswith(".html")}
    measures = [name for name in pages if name.startswith("measures/") and "-providers-" not in name]
    hospitals = [size for name, size in pages.items() if name.startswith("hospitals/")]
    largest = max(measures, key=pages.__getitem__)
    found = {
        "seconds": f"{cost.seconds:.0f}",
        "processor seconds": f"{cost.processor:.0f}",
        "memory": f"{cost.memory / 1e9:.2f} GB",
        "whole site": f"{sum(sizes.values()) / MEGABYTE:.0f} MB",
        "pages": f"{len(pages):,}",
        "overview": f"{pages['index.html'] / 1000:.0f} kB",
        "measure page": f"{pages[largest] / MEGABYTE:.2f} MB",
        "largest page": f"{max(pages.values()) / 1000:.0f} kB",
        "page of a hospital, mean": f"{sum(hospitals) / len(hospitals) / 1000:.0f} kB",
    }
    answers = answers_after(folder / largest)
    return found | ({"measure page answers": f"{answers:.2f} s"} if answers is not None else {})


def answers_after(page: Path) -> float | None:
    """Seconds until a page has loaded and its script has run, the median of five; None without the browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    browser = shutil.which("chromium")
    if browser is None:
        return None
    taken: list[float] = []
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(5):
            tab = launched.new_page()
            tab.goto(page.as_uri(), wait_until="load")
            timing = tab.evaluate("JSON.stringify(performance.getEntriesByType('navigation')[0])")
            taken.append(json.loads(timing)["loadEventEnd"] / 1000)
            tab.close()
        launched.close()
    return sorted(taken)[len(taken) // 2]

"""What the calibration studies share: designs, samples drawn from them, the pool of draws, and their page."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy import special

DRAWS = int(os.environ.get("STUDY_DRAWS", "1000"))
WORKERS = int(os.environ.get("STUDY_WORKERS", "2"))
ROOT = Path(__file__).parents[2]
FEWEST_WRITTEN = 100  # draws with which docs/calibration.md is written
OUTLIERS, DIFFERING = 0.05, 0.1
T = TypeVar("T")


@dataclass(frozen=True)
class Design:
    """Providers with median volume and its spread on the log scale, the sd of their effects; physicians of each, and
    the share of patients whom a physician of any hospital sees.

    effects: normal; heavy (t with 3 degrees); outliers (5 % at 3 sd); few_differ (a tenth at sigma either way, the
    rest at zero).
    """

    name: str
    hospitals: int
    cases: float
    spread: float
    sigma: float
    physicians: int = 0
    level: str = "hospital"
    effects: str = "normal"
    least: float | None = None
    crossing: float = 0.0


@dataclass(frozen=True)
class Sample:
    """Rows, the model's formula, each row's provider, the providers' effects, and eta without them."""

    table: pd.DataFrame
    formula: str
    code: np.ndarray
    effect: np.ndarray
    base: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """The true P/E of each provider."""
        raised = np.bincount(self.code, special.expit(self.base + self.effect[self.code]))
        return np.asarray(raised / np.bincount(self.code, special.expit(self.base)))


def draw_effects(random: np.random.Generator, design: Design, count: int) -> np.ndarray:
    if design.effects == "heavy":
        return random.standard_t(3, count) / np.sqrt(3) * design.sigma
    if design.effects == "few_differ":
        return np.where(random.random(count) < DIFFERING, design.sigma * np.sign(random.normal(size=count)), 0.0)
    effects = random.normal(0, design.sigma, count)
    if design.effects == "outliers":
        chosen = random.random(count) < OUTLIERS
        effects[chosen] = 3 * design.sigma * np.sign(random.normal(size=int(chosen.sum())))
    return effects


def draw_sample(random: np.random.Generator, design: Design) -> Sample:
    """Deaths at about 13 %, one covariate, volumes log-normal, physicians of equal size."""
    volume = np.maximum(np.exp(random.normal(np.log(design.cases), design.spread, design.hospitals)), 10).astype(int)
    hospital = np.repeat(np.arange(design.hospitals), volume)
    x = random.normal(size=len(hospital))
    eta, b = -2 + 0.5 * x, draw_effects(random, design, design.hospitals)
    table = pd.DataFrame({"hospital": hospital, "x": x})
    code, effect, base, total = hospital, b, eta, eta + b[hospital]
    if design.physicians:
        seen_by = hospital * design.physicians + random.integers(0, design.physicians, len(hospital))
        if design.crossing:
            anybody = random.integers(0, design.hospitals * design.physicians, len(hospital))
            seen_by = np.where(random.random(len(hospital)) < design.crossing, anybody, seen_by)
        _, physician = np.unique(seen_by, return_inverse=True)
        c = random.normal(0, design.sigma, physician.max() + 1)
        table["physician"], total = physician, total + c[physician]
        if design.level == "physician":
            code, effect, base = physician, c, eta + b[hospital]
    table["died"] = (random.random(len(hospital)) < special.expit(total)).astype(int)
    inner = " + (1 | physician)" if design.physicians else ""
    return Sample(table, f"died ~ x + (1 | hospital){inner}", code, effect, base)


@cache
def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(WORKERS, get_context("spawn"))


def every_draw(work: Callable[[Design, int], T], design: Design, draws: int) -> list[T]:
    """`work(design, draw)` for every draw, in processes that all designs share."""
    return list(_pool().map(work, [design] * draws, range(draws), chunksize=max(draws // 50, 1)))


def write_section(heading: str, lines: list[str]) -> None:
    """Put a study's section in the place of its last one in docs/calibration.md (few draws: build/calibration.md)."""
    folder = ROOT / ("docs" if DRAWS >= FEWEST_WRITTEN else "build")
    folder.mkdir(exist_ok=True)
    page = folder / "calibration.md"
    kept = page.read_text(encoding="utf-8") if page.is_file() else ""
    sections = {part.partition("\n")[0]: part.rstrip() for part in re.split(r"(?m)^(?=# )", kept) if part.strip()}
    sections[f"# {heading}"] = "\n".join([f"# {heading}", "", *lines])
    page.write_text("\n\n".join(sections.values()) + "\n", encoding="utf-8")

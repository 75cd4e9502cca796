"""Admissions with known truth: hospitals, physicians who work at two of them, covariates, a binary outcome.

Three covariates in ten are standard normal, the others 0/1 with shares of .03 to .4. Volumes are log-normal. Each
physician has a main hospital; a tenth of the rows is seen at the physician's one other, so the factors cross a little.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SD_HOSPITAL = 0.3
SD_PHYSICIAN = 0.25
CROSSING = 0.1


@dataclass(frozen=True)
class Size:
    """Rows, covariates, hospitals and physicians to draw from (some may get no row)."""

    rows: int
    covariates: int
    hospitals: int
    physicians: int


# The sizes whose maxima are published for the shared generator with seed 1, and one to measure memory.
SIZES = {
    20_000: Size(20_000, 10, 200, 1_000),
    100_000: Size(100_000, 20, 1_000, 5_000),
    1_000_000: Size(1_000_000, 40, 4_500, 50_000),
    10_000_000: Size(10_000_000, 40, 4_500, 500_000),
}


@dataclass(frozen=True)
class Admissions:
    """Outcome y (n), covariates x (n, p; by column), hospital and physician codes (n), in no order."""

    y: np.ndarray
    x: np.ndarray
    hospital: np.ndarray
    physician: np.ndarray


def draw_admissions(size: Size, seed: int) -> Admissions:
    """Draw admissions; any seed gives data of the same law."""
    random = np.random.default_rng(seed)
    volume = _shares(random.lognormal(0.0, 1.0, size.hospitals))
    main, other = (random.choice(size.hospitals, size.physicians, p=volume) for _ in range(2))
    physician = random.choice(size.physicians, size.rows, p=_shares(random.lognormal(0.0, 0.8, size.physicians)))
    hospital = np.where(random.random(size.rows) < CROSSING, other[physician], main[physician])
    return _drawn(random, size, hospital, physician)


def draw_clusters(size: Size, seed: int) -> Admissions:
    """Draw admissions of which every hospital has some; clusters of one level, so there is one physician."""
    random = np.random.default_rng(seed)
    volume = _shares(random.lognormal(0.0, 0.5, size.hospitals))
    rest = random.choice(size.hospitals, size.rows - size.hospitals, p=volume)
    hospital = random.permutation(np.concatenate([np.arange(size.hospitals), rest]))
    return _drawn(random, size, hospital, np.zeros(size.rows, dtype=np.int64))


def _drawn(random: np.random.Generator, size: Size, hospital: np.ndarray, physician: np.ndarray) -> Admissions:
    x = np.empty((size.rows, size.covariates), order="F")
    for column in range(size.covariates):
        if column % 10 < 3:
            x[:, column] = random.standard_normal(size.rows)
        else:
            x[:, column] = random.random(size.rows) < random.uniform(0.03, 0.4)
    eta = x @ random.normal(0.0, 0.25, size.covariates) - 2.0
    eta += random.normal(0.0, SD_HOSPITAL, size.hospitals)[hospital]
    eta += random.normal(0.0, SD_PHYSICIAN, size.physicians)[physician]
    y = (random.random(size.rows) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    return Admissions(y, x, hospital, physician)


def published_admissions(size: Size, shared: Path) -> Admissions | None:
    """Return the very data whose maxima are published, drawn by the shared generator; None where it is not there."""
    script = shared / "bench" / "admissions.py"
    if not script.is_file():
        return None
    spec = importlib.util.spec_from_file_location("published_admissions", script)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    frame = module.draw(size.rows, size.hospitals, size.physicians, size.covariates, seed=1)[0]
    x = np.asfortranarray(frame[[f"x{j}" for j in range(size.covariates)]].to_numpy())
    return Admissions(frame["y"].to_numpy(), x, frame["hosp"].to_numpy(), frame["phys"].to_numpy())


def _shares(volume: np.ndarray) -> np.ndarray:
    return np.asarray(volume / volume.sum())

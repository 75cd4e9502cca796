"""A small region for tests of commands: 12 hospitals, 24 physicians, 1,200 visits, drawn from one seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

CONFIGURATION = """\
title: A small region
seed: 7
sources:
  encounters:
    file: visits.csv
    columns:
      age: {type: number, minimum: 0, maximum: 120}
      died: {type: integer, allowed: [0, 1], required: true}
      stay: {type: number, minimum: 0}
measures:
  - name: mortality
    title: Death
    question: Did more patients die than their age explains?
    event: deaths
    outcome: died
    direction: higher_is_worse
    family: binomial
    cohort: {age: {minimum: 18}}
    case_mix: I(age / 10)
    providers:
      - {level: hospital, column: clinic_id}
      - {level: physician, column: physician_id}
  - name: stay
    title: Length of stay
    question: Did patients stay longer than their age explains?
    unit: days
    outcome: stay
    direction: higher_is_worse
    family: log_gaussian
    case_mix: I(age / 10)
    providers:
      - {level: hospital, column: clinic_id}
"""


def visits(seed: int = 1, rows: int = 1200) -> pd.DataFrame:
    """Visits with effects of hospital and physician, and some ages missing."""
    draw = np.random.default_rng(seed)
    physician = draw.integers(0, 24, rows)
    hospital = physician // 2
    age = draw.uniform(20, 95, rows).round(1)
    eta = -3 + 0.03 * (age - 50) + draw.normal(0, 0.5, 12)[hospital] + draw.normal(0, 0.4, 24)[physician]
    return pd.DataFrame(
        {
            "encounter_id": [f"v{index:05d}" for index in range(rows)],
            "clinic_id": [f"h{index:02d}" for index in hospital],
            "physician_id": [f"d{index:02d}" for index in physician],
            "age": np.where(draw.random(rows) < 0.02, np.nan, age),
            "died": (draw.random(rows) < 1 / (1 + np.exp(-eta))).astype(int),
            "stay": np.exp(1 + 0.01 * age + draw.normal(0, 0.2, 12)[hospital] + draw.normal(0, 0.5, rows)).round(2),
        }
    )


def write_region(folder: Path, *, table: pd.DataFrame | None = None, text: str = CONFIGURATION) -> Path:
    """Write visits and configuration; the configuration's file."""
    (visits() if table is None else table).to_csv(folder / "visits.csv", index=False)
    file = folder / "config.yaml"
    file.write_text(text)
    return file

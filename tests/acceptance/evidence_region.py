"""A region with patients, days, social traits, counts and trials, for tests of what findings rest on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

CONFIGURATION = """\
title: A region that asks more
seed: 7
sources:
  encounters:
    file: visits.csv
    columns:
      age: {type: number}
      sex: {type: text}
      payer: {type: text}
      died: {type: integer}
      falls: {type: integer}
      days: {type: number}
      tried: {type: integer}
      done: {type: integer}
  comments: {file: comments.csv}
measures:
  - name: mortality
    title: Death
    question: Did more patients die than their age explains?
    outcome: died
    direction: higher_is_worse
    family: binomial
    case_mix: I(age / 10) + C(sex)
    social_risk: C(payer)
    subgroups: [sex, payer, age]
    providers:
      - {level: hospital, column: clinic_id}
      - {level: physician, column: physician_id}
    flag: {rule: false_discovery, across: measures}
  - name: falls
    title: Falls
    question: Did more patients fall than their age explains?
    outcome: falls
    direction: higher_is_worse
    family: poisson
    exposure: days
    case_mix: I(age / 10)
    subgroups: [sex]
    providers:
      - {level: hospital, column: clinic_id}
    flag: {rule: false_discovery, across: measures}
  - name: vaccinated
    title: Vaccinations given
    question: Were fewer of the vaccinations due given?
    outcome: done
    trials: tried
    direction: higher_is_better
    family: binomial
    case_mix: I(age / 10)
    providers:
      - {level: hospital, column: clinic_id}
    flag: {rule: funnel}
composites:
  - {name: harm, title: Harm, level: hospital, kind: opportunity, measures: [mortality, falls]}
  - name: all_three
    title: All three
    level: hospital
    kind: weighted
    measures: {mortality: 2, falls: 1, vaccinated: 1}
  - {name: trait, title: One trait, level: hospital, kind: latent, measures: [mortality, falls, vaccinated]}
"""
COMMENTS = "level,provider,comment\nhospital,h03,We take the sickest.\nhospital,h99,Not here.\n"


def visits(seed: int = 3, rows: int = 2400) -> pd.DataFrame:
    """Visits of 700 patients to 15 hospitals and 30 physicians over two years; hospital h03 is worse in everything."""
    draw = np.random.default_rng(seed)
    patient = draw.integers(0, 700, rows)
    own = draw.integers(0, 30, 700)[patient]
    physician = np.where(draw.random(rows) < 0.8, own, draw.integers(0, 30, rows))
    hospital = np.where(draw.random(rows) < 0.9, physician // 2, draw.integers(0, 15, rows))
    age = draw.uniform(20, 95, 700)[patient].round(1)
    worse = draw.normal(0, 0.25, 15)[hospital] + 1.0 * (hospital == 3)
    eta = -2.4 + 0.03 * (age - 55) + worse + draw.normal(0, 0.2, 30)[physician]
    days, tried = draw.integers(1, 30, rows), draw.integers(1, 5, rows)
    day = pd.Timestamp("2021-01-01") + pd.to_timedelta(draw.integers(0, 730, rows), unit="D")
    return pd.DataFrame(
        {
            "encounter_id": [f"v{index:05d}" for index in range(rows)],
            "patient_id": [f"p{index:04d}" for index in patient],
            "clinic_id": [f"h{index:02d}" for index in hospital],
            "physician_id": [f"d{index:02d}" for index in physician],
            "admitted": day.strftime("%Y-%m-%d"),
            "age": age,
            "sex": np.array(["F", "M"])[draw.integers(0, 2, 700)[patient]],
            "payer": np.array(["private", "public", "self"])[draw.integers(0, 3, 700)[patient]],
            "died": (draw.random(rows) < 1 / (1 + np.exp(-eta))).astype(int),
            "falls": draw.poisson(days * np.exp(-4 + 0.01 * (age - 55) + 0.8 * worse)),
            "days": days,
            "tried": tried,
            "done": draw.binomial(tried, 1 / (1 + np.exp(-(1 - worse)))),
        }
    )


def write_region(folder: Path, table: pd.DataFrame | None = None, text: str = CONFIGURATION) -> Path:
    """Write visits, comments and configuration; the configuration's file."""
    (visits() if table is None else table).to_csv(folder / "visits.csv", index=False)
    (folder / "comments.csv").write_text(COMMENTS)
    file = folder / "config.yaml"
    file.write_text(text)
    return file

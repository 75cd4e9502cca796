from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from profiling.config import load_settings
from profiling.etl.load import load
from profiling.etl.sample import draw_records, write_sample
from profiling.store import migrations
from profiling.store.engine import open_database

SEED = 20240101
CONFIGURATION = """\
title: Sample
database: sqlite:///sample.db
sources:
  patients: {file: patients.csv.gz, columns: {sex: {allowed: [F, M]}}}
  clinics: {file: clinics.csv.gz}
  physicians: {file: physicians.csv.gz}
  diagnoses: {file: diagnoses.csv.gz}
  encounters:
    file: encounters.csv.gz
    columns:
      age: {type: number, minimum: 0, maximum: 120}
      admission_type: {allowed: [elective, emergency, transfer]}
      severity: {type: number}
      systolic_bp: {type: number}
      died_30d: {type: integer, allowed: [0, 1], required: true}
      length_of_stay: {type: number, minimum: 0}
measures:
  - name: death
    title: Death
    question: Who died?
    outcome: died_30d
    direction: higher_is_worse
    family: binomial
    case_mix: age
    providers: [{level: hospital, column: clinic_id}]
"""


@pytest.fixture(scope="module")
def records() -> dict[str, pd.DataFrame]:
    return draw_records(SEED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, SEED)
    return folder


def test_sizes(records: dict[str, pd.DataFrame]) -> None:
    encounters = records["encounters"]
    assert len(records["clinics"]) == 40
    assert len(records["physicians"]) == 400
    assert len(records["patients"]) == 22_000
    assert len(encounters) == 30_000
    assert encounters["patient_id"].nunique() == 22_000
    assert encounters["physician_id"].nunique() == 400
    assert encounters["admitted"].min() >= pd.Timestamp("2021-01-01")
    assert encounters["admitted"].max() <= pd.Timestamp("2023-12-31")
    assert (encounters.groupby("physician_id")["clinic_id"].nunique() == 2).sum() == 40
    assert not records["clinics"]["name"].duplicated().any()
    assert not records["physicians"]["name"].duplicated().any()


def test_shape(records: dict[str, pd.DataFrame]) -> None:
    encounters = records["encounters"]
    assert 0.08 <= encounters["died_30d"].mean() <= 0.10
    assert (encounters["physician_id"].value_counts() < 25).sum() >= 40
    assert encounters["clinic_id"].value_counts().min() < 50 < 1000 < encounters["clinic_id"].value_counts().max()
    assert (encounters["length_of_stay"] > 0).all()
    assert (encounters["discharged"] >= encounters["admitted"]).all()
    moved = encounters.groupby("patient_id")["clinic_id"].nunique() > 1
    assert moved.sum() > 500


def test_nobody_is_admitted_after_death(records: dict[str, pd.DataFrame]) -> None:
    ordered = records["encounters"].sort_values(["patient_id", "admitted"])
    last = ~ordered["patient_id"].duplicated(keep="last")
    assert (ordered.loc[~last, "died_30d"] == 0).all()


def test_deaths_follow_the_stated_truth(records: dict[str, pd.DataFrame]) -> None:
    """Observed against expected deaths by decile of the true risk: chi-square below its 99.9 % point."""
    encounters = records["encounters"].merge(records["patients"], on="patient_id")
    truth = records["truth/coefficients"].query("measure == 'mortality_30d'").set_index("term")["value"]
    eta = truth["Intercept"] + truth["I(age / 10)"] * encounters["age"] / 10
    eta += truth["C(sex)[T.M]"] * (encounters["sex"] == "M")
    for kind in ("emergency", "transfer"):
        eta += truth[f"C(admission_type)[T.{kind}]"] * (encounters["admission_type"] == kind)
    for name in ("severity", "heart_failure", "diabetes", "renal_disease", "copd"):
        eta += truth[name] * encounters[name]
    pressure = encounters["systolic_bp"].clip(upper=120) / 10
    eta += truth["I(np.minimum(systolic_bp, 120) / 10)"] * pressure
    for table, key in (("truth/hospital_effects", "clinic_id"), ("truth/physician_effects", "physician_id")):
        eta += encounters[key].map(records[table].set_index(key)["mortality_30d"])
    risk = 1 / (1 + np.exp(-eta))
    bands = pd.qcut(risk, 10, labels=False)
    observed = encounters["died_30d"].groupby(bands).sum()
    expected, variance = risk.groupby(bands).sum(), (risk * (1 - risk)).groupby(bands).sum()
    assert ((observed - expected) ** 2 / variance).sum() < 29.6


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    def marks(root: Path) -> dict[str, str]:
        files = sorted(path for path in root.rglob("*.csv*"))
        return {str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}

    write_sample(tmp_path / "same", SEED)
    write_sample(tmp_path / "other", SEED + 1)
    assert marks(tmp_path / "same") == marks(folder)
    assert marks(tmp_path / "other") != marks(folder)


def test_the_load_finds_exactly_the_rows_broken_on_purpose(folder: Path) -> None:
    (folder / "config.yaml").write_text(CONFIGURATION)
    settings = load_settings(folder / "config.yaml", {})
    engine = open_database(settings.database)
    migrations.upgrade(engine)
    report = load(settings, engine, datetime(2024, 1, 1))
    with engine.connect() as connection:
        rejects = connection.exec_driver_sql(
            "SELECT source, source_row, rule_id, column_name FROM rejects JOIN loads USING (load_id)"
        ).all()
    truth = pd.read_csv(folder / "truth" / "broken_rows.csv").astype(object)
    truth = truth.where(truth.notna(), None)
    assert {tuple(row) for row in rejects} == set(truth.itertuples(index=False, name=None))
    assert len(rejects) == len(truth)
    encounters = next(source for source in report.sources if source.source == "encounters")
    assert encounters.rows_rejected == len(truth[truth["source"] == "encounters"])
    assert {rule.rule_id for rule in encounters.rules if rule.broken} >= {
        f"encounters.{rule}"
        for rule in (
            *("admitted.type", "admitted.temporal", "discharged.temporal", "age.range", "clinic_id.referential"),
            *("encounter_id.unique", "encounter_id.required", "died_30d.required", "admission_type.allowed"),
            *("systolic_bp.type", "row.fields"),
        )
    }


def test_one_hospital_has_many_missing_values(folder: Path) -> None:
    encounters = pd.read_csv(folder / "encounters.csv.gz", on_bad_lines="skip")
    share = encounters["severity"].isna().groupby(encounters["clinic_id"]).mean()
    cases = encounters["clinic_id"].value_counts()
    assert (share[cases > 300] > 0.05).sum() == 1
    assert 0.005 < encounters["severity"].isna().mean() < 0.03

"""SQLite and PostgreSQL give the same records, the same cohorts and the same counts on the way to them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy.engine import Engine

from profiling.config import Measure, Settings, load_settings
from profiling.errors import ConfigurationError, InputRejected
from profiling.etl.cohort import Cohort, read_cohort
from profiling.etl.load import load
from profiling.etl.sample import write_sample
from profiling.store import migrations
from profiling.store.engine import open_database

CONFIGURATION = Path(__file__).parents[2] / "config.yaml"
NOW = datetime(2024, 1, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("databases")
    write_sample(folder / "data" / "sample", 20240101)
    return folder


def loaded(folder: Path, url: str) -> tuple[Settings, Engine]:
    text = CONFIGURATION.read_text().replace("sqlite:///var/profiling.db", url)
    (folder / "config.yaml").write_text(text)
    settings = load_settings(folder / "config.yaml", {})
    engine = open_database(settings.database)
    migrations.upgrade(engine)
    load(settings, engine, NOW)
    return settings, engine


def narrowed(measure: Measure, cohort: dict[str, object], **changes: object) -> Measure:
    said = measure.model_dump(by_alias=True, exclude_none=True) | {"cohort": cohort} | changes
    return Measure.model_validate(said)


COHORTS: tuple[dict[str, object], ...] = (
    {},
    {"age": {"minimum": 40.5, "maximum": 80}, "admission_type": {"in": ["emergency", "transfer"]}},
    {"payer": {"not_in": ["self", "it's"]}, "severity": {"not_missing": True}, "sex": {"equals": "F"}},
    {"teaching": {"equals": 1}, "region": {"in": ["North"]}, "diabetes": {"in": [0]}},
    {"birth_date": {"maximum": "1950-06-30"}, "discharged": {"minimum": "2021-06-01"}},
)


@pytest.mark.postgresql
def test_both_databases_give_identical_cohorts(folder: Path, tmp_path: Path, postgresql_url: str) -> None:
    pairs = [loaded(folder, url) for url in (f"sqlite:///{tmp_path / 'a.db'}", postgresql_url)]
    for measure in pairs[0][0].measures:
        for conditions in COHORTS:
            first, second = (read_cohort(engine, narrowed(measure, conditions), settings) for settings, engine in pairs)
            assert first.table.equals(second.table)
            pd.testing.assert_frame_equal(first.flow, second.flow)
            assert first.table.num_rows > 100


def test_the_cohort_is_what_pandas_selects(folder: Path, database_url: str) -> None:
    settings, engine = loaded(folder, database_url)
    measure = settings.measure("mortality_30d")
    cohort = read_cohort(engine, narrowed(measure, COHORTS[2]), settings)
    with engine.connect() as connection:
        frames = {n: pd.read_sql(f"SELECT * FROM {n}", connection) for n in ("encounters", "patients")}
    rows = frames["encounters"].merge(frames["patients"], on="patient_id", how="left")
    flow = [len(rows), len(rows)]
    for condition in ("payer != 'self'", "severity.notna()", "sex == 'F'"):
        rows = rows.query(condition)
        flow.append(len(rows))
    rows = rows.sort_values("encounter_id").assign(admitted=lambda t: pd.to_datetime(t["admitted"]).dt.date)
    assert cohort.flow["rows_left"].tolist() == [*flow, *[len(rows)] * 3]
    got = cohort.table.to_pandas()
    assert got.columns.tolist()[:4] == ["encounter_id", "clinic_id", "physician_id", "died_30d"]
    pd.testing.assert_frame_equal(got, rows[got.columns].reset_index(drop=True), check_dtype=False)


def test_the_sql_written_out_gives_the_same_rows(folder: Path, database_url: str) -> None:
    settings, engine = loaded(folder, database_url)
    for conditions in COHORTS:
        cohort: Cohort = read_cohort(engine, narrowed(settings.measures[0], conditions), settings)
        with engine.connect() as connection:
            ids = [row[0] for row in connection.exec_driver_sql(cohort.sql.replace("%", "%%"))]
        assert ids == cohort.table.column("encounter_id").to_pylist()
        assert ids == sorted(ids)


def test_an_empty_cohort_names_the_step_that_emptied_it(folder: Path, database_url: str) -> None:
    settings, engine = loaded(folder, database_url)
    nobody = narrowed(settings.measures[0], {"age": {"minimum": 119}})
    with pytest.raises(InputRejected, match=r"measures.mortality_30d: no encounter is left .*'age at least 119'"):
        read_cohort(engine, nobody, settings)


def test_a_condition_of_another_type_is_a_fault_of_the_configuration(folder: Path, database_url: str) -> None:
    settings, engine = loaded(folder, database_url)
    odd = narrowed(settings.measures[0], {"age": {"equals": "old"}})
    with pytest.raises(ConfigurationError, match="a condition on 'age' that is not a value of its type"):
        read_cohort(engine, odd, settings)

"""Broken inputs: each ends with its exit code and a message, changes nothing and tells no patient's value."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.config import Settings, load_settings
from profiling.errors import InputRejected, ProfilingError
from profiling.etl.load import check_inputs, load
from profiling.store import migrations
from profiling.store.engine import open_database
from profiling.store.tables import metadata

NOW = datetime(2024, 1, 1)
GOOD = {
    "patients": "patient_id,sex,birth_date\nSECRET1,F,1950-01-01\nSECRET2,M,1960-01-01\n",
    "clinics": "clinic_id,name\nH1,Oakwick\nH2,Kirkden\n",
    "encounters": (
        "encounter_id,patient_id,clinic_id,admitted,discharged,age,died\n"
        "E1,SECRET1,H1,2021-01-01,2021-01-05,71,0\n"
        "E2,SECRET2,H2,2021-02-01,2021-02-03,61,1\n"
        "E3,SECRET2,H1,2021-03-01,2021-03-03,61,0\n"
        "E4,SECRET1,H2,2021-04-01,2021-04-03,71,0\n"
    ),
}
CONFIGURATION = """\
title: Test
database: sqlite:///profiling.db
sources:
  patients: {file: patients.csv, reject_above: %(above)s, columns: {sex: {allowed: [F, M]}}}
  clinics: {file: clinics.csv, reject_above: %(above)s}
  encounters:
    file: %(encounters)s
    reject_above: %(above)s
    columns:
      age: {type: number, minimum: 0, maximum: 120}
      died: {type: integer, allowed: [0, 1], required: true}
measures:
  - name: death
    title: Death
    question: Who died?
    outcome: died
    direction: higher_is_worse
    family: binomial
    case_mix: age
    providers: [{level: hospital, column: clinic_id}]
"""


@dataclass(frozen=True)
class Fault:
    """What is done to the good files, and what the message must say."""

    name: str
    says: str
    change: Callable[[Path], None]
    encounters: str = "encounters.csv"


def write(folder: Path, name: str, text: str | bytes) -> None:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def cell(old: str, new: str, source: str = "encounters") -> Callable[[Path], None]:
    assert old in GOOD[source]
    return lambda folder: write(folder, f"{source}.csv", GOOD[source].replace(old, new, 1))


def whole(content: str | bytes, name: str = "encounters.csv") -> Callable[[Path], None]:
    return lambda folder: write(folder, name, content)


def without_columns(folder: Path) -> None:
    pq.write_table(pa.table({"encounter_id": ["E1"], "died": [[0]], "age": [1.0]}), folder / "encounters.parquet")


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


FAULTS = (
    Fault(
        "missing file", r"sources.encounters: no file encounters.csv; expected an existing file", gone("encounters.csv")
    ),
    Fault(
        "misspelt file",
        r"no file encounter.csv; .* Did you mean encounters.csv\?",
        lambda folder: None,
        encounters="encounter.csv",
    ),
    Fault(
        "two sources at once",
        r"no file patients.csv[^\n]*\n.*no file clinics.csv",
        lambda f: (gone("patients.csv")(f), gone("clinics.csv")(f))[0],
    ),
    Fault(
        "folder in place of a file",
        r"is not readable",
        lambda f: (gone("encounters.csv")(f), (f / "encounters.csv").mkdir())[0],
    ),
    Fault("missing column", r"has no column 'died'; .*Did you mean 'dead'\?", cell("died", "dead")),
    Fault(
        "missing id",
        r"has no column 'encounter_id'; .*Did you mean 'encounterid'\?",
        cell("encounter_id", "encounterid"),
    ),
    Fault("duplicate header", r"has the column 'age' more than once", cell(",died", ",age")),
    Fault("empty file", r"encounters.csv is empty; expected a header and rows", whole("")),
    Fault("header alone", r"has a header and no rows", whole(GOOD["encounters"].splitlines()[0] + "\n")),
    Fault("blank lines", r"encounters.csv has no header", whole("\n\n\n")),
    Fault(
        "not a gzip",
        r"is not a gzip file; .*name it .csv",
        whole(GOOD["encounters"] + "\n", "encounters.csv.gz"),
        encounters="encounters.csv.gz",
    ),
    Fault(
        "gzip cut short",
        r"encounters.csv.gz is cut short; expected a whole gzip file",
        whole(gzip.compress(GOOD["encounters"].encode())[:-20], "encounters.csv.gz"),
        encounters="encounters.csv.gz",
    ),
    Fault(
        "not a parquet",
        r"cannot be read as a Parquet file",
        whole(GOOD["encounters"] + "\n", "encounters.parquet"),
        encounters="encounters.parquet",
    ),
    Fault(
        "nested parquet",
        r"cannot be read as a Parquet file with plain columns",
        without_columns,
        encounters="encounters.parquet",
    ),
    Fault(
        "undecodable cell",
        r"bytes that are not UTF-8 in column 'clinic_id'.*Save the file as UTF-8",
        whole(GOOD["encounters"].replace("H1", "H\u00e4", 1).encode("latin-1")),
    ),
    Fault(
        "undecodable header",
        r"cannot be read as a text file in UTF-8",
        whole(GOOD["encounters"].replace("age", "\u00e2ge", 1).encode("latin-1")),
    ),
    Fault("open quotation mark", r"quotation mark that is opened and never closed", cell("SECRET2,H2", '"SECRET2,H2')),
    Fault(
        "duplicate id",
        r"1 of 4 rows rejected \(25.0%\): rule encounters.encounter_id.unique broken by 1 of 4 rows",
        cell("E2", "E1"),
    ),
    Fault("id without value", r"rule encounters.encounter_id.required broken by 1 of 4", cell("E2", "")),
    Fault(
        "unknown clinic",
        r"encounters.clinic_id.referential .*'clinic_id' takes the id of an accepted row of clinics",
        cell("SECRET2,H2", "SECRET2,H9"),
    ),
    Fault("unknown patient", r"encounters.patient_id.referential", cell("SECRET2,H2", "SECRET9,H2")),
    Fault(
        "day that does not exist",
        r"encounters.admitted.type .*takes dates as 2021-12-31",
        cell("2021-02-01", "2021-02-30"),
    ),
    Fault(
        "discharge before admission",
        r"encounters.discharged.temporal .*no discharge before the admission",
        cell("2021-02-03", "2021-01-03"),
    ),
    Fault(
        "admission before birth",
        r"encounters.admitted.temporal .*no admission before birth",
        cell("2021-02-01", "1921-02-01"),
    ),
    Fault("age out of range", r"encounters.age.range .*at least 0 and at most 120", cell("61,1", "212,1")),
    Fault("text in a number", r"encounters.age.type .*takes numbers", cell("61,1", "sixty,1")),
    Fault("number too large", r"encounters.age.type", cell("61,1", "1e999,1")),
    Fault("outcome without value", r"encounters.died.required .*a value in every row", cell("61,1", "61,")),
    Fault("outcome out of its list", r"encounters.died.allowed .*one of 0, 1", cell("61,1", "61,2")),
    Fault("fraction in a whole number", r"encounters.died.type .*takes whole numbers", cell("61,1", "61,0.5")),
    Fault(
        "code out of its list",
        r"sources.patients: 1 of 2 rows .*patients.sex.allowed .*one of F, M",
        cell(",M,", ",X,", "patients"),
    ),
    Fault(
        "line with a field too many",
        r"encounters.row.fields broken by 1 of 4 rows \(as many fields as the header\)",
        cell("61,1", "61,1,SECRET"),
    ),
    Fault("line cut short", r"encounters.row.fields", cell(",2021-02-03,61,1", "")),
    Fault("zero byte", r"encounters.clinic_id.type", cell("SECRET2,H2", "SECRET2,H2\0")),
)


def settings_of(folder: Path, encounters: str = "encounters.csv", above: float = 0.05) -> Settings:
    for name, text in GOOD.items():
        if not (folder / f"{name}.csv").exists():
            write(folder, f"{name}.csv", text)
    text = CONFIGURATION % {"encounters": encounters, "above": above}
    (folder / "config.yaml").write_text(text)
    return load_settings(folder / "config.yaml", {})


def contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table.name}")]
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_broken_input_ends_with_a_message_and_changes_nothing(fault: Fault, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    engine = open_database(settings.database)
    migrations.upgrade(engine)
    load(settings, engine, NOW)
    before = contents(engine)
    fault.change(tmp_path)
    broken = settings_of_changed(tmp_path, fault)
    for attempt in (lambda: load(broken, engine, NOW), lambda: check_inputs(broken)):
        with pytest.raises(InputRejected, match=f"(?s){fault.says}") as caught:
            attempt()
        assert caught.value.exit_code == 11
        assert "SECRET" not in str(caught.value)
        assert all(problem.where.startswith("sources.") for problem in caught.value.problems)
    assert contents(engine) == before


def settings_of_changed(folder: Path, fault: Fault) -> Settings:
    (folder / "config.yaml").write_text(CONFIGURATION % {"encounters": fault.encounters, "above": 0.05})
    return load_settings(folder / "config.yaml", {})


CELL_FAULTS = [fault for fault in FAULTS if "encounters." in fault.says and ".csv" not in fault.says]


@pytest.mark.parametrize("fault", CELL_FAULTS, ids=lambda fault: fault.name)
def test_a_broken_row_is_kept_aside_and_none_is_lost(fault: Fault, tmp_path: Path) -> None:
    fault.change(tmp_path)
    settings = settings_of(tmp_path, above=0.5)
    engine = open_database(settings.database)
    migrations.upgrade(engine)
    report = load(settings, engine, NOW)
    encounters = next(source for source in report.sources if source.source == "encounters")
    assert (encounters.rows_read, encounters.rows_accepted, encounters.rows_rejected) == (4, 3, 1)
    with engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT DISTINCT rule_id, source_row FROM rejects").all()
        rows = connection.exec_driver_sql("SELECT count(*) FROM encounters").scalar_one()
        text = " ".join(map(str, connection.exec_driver_sql("SELECT * FROM rejects").all()))
    assert rows == 3
    assert {row for _, row in kept} == {2}
    assert any(rule in fault.says for rule, _ in kept)
    assert "SECRET" not in text


def test_there_are_enough_faults() -> None:
    assert len(FAULTS) >= 25
    assert len(CELL_FAULTS) >= 12


def test_a_failure_in_the_middle_of_writing_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from profiling.etl import writing

    settings = settings_of(tmp_path)
    engine = open_database(settings.database)
    migrations.upgrade(engine)
    before = contents(engine)
    real = writing._assert_nothing_lost

    def lose_a_row(connection: sa.Connection, table: sa.Table, *rest: object) -> None:
        connection.execute(sa.delete(table).where(table.c[0] == sa.select(sa.func.max(table.c[0])).scalar_subquery()))
        real(connection, table, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "_assert_nothing_lost", lose_a_row)
    with pytest.raises(ProfilingError, match="every row accepted or rejected") as caught:
        load(settings, engine, NOW)
    assert caught.value.exit_code == 70
    assert contents(engine) == before


def test_a_rule_that_does_not_fit_its_column_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    settings_of(tmp_path)
    text = (tmp_path / "config.yaml").read_text().replace("age: {type: number,", "age: {type: text,")
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ProfilingError, match=r"sources.encounters.columns.age: minimum or maximum") as caught:
        check_inputs(load_settings(tmp_path / "config.yaml", {}))
    assert caught.value.exit_code == 10

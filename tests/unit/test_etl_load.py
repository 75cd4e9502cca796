from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.config import Settings, load_settings
from profiling.errors import InputRejected
from profiling.etl.load import LoadReport, check_inputs, load
from profiling.store import migrations
from profiling.store.attributes import record_table
from profiling.store.engine import open_database

NOW = datetime(2024, 1, 1)
CLINICS = "clinic_id,name\nH1,Oakwick\nH2,Kirkden\n"
ENCOUNTERS = "id,clinic_id,physician_id,died,score\nE1,H1,D1,0,1.5\nE2,H2,D2,1,\nE3,H2,D1,0,2\n"
MEASURE = """
measures:
  - {name: death, title: D, question: Who?, outcome: died, direction: higher_is_worse, family: binomial,
     case_mix: score, providers: [{level: hospital, column: clinic_id}]}
"""


class Workplace:
    """A folder with files, a configuration and a database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.sources = {"clinics": "{file: clinics.csv}"}
        self.columns = "encounter_id: id, died: {type: integer, allowed: [0, 1]}, score: {type: number}"
        self.files = "encounters.csv"
        self.write("clinics.csv", CLINICS)
        self.write("encounters.csv", ENCOUNTERS)
        self.engine: Engine = open_database(url)
        migrations.upgrade(self.engine)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def settings(self) -> Settings:
        sources = self.sources | {
            "encounters": f"{{file: {self.files}, reject_above: 0.5, columns: {{{self.columns}}}}}"
        }
        lines = "".join(f"  {name}: {text}\n" for name, text in sources.items())
        self.write("config.yaml", f"title: T\ndatabase: {self.url}\nsources:\n{lines}{MEASURE}")
        return load_settings(self.folder / "config.yaml", {})

    def load(self) -> LoadReport:
        return load(self.settings(), self.engine, NOW)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Workplace:
    return Workplace(tmp_path, database_url)


def already(report: LoadReport) -> dict[str, bool]:
    return {source.source: source.already_loaded for source in report.sources}


def test_records_arrive_in_their_types(place: Workplace) -> None:
    report = place.load()
    assert (report.rows_read, report.rows_accepted, report.rows_rejected) == (5, 5, 0)
    encounters = "SELECT encounter_id, clinic_id, physician_id, died, score FROM encounters ORDER BY 1"
    assert place.rows(encounters) == [
        ("E1", "H1", "D1", 0, 1.5),
        ("E2", "H2", "D2", 1, None),
        ("E3", "H2", "D1", 0, 2.0),
    ]
    assert place.rows("SELECT clinic_id, name FROM clinics ORDER BY 1") == [("H1", "Oakwick"), ("H2", "Kirkden")]


def test_a_table_without_a_file_is_derived_from_the_ids(place: Workplace) -> None:
    place.load()
    assert place.rows("SELECT physician_id, name, load_id FROM physicians ORDER BY 1") == [
        ("D1", "D1", None),
        ("D2", "D2", None),
    ]
    place.sources = {}
    place.load()
    assert place.rows("SELECT clinic_id, name, load_id FROM clinics ORDER BY 1") == [
        ("H1", "H1", None),
        ("H2", "H2", None),
    ]


def test_a_file_already_loaded_is_recognised(place: Workplace) -> None:
    first = place.load()
    second = place.load()
    assert already(second) == {"clinics": True, "encounters": True}
    assert second.already_loaded
    assert not first.already_loaded
    assert second.rows_read == first.rows_read
    assert len(place.rows("SELECT * FROM loads")) == 2


def test_a_changed_file_replaces_its_rows(place: Workplace) -> None:
    place.load()
    place.write("encounters.csv", ENCOUNTERS.replace("E3,H2,D1,0,2\n", "E4,H1,D3,1,9\nE5,H1,D3,7,9\n"))
    report = place.load()
    assert already(report) == {"clinics": True, "encounters": False}
    assert [row[0] for row in place.rows("SELECT encounter_id FROM encounters ORDER BY 1")] == ["E1", "E2", "E4"]
    assert [row[0] for row in place.rows("SELECT physician_id FROM physicians ORDER BY 1")] == ["D1", "D2", "D3"]
    assert place.rows("SELECT source, is_current FROM loads ORDER BY load_id")[1:] == [
        ("encounters", False),
        ("encounters", True),
    ]
    assert place.rows("SELECT load_id, rule_id, source_row, column_name FROM rejects") == [
        (3, "encounters.died.allowed", 4, "died")
    ]


def test_what_refers_to_a_changed_source_is_judged_again(place: Workplace) -> None:
    place.load()
    place.write("clinics.csv", CLINICS.replace("H1,Oakwick\n", ""))
    report = place.load()
    assert already(report) == {"clinics": False, "encounters": False}
    assert place.rows("SELECT rule_id, source_row FROM rejects") == [("encounters.clinic_id.referential", 1)]


def test_another_declaration_of_the_same_file_is_another_load(place: Workplace) -> None:
    place.columns += ", extra: score"
    place.load()
    place.columns = "encounter_id: id, died: {type: number}, score: {type: number}"
    report = place.load()
    assert already(report)["encounters"] is False
    table = record_table(place.engine, "encounters")
    assert isinstance(table.c.died.type, sa.Float)
    assert "extra" not in table.c


def test_a_source_that_leaves_the_configuration_leaves_the_database(place: Workplace) -> None:
    place.sources["diagnoses"] = "{file: diagnoses.csv}"
    place.write("diagnoses.csv", "encounter_id,code\nE1,I50.9\nE9,I50.9\n")
    with pytest.raises(InputRejected, match=r"1 of 2 rows rejected .*diagnoses.encounter_id.referential"):
        place.load()
    place.write("diagnoses.csv", "encounter_id,code,position\nE1,I50.9,1\nE1,E11.9,2\n")
    place.load()
    assert place.rows("SELECT diagnosis_id, code, position FROM diagnoses ORDER BY 1") == [
        (1, "I50.9", 1),
        (2, "E11.9", 2),
    ]
    del place.sources["diagnoses"]
    place.load()
    assert place.rows("SELECT * FROM diagnoses") == []


def test_several_files_make_one_source(place: Workplace) -> None:
    place.files = "[encounters.csv, more.csv]"
    place.write("more.csv", "id,clinic_id,physician_id,died,score\nE3,H1,D1,0,1\nE7,H1,D1,0,1\n")
    report = place.load()
    assert [(s.files, s.rows_read, s.rows_rejected) for s in report.sources][1] == (
        ("encounters.csv", "more.csv"),
        5,
        1,
    )
    assert place.rows("SELECT load_id, rule_id, source_row FROM rejects") == [(3, "encounters.encounter_id.unique", 1)]
    assert place.rows("SELECT rows_read, rows_accepted, rows_rejected FROM loads ORDER BY load_id") == [
        (2, 2, 0),
        (3, 3, 0),
        (2, 1, 1),
    ]
    assert place.load().already_loaded


def test_ids_can_be_row_numbers(place: Workplace) -> None:
    place.columns = place.columns.replace("encounter_id: id", "encounter_id: {row_number: true}")
    place.write("encounters.csv", ENCOUNTERS.replace("E2,H2,D2,1,\n", "E2,H2\n"))
    place.load()
    assert [row[0] for row in place.rows("SELECT encounter_id FROM encounters ORDER BY 1")] == ["1", "3"]


def test_names_that_sql_keeps_for_itself(place: Workplace) -> None:
    place.columns += ", order: died, group: score"
    place.load()
    table = record_table(place.engine, "encounters")
    with place.engine.connect() as connection:
        read = connection.execute(sa.select(table.c.order, table.c.group).order_by(table.c.encounter_id)).all()
    assert [tuple(row) for row in read] == [("0", "1.5"), ("1", None), ("0", "2")]


def test_checking_touches_nothing(place: Workplace) -> None:
    report = check_inputs(place.settings())
    assert (report.rows_read, report.rows_accepted) == (5, 5)
    assert place.rows("SELECT * FROM loads") == []

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.errors import DatabaseError
from profiling.store import adbc
from profiling.store.bulk import read_frame, read_table, write_table
from profiling.store.engine import open_database, writing
from profiling.store.tables import TEXT

EVERYTHING = sa.Table(
    "everything",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("label", TEXT),
    sa.Column("number", sa.Double),
    sa.Column("day", sa.Date),
    sa.Column("moment", sa.DateTime),
    sa.Column("truth", sa.Boolean),
    sa.Column("order", sa.Integer),
)


def rows() -> pa.Table:
    return pa.table(
        {
            "id": [1, 2, 3],
            "label": ["Ärzte \"und\" 'mehr'; --", None, "a%s?"],
            "number": [1.5, None, -1e-300],
            "day": pa.array([date(2021, 2, 28), None, date(1899, 12, 31)]),
            "moment": pa.array([datetime(2021, 1, 2, 3, 4, 5, 678900), None, datetime(2021, 1, 2)]),
            "truth": [True, None, False],
            "order": pa.array([None, 7, -7], pa.int64()),
        }
    )


@pytest.fixture
def engine(database_url: str) -> Engine:
    engine = open_database(database_url)
    EVERYTHING.metadata.create_all(engine)
    return engine


def everything() -> sa.Select[tuple[object, ...]]:
    return sa.select(EVERYTHING).order_by(EVERYTHING.c.id)


@pytest.mark.parametrize("stage_from", [0, 10**9], ids=["adbc", "plain"])
def test_what_is_written_is_read(engine: Engine, stage_from: int) -> None:
    with writing(engine) as connection:
        write_table(connection, EVERYTHING, rows(), stage_from=stage_from)
    assert read_table(engine, everything()).to_pydict() == rows().to_pydict()


def test_adbc_and_the_plain_way_write_the_same_content(engine: Engine) -> None:
    stored = []
    for stage_from in (0, 10**9):
        with writing(engine) as connection:
            connection.execute(sa.delete(EVERYTHING))
            write_table(connection, EVERYTHING, rows(), stage_from=stage_from)
        with engine.connect() as connection:
            stored.append(connection.exec_driver_sql('SELECT * FROM everything ORDER BY "id"').all())
    assert stored[0] == stored[1]


def test_adbc_and_the_plain_way_read_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(engine) as connection:
        write_table(connection, EVERYTHING, rows())
    fast = read_table(engine, everything())
    monkeypatch.setattr(adbc, "available", lambda url: False)
    assert read_table(engine, everything()).equals(fast)


def test_adbc_is_used_where_its_driver_is(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []
    ingest, fetch = adbc.ingest, adbc.fetch
    monkeypatch.setattr(adbc, "ingest", lambda *a: (used.append("ingest"), ingest(*a)))
    monkeypatch.setattr(adbc, "fetch", lambda *a: (used.append("fetch"), fetch(*a))[1])
    with writing(engine) as connection:
        write_table(connection, EVERYTHING, rows(), stage_from=0)
    read_table(engine, everything())
    assert used == ["ingest", "fetch"]


@pytest.mark.parametrize("stage_from", [0, 10**9], ids=["adbc", "plain"])
def test_a_write_is_undone_with_its_transaction(engine: Engine, stage_from: int) -> None:
    def write_and_fail() -> None:
        with writing(engine) as connection:
            write_table(connection, EVERYTHING, rows(), stage_from=stage_from)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert read_table(engine, everything()).num_rows == 0
    assert sa.inspect(engine).get_table_names() == ["everything"]


def test_staging_leaves_nothing_behind(engine: Engine) -> None:
    for start in (0, 100):
        moved = rows().set_column(0, "id", pa.array([start + 1, start + 2, start + 3]))
        with writing(engine) as connection:
            write_table(connection, EVERYTHING, moved, stage_from=0)
            write_table(connection, EVERYTHING, pa.table({"id": [start + 50]}), stage_from=0)
    assert sa.inspect(engine).get_table_names() == ["everything"]
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            names = {name for _, name, _ in connection.exec_driver_sql("PRAGMA database_list")}
            assert names <= {"main", "temp"}
    assert read_table(engine, everything()).num_rows == 8


def test_late_values_after_many_nulls(engine: Engine) -> None:
    n = 70_000
    number = np.full(n, np.nan)
    number[-1] = 0.5
    label = [None] * (n - 1) + ["late"]
    data = pd.DataFrame({"id": np.arange(n), "number": number, "label": label})
    with writing(engine) as connection:
        write_table(connection, EVERYTHING, data)
    got = read_table(engine, everything())
    assert got.column("number").null_count == n - 1
    assert got.column("number")[-1].as_py() == 0.5
    assert got.column("label")[-1].as_py() == "late"


def test_parameters_are_bound(engine: Engine) -> None:
    with writing(engine) as connection:
        write_table(connection, EVERYTHING, rows())
    table = EVERYTHING.c
    for condition in (
        table.label == "Ärzte \"und\" 'mehr'; --",
        table.day.between(date(2021, 1, 1), date(2021, 12, 31)),
        table.number.in_([1.5, 2.5]),
        sa.and_(table.truth.is_(True), table.id <= 2.5),
        table.moment == datetime(2021, 1, 2, 3, 4, 5, 678900),
    ):
        statement = sa.select(table.id).where(condition)
        assert read_table(engine, statement).to_pydict() == {"id": [1]}


def test_text_is_ordered_by_code_point(engine: Engine) -> None:
    labels = ["b", "A", "a", "Z", "é", "a b", "a-b", "ab"]
    with writing(engine) as connection:
        write_table(connection, EVERYTHING, pd.DataFrame({"id": range(len(labels)), "label": labels}))
    read = read_table(engine, sa.select(EVERYTHING.c.label).order_by(EVERYTHING.c.label))
    assert read.column(0).to_pylist() == sorted(labels)


def test_read_frame_gives_none_for_missing_text(engine: Engine) -> None:
    with writing(engine) as connection:
        write_table(connection, EVERYTHING, rows())
    frame = read_frame(engine, everything())
    assert frame["label"].tolist()[1] is None
    assert frame["number"].dtype == float


def test_an_unknown_column_is_an_error(engine: Engine) -> None:
    with writing(engine) as connection, pytest.raises(KeyError, match="surplus"):
        write_table(connection, EVERYTHING, pa.table({"surplus": [1]}))


def test_the_error_of_a_refused_statement_holds_no_value(engine: Engine) -> None:
    def write_twice() -> None:
        with writing(engine) as connection:
            write_table(connection, EVERYTHING, pd.DataFrame({"id": [1], "label": ["SECRET"]}))
            write_table(connection, EVERYTHING, pd.DataFrame({"id": [1], "label": ["SECRET"]}))

    with pytest.raises(DatabaseError, match="refused a statement") as caught:
        write_twice()
    assert "SECRET" not in str(caught.value)
    assert caught.value.exit_code == 12


def test_a_database_in_memory_goes_the_plain_way() -> None:
    engine = open_database("sqlite:///:memory:")
    EVERYTHING.metadata.create_all(engine)
    with writing(engine) as connection:
        write_table(connection, EVERYTHING, rows(), stage_from=0)
        assert read_table(connection, everything()).num_rows == 3


def test_a_file_name_with_marks_of_an_address(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a#b 50%.db'}")
    EVERYTHING.metadata.create_all(engine)
    with writing(engine) as connection:
        write_table(connection, EVERYTHING, rows(), stage_from=0)
    assert read_table(engine, everything()).num_rows == 3

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.errors import DatabaseError, InternalError, LockHeld, UsageError
from profiling.store import migrations, runs
from profiling.store import tables as t
from profiling.store.engine import open_database, writing
from profiling.store.lock import run_lock

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Engine:
    engine = open_database(database_url)
    migrations.upgrade(engine)
    load = dict.fromkeys(("declaration_sha256", "sha256"), "f" * 64) | {"loaded_at": datetime(2024, 1, 1), "bytes": 9}
    with writing(engine) as connection:
        for load_id, current in ((1, False), (2, True)):
            counts = {"rows_read": 5, "rows_accepted": 3, "rows_rejected": 2, "is_current": current}
            named = {"load_id": load_id, "source": "encounters", "file_name": "e.csv"}
            connection.execute(sa.insert(t.loads), load | counts | named)
        for reject_id, load_id, rule in ((1, 1, "old"), (2, 2, "b"), (3, 2, "a"), (4, 2, "b")):
            row = {"reject_id": reject_id, "load_id": load_id, "rule_id": rule, "source_row": reject_id}
            connection.execute(sa.insert(t.rejects), row | {"column_name": "age"})
    return engine


def enter(engine: Engine, run_id: str, created_at: datetime = NOW) -> None:
    texts = {"version": "1", "title": "T", "config_text": "title: T\n", "config_sha256": "0" * 64}
    runs.new_run(engine, run_id=run_id, created_at=created_at, seed=1, threshold=11, **texts)


def results() -> dict[str, pd.DataFrame]:
    estimates = {"measure": "death", "level": "hospital", "provider": ["H10", "H1", "h2"], "n": [3, 2, 1]}
    return {
        "measures": pd.DataFrame({"measure": ["z", "a"], "position": [0, 1], "spec_json": "{}"}),
        "provider_estimates": pd.DataFrame(estimates | {"ratio": [1.0, float("nan"), 2.5], "surplus": 1}),
        "model_checks": pd.DataFrame({"measure": "a", "name": ["rows"], "value": [3], "note": [None]}),
        "predictions": pd.DataFrame({"measure": "a", "encounter_id": ["2", "10"], "outer_provider": "H1"}),
        "run_timings": pd.DataFrame({"stage": ["fit"], "seconds": [0.5]}),
    }


def test_a_run_is_read_as_it_was_written(engine: Engine) -> None:
    enter(engine, "r-1")
    runs.write_results(engine, "r-1", results())
    record = runs.read_run(engine, "r-1")
    assert record.run["status"] == "running"
    assert record.run["created_at"] == datetime(2024, 1, 1, 12)
    assert record.run_id == "r-1"
    assert record.measures["measure"].tolist() == ["z", "a"]
    assert record.provider_estimates["provider"].tolist() == ["H1", "H10", "h2"]
    assert record.provider_estimates["ratio"].isna().tolist() == [True, False, False]
    assert record.inputs["load_id"].tolist() == [2]
    assert record.loads["load_id"].tolist() == [2]
    assert record.rejects.to_dict("list") == {
        "source": ["encounters"] * 2,
        "rule_id": ["a", "b"],
        "column_name": ["age"] * 2,
        "rows": [1, 2],
    }
    assert record.timings["seconds"].tolist() == [0.5]
    assert runs.read_predictions(engine, "r-1", "a")["encounter_id"].tolist() == ["10", "2"]


def test_results_written_again_replace_the_first(engine: Engine) -> None:
    enter(engine, "r-1")
    runs.write_results(engine, "r-1", results())
    runs.write_results(engine, "r-1", {"model_checks": results()["model_checks"].assign(value=4)})
    record = runs.read_run(engine, "r-1")
    assert record.model_checks["value"].tolist() == [4]
    assert len(record.provider_estimates) == 3


def test_results_come_whole_or_not_at_all(engine: Engine) -> None:
    enter(engine, "r-1")
    bad = results()["model_checks"].assign(name=None)
    with pytest.raises(DatabaseError):
        runs.write_results(engine, "r-1", results() | {"model_checks": bad})
    assert runs.read_run(engine, "r-1").provider_estimates.empty
    with pytest.raises(InternalError, match="unknown tables"):
        runs.write_results(engine, "r-1", {"estimates": pd.DataFrame()})


def test_the_same_run_again_starts_anew(engine: Engine) -> None:
    enter(engine, "r-1")
    runs.write_results(engine, "r-1", results())
    enter(engine, "r-1")
    assert runs.read_run(engine, "r-1").provider_estimates.empty
    assert len(runs.list_runs(engine)) == 1


def test_the_newest_finished_run_is_the_latest(engine: Engine) -> None:
    assert runs.latest_run(engine) is None
    later = NOW.astimezone(timezone(timedelta(hours=-5))) + timedelta(minutes=1)
    enter(engine, "r-1")
    enter(engine, "r-2", later)
    enter(engine, "r-3", NOW + timedelta(days=1))
    runs.finish_run(engine, "r-1", "published")
    runs.finish_run(engine, "r-2", "fitted", output_json="{}")
    runs.finish_run(engine, "r-3", "failed")
    assert runs.latest_run(engine) == "r-2"
    assert runs.list_runs(engine)["run_id"].tolist() == ["r-3", "r-2", "r-1"]
    with pytest.raises(DatabaseError):
        runs.finish_run(engine, "r-1", "lost")


def test_an_unknown_run_is_named(engine: Engine) -> None:
    for attempt in (lambda: runs.read_run(engine, "r-9"), lambda: runs.finish_run(engine, "r-9", "failed")):
        with pytest.raises(UsageError, match="no run 'r-9' in this database"):
            attempt()


def test_reading_a_database_without_tables_is_a_database_error(database_url: str) -> None:
    empty = open_database(database_url)
    for attempt in (lambda: runs.read_run(empty, "r-1"), lambda: runs.list_runs(empty), lambda: runs.latest_run(empty)):
        with pytest.raises(DatabaseError, match="profiling db") as caught:
            attempt()
        assert caught.value.exit_code == 12


def test_one_run_at_a_time(engine: Engine) -> None:
    second = open_database(engine.url)
    with run_lock(engine):
        with pytest.raises(LockHeld, match="another run is at work") as caught, run_lock(second):
            pass
        assert caught.value.exit_code == 15
    with run_lock(second):
        pass


def test_the_lock_is_given_back_after_a_failure(engine: Engine) -> None:
    def fail() -> None:
        with run_lock(engine):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with run_lock(open_database(engine.url)):
        pass


def test_foreign_keys_are_held(engine: Engine) -> None:
    def orphan() -> None:
        with writing(engine) as connection:
            row = {"run_id": "none", "measure": "m", "name": "n", "value": 1.0}
            connection.execute(sa.insert(t.model_checks), row)

    with pytest.raises(DatabaseError, match=r"IntegrityError|ForeignKeyViolation"):
        orphan()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "not a database URL"),
        ("mysql://localhost/a", "a mysql address; expected sqlite or postgresql"),
        ("postgresql+psycopg://me:SECRET@127.0.0.1:1/none", "cannot be opened"),
        ("sqlite:////proc/nowhere/a.db", "cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_opened(url: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message) as caught:
        open_database(url)
    assert caught.value.exit_code == 12
    assert "SECRET" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: object) -> None:
    path = f"{tmp_path}/text.db"
    with open(path, "w") as file:
        file.write("this is no database" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        open_database(f"sqlite:///{path}")

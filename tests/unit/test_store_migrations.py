from __future__ import annotations

import pytest
import sqlalchemy as sa

from profiling.errors import DatabaseError
from profiling.store import migrations
from profiling.store.engine import open_database, writing
from profiling.store.tables import metadata


def test_migrated_schema_equals_the_metadata(database_url: str) -> None:
    engine = open_database(database_url)
    migrations.upgrade(engine)
    assert migrations.differences(engine) == []
    assert migrations.current(engine) == migrations.head()


def test_the_comparison_sees_a_difference(database_url: str) -> None:
    engine = open_database(database_url)
    migrations.upgrade(engine)
    with writing(engine) as connection:
        connection.execute(sa.text("ALTER TABLE runs ADD COLUMN surplus TEXT"))
        connection.execute(sa.text("DROP TABLE flags"))
    assert {difference[0] for difference in migrations.differences(engine)} == {"remove_column", "add_table"}


def test_up_down_up(database_url: str) -> None:
    engine = open_database(database_url)
    migrations.upgrade(engine)
    migrations.downgrade(engine, "base")
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}
    assert migrations.current(engine) is None
    migrations.upgrade(engine)
    assert set(metadata.tables) <= set(sa.inspect(engine).get_table_names())
    assert migrations.differences(engine) == []


def test_constraints_of_the_migration_bear_the_names_of_the_convention(database_url: str) -> None:
    engine = open_database(database_url)
    migrations.upgrade(engine)
    inspector = sa.inspect(engine)
    for table in metadata.tables.values():
        assert inspector.get_pk_constraint(table.name)["name"] == f"pk_{table.name}"
        foreign = {(key["name"], key["referred_table"]) for key in inspector.get_foreign_keys(table.name)}
        expected = {
            (f"fk_{table.name}_{key.parent.name}_{key.column.table.name}", key.column.table.name)
            for key in table.foreign_keys
        }
        assert foreign == expected
        checks = {check["name"] for check in inspector.get_check_constraints(table.name)}
        named = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
        assert len(checks) == len(named)
        assert all(str(name).startswith(f"ck_{table.name}_") for name in checks)


def test_an_old_database_is_refused_with_the_way_out(database_url: str) -> None:
    engine = open_database(database_url)
    with pytest.raises(DatabaseError, match=r"revision None.*profiling db upgrade"):
        migrations.require_head(engine)


def test_a_database_of_a_newer_program_is_refused(database_url: str) -> None:
    engine = open_database(database_url)
    migrations.upgrade(engine)
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="a schema this program does not know"):
        migrations.upgrade(engine)


def test_a_failing_migration_leaves_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_database(database_url)

    def create_and_fail(config: object, revision: str) -> None:
        config.attributes["connection"].execute(sa.text("CREATE TABLE half (a INTEGER)"))  # type: ignore[attr-defined]
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations.command, "upgrade", create_and_fail)
    with pytest.raises(RuntimeError):
        migrations.upgrade(engine)
    assert sa.inspect(engine).get_table_names() == []

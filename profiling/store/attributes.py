"""Attributes: the columns a load adds to the tables of records, one for each the configuration declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from profiling.errors import InternalError, Problem
from profiling.store.arrow import arrow_type
from profiling.store.tables import RECORDS, TEXT, core_columns

Types = Mapping[str, sa.types.TypeEngine[Any]]
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def record_table(source: Engine | Connection, name: str) -> sa.Table:
    """A table of records as it stands in the database: its own columns and the attributes added to it."""
    core = RECORDS[name]
    added = [
        sa.Column(column["name"], TEXT if isinstance(column["type"], sa.String) else column["type"])
        for column in sa.inspect(source).get_columns(name)
        if column["name"] not in core.c
    ]
    own = [sa.Column(column.name, column.type, primary_key=column.primary_key) for column in core.c]
    return sa.Table(name, sa.MetaData(), *own, *added)


def sync_attributes(connection: Connection, name: str, wanted: Types) -> None:
    """Give a table exactly these attributes; one whose type has changed starts anew, and its values are gone.

    Part of the caller's transaction, in which the rows are replaced as well.
    """
    for attribute in wanted:
        if not _NAME.fullmatch(attribute) or attribute in core_columns(name):
            raise InternalError(Problem(name, f"an attribute named {attribute!r}", "a new name in small letters"))
    standing = {column.name: column.type for column in record_table(connection, name).c}
    for attribute in [held for held in standing if held not in core_columns(name)]:
        if attribute not in wanted or arrow_type(standing[attribute]) != arrow_type(wanted[attribute]):
            connection.exec_driver_sql(f"ALTER TABLE {name} DROP COLUMN {_quoted(connection, attribute)}")
            del standing[attribute]
    for attribute, kind in wanted.items():
        if attribute not in standing:
            sql_type = kind.compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {_quoted(connection, attribute)} {sql_type}")


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)

"""The cohort of a measure: one SQL statement, alike on every database, and the count after each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.config import RECORD_IDS, Condition, Measure, Period, Settings
from profiling.errors import ConfigurationError, InputRejected, Problem
from profiling.store.attributes import record_table
from profiling.store.bulk import read_table
from profiling.store.engine import reading

_JOINED: Final = ("patients", "clinics")

Tables = Mapping[str, sa.Table]
Step = tuple[str, sa.ColumnElement[bool]]


@dataclass(frozen=True)
class Cohort:
    """The rows of a measure, the SQL that chose them (values written out, for the audit) and the way to them.

    `table`: encounter_id, provider columns, outcome, every column of the case mix, then what the measure carries
    beside its model, by encounter_id; case mix and companions may have nulls, the rest not. `flow`: position, step,
    rows_left.
    """

    table: pa.Table
    sql: str
    flow: pd.DataFrame


def read_cohort(engine: Engine, measure: Measure, settings: Settings) -> Cohort:
    """Read the cohort of a measure. Raises InputRejected when no row is left, with the step that took it."""
    tables = record_tables(engine)
    period = settings.period_of(measure)
    statement = cohort_statement(measure, tables, period)
    flow = _flow(engine, measure, tables, period)
    if int(flow["rows_left"].iloc[-1]) == 0:
        raise InputRejected(_emptied(measure, flow))
    return Cohort(read_table(engine, statement), written_out(engine, statement), flow)


def record_tables(engine: Engine) -> dict[str, sa.Table]:
    """The tables a cohort may draw on, with the attributes they have in this database."""
    return {name: record_table(engine, name) for name in ("encounters", *_JOINED)}


def cohort_statement(measure: Measure, tables: Tables, period: Period | None = None) -> sa.Select[Any]:
    """The statement that selects a measure's rows: encounters joined with what its columns need."""
    find = _finder(measure, tables)
    steps = list(_steps(measure, find, period))
    identity = tables["encounters"].c.encounter_id
    names = dict.fromkeys(_used(measure))
    chosen = [find(name).label(name) for name in names if name != "encounter_id"]
    selected = sa.select(identity, *chosen).select_from(_joined(measure, tables, period))
    return selected.where(*(condition for _, condition in steps)).order_by(identity)


def flow_statement(measure: Measure, tables: Tables, period: Period | None = None) -> sa.Select[Any]:
    """The statement that counts, in one pass, the rows left after each step."""
    steps = list(_steps(measure, _finder(measure, tables), period))
    counts: list[sa.ColumnElement[Any]] = [sa.func.count().label("step_0")]
    for index in range(1, len(steps) + 1):
        held = sa.and_(*(condition for _, condition in steps[:index]))
        counts.append(sa.func.count(sa.case((held, 1))).label(f"step_{index}"))
    return sa.select(*counts).select_from(_joined(measure, tables, period))


def written_out(engine: Engine, statement: sa.Select[Any]) -> str:
    """The statement in the words of the engine's database, with its values in place."""
    return str(statement.compile(engine, compile_kwargs={"literal_binds": True}))


def _flow(engine: Engine, measure: Measure, tables: Tables, period: Period | None) -> pd.DataFrame:
    with reading(engine) as connection:
        counts = connection.execute(flow_statement(measure, tables, period)).one()
    words = ["all encounters", *(word for word, _ in _steps(measure, _finder(measure, tables), period))]
    return pd.DataFrame({"position": range(len(words)), "step": words, "rows_left": [int(n) for n in counts]})


def _finder(measure: Measure, tables: Tables) -> Any:
    """Looks a column up in encounters, then patients, then clinics."""

    def find(name: str) -> sa.ColumnElement[Any]:
        for table in tables.values():
            if name in table.c and name != "load_id":
                return table.c[name]
        places = ", ".join(tables)
        expected = f"a column of {places}"
        advice = "Declare it under columns of its source, then load again"
        raise ConfigurationError(Problem(f"measures.{measure.name}", f"no column {name!r}", expected, advice))

    return find


def _providers(measure: Measure) -> tuple[str, ...]:
    return tuple(level.column for level in measure.providers)


def _used(measure: Measure) -> tuple[str, ...]:
    return (*_providers(measure), measure.outcome, *measure.case_mix_columns, *measure.companion_columns)


def _joined(measure: Measure, tables: Tables, period: Period | None) -> sa.FromClause:
    """Encounters with the tables that the measure's columns come from; no encounter is lost in a join."""
    encounters, find = tables["encounters"], _finder(measure, tables)
    used = {*_used(measure), *measure.cohort}
    sources = {find(name).table.name for name in used}
    joined: sa.FromClause = encounters
    for name in _JOINED:
        if name in sources:
            key = RECORD_IDS[name]
            joined = joined.outerjoin(tables[name], encounters.c[key] == tables[name].c[key])
    return joined


def _steps(measure: Measure, find: Any, period: Period | None) -> Iterator[Step]:
    if period is not None:
        admitted = find("admitted")
        yield f"admitted {period.start} to {period.end}", admitted.between(period.start, period.end)
    for name, condition in measure.cohort.items():
        yield from _condition(name, find(name), condition)
    for level in measure.providers:
        yield f"{level.level} recorded", find(level.column).is_not(None)
    yield f"{measure.outcome} recorded", find(measure.outcome).is_not(None)
    if measure.base_column:
        yield f"{measure.base_column} above zero", find(measure.base_column) > 0


def _condition(name: str, column: Any, condition: Condition) -> Iterator[Step]:
    if condition.minimum is not None:
        yield f"{name} at least {condition.minimum}", column >= _value(column, condition.minimum)
    if condition.maximum is not None:
        yield f"{name} at most {condition.maximum}", column <= _value(column, condition.maximum)
    if condition.in_ is not None:
        yield f"{name} {_listed(condition.in_)}", column.in_(_values(column, condition.in_))
    if condition.not_in is not None:
        yield f"{name} not {_listed(condition.not_in)}", column.not_in(_values(column, condition.not_in))
    if condition.equals is not None:
        yield f"{name} is {condition.equals}", column == _value(column, condition.equals)
    if condition.not_missing:
        yield f"{name} recorded", column.is_not(None)


def _listed(values: Sequence[Any]) -> str:
    return " or ".join(map(str, values))


def _values(column: Any, values: Sequence[Any]) -> list[Any]:
    return [_value(column, value) for value in values]


def _value(column: Any, value: Any) -> Any:
    """A value of the configuration in the column's type: SQLite would compare others, PostgreSQL refuse."""
    kind = column.type
    try:
        if isinstance(kind, sa.String):
            return sa.literal(str(value), kind)
        if isinstance(kind, sa.Date):
            return sa.literal(value if isinstance(value, date) else date.fromisoformat(str(value)), kind)
        if isinstance(kind, sa.Boolean):
            return sa.literal(bool(value), kind)
        return sa.literal(float(value), sa.Double())
    except (TypeError, ValueError) as error:
        found = f"a condition on {column.name!r} that is not a value of its type"
        raise ConfigurationError(Problem("cohort", found, f"a value of type {kind!s}")) from error


def _emptied(measure: Measure, flow: pd.DataFrame) -> Problem:
    last = flow[flow["rows_left"] == 0].iloc[0]
    before = int(flow["rows_left"].iloc[max(int(last["position"]) - 1, 0)])
    found = f"no encounter is left after the step '{last['step']}', which {before:,} rows reached"
    advice = "Check the period, the cohort and that the columns are filled"
    return Problem(f"measures.{measure.name}", found, "at least one encounter", advice)

"""Rules of the records: each has an id, looks at whole columns and says which rows break it.

Ids are `<source>.<column>.<kind>`; kinds: required, type, range, allowed, unique, referential, temporal, length, and
`<source>.row.fields` for lines with the wrong number of fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from profiling.etl.casting import EXPECTED, Mask, cast_column, present
from profiling.etl.columns import REFERENCES, Column
from profiling.etl.comments import SOURCE as COMMENTS
from profiling.etl.comments import comment_rules


@dataclass(frozen=True)
class Finding:
    """One rule applied to one table: which rows it could judge and which of them break it."""

    rule_id: str
    column: str
    expected: str
    checked: Mask
    broken: Mask


@dataclass(frozen=True)
class Judged:
    """A table in its types, with everything the rules found about it."""

    table: pa.Table
    findings: tuple[Finding, ...]

    @property
    def rejected(self) -> Mask:
        """Rows that break at least one rule."""
        broken = np.zeros(self.table.num_rows, dtype=np.bool_)
        for finding in self.findings:
            broken |= finding.broken
        return broken

    @property
    def accepted(self) -> pa.Table:
        """The rows that break no rule."""
        return self.table.filter(pa.array(~self.rejected))


def judge(
    source: str,
    text: pa.Table,
    columns: tuple[Column, ...],
    known: Mapping[str, pa.Array],
    births: pa.Table | None = None,
    providers: Mapping[str, pa.Array] | None = None,
) -> Judged:
    """Apply all rules to a table of text cells.

    `known`: for each referenced source the ids of its accepted records; `births`: patient_id and birth_date
    of the accepted patients; `providers`: ids by level, of whom comments may be. Sources absent from `known` are not
    checked against.
    """
    held = [column for column in columns if column.name in text.column_names]
    typed: dict[str, pa.ChunkedArray] = {}
    findings: list[Finding] = []
    for column in held:
        cells = text.column(column.name)
        typed[column.name], unread = cast_column(cells, column.kind)
        findings += _cell_rules(source, column, cells, typed[column.name], unread)
    findings += _references(source, typed, known)
    findings += _temporal(source, typed, births)
    if source == COMMENTS:
        checked = comment_rules(typed, providers or {})
        findings += [Finding(rule_id(source, name, kind), name, *rest) for name, kind, *rest in checked]
    return Judged(pa.table(typed), tuple(findings))


def rule_id(source: str, column: str, kind: str) -> str:
    """The id of a rule."""
    return f"{source}.{column}.{kind}"


def _cell_rules(
    source: str, column: Column, text: pa.ChunkedArray, typed: pa.ChunkedArray, unread: Mask
) -> Iterator[Finding]:
    def finding(kind: str, expected: str, checked: Mask, broken: Mask) -> Finding:
        name = rule_id(source, column.name, kind)
        return Finding(name, column.name, expected, checked, broken & checked)

    there, every = present(text), np.ones(len(text), dtype=np.bool_)
    if column.required:
        yield finding("required", "a value in every row", every, ~there)
    yield finding("type", EXPECTED[column.kind], there, unread)
    readable = there & ~unread
    if column.minimum is not None or column.maximum is not None:
        yield finding("range", _between(column), readable, _outside(typed, column))
    if column.allowed is not None:
        words = "one of " + ", ".join(map(str, column.allowed))
        yield finding("allowed", words, readable, ~_is_in(typed, column))
    if column.unique:
        yield finding("unique", "every id once", readable, _repeated(typed))


def _between(column: Column) -> str:
    low = f"at least {column.minimum}" if column.minimum is not None else ""
    high = f"at most {column.maximum}" if column.maximum is not None else ""
    return " and ".join(part for part in (low, high) if part)


def _bound(value: float | date | None, kind: pa.DataType) -> pa.Scalar | None:
    """A bound as a value of the column; numbers stay floating so that 0.5 also bounds whole numbers."""
    if value is None:
        return None
    return pa.scalar(value, pa.date32()) if pa.types.is_date(kind) else pa.scalar(float(value))  # type: ignore[arg-type]


def _outside(typed: pa.ChunkedArray, column: Column) -> Mask:
    low, high = (_bound(value, typed.type) for value in (column.minimum, column.maximum))
    values = typed.cast(pa.float64(), safe=False) if pa.types.is_integer(typed.type) else typed
    below = _true(pc.less(values, low)) if low is not None else False
    above = _true(pc.greater(values, high)) if high is not None else False
    return np.asarray(below | above, dtype=np.bool_)


def _is_in(typed: pa.ChunkedArray, column: Column) -> Mask:
    allowed = [str(value) if column.kind == "text" else value for value in column.allowed or ()]
    return _true(pc.is_in(typed, value_set=pa.array(allowed).cast(typed.type)))


def _repeated(typed: pa.ChunkedArray) -> Mask:
    """Rows whose id an earlier row has."""
    codes = pd.factorize(typed.to_pandas())[0]
    return np.asarray(pd.Series(codes).duplicated().to_numpy() & (codes >= 0), dtype=np.bool_)


def _references(source: str, typed: Mapping[str, pa.ChunkedArray], known: Mapping[str, pa.Array]) -> Iterator[Finding]:
    for name, target in REFERENCES[source].items():
        if name in typed and target in known:
            there = present(typed[name])
            absent = there & ~_true(pc.is_in(typed[name], value_set=known[target]))
            expected = f"the id of an accepted row of {target}"
            yield Finding(rule_id(source, name, "referential"), name, expected, there, absent)


def _temporal(source: str, typed: Mapping[str, pa.ChunkedArray], births: pa.Table | None) -> Iterator[Finding]:
    if source != "encounters" or "admitted" not in typed:
        return
    admitted = typed["admitted"]
    if "discharged" in typed:
        yield _order(source, "discharged", typed["discharged"], admitted, "no discharge before the admission")
    if births is not None and "patient_id" in typed:
        place = pc.index_in(typed["patient_id"], value_set=births.column("patient_id"))
        born = births.column("birth_date").take(place)
        yield _order(source, "admitted", admitted, born, "no admission before birth")


def _order(source: str, name: str, later: Any, earlier: Any, expected: str) -> Finding:
    comparison = pc.less(later, earlier)
    return Finding(rule_id(source, name, "temporal"), name, expected, present(comparison), _true(comparison))


def _true(values: Any) -> Mask:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=np.bool_)

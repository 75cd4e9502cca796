from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiling.etl.casting import cast_column
from profiling.etl.columns import Column
from profiling.etl.reading import read_file
from profiling.etl.rules import judge


def column(name: str, kind: str = "text", **rules: object) -> Column:
    given = {"canonical": False, "declared": True, "required": False, "unique": False} | rules
    return Column(name=name, in_file=name, kind=kind, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "7", 7),
        ("integer", "+7", 7),
        ("integer", "-007", -7),
        ("integer", "7.00", 7),
        ("integer", "7.5", None),
        ("integer", "1e3", None),
        ("integer", "9" * 18, 10**18 - 1),
        ("integer", "9" * 19, None),
        ("number", "1.5", 1.5),
        ("number", ".5", 0.5),
        ("number", "+5.", 5.0),
        ("number", "-1.5E-3", -0.0015),
        ("number", "1e999", None),
        ("number", "1,5", None),
        ("number", "inf", None),
        ("number", "0x10", None),
        ("date", "2021-12-31", date(2021, 12, 31)),
        ("date", "2021-12-31T10:00:00Z", date(2021, 12, 31)),
        ("date", "2020-02-29", date(2020, 2, 29)),
        ("date", "1900-02-29", None),
        ("date", "2000-02-29", date(2000, 2, 29)),
        ("date", "2021-04-31", None),
        ("date", "2021-13-01", None),
        ("date", "2021-00-10", None),
        ("date", "31.12.2021", None),
        ("date", "2021-1-1", None),
        ("date", "0000-01-01", None),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", "maybe", None),
        ("text", "Ärzte", "Ärzte"),
    ],
)
def test_cells_are_read_or_marked(kind: str, text: str, value: object) -> None:
    typed, unread = cast_column(pa.chunked_array([[text, None]], pa.string()), kind)
    assert typed.to_pylist() == [value, None]
    assert unread.tolist() == [value is None, False]


@given(st.dates(min_value=date(1, 1, 1)))
def test_every_day_of_the_calendar_is_read(day: date) -> None:
    typed, unread = cast_column(pa.chunked_array([[day.isoformat()]]), "date")
    assert typed.to_pylist() == [day]
    assert not unread.any()


@given(st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=1, max_size=20))
def test_no_text_makes_the_reading_of_cells_fail(texts: list[str | None]) -> None:
    for kind in ("integer", "number", "date", "boolean", "text"):
        typed, unread = cast_column(pa.chunked_array([texts], pa.string()), kind)
        assert len(typed) == len(texts)
        missing = np.array([value is None for value in texts])
        assert not (unread & missing).any()


@given(st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=30))
def test_of_equal_ids_the_first_stands(ids: list[str | None]) -> None:
    table = pa.table({"id": pa.array(ids, pa.string())})
    judged = judge("clinics", table, (column("id", unique=True, required=True),), {})
    assert judged.accepted.column("id").to_pylist() == list(dict.fromkeys(i for i in ids if i is not None))
    assert judged.accepted.num_rows + int(judged.rejected.sum()) == len(ids)


def test_each_rule_counts_what_it_could_judge() -> None:
    table = pa.table({"age": ["5", "x", None, "212", "-1", "0.5"]})
    rules = (column("age", "number", minimum=0, maximum=120, required=True, allowed=(5, 212, 0.5)),)
    found = {
        f.rule_id: (int(f.checked.sum()), np.flatnonzero(f.broken).tolist())
        for f in judge("encounters", table, rules, {}).findings
    }
    assert found == {
        "encounters.age.required": (6, [2]),
        "encounters.age.type": (5, [1]),
        "encounters.age.range": (4, [3, 4]),
        "encounters.age.allowed": (4, [4]),
    }


def test_a_bound_with_a_fraction_holds_for_whole_numbers() -> None:
    judged = judge("encounters", pa.table({"n": ["0", "1"]}), (column("n", "integer", minimum=0.5),), {})
    assert judged.rejected.tolist() == [True, False]


def test_a_long_number_is_compared_too() -> None:
    rules = (column("n", "integer", maximum=10, allowed=(1.0, 2)),)
    judged = judge("encounters", pa.table({"n": ["9" * 18, "2"]}), rules, {})
    assert judged.rejected.tolist() == [True, False]


def test_days_are_compared_with_days() -> None:
    rules = (column("seen", "date", minimum=date(2021, 1, 1)),)
    judged = judge("encounters", pa.table({"seen": ["2020-12-31", "2021-01-01", None]}), rules, {})
    assert judged.rejected.tolist() == [True, False, False]


def test_a_reference_is_checked_only_against_what_is_known() -> None:
    table = pa.table({"clinic_id": ["H1", "H9", None]})
    rules = (column("clinic_id"),)
    assert judge("encounters", table, rules, {"clinics": pa.array(["H1"])}).rejected.tolist() == [False, True, False]
    assert judge("encounters", table, rules, {}).rejected.tolist() == [False, False, False]


FIELDS = st.lists(st.sampled_from(["1", "", "x", '"a,b"', '"l\nm"', "NA"]), min_size=1, max_size=4)


@given(lines=st.lists(FIELDS, min_size=1, max_size=12))
def test_every_line_is_a_row_or_ragged(lines: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    text = "a,b,c\n" + "\n".join(",".join(fields) for fields in lines) + "\n"
    path.write_text(text)
    # A line of one empty field is a blank line, and no row.
    kept = [fields for fields in lines if fields != [""]]
    if not kept:
        return
    read = read_file(path, (column("a"),), "sources.test")
    ragged = [row for row, fields in enumerate(kept, 1) if len(fields) != 3]
    assert read.ragged.tolist() == ragged
    assert read.rows_read == len(kept)
    meant = {"": None, "NA": None, '"a,b"': "a,b", '"l\nm"': "l\nm"}
    whole = [fields[0] for fields in kept if len(fields) == 3]
    assert read.table.column("a").to_pylist() == [meant.get(field, field) for field in whole]
    assert read.rows.tolist() == [row for row in range(1, len(kept) + 1) if row not in ragged]


def test_a_byte_order_mark_and_blanks_in_the_header_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeffa , b\n 1 ,2\n".encode())
    read = read_file(path, (column("a", declared=True), column("b")), "sources.test")
    assert read.table.to_pydict() == {"a": ["1"], "b": ["2"]}

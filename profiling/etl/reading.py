"""Files into columns of text: every cell as written, so that a bad one costs its row and never the file."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from profiling.errors import Problem
from profiling.etl.columns import Column, must_be_in_file

MISSING: Final = ("", "NA", "N/A", "NaN", "nan", "NULL", "null")
"""Cells that mean `no value`, after blanks around them are taken off."""

_HEADER_BYTES: Final = 1 << 20


class Unreadable(Exception):
    """A file cannot be read as records; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True)
class FileText:
    """One file read: `table` has a text column for each wanted column it holds, under our names.

    `rows` are the row numbers of the table's rows (data rows count from 1), `ragged` those of the lines with
    too many or too few fields, which are in no other place.
    """

    path: Path
    sha256: str
    size: int
    table: pa.Table
    rows: npt.NDArray[np.int64]
    ragged: npt.NDArray[np.int64]

    @property
    def rows_read(self) -> int:
        """All data rows of the file."""
        return len(self.rows) + len(self.ragged)


def fingerprint(path: Path, where: str) -> tuple[str, int]:
    """SHA-256 and size of a file. Raises Unreadable when it is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
    except FileNotFoundError:
        near = get_close_matches(path.name, _names_beside(path), n=1)
        advice = f"Did you mean {near[0]}?" if near else "Check `file:` in the configuration"
        raise Unreadable(Problem(where, f"no file {path.name}", "an existing file", advice)) from None
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise Unreadable(Problem(where, f"{path.name} is not readable ({reason})", "a readable file")) from None


def read_file(path: Path, columns: tuple[Column, ...], where: str) -> FileText:
    """Read the wanted columns of a file as text. Raises Unreadable with every problem of the file."""
    sha256, size = fingerprint(path, where)
    if size == 0:
        raise Unreadable(Problem(where, f"{path.name} is empty", "a header and rows", "Export the file again"))
    read = _read_parquet if path.name.endswith(".parquet") else _read_csv
    table, ragged = read(path, columns, where)
    total = table.num_rows + len(ragged)
    rows = np.setdiff1d(np.arange(1, total + 1, dtype=np.int64), ragged, assume_unique=True)
    if total == 0:
        raise Unreadable(Problem(where, f"{path.name} has a header and no rows", "rows", "Export the file again"))
    return FileText(path, sha256, size, _numbered(table, columns, rows), rows, ragged)


def _names_beside(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir()) if path.parent.is_dir() else []


def _numbered(table: pa.Table, columns: tuple[Column, ...], rows: npt.NDArray[np.int64]) -> pa.Table:
    for column in columns:
        if column.row_number:
            table = table.append_column(column.name, pa.array(rows).cast(pa.string()))
    return table


def _read_csv(path: Path, columns: tuple[Column, ...], where: str) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    data = _bytes_of(path, where)
    header = _header(data, path, where)
    wanted = _wanted([name.strip() for name in header], columns, path, where)
    ragged: list[int] = []

    def set_aside(row: Any) -> str:
        ragged.append(row.number - 1)
        return "skip"

    try:
        table = pacsv.read_csv(
            io.BytesIO(data),
            # One thread: only then does the reader say which row a ragged line is.
            read_options=pacsv.ReadOptions(use_threads=False),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=set_aside),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.binary()),
                include_columns=list(dict.fromkeys(header[place] for _, place in wanted.values())),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise Unreadable(_not_a(path, "CSV file", where)) from error
    texts = {
        ours: _decoded(table.column(header[place]), theirs, path, where) for ours, (theirs, place) in wanted.items()
    }
    return _as_table(texts, table.num_rows), np.array(ragged, dtype=np.int64)


def _bytes_of(path: Path, where: str) -> bytes:
    try:
        data = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        cut = "is cut short" if isinstance(error, EOFError) else "is not a gzip file"
        advice = "Copy it again, or name it .csv if it is not compressed"
        raise Unreadable(Problem(where, f"{path.name} {cut}", "a whole gzip file", advice)) from error
    if data.count(b'"') % 2:
        found = f"{path.name} has a quotation mark that is opened and never closed"
        raise Unreadable(Problem(where, found, "quotation marks in pairs, doubled inside a cell", "Export it again"))
    return data


def _header(data: bytes, path: Path, where: str) -> list[str]:
    text = data[:_HEADER_BYTES].decode("utf-8-sig", errors="surrogateescape")
    try:
        header = next((row for row in csv.reader(io.StringIO(text, newline="")) if row), [])
        "".join(header).encode()
    except (UnicodeEncodeError, csv.Error) as error:
        raise Unreadable(_not_a(path, "text file in UTF-8", where)) from error
    if not any(name.strip() for name in header):
        raise Unreadable(Problem(where, f"{path.name} has no header", "names of columns in the first line"))
    return header


def _read_parquet(path: Path, columns: tuple[Column, ...], where: str) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    try:
        file = pq.ParquetFile(path)
        wanted = _wanted(file.schema_arrow.names, columns, path, where)
        table = file.read(columns=[theirs for theirs, _ in wanted.values()])
        texts = {ours: _text_of(table.column(theirs)) for ours, (theirs, _) in wanted.items()}
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(_not_a(path, "Parquet file with plain columns", where)) from error
    return _as_table(texts, table.num_rows), np.array([], dtype=np.int64)


def _text_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return _trimmed(column.cast(pa.string()))


def _wanted(header: list[str], columns: tuple[Column, ...], path: Path, where: str) -> dict[str, tuple[str, int]]:
    """For each of our columns in the file its name and place there; raises all that is missing or doubled."""
    sought = [column for column in columns if not column.row_number]
    twice = {name for name, times in Counter(header).items() if times > 1}
    problems = [
        Problem(
            where,
            f"{path.name} has the column {name!r} more than once",
            "every column once",
            "Rename or remove one of them",
        )
        for name in dict.fromkeys(column.in_file for column in sought)
        if name in twice
    ]
    absent = [column for column in sought if column.in_file not in header]
    problems += [_absent(column, header, path, where) for column in absent if must_be_in_file(column)]
    if problems:
        raise Unreadable(*problems)
    return {column.name: (column.in_file, header.index(column.in_file)) for column in sought if column not in absent}


def _absent(column: Column, header: list[str], path: Path, where: str) -> Problem:
    near = get_close_matches(column.in_file, header, n=1, cutoff=0.5)
    advice = f"Did you mean {near[0]!r}? " if near else ""
    advice += f"Say `{column.name}: {{from: name in the file}}` under columns"
    return Problem(where, f"{path.name} has no column {column.in_file!r}", "it in the header", advice)


def _decoded(column: pa.ChunkedArray, name: str, path: Path, where: str) -> pa.ChunkedArray:
    try:
        return _trimmed(column.cast(pa.string()))
    except pa.ArrowInvalid as error:
        found = f"{path.name} has bytes that are not UTF-8 in column {name!r}"
        raise Unreadable(Problem(where, found, "text in UTF-8", "Save the file as UTF-8")) from error


def _trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(text, value_set=pa.array(MISSING, pa.string()))
    return pc.if_else(missing, pa.scalar(None, pa.string()), text)


def _as_table(columns: dict[str, pa.ChunkedArray], rows: int) -> pa.Table:
    # A table without columns would forget how many rows it has.
    return pa.table(columns) if columns else pa.table({"": pa.nulls(rows)})


def _not_a(path: Path, kind: str, where: str) -> Problem:
    return Problem(where, f"{path.name} cannot be read as a {kind}", f"a {kind}", "Export it again")

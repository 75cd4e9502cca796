"""Text into numbers, dates and truth values, by cell: what cannot be read is marked, nothing is raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]

_INTEGER: Final = r"^[+-]?[0-9]{1,18}(\.0*)?$"
_NUMBER: Final = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"
_TRUE: Final = ("true", "t", "yes", "y", "1")
_FALSE: Final = ("false", "f", "no", "n", "0")
_DAYS: Final = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])

EXPECTED: Final = {
    "integer": "whole numbers",
    "number": "numbers",
    "date": "dates as 2021-12-31",
    "boolean": "true or false",
    "text": "text",
}
"""What each type accepts, in words."""


def cast_column(text: pa.ChunkedArray, kind: str) -> tuple[pa.ChunkedArray, Mask]:
    """A text column in its type, and a mask of the cells that cannot be read; those become null."""
    judge, cast = _KINDS[kind]
    readable = _mask(judge(text)) | ~present(text)
    kept = pc.if_else(pa.array(readable), text, pa.scalar(None, pa.string()))
    return cast(kept), ~readable


def present(column: pa.ChunkedArray) -> Mask:
    """Where a column has a value."""
    return _mask(pc.is_valid(column))


def _mask(values: pa.ChunkedArray) -> Mask:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _matches(pattern: str) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    return lambda text: pc.match_substring_regex(text, pattern)


def _is_number(text: pa.ChunkedArray) -> pa.ChunkedArray:
    shaped = pc.match_substring_regex(text, _NUMBER)
    # 1e999 has the shape of a number and is none.
    kept = pc.if_else(pc.fill_null(shaped, False), text, pa.scalar(None, pa.string()))
    return pc.is_finite(_to_number(kept))


def _is_date(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Days that exist: the shape is right, the month is 1-12 and has such a day."""
    shaped = pc.fill_null(pc.match_substring_regex(text, _DATE), False)
    plain = pc.if_else(shaped, pc.utf8_slice_codeunits(text, 0, 10), pa.scalar("0001-01-01"))
    year, month, day = (
        pc.utf8_slice_codeunits(plain, start, stop).cast(pa.int64()).to_numpy()
        for start, stop in ((0, 4), (5, 7), (8, 10))
    )
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = _DAYS[np.clip(month, 1, 12) - 1] + (leap & (month == 2))
    exists = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= days)
    return pa.chunked_array([pc.and_(shaped.combine_chunks(), pa.array(exists))])


def _is_boolean(text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(pc.utf8_lower(text), value_set=pa.array([*_TRUE, *_FALSE]))


def _is_text(text: pa.ChunkedArray) -> pa.ChunkedArray:
    # No database keeps a zero byte inside text.
    return pc.invert(pc.match_substring(text, "\0"))


def _to_number(text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(text, r"^\+", "").cast(pa.float64())


def _to_integer(text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(text, r"^\+|\.0*$", "").cast(pa.int64())


def _to_date(text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_slice_codeunits(text, 0, 10).cast(pa.date32())


def _to_boolean(text: pa.ChunkedArray) -> pa.ChunkedArray:
    truth = pc.is_in(pc.utf8_lower(text), value_set=pa.array(_TRUE))
    return pc.if_else(pc.is_valid(text), truth, pa.scalar(None, pa.bool_()))


Kernel = Callable[[pa.ChunkedArray], pa.ChunkedArray]
_KINDS: Final[dict[str, tuple[Kernel, Kernel]]] = {
    "integer": (_matches(_INTEGER), _to_integer),
    "number": (_is_number, _to_number),
    "date": (_is_date, _to_date),
    "boolean": (_is_boolean, _to_boolean),
    "text": (_is_text, lambda text: text),
}
"""For each type what tells readable cells, and what reads them."""

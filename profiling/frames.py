"""Data from Arrow as a frame of the columns that a model names, read where they lie.

A column of numbers in one piece becomes a view of Arrow's memory; real numbers in several pieces stay Arrow's and are
joined one column at a time when they are read, so that the design exists in no copy but the sorted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem


def frame_of(data: Any, *texts: Any) -> pd.DataFrame:
    """Return a pandas frame as it is, anything of Arrow as a frame of the columns that one of the `texts` mentions.

    `data`: a pandas.DataFrame, a pyarrow Table, RecordBatch, RecordBatchReader or sequence of batches, or whatever
    offers an Arrow stream (polars, duckdb). Texts that are None or arrays mention nothing. Raises ModelError.
    """
    if isinstance(data, pd.DataFrame):
        return data
    table = _table(data)
    mentioned = " ".join(text for text in texts if isinstance(text, str))
    names = [name for name in table.column_names if name in mentioned]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ModelError(
            Problem(f"column {name}", "stands twice in the data", "names that are unique", "Rename one of them")
            for name in sorted(twice)
        )
    columns = {name: _column(table.column(name)) for name in names}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)


def _table(data: Any) -> Any:
    """Return a pyarrow Table over the memory of `data`."""
    import pyarrow as pa

    if isinstance(data, Sequence) and len(data) and all(isinstance(part, pa.RecordBatch) for part in data):
        return pa.Table.from_batches(data)
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if isinstance(data, pa.RecordBatchReader):
        return data.read_all()
    if isinstance(data, pa.Table):
        return data
    if hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    expected = "a pandas frame, an Arrow table or record batches"
    raise ModelError(Problem("data", f"a {type(data).__name__}", expected, "Make a pandas.DataFrame of it"))


def _column(column: Any) -> Any:
    """Return one chunked column as pandas holds it, without a copy where there is none to make."""
    import pyarrow as pa

    kind = column.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if number and not column.null_count and column.num_chunks == 1:
        return column.chunk(0).to_numpy(zero_copy_only=True)
    if pa.types.is_floating(kind) and column.num_chunks > 1:
        return pd.Series(pd.arrays.ArrowExtensionArray(column))
    if number or pa.types.is_decimal(kind):
        return column.cast(pa.float64()).to_numpy() if column.null_count or not number else column.to_numpy()
    return column.to_pandas()


def in_memory(frame: pd.DataFrame, names: set[str]) -> pd.DataFrame:
    """Return the frame with the named columns that Arrow still holds joined into numpy's."""
    held = [name for name in frame.columns if name in names and isinstance(frame[name].dtype, pd.ArrowDtype)]
    numbers = {name: frame[name] for name in held if frame[name].dtype.kind in "fiu"}
    return frame.assign(**{n: c.to_numpy(dtype=float, na_value=np.nan) for n, c in numbers.items()}) if held else frame

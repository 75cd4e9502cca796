"""A frame's columns as the rows of a matrix, put where the design wants them: one read, one write, in threads.

Numba cannot take a list of arrays of which each lies elsewhere; their addresses and strides can be passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba as nb
import numpy as np
from numba.core import types
from numba.extending import intrinsic

TILE = 4096
TOGETHER = 8  # columns written at once: a cache line of a row, and no more than that converted at a time


def _to_pointer(context: Any, address: Any) -> Any:
    """Return type and code of an integer address made a pointer to float64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    pointer: Any = types.CPointer
    return pointer(types.float64)(address), generate


_pointer: Any = intrinsic(_to_pointer)
_array: Any = vars(nb)["carray"]


@nb.njit(parallel=True, cache=True)
def _scatter(addresses: np.ndarray, strides: np.ndarray, place: np.ndarray, first: int, out: np.ndarray) -> None:
    n = len(place)
    for t in nb.prange((n + TILE - 1) // TILE):
        for j in range(len(addresses)):
            column = _array(_pointer(addresses[j]), (strides[j] * (n - 1) + 1,))
            step = strides[j]
            for i in range(t * TILE, min(n, (t + 1) * TILE)):
                out[place[i], first + j] = column[i * step]


def stack(columns: Sequence[np.ndarray], place: np.ndarray) -> np.ndarray:
    """Return a column of ones and the columns as rows (n, 1 + p), row i of the data standing in row place[i] (n)."""
    n = len(place)
    out = np.empty((n, len(columns) + 1))
    out[:, 0] = 1.0
    for first in range(0, len(columns) if n else 0, TOGETHER):
        # Converted and backward columns are copies that live until the kernel has read them.
        together = [_readable(column) for column in columns[first : first + TOGETHER]]
        addresses = np.array([column.ctypes.data for column in together], dtype=np.int64)
        strides = np.array([column.strides[0] // 8 for column in together], dtype=np.int64)
        _scatter(addresses, strides, place, first + 1, out)
    return out


def _readable(column: np.ndarray) -> np.ndarray:
    """Return the column as float64 whose step is a whole number of values forward."""
    values = np.asarray(column, dtype=np.float64)
    aligned = values.ctypes.data % 8 == 0 and values.strides[0] % 8 == 0 and values.strides[0] >= 0
    return values if aligned else np.ascontiguousarray(values)

"""The sparse columns of a component's Schur complement, which are eliminated before its dense core.

A component of s coefficients has its first `sparse` columns stored as (pivot, rows below in ascending order, values)
and the rest as a dense core (s - sparse, s - sparse). Column j, once scaled, is taken off the columns and the core
below it (right-looking). `selected_inverse` follows Takahashi, Fagan & Chen (1973): the entries of the inverse
on the factor's own pattern come from the core's inverse, last column first.
"""

from __future__ import annotations

import numba as nb
import numpy as np


@nb.njit(cache=True)
def find(rows: np.ndarray, first: int, last: int, row: int) -> int:
    """Return where `row` stands in the ascending rows[first:last], in which it is known to be."""
    while last - first > 1:
        middle = (first + last) // 2
        if rows[middle] <= row:
            first = middle
        else:
            last = middle
    return first


@nb.njit(cache=True)
def factor_columns(ptr: np.ndarray, rows: np.ndarray, pivot: np.ndarray, values: np.ndarray, core: np.ndarray) -> float:
    """Factor the sparse columns in place and take them off the core's lower triangle; return log of their share."""
    sparse = len(ptr) - 1
    log_determinant = 0.0
    for j in range(sparse):
        if not pivot[j] > 0.0:
            return np.nan
        pivot[j] = np.sqrt(pivot[j])
        log_determinant += 2.0 * np.log(pivot[j])
        for s in range(ptr[j], ptr[j + 1]):
            values[s] /= pivot[j]
        for s in range(ptr[j], ptr[j + 1]):
            b = rows[s]
            if b < sparse:
                pivot[b] -= values[s] * values[s]
                place = ptr[b]
                for t in range(s + 1, ptr[j + 1]):
                    while rows[place] != rows[t]:
                        place += 1
                    values[place] -= values[s] * values[t]
            else:
                for t in range(s, ptr[j + 1]):
                    core[rows[t] - sparse, b - sparse] -= values[s] * values[t]
    return log_determinant


@nb.njit(cache=True)
def forward_columns(ptr: np.ndarray, rows: np.ndarray, pivot: np.ndarray, values: np.ndarray, x: np.ndarray) -> None:
    """Solve the sparse columns of L y = x in place and take them off the rest; x (s, p)."""
    for j in range(len(ptr) - 1):
        for a in range(x.shape[1]):
            x[j, a] /= pivot[j]
        for s in range(ptr[j], ptr[j + 1]):
            for a in range(x.shape[1]):
                x[rows[s], a] -= values[s] * x[j, a]


@nb.njit(cache=True)
def backward_columns(ptr: np.ndarray, rows: np.ndarray, pivot: np.ndarray, values: np.ndarray, x: np.ndarray) -> None:
    """Solve the sparse columns of L'y = x in place, once the core's part is solved; x (s, p)."""
    for j in range(len(ptr) - 2, -1, -1):
        for s in range(ptr[j], ptr[j + 1]):
            for a in range(x.shape[1]):
                x[j, a] -= values[s] * x[rows[s], a]
        for a in range(x.shape[1]):
            x[j, a] /= pivot[j]


@nb.njit(cache=True)
def selected_inverse(
    ptr: np.ndarray,
    rows: np.ndarray,
    pivot: np.ndarray,
    values: np.ndarray,
    core: np.ndarray,
    diagonal: np.ndarray,
    below: np.ndarray,
) -> None:
    """Store the inverse's entries on the pattern, from its core (both triangles): `diagonal` and `below` the pivots."""
    sparse = len(ptr) - 1
    for j in range(sparse - 1, -1, -1):
        diagonal[j] = 1.0 / (pivot[j] * pivot[j])
        for s in range(ptr[j], ptr[j + 1]):
            total = 0.0
            for t in range(ptr[j], ptr[j + 1]):
                low, high = min(rows[s], rows[t]), max(rows[s], rows[t])
                if low >= sparse:
                    total -= core[low - sparse, high - sparse] * values[t]
                elif low == high:
                    total -= diagonal[low] * values[t]
                else:
                    total -= below[find(rows, ptr[low], ptr[low + 1], high)] * values[t]
            below[s] = total / pivot[j]
        for s in range(ptr[j], ptr[j + 1]):
            diagonal[j] -= below[s] * values[s] / pivot[j]

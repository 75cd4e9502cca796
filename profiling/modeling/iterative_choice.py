"""Which components of crossed factors are factored with a dense core, and which are solved by iteration instead."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from profiling.modeling.checks import memory_limit
from profiling.modeling.elimination_order import Order, elimination_order, meeting_graph

CORE_BYTES = 32.0  # an entry of a dense core: factor and inverse, each once more in tiles
ENTRY_BYTES = 40.0  # an entry of an iterated component: value, column and place by rows, half of those by columns


def eliminations(
    large: np.ndarray,
    level_ptr: np.ndarray,
    component_ptr: np.ndarray,
    rest_ptr: np.ndarray,
    cell_rest: np.ndarray,
    limit: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return sparse columns a component (C), their pointers (R+1) and rows, and every rest coefficient's new number.

    `large`: the components that are too large for loops of their own. Their dense cores take no more than `limit`
    bytes together: the largest have none, and all their columns are sparse. Other arrays as in `CellStructure`.
    """
    count = np.zeros(len(rest_ptr) - 1, dtype=np.int64)
    sizes = np.zeros(int(rest_ptr[-1]), dtype=np.int64)
    renumbered = np.arange(int(rest_ptr[-1]))
    orders: dict[int, Order] = {}
    for c in large.tolist():
        own = _component_cells(level_ptr, component_ptr, rest_ptr, cell_rest, c)
        orders[c] = elimination_order(*own, np.sqrt(limit / CORE_BYTES))
    for c in _beyond(orders, limit):
        entries = _entries(*_component_cells(level_ptr, component_ptr, rest_ptr, cell_rest, c))
        orders[c] = orders[c] if entries is None else entries
    for c, found in orders.items():
        count[c] = found.sparse
        sizes[rest_ptr[c] : rest_ptr[c] + found.sparse] = np.diff(found.ptr)
        renumbered[rest_ptr[c] + found.order] = rest_ptr[c] + np.arange(len(found.order))
    rows = [found.rows for found in orders.values()]
    column_rows = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    return count, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), column_rows, renumbered


def _component_cells(
    level_ptr: np.ndarray, component_ptr: np.ndarray, rest_ptr: np.ndarray, cell_rest: np.ndarray, c: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the cells of a component's levels, their coefficients counted from its first, and how many it has."""
    levels = level_ptr[component_ptr[c] : component_ptr[c + 1] + 1]
    own = cell_rest[levels[0] : levels[-1]] - rest_ptr[c]
    return levels - levels[0], own, int(rest_ptr[c + 1] - rest_ptr[c])


def _beyond(orders: dict[int, Order], limit: float) -> list[int]:
    """Return the components with the largest cores, as many as must go so that the others take `limit` bytes."""
    needed = {c: CORE_BYTES * float(len(found.order) - found.sparse) ** 2 for c, found in orders.items()}
    total, beyond = sum(needed.values()), []
    for c in sorted(needed, key=lambda c: -needed[c]):
        if total <= limit:
            break
        beyond.append(c)
        total -= needed[c]
    return beyond


def _entries(level_ptr: np.ndarray, coefficients: np.ndarray, size: int) -> Order | None:
    """Return all columns as sparse ones with their own entries alone; None where these may not fit the memory."""
    met = np.square(np.diff(level_ptr).astype(float) * coefficients.shape[1]).sum()
    if ENTRY_BYTES * min(met, float(size) ** 2) > memory_limit():
        return None
    below = sparse.tril(meeting_graph(level_ptr, coefficients, size), format="csc")
    below.sort_indices()
    return Order(np.arange(size), size, below.indptr.astype(np.int64), below.indices.astype(np.int64))

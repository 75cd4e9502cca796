"""Who meets whom: the cells of rows that share their levels, and the components they connect.

Everything here follows from the grouping columns alone and is made once for a design.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numba as nb
import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from profiling.modeling.elimination_large import row_cuts
from profiling.modeling.iterative import Iteration
from profiling.modeling.iterative_choice import CORE_BYTES, ENTRY_BYTES, eliminations

# Below this size a component is factored by our own loop (in threads over components), above it by LAPACK.
SMALL = 96
USUAL_STEPS = 60  # of conjugate gradients in an evaluation
ROWS_A_TILE = 4096


@dataclass(frozen=True)
class CellStructure:
    """Who meets whom. Everything here follows from the grouping columns alone and never changes in a fit.

    `cell_ptr` (M+1) rows of a cell; `level_ptr` (G+1) cells of a level of factor 0; `component_ptr` (C+1) levels of
    a component; `rest_ptr` (C+1) rest coefficients of a component; `cell_rest` (M, kr) their global positions;
    `cell_level0` (M) level of factor 0 of a cell; `rest_position[f]` (levels, q) positions of factor f's
    coefficients; `terms` number of terms q of each factor. A component's first `sparse` (C) coefficients are
    eliminated as sparse columns: `column_ptr` (R+1) points to their rows below the diagonal in `column_rows`, counted
    from the component's first coefficient; all other columns are empty there and belong to the dense core. Where all
    columns are sparse there is no core: the component is solved by iteration as `iteration` says (see `iterative`), and
    its columns hold the entries of the Schur complement itself, those of a factor nowhere.

    A level of factor 0 meets each rest coefficient in one *slot*, however many of its cells share it: `slot_ptr` (G+1),
    `slot_rest` (slots) the coefficient, `cell_slot` (M, kr) the slots of a cell.
    """

    cell_ptr: np.ndarray
    level_ptr: np.ndarray
    component_ptr: np.ndarray
    rest_ptr: np.ndarray
    cell_rest: np.ndarray
    cell_level0: np.ndarray
    rest_position: tuple[np.ndarray, ...]
    terms: tuple[int, ...]
    sparse: np.ndarray
    column_ptr: np.ndarray
    column_rows: np.ndarray
    slot_ptr: np.ndarray
    slot_rest: np.ndarray
    cell_slot: np.ndarray
    iteration: Iteration = field(default_factory=Iteration)

    @cached_property
    def tile_ptr(self) -> np.ndarray:
        """Return cell boundaries that cut the rows into pieces of about `ROWS_A_TILE`; fixed by the data alone."""
        pieces = self.cell_ptr[:-1] // ROWS_A_TILE
        starts = np.flatnonzero(np.concatenate([[True], pieces[1:] != pieces[:-1]]))
        return np.concatenate([starts, [self.n_cells]]).astype(np.int64)

    @cached_property
    def first_cells(self) -> tuple[np.ndarray, ...]:
        """Return, for every factor, one cell in which each of its levels occurs."""
        firsts = [self.level_ptr[:-1]]
        where = np.zeros(max(self.n_rest, 1), dtype=np.int64)
        for column in range(self.cell_rest.shape[1]):
            where[self.cell_rest[::-1, column]] = np.arange(self.n_cells)[::-1]
        return (*firsts, *(where[position[:, 0]] for position in self.rest_position))

    def gather(self, x0: np.ndarray, xr: np.ndarray) -> np.ndarray:
        """Return each cell's own coefficients (M, k) from level vectors x0 (G, q0) and xr (R)."""
        return np.concatenate([x0[self.cell_level0], xr[self.cell_rest]], axis=1)

    def scatter(self, cell_values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return level sums (G, q0), (R) of cell values (M, k): the transpose of `gather`."""
        q0 = self.terms[0]
        x0 = np.add.reduceat(cell_values[:, :q0], self.level_ptr[:-1], axis=0)
        xr = np.zeros(self.n_rest)
        for column in range(self.cell_rest.shape[1]):
            xr += np.bincount(self.cell_rest[:, column], cell_values[:, q0 + column], self.n_rest)
        return x0, xr

    @property
    def n_cells(self) -> int:
        """Return M, the number of cells."""
        return len(self.cell_ptr) - 1

    @property
    def n_levels0(self) -> int:
        """Return G, the number of levels of the eliminated factor."""
        return len(self.level_ptr) - 1

    @property
    def n_rest(self) -> int:
        """Return R, the number of coefficients that are not eliminated."""
        return int(self.rest_ptr[-1])

    @cached_property
    def packed_ptr(self) -> np.ndarray:
        """Return where each component's dense core starts in the packed store (C+1)."""
        sizes = np.diff(self.rest_ptr).astype(np.int64) - self.sparse
        return np.concatenate([[0], np.cumsum(sizes**2)])

    @cached_property
    def core_operations(self) -> float:
        """Return the sum of the dense cores' cubed sizes: three times what their factors cost."""
        return float((np.diff(self.packed_ptr).astype(float) ** 1.5).sum())

    @property
    def core_bytes(self) -> float:
        """Return what the parts in which factors cross take: dense cores, and entries of those solved by iteration."""
        entries = sum(len(indices) for _, indices, _ in self.mirrors.values())
        return CORE_BYTES * float(self.packed_ptr[-1]) + ENTRY_BYTES * float(entries)

    @property
    def evaluation_operations(self) -> float:
        """Return about what the crossed part of an evaluation costs: dense cores' factors, or steps with all probes."""
        entries = sum(len(indices) for _, indices, _ in self.mirrors.values())
        return self.core_operations + float(entries) * self.iteration.probes * USUAL_STEPS

    @cached_property
    def level_component(self) -> np.ndarray:
        """Return the component of every level of factor 0 (G)."""
        return np.repeat(np.arange(len(self.component_ptr) - 1), np.diff(self.component_ptr))

    @cached_property
    def row_cuts(self) -> dict[int, np.ndarray]:
        """Return, for every component above `SMALL`, the rows between which its elimination is shared out."""
        found = {}
        for c in np.flatnonzero(np.diff(self.rest_ptr) > SMALL):
            ptr = self.slot_ptr[self.component_ptr[c] : self.component_ptr[c + 1] + 1]
            found[int(c)] = row_cuts(ptr, self.slot_rest[ptr[0] : ptr[-1]], *self.rest_ptr[c : c + 2])
        return found

    @cached_property
    def large(self) -> np.ndarray:
        """Return the components whose core is factored in tiles."""
        sizes = np.diff(self.rest_ptr)
        return np.flatnonzero((sizes > SMALL) & (self.sparse < sizes))

    @cached_property
    def iterated(self) -> np.ndarray:
        """Return the components that are solved by iteration."""
        sizes = np.diff(self.rest_ptr)
        return np.flatnonzero((sizes > SMALL) & (self.sparse == sizes))

    @cached_property
    def mirrors(self) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return, for every iterated component, its entries off the diagonal by rows, both triangles.

        Pointers (s+1), columns, and the place of each entry among those of the component's columns.
        """
        return {int(c): self._mirror(int(c)) for c in self.iterated}

    def _mirror(self, c: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        first, last = int(self.rest_ptr[c]), int(self.rest_ptr[c + 1])
        ptr = self.column_ptr[first : last + 1]
        places = np.arange(1, ptr[-1] - ptr[0] + 1)
        rows = self.column_rows[ptr[0] : ptr[-1]]
        columns = sparse.csc_matrix((places, rows, ptr - ptr[0]), shape=(last - first,) * 2)
        both = (columns + columns.T).tocsr()
        both.sort_indices()
        return both.indptr, both.indices, both.data - 1


def order_rows(
    codes: list[np.ndarray], sizes: list[int], terms: list[int], iteration: Iteration | None = None
) -> tuple[np.ndarray, CellStructure, np.ndarray]:
    """Return the order of rows, their cell structure and the renumbering of factor 0 (old code of each new level).

    `codes[0]` (n) is the factor to eliminate. Rows come out sorted by component, level of factor 0, other levels.
    `iteration` says beyond what size components are solved by iteration, and how.
    """
    iteration = iteration or Iteration()
    order = np.arange(len(codes[0]))
    for code, size in zip(reversed(codes), reversed(sizes), strict=True):
        order = counting_order(code, size, order)
    starts = _starts([code[order] for code in codes])
    of_cells = [code[order[starts]] for code in codes]
    component0, component_rest, n_components = _components(of_cells, sizes)
    order0 = np.argsort(component0, kind="stable")
    if n_components < sizes[0]:
        order = order[_blocks(np.searchsorted(of_cells[0], np.arange(sizes[0] + 1)), starts, len(order), order0)]
        starts = _starts([code[order] for code in codes])
        of_cells = [code[order[starts]] for code in codes]
    renumber = np.empty(sizes[0], dtype=np.int64)
    renumber[order0] = np.arange(sizes[0])
    cell_level0 = renumber[of_cells[0]]
    n = len(order)
    rest_position, rest_ptr = _rest_positions(component_rest, sizes[1:], terms[1:], n_components)
    cell_rest = (
        np.concatenate([position[code] for position, code in zip(rest_position, of_cells[1:], strict=True)], axis=1)
        if terms[1:]
        else np.zeros((len(starts), 0), dtype=np.int64)
    )
    level_ptr = np.searchsorted(cell_level0, np.arange(sizes[0] + 1)).astype(np.int64)
    component_ptr = np.searchsorted(component0[order0], np.arange(n_components + 1)).astype(np.int64)
    large = np.flatnonzero(np.diff(rest_ptr) > SMALL)
    sparse, column_ptr, column_rows, renumbered = eliminations(
        large, level_ptr, component_ptr, rest_ptr, cell_rest, iteration.limit
    )
    cell_rest = np.ascontiguousarray(renumbered[cell_rest], dtype=np.int64)
    none = np.zeros(0, dtype=np.int64)
    slot_ptr, slot_rest, cell_slot = np.zeros(len(level_ptr), dtype=np.int64), none, cell_rest
    if cell_rest.size:
        slot_ptr, slot_rest, cell_slot = _slots(level_ptr, cell_rest, int(rest_ptr[-1]))
    structure = CellStructure(
        cell_ptr=np.concatenate([starts, [n]]).astype(np.int64),
        level_ptr=level_ptr,
        component_ptr=component_ptr,
        rest_ptr=rest_ptr,
        cell_rest=cell_rest,
        cell_level0=cell_level0.astype(np.int64),
        rest_position=tuple(renumbered[position] for position in rest_position),
        terms=tuple(terms),
        sparse=sparse,
        column_ptr=column_ptr,
        column_rows=column_rows,
        slot_ptr=slot_ptr,
        slot_rest=slot_rest,
        cell_slot=cell_slot,
        iteration=iteration,
    )
    return order, structure, order0


@nb.njit(cache=True)
def _slots(level_ptr: np.ndarray, cell_rest: np.ndarray, n_rest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return slots a level (G+1), their coefficients in ascending order, and every cell's slots (M, kr)."""
    levels, kr = len(level_ptr) - 1, cell_rest.shape[1]
    slot_ptr = np.zeros(levels + 1, dtype=np.int64)
    slot_rest = np.empty(cell_rest.size, dtype=np.int64)
    cell_slot = np.empty(cell_rest.shape, dtype=np.int64)
    seen, slot_of = np.full(n_rest, -1), np.empty(n_rest, dtype=np.int64)
    count = 0
    for g in range(levels):
        for m in range(level_ptr[g], level_ptr[g + 1]):
            for b in range(kr):
                r = cell_rest[m, b]
                if seen[r] != g:
                    seen[r], slot_rest[count] = g, r
                    count += 1
        own = slot_rest[slot_ptr[g] : count]
        if kr > 1 or len(own) > 1:
            own.sort()
        for s in range(slot_ptr[g], count):
            slot_of[slot_rest[s]] = s
        for m in range(level_ptr[g], level_ptr[g + 1]):
            for b in range(kr):
                cell_slot[m, b] = slot_of[cell_rest[m, b]]
        slot_ptr[g + 1] = count
    return slot_ptr, slot_rest[:count].copy(), cell_slot


@nb.njit(cache=True)
def counting_order(codes: np.ndarray, size: int, order: np.ndarray) -> np.ndarray:
    """Return `order` (n) sorted by codes[order], codes (n) from 0 to size - 1; equal codes keep their order."""
    ends = np.zeros(size + 1, dtype=np.int64)
    for code in codes:
        ends[code + 1] += 1
    for level in range(size):
        ends[level + 1] += ends[level]
    sorted_order = np.empty_like(order)
    for row in order:
        code = codes[row]
        sorted_order[ends[code]] = row
        ends[code] += 1
    return sorted_order


def _starts(sorted_codes: list[np.ndarray]) -> np.ndarray:
    """Return the rows (M) at which any of the codes (n) changes, the first row among them."""
    changes = np.zeros(len(sorted_codes[0]), dtype=bool)
    changes[:1] = True
    for code in sorted_codes:
        changes[1:] |= code[1:] != code[:-1]
    return np.flatnonzero(changes)


def _blocks(level_ptr: np.ndarray, starts: np.ndarray, n: int, order0: np.ndarray) -> np.ndarray:
    """Return the rows (n) of all levels of factor 0, level after level as in `order0`; level_ptr (G+1) by cells."""
    row_ptr = np.append(starts, n)[level_ptr]
    sizes = np.diff(row_ptr)[order0]
    ends = np.cumsum(sizes)
    return np.asarray(np.arange(n) + np.repeat(row_ptr[:-1][order0] - (ends - sizes), sizes))


def _components(codes: list[np.ndarray], sizes: list[int]) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the component of each level of factor 0, of each level of the others (concatenated), and their number.

    `codes`: the cells' (M) levels of every factor.
    """
    if len(codes) == 1:
        return np.arange(sizes[0]), np.zeros(0, dtype=np.int64), sizes[0]
    offsets = np.cumsum([0, *sizes])
    heads = np.tile(codes[0], len(codes) - 1)
    tails = np.concatenate([code + offset for code, offset in zip(codes[1:], offsets[1:], strict=False)])
    # Pairs that stand in several cells are added up.
    graph = sparse.coo_matrix((np.ones(len(heads), dtype=np.int32), (heads, tails)), shape=(offsets[-1],) * 2)
    count, label = connected_components(graph, directed=False)
    return label[: sizes[0]], label[sizes[0] :], int(count)


def _rest_positions(
    component: np.ndarray, sizes: list[int], terms: list[int], n_components: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Number the rest coefficients by component, then factor, level and term."""
    repeated = (
        np.concatenate(
            [np.repeat(part, q) for part, q in zip(np.split(component, np.cumsum(sizes)[:-1]), terms, strict=True)]
        )
        if terms
        else np.zeros(0, dtype=np.int64)
    )
    order = np.argsort(repeated, kind="stable")
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    ends = np.cumsum([size * q for size, q in zip(sizes, terms, strict=True)])
    pieces = np.split(position, ends[:-1]) if terms else []
    shaped = [piece.reshape(size, q) for piece, size, q in zip(pieces, sizes, terms, strict=True)]
    counts = np.bincount(repeated, minlength=n_components) if len(repeated) else np.zeros(n_components, dtype=np.int64)
    return shaped, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

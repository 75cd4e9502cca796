"""Strict nesting: who lies within whom, numbered so that the children of every cluster stand together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from profiling.errors import ModelError, Problem
from profiling.modeling.design import Design

ROWS_A_TILE = 4096


@dataclass(frozen=True)
class Nesting:
    """The levels from the innermost factor outwards, each numbered depth first.

    `label[l]` the design's own number of every cluster of level l (the innermost: its cell); `child_ptr[l]` (l >= 1)
    the range of its children in level l - 1; `multiplicity[l]` how often each cluster counts; `tile_ptr` ranges of
    clusters of level 1 that hold about `ROWS_A_TILE` rows, fixed by the data alone.
    """

    label: tuple[np.ndarray, ...]
    child_ptr: tuple[np.ndarray, ...]
    multiplicity: tuple[np.ndarray, ...]
    tile_ptr: np.ndarray

    @property
    def depth(self) -> int:
        """Return the number of levels."""
        return len(self.label)

    def parent(self, level: int) -> np.ndarray:
        """Return the parent, in level + 1, of every cluster of `level`."""
        return np.repeat(np.arange(len(self.label[level + 1])), np.diff(self.child_ptr[level + 1]))


def quadrature_obstacle(design: Design) -> Problem | None:
    """Return why this design has no quadrature, or None."""
    if len(design.factors) == 1:
        return None
    chain = inner_first(design)
    codes, factors = [_cell_codes(design)[f] for f in chain], [design.factors[f] for f in chain]
    for inner, outer, within, around in zip(codes, codes[1:], factors, factors[1:], strict=False):
        pairs = np.unique(inner * np.int64(around.size) + outer)
        if len(pairs) != within.size:
            moving = int((np.bincount(pairs // around.size, minlength=within.size) > 1).sum())
            return Problem(
                "method",
                f"{moving} of {within.size} levels of {within.name} occur in more than one level of {around.name}: "
                "these levels cross (as patients who move do), so their integral does not factor and there is no "
                "quadrature",
                "strictly nested levels",
                "Use method='laplace', or 'auto' to fall back on it",
            )
    return None


def inner_first(design: Design) -> list[int]:
    """Return the positions of the factors from the one with most levels to the one with fewest."""
    return sorted(range(len(design.factors)), key=lambda f: -design.factors[f].size)


def _cell_codes(design: Design) -> list[np.ndarray]:
    """Return each cell's code in every factor, as in the design (innermost first where all are intercepts)."""
    first = design.order[design.structure.cell_ptr[:-1]]
    return [design.structure.cell_level0, *(factor.codes[first] for factor in design.factors[1:])]


def nesting(design: Design) -> Nesting:
    """Return the nesting of the design's factors; raise ModelError where they cross."""
    obstacle = quadrature_obstacle(design)
    if obstacle:
        raise ModelError(obstacle)
    codes = _cell_codes(design)
    order = np.lexsort(codes)
    label, starts = [order], [np.arange(len(order))]
    for code in codes[1:]:
        ordered = code[order]
        begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        label.append(ordered[begins])
        starts.append(begins)
    ends = [np.append(begin, len(order)) for begin in starts]
    child_ptr = [np.zeros(0, dtype=np.int64)]
    child_ptr += [np.searchsorted(starts[level - 1], ends[level]) for level in range(1, len(codes))]
    rows = np.diff(design.structure.cell_ptr)[order]
    before = np.concatenate([[0], np.cumsum(rows)])[starts[1]] if len(codes) > 1 else np.zeros(1, dtype=np.int64)
    pieces = before // ROWS_A_TILE
    tiles = np.flatnonzero(np.concatenate([[True], pieces[1:] != pieces[:-1]]))
    return Nesting(
        tuple(label),
        tuple(pointer.astype(np.int64) for pointer in child_ptr),
        tuple(design.cell_multiplicity[order][start] for start in starts),
        np.append(tiles, len(before)).astype(np.int64),
    )

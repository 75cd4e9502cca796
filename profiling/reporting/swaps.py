"""A quick proof that hidden counts are safe, for most of them: two units of the same sums trade with each other.

Units that stand in the same sums with the same signs are twins: what one gains another of them may lose, and no sum
changes. Events are traded against non-events, cases as they are; or cases are traded, in all measures that count them
at once. What a count may gain is its own room and what its twins can lose together. No proof here says nothing.
"""

from __future__ import annotations

import numpy as np

from profiling.reporting.cells import Bools, Cells, Floats, Ints

SEED = 20240101


def safe_by_swaps(cells: Cells, lower: Floats, upper: Floats, needed: int) -> Bools:
    """Cells (u, 3) for which trades among twins give at least `needed` values. lower, upper: bounds of every cell."""
    gain, loss = upper - cells.values, cells.values - lower
    signature = _signatures(cells)
    tied = cells.tied
    up, down = np.minimum(gain[:, 1], loss[:, 2]), np.minimum(loss[:, 1], gain[:, 2])
    events = [
        _values(np.where(tied, up, gain[:, cell]), np.where(tied, down, loss[:, cell]), signature) >= needed
        for cell in (1, 2)
    ]
    bundle = _bundles(cells)
    traded = np.zeros(len(bundle), dtype=np.bool_)
    alike = _sums_of_hashes(signature, bundle)
    for cell in (1, 2):
        up, down = (
            _least(np.where(tied, np.minimum(room[:, 0], room[:, cell]), room[:, 0]), bundle) for room in (gain, loss)
        )
        traded |= (_values(up, down, alike) >= needed)[bundle]
    return np.column_stack([traded, *events])


def _values(gain: Floats, loss: Floats, alike: Ints) -> Floats:
    """How many values each may take where all that are alike trade with each other."""
    _, own = np.unique(alike, return_inverse=True)
    gained, lost = (np.bincount(own, room)[own] - room for room in (gain, loss))
    return np.asarray(1 + np.minimum(gain, lost) + np.minimum(loss, gained), dtype=np.float64)


def _signatures(cells: Cells) -> Ints:
    """The same number for units of the same sums."""
    draw = np.random.default_rng(SEED)
    marks = draw.integers(1, 2**62, cells.equations + 1)
    signed = marks[cells.equation] * np.where(cells.sign > 0, 1, 3)
    found = np.zeros(len(cells.values), dtype=np.int64)
    np.add.at(found, cells.unit, signed)
    return found


def _bundles(cells: Cells) -> Ints:
    """Units with the same cases have the same number, from 0 on without gaps."""
    own = np.where(cells.link >= 0, cells.link, -1 - np.arange(len(cells.link)))
    return np.asarray(np.unique(own, return_inverse=True)[1], dtype=np.int64)


def _sums_of_hashes(signature: Ints, bundle: Ints) -> Ints:
    """The same number for bundles whose members stand in the same sums."""
    mixed = signature ^ (signature >> 29)
    mixed = mixed * np.int64(0x9E3779B97F4A7C1)
    mixed = mixed ^ (mixed >> 32)
    found = np.zeros(int(bundle.max()) + 1, dtype=np.int64)
    np.add.at(found, bundle, mixed)
    return found


def _least(room: Floats, bundle: Ints) -> Floats:
    found = np.full(int(bundle.max()) + 1, np.inf)
    np.minimum.at(found, bundle, room)
    return found

"""Columns of any layout become the rows they are; rows come out sorted by every factor in turn."""

import os

import numpy as np
import pandas as pd
import pytest

from profiling.errors import ModelError
from profiling.modeling.design import build_design
from profiling.modeling.stacking import TILE, stack
from profiling.modeling.structure import order_rows


@pytest.mark.parametrize("n", [0, 1, 5, 2 * TILE + 3])
def test_columns_of_any_layout(n):
    rng = np.random.default_rng(2)
    wide = rng.normal(size=(n, 3))
    columns = [wide[:, 0], wide[:, 2], rng.integers(9, size=n), rng.random(n).astype(np.float32), wide[::-1, 1]]
    columns += [np.arange(n) % 2 == 0, np.broadcast_to(np.float64(4.5), n), *rng.normal(size=(5, n))]
    place = rng.permutation(n)
    made = stack(columns, place)
    expected = np.column_stack([np.ones(n), *columns])
    np.testing.assert_array_equal(made[place], expected)


@pytest.mark.parametrize("sizes", [(7,), (6, 3), (5, 4, 3)])
def test_rows_are_sorted_by_component_and_levels(sizes):
    rng = np.random.default_rng(1)
    n = 300
    first = np.concatenate([np.arange(sizes[0]), rng.integers(sizes[0], size=n - sizes[0])])
    # Two components: even levels of the first factor meet the low levels of the others, odd levels the high ones.
    others = [np.where(first % 2 == 0, 0, rng.integers(1, size, n)) for size in sizes[1:]]
    order, structure, order0 = order_rows([first, *others], list(sizes), [1] * len(sizes))
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    renumber = np.argsort(order0)
    keys = np.column_stack([renumber[first], *others])[order]
    assert sorted(map(tuple, keys)) == list(map(tuple, keys))
    assert structure.n_cells == len(np.unique(keys, axis=0))
    np.testing.assert_array_equal(keys[structure.cell_ptr[:-1], 0], structure.cell_level0)
    # Rows that are alike keep the order of the data.
    alike = (keys[1:] == keys[:-1]).all(axis=1)
    assert (np.diff(order)[alike] > 0).all()
    if len(sizes) > 1:
        assert (np.diff(structure.level_component) >= 0).all()
        assert len(structure.component_ptr) - 1 >= 2


def test_a_core_beyond_the_memory_is_iterated_and_entries_beyond_it_are_named(monkeypatch):
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"y": rng.normal(size=4_000), "a": np.arange(4_000) % 400, "b": rng.integers(300, size=4_000)})
    design = build_design("y ~ 1 + (1 | a) + (1 | b)", data)
    core = design.structure.core_bytes
    assert core == pytest.approx(32 * (300 - design.structure.sparse.sum()) ** 2)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1, "SC_PAGE_SIZE": core}.__getitem__)
    assert list(build_design("y ~ 1 + (1 | a) + (1 | b)", data).structure.iterated) == [0]
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1, "SC_PAGE_SIZE": core / 4}.__getitem__)
    with pytest.raises(ModelError, match=r"random terms.*levels which meet"):
        build_design("y ~ 1 + (1 | a) + (1 | b)", data)

"""Kernels compiled from older sources are forgotten."""

from __future__ import annotations

import re
from pathlib import Path

import profiling
from profiling import kernels

HOME = Path(profiling.__file__).parent


def test_every_file_that_other_kernels_call_is_watched():
    compiled = {path for path in HOME.rglob("*.py") if "njit" in path.read_text()}
    called = set()
    for path in compiled:
        module = "profiling." + ".".join(path.relative_to(HOME).with_suffix("").parts)
        name = re.compile(rf"(from|import) {re.escape(module)}\b")
        if any(name.search(other.read_text()) for other in compiled - {path}):
            called.add(path.relative_to(HOME).as_posix())
    assert called <= set(kernels.CALLED_FROM_ELSEWHERE)


def test_a_changed_source_forgets_compiled_kernels(tmp_path, monkeypatch):
    for name in kernels.CALLED_FROM_ELSEWHERE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("old")
    cache = tmp_path / "modeling" / "__pycache__" / "cells.row_derivatives.nbi"
    cache.parent.mkdir()
    monkeypatch.setattr(kernels, "_HOME", tmp_path)
    kernels.prepare()
    cache.write_text("compiled")
    kernels.prepare()
    assert cache.exists()
    (tmp_path / "modeling" / "families.py").write_text("new")
    kernels.prepare()
    assert not cache.exists()

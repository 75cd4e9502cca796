"""Marginal models by generalized estimating equations: closed-form inverses, one pass over the rows an iteration."""

from __future__ import annotations

from profiling.modeling.gee.fit import gee
from profiling.modeling.gee.result import GeeResult

__all__ = ["GeeResult", "gee"]

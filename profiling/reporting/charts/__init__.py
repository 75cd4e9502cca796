"""Builders of charts: each takes a table already masked by disclosure control and words, and gives a `Chart`."""

from __future__ import annotations

from profiling.reporting.charts.funnel import funnel

__all__ = ["funnel"]

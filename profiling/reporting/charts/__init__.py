"""Builders of charts: each takes a table already masked by disclosure control and words, and gives a `Chart`.

Rows whose `shown` is False have no numbers and are never drawn as points; a column `href` links a mark, a column
`tooltip` replaces its generated title. Charts that stand on every provider's page take a few records of such
a table. `form` is "wide" or "narrow".
"""

from __future__ import annotations

from profiling.reporting.charts.calibration import calibration
from profiling.reporting.charts.caterpillar import caterpillar
from profiling.reporting.charts.chance_bar import ChanceLevel, chance_bar
from profiling.reporting.charts.funnel import funnel
from profiling.reporting.charts.interval import glyph, interval, interval_axis, interval_domain
from profiling.reporting.charts.matrix import matrix
from profiling.reporting.charts.rows import Row, forest, interval_rows, peers, physicians
from profiling.reporting.charts.shrinkage import shrinkage
from profiling.reporting.charts.strip import Track, strip
from profiling.reporting.charts.variance_bar import variance_bar
from profiling.reporting.charts.waterfall import Rates, WaterfallWords, waterfall

__all__ = [
    "ChanceLevel",
    "Rates",
    "Row",
    "Track",
    "WaterfallWords",
    "calibration",
    "caterpillar",
    "chance_bar",
    "forest",
    "funnel",
    "glyph",
    "interval",
    "interval_axis",
    "interval_domain",
    "interval_rows",
    "matrix",
    "peers",
    "physicians",
    "shrinkage",
    "strip",
    "variance_bar",
    "waterfall",
]

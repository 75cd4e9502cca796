"""Charts of a page for a renderer that does not know its style sheet: roles become the colours of print.

What a page holds as `class="higher"` stands here as fill and stroke. Rims of paper and halos are left out: such a
renderer draws the stroke over the fill.
"""

from __future__ import annotations

import re
from functools import cache

from profiling.reporting.roles import PRINT, ROLES, SANS

_CHART = re.compile(r'<svg class="chart(?P<form>[^"]*)".*?</svg>', re.DOTALL)
_CLASS = re.compile(r' class="([^"]*)"')


def resolved(page: str) -> str:
    """The page with every chart in one form, the wide one, and its colours in it."""
    return _CHART.sub(_resolved_chart, page)


def _resolved_chart(found: re.Match[str]) -> str:
    if "narrow" in found["form"].split():
        return ""
    head, _, body = found[0].partition(">")
    family = SANS.replace('"', "'")
    return f'{head} font-size="12" font-family="{family}">{_CLASS.sub(_attributes, body)}'


def _attributes(found: re.Match[str]) -> str:
    return _of_role(found[1].split(" ")[0])


@cache
def _of_role(role: str) -> str:
    look = ROLES.get(role)
    if look is None:
        return ""
    stroke = look.stroke if look.stroke and not look.edge else ""
    attributes = {
        "fill": PRINT[look.fill] if look.fill else "none",
        "fill-opacity": f"{look.fill_opacity:g}" if look.fill_opacity != 1 else "",
        "stroke": PRINT[stroke] if stroke else "none",
        "stroke-width": f"{look.width:g}" if stroke else "",
        "stroke-opacity": f"{look.stroke_opacity:g}" if stroke and look.stroke_opacity != 1 else "",
        "stroke-dasharray": " ".join(f"{dash:g}" for dash in look.dashes),
        "font-weight": "600" if look.bold else "",
    }
    return "".join(f' {name}="{value}"' for name, value in attributes.items() if value)

"""What each role looks like, in names of colours: the source of `chart.css` and of the figures."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

LIGHT = MappingProxyType(
    {
        "paper": "#fcfbf8",
        "ink": "#1a222c",
        "ink2": "#515b67",
        "rule": "#dddad2",
        "grid": "#e9e7e0",
        "b95": "#dfe4e8",
        "b998": "#eff1f1",
        "dot": "#66727f",
        "high": "#a5390a",
        "low": "#1b5c9e",
        "link": "#1b4f87",
        "hl": "#f3eedd",
        "wash": "#f5f3ec",
    }
)
DARK = MappingProxyType(
    {
        "paper": "#14181d",
        "ink": "#e9e6df",
        "ink2": "#a6aeb8",
        "rule": "#343b44",
        "grid": "#252b32",
        "b95": "#2c353e",
        "b998": "#1e252b",
        "dot": "#8b96a3",
        "high": "#f39a68",
        "low": "#86b8ee",
        "link": "#9cc4f2",
        "hl": "#2b2a20",
        "wash": "#191e24",
    }
)

PRINT = MappingProxyType({**LIGHT, "paper": "#fff", "wash": "#fff"})


@dataclass(frozen=True)
class Look:
    """Fill and stroke by the name of a colour; `edge` puts the stroke behind the fill, as a rim of paper."""

    fill: str = ""
    stroke: str = ""
    width: float = 1.0
    fill_opacity: float = 1.0
    stroke_opacity: float = 1.0
    dashes: tuple[float, ...] = ()
    edge: bool = False
    bold: bool = False


def _flagged(colour: str) -> Look:
    return Look(fill=colour, stroke="paper", edge=True, width=2)


def _watched(colour: str) -> Look:
    return Look(fill="paper", stroke=colour, width=1.5)


def _whisker(colour: str, width: float = 1.5, opacity: float = 1.0) -> Look:
    return Look(stroke=colour, width=width, stroke_opacity=opacity)


ROLES: MappingProxyType[str, Look] = MappingProxyType(
    {
        # status of a provider
        "higher": _flagged("high"),
        "higher_watch": _watched("high"),
        "as_expected": Look(fill="dot", stroke="paper", edge=True),
        "lower_watch": _watched("low"),
        "lower": _flagged("low"),
        "too_few": Look(stroke="dot", width=1.5),
        # paper, axes, bands
        "paper": Look(fill="paper"),
        "grid": Look(stroke="grid"),
        "axis": Look(stroke="ink2"),
        "reference": Look(stroke="ink2"),
        "diagonal": Look(stroke="ink2", dashes=(4, 3)),
        "leader": Look(stroke="dot", width=0.75),
        "curve": Look(stroke="ink2", width=1.5),
        "path": Look(stroke="ink", width=1.75),
        "threshold": Look(stroke="ink2", dashes=(4, 3)),
        "band95": Look(fill="b95"),
        "band998": Look(fill="b998"),
        "track": Look(fill="b998"),
        "highlight": Look(fill="hl"),
        # intervals
        "whisker": _whisker("dot", 1.25, 0.55),
        "whisker-clear": _whisker("dot"),
        "whisker-high": _whisker("high"),
        "whisker-low": _whisker("low"),
        "whisker-own": _whisker("ink", 2),
        "rank": _whisker("dot", 2.5, 0.3),
        "rank-high": _whisker("high", 2.5, 0.45),
        "rank-low": _whisker("low", 2.5, 0.45),
        # marks that are not a status
        "small": Look(fill="ink2"),
        "own": Look(fill="ink", stroke="paper", width=2, edge=True),
        "bin": Look(fill="dot", fill_opacity=0.75),
        "bin-span": Look(fill="dot", fill_opacity=0.22),
        "many-high": _whisker("high", 0.75, 0.5),
        "many-low": _whisker("low", 0.75, 0.5),
        "spot-high": Look(fill="high"),
        "spot-low": Look(fill="low"),
        "bin-centre": Look(stroke="ink2", width=1.5),
        "open": Look(fill="paper", stroke="ink", width=1.5),
        "fine": Look(stroke="dot", stroke_opacity=0.45),
        "pull": Look(stroke="dot", stroke_opacity=0.3),
        "pull-high": _whisker("high"),
        "pull-low": _whisker("low"),
        # bars
        "total": Look(fill="dot", fill_opacity=0.55),
        "total-own": Look(fill="ink", fill_opacity=0.82),
        "case-mix": Look(fill="dot"),
        "unexplained-high": Look(fill="high"),
        "unexplained-low": Look(fill="low"),
        "held-back": Look(fill="b95", stroke="dot"),
        "share-1": Look(fill="ink", fill_opacity=0.82),
        "share-2": Look(fill="dot"),
        "share-3": Look(fill="b95"),
        "connector": Look(stroke="dot", width=0.75),
        # words
        "label": Look(fill="ink"),
        "strong": Look(fill="ink", bold=True),
        "name": Look(fill="ink", bold=True),
        "note": Look(fill="ink2"),
        "tick": Look(fill="ink2"),
    }
)


def css_rule(role: str) -> str:
    """The rule of `chart.css` for one role."""
    look = ROLES[role]
    parts = [
        f"fill:{_colour(look.fill)}",
        f"stroke:{_colour(look.stroke)}",
        f"stroke-width:{look.width:g}" if look.stroke else "",
        f"fill-opacity:{look.fill_opacity:g}" if look.fill_opacity != 1 else "",
        f"stroke-opacity:{look.stroke_opacity:g}" if look.stroke_opacity != 1 else "",
        f"stroke-dasharray:{' '.join(f'{d:g}' for d in look.dashes)}" if look.dashes else "",
        "paint-order:stroke" if look.edge else "",
        "font-weight:600" if look.bold else "",
    ]
    return f".chart .{role}{{{';'.join(part for part in parts if part)}}}"


def css_palette(palette: MappingProxyType[str, str]) -> str:
    """A palette as declarations of CSS variables."""
    return ";".join(f"--{name}:{colour}" for name, colour in palette.items())


def css_sheet() -> str:
    """The whole of `reports/templates/chart.css`, which is written from here and tested to be the same."""
    light, dark = css_palette(LIGHT), css_palette(DARK)
    return "\n".join(
        [
            "/* Charts: roles, not colours. Written from profiling/reporting/roles.py. */",
            f":root{{{light};--sans:{SANS}}}",
            f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}",
            f"@media print{{:root{{{css_palette(PRINT)}}}}}",
            ".chart{display:block;max-width:100%;height:auto;overflow:visible;font:400 12px/1.2 var(--sans);"
            "font-variant-numeric:tabular-nums}",
            ".chart .halo{stroke:var(--paper);stroke-width:3px;stroke-linejoin:round;paint-order:stroke}",
            ".chart a{cursor:pointer;text-decoration:none}",
            ".chart a:focus-visible{outline:2px solid var(--link);outline-offset:2px}",
            ".chart a:hover>:not(text),.chart g.row:hover>:not(text){filter:brightness(.8)}",
            ".chart.mini{display:inline-block;vertical-align:-2px;max-width:none}",
            *[css_rule(role) for role in ROLES],
            ".chart.narrow{display:none}",
            "@media screen and (max-width:900px){.chart.wide{display:none}"
            ".chart.narrow{display:block;width:100%;max-width:540px}}",
            "@media print{.chart.wide{width:100%}",
            "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}",
            "",
        ]
    )


SANS = '-apple-system,"Segoe UI","Inter",Roboto,"Noto Sans","Helvetica Neue","Liberation Sans",Arial,sans-serif'


def _colour(name: str) -> str:
    return f"var(--{name})" if name else "none"

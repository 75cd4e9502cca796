"""How time grows with rows, levels and covariates: a picture for docs/."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.choices import Choices
from benchmarks.measured import in_process
from benchmarks.results import Part

ROWS = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
LEVELS = (1_000, 3_000, 10_000, 30_000, 100_000, 200_000, 500_000)
COLUMNS = (1, 3, 10, 20, 40, 80)
COLUMNS_OF_ROWS = 40
LEVELS_OF_ROWS = 1_000
KINDS = {"one": "hospitals", "two": "hospitals and physicians"}


def growth(choices: Choices, folder: Path) -> Part:
    """Measure along rows, levels and covariates up to the largest `rows` chosen, draw the plot, give the figures."""
    largest = max(choices.rows)
    base = min(largest, 100_000)
    level_rows = min(largest, 1_000_000)
    series = {
        "rows": [(rows, rows, COLUMNS_OF_ROWS, min(LEVELS_OF_ROWS, rows // 20)) for rows in ROWS if rows <= largest],
        "levels": [(levels, level_rows, 10, levels) for levels in LEVELS if levels <= level_rows // 2],
        "covariates": [(columns, base, columns, 1_000) for columns in COLUMNS],
    }
    fixed = {
        "rows": f"{COLUMNS_OF_ROWS} covariates, {LEVELS_OF_ROWS:,} levels",
        "levels": f"{level_rows:,} rows, 10 covariates",
        "covariates": f"{base:,} rows, 1,000 levels",
    }
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {axis: {kind: [] for kind in KINDS} for axis in series}
    table = []
    for axis, points in series.items():
        for value, *size in points:
            cells = []
            for kind in KINDS:
                repeats = 1 if size[0] >= 1_000_000 else choices.repeats
                taken, cell = _measure([kind, *map(str, size), str(repeats)], choices)
                if taken is not None:
                    curves[axis][kind].append((value, taken))
                cells.append(cell)
                print(f"  {axis} {value:,}, {KINDS[kind]}: {cell}", flush=True)
            table.append((f"{axis} {value:,}", fixed[axis], *cells))
    _draw(curves, fixed, folder / "growth.svg")
    return Part(
        "growth",
        "Time against rows, levels and covariates",
        ("along", "with", *(f"{title}, s" for title in KINDS.values())),
        table,
        ("Levels: hospitals; in the second model physicians, with a tenth as many hospitals (at most 5,000).",),
        "growth.svg",
        position=7,
    )


def _measure(arguments: list[str], choices: Choices) -> tuple[float | None, str]:
    """Return the seconds of a fit, None where there are none, and the cell that says so."""
    try:
        found = in_process("benchmarks.one_fit", arguments, choices.threads, limit=choices.limit)
    except subprocess.TimeoutExpired:
        return None, f"over {choices.limit:.0f} s"
    except subprocess.CalledProcessError as failure:
        last = ((failure.stderr or "").strip().splitlines() or ["no message"])[-1]
        return None, f"failed: {last[:80]}"
    cell = f"{found['seconds']:.3f}" + ("" if found["converged"] else " **not converged**")
    return float(found["seconds"]), cell


def _draw(curves: dict[str, dict[str, list[tuple[int, float]]]], fixed: dict[str, str], path: Path) -> None:
    """Draw three panels on logarithmic axes and a line of slope one; the same bytes for the same numbers."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(10, 3.6), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots(1, 3, sharey=True)
        for panel, (axis, by_kind) in zip(axes, curves.items(), strict=True):
            for (kind, points), style in zip(by_kind.items(), ("o-", "s--"), strict=True):
                if not points:
                    continue
                x, y = zip(*points, strict=True)
                panel.loglog(x, y, style, color="#1f4e79", markersize=4, linewidth=1.2, label=KINDS[kind])
            if by_kind["one"]:
                x, y = zip(*by_kind["one"], strict=True)
                panel.loglog(
                    x, [y[-1] * at / x[-1] for at in x], ":", color="#999999", linewidth=1, label="in proportion"
                )
            panel.set_xlabel(axis)
            panel.set_title(fixed[axis], fontsize=9)
            panel.grid(True, which="major", color="#e5e5e5", linewidth=0.6)
            for side in ("top", "right"):
                panel.spines[side].set_visible(False)
        axes[0].set_ylabel("seconds a fit")
        if curves["rows"]["one"]:
            axes[0].legend(frameon=False, fontsize=8)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})

"""Every kind of interval side by side on public data: `python -m benchmarks.intervals [FOLDER] [--resamples 1000]`.

FOLDER holds gusto/ and surgeon_cardiac/ (default: the folder data of PROFILING_SHARED). Writes docs/intervals.md.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.environment import ROOT

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

GUSTO = (
    "day30 ~ I((age-60)/10) + C(Killip) + I(np.minimum(sysbp,120)/10) + I(pulse/10) + C(pmi) + C(miloc) + (1 | grps)"
)
SURGEONS = "status ~ Parsonnet + (1 | surgeon)"
SEED = 1
FEW = 10  # providers whose limits are given one by one
FEWEST_WRITTEN = 200  # resamples with which docs/intervals.md is written
DEFAULT = "P/E, posterior, parameters integrated (default)"
Limits = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Kind:
    """One kind of 95 % interval: its name, and for every provider what it is around, and its limits, over the norm."""

    name: str
    centre: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def fits(folder: Path) -> Iterator[tuple[str, str, MixedModelResult]]:
    """Title, provider's column and fit of each data set that is there."""
    from profiling.modeling import glmm

    gusto, surgeons = folder / "gusto" / "gusto.csv.gz", folder / "surgeon_cardiac" / "cardiacsurgery.csv"
    if gusto.is_file():
        title = "GUSTO-I: death within 30 days of infarction, groups of hospitals"
        yield title, "grps", glmm(GUSTO, pd.read_csv(gusto))
    if surgeons.is_file():
        yield (
            "UK heart operations 1992-98: death within 90 days, surgeons",
            "surgeon",
            glmm(SURGEONS, _surgeons(surgeons)),
        )


def _surgeons(path: Path) -> pd.DataFrame:
    return pd.read_csv(path).assign(surgeon=lambda table: table["surgeon"].astype(str))


def kinds(fit: MixedModelResult, provider: str, resamples: int, workers: int) -> list[Kind]:
    """Every kind of interval of O/E, of the rate over that of all, and of P/E."""
    from profiling.assessment import ProfileOptions, assess, cms_bootstrap
    from profiling.assessment import intervals as i

    whole = assess(fit, provider, ProfileOptions())
    rows, frame = whole.rows, whole.frame
    observed, n, expected = (frame[name].to_numpy(dtype=float) for name in ("observed", "n", "expected_marginal"))
    overall, ratio = observed.sum() / n.sum(), observed / expected
    means = {"exact Poisson": i.poisson_exact, "mid-p Poisson": i.poisson_mid_p, "Byar": i.byar}
    found = [_kind(f"O/E, {name}", ratio, limits(observed), expected) for name, limits in means.items()]
    exact = i.poisson_binomial_limits(rows.expected_marginal, rows.starts, observed)
    found.append(_kind("O/E, exact Poisson-binomial (mid-p)", ratio, exact, np.ones_like(ratio)))
    rates = {"Clopper-Pearson": i.clopper_pearson, "mid-p binomial": i.binomial_mid_p, "Wilson": i.wilson}
    crude = observed / n / overall
    found += [_kind(f"crude rate, {name}", crude, limits(observed, n), overall) for name, limits in rates.items()]
    shrunken = {DEFAULT: "full", "P/E, posterior at the estimates": "plug_in", "P/E, delta method": "delta"}
    for name, posterior in shrunken.items():
        table = assess(fit, provider, ProfileOptions(posterior=posterior)).frame  # type: ignore[arg-type]
        found.append(Kind(name, *(table[c].to_numpy(dtype=float) for c in ("ratio", "ratio_lower", "ratio_upper"))))
    drawn = cms_bootstrap(fit, provider, resamples, SEED, workers).intervals()
    limits_drawn = (drawn[name].to_numpy(dtype=float) for name in ("ratio_lower", "ratio_upper"))
    return [*found, Kind("P/E, CMS bootstrap", frame["ratio"].to_numpy(dtype=float), *limits_drawn)]


def _kind(name: str, centre: np.ndarray, limits: Limits, norm: np.ndarray | float) -> Kind:
    return Kind(name, centre, limits[0] / norm, limits[1] / norm)


def summary(found: list[Kind]) -> list[tuple[str, ...]]:
    """A line a kind: median lower and upper limit and width, providers above and below 1, and with the same finding as
    the default."""
    signs = {kind.name: np.where(kind.lower > 1, 1, np.where(kind.upper < 1, -1, 0)) for kind in found}
    lines = []
    for kind in found:
        sign, known = signs[kind.name], np.isfinite(kind.lower)
        medians = (np.median(values[known]) for values in (kind.lower, kind.upper, kind.upper - kind.lower))
        figures = [f"{value:.3f}" for value in medians] if known.any() else ["none"] * 3
        counts = [int((sign == 1).sum()), int((sign == -1).sum()), int((sign == signs[DEFAULT])[known].sum())]
        lines.append((kind.name, *figures, *map(str, counts), str(int(known.sum()))))
    return lines


SUMMARY = ("interval", "median lower", "median upper", "median width", "above 1", "below 1", "as the default", "of")


def page(folder: Path, resamples: int, workers: int) -> list[str]:
    """The lines of the page, for every data set that is there."""
    lines = [
        "# Every kind of interval, side by side",
        "",
        f"Written by `python -m benchmarks.intervals --resamples {resamples}` from public data; not to be edited.",
        "All are 95 % intervals over the norm: O/E with E averaged over the effects, the crude rate over that of all",
        "(no case mix), P/E the shrunken ratio. *Above 1* and *below 1* count providers whose interval leaves out 1;",
        f"the bootstrap has {resamples:,} resamples. Intervals of O/E and P/E answer different questions: what this",
        "provider's patients show, and what is to be believed of the provider when the others are taken into account.",
    ]
    for title, provider, fit in fits(folder):
        found = kinds(fit, provider, resamples, workers)
        lines += ["", f"## {title}", ""]
        count = len(found[0].centre)
        lines += [f"{count} providers; effects with a standard deviation of {fit.variance(provider) ** 0.5:.3f}.", ""]
        lines += _table(SUMMARY, summary(found))
        if count <= FEW:
            lines += ["", "Limits of each:", ""]
            lines += _table(("interval", *map(str, fit.levels(provider))), [_each(kind) for kind in found])
    return lines


def _each(kind: Kind) -> tuple[str, ...]:
    return kind.name, *(f"{low:.2f} to {high:.2f}" for low, high in zip(kind.lower, kind.upper, strict=True))


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows)]


def main() -> None:
    """Print the page and write it (resamples below 200: to build/)."""
    default = Path(os.environ.get("PROFILING_SHARED", "../shared")) / "data"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intervals", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=default, help="holds gusto/ and surgeon_cardiac/")
    parser.add_argument("--resamples", type=int, default=1000, help="of the CMS bootstrap")
    parser.add_argument("--workers", type=int, default=2, help="processes of the CMS bootstrap")
    asked = parser.parse_args()
    text = "\n".join(page(asked.folder, asked.resamples, asked.workers)) + "\n"
    print(text)
    target = ROOT / ("docs" if asked.resamples >= FEWEST_WRITTEN else "build") / "intervals.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

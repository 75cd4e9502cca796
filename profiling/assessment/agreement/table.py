"""The table of agreement: one line a published figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

NUMBERS = (2, 3, 4, 6)


@dataclass(frozen=True)
class Agreement:
    """One published figure computed again.

    cells: printed values compared; largest: the largest difference; allowed: the most that the rounding of what is
    printed explains, in words; mismatches: cells beyond it.
    """

    source: str
    figure: str
    cells: int
    largest: float
    allowed: str
    of_allowed: float
    mismatches: int


def compared(
    source: str, figure: str, found: npt.ArrayLike, printed: npt.ArrayLike, allowed: npt.ArrayLike, words: str
) -> Agreement:
    """Numbers against printed numbers; NaN on either side alone is a mismatch."""
    mine, theirs = np.asarray(found, dtype=np.float64), np.asarray(printed, dtype=np.float64)
    same = (np.isnan(mine) & np.isnan(theirs)) | (mine == theirs)
    difference = np.where(same, 0.0, np.nan_to_num(np.abs(mine - theirs), nan=np.inf))
    most = np.asarray(allowed, dtype=np.float64)
    wrong = ~(difference <= most)
    share = np.where(difference > 0, difference / np.maximum(most, 1e-300), 0.0).max()
    return Agreement(source, figure, mine.size, float(difference.max()), words, float(share), int(wrong.sum()))


def same_words(source: str, figure: str, found: npt.ArrayLike, printed: npt.ArrayLike) -> Agreement:
    """Categories against printed categories."""
    wrong = int((np.asarray(found) != np.asarray(printed)).sum())
    return Agreement(source, figure, np.asarray(found).size, float(wrong > 0), "none", float(wrong > 0), wrong)


def together(parts: Iterable[Agreement]) -> Agreement:
    """The same figure of several tables as one line."""
    every = list(parts)
    first = every[0]
    return Agreement(
        first.source,
        first.figure,
        sum(part.cells for part in every),
        max(part.largest for part in every),
        first.allowed,
        max(part.of_allowed for part in every),
        sum(part.mismatches for part in every),
    )


def agreements(folder: Path) -> Iterator[Agreement]:
    """Every comparison for which `folder` holds the data: nhs_shmi, ny_cardiac, cms_hrrp, phe_funnel, cms_hsr."""
    from profiling.assessment.agreement import cms, new_york, nhs, phe

    makers: dict[str, Callable[[Path], Iterator[Agreement]]] = {
        "nhs_shmi": nhs.agreements,
        "ny_cardiac": new_york.agreements,
        "cms_hrrp": cms.published_ratios,
        "cms_hsr": cms.hospital_report,
        "phe_funnel": phe.agreements,
    }
    for name, make in makers.items():
        if (folder / name).is_dir():
            yield from make(folder / name)


def as_text(found: Iterable[Agreement]) -> list[str]:
    """The lines of the table."""
    head = ("source", "figure", "cells", "largest difference", "of allowed", "allowed", "mismatches")
    rows = [head, *map(_cells, found)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    return ["  ".join(_aligned(row, widths)).rstrip() for row in rows]


def _cells(one: Agreement) -> tuple[str, ...]:
    difference, share = f"{one.largest:.2g}", f"{one.of_allowed:.0%}"
    return one.source, one.figure, f"{one.cells:,}", difference, share, one.allowed, str(one.mismatches)


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    cells = zip(row, widths, strict=True)
    return [cell.rjust(width) if k in NUMBERS else cell.ljust(width) for k, (cell, width) in enumerate(cells)]

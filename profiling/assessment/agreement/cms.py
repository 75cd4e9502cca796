"""CMS: predicted over expected of every hospital, and the worksheet of one hospital from its discharges."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from profiling.assessment.agreement.table import Agreement, compared
from profiling.assessment.external import from_coefficients
from profiling.assessment.fitted import Floats

RATIOS, REPORT = "CMS HRRP FY2024", "CMS hospital-specific report"
SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
PAYMENT, RESULTS, FIRST_DISCHARGES = 2, 3, 4
LEAST_CASES, LARGEST_REDUCTION = 25, 0.03
HEAD, COEFFICIENTS, FIRST_ROW = 7, 8, 9
OWN, AVERAGE = "HOSP_EFFECT", "AVG_EFFECT"

Cells = dict[int, dict[str, str]]


def published_ratios(folder: Path) -> Iterator[Agreement]:
    """P/E from the printed rates; P/E between 1 and the raw ratio wherever counts are printed."""
    table = pd.concat([pd.read_csv(file) for file in sorted(folder.glob("*.csv.gz"))])
    table = table[table["predicted_rate"].notna() & table["expected_rate"].notna()]
    ratio = table["predicted_rate"] / table["expected_rate"]
    yield compared(RATIOS, "predicted / expected", ratio, table["excess_readmission_ratio"], 1e-4, "1e-4 (4 decimals)")
    counted = table["readmissions"].notna() & (table["discharges"] > 0)
    raw = 100.0 * table["readmissions"] / table["discharges"] / table["expected_rate"]
    beyond = np.maximum(np.minimum(raw, 1.0) - ratio, ratio - np.maximum(raw, 1.0))[counted].clip(lower=0.0)
    yield compared(RATIOS, "P/E between 1 and O/E", beyond, np.zeros(len(beyond)), 0.0, "none")


def hospital_report(folder: Path) -> Iterator[Agreement]:
    """Every measure of the mock workbook: predicted and expected rate, and their ratio."""
    with zipfile.ZipFile(next(iter(sorted(folder.glob("*.xlsx"))))) as book:
        words = _shared_words(book)
        printed = [row for row in _sheet(book, RESULTS, words).values() if _is_number(row.get("D", ""))]
        payment = next(row for row in _sheet(book, PAYMENT, words).values() if _is_number(row.get("G", "")))
        sheets = {name: _sheet(book, FIRST_DISCHARGES + k, words) for k, name in enumerate(_measures(book, words))}
    rates = np.array([worksheet(sheets[row["A"].strip()]) for row in printed])
    theirs = np.array([[float(row[column]) for column in "DEF"] for row in printed])
    for place, figure in enumerate(("predicted rate", "expected rate")):
        yield compared(REPORT, figure, rates[:, place], theirs[:, place], 1e-13, "1e-13 (14 decimals)")
    yield compared(REPORT, "predicted / expected", rates[:, 0] / rates[:, 1], theirs[:, 2], 1e-12, "1e-12")
    cases, excess, median, share = np.transpose([[float(row[column]) for column in "BFGI"] for row in printed])
    factor = 1.0 - payment_reduction(cases, excess, median, share, float(payment["E"]))
    yield compared(
        REPORT, "payment adjustment factor", factor, float(payment["G"]), 0.5e-4 + 1e-12, "5e-5 (4 decimals)"
    )


def payment_reduction(cases: Floats, excess: Floats, median: Floats, share: Floats, neutrality: float) -> float:
    """Σ share · (ratio − peer median) · neutrality modifier over measures with 25 cases and a ratio above the median.

    cases, excess (P/E), median (of the peer group), share (of payments): one element a measure; at most 3 %.
    """
    counted = (cases >= LEAST_CASES) & (excess > median)
    return float(min((share * (excess - median) * neutrality)[counted].sum(), LARGEST_REDUCTION))


def worksheet(cells: Cells) -> tuple[float, float]:
    """Predicted and expected rate of one measure: mean expit(xβ + effect), own and average effect."""
    columns = [column for column, value in cells[COEFFICIENTS].items() if _is_number(value)]
    names = {column: cells[HEAD][column].strip() for column in columns}
    effects = {name: column for column, name in names.items() if name in (OWN, AVERAGE)}
    traits = [column for column in columns if column not in effects.values()]
    rows = [row for number, row in cells.items() if number >= FIRST_ROW and _is_number(row.get(traits[0], ""))]
    table = pd.DataFrame([[float(row[column]) for column in traits] for row in rows], columns=traits)
    table = table[[row.get("H", "").strip() == "Yes" for row in rows]]
    coefficients = pd.Series({column: float(cells[COEFFICIENTS][column]) for column in traits})
    own, average = (float(cells[COEFFICIENTS][effects[name]]) for name in (OWN, AVERAGE))
    return tuple(float(from_coefficients(table, coefficients, effect).mean()) for effect in (own, average))  # type: ignore[return-value]


def _measures(book: zipfile.ZipFile, words: list[str]) -> list[str]:
    """Names of the measures in the order of their worksheets, as the table of results has them."""
    return [row["A"].strip() for number, row in _sheet(book, RESULTS, words).items() if 6 <= number <= 11]


def _shared_words(book: zipfile.ZipFile) -> list[str]:
    root = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    return ["".join(text.text or "" for text in item.iter(f"{SPREADSHEET}t")) for item in root]


def _sheet(book: zipfile.ZipFile, number: int, words: list[str]) -> Cells:
    """Cells of a worksheet by row and letter of the column."""
    root = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    cells: Cells = {}
    for row in root.iter(f"{SPREADSHEET}row"):
        values = {}
        for cell in row:
            value = cell.find(f"{SPREADSHEET}v")
            if value is not None and value.text is not None:
                letters = re.match("[A-Z]+", cell.get("r", "A"))
                text = words[int(value.text)] if cell.get("t") == "s" else value.text
                values[letters.group() if letters else "A"] = text
        cells[int(row.get("r", "0"))] = values
    return cells


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

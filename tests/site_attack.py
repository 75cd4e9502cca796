"""An attacker for tests who has nothing but the files of a published site, and looks for events of every provider.

Ways: the printed count, count = rate times cases, ratio times expected, the exact interval turned round, the mode of
the mixed model (O = P + b / variance), rows of tables on pages, words of marks, and places of marks turned back by the
ticks of their axes. Each way gives what it finds by measure, level and provider.
"""

from __future__ import annotations

import html
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd
from pyarrow import parquet
from scipy import stats

Key = tuple[str, str, str]
Found = dict[str, dict[Key, float]]
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def attack_site(folder: Path) -> Found:
    """Events of providers by each way."""
    run = json.loads((folder / "downloads/run.json").read_text(encoding="utf-8"))
    found: Found = defaultdict(dict)
    names: dict[tuple[str, str, str], str] = {}
    for measure in run["measures"]:
        if measure["specification"]["family"] != "binomial":
            continue
        for place, level in enumerate(measure["specification"]["providers"]):
            path = folder / "downloads" / f"{measure['name']}_{level['level']}.csv"
            for kind, table in (
                ("csv", pd.read_csv(path)),
                ("parquet", parquet.read_table(path.with_suffix(".parquet")).to_pandas()),
            ):
                _from_table(found, kind, measure, level["level"], table)
                for row in table.itertuples():
                    names[measure["name"], "outer" if place == 0 else "inner", str(row.provider_name)] = str(
                        row.provider
                    )
        _from_page(found, folder / "measures" / f"{measure['name']}.html", measure, names)
        _from_bundle_of_pages(found, folder / "hospitals", measure, names)
    return found


def _from_table(found: Found, kind: str, measure: dict, level: str, table: pd.DataFrame) -> None:
    variances = {row["grouping"].split(":")[-1]: row["covariance"] for row in measure["variance_components"]}
    columns = {row["level"]: row["column"] for row in measure["specification"]["providers"]}
    variance = variances.get(level, variances.get(columns[level], np.nan))
    ways = {
        "printed": table["observed"],
        "rate": table["observed_rate"] * table["n"],
        "ratio": table["oe_ratio"] * table["expected_marginal"],
        "mode": table["predicted"] + table["mode"] / variance,
        "z": table["z"] * np.sqrt(table["expected_marginal"]) + table["expected_marginal"],
    }
    for way, values in ways.items():
        for provider, value in zip(table["provider"].astype(str), values, strict=True):
            if np.isfinite(value):
                found[f"{kind}: {way}"][measure["name"], level, provider] = float(value)
    for row in table.itertuples():
        if np.isfinite(row.oe_upper):
            counts = np.arange(0, 20_000)
            limits = stats.chi2.ppf(0.975, 2 * (counts + 1)) / 2
            place = int(np.argmin(np.abs(limits - row.oe_upper * row.expected_marginal)))
            if np.isfinite(row.expected_marginal):
                found[f"{kind}: interval"][measure["name"], level, str(row.provider)] = float(place)


def _from_page(found: Found, page: Path, measure: dict, names: dict[tuple[str, str, str], str]) -> None:
    level = measure["specification"]["providers"][0]["level"]
    text = page.read_text(encoding="utf-8")
    tree = html5lib.parse(text, namespaceHTMLElements=False)
    for row in tree.iter("tr"):
        cells = {cell.get("class", ""): "".join(cell.itertext()) for cell in row.iter("td")}
        head = "".join("".join(cell.itertext()) for cell in row.iter("th")).strip()
        for names_of, value in cells.items():
            if "observed" in names_of.split() and (name := names.get((measure["name"], "outer", head))):
                found["page: table"][measure["name"], level, name] = _number(value)
    event = str(measure["specification"].get("event"))
    for words in re.findall(r"<title>([^<]*)</title>", text):
        said = re.match(rf"(.*): ([\d,]+) {re.escape(event)}, ", html.unescape(words))
        if said and (name := names.get((measure["name"], "outer", said[1]))):
            found["page: words of marks"][measure["name"], level, name] = _number(said[2])
    for name, x, y in marks(_drawing(text, "funnel-wide")):
        key = names.get((measure["name"], "outer", name))
        if key:
            found["page: places of marks"][measure["name"], level, key] = x * y


def _from_bundle_of_pages(found: Found, folder: Path, measure: dict, names: dict[tuple[str, str, str], str]) -> None:
    """Rows of physicians on the pages of hospitals."""
    levels = [row["level"] for row in measure["specification"]["providers"]]
    for page in sorted(folder.rglob("*.html")):
        part = re.search(
            rf'<section class="on-measure[^"]*" id="{measure["name"]}">(.*?)</section>',
            page.read_text(encoding="utf-8"),
            re.DOTALL,
        )
        for row in re.findall(r"<tr\b.*?</tr>", part[1] if part else "", re.DOTALL):
            head = re.search(r"<th[^>]*>(.*?)</th>", row, re.DOTALL)
            cell = re.search(r'<td class="number observed"[^>]*>(.*?)</td>', row, re.DOTALL)
            name = html.unescape(re.sub(r"<[^>]*>", "", head[1])).rstrip("*").strip() if head else ""
            if cell and len(levels) > 1 and (key := names.get((measure["name"], "inner", name))):
                found["page: physicians"][measure["name"], levels[1], key] = _number(re.sub(r"<[^>]*>", "", cell[1]))


def _number(text: str) -> float:
    return float(NUMBER.search(text)[0].replace(",", ""))  # type: ignore[index]


def _drawing(text: str, identity: str) -> str:
    start = text.find(f'id="{identity}"')
    return text[text.rfind("<svg", 0, start) : text.find("</svg>", start)] if start >= 0 else ""


def axes(drawing: str) -> tuple[np.ndarray, np.ndarray]:
    """Slope and intercept of x on pixels and of log y on pixels, from the words of the ticks."""
    groups = re.findall(r'<g class="tick" text-anchor="(\w+)">(.*?)</g>', drawing)
    found = {}
    for anchor, body in groups:
        ticks = re.findall(r'<text x="([-\d.]+)" y="([-\d.]+)">([^<]+)</text>', body)
        values = np.array([float(word.replace(",", "")) for *_, word in ticks])
        if anchor == "end":
            found["y"] = np.polyfit([float(y) - 4 for _, y, _ in ticks], np.log(values), 1)
        else:
            found["x"] = np.polyfit([float(x) for x, *_ in ticks], values, 1)
    return found["x"], found["y"]


def marks(drawing: str) -> Iterator[tuple[str, float, float]]:
    """Name of every mark, with what its place says on both axes."""
    if not drawing:
        return
    across, up = axes(drawing)
    for title, shape in re.findall(r"<title>([^<]*)</title>(<(?:circle|path)[^>]*>)", drawing):
        place = _place(shape)
        if place is not None:
            name = html.unescape(title).partition(":")[0]
            yield name, float(np.polyval(across, place[0])), float(np.exp(np.polyval(up, place[1])))


def _place(shape: str) -> tuple[float, float] | None:
    """Middle of a circle, or of the corners of a triangle."""
    circle = re.search(r'cx="([-\d.]+)" cy="([-\d.]+)"', shape)
    if circle:
        return float(circle[1]), float(circle[2])
    path = re.search(r' d="M([-\d. lhLHvV]+)Z"', shape)
    return _middle(path[1]) if path else None


def _middle(path: str) -> tuple[float, float] | None:
    numbers = re.findall(r"[a-zA-Z]|-?\d*\.?\d+", "M" + path)
    x = y = 0.0
    corners, command, i = [], "M", 0
    while i < len(numbers):
        if numbers[i].isalpha():
            command, i = numbers[i], i + 1
        if command in "ML":
            x, y, i = float(numbers[i]), float(numbers[i + 1]), i + 2
        elif command == "l":
            x, y, i = x + float(numbers[i]), y + float(numbers[i + 1]), i + 2
        elif command in "hH":
            x, i = (x if command == "h" else 0.0) + float(numbers[i]), i + 1
        else:
            return None
        corners.append((x, y))
        command = "L" if command == "M" else command
    if len(corners) != 3:
        return None
    middle = np.mean(corners, axis=0)
    return float(middle[0]), float(middle[1])

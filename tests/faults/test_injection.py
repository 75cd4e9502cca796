"""Names and titles that try to become markup, script, formulas or paths are shown as the text they are."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import html5lib
import pandas as pd
import pytest
from reporting_fixture import simulated_run

from profiling.reporting.downloads import defuse, write_csv
from profiling.reporting.pages.shared import slug
from profiling.reporting.site import write_site
from profiling.shipped import templates_folder

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></svg><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "javascript:alert(1)",
    "../../../etc/passwd",
    "=HYPERLINK(\"http://x\",\"y\")",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "&lt;b&gt;",
    "' onmouseover='alert(1)",
    "]]><script>",
    "a\x00b",
    "\u202egnp.exe",
    "مستشفى",
    "CON",
]  # fmt: skip
NAMES = [PAYLOADS[i % len(PAYLOADS)] + ("" if i < len(PAYLOADS) else str(i)) for i in range(24)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_site(
        simulated_run(rows=6000, hospitals=24, physicians_each=2, names=NAMES, text=" <script>alert(2)</script>"),
        folder,
    )
    return folder


def parsed(path: Path) -> object:
    return html5lib.parse(path.read_text(encoding="utf-8"), namespaceHTMLElements=False)


def test_nothing_injected_becomes_an_element_or_a_handler(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) == 31
    own = (templates_folder() / "site.js").read_text(encoding="utf-8").strip()
    for page in pages:
        for element in parsed(page).iter():  # type: ignore[attr-defined]
            assert element.tag not in ("img", "iframe", "object", "base"), page.name
            # The one script a page may hold is ours, letter for letter, and its hash is the only one allowed to run.
            assert element.tag != "script" or (element.text.strip() == own and not element.attrib), page.name
            assert not [name for name in element.attrib if name.lower().startswith("on")], page.name
            address = element.attrib.get("href", "")
            assert not re.match(r"\s*(javascript|data|vbscript):", address, re.IGNORECASE), page.name


def test_names_are_shown_as_they_are(site: Path) -> None:
    tree = parsed(site / "measures" / "mortality_30d.html")
    shown = {"".join(cell.itertext()) for cell in tree.iter("th")}  # type: ignore[attr-defined]
    for name in ("<script>alert(1)</script>", "{{ 7 * 7 }}", "&lt;b&gt;", "../../../etc/passwd", "مستشفى"):
        assert name in shown


def test_page_names_are_letters_digits_and_hyphens_within_the_folder(site: Path) -> None:
    names = [page.name for page in (site / "hospitals").iterdir()]
    assert len(names) == 24
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*\.html", name) for name in names)
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("St Edith's, Caldcombe") == "st-ediths-caldcombe"


def test_every_cell_of_every_csv_is_harmless(site: Path) -> None:
    for path in sorted((site / "downloads").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    harmless = not cell.lstrip().startswith(("=", "+", "-", "@")) or re.fullmatch(
                        r"-?\d[\d.e+-]*", cell
                    )
                    assert harmless, path.name


def test_text_is_defused_and_numbers_stay_numbers(tmp_path: Path) -> None:
    write_csv(pd.DataFrame({"name": ["=1+1", "plain", None], "value": [-1.5, 2.0, float("nan")]}), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["name", "value"], ["'=1+1", "-1.5"], ["plain", "2"], ["", ""]]
    assert [defuse(text) for text in ("@a", "\ta", "\ra", "-a", "a-b", " =a")] == [
        "'@a",
        "'\ta",
        "'\ra",
        "'-a",
        "a-b",
        "' =a",
    ]


def test_run_json_is_plain_json(site: Path) -> None:
    content = json.loads((site / "downloads" / "run.json").read_text(encoding="utf-8"))
    assert content["run"]["title"].endswith("<script>alert(2)</script>")

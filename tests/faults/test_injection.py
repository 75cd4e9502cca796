"""Names and titles that try to become markup, script, formulas or paths are shown as the text they are."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import html5lib
import pandas as pd
import pytest
from reporting_fixture import simulated_run

from profiling.reporting.downloads import defuse, write_csv
from profiling.reporting.pages.shared import slug
from profiling.reporting.site import write_site
from profiling.shipped import templates_folder
from profiling.store.runs import RunRecord

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


def poisoned(record: RunRecord) -> RunRecord:
    """The run with payloads in every text of the tables behind its findings."""

    def told(table: pd.DataFrame, column: str) -> dict[str, str]:
        kinds = table[column].dropna().astype(str).unique()
        return {kind: PAYLOADS[place % len(PAYLOADS)] + kind for place, kind in enumerate(kinds)}

    texts = {
        "subgroups": ("value", "column_name"), "provider_periods": ("period",), "provider_evidence": ("dissent",),
        "sensitivity": ("variant",),
    }  # fmt: skip
    tables = {}
    for name, columns in texts.items():
        table = getattr(record, name)
        tables[name] = table.assign(**{column: table[column].map(told(table, column)) for column in columns})
    tables["sensitivity"]["note"] = [PAYLOADS[place % len(PAYLOADS)] for place in range(len(tables["sensitivity"]))]
    outer = record.provider_estimates.query("level == 'hospital'")["provider"].unique()
    tables["provider_comments"] = pd.DataFrame(
        {
            "level": "hospital",
            "provider": outer,
            "position": 0,
            "comment": [PAYLOADS[i % len(PAYLOADS)] for i in range(len(outer))],
        }
    )
    return replace(record, **tables)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    record = simulated_run(rows=6000, hospitals=24, physicians_each=2, names=NAMES, text=" <script>alert(2)</script>")
    write_site(poisoned(record), folder)
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


def test_texts_of_the_panels_are_shown_as_they_are(site: Path) -> None:
    pages = [
        html5lib.parse(page.read_text(encoding="utf-8"), namespaceHTMLElements=False) for page in site.rglob("*.html")
    ]
    said = " ".join("".join(page.itertext()) for page in pages)
    for text in (
        "<script>alert(1)</script>F",
        "<script>alert(1)</script>other attribution",
        '"><img src=x onerror=alert(1)>',
        "&lt;b&gt;",
        "</title></svg><script>",
    ):
        assert text.lower() in said.lower()


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

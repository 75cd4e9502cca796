"""Two hundred payloads in every text: none runs in a browser whose policy is switched off, all are shown as they are.

Downloads are read by the csv module under three separators here; LibreOffice reads them in the study.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from payloads import PAYLOADS
from reporting_fixture import simulated_run

from profiling.reporting import downloads
from profiling.reporting.disclosure import mask
from profiling.reporting.downloads import write_csv
from profiling.reporting.provider_table import clean
from profiling.reporting.site import write_site
from profiling.store.runs import RunRecord

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
LISTEN = """
window.fired = [];
window.canary = place => window.fired.push(place);
window.alert = window.confirm = window.prompt = text => window.fired.push(text);
"""
# Everything a hand could do to a page: point at, focus and press every element (links are kept from leading away).
TOUCH = """
() => {
  document.addEventListener('click', event => event.preventDefault(), true);
  for (const element of document.querySelectorAll('*')) {
    for (const kind of ['mouseover', 'mouseenter', 'focus', 'focusin', 'click', 'toggle'])
      element.dispatchEvent(new Event(kind, {bubbles: true, cancelable: true}));
  }
  const bad = [...document.querySelectorAll('*')].filter(element =>
    [...element.attributes].some(attribute => attribute.name.toLowerCase().startsWith('on')
      || /^\\s*(javascript|data|vbscript):/i.test(attribute.value)
      && ['href', 'src', 'action'].includes(attribute.name)));
  const tags = ['img', 'iframe', 'object', 'embed', 'base', 'form', 'audio', 'video', 'marquee', 'math', 'dialog'];
  return window.fired.concat(bad.map(element => element.outerHTML.slice(0, 80)),
    tags.filter(tag => document.querySelector(tag)));
}
"""


def poisoned() -> RunRecord:
    """Every payload is the name of a hospital, a comment, a subgroup; all of them stand in titles and questions."""
    # Names at least differ from each other when what cannot be printed is gone.
    names = [f"{text} {place}" if text.strip() in ("", ".", "..") else text for place, text in enumerate(PAYLOADS)]
    every = " · ".join(text for text in PAYLOADS if len(text) < 200)
    record = simulated_run(rows=16_000, hospitals=len(names), physicians_each=1, names=names, text=f" {every}")
    specs = {
        name: json.loads(text) | {"unit": f"days {every}", "event": f"deaths {every}", "period": every}
        for name, text in zip(record.measures["measure"], record.measures["spec_json"], strict=True)
    }
    outer = list(record.provider_estimates.query("level == 'hospital'")["provider"].unique())
    words = [PAYLOADS[place % len(PAYLOADS)] for place in range(len(outer))]
    group = record.subgroups.iloc[[0]]
    size = int(group["n"].iloc[0]) // len(PAYLOADS)
    return replace(
        record,
        measures=record.measures.assign(spec_json=[json.dumps(specs[name]) for name in record.measures["measure"]]),
        provider_comments=pd.DataFrame({"level": "hospital", "provider": outer, "position": 0, "comment": words}),
        provider_evidence=record.provider_evidence.assign(
            dissent=[PAYLOADS[place % len(PAYLOADS)] for place in range(len(record.provider_evidence))]
        ),
        sensitivity=record.sensitivity.assign(
            variant=[f"{place} {PAYLOADS[place % len(PAYLOADS)]}" for place in range(len(record.sensitivity))],
            note=every,
        ),
        subgroups=pd.concat([group] * len(PAYLOADS), ignore_index=True).assign(
            position=range(len(PAYLOADS)), value=list(PAYLOADS), column_name=every, n=size, observed=float(size // 2)
        ),
    )


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return poisoned()


@pytest.fixture(scope="module")
def site(record: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("payloads")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "render_figures", lambda *_: None)
        write_site(record, folder)
    return folder


@pytest.fixture(scope="module")
def names(record: RunRecord) -> list[str]:
    """Names as they should be read: what cannot be printed is replaced, bare numbers are called hospital."""
    rows = record.provider_estimates.query("level == 'hospital' and measure == 'mortality_30d'")
    bare = r"[\d\s./-]*\d[\d\s./-]*"
    words = [clean(name) for name in rows["provider_name"]]
    return [f"Hospital {name}" if re.fullmatch(bare, name) else name for name in words]


# --- Downloads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_is_a_formula_whatever_parts_cells(tmp_path: Path, separator: str) -> None:
    frame = pd.DataFrame({"name": [clean(text) for text in PAYLOADS], "value": -1.5, "more": "x"})
    write_csv(frame, tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text(encoding="utf-8")
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        for cell in row:
            seen = re.sub("^[\\s\ufeff\u200b-\u200f\u2060]*", "", cell)
            assert not seen.startswith(("=", "+", "@", "\uff1d", "\uff0b", "\uff20")), cell
            assert not seen.startswith("-") or re.fullmatch(r"-1\.5(,x)?", seen), cell


def test_every_name_stands_in_the_download_as_it_is(site: Path, record: RunRecord) -> None:
    with (site / "downloads/mortality_30d_hospital.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = mask(record).providers.query("measure == 'mortality_30d' and level == 'hospital'")["provider_name"]
    assert len(rows) == len(wanted) >= 200
    for row, name in zip(rows, wanted, strict=True):
        assert re.sub(r"(^|[;\t\r\n][\s\"'\u200b-\u200f\ufeff]*)'", r"\1", row["provider_name"]) == re.sub(
            r"(^|[;\t\r\n][\s\"'\u200b-\u200f\ufeff]*)'", r"\1", name
        )


def test_files_are_named_by_letters_digits_and_hyphens(site: Path) -> None:
    pages = list((site / "hospitals").iterdir())
    assert len(pages) >= 200
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,70}\.html", page.name) for page in pages)


# --- Pages ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tab() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs axe-playwright-python")
    if BROWSER is None:
        pytest.skip("needs chromium on the path")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        # The policy of the pages is switched off: escaping alone has to do.
        context = launched.new_context(bypass_csp=True, offline=True)
        context.add_init_script(LISTEN)
        yield context.new_page()
        launched.close()


def touched(tab: Any, page: Path) -> list[str]:
    """What ran or became an element when everything on a page was touched."""
    asked: list[str] = []
    listener = lambda request: asked.append(request.url)  # noqa: E731
    tab.on("request", listener)
    tab.goto(page.as_uri())
    found = tab.evaluate(TOUCH)
    tab.remove_listener("request", listener)
    return [*map(str, found), *(url for url in asked if not url.startswith("file:///"))]


KINDS = ("index.html", "measures/mortality_30d.html", "models/mortality_30d.html", "audit.html")


@pytest.mark.parametrize("name", KINDS)
def test_nothing_runs(site: Path, tab: Any, name: str) -> None:
    assert touched(tab, site / name) == []


def test_nothing_runs_on_pages_of_hospitals(site: Path, tab: Any) -> None:
    for page in sorted((site / "hospitals").iterdir())[::45]:
        assert touched(tab, page) == [], page.name


def text_of(tab: Any, selector: str) -> list[str]:
    """Texts of elements as the browser holds them, without the line breaks it made of others."""
    script = "(selector) => [...document.querySelectorAll(selector)].map(element => element.textContent)"
    return list(tab.evaluate(script, selector))


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_every_name_is_shown_as_it_is(site: Path, tab: Any, names: list[str]) -> None:
    shown: set[str] = set()
    for page in sorted((site / "measures").glob("mortality_30d*.html")):
        tab.goto(page.as_uri())
        shown |= {plain(text) for text in text_of(tab, "table.providers tbody th")}
    assert {plain(name) for name in names} <= shown
    assert len(names) >= 200
    tab.goto((site / "measures/mortality_30d.html").as_uri())
    labels = tab.evaluate("[...document.querySelectorAll('svg a')].map(mark => mark.getAttribute('aria-label') || '')")
    marks = {plain(text) for text in labels}
    assert sum(any(mark.startswith(f"{plain(name)}:") for mark in marks) for name in names) > 20


def test_titles_questions_and_units_are_shown_as_they_are(site: Path, tab: Any) -> None:
    tab.goto((site / "measures/mortality_30d.html").as_uri())
    page = plain(tab.evaluate("document.body.textContent"))
    every = [plain(clean(text)) for text in PAYLOADS if len(text) < 200]
    assert all(text in plain(text_of(tab, ".question")[0]) for text in every)
    assert all(text in page for text in every)
    assert tab.title().startswith("Death within 30 days")


# --- The whole site, and a spreadsheet -----------------------------------------------------------------------


@pytest.mark.study
def test_nothing_runs_on_any_page(site: Path, tab: Any) -> None:
    for page in sorted(site.rglob("*.html")):
        assert touched(tab, page) == [], page.name


def opened(source: Path, options: str) -> str:
    """A CSV as LibreOffice has it after opening, cells parted as `options` say and formulas allowed."""
    profile = f"-env:UserInstallation={(source.parent / 'profile').as_uri()}"
    words = [f"--infilter=CSV:{options},,0,false,true,false,false,false,0,true", "--convert-to", "fods", "--outdir"]
    command = [str(OFFICE), profile, "--headless", *words, str(source.parent), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return source.with_suffix(".fods").read_text(encoding="utf-8")


@pytest.mark.study
@pytest.mark.skipif(OFFICE is None, reason="needs LibreOffice (apt-get install libreoffice-calc)")
@pytest.mark.parametrize("separator", [44, 59, 9], ids=["comma", "semicolon", "tab"])
def test_a_spreadsheet_shows_text(site: Path, tmp_path: Path, separator: int) -> None:
    options = f"{separator},34,76,1"
    plain_text = chr(separator).join(["name", "=1+1"]) + "\n"
    (tmp_path / "raw.csv").write_text(plain_text, encoding="utf-8")
    assert "table:formula" in opened(tmp_path / "raw.csv", options)
    for name in ("mortality_30d_hospital", "mortality_30d_subgroups", "mortality_30d_evidence"):
        shutil.copy(site / f"downloads/{name}.csv", tmp_path)
        sheet = opened(tmp_path / f"{name}.csv", options)
        assert "table:formula" not in sheet, name
        assert sheet.count("<table:table-row") > 100, name
        if separator == 44 and name == "mortality_30d_hospital":
            words = html.unescape(sheet)
            assert all(f"'{text}" in words for text in ("=1+1", "+1+1", "@SUM(1)", "=cmd|", "＝1+1"))

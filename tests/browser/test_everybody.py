"""Pages for everybody: axe-core finds nothing, the keyboard is enough, and the script only adds.

Chromium is driven without a network. Each kind of page is looked at with the script and without, light, dark, narrow.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from reporting_fixture import simulated_run

from profiling.reporting.compare_site import publish_comparison
from profiling.reporting.publication import publish

playwright = pytest.importorskip("playwright.sync_api", reason="needs axe-playwright-python")
BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs chromium on the path")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
KINDS = (
    *("index.html", "methods.html", "audit.html", "measures/mortality_30d.html", "measures/length_of_stay.html"),
    *("models/mortality_30d.html", "models/length_of_stay.html", "hospital", "hidden", "trend", "comparison"),
)
HOSPITALS = 24
# Words of a chart that reach out of it at a side, by how many pixels.
OUTSIDE = """() => [...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width).flatMap(s => {
  const box = s.viewBox.baseVal;
  return [...s.querySelectorAll('text')].map(t => {
    const b = t.getBBox();
    return [Math.max(box.x - b.x, b.x + b.width - box.x - box.width), s.id, t.textContent];
  }).filter(found => found[0] > 1);
})"""
# What is wider than the page and does not stand in a box that scrolls.
WIDER = """() => [...document.querySelectorAll('main *')]
  .filter(e => !e.closest('svg, .scroll, pre, .unseen') && e.getBoundingClientRect().right > innerWidth - 10)
  .map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Page of each kind, in a published site with a comparison beside it."""
    folder = tmp_path_factory.mktemp("everybody")
    record = simulated_run(rows=9000, hospitals=HOSPITALS, physicians_each=3)
    place = publish(record, folder).folder
    texts = {page: page.read_text(encoding="utf-8") for page in sorted((place / "hospitals").iterdir())}
    hidden = [page for page, text in texts.items() if "counts are not published" in text]
    shown = [page for page in texts if page not in hidden]
    with_trend = [page for page in shown if 'id="trend-' in texts[page] and 'id="limits-' in texts[page]]
    cases = {name: _cases(record, name) for name in record.measures["measure"]}
    other = simulated_run(rows=9000, hospitals=HOSPITALS, physicians_each=3, seed=5)
    return {
        **{kind: place / kind for kind in KINDS if kind.endswith(".html")},
        "hospital": shown[0],
        "hidden": hidden[0] if hidden else shown[-1],
        "trend": with_trend[-1],
        "comparison": publish_comparison(other, record, cases, folder, place.name),
    }


def _cases(record: Any, measure: str) -> Any:
    rows = record.provider_estimates.query("measure == @measure and level == 'hospital'")
    frame = rows.assign(outer_provider=rows["provider"], encounter_id=rows["provider"])
    return frame, frame


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


def opened(browser: Any, page: Path, **how: Any) -> tuple[Any, list[str]]:
    """The page without a network, and everything the browser complains about."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "offline": True, **how})
    tab, complaints = context.new_page(), []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(page.as_uri())
    return tab, complaints


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_no_word_is_cut(browser: Any, pages: dict[str, Path], width: int, scheme: str) -> None:
    engine = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    found = {}
    for kind, page in pages.items():
        # The policy forbids foreign scripts, the examiner's too: it alone may pass.
        tab, _ = opened(browser, page, bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 900})
        tab.evaluate(engine)
        result = tab.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        found |= {(kind, entry["id"]): entry["nodes"][0]["html"][:200] for entry in result["violations"]}
        assert len(result["passes"]) > 15, kind
        found |= {(kind, place): reach for place, reach in enumerate(tab.evaluate(OUTSIDE) + tab.evaluate(WIDER))}
        tab.context.close()
    assert found == {}


@pytest.mark.parametrize("script", [True, False])
def test_no_page_complains_and_none_needs_its_script(browser: Any, pages: dict[str, Path], script: bool) -> None:
    for kind, page in pages.items():
        tab, complaints = opened(browser, page, java_script_enabled=script)
        assert complaints == [], kind
        assert tab.locator("h1").inner_text(), kind
        assert tab.locator("main").inner_text().count("\n") > 10, kind
        if script is False:
            assert tab.locator(".tools, .sort, .tip").count() == 0
        tab.context.close()


def test_the_keyboard_alone_leads_from_the_overview_to_a_provider(browser: Any, pages: dict[str, Path]) -> None:
    tab, _ = opened(browser, pages["index.html"])
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the findings"
    tab.keyboard.press("Enter")
    for _ in range(80):
        tab.keyboard.press("Tab")
        target = tab.evaluate("document.activeElement.getAttribute('href') || ''")
        outlined = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outlined != "none", target
        if target.startswith("hospitals/"):
            break
    else:
        pytest.fail("no provider within 80 stops")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/hospitals/*.html")
    assert tab.locator("h1").inner_text()


def test_a_funnel_is_one_stop_and_arrows_say_who_is_where(browser: Any, pages: dict[str, Path]) -> None:
    tab, _ = opened(browser, pages["measures/mortality_30d.html"])
    marks = tab.locator("#funnel-wide a")
    assert marks.count() >= 8
    assert tab.locator("#funnel-wide a[tabindex='0']").count() == 1
    tab.locator("#funnel-wide a[tabindex='0']").focus()
    tab.keyboard.press("Home")
    told = []
    for _ in range(marks.count()):
        told.append(tab.locator(".tip").inner_text())
        assert told[-1] == tab.evaluate("document.activeElement.getAttribute('aria-label')")
        tab.keyboard.press("ArrowRight")
    assert len(set(told)) == marks.count()
    assert tab.locator("#funnel-wide a[tabindex='0']").count() == 1
    tab.keyboard.press("Escape")
    assert tab.locator(".tip").is_hidden()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/hospitals/*.html")
    assert told[-1].split(":")[0] in tab.locator("h1, .question").all_inner_texts().__str__()


def test_the_table_is_searched_filtered_and_sorted(browser: Any, pages: dict[str, Path]) -> None:
    tab, _ = opened(browser, pages["measures/mortality_30d.html"])
    rows = "table.providers tbody tr"
    names = tab.locator(f"{rows} th").all_inner_texts()
    assert len(names) == HOSPITALS
    wanted = names[3]
    tab.get_by_label("Find a hospital").fill(wanted.upper())
    assert tab.locator(f"{rows}:visible th").all_inner_texts() == [name for name in names if wanted in name]
    assert tab.get_by_role("status").inner_text() == f"1 of {HOSPITALS}"
    tab.get_by_label("Find a hospital").fill("")
    tab.get_by_label("In words", exact=True).select_option("As expected")
    assert set(tab.locator(f"{rows}:visible .status").all_inner_texts()) == {"As expected"}
    tab.get_by_label("In words", exact=True).select_option("All")
    before = tab.locator(f"{rows} th").all_inner_texts()
    button = tab.get_by_role("button", name="Patients")
    for direction, sign in (("ascending", 1), ("descending", -1)):
        button.click()
        assert tab.locator(f"th[aria-sort={direction}]").count() == 1
        cells = [int(text.replace(",", "")) for text in tab.locator(f"{rows} td.cases").all_inner_texts()]
        assert cells == sorted(cells, key=lambda value: sign * value)
    button.click()
    assert tab.locator(f"{rows} th").all_inner_texts() == before

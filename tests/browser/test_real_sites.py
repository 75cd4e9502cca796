"""Sites from real records and from a published table in Chromium: axe, keyboard, words in their charts, valid HTML."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import html5lib
import pytest
from real_sites import gusto_site, of_each_kind, shmi_site
from test_everybody import BROWSER, OUTSIDE, RULES, WIDER, browser, files, opened, playwright

needs_browser = pytest.mark.skipif(BROWSER is None, reason="needs chromium on the path")
__all__ = ["browser", "playwright"]
MADE = {"shmi": shmi_site, "gusto": gusto_site}
KINDS = ["shmi", pytest.param("gusto", marks=pytest.mark.study)]


@pytest.fixture(scope="module", params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MADE[request.param](tmp_path_factory.mktemp(request.param))


@needs_browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_and_no_word_is_cut(browser: Any, site: Path, width: int, scheme: str) -> None:
    engine = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    for name, page in of_each_kind(site).items():
        size = {"width": width, "height": 900}
        tab, _ = opened(browser, page, bypass_csp=True, color_scheme=scheme, viewport=size)
        assert tab.evaluate(OUTSIDE) == [], name
        assert tab.evaluate(WIDER) == [], name
        tab.evaluate(engine)
        result = tab.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        assert [(e["id"], e["nodes"][0]["html"][:200]) for e in result["violations"]] == [], name
        assert len(result["passes"]) > 15, name
        tab.context.close()


@needs_browser
@pytest.mark.parametrize("script", [True, False])
def test_no_page_complains_and_none_needs_its_script(browser: Any, site: Path, script: bool) -> None:
    for name, page in of_each_kind(site).items():
        tab, complaints = opened(browser, page, java_script_enabled=script)
        assert complaints == [], name
        assert tab.locator("main").inner_text().count("\n") > 10, name
        tab.context.close()


@needs_browser
@pytest.mark.parametrize("script", [True, False])
def test_tab_and_enter_lead_from_the_overview_to_a_provider(browser: Any, site: Path, script: bool) -> None:
    tab, _ = opened(browser, site / "index.html", java_script_enabled=script)
    fixed = ("measures/", "models/", "methods", "audit", "index", "downloads/", "#")
    for _ in range(60):
        tab.keyboard.press("Tab")
        focused = tab.locator("*:focus")
        address = focused.get_attribute("href") or ""
        if address and not address.startswith(fixed):
            break
    else:
        pytest.fail("no provider within 60 stops")
    name = focused.evaluate("e => e.getAttribute('aria-label') || e.textContent").partition(":")[0]
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**/{address}")
    assert name in tab.locator("h1").inner_text()
    tab.context.close()


def test_every_page_of_the_site_is_valid_html(site: Path) -> None:
    for page in of_each_kind(site).values():
        html5lib.HTMLParser(strict=True).parse(page.read_text(encoding="utf-8"))


@pytest.mark.study
def test_the_checker_of_the_w3c_finds_no_error(site: Path) -> None:
    """The Nu HTML checker, which knows more than a parser: what may stand where, and every value of an attribute."""
    jar = os.environ.get("VNU_JAR", "")
    if not jar:
        pytest.skip("no Nu HTML checker: VNU_JAR names its vnu.jar (npm's vnu-jar has it)")
    command = ["java", "-jar", jar, "--errors-only", "--skip-non-html", str(site)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.stderr == ""
    assert done.returncode == 0

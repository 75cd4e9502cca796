"""Tables over several pages in Chromium: links without the script, a search over all pages with it; axe is content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from reporting_fixture import simulated_run
from test_everybody import BROWSER, RULES, browser, files, opened, playwright

from profiling.reporting.disclosure import mask
from profiling.reporting.pages import directory
from profiling.reporting.pages.shared import Site, build
from profiling.reporting.site import frame, pages_of, style_sheet
from profiling.reporting.templating import environment
from profiling.shipped import templates_folder

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs chromium on the path")
__all__ = ["browser", "playwright"]
MEASURE = "measures/mortality_30d.html"
SECOND = "measures/mortality_30d-providers-2.html"


@pytest.fixture(scope="module")
def site() -> Site:
    return build(mask(simulated_run(hospitals=170, physicians_each=1, rows=14_000)))


@pytest.fixture(scope="module")
def folder(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of one measure and of the names."""
    place = tmp_path_factory.mktemp("many")
    for name in ("measures", "assets"):
        (place / name).mkdir()
    (place / "assets" / "style.css").write_text(style_sheet(), encoding="utf-8")
    made, shared = environment(templates_folder()), frame(site)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(directory, "ON_OVERVIEW", 100)
        patched.setattr(directory, "NAMES_A_PAGE", 60)
        for page in pages_of(site):
            if page.address.startswith(("measures/mortality", "directory")):
                root = "../" * page.address.count("/")
                text = made.get_template(page.template).render(**shared, root=root, **page.context())
                (place / page.address).write_text(text, encoding="utf-8")
    return place


def test_without_the_script_links_lead_through_the_table(browser: Any, folder: Path, site: Site) -> None:
    tab, complaints = opened(browser, folder / MEASURE, java_script_enabled=False)
    names = tab.locator("table.providers tbody th").all_inner_texts()
    tab.locator("nav.pages a[rel=next]").click()
    assert tab.url.endswith(f"{SECOND}#providers")
    names += tab.locator("table.providers tbody th").all_inner_texts()
    assert len(names) == len(site.addresses) > 150
    assert set(names) == {site.names[key] for key in site.addresses}
    tab.locator("nav.pages a[rel=prev]").click()
    assert tab.url.endswith("mortality_30d.html#providers")
    assert complaints == []
    tab.context.close()


def test_the_search_finds_what_stands_on_another_page(browser: Any, folder: Path) -> None:
    tab, _ = opened(browser, folder / SECOND, java_script_enabled=False)
    there = tab.locator("table.providers tbody tr").nth(17)
    name, anchor = there.locator("th").inner_text(), there.get_attribute("id")
    tab.context.close()
    tab, complaints = opened(browser, folder / MEASURE)
    tab.get_by_label("Find a hospital").fill(name.lower())
    rows = tab.locator("table.providers tbody tr:visible")
    assert rows.count() == tab.evaluate("parseInt(document.querySelector('.tools [role=status]').textContent)")
    found = rows.filter(has_text=name)
    assert "on page 2 of this table" in found.first.inner_text()
    found.first.get_by_text("on page 2").click()
    assert tab.url.endswith(f"{SECOND}#{anchor}")
    assert tab.locator(f"#{anchor} th").inner_text() == name
    assert tab.locator(".tools").count() == 0
    assert complaints == []
    tab.context.close()


def test_the_filter_counts_over_all_pages(browser: Any, folder: Path, site: Site) -> None:
    tab, _ = opened(browser, folder / MEASURE)
    expected = int((site.measures[0].providers["hospital"]["category"] == "too_few").sum())
    assert expected > 5
    tab.get_by_label("In words", exact=True).select_option("Too few to say")
    assert tab.locator(".tools [role=status]").inner_text() == f"{expected} of {len(site.addresses)}"
    tab.get_by_label("In words", exact=True).select_option("All")
    assert tab.locator("table.providers tbody tr:visible").count() == 100
    tab.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_on_further_pages(browser: Any, folder: Path, width: int) -> None:
    engine = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    for page in (MEASURE, SECOND, "directory-2.html"):
        tab, _ = opened(browser, folder / page, bypass_csp=True, viewport={"width": width, "height": 900})
        tab.evaluate(engine)
        result = tab.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        assert [(e["id"], e["nodes"][0]["html"][:200]) for e in result["violations"]] == [], page
        tab.context.close()

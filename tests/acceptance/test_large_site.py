"""A site of more providers than fit on a page: further pages, the search's index, sizes; and pages of physicians."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pandas as pd
import pytest
from reporting_fixture import simulated_run

from profiling.reporting.disclosure import MaskedRun, mask
from profiling.reporting.pages import directory
from profiling.reporting.pages.paging import Pages
from profiling.reporting.pages.shared import Site, build
from profiling.reporting.presentation import Presentation
from profiling.reporting.site import pages_of, write_site
from profiling.reporting.templating import environment
from profiling.shipped import templates_folder

FRAME = {"navigation": [], "inputs": [], "site_title": "T", "disclosure_note": "", "root": "../"}


def parsed(text: str) -> Element:
    return html5lib.HTMLParser(namespaceHTMLElements=False).parse(text)


def words(element: Element) -> str:
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def links(tree: Element) -> list[str]:
    return [element.attrib["href"] for element in tree.iter("a") if "href" in element.attrib]


@pytest.fixture(scope="module")
def masked() -> MaskedRun:
    """500 hospitals whose results are those of 25 simulated ones again and again under other names."""
    run = mask(simulated_run(hospitals=25, physicians_each=4, rows=30_000))
    parts = []
    for copy in range(20):
        rows = run.providers.copy()
        for column in ("provider", "parent"):
            rows[column] = rows[column].where(rows[column].isna(), rows[column].astype(str) + f"-{copy}")
        rows["provider_name"] = rows["provider_name"] + f" {copy}"
        parts.append(rows)
    return MaskedRun(**{**run.__dict__, "providers": pd.concat(parts, ignore_index=True)})


@pytest.fixture(scope="module")
def site(masked: MaskedRun) -> Site:
    return build(masked)


def drawn(site: Site, wanted: Callable[[str], bool]) -> dict[str, str]:
    """The wanted pages by address."""
    made = environment(templates_folder())
    frame = FRAME | {"run": site.masked.run}
    pages = [page for page in pages_of(site) if wanted(page.address)]
    return {page.address: made.get_template(page.template).render(**frame, **page.context()) for page in pages}


@pytest.fixture(scope="module")
def rendered(site: Site) -> dict[str, str]:
    return drawn(site, lambda address: not address.startswith("hospitals/ash") or address.endswith("-7.html"))


@pytest.fixture(scope="module")
def trees(rendered: dict[str, str]) -> dict[str, Element]:
    return {address: parsed(rendered[address]) for address in rendered if address.startswith("measures/")}


def test_no_page_of_500_hospitals_is_over_500_kilobytes(rendered: dict[str, str]) -> None:
    sizes = {address: len(text.encode()) for address, text in rendered.items()}
    assert {address: size for address, size in sizes.items() if size > 500_000} == {}
    assert sizes["index.html"] < 250_000


def test_every_provider_stands_once_in_the_table_over_its_pages(site: Site, trees: dict[str, Element]) -> None:
    for measure in site.measures:
        pages = [trees[measure.href]]
        pages += [trees[f"measures/{measure.name}-providers-{number}.html"] for number in range(2, 6)]
        rows = [row.attrib["id"] for tree in pages for row in tree.iter("tr") if "id" in row.attrib]
        assert sorted(rows) == sorted(site.addresses[measure.outer, p] for p in measure.providers[measure.outer].index)
        for number, tree in enumerate(pages, start=1):
            (nav,) = [e for e in tree.iter("nav") if e.attrib.get("class") == "pages"]
            assert words(nav).startswith(f"{100 * number - 99} to {100 * number} of 500 hospitals")
            there = {href.partition("#")[0] for href in links(nav)}
            assert there == {f"{measure.name}.html", *(f"{measure.name}-providers-{n}.html" for n in range(2, 6))}
            (current,) = [e for e in nav.iter("a") if "aria-current" in e.attrib]
            assert words(current) == str(number)
            (table,) = [e for e in tree.iter("table") if "providers" in e.attrib["class"]]
            assert table.attrib["data-all"] == "500"


def test_the_index_of_the_search_leads_to_the_page_a_provider_is_on(
    site: Site, rendered: dict[str, str], trees: dict[str, Element]
) -> None:
    for measure in site.measures:
        (script,) = re.findall(r'<script type="application/json" id="further">(.*?)</script>', rendered[measure.href])
        index = json.loads(script)
        assert len(index["entries"]) == 400
        for place, (name, slug, code) in enumerate(index["entries"]):
            if place % 37:
                continue
            page = trees[f"measures/{index['page']}{place // index['rows'] + 2}.html"]
            row = next(row for row in page.iter("tr") if row.attrib.get("id") == slug)
            assert words(next(row.iter("th"))) == name
            assert words(next(e for e in row.iter("span") if "status" in e.attrib["class"])) == index["statuses"][code]


def test_a_hostile_name_cannot_end_the_index(masked: MaskedRun) -> None:
    hostile = "</script><script>alert(1)</script>"
    names = masked.providers["provider_name"] + hostile
    named = MaskedRun(**{**masked.__dict__, "providers": masked.providers.assign(provider_name=names)})
    (text,) = drawn(build(named), lambda address: address == "measures/mortality_30d.html").values()
    assert hostile not in text
    scripts = list(parsed(text).iter("script"))
    assert len(scripts) == 2
    assert json.loads(scripts[0].text or "")["entries"][0][0].endswith(hostile)


def test_names_are_listed_on_pages_of_their_own_where_they_are_many(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(directory.directory(site).on_overview()["entries"]) == 500
    monkeypatch.setattr(directory, "ON_OVERVIEW", 300)
    monkeypatch.setattr(directory, "NAMES_A_PAGE", 120)
    pages = {
        page.address: page.context() for page in pages_of(site) if page.template in ("index.html", "directory.html")
    }
    ranges = pages["index.html"]["directory"]["entries"]
    assert [entry["href"] for entry in ranges] == ["directory.html", *(f"directory-{n}.html" for n in range(2, 6))]
    listed = [entry["name"] for entry in ranges for entry in pages[entry["href"]]["entries"]]
    assert len(listed) == 500
    assert ranges[1]["name"] == f"{listed[120]} to {listed[239]}"


@pytest.mark.parametrize(("count", "size", "number"), [(0, 10, 1), (15, 10, 1), (16, 10, 2), (20, 10, 2), (21, 10, 3)])
def test_pages_hold_every_row_once(count: int, size: int, number: int) -> None:
    pages = Pages(count, size)
    assert pages.number == number
    spans = [pages.span(page) for page in range(1, number + 1)]
    assert [row for first, last in spans for row in range(first, last)] == list(range(count))
    assert bool(pages.links(1, str, "things")) == (number > 1)


# --- Physicians ----------------------------------------------------------------------------------------------


def test_many_physicians_of_a_hospital_go_over_pages() -> None:
    site = build(mask(simulated_run(hospitals=2, physicians_each=130, rows=40_000)))
    pages = drawn(site, lambda address: address.startswith("hospitals/"))
    (level, provider), slug = next(iter(site.addresses.items()))
    assert level == "hospital"
    first = parsed(pages[f"hospitals/{slug}.html"])
    for measure in (one.name for one in site.measures):
        rows = site.measures[0].providers["physician"]
        expected = int((rows["parent"] == provider).sum())
        assert expected > 90
        section = next(e for e in first.iter("section") if e.attrib.get("id") == measure)
        further = [parsed(text) for name, text in pages.items() if name.startswith(f"hospitals/{slug}_{measure}_")]
        assert len(further) == -(-expected // 60) - 1
        named: list[str] = []
        for tree in (section, *further):
            table = next(e for e in tree.iter("table") if "physicians" in e.attrib["class"])
            named += [words(next(row.iter("th"))).rstrip("*") for row in table.iter("tr") if list(row.iter("td"))]
            (nav,) = [e for e in tree.iter("nav") if e.attrib.get("class") == "pages"]
            assert {f"hospitals/{href.partition('#')[0]}" for href in links(nav)} <= set(pages)
        assert len(named) == expected


def test_physicians_have_pages_when_asked_for() -> None:
    record = simulated_run(hospitals=6, physicians_each=5, rows=9000)
    masked = mask(record)
    plain, full = build(masked), build(masked, inner_pages=True)
    assert not [page for page in pages_of(plain) if page.address.startswith("physicians/")]
    pages = drawn(full, lambda address: address.startswith(("physicians/", "hospitals/")))
    everything = {page.address for page in pages_of(full)}
    own = {address: text for address, text in pages.items() if address.startswith("physicians/")}
    assert len(own) == record.flags.loc[record.flags["level"] == "physician", "provider"].nunique()
    published = full.measures[0].providers["physician"]
    hidden = 0
    for text in own.values():
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
        kicker = next(e for e in tree.iter("p") if e.attrib.get("class") == "question")
        row = published.loc[words(kicker).split()[1]]
        assert words(next(kicker.iter("a"))) == row["parent_name"]
        for href in links(next(tree.iter("main"))):
            if not href.startswith("../downloads/"):
                assert href.partition("#")[0].removeprefix("../") in everything, href
        section = next(e for e in tree.iter("section") if e.attrib.get("id") == "mortality_30d")
        if row["hidden"]:
            hidden += 1
            assert "counts not shown" in words(section)
            continue
        figures = words(next(section.iter("dl")))
        assert f"Raw ratio{row['oe_ratio']:.2f}" in figures
        assert f"Shrunken ratio{row['ratio']:.2f}" in figures
    assert 0 < hidden < len(own)
    for (level, provider), slug in plain.addresses.items():
        mine = published.index[published["parent"] == provider]
        expected = {full.address("physician", key, "../") for key in mine}
        home = parsed(pages[plain.address(level, provider)])
        assert {href for href in links(home) if href.startswith("../physicians/")} == expected, slug
        break


def test_a_site_has_a_folder_of_physicians_when_asked_for(tmp_path: Path) -> None:
    record = simulated_run(hospitals=3, physicians_each=2, rows=2000)
    write_site(record, tmp_path, presentation=Presentation(physician_pages=True))
    count = record.flags.loc[record.flags["level"] == "physician", "provider"].nunique()
    assert len(list((tmp_path / "physicians").iterdir())) == count

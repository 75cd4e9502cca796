"""A whole site in German: no English sentence is left, numbers are German, files for machines are those of English."""

from __future__ import annotations

import html
import re
from pathlib import Path
from string import Formatter

import pytest
from reporting_fixture import simulated_run

from profiling.reporting.language import current
from profiling.reporting.presentation import Presentation
from profiling.reporting.publication import publish
from profiling.reporting.sentences.catalogue import CATALOGUES, ENGLISH
from profiling.reporting.site import write_site

FEWEST_WORDS = 3
MACHINE = ("*.csv", "*.parquet", "*.json")
NUMBER = re.compile(r'<td class="number[^"]*"[^>]*>(.*?)</td>', re.DOTALL)
CODE = re.compile(r"<script\b.*?</script>|<code\b.*?</code>|<pre\b.*?</pre>", re.DOTALL)
ENGLISH_DECIMAL = re.compile(r"(?<![\d.])\d+\.\d{1,2}(?![\d.])")
GERMAN_DECIMAL = re.compile(r"\d,\d{1,4}(?!\d)")
OWN_NAMES = ("manifest.json",)  # names every file with its hash, pages too


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(simulated_run(), tmp_path_factory.mktemp("english")).index.parent


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("german")
    publish(simulated_run(), folder, presentation=Presentation(language="de"))
    return folder


@pytest.fixture(scope="module")
def pages(output: Path) -> dict[str, str]:
    site = (output / "current").resolve()
    return {page.relative_to(site).as_posix(): page.read_text(encoding="utf-8") for page in site.rglob("*.html")}


def visible(page: str) -> str:
    """All words of a page: text, labels and titles, without what was given as code."""
    page = CODE.sub(" ", page)
    labels = " · ".join(re.findall(r'(?:aria-label|data-label|title)="([^"]*)"', page))
    return " ".join(html.unescape(f"{re.sub('<[^>]*>', ' ', page)} · {labels}").split())


def fixed_words() -> dict[str, str]:
    """Stretches of English sentences between what is filled in, of more than a few words, by name of the sentence."""
    found = {}
    for key, text in ENGLISH.items():
        if CATALOGUES["de"][key] == text or key.startswith(("script_", "style_")):
            continue
        for place, (fixed, _, _, _) in enumerate(Formatter().parse(text)):
            words = " ".join(fixed.split())
            if len(re.findall(r"[A-Za-z]+", words)) > FEWEST_WORDS:
                found[f"{key} ({place})"] = words
    return found


def test_the_words_searched_for_are_found_in_english(english: Path) -> None:
    text = " ".join(visible(page.read_text(encoding="utf-8")) for page in english.rglob("*.html"))
    wanted = fixed_words()
    assert sum(words in text for words in wanted.values()) > 150


def test_no_english_sentence_is_left(pages: dict[str, str]) -> None:
    wanted = fixed_words()
    left: dict[tuple[str, str], str] = {}
    for name, page in pages.items():
        text = visible(page)
        left |= {(name, key): words for key, words in wanted.items() if words in text}
    assert not left, "say these through the catalogue (profiling/reporting/sentences), not in the page"


def test_every_page_says_that_it_is_german(pages: dict[str, str], output: Path) -> None:
    assert len(pages) > 40
    assert [name for name, page in pages.items() if '<html lang="de">' not in page] == []
    assert '<html lang="de">' in (output / "index.html").read_text(encoding="utf-8")
    assert current() == "en"


def test_tables_have_decimal_commas(pages: dict[str, str]) -> None:
    cells = [re.sub("<[^>]*>", "", cell) for page in pages.values() for cell in NUMBER.findall(page)]
    assert [cell for cell in cells if ENGLISH_DECIMAL.search(cell)] == []
    assert sum(bool(GERMAN_DECIMAL.search(cell)) for cell in cells) > 1000


def test_files_for_machines_are_those_of_the_english_site(english: Path, output: Path) -> None:
    site = (output / "current").resolve()
    compared = 0
    for pattern in MACHINE:
        for file in english.rglob(pattern):
            if file.name not in OWN_NAMES:
                assert (site / file.relative_to(english)).read_bytes() == file.read_bytes(), file.name
                compared += 1
    assert compared > 20


def test_addresses_and_names_of_parts_are_those_of_the_english_site(english: Path, pages: dict[str, str]) -> None:
    assert set(pages) == {page.relative_to(english).as_posix() for page in english.rglob("*.html")}
    for name, page in pages.items():
        text = (english / name).read_text(encoding="utf-8")
        for what in (r'\sid="([^"]*)"', r'\shref="([^"]*)"', r'<svg\b[^>]*class="([^"]*)"'):
            assert re.findall(what, page) == re.findall(what, text), name


def test_bands_of_cases_are_german(pages: dict[str, str]) -> None:
    text = " ".join(visible(page) for page in pages.values())
    assert re.search(r"unter 11 Fälle", text)
    assert not re.search(r"under 11|\d or more|\d and over", text)

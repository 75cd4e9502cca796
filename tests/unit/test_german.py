from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

from profiling.config import load_settings
from profiling.reporting import numbers, sentences
from profiling.reporting.definitions import DEFINITIONS, definitions
from profiling.reporting.language import speaking
from profiling.reporting.sentences.catalogue import ENGLISH, FOLDERS, MODULES
from profiling.reporting.sentences.german.definitions import MEANINGS
from profiling.reporting.sentences.german.levels import LEVELS
from profiling.reporting.templating import spoken
from profiling.shipped import templates_folder

ADVICE = "translate profiling/reporting/sentences/texts/{module}.py in profiling/reporting/sentences/german/{module}.py"
AS_THEY_STAND = ("script_", "style_")  # pieces of code, which may hold braces of their own


def texts(language: str, module: str) -> dict[str, str]:
    folder = FOLDERS[language]  # type: ignore[index]
    return dict(import_module(f"profiling.reporting.sentences.{folder}.{module}").TEXTS)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("module", MODULES)
def test_german_has_the_sentences_of_english(module: str) -> None:
    english, german = texts("en", module), texts("de", module)
    lacking, extra = sorted(english.keys() - german.keys()), sorted(german.keys() - english.keys())
    assert not lacking, f"{ADVICE.format(module=module)}: no German for {', '.join(lacking)}"
    assert not extra, f"take {', '.join(extra)} out of german/{module}.py: no English sentence of that name is left"


@pytest.mark.parametrize("module", MODULES)
def test_german_fills_in_what_english_fills_in(module: str) -> None:
    english, german = texts("en", module), texts("de", module)
    wrong = {
        key: (placeholders(english[key]), placeholders(german[key]))
        for key in english.keys() & german.keys()
        if not key.startswith(AS_THEY_STAND) and placeholders(english[key]) != placeholders(german[key])
    }
    assert not wrong, f"{ADVICE.format(module=module)} with the same names in braces (English, German): {wrong}"


def test_every_definition_has_a_german_one() -> None:
    lacking = [entry.key for entry in DEFINITIONS if entry.key not in MEANINGS]
    assert not lacking, f"define {', '.join(lacking)} in profiling/reporting/sentences/german/definitions.py too"
    assert MEANINGS.keys() == {entry.key for entry in DEFINITIONS}
    with speaking("de"):
        assert [entry.key for entry in definitions()] == [entry.key for entry in DEFINITIONS]
        assert all(entry.source or not first.source for entry, first in zip(definitions(), DEFINITIONS, strict=True))


@pytest.mark.parametrize(("prefix", "file"), [("script_", "site.js"), ("style_", "style.css")])
def test_words_of_script_and_styles_stand_there_and_are_replaced(prefix: str, file: str) -> None:
    text = (templates_folder() / file).read_text(encoding="utf-8")
    pieces = [words for key, words in ENGLISH.items() if key.startswith(prefix)]
    missing = [words for words in pieces if words not in text]
    assert not missing, (
        f"{file} no longer holds {missing}: follow it in sentences/texts/assets.py and in the German one"
    )
    assert spoken(prefix, text) == text
    with speaking("de"):
        said = spoken(prefix, text)
    assert not [words for words in pieces if words in said]


def test_levels_are_feminine_so_that_one_form_of_words_fits_all() -> None:
    with speaking("de"):
        for one, many in LEVELS.values():
            assert sentences.counted(1, one) == f"eine {one}"
            assert sentences.counted(0, one) == f"keine {many}"
            assert sentences.counted(3, one) == f"drei {many}"
            assert one == many or re.search(r"(n|nen|en)( der Chirurgie)?$", many)


@pytest.mark.parametrize(("count", "said"), [(0, "liegt"), (1, "liegt"), (2, "liegen"), (40, "liegen")])
def test_verbs_follow_their_number(count: int, said: str) -> None:
    with speaking("de"):
        assert sentences.verb("lie", count) == said


def test_a_count_before_a_noun_of_unknown_gender_takes_no_form() -> None:
    assert [numbers.in_any_gender(value) for value in (1, 7)] == ["one", "seven"]
    with speaking("de"):
        assert [numbers.in_any_gender(value, capital=True) for value in (0, 1, 7, 40)] == ["0", "1", "Sieben", "40"]


def test_numbers_and_dates_are_written_the_german_way() -> None:
    with speaking("de"):
        assert numbers.decimal(1234.5) == "1.234,5"
        assert numbers.day("2026-11-25") == "25. November 2026"
        assert numbers.moment("2026-11-25 09:00:00") == "25. November 2026, 09:00 UTC"
        assert numbers.estimate(1.236, 1.0, 1.541) == "1,24 (1,00–1,54)"
        assert numbers.chance(1 / 4123) == "1 von 4.100"
        assert numbers.percent(0.0716) == "7,2\u202f%"


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("all encounters", "alle Behandlungsfälle"),
        ("age at least 18", "age mindestens 18"),
        ("physician recorded", "Arztperson angegeben"),
        ("admitted 2021-01-01 to 2023-12-31", "aufgenommen 1. Januar 2021 bis 31. Dezember 2023"),
        ("without the rows of the largest hospital", "ohne die Zeilen der größten Einrichtung der Ebene Klinik"),
        ("number of flags of deaths_30d", "Zahl der Auffälligkeiten von deaths_30d"),
        ("self-pay", "self-pay"),
    ],
)
def test_what_a_run_keeps_in_english_is_said_in_german(kept: str, said: str) -> None:
    assert sentences.stored(kept) == kept
    with speaking("de"):
        assert sentences.stored(kept) == said


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("under 11", "unter 11"),
        ("1,000–2,499", "1.000–2.499"),
        ("2,500 or more", "2.500 oder mehr"),
        ("40 to 59", "40 bis 59"),
        ("0.5 to under 1.5", "0,5 bis unter 1,5"),
        ("80 and over", "80 und darüber"),
        ("under treatment", "under treatment"),
        ("public", "public"),
    ],
)
def test_bands_are_said_in_german_and_values_of_the_data_stay(kept: str, said: str) -> None:
    assert sentences.band(kept) == kept
    with speaking("de"):
        assert sentences.band(kept) == said


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_configuration_chooses_the_language(language: str, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "config.yaml").read_text(encoding="utf-8")
    path = tmp_path / "config.yaml"
    path.write_text(re.sub(r"(\n  language: )\w+", rf"\g<1>{language}", text), encoding="utf-8")
    assert load_settings(path, {}).output.language == language

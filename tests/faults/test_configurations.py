"""Broken configurations: each ends with exit code 10, its line and a sentence, never a traceback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from profiling.config import load_settings
from profiling.errors import ConfigurationError

WHOLE = """\
title: A region
sources:
  encounters:
    file: visits.csv
    columns:
      age: {type: number, minimum: 0, maximum: 120}
      sex: {type: text}
      died: {type: integer, allowed: [0, 1]}
      stay: {type: number}
  clinics:
    file: clinics.csv
    columns:
      teaching: {type: integer}
periods:
  - {name: "2021", start: 2021-01-01, end: 2021-12-31}
measures:
  - name: mortality
    title: Death
    question: Do more die?
    outcome: died
    direction: higher_is_worse
    family: binomial
    period: "2021"
    case_mix: age + C(sex)
    providers:
      - {level: hospital, column: clinic_id}
      - {level: physician, column: physician_id}
    flag: {rule: funnel, watch: 0.95, flag: 0.998}
"""


@dataclass(frozen=True)
class Broken:
    """What is changed in a sound file, and what has to be said about it: line and words."""

    name: str
    old: str
    new: str
    line: int
    says: str


BROKEN = [
    Broken(
        "unknown key at the top",
        "title: A region",
        "title: A\ntitel: B",
        2,
        r"unknown key 'titel'; expected one of title, .*nearest valid key is 'title'",
    ),
    Broken("key of the program itself", "title: A region", "title: A\nsha256: abc", 2, r"unknown key 'sha256'"),
    Broken("missing title", "title: A region\n", "", 1, r"no key 'title'"),
    Broken("title that is a number", "A region", "2021", 1, r"title: found 2021; expected text \(in quotes\)"),
    Broken(
        "two titles",
        "title: A region",
        "title: A\ntitle: B",
        2,
        r"key 'title' a second time; expected every key once",
    ),
    Broken("tab as indentation", "title: A region", "title: A region\n\tseed: 1", 2, r"YAML 1.2"),
    Broken("bracket left open", "{type: text}", "{type: text", 8, r"YAML 1.2"),
    Broken(
        "unknown source",
        "  clinics:\n",
        "  clinic:\n",
        10,
        r"sources.clinic: .*nearest valid key is 'clinics'",
    ),
    Broken("no encounters", "  encounters:\n", "  patients:\n", 2, r"sources: found no encounters"),
    Broken(
        "file of another kind",
        "visits.csv",
        "visits.xlsx",
        4,
        r"sources.encounters.file: found 'visits.xlsx'; expected files that end in .csv, .csv.gz or .parquet",
    ),
    Broken(
        "unset variable",
        "visits.csv",
        "${RECORDS}/visits.csv",
        4,
        r"sources.encounters.file: found \$\{RECORDS\}, but the environment variable RECORDS is not set",
    ),
    Broken(
        "half a variable",
        "visits.csv",
        "${RECORDS/visits.csv",
        4,
        r"'\$\{' without a variable's name and '\}'",
    ),
    Broken(
        "unknown type",
        "{type: text}",
        "{type: txt}",
        7,
        r"sources.encounters.columns.sex.type: found 'txt'; .*nearest valid value is 'text'",
    ),
    Broken(
        "column name with capitals",
        "      stay:",
        "      LOS:",
        9,
        r"columns.LOS: found 'LOS'; expected a name of small letters",
    ),
    Broken("column kept for the store", "      stay:", "      load_id:", 9, r"kept for the store"),
    Broken(
        "bounds the wrong way round",
        "minimum: 0, maximum: 120",
        "minimum: 120, maximum: 0",
        6,
        r"columns.age.maximum: found a maximum below the minimum",
    ),
    Broken(
        "row numbers for a trait",
        "{type: text}",
        "{row_number: true}",
        7,
        r"sex.row_number: found row_number for sex; expected only for encounter_id",
    ),
    Broken(
        "period that ends before it starts",
        "end: 2021-12-31",
        "end: 2020-12-31",
        15,
        r"periods\[0\].end: found an end before the start",
    ),
    Broken(
        "no date",
        "start: 2021-01-01",
        "start: 2021-13-01",
        15,
        r"periods\[0\].start: .*expected a date as 2021-12-31",
    ),
    Broken(
        "unknown period",
        'period: "2021"',
        'period: "2022"',
        23,
        r"measures\[0\].period: found unknown period '2022'; expected one of 2021",
    ),
    Broken("no measures", WHOLE[WHOLE.index("measures:") :], "measures: []\n", 16, r"measures: .*at least 1"),
    Broken("name of a measure with a blank", "name: mortality", "name: 30 day death", 17, r"measures\[0\].name: "),
    Broken(
        "unknown family",
        "family: binomial",
        "family: binomal",
        22,
        r"measures\[0\].family: found 'binomal'.*nearest valid value is 'binomial'",
    ),
    Broken(
        "unknown direction",
        "higher_is_worse",
        "high_is_worse",
        21,
        r"nearest valid value is 'higher_is_worse'",
    ),
    Broken(
        "key of a measure misspelt",
        "case_mix:",
        "casemix:",
        24,
        r"\[0\].casemix: .*nearest valid key is 'case_mix'",
    ),
    Broken(
        "outcome nobody declared",
        "outcome: died",
        "outcome: dead",
        20,
        r"measures\[0\].outcome: found unknown column 'dead'.*nearest valid column is 'died'",
    ),
    Broken(
        "column of the case mix nobody declared",
        "age + C(sex)",
        "ages + C(sex)",
        24,
        r"case_mix: found unknown column 'ages'.*nearest valid column is 'age'",
    ),
    Broken("function that is not allowed", "C(sex)", "eval(sex)", 24, r"case_mix: .*not 'eval'"),
    Broken("attribute of a column", "C(sex)", "sex.str", 24, r"case_mix: .*not 'sex.str'"),
    Broken("code in the formula", "C(sex)", "__import__('os')", 24, r"case_mix: .*not '__import__'"),
    Broken("bracket in the formula left open", "C(sex)", "C(sex", 24, r"with every bracket closed"),
    Broken("random term in the case mix", "C(sex)", "(1 | clinic_id)", 24, r"no random terms"),
    Broken(
        "outcome in the case mix",
        "age + C(sex)",
        "age + died",
        24,
        r"found the outcome 'died' in the case mix",
    ),
    Broken(
        "provider in the case mix",
        "age + C(sex)",
        "age + C(clinic_id)",
        24,
        r"the provider column 'clinic_id'",
    ),
    Broken(
        "trait of the provider in the case mix",
        "age + C(sex)",
        "age + teaching",
        24,
        r"'teaching', a trait of the provider.*allow_in_case_mix",
    ),
    Broken(
        "three levels",
        "      - {level: physician, column: physician_id}\n",
        "      - {level: b, column: physician_id}\n      - {level: c, column: patient_id}\n",
        25,
        r"providers: .*at most 2",
    ),
    Broken("one level twice", "level: physician", "level: hospital", 27, r"the level 'hospital' a second time"),
    Broken(
        "watch beyond flag",
        "watch: 0.95",
        "watch: 0.999",
        28,
        r"watch 0.999 and flag 0.998; expected watch below flag",
    ),
    Broken(
        "probability above one",
        "flag: 0.998}",
        "flag: 99.8}",
        28,
        r"flag.flag: found 99.8; expected less than 1",
    ),
    Broken(
        "funnel for a continuous outcome",
        "family: binomial",
        "family: gaussian",
        28,
        r"found funnel for the family",
    ),
    Broken(
        "other database",
        "title: A region",
        "title: A\ndatabase: mysql://root:secret@host/db",
        2,
        r"database: found another kind of address; expected an address that begins with sqlite",
    ),
    Broken(
        "threshold of nothing",
        "title: A region",
        "title: A\ndisclosure: {threshold: 0}",
        2,
        r"disclosure.threshold: found 0; expected greater than or equal to 1",
    ),
    Broken(
        "true as a number",
        "title: A region",
        "title: A\nseed: true",
        2,
        r"seed: found true; expected a number",
    ),
    Broken(
        "list instead of keys",
        "{type: text}",
        "[text]",
        7,
        r"columns.sex: found a list of 1; expected a group of keys",
    ),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_broken_configuration_says_line_and_reason(case: Broken, tmp_path: Path) -> None:
    assert case.old in WHOLE
    file = tmp_path / "config.yaml"
    file.write_text(WHOLE.replace(case.old, case.new, 1))
    with pytest.raises(ConfigurationError, match=case.says) as caught:
        load_settings(file, {})
    assert caught.value.exit_code == 10
    assert any(problem.where.startswith(f"config.yaml:{case.line}") for problem in caught.value.problems)
    assert "secret" not in str(caught.value)


def test_the_sound_file_is_sound(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(WHOLE)
    assert load_settings(file, {}).measures[0].case_mix_columns == ("age", "sex")


def test_all_problems_of_a_file_come_at_once_in_its_order(tmp_path: Path) -> None:
    text = WHOLE.replace("A region", "7").replace("C(sex)", "C(sx)").replace("{type: text}", "{type: txt}")
    text = text.replace("visits.csv", "${NOWHERE}").replace("watch: 0.95", "watch: 0.9999")
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {})
    lines = [int(problem.where.split(":")[1].split()[0]) for problem in caught.value.problems]
    assert lines == [1, 4, 7, 24, 28]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty file"),
        (b"- a\n- b\n", "no keys at the top"),
        (b"title: \xff\xfe", "not UTF-8"),
        (b"sources: &a {encounters: *a}\ntitle: x", "encounters"),
        (b"title: !!python/object:os.system x", "tagged|YAML"),
        (b"1: x\ntitle: y", "key 1 that is not text"),
        (b"title: x\n---\ntitle: y", "YAML"),
    ],
)
def test_what_is_no_configuration_at_all(content: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=says):
        load_settings(file, {})


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no such file.*profiling init"):
        load_settings(tmp_path / "none.yaml", {})
    with pytest.raises(ConfigurationError, match="not readable"):
        load_settings(tmp_path, {})

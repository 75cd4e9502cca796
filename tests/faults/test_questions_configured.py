"""Broken questions: subgroups, social risk, exposure, rules across measures, composites, each with line and reason."""

from __future__ import annotations

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
      age: {type: number}
      sex: {type: text}
      payer: {type: text}
      days: {type: number}
      tried: {type: integer}
      died: {type: integer, allowed: [0, 1]}
      falls: {type: integer}
      stay: {type: number}
  clinics:
    file: clinics.csv
    columns:
      teaching: {type: integer}
measures:
  - name: mortality
    title: Death
    question: Do more die?
    outcome: died
    direction: higher_is_worse
    family: binomial
    trials: tried
    case_mix: age + C(sex)
    social_risk: C(payer)
    subgroups: [sex, payer, age]
    attribution: most_visits
    providers:
      - {level: hospital, column: clinic_id}
      - {level: physician, column: physician_id}
    flag: {rule: false_discovery, across: measures}
  - name: falls
    title: Falls
    question: Do more fall?
    outcome: falls
    direction: higher_is_worse
    family: poisson
    exposure: days
    case_mix: age
    providers:
      - {level: hospital, column: clinic_id}
  - name: stay
    title: Stay
    question: Do they stay longer?
    outcome: stay
    direction: higher_is_worse
    family: log_gaussian
    case_mix: age
    providers:
      - {level: hospital, column: clinic_id}
composites:
  - {name: harm, title: Harm, kind: weighted, level: hospital, measures: {mortality: 2, falls: 1}}
  - {name: trait, title: Trait, kind: latent, level: hospital, measures: [mortality, falls, stay]}
  - {name: events, title: Events, kind: opportunity, level: hospital, measures: [mortality, falls]}
"""

BROKEN = [
    ("exposure: days", "exposure: day", 40, r"measures\[1\].exposure: found unknown column 'day'.*column is 'days'"),
    ("exposure: days", "trials: tried", 40, r"measures\[1\].trials: found trials for the family poisson"),
    ("trials: tried", "exposure: days", 25, r"measures\[0\].exposure: found exposure for the family binomial"),
    ("trials: tried", "trials: died", 25, r"trials: found 'died', which the model uses already"),
    ("C(payer)", "C(payed)", 27, r"social_risk: found unknown column 'payed'.*column is 'payer'"),
    ("C(payer)", "C(payer", 27, r"social_risk: .*every bracket closed"),
    ("C(payer)", "died", 27, r"found the outcome 'died' in the social risk"),
    ("C(payer)", "teaching", 27, r"found 'teaching', a trait of the provider, in the social risk"),
    ("[sex, payer, age]", "[sex, payr]", 28, r"subgroups\[1\]: found unknown column 'payr'.*column is 'payer'"),
    ("[sex, payer, age]", "[sex, sex]", 28, r"subgroups\[1\]: found 'sex' a second time"),
    ("[sex, payer, age]", "[teaching]", 28, r"subgroups\[0\]: found 'teaching', a trait of the provider"),
    ("[sex, payer, age]", "[died]", 28, r"subgroups\[0\]: found the outcome 'died'"),
    ("[sex, payer, age]", "[clinic_id]", 28, r"subgroups\[0\]: found the provider column 'clinic_id'"),
    ("[sex, payer, age]", "sex", 28, r"subgroups: found 'sex'; expected a list"),
    ("most_visits", "most_visit", 29, r"attribution: .*nearest valid value is 'most_visits'"),
    ("level: physician", "level: payer", 32, r"the level 'payer', which is also a column of the measure"),
    ("level: physician", "level: admitted", 32, r"the level 'admitted', which is also a column of the measure"),
    ("across: measures", "across: measure", 33, r"flag.across: .*nearest valid value is 'measures'"),
    ("rule: false_discovery", "rule: funnel", 33, r"expected across: providers, unless the rule is false_discovery"),
    ("kind: weighted", "kind: mean", 54, r"composites\[0\].kind: found 'mean'"),
    ("kind: weighted", "kinds: weighted", 54, r"composites\[0\].kinds: .*nearest valid key is 'kind'"),
    ("falls: 1}", "fall: 1}", 54, r"composites\[0\].measures.fall: found unknown measure 'fall'.*measure is 'falls'"),
    ("falls: 1}", "falls: 0}", 54, r"measures.falls: found 0; expected greater than 0"),
    ("level: hospital, measures: {", "level: clinic, measures: {", 54, r"'mortality', which has no level 'clinic'"),
    ("[mortality, falls, stay]", "[mortality, falls]", 55, r"found 2 measures for kind latent; expected three or more"),
    ("[mortality, falls, stay]", "[falls, falls, stay]", 55, r"names of measures, each once"),
    ("[mortality, falls]}", "{mortality: 2, falls: 1}}", 56, r"found weights for kind opportunity"),
    ("[mortality, falls]}", "[mortality, stay]}", 56, r"found 'stay', which counts no events"),
    ("direction: higher_is_worse", "direction: higher_is_better", 56, r"measures that are worse in opposite ways"),
    ("name: events", "name: harm", 56, r"composites\[2\].name: found the name 'harm' a second time"),
]


@pytest.mark.parametrize(("old", "new", "line", "says"), BROKEN, ids=[f"{old} -> {new}" for old, new, _, _ in BROKEN])
def test_a_broken_question_says_line_and_reason(old: str, new: str, line: int, says: str, tmp_path: Path) -> None:
    assert old in WHOLE
    file = tmp_path / "config.yaml"
    file.write_text(WHOLE.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_settings(file, {})
    assert caught.value.exit_code == 10
    assert any(problem.where.startswith(f"config.yaml:{line} ") for problem in caught.value.problems)


def test_the_sound_file_is_sound(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(WHOLE)
    settings = load_settings(file, {})
    mortality, falls, _ = settings.measures
    assert mortality.companion_columns == ("tried", "patient_id", "admitted", "payer", "sex", "age")
    assert falls.companion_columns == ("days", "patient_id", "admitted")
    assert [dict(composite.measures) for composite in settings.composites[:2]] == [
        {"mortality": 2.0, "falls": 1.0},
        {"mortality": 1.0, "falls": 1.0, "stay": 1.0},
    ]

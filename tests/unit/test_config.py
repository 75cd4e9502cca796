from __future__ import annotations

from datetime import date
from pathlib import Path

import pydantic
import pytest

from profiling.config import Measure, Settings, formula_columns, load_settings
from profiling.config.formulas import FormulaError, check_formula
from profiling.shipped import default_configuration

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped() -> Settings:
    return load_settings(default_configuration(), {})


def test_the_shipped_configuration_has_the_two_measures(shipped: Settings) -> None:
    assert [(m.name, m.family, len(m.providers)) for m in shipped.measures] == [
        ("mortality_30d", "binomial", 2),
        ("length_of_stay", "log_gaussian", 2),
    ]
    assert shipped.disclosure.threshold == 11
    assert {"patients", "clinics", "physicians", "encounters", "diagnoses"} == set(shipped.sources)


def test_relative_names_refer_to_the_file_and_not_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    file = folder / "config.yaml"
    file.write_text(default_configuration().read_text())
    monkeypatch.chdir(tmp_path)
    settings = load_settings(Path("inner/config.yaml"), {})
    assert settings.database == f"sqlite:///{folder}/var/profiling.db"
    assert settings.output.folder == folder / "site"
    assert settings.sources["encounters"].files == (folder / "data/sample/encounters.csv.gz",)


def test_settings_cannot_be_changed(shipped: Settings) -> None:
    with pytest.raises(pydantic.ValidationError):
        shipped.seed = 1


def test_measure_survives_the_store(shipped: Settings) -> None:
    for measure in shipped.measures:
        assert Measure.model_validate_json(measure.model_dump_json(by_alias=True)) == measure


def test_period_of_a_measure(shipped: Settings) -> None:
    period = shipped.period_of(shipped.measure("mortality_30d"))
    assert period is not None
    assert (period.start, period.end) == (date(2021, 1, 1), date(2023, 12, 31))


def test_no_and_yes_stay_text_as_in_yaml_1_2(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    text = default_configuration().read_text().replace("allowed: [F, M]", "allowed: [NO, yes, on]")
    file.write_text(text)
    assert load_settings(file, {}).sources["patients"].columns["sex"].allowed == ("NO", "yes", "on")


def test_variables_are_expanded_but_the_kept_text_is_not(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    address = "postgresql+psycopg://me:${SECRET}@host/$${name}"
    file.write_text(default_configuration().read_text().replace("sqlite:///var/profiling.db", address))
    settings = load_settings(file, {"SECRET": "xyzzy"})
    assert settings.database == "postgresql+psycopg://me:xyzzy@host/${name}"
    assert "xyzzy" not in settings.text


def test_a_value_of_a_variable_is_text_and_never_yaml(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    text = default_configuration().read_text().replace("Care in the demonstration region", "${TITLE}")
    file.write_text(text)
    assert load_settings(file, {"TITLE": "a: {b: [c"}).title == "a: {b: [c"


def test_gusto_without_its_variable_names_it() -> None:
    from profiling.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match=r"gusto.yaml:\d+ .*PROFILING_SHARED is not set") as caught:
        load_settings(ROOT / "examples/gusto.yaml", {})
    assert len(caught.value.problems) == 1
    settings = load_settings(ROOT / "examples/gusto.yaml", {"PROFILING_SHARED": "/somewhere"})
    assert settings.sources["encounters"].files == (Path("/somewhere/data/gusto/gusto.csv.gz"),)
    assert settings.sources["encounters"].columns["encounter_id"].row_number


def test_continuous_measures_are_flagged_by_interval_unless_told(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    kept = default_configuration().read_text().replace("flag: {rule: interval, watch: 0.95, flag: 0.998}", "")
    file.write_text(kept)
    assert [measure.flag.rule for measure in load_settings(file, {}).measures] == ["funnel", "interval"]


@pytest.mark.parametrize(
    ("formula", "columns"),
    [
        ("age + C(sex)", ("age", "sex")),
        ("I((age - 60) / 10) + C(killip) + I(np.minimum(sysbp, 120) / 10)", ("age", "killip", "sysbp")),
        ("age:severity + age*C(sex, levels=['a:b', 'c'])", ("age", "severity", "sex")),
        ("bs(age, df=4) + poly(bp, 2) + (a + b)**2 + log(c) + 1", ("age", "bp", "a", "b", "c")),
        ("cr(age, knots=[-1, 2.5])", ("age",)),
        ("1", ()),
    ],
)
def test_columns_of_a_formula(formula: str, columns: tuple[str, ...]) -> None:
    assert formula_columns(formula) == columns
    check_formula(formula)


@pytest.mark.parametrize(
    "formula",
    [
        "np.log(age)",
        "age.__class__",
        "(lambda: age)()",
        "[x for x in age]",
        "age if sex else bp",
        "C",
        "np",
        "f'{age}'",
        "{age}",
        "age[0]",
        "y ~ age",
        "(1 | h)",
        "a @ b",
        "a & b",
        "age; bp",
        "0 + age",
        "age - 2",
        "C(*age)",
        "C(**age)",
        "np.minimum.reduce(age)",
        "I(a:b)",
        "getattr(age, 'x')",
        "a < b",
        "not a",
        "",
        "(age := 1)",
        "`age`",
        "Age",
        "log(open)(age)",
        "b'x'",
        "I(await x)",
        "C(None)",
        "a**9",
        "(" * 400,
    ],
)
def test_formulas_that_are_refused(formula: str) -> None:
    with pytest.raises(FormulaError):
        check_formula(formula)

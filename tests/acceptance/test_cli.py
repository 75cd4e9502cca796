"""Commands as a person types them: what they print, where, and with which exit code they end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pandas as pd
import pytest
from small_region import CONFIGURATION, visits, write_region

from profiling import __version__, errors
from profiling.cli import commands
from profiling.cli.main import execute

ROOT = Path(__file__).parents[2]


def every_command(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(every_command(commands))


@pytest.fixture
def region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_region(tmp_path)
    return tmp_path


def done(*arguments: str) -> None:
    assert execute([*arguments]) == 0


# --- Help ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_its_options_explained(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    done(*name.split(), "--help")
    shown = capsys.readouterr().out
    assert f"profiling {name}" in shown.split("Example:")[1]
    options = [option for option in COMMANDS[name].params if isinstance(option, click.Option)]
    assert all(option.help for option in options)
    assert {"--json", "--quiet"} <= {word for option in options for word in option.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert re.search(rf"^\| `profiling {re.escape(name)}\b", (ROOT / "README.md").read_text(), flags=re.MULTILINE)


def test_the_commands_are_those_promised() -> None:
    promised = {"init", "check", "sample", "load", "fit", "report", "run", "runs", "show", "verify"}
    promised |= {"release", "compare", "bundle", "assess", "structure"}
    assert set(COMMANDS) == promised | {"db upgrade", "db current"}


def test_every_exit_code_stands_in_help_and_readme(capsys: pytest.CaptureFixture[str]) -> None:
    done("--help")
    shown, readme = capsys.readouterr().out, (ROOT / "README.md").read_text()
    codes = {kind.exit_code for kind in errors.ProfilingError.__subclasses__()} | {0, 130}
    assert codes == {0, 2, 10, 11, 12, 13, 14, 15, 16, 17, 70, 130}
    for code in codes:
        assert re.search(rf"\b{code} ", shown)
        assert re.search(rf"\b{code}\b", readme)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    done("--version")
    assert __version__ in capsys.readouterr().out


# --- What commands do ----------------------------------------------------------------------------------------


def test_init_writes_the_commented_file_once(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done("init", "new/config.yaml")
    assert (region / "new/config.yaml").read_bytes() == (ROOT / "config.yaml").read_bytes()
    assert execute(["init", "new/config.yaml"]) == 2
    assert "--force" in capsys.readouterr().err
    done("init", "new/config.yaml", "--force")


def test_check_touches_nothing(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(region.rglob("*"))
    done("check", "--json")
    assert sorted(region.rglob("*")) == before
    assert json.loads(capsys.readouterr().out)["sources"] == [
        {"source": "encounters", "rows_read": 1200, "rows_accepted": 1200, "rows_rejected": 0, "already_loaded": False}
    ]


def test_load_recognises_what_it_has_loaded(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done("load")
    assert re.search(r"encounters +1,200 +1,200 +0$", capsys.readouterr().out, flags=re.MULTILINE)
    done("load", "--json")
    assert json.loads(capsys.readouterr().out)["sources"][0]["already_loaded"] is True


def test_fit_keeps_a_run_that_can_be_listed_and_shown(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done("load", "--quiet")
    done("fit", "--json", "--now", "2024-05-06T07:08:09")
    run = json.loads(capsys.readouterr().out)["run"]
    assert re.fullmatch(r"r-[0-9a-f]{8}", run)
    done("runs", "--json")
    listed = json.loads(capsys.readouterr().out)["runs"]
    assert [(row["run_id"], row["status"], row["created_at"][:19]) for row in listed] == [
        (run, "fitted", "2024-05-06T07:08:09")
    ]
    done("runs")
    assert re.search(rf"^{run} +2024-05-06 07:08:09 +fitted", capsys.readouterr().out, flags=re.MULTILINE)
    done("show", run, "--json")
    found = json.loads(capsys.readouterr().out)
    assert [measure["measure"] for measure in found["measures"]] == ["mortality", "stay"]
    assert found["inputs"][0]["rows_read"] == 1200
    assert sum(row["providers"] for row in found["flags"] if row["level"] == "physician") == 24
    done("show", run)
    assert re.search(r"mortality +I\(age / 10\)", capsys.readouterr().out)


def test_the_same_moment_gives_the_same_run(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done("load", "--quiet")
    names = []
    for moment in ("2024-01-01", "2024-01-01T00:00:00+00:00", "2024-01-02"):
        done("fit", "--json", "--now", moment)
        names.append(json.loads(capsys.readouterr().out)["run"])
    assert names[0] == names[1] != names[2]
    done("runs", "--json")
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 2


def test_database_commands(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["db", "current"]) == 12
    done("db", "upgrade")
    capsys.readouterr()
    done("db", "current", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["revision"] == said["needed"]


def test_quiet_says_nothing_and_json_goes_alone_to_standard_output(
    region: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done("load", "--quiet")
    assert capsys.readouterr() == ("", "")
    done("load", "--json")
    shown = capsys.readouterr()
    assert json.loads(shown.out)
    assert shown.err == ""


def test_progress_is_plain_lines_where_there_is_no_terminal(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done("load")
    shown = capsys.readouterr().err
    assert "Reading encounters\n" in shown
    assert "\x1b" not in shown


# --- How commands end ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fitt"], "No such command 'fitt'"),
        (["run", "--confg", "x"], "No such option"),
        (["run", "--now", "yesterday"], "'yesterday' is not a time"),
        (["show"], "Missing argument 'RUN'"),
        (["sample", "--seed", "-1"], "Invalid value"),
    ],
)
def test_2_usage(arguments: list[str], says: str, region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(arguments) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.out == ""


def test_2_a_run_that_is_not_there(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done("db", "upgrade", "--quiet")
    for command in ("show", "report"):
        assert execute([command, "r-00000000"]) == 2
        assert "r-00000000" in capsys.readouterr().err
    assert execute(["report"]) == 2
    assert "profiling run" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["check", "load", "fit", "report", "run", "runs", "show x", "db upgrade", "db current"]
)
def test_10_configuration(command: str, region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (region / "config.yaml").write_text(CONFIGURATION.replace("family: binomial", "family: binomal"))
    assert execute(command.split()) == 10
    assert "config.yaml:17 measures[0].family: found 'binomal'" in capsys.readouterr().err
    assert not (region / "var").exists()


def test_11_input_with_too_many_broken_rows(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_region(region, table=visits().assign(age=lambda t: t["age"].mask(t.index % 10 == 3, 987.5)))
    for command in ("check", "load", "run"):
        assert execute([command]) == 11
        said = capsys.readouterr().err
        assert "encounters" in said
        assert "987" not in said


def test_11_missing_file_and_no_records(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done("db", "upgrade", "--quiet")
    assert execute(["fit"]) == 11
    assert "no records are loaded" in capsys.readouterr().err
    (region / "visits.csv").unlink()
    assert execute(["load"]) == 11
    assert "visits.csv" in capsys.readouterr().err


def test_12_database(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["runs"], ["fit"], ["show", "r-00000000"], ["report"]):
        assert execute(command) == 12
        assert "profiling load" in capsys.readouterr().err
    (region / "var").mkdir()
    (region / "var/profiling.db").write_text("This is no database. " * 100)
    assert execute(["load"]) == 12
    assert capsys.readouterr().err.startswith("Error: ")


def test_13_a_model_without_maximum_is_kept_as_failed(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    separated = visits().dropna().assign(died=lambda t: (t["age"] > 60).astype(int))
    write_region(region, table=separated)
    assert execute(["run"]) == 13
    assert "mortality" in capsys.readouterr().err
    assert not (region / "site").exists()
    done("runs", "--json")
    assert [row["status"] for row in json.loads(capsys.readouterr().out)["runs"]] == ["failed"]


def test_15_another_run_is_at_work(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from profiling.store.engine import open_database
    from profiling.store.lock import run_lock

    done("load", "--quiet")
    with run_lock(open_database(f"sqlite:///{region}/var/profiling.db")):
        for command in ("load", "fit", "report", "run", "db upgrade"):
            assert execute(command.split()) == 15
    assert "one run at a time" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [errors.DisclosureError, errors.VerificationFailed, errors.PublicationHeld])
def test_14_16_17_publication_that_is_refused(
    kind: type[errors.ProfilingError], region: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise kind(errors.Problem("site", "a reason", "another"))

    monkeypatch.setattr("profiling.pipeline.publishing.draw", refuse)
    assert execute(["run", "--json"]) == kind.exit_code
    said = json.loads(capsys.readouterr().err)["error"]
    assert (said["kind"], said["exit_code"]) == (kind.__name__, kind.exit_code)
    assert said["problems"] == [{"where": "site", "found": "a reason", "expected": "another", "advice": ""}]


def test_70_an_internal_fault_leaves_a_log_without_values_and_no_traceback(
    region: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("patient p-4711 aged 83")

    done("load", "--quiet")
    monkeypatch.setattr("profiling.pipeline.stages.identify", fail)
    assert execute(["fit"]) == 70
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Traceback" not in said
    assert "4711" not in said
    log = next((region / "var").glob("fault-*.log"))
    assert str(log) in said
    assert "builtins.RuntimeError" in log.read_text()
    assert "in fit_measures" in log.read_text()
    assert "4711" not in log.read_text()


def test_130_interrupted(region: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    done("load", "--quiet")
    monkeypatch.setattr("profiling.pipeline.analysis.fit_model", interrupt)
    assert execute(["fit"]) == 130
    assert "Interrupted" in capsys.readouterr().err
    done("runs", "--json")
    assert [row["status"] for row in json.loads(capsys.readouterr().out)["runs"]] == ["failed"]


def test_errors_as_json_for_machines(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (region / "config.yaml").write_text("titel: x\n")
    assert execute(["check", "--json"]) == 10
    shown = capsys.readouterr()
    assert shown.out == ""
    problems = json.loads(shown.err)["error"]["problems"]
    assert {"where", "found", "expected", "advice"} == set(problems[0])
    assert any(problem["advice"] == "The nearest valid key is 'title'" for problem in problems)


def test_missing_case_mix_is_counted_by_provider_and_column(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from profiling.store.engine import open_database
    from profiling.store.runs import read_run

    done("load", "--quiet")
    done("fit", "--json")
    record = read_run(open_database(f"sqlite:///{region}/var/profiling.db"), json.loads(capsys.readouterr().out)["run"])
    lost = visits()["age"].isna().groupby(visits()["clinic_id"]).sum()
    # The cohort of mortality asks for an age, that of the stay does not.
    stored = record.missing_counts.query("measure == 'stay' and column_name == 'age'").set_index("provider")
    pd.testing.assert_series_equal(
        stored["rows_missing"], lost, check_names=False, check_dtype=False, check_index_type=False
    )
    assert stored["rows_total"].sum() == 1200
    assert record.measures.set_index("measure")["rows_used"].to_dict() == {
        "mortality": 1200 - lost.sum(),
        "stay": 1200 - lost.sum(),
    }

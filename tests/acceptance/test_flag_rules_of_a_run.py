"""A rule named in the configuration reaches the database and the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_region import write_region

from profiling.cli.main import execute

NOW = "2024-05-06T07:08:09"


def run_with(folder: Path, flag: str) -> int:
    write_region(folder)
    config = folder / "config.yaml"
    text = config.read_text()
    config.write_text(text.replace("    family: binomial\n", f"    family: binomial\n    flag: {flag}\n", 1))
    return execute(["run", "--config", str(config), "--now", NOW, "--quiet"])


def test_widened_limits_are_said_and_drawn(tmp_path: Path) -> None:
    assert run_with(tmp_path, "{rule: funnel, overdispersion: additive}") == 0
    measure = (tmp_path / "site" / "current" / "measures" / "mortality.html").read_text()
    assert "the limits were widened" in measure
    assert "Within usual spread" in measure
    assert "chance and the usual spread would put" in measure
    assert "lie within the usual spread" in measure or "lies within" in measure
    assert "within usual spread" in measure
    other = (tmp_path / "site" / "current" / "measures" / "stay.html").read_text()
    assert "Within usual spread" not in other
    checks = (tmp_path / "site" / "current" / "downloads" / "run.json").read_text()
    assert "overdispersion_tau_squared_hospital" in checks
    assert "power_flag_physician" in checks


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("{rule: meaningful_difference, difference: 0.3}", "more than is worth"),
        ("{rule: empirical_null, null_by: logistic}", "from those of the bulk of hospitals"),
        ("{rule: false_discovery}", "the share of false ones"),
        ("{rule: srtr, tiers: 3}", "above 2.5 exceeds"),
    ],
)
def test_other_rules_are_worded(tmp_path: Path, flag: str, said: str) -> None:
    assert run_with(tmp_path, flag) == 0
    assert said in (tmp_path / "site" / "current" / "measures" / "mortality.html").read_text()


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("{rule: interval, overdispersion: additive}", "unless the rule is funnel"),
        ("{rule: league_table}", "league_table"),
        ("{rule: funnel, extreme_share: 0.6}", "below 0.5"),
    ],
)
def test_rules_that_cannot_be_end_in_exit_10(
    tmp_path: Path, flag: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with(tmp_path, flag) == 10
    assert said in capsys.readouterr().err

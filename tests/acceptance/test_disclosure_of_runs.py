"""Runs of growing records: nothing small follows from a run beside those before it, and a leak ends in exit 14."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from disclosure_oracle import Attack, System, attack_difference, attack_run
from small_region import CONFIGURATION, visits, write_region

from profiling.cli.main import execute
from profiling.pipeline.earlier import earlier_runs, with_decision
from profiling.reporting import decision
from profiling.reporting.disclosure import mask
from profiling.reporting.provider_table import joined, specifications
from profiling.reporting.suppression import Suppression
from profiling.store.engine import open_database
from profiling.store.publications import history_of, keep_history
from profiling.store.runs import RunRecord, latest_run, read_run

THRESHOLD = 4
TEXT = CONFIGURATION + f"disclosure: {{threshold: {THRESHOLD}}}\npublication: {{gate: null}}\n"
KEY = ["measure", "level", "provider"]


def run(folder: Path, table: pd.DataFrame, now: str) -> RunRecord:
    """Fit and decide as a publication does, and call the run published; no page is drawn."""
    write_region(folder, table=table, text=TEXT)
    for command in ("load", "fit"):
        assert execute([command, "--config", str(folder / "config.yaml"), "--quiet", "--now", now]) == 0
    engine = open_database(f"sqlite:///{folder}/var/profiling.db")
    record, _ = with_decision(engine, read_run(engine, str(latest_run(engine))))
    keep_history(engine, record.run_id, "published", history_of(record.run))
    return read_run(engine, record.run_id)


def more(table: pd.DataFrame, cases: dict[str, int], seed: int) -> pd.DataFrame:
    """The visits with some more of these physicians, every other of whom died."""
    whole = table[table["age"].notna()]
    new = pd.concat([whole[whole["physician_id"] == name].tail(count) for name, count in cases.items()])
    died = np.arange(len(new)) % 2
    return pd.concat(
        [table, new.assign(encounter_id=[f"w{seed}-{index}" for index in range(len(new))], died=died)],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[RunRecord]]:
    """Three runs: two visits come to a physician and many to another, then one and many to two others."""
    folder = tmp_path_factory.mktemp("growing")
    first = visits(rows=1500).assign(died=lambda table: np.arange(len(table)) % 3 == 0).astype({"died": int})
    second = more(first, {"d06": 2, "d10": 30}, 1)
    third = more(second, {"d06": 1, "d14": 30}, 2)
    tables = zip((first, second, third), ("2024-01-31", "2024-02-29", "2024-03-31"), strict=True)
    return folder, [run(folder, table, now) for table, now in tables]


def attacked(system: System, record: RunRecord) -> Attack:
    masked = mask(record)
    full = joined(record, specifications(record))
    # A sum of days is no count: only cases are attacked.
    zero = full["observed"].where(full["counts"], 0.0)
    seen = masked.providers.assign(observed=zero.where(~masked.providers["hidden"]))
    return attack_run(system, full.assign(observed=zero), seen, masked.withheld, THRESHOLD, name=record.run_id)


def test_no_difference_of_two_runs_gives_a_small_count(growing: tuple[Path, list[RunRecord]]) -> None:
    tables = [mask(record).providers.set_index(KEY) for record in growing[1]]
    for measure in ("mortality", "stay"):
        assert [bool(table.loc[measure, "hospital", "h03"]["hidden"]) for table in tables] == [False, True, True]
        # The total of all that came is known, so one other is hidden with it, and no more.
        assert [int(table.loc[measure, "hospital"]["hidden"].sum()) for table in tables] == [0, 2, 2]
    for later, former in ((1, 0), (2, 0), (2, 1)):
        change = (tables[later]["n"] - tables[former]["n"]).dropna().abs()
        assert len(change) > 30
        assert not change.between(1, THRESHOLD - 1).any()


def test_an_attacker_with_all_three_runs_finds_nothing(growing: tuple[Path, list[RunRecord]]) -> None:
    system = System()
    attacks = [attacked(system, record) for record in growing[1]]
    for later, former in ((1, 0), (2, 0), (2, 1)):
        attack_difference(attacks[later], attacks[former], THRESHOLD, specifications(growing[1][0]))
    assert len(system.targets) > 10
    assert system.leaks() == []


def test_without_regard_to_the_run_before_there_is_a_leak(growing: tuple[Path, list[RunRecord]]) -> None:
    """The attack is real: what the second run would show alone gives the two new patients away."""
    records = growing[1]
    system = System()
    former = attacked(system, records[0])
    later = attacked(system, replace(records[1], run=records[1].run | {"output_json": None}))
    attack_difference(later, former, THRESHOLD, ["stay"])
    assert "change stay hospital h03 n" in system.leaks()


def test_a_decision_that_was_kept_is_taken_up(growing: tuple[Path, list[RunRecord]]) -> None:
    engine = open_database(f"sqlite:///{growing[0]}/var/profiling.db")
    for record in growing[1][1:]:
        made, earlier = decision.decision_of(record), earlier_runs(engine, record)
        known = history_of(record.run).disclosure["against"]
        again = decision.decide(record, [run for run in earlier if run.run_id in known])
        assert (made.hidden == again.hidden).all()
        assert (made.blind == again.blind).all()
        assert (made.withheld, made.series) == (again.withheld, again.series)
        assert with_decision(engine, record)[0] is record


def test_only_runs_that_share_records_are_related(growing: tuple[Path, list[RunRecord]]) -> None:
    folder, records = growing
    found = earlier_runs(open_database(f"sqlite:///{folder}/var/profiling.db"), records[2])
    assert [run.run_id for run in found] == [records[0].run_id, records[1].run_id]
    assert all(run.came == {"mortality": True, "stay": True} for run in found)
    assert not any(any(run.went.values()) for run in found)
    assert found[0].table["apart"].all()


def test_a_site_that_gives_a_count_away_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def careless(table: pd.DataFrame, threshold: int, **_: object) -> Suppression:
        small = (table["n"] < threshold) | ((table["observed"] < threshold) & table["counts"])
        return Suppression(small.to_numpy(), frozenset(), blind=np.zeros(len(table), dtype=np.int64))

    monkeypatch.setattr(decision, "suppress", careless)
    table = pd.DataFrame({"provider": [f"h{i}" for i in range(6)], "n": 200, "observed": [5, 40, 30, 50, 24, 60]})
    table.assign(expected=30.0).to_csv(tmp_path / "table.csv", index=False)
    places = ["--folder", str(tmp_path / "site"), "--database", str(tmp_path / "assess.db")]
    words = ["assess", str(tmp_path / "table.csv"), *places, "--event", "deaths", "--quiet"]
    assert execute(words) == 14
    assert not (tmp_path / "site/current").exists()
    assert not list((tmp_path / "site/runs").iterdir())
    said = capsys.readouterr().err
    assert "follows from what is published" in said
    assert "Nothing was published" in said
    assert "h0" in said
    assert not re.search(r"\b5\b", said)

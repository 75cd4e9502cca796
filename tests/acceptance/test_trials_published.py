"""Successes out of trials from records to a published site, which an attacker then searches for what is hidden."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from evidence_region import CONFIGURATION, visits, write_region
from site_attack import attack_site

from profiling.cli.main import execute
from profiling.reporting import downloads
from profiling.reporting.decision import decision_of
from profiling.reporting.disclosure_audit import findings
from profiling.reporting.provider_table import joined, specifications
from profiling.store.engine import open_database
from profiling.store.runs import latest_run, read_run

HEAD, MEASURE, END = (CONFIGURATION.index(f"{words}") for words in ("  - name: mort", "  - name: vacc", "composites:"))
TEXT = CONFIGURATION[:HEAD] + CONFIGURATION[MEASURE:END].replace(
    "case_mix:", "subgroups: [sex]\n    sensitivity: never\n    case_mix:"
)


def test_a_run_of_trials_is_published_and_nothing_hidden_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "render_figures", lambda *_: None)  # pictures for print: the same marks
    table = visits()
    few = np.flatnonzero(table["clinic_id"] == "h07")
    table.loc[few, "done"] = table.loc[few, "tried"]
    table.loc[few[:4], "done"] = 0  # fewer than eleven failures
    table.loc[few[:4], "tried"] = 1
    write_region(tmp_path, table, TEXT)
    assert execute(["run", "--config", str(tmp_path / "config.yaml"), "--quiet", "--now", "2024-05-06T07:08:09"]) == 0
    engine = open_database(f"sqlite:///{tmp_path}/var/profiling.db")
    record = read_run(engine, str(latest_run(engine)))
    site = tmp_path / "site/current"
    assert not findings(site, record)
    full = joined(record, specifications(record)).assign(hidden=decision_of(record).hidden)
    rows = full.set_index(["measure", "level", "provider"])
    assert ("vaccinated", "hospital", "h07") in set(rows.index[rows["hidden"]])
    assert (~rows["hidden"]).sum() >= 6
    found = attack_site(site)
    assert len(found["csv: printed"]) == (~rows["hidden"]).sum()
    for way, told in found.items():
        assert not set(pd.Series(told).index) & set(rows.index[rows["hidden"]]), way

"""What changed since the run before: counted against a table of the same, and shown with names of the later run."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from reporting_fixture import simulated_run

from profiling.pipeline.changes import changes_between
from profiling.reporting.disclosure import mask
from profiling.reporting.pages import changes
from profiling.reporting.pages.shared import build
from profiling.store.publications import History, history_of
from profiling.store.runs import RunRecord


@pytest.fixture(scope="module")
def later() -> RunRecord:
    return simulated_run(rows=3000, hospitals=12, physicians_each=2)


@pytest.fixture(scope="module")
def former(later: RunRecord) -> RunRecord:
    random = np.random.default_rng(3)
    flags = later.flags.copy()
    moved = random.random(len(flags)) < 0.15
    flags["category"] = np.where(moved, "higher_watch", flags["category"])
    return replace(later, flags=flags.drop(index=flags.index[flags["provider"] == "H003"]))


def test_changes_are_those_of_the_two_tables(former: RunRecord, later: RunRecord) -> None:
    found = changes_between(former, later)
    assert list(found) == ["mortality_30d", "length_of_stay"]
    key = ["measure", "level", "provider"]
    before = former.flags.set_index(key)["category"]
    after = later.flags.set_index(key)["category"]
    for measure, levels in found.items():
        for level, part in levels.items():
            one, two = before[measure, level], after[measure, level]
            both = one.index.intersection(two.index)
            differs = one[both] != two[both]
            assert part["moved"] == differs.sum()
            assert part["same"] == (~differs).sum()
            assert part["came"] == len(two) - len(both) == (level == "hospital")
            assert part["left"] == 0
            if level == "hospital":
                assert part["who"] == [[who, one[who], two[who]] for who in sorted(both[differs])]
            else:
                assert "who" not in part


def test_a_run_has_not_changed_against_itself(later: RunRecord) -> None:
    found = changes_between(later, later)
    assert all(not part["moved"] and not part["who"] for levels in found.values() for part in [levels["hospital"]])


def shown(later: RunRecord, history: History) -> changes.Panel | None:
    run = later.run | {"output_json": history.as_json()}
    return changes.panel(build(mask(replace(later, run=run))))


def test_the_overview_names_who_moved(former: RunRecord, later: RunRecord) -> None:
    found = changes_between(former, later)
    history = History(previous="r-11111111", changes=found)
    assert history_of({"output_json": history.as_json()}).changes == json.loads(json.dumps(found))
    panel = shown(later, history)
    assert panel is not None
    moved = sum(len(levels["hospital"]["who"]) for levels in found.values())
    assert panel.title.endswith("results changed since run r-11111111")
    assert panel.table is not None
    assert len(panel.table.rows) == moved
    names = later.provider_estimates.query("level == 'hospital'").set_index("provider")["provider_name"].to_dict()
    wanted = {names[who] for levels in found.values() for who, *_ in levels["hospital"]["who"]}
    assert {row[0] for row in panel.table.rows} == wanted
    assert any("new" in text for text in panel.sentences)


def test_nothing_is_said_of_a_first_run_and_little_where_nothing_moved(later: RunRecord) -> None:
    assert shown(later, History()) is None
    panel = shown(later, History(previous="r-11111111", changes=changes_between(later, later)))
    assert panel is not None
    assert panel.title == "No result changed since run r-11111111"
    assert panel.table is None

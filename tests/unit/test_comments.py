"""Comments of providers: whom they may be about, how long they may be, and that a bad one holds up nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_etl_load import Workplace

from profiling.errors import InputRejected
from profiling.etl.load import check_inputs
from profiling.pipeline.comments import comment_frame

HEAD = "level,provider,comment\n"
GOOD = "hospital,H1,We moved in March.\nhospital,H2,Our ward was closed.\nhospital,H1,A second one.\n"
BAD = (
    f"hospital,H9,Who?\nward,H1,What?\nhospital,H1,{'x' * 2001}\nhospital,,nobody\nhospital,H2,\n"
    f"hospital,H2,{'é' * 2000}\n"
)


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Workplace:
    made = Workplace(tmp_path, database_url)
    made.sources["comments"] = "{file: comments.csv}"
    made.write("comments.csv", HEAD + GOOD + BAD)
    return made


def test_good_ones_are_kept_and_bad_ones_counted_by_rule(place: Workplace) -> None:
    report = place.load().sources[-1]
    assert (report.source, report.rows_read, report.rows_accepted, report.rows_rejected) == ("comments", 9, 4, 5)
    broken = {rule.rule_id: rule.broken for rule in report.rules if rule.broken}
    assert broken == {
        "comments.provider.required": 1,
        "comments.comment.required": 1,
        "comments.level.allowed": 1,
        "comments.provider.referential": 1,
        "comments.comment.length": 1,
    }
    found = comment_frame(place.engine)
    assert found[["provider", "position"]].values.tolist() == [["H1", 0], ["H2", 0], ["H1", 1], ["H2", 1]]
    assert found["comment"].iloc[0] == "We moved in March."


def test_check_says_the_same_and_touches_nothing(place: Workplace) -> None:
    assert check_inputs(place.settings()).sources[-1].rows_rejected == 5
    assert place.rows("SELECT * FROM comments") == []


def test_a_changed_file_is_judged_by_the_providers_that_stand(place: Workplace) -> None:
    place.load()
    place.write("comments.csv", HEAD + "hospital,H2,Later.\nhospital,H7,Nobody here.\n")
    report = place.load()
    assert [source.already_loaded for source in report.sources] == [True, True, False]
    assert report.sources[-1].rows_rejected == 1
    assert comment_frame(place.engine)["comment"].tolist() == ["Later."]
    place.write("encounters.csv", "id,clinic_id,physician_id,died,score\nE1,H1,D1,0,1.5\nE2,H1,D2,1,2\n")
    assert place.load().sources[-1].rows_rejected == 2


def test_a_strict_share_and_a_file_without_a_good_one(place: Workplace) -> None:
    place.sources["comments"] = "{file: comments.csv, reject_above: 0.1}"
    with pytest.raises(InputRejected, match=r"5 of 9 rows rejected"):
        place.load()
    place.sources["comments"] = "{file: comments.csv}"
    place.write("comments.csv", HEAD + "ward,H1,Nobody's.\n")
    assert place.load().sources[-1].rows_rejected == 1
    place.write("comments.csv", "level,provider\nhospital,H1\n")
    with pytest.raises(InputRejected, match="comment"):
        place.load()
    del place.sources["comments"]
    place.load()
    assert comment_frame(place.engine).empty

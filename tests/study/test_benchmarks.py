"""The benchmark's own parts: the law of its data, its yardstick, its files and its page. Fast: no peer is run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import bootstrap, intervals, providers
from benchmarks.admissions import SD_HOSPITAL, Admissions, Size, draw_admissions, published_admissions
from benchmarks.results import Part, keep
from benchmarks.storage import read_admissions, write_admissions
from benchmarks.yardstick import Yardstick
from profiling.modeling import glmm

SIZE = Size(4_000, 10, 40, 200)
SHARED = Path(os.environ.get("PROFILING_SHARED", "../shared"))


@pytest.fixture(scope="module")
def admissions() -> Admissions:
    return draw_admissions(SIZE, 1)


def test_the_same_seed_gives_the_same_admissions(admissions: Admissions) -> None:
    again, other = draw_admissions(SIZE, 1), draw_admissions(SIZE, 2)
    assert (again.x == admissions.x).all()
    assert (again.y == admissions.y).all()
    assert (other.y != admissions.y).any()


def test_covariates_and_crossing_follow_their_law() -> None:
    drawn = draw_admissions(Size(60_000, 20, 50, 400), 4)
    normal = [0, 1, 2, 10, 11, 12]
    binary = [j for j in range(20) if j not in normal]
    assert np.abs(drawn.x[:, normal].std(axis=0) - 1).max() < 0.02
    shares = drawn.x[:, binary].mean(axis=0)
    assert set(np.unique(drawn.x[:, binary])) == {0.0, 1.0}
    assert 0.02 < shares.min() < shares.max() < 0.42
    seen = pd.DataFrame({"physician": drawn.physician, "hospital": drawn.hospital}).value_counts()
    at_most = seen.groupby("physician").size()
    assert at_most.max() == 2
    away = 1 - seen.groupby("physician").max().sum() / len(drawn.y)
    assert 0.07 < away < 0.11  # a tenth of the rows, less those whose other hospital is the main one


def test_the_shared_generator_has_the_same_law(admissions: Admissions) -> None:
    published = published_admissions(SIZE, SHARED)
    if published is None:
        pytest.skip("the shared generator is not here")
    for one in (admissions, published):
        assert one.x.shape == (SIZE.rows, SIZE.covariates)
        assert 0.05 < one.y.mean() < 0.35
        assert len(np.unique(one.hospital)) > 30


def test_the_yardstick_gives_the_log_likelihood_of_a_fit_and_less_beside_it(admissions: Admissions) -> None:
    names = [f"x{j}" for j in range(SIZE.covariates)]
    frame = pd.DataFrame(admissions.x, columns=names).assign(
        y=admissions.y, hosp=admissions.hospital, phys=admissions.physician
    )
    fit = glmm(f"y ~ {' + '.join(names)} + (1 | hosp) + (1 | phys)", frame)
    yardstick = Yardstick(admissions, "two")
    sd = {name: fit.variance(name) ** 0.5 for name in fit.groups}
    assert yardstick.log_likelihood(list(fit.fixed_effects), sd) == pytest.approx(fit.log_likelihood, abs=1e-8)
    assert yardstick.log_likelihood(list(fit.fixed_effects), sd | {"hosp": 2 * SD_HOSPITAL}) < fit.log_likelihood - 0.1


def test_admissions_survive_their_files(admissions: Admissions, tmp_path: Path) -> None:
    write_admissions(admissions, tmp_path)
    again = read_admissions(tmp_path)
    assert (again.x == admissions.x).all()
    assert (again.hospital == admissions.hospital).all()
    assert (again.physician == admissions.physician).all()
    assert (again.y == admissions.y).all()


def test_a_part_run_again_replaces_itself_and_leaves_the_others(tmp_path: Path) -> None:
    keep(Part("b", "Second", ("what", "seconds"), [("x", "1")], position=2), tmp_path)
    keep(Part("a", "First", ("what", "seconds"), [("y", "2")], position=1), tmp_path)
    keep(Part("b", "Second", ("what", "seconds"), [("x", "3")], position=2), tmp_path)
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert page.index("## First") < page.index("## Second")
    assert "| x | 3 |" in page
    assert "| x | 1 |" not in page


def test_what_is_said_of_providers_is_timed_by_its_parts() -> None:
    found = providers.main(6_000, 24_000)
    assert set(found["parts"]) == set(providers.PARTS)
    assert min(found["parts"].values()) > 0
    assert sum(found["parts"].values()) < 1.1 * found["processor"]
    assert found["rank_error"] < 1e-4
    assert len(providers.table_of(found)) == len(providers.PARTS) + 7


def test_the_bootstrap_of_few_hospitals_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "QUICK", (Size(2_000, 3, 30, 1), 8))
    found = bootstrap.main(True, 1)
    assert found["failed"] == 0
    assert found["processor"] > 0


@pytest.mark.skipif(not (SHARED / "data/surgeon_cardiac").is_dir(), reason="no surgeon_cardiac under PROFILING_SHARED")
def test_every_kind_of_interval_of_the_surgeons_is_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "surgeon_cardiac").symlink_to((SHARED / "data/surgeon_cardiac").resolve())
    page = intervals.page(tmp_path, 40, 1)
    rows = {cells[1].strip(): cells[2:] for line in page if len(cells := line.split("|")) == 10}
    limits = {kind: [tuple(map(float, cell.split(" to "))) for cell in rows[kind][:7]] for kind in list(rows)[2:]}
    assert len(limits) == 11
    for kind, found in limits.items():
        assert all(low < high for low, high in found), kind
    mean_width = {kind: np.mean([high - low for low, high in found]) for kind, found in limits.items()}
    assert (
        mean_width["P/E, posterior at the estimates"] < mean_width["P/E, delta method"] < mean_width[intervals.DEFAULT]
    )
    assert mean_width["O/E, mid-p Poisson"] < mean_width["O/E, exact Poisson"]

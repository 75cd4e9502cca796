"""Estimates and intervals over many draws from a known truth; STUDY_DRAWS draws of each design (default 2,000)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from time import perf_counter

import pytest

from benchmarks.recovery.designs import HOSPITALS_BY_LAPLACE, SMALL_CLUSTERS, STUDIES, Study
from benchmarks.recovery.draws import Z, fit, generator, judge, judge_all, workers
from benchmarks.recovery.figures import Figure, difference_of_laplace, figures, small_cluster_figures
from benchmarks.recovery.report import write_report
from benchmarks.recovery.stated_bias import stated_bias

pytestmark = [pytest.mark.study, pytest.mark.timeout(6 * 3600)]
DRAWS = int(os.environ.get("STUDY_DRAWS", "2000"))
ROOT = Path(__file__).parents[2]
Found = dict[str, tuple[Study, list[Figure]]]


@pytest.fixture(scope="module")
def found() -> Iterator[Found]:
    """What the tests find; once all ran it is written down, into docs/ where there were enough draws."""
    collected: Found = {}
    yield collected
    if len(collected) == len(STUDIES) + 1:
        write_report(ROOT / ("docs" if DRAWS >= 2000 else "build") / "recovery.md", collected, DRAWS)


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    """The processes that draw and fit, started once."""
    with workers() as started:
        yield started


def report(found: Found, study: Study, own: list[Figure], capsys: pytest.CaptureFixture[str], seconds: float) -> None:
    """Keep the figures, say how many are kept, and fail with those that are not."""
    found[study.name] = (study, own)
    out = [figure for figure in own if not figure.kept]
    with capsys.disabled():
        print(f"\n{study.name}: {DRAWS} draws, {seconds:.0f} s, {len(own) - len(out)} of {len(own)} figures kept")
        for figure in out:
            print(f"  {figure.kind} {figure.parameter}: {figure.value:.4f} ({figure.lower:.4f} to {figure.upper:.4f})")
    assert not out


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_design_is_recovered(study: Study, found: Found, pool: Executor, capsys: pytest.CaptureFixture[str]) -> None:
    begun = perf_counter()
    draws = judge_all(study, DRAWS, pool)
    own = figures(study, draws, stated_bias(study))
    report(found, study, own, capsys, perf_counter() - begun)


def test_quadrature_cures_what_laplace_cannot_do(
    found: Found, pool: Executor, capsys: pytest.CaptureFixture[str]
) -> None:
    """One or two visits to a patient: Laplace halves the standard deviation, quadrature does not; with 20, a little."""
    begun = perf_counter()
    draws = max(DRAWS // 5, 20)
    laplace, quadrature = (judge_all(study, draws, pool) for study in SMALL_CLUSTERS)
    own = small_cluster_figures(laplace, quadrature, SMALL_CLUSTERS[1])
    hospitals = [judge_all(study, draws, pool) for study in (HOSPITALS_BY_LAPLACE, STUDIES[0])]
    own.append(difference_of_laplace(*hospitals, STUDIES[0]))
    report(found, SMALL_CLUSTERS[1], own, capsys, perf_counter() - begun)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_one_constrained_maximum_says_what_the_interval_says(study: Study) -> None:
    """The shortcut of the study against the intervals that users get, at their own ends."""
    from profiling.modeling.intervals import estimates, maximum_likelihood, profile_for

    frame, _ = study.draw(generator(study, 1))
    fitted = fit(study, frame)
    table = fitted.intervals("adjusted", parameters=[name for name in study.truth if name not in study.beta])
    row = judge(study, 1)
    model = maximum_likelihood(fitted)
    for each in estimates(model):
        if each.kind == "fixed":
            continue
        lower, upper = table.loc[each.name, ["lower", "upper"]]
        assert row[f"covered/{each.name}"] == (lower <= study.truth[each.name] <= upper)
        for end, sign in ((lower, -1), (upper, 1)):
            if end not in (0.0, -1.0, 1.0):
                assert profile_for(model, each, True).zeta(end) == pytest.approx(sign * Z, abs=1e-4)

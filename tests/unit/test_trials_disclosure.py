"""Successes out of trials: what a reader knows of them is true, and hidden counts keep three values."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from disclosure_tables import THRESHOLD

from profiling.reporting.feasible import given_away
from profiling.reporting.provider_table import possible_events
from profiling.reporting.suppression import suppress
from profiling.reporting.suppression_extra import units_of
from profiling.reporting.suppression_units import counts_of, is_small, tied_of


def tables(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Providers with trials, their successes by period and by sex; trials are known of providers alone."""
    draw = np.random.default_rng(seed)
    count = int(draw.integers(3, 9))
    cases = draw.integers(4, 90, (count, 4, 2))
    trials = cases * draw.integers(1, 4)
    done = draw.binomial(trials, draw.choice([0.1, 0.5, 0.95], (count, 1, 1)))
    names = [f"h{place}" for place in range(count)]
    providers = pd.DataFrame({"measure": "given", "level": "hospital", "provider": names, "parent": None})
    providers = providers.assign(n=cases.sum((1, 2)), observed=done.sum((1, 2)).astype(float), counts=True)
    providers = providers.assign(possible=trials.sum((1, 2)).astype(float), category="as_expected", minimum=1)
    periods = pd.DataFrame({"measure": "given", "provider": np.repeat(names, 4), "position": np.tile(range(4), count)})
    periods = periods.assign(n=cases.sum(2).ravel(), observed=done.sum(2).ravel().astype(float))
    groups = pd.DataFrame({"measure": "given", "column_name": "sex", "value": ["F", "M"]})
    return providers, periods, groups.assign(n=cases.sum((0, 1)), observed=done.sum((0, 1)).astype(float))


@pytest.mark.parametrize("seed", range(6))
def test_the_truth_solves_what_a_reader_knows(seed: int) -> None:
    providers, periods, groups = tables(seed)
    cells, _ = units_of(providers, THRESHOLD, periods, groups)
    for values in cells.values.T:
        assert np.bincount(cells.equation, cells.sign * values[cells.unit]) == pytest.approx(0)
    n, events, others = cells.values[cells.tied].T
    assert n == pytest.approx(events + others)
    assert (cells.lower <= cells.values).all()
    assert (cells.values <= cells.upper).all()


@pytest.mark.parametrize("seed", range(6))
def test_runs_of_trials_are_decided_and_small_counts_are_hidden(seed: int) -> None:
    providers, periods, groups = tables(seed)
    made = suppress(providers, THRESHOLD, periods=periods, subgroups=groups)
    small = is_small(counts_of(providers), THRESHOLD).any(axis=1)
    assert made.hidden[small].all()
    few = is_small(periods[["n", "observed"]].to_numpy(), THRESHOLD).any(axis=1)
    assert {("given", name) for name in periods["provider"][few]} <= made.series
    assert made.subgroups[is_small(groups[["n", "observed"]].to_numpy(), THRESHOLD).any(axis=1)].all()


def test_non_events_of_trials_are_not_those_of_cases() -> None:
    """40 cases of 80 trials with 75 successes: 5 failures are small, although there are more successes than cases."""
    providers, _, _ = tables(1)
    providers = providers.assign(n=40, observed=75.0, possible=np.where(providers.index == 0, 80.0, 150.0))
    made = suppress(providers, THRESHOLD)
    assert made.hidden[0]
    cells, units = units_of(providers, THRESHOLD)
    shown = np.ones(int(cells.group.max()) + 1, dtype=np.bool_)
    shown[cells.group[units.rows[made.hidden]]] = False
    assert not given_away(cells, *cells.bounds(shown)).any()
    shown[cells.group[units.rows[1:]]] = True
    assert given_away(cells, *cells.bounds(shown)).any()


@pytest.mark.parametrize(("trials", "known"), [([30, 40], True), ([60, 80], False), ([30, 41], False)])
def test_one_trial_a_case_is_as_well_known_as_the_cases(trials: list[int], known: bool) -> None:
    """Then failures are cases without the event, and the reader's equation n = O + N holds."""
    full = pd.DataFrame({"measure": "given", "level": "hospital", "provider": ["a", "b"], "n": [30, 40]})
    full = full.assign(counts=True, observed=[20.0, 35.0])
    evidence = full[["measure", "level", "provider"]].assign(exposure=np.array(trials, dtype=float))
    record = SimpleNamespace(provider_evidence=evidence)
    possible = possible_events(record, full, {"given": {"family": "binomial", "trials": "tried"}})  # type: ignore[arg-type]
    assert tied_of(full.assign(possible=possible)).all() == known
    assert np.isnan(possible).all() == known

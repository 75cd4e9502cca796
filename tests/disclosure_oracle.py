"""An attacker for tests: everything a reader knows of a run as linear equations between whole numbers, solved exactly.

Nothing here is shared with the code that hides. What is published is read from the masked frames; what is hidden is a
variable, with bounds from its case band, its flag category and (to be on the safe side, for it is nowhere published)
whether the count is small, large or zero. Totals, hospitals over their physicians, cases = events + non-events, equal
cases in two measures, periods over time and over providers, subgroups and earlier runs are equations between them. The
values that a hidden count can take are counted by integer programmes (HiGHS through scipy).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from profiling.reporting.suppression import case_bands

NEEDED = 3
MOST = 100_000.0
CELLS = ("n", "events", "others")


@dataclass
class System:
    """Whole numbers between bounds, and sums of them that are known."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)
    equations: list[tuple[list[int], list[float], float]] = field(default_factory=list)
    targets: dict[int, str] = field(default_factory=dict)

    def unknown(self, truth: float, lower: float = 0.0, upper: float = MOST) -> int:
        """A variable; the truth must lie within what is known of it."""
        assert lower <= truth <= upper, (lower, truth, upper)
        self.lower.append(lower)
        self.upper.append(upper)
        self.truth.append(truth)
        return len(self.truth) - 1

    def known(self, value: float) -> int:
        """A number that is published."""
        return self.unknown(value, value, value)

    def equal(self, terms: Iterable[tuple[int, float]], total: float = 0.0) -> None:
        """The sum of terms (variable, factor) is the total; asserted of the truth."""
        pairs = list(terms)
        assert abs(sum(self.truth[i] * a for i, a in pairs) - total) < 1e-6
        if pairs:
            self.equations.append(([i for i, _ in pairs], [a for _, a in pairs], total))

    def leaks(self, seed: int = 0) -> list[str]:
        """The targets that can take fewer than three values."""
        if not self.targets:
            return []
        values: dict[int, set[int]] = {i: {round(self.truth[i])} for i in self.targets}
        rows = [k for k, (ids, _, _) in enumerate(self.equations) for _ in ids]
        columns = [i for ids, _, _ in self.equations for i in ids]
        factors = [a for _, parts, _ in self.equations for a in parts]
        shape = (len(self.equations), len(self.truth))
        totals = np.array([total for _, _, total in self.equations])
        solve = _Solver(sparse.csr_array((factors, (rows, columns)), shape=shape), totals, self)
        draw = np.random.default_rng(seed)
        left = list(self.targets)
        for size in (*(np.inf, 1.0, 2.0, 1.0, 3.0, 2.0) * 3,):
            # Solutions near the truth and at the ends, for random costs: each tries every target that lacks values.
            cost = np.zeros(len(self.truth))
            cost[left] = draw.choice([-1.0, 1.0], len(left)) * (0.5 + draw.random(len(left)))
            found = solve.near(cost, np.array(self.truth), size)
            for i in left if found is not None else ():
                values[i].add(round(found[i]))
            left = [i for i in left if len(values[i]) < NEEDED]
            if not left:
                return []
        for i in left:
            self._count(i, values[i], solve)
        return [self.targets[i] for i in left if len(values[i]) < NEEDED]

    def _count(self, i: int, values: set[int], solve: _Solver) -> None:
        """Find values of one target until there are enough or no others."""
        cost = np.zeros(len(self.truth))
        cost[i] = 1.0
        low, high = round(solve(cost)[i]), round(solve(-cost)[i])
        values |= {low, high}
        for value in (value for value in range(low + 1, high) if value not in values):
            if len(values) >= NEEDED:
                return
            if solve.possible(i, value):
                values.add(value)


class _Solver:
    def __init__(self, matrix: sparse.csr_array, totals: np.ndarray, system: System) -> None:
        self.constraint = LinearConstraint(matrix, totals, totals) if matrix.shape[0] else ()
        self.lower, self.upper = np.array(system.lower), np.array(system.upper)

    def __call__(self, cost: np.ndarray) -> np.ndarray:
        result = self._solve(cost, self.lower, self.upper, 1)
        assert result.x is not None, result.message
        return np.asarray(result.x)

    def near(self, cost: np.ndarray, truth: np.ndarray, size: float) -> np.ndarray | None:
        """A cheapest solution at most `size` from the truth, if it is one of whole numbers."""
        lower, upper = np.maximum(self.lower, truth - size), np.minimum(self.upper, truth + size)
        found = self._solve(cost, lower, upper, 0).x
        assert found is not None
        return found if np.abs(found - np.round(found)).max() < 1e-6 else None

    def possible(self, i: int, value: float) -> bool:
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[i] = upper[i] = value
        return self._solve(np.zeros(len(lower)), lower, upper, 1).x is not None

    def _solve(self, cost: np.ndarray, lower: np.ndarray, upper: np.ndarray, whole: int):  # type: ignore[no-untyped-def]
        limits = Bounds(lower, upper)
        return milp(cost, integrality=np.full(len(cost), whole), bounds=limits, constraints=self.constraint)


def small(value: float, threshold: int) -> bool:
    return 1 <= round(value) < threshold


@dataclass
class Attack:
    """The system of one run, and where each cell of it stands."""

    system: System
    threshold: int = 11
    cells: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    totals: dict[tuple[str, str, str], int | None] = field(default_factory=dict)


def band(words: str) -> tuple[float, float]:
    """Least and most cases of a band as it is printed."""
    found = [float(part.replace(",", "")) for part in re.findall(r"[\d,]+", words)]
    if not found:
        return 1.0, MOST
    if words.startswith("under"):
        return 1.0, found[0] - 1
    return found[0], found[1] if len(found) > 1 else MOST


def attack_run(
    system: System,
    full: pd.DataFrame,
    masked: pd.DataFrame,
    withheld: Iterable[str],
    threshold: int,
    name: str = "",
) -> Attack:
    """Enter a run: cells of every provider, totals of measures and levels, hospitals over physicians, equal cases.

    `full`: the truth, with counts (True for events) and minimum. `masked`: the same rows as published.
    """
    attack = Attack(system, threshold)
    for row, shown in zip(full.itertuples(), masked.itertuples(), strict=True):
        key = (str(row.measure), str(row.level), str(row.provider))
        assert key == (str(shown.measure), str(shown.level), str(shown.provider))
        _enter(attack, key, row, shown, threshold, name)
    _sum_measures(attack, full, set(withheld))
    _sum_families(attack, full)
    _equate(attack, full)
    return attack


def _values(row: object, counts: bool) -> dict[str, float]:
    n, events = round(row.n), round(row.observed)  # type: ignore[attr-defined]
    return {"n": n, "events": events, "others": n - events} if counts else {"n": n}


def _enter(attack: Attack, key: tuple[str, str, str], row, shown, threshold: int, name: str) -> None:  # type: ignore[no-untyped-def]
    system, values = attack.system, _values(row, bool(row.counts))
    if not shown.hidden:
        assert (shown.n, shown.observed) == (row.n, row.observed)
        for cell, value in values.items():
            assert not small(value, threshold), (key, cell)
            attack.cells[*key, cell] = system.known(value)
    else:
        assert pd.isna(shown.n)
        assert pd.isna(shown.observed)
        low, high = band(shown.case_band) if row.n else (0.0, 0.0)
        if getattr(shown, "silent", False):
            pass
        elif shown.category != "too_few":
            low = max(low, row.minimum)
        elif row.n < row.minimum:
            high = min(high, row.minimum - 1)
        for cell, value in values.items():
            least, most = (low, high) if cell == "n" else _kind(value, high, threshold)
            attack.cells[*key, cell] = variable = system.unknown(value, least, most)
            if small(value, threshold):
                system.targets[variable] = " ".join([name, *key, cell]).strip()
    if row.counts:
        n, events, others = (attack.cells[*key, cell] for cell in CELLS)
        system.equal([(n, 1.0), (events, -1.0), (others, -1.0)])


def _kind(value: float, most: float, threshold: int) -> tuple[float, float]:
    if threshold < 6:
        return 0.0, max(most, value)
    if value == 0:
        return 0.0, 0.0
    return (1.0, threshold - 1.0) if value < threshold else (float(threshold), max(most, value))


def _sum_measures(attack: Attack, full: pd.DataFrame, withheld: set[str]) -> None:
    system = attack.system
    for (measure, level), part in full.groupby(["measure", "level"], sort=False):
        for cell in CELLS:
            ids = [attack.cells.get((measure, level, str(p), cell)) for p in part["provider"]]
            if ids and ids[0] is not None:
                value = sum(system.truth[i] for i in ids if i is not None)
                if measure not in withheld:
                    system.equal([(i, 1.0) for i in ids if i is not None], value)


def _sum_families(attack: Attack, full: pd.DataFrame) -> None:
    """Where the physicians of a hospital have all its cases between them, their sum is the hospital's."""
    system = attack.system
    children = full[full["parent"].notna()]
    outer = full[full["parent"].isna()].drop_duplicates("measure").set_index("measure")["level"]
    for (measure, parent), part in children.groupby(["measure", "parent"], sort=False):
        level = str(part["level"].iloc[0])
        sums = []
        for cell in CELLS:
            above = attack.cells.get((measure, outer[measure], str(parent), cell))
            if above is not None:
                ids = [attack.cells[measure, level, str(p), cell] for p in part["provider"]]
                sums.append([*((i, 1.0) for i in ids), (above, -1.0)])
        if all(sum(system.truth[i] * a for i, a in terms) == 0 for terms in sums):
            for terms in sums:
                system.equal(terms)


def _equate(attack: Attack, full: pd.DataFrame) -> None:
    """The same cases of a provider in two measures are the same number."""
    for (level, provider, _), part in full.groupby(["level", "provider", "n"], sort=False):
        ids = [attack.cells[m, level, str(provider), "n"] for m in part["measure"]]
        for other in ids[1:]:
            attack.system.equal([(ids[0], 1.0), (other, -1.0)])


def attack_periods(attack: Attack, full: pd.DataFrame, masked: pd.DataFrame, counts: Mapping[str, bool]) -> None:
    """Enter series: periods sum to the provider; providers of a period to a total, known where any series is shown.

    Nothing is known of the periods of a series that is not published, not even whether there were cases.
    """
    system = attack.system
    shown = set(zip(masked["measure"], masked["level"], masked["provider"].astype(str), strict=True))
    for (measure, level), rows in full.groupby(["measure", "level"], sort=False):
        ids: dict[tuple[str, int, str], int] = {}
        grid = pd.MultiIndex.from_product([rows["provider"].unique(), rows["position"].unique()])
        given = rows.set_index(["provider", "position"])[["n", "observed"]].reindex(grid, fill_value=0)
        part = given.rename_axis(["provider", "position"]).reset_index()
        for row in part.assign(counts=counts[measure]).itertuples():
            for cell, value in _values(row, counts[measure]).items():
                public = (measure, level, str(row.provider)) in shown
                variable = system.known(value) if public else system.unknown(value)
                ids[str(row.provider), row.position, cell] = variable
                if not public and small(value, attack.threshold):
                    system.targets[variable] = f"{measure} {level} {row.provider} period {row.position} {cell}"
                assert not (public and small(value, attack.threshold))
        for provider, own in part.groupby("provider", sort=False):
            for cell in CELLS if counts[measure] else ("n",):
                whole = attack.cells[measure, level, str(provider), cell]
                system.equal([*((ids[str(provider), t, cell], 1.0) for t in own["position"]), (whole, -1.0)])
            if counts[measure]:
                for t in own["position"]:
                    n, events, others = (ids[str(provider), t, cell] for cell in CELLS)
                    system.equal([(n, 1.0), (events, -1.0), (others, -1.0)])
        some = any(key[:2] == (measure, level) for key in shown)
        for position, own in part.groupby("position", sort=False) if some else ():
            for cell in CELLS if counts[measure] else ("n",):
                terms = [(ids[str(p), position, cell], 1.0) for p in own["provider"]]
                system.equal(terms, sum(system.truth[i] for i, _ in terms))


def attack_subgroups(
    attack: Attack, full: pd.DataFrame, masked: pd.DataFrame, withheld: Iterable[str], counts: Mapping[str, bool]
) -> None:
    """Enter subgroups: their values sum to the measure's total."""
    system = attack.system
    rows = full.assign(hidden=masked["hidden"].to_numpy(dtype=bool))
    for (measure, column), part in rows[rows["model"] == "main"].groupby(["measure", "column_name"], sort=False):
        ids: dict[str, list[int]] = {cell: [] for cell in (CELLS if counts[measure] else ("n",))}
        for row in part.itertuples():
            values = _values(row, counts[measure])
            for cell, value in values.items():
                variable = system.unknown(value) if row.hidden else system.known(value)
                ids[cell].append(variable)
                assert row.hidden or not small(value, attack.threshold)
                if small(value, attack.threshold):
                    system.targets[variable] = f"{measure} {column} {row.value} {cell}"
            if counts[measure]:
                n, events, others = (ids[cell][-1] for cell in CELLS)
                system.equal([(n, 1.0), (events, -1.0), (others, -1.0)])
        if measure not in set(withheld):
            for cell in ids:
                system.equal([(i, 1.0) for i in ids[cell]], sum(system.truth[i] for i in ids[cell]))


def attack_difference(
    later: Attack, former: Attack, threshold: int, measures: Iterable[str], nested: bool = True, name: str = "change"
) -> None:
    """Enter what came between two runs whose cells are both entered: it is a count of its own, and never negative.

    A provider that a run does not have had no case in it.
    """
    system = later.system
    wanted = set(measures)
    for key in dict.fromkeys([*later.cells, *former.cells]):
        if key[0] in wanted:
            now = later.cells[key] if key in later.cells else system.known(0.0)
            before = former.cells[key] if key in former.cells else system.known(0.0)
            change = system.truth[now] - system.truth[before]
            assert change >= 0 or not nested
            variable = system.unknown(change, 0.0 if nested else -MOST)
            system.equal([(now, 1.0), (before, -1.0), (variable, -1.0)])
            if small(abs(change), threshold):
                system.targets[variable] = " ".join([name, *key])


def found_in(
    table: pd.DataFrame, periods: pd.DataFrame, subgroups: pd.DataFrame, made: object, threshold: int = 11
) -> tuple[list[str], int]:
    """What an attacker finds in the tables of a run as a suppression leaves them, and how many counts were attacked.

    `made`: hidden by row of `table`, withheld, blind, series (measure and provider), subgroups by row of model `main`.
    """
    hidden = made.hidden  # type: ignore[attr-defined]
    words = np.where(made.blind > 0, "some", case_bands(table["n"].to_numpy(dtype=float), threshold))  # type: ignore[attr-defined]
    masked = table.assign(hidden=hidden, case_band=words, silent=made.blind == 2)  # type: ignore[attr-defined]
    masked[["n", "observed"]] = masked[["n", "observed"]].astype(float).mask(np.column_stack([hidden, hidden]))
    counts = dict(zip(table["measure"], table["counts"], strict=True))
    system = System()
    attack = attack_run(system, table, masked, made.withheld, threshold)  # type: ignore[attr-defined]
    if len(periods):
        keys = zip(periods["measure"], periods["provider"], strict=True)
        attack_periods(attack, periods, periods[[key not in made.series for key in keys]], counts)  # type: ignore[attr-defined]
    if len(subgroups):
        main = subgroups[subgroups["model"] == "main"].reset_index(drop=True)
        attack_subgroups(attack, main, main.assign(hidden=made.subgroups), made.withheld, counts)  # type: ignore[attr-defined]
    return system.leaks(), len(system.targets)

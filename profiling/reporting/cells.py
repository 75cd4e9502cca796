"""Counts of a run as whole numbers in known sums, and what a reader can conclude of those that are not shown.

A unit has three cells: cases n, events O and non-events N, with n = O + N where it is tied; some units lack O or N.
Units stand in sums (the providers of a level and their total, a hospital and its physicians, a provider and its
periods, a run and the one before it), the same for all three cells: Σ sign · unit = 0. Cases of one provider in several
measures are linked: the same number. A group is what is shown or hidden together; a unit without group is never
printed.

`bounds` are the narrowest intervals that follow from one sum at a time, repeated until nothing narrows. They are
certain (a count outside is impossible), so a count with fewer than three values within them is given away; that one
with three is safe needs `profiling.reporting.feasible`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

CELLS = ("n", "observed", "non_events")
UNBOUNDED = 1e8
SWEEPS = 60
CANDIDATE, LAST = 1, 2

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """Units u and the sums they stand in.

    values, lower, upper (u, 3): the truth, and what is known of a unit that is not shown. tied (u,): whether n = O + N.
    group (u,): -1 for none. fixed (u,): known whatever is hidden. protected (u, 3): counts to be kept. link (u,): units
    of one number share the same n, -1 for none. Entries of sums: equation, unit, sign, and role: a CANDIDATE may be
    hidden to loosen the sum, LAST where nothing else is left. proxies: equation, unit and order of units that loosen a
    sum though they do not stand in it.
    """

    values: Floats
    lower: Floats
    upper: Floats
    tied: Bools
    group: Ints
    fixed: Bools
    protected: Bools
    link: Ints
    equation: Ints
    unit: Ints
    sign: Floats
    role: Ints
    proxies: tuple[Ints, Ints, Ints]

    @property
    def equations(self) -> int:
        """Number of sums."""
        return int(self.equation.max()) + 1 if len(self.equation) else 0

    def known(self, shown: Bools) -> Bools:
        """Units that are printed while these groups are shown."""
        if not len(shown):
            return self.fixed
        return np.asarray(self.fixed | ((self.group >= 0) & shown[self.group]), dtype=np.bool_)

    def bounds(self, shown: Bools) -> tuple[Floats, Floats]:
        """Least and most of every cell (u, 3) that a reader can conclude while these groups are shown."""
        known = self.known(shown)[:, None]
        lower, upper = np.where(known, self.values, self.lower), np.where(known, self.values, self.upper)
        for _ in range(SWEEPS):
            before = lower.sum() - upper.sum()
            self._own(lower, upper)
            self._links(lower, upper)
            self._sums(lower, upper)
            if lower.sum() - upper.sum() == before:
                break
        return lower, upper

    def _own(self, lower: Floats, upper: Floats) -> None:
        """Cases are events and non-events."""
        low, high = lower[self.tied].T, upper[self.tied].T
        low[0], high[0] = np.maximum(low[0], low[1] + low[2]), np.minimum(high[0], high[1] + high[2])
        for one, other in ((1, 2), (2, 1)):
            low[one] = np.maximum(low[one], low[0] - high[other])
            high[one] = np.minimum(high[one], high[0] - low[other])
        lower[self.tied], upper[self.tied] = low.T, high.T

    def _links(self, lower: Floats, upper: Floats) -> None:
        linked = np.flatnonzero(self.link >= 0)
        if not len(linked):
            return
        groups = int(self.link.max()) + 1
        most, least = np.full(groups, np.inf), np.full(groups, -np.inf)
        np.minimum.at(most, self.link[linked], upper[linked, 0])
        np.maximum.at(least, self.link[linked], lower[linked, 0])
        upper[linked, 0], lower[linked, 0] = most[self.link[linked]], least[self.link[linked]]

    def _sums(self, lower: Floats, upper: Floats) -> None:
        if not len(self.equation):
            return
        plus = self.sign > 0
        for cell in range(len(CELLS)):
            low, high = lower[self.unit, cell], upper[self.unit, cell]
            least, most = np.where(plus, low, -high), np.where(plus, high, -low)
            others_least = np.bincount(self.equation, least)[self.equation] - least
            others_most = np.bincount(self.equation, most)[self.equation] - most
            np.minimum.at(upper[:, cell], self.unit, np.where(plus, -others_least, others_most))
            np.maximum.at(lower[:, cell], self.unit, np.where(plus, -others_most, others_least))


@dataclass
class Builder:
    """Collects units and sums."""

    parts: list[dict[str, npt.NDArray[np.generic]]] = field(default_factory=list)
    sums: list[tuple[Ints, Ints, Floats, Ints]] = field(default_factory=list)
    links: list[tuple[Ints, Ints]] = field(default_factory=list)
    proxies: list[tuple[Ints, Ints, Ints]] = field(default_factory=list)
    units: int = 0
    groups: int = 0
    equations: int = 0

    def add(
        self,
        values: Floats,
        *,
        tied: Bools | None = None,
        group: Ints | None = None,
        lower: Floats | None = None,
        upper: Floats | None = None,
        fixed: Bools | None = None,
        protected: Bools | None = None,
    ) -> Ints:
        """Enter units; values (k, 3), NaN where there is no such cell. tied (k,): n = O + N; as default where both are.

        Returns their numbers.
        """
        count = len(values)
        absent = np.isnan(values)
        self.parts.append(
            {
                "values": np.where(absent, 0.0, values),
                "lower": np.where(absent, 0.0, 0.0 if lower is None else lower),
                "upper": np.where(absent, 0.0, UNBOUNDED if upper is None else upper),
                "tied": np.asarray(~absent.any(axis=1) & (True if tied is None else tied)),
                "group": np.full(count, -1, dtype=np.int64) if group is None else group,
                "fixed": np.zeros(count, dtype=np.bool_) if fixed is None else fixed,
                "protected": np.zeros((count, 3), dtype=np.bool_) if protected is None else protected & ~absent,
            }
        )
        self.units += count
        return np.arange(self.units - count, self.units, dtype=np.int64)

    def new_groups(self, count: int) -> Ints:
        """Numbers of new groups."""
        self.groups += count
        return np.arange(self.groups - count, self.groups, dtype=np.int64)

    def sum_to(self, members: Ints, which: Ints, totals: Ints, role: int = CANDIDATE, last: int = LAST) -> None:
        """Sums: the members with which == k add up to totals[k]."""
        first = self.equations
        self.equations += len(totals)
        self._enter(first + which, members, 1.0, role)
        self._enter(first + np.arange(len(totals), dtype=np.int64), totals, -1.0, last)

    def also(self, equation: Ints, members: Ints, sign: float, role: int = 0) -> None:
        """Further members of sums, counted from the first."""
        self._enter(equation, members, sign, role)

    def proxy(self, equation: Ints, units: Ints, order: Ints) -> None:
        """Units that loosen sums when they are hidden, in this order, though they do not stand in them."""
        self.proxies.append((equation, units, order))

    def linked(self, units: Ints, number: Ints) -> None:
        """Units with the same number have the same cases; every unit is named at most once."""
        self.links.append((units, number))

    def _enter(self, equation: Ints, members: Ints, sign: float, role: int) -> None:
        count = len(members)
        self.sums.append((equation, members, np.full(count, sign), np.full(count, role, dtype=np.int64)))

    def cells(self) -> Cells:
        """All that was entered."""
        link = np.full(self.units, -1, dtype=np.int64)
        first = 0
        for units, number in self.links:
            if len(units):
                link[units] = first + np.unique(number, return_inverse=True)[1]
                first = int(link.max()) + 1
        names = ("values", "lower", "upper", "tied", "group", "fixed", "protected")
        joined = {name: np.concatenate([part[name] for part in self.parts]) for name in names}
        sums = [np.concatenate(parts) for parts in zip(*self.sums, strict=True)] if self.sums else _NOTHING
        proxies = [np.concatenate(parts) for parts in zip(*self.proxies, strict=True)] if self.proxies else _NONE
        return Cells(
            **joined,
            link=link,
            equation=sums[0],
            unit=sums[1],
            sign=sums[2],
            role=sums[3],
            proxies=(proxies[0], proxies[1], proxies[2]),
        )


_NONE = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
_NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))

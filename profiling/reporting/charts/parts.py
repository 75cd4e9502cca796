"""What the charts share: status shapes, a clean table, ticks, grids, rows of intervals' words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from profiling.reporting import numbers
from profiling.reporting.chart import Anchor as Anchor
from profiling.reporting.chart import Item, Mark, Scale, Segments, Shape, Text
from profiling.reporting.sentences import say


class _StatusWords(Mapping[str, str]):
    """Word of each status, in the language that is being written."""

    def __getitem__(self, category: str) -> str:
        if category not in SHAPES:
            raise KeyError(category)
        return say(category)

    def __iter__(self) -> Iterator[str]:
        return iter(SHAPES)

    def __len__(self) -> int:
        return len(SHAPES)


STATUS_WORDS: Mapping[str, str] = _StatusWords()
SHAPES: MappingProxyType[str, Shape] = MappingProxyType(
    {
        "higher": "up",
        "higher_watch": "up",
        "as_expected": "dot",
        "lower_watch": "down",
        "lower": "down",
        "too_few": "dash",
    }
)
FLAGGED = ("higher", "lower", "higher_watch", "lower_watch")
BEYOND = ("higher", "lower")
MOST_FLAGGED = 300
READY, ESTIMATED = "ready_to_be_drawn", "ready_with_estimate"
SIDES = MappingProxyType({"higher": "high", "higher_watch": "high", "lower": "low", "lower_watch": "low"})
NUMBERS = (
    *("n", "observed", "expected", "expected_marginal", "oe_ratio", "z", "expected_rank"),
    *("ratio", "ratio_lower", "ratio_upper", "rank_lower", "rank_upper"),
)
FILLED = 1.2  # filled marks against open ones, which their stroke enlarges

# Ticks of ratio axes: the widest span (as a natural logarithm) each ladder is meant for.
_LADDERS: tuple[tuple[float, tuple[float, ...]], ...] = (
    (0.16, (0.9, 0.92, 0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06, 1.08, 1.1)),
    (0.35, (0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3)),
    (0.75, (0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6)),
    (1.35, (0.4, 0.5, 0.6, 0.7, 0.8, 1, 1.25, 1.5, 1.75, 2, 2.5)),
    (1.35, (0.5, 0.7, 1, 1.4, 2)),
    (3.5, (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 3, 5, 10)),
    (4.5, (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10, 20)),
    (math.inf, (0.01, 0.1, 0.3, 1, 3, 10, 100)),
    (math.inf, (0.01, 0.1, 1, 10, 100)),
)


def ratio_ticks(scale: Scale, gap: float) -> tuple[float, ...]:
    """Named ticks of a logarithmic ratio axis, at least `gap` pixels apart."""
    span = math.log(scale.high / scale.low)
    for widest, ladder in _LADDERS:
        ticks = tuple(tick for tick in ladder if scale.holds(tick))
        if span <= widest and len(ticks) >= 2 and _least_gap(scale, ticks) >= gap:
            return ticks
    return (1.0,) if scale.holds(1.0) else (scale.low,)


def linear_ticks(scale: Scale, count: int) -> tuple[float, ...]:
    """Round ticks of a linear axis, at most about `count` steps."""
    rough = (scale.high - scale.low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next((m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999), 10 * power)
    first, last = math.ceil(scale.low / step - 1e-9), math.floor(scale.high / step + 1e-9)
    return tuple(round(i * step, 12) for i in range(first, last + 1))


def ratio_domain(
    values: Iterable[float],
    inner: tuple[float, float] = (0.8, 1.25),
    outer: tuple[float, float] = (0.3, 3.2),
) -> tuple[float, float]:
    """Ends of a ratio axis that hold the values: never tighter than `inner`, never wider than `outer`."""
    kept = np.asarray(list(values), dtype=float)
    kept = kept[np.isfinite(kept) & (kept > 0)]
    if not len(kept):
        return inner
    low, high = float(kept.min()) / 1.06, float(kept.max()) * 1.06
    return max(min(low, inner[0]), outer[0]), min(max(high, inner[1]), outer[1])


def tick_text(value: float) -> str:
    """A tick in the fewest figures."""
    return numbers.short(value)


def grid_x(
    scale: Scale,
    ticks: Sequence[float],
    top: float,
    bottom: float,
    label_at: Sequence[float],
    texts: Sequence[str] | None = None,
    reference: float | None = None,
) -> list[Item]:
    """Vertical lines at ticks, their words at the heights `label_at`; the `reference` is stronger."""
    places = scale(np.array(ticks, dtype=float))
    words = texts or [tick_text(tick) for tick in ticks]
    plain = tuple((x, top, x, bottom) for x, t in zip(places, ticks, strict=True) if t != reference)
    items: list[Item] = [Segments(plain, "grid")] if plain else []
    if reference is not None and scale.holds(reference):
        x = scale.at(reference)
        items.append(Segments(((x, top, x, bottom),), "reference"))
    named = list(zip(places.tolist(), words, ticks, strict=True))
    roles = {True: "label", False: "tick"}
    items += [Text(x, y, word, roles[t == reference], "middle") for y in label_at for x, word, t in named]
    return items


def grid_y(
    scale: Scale,
    ticks: Sequence[float],
    left: float,
    right: float,
    reference: float | None = None,
    texts: Sequence[str] | None = None,
) -> list[Item]:
    """Horizontal lines at ticks with their words (`texts`) left of them; the `reference` tick is stronger."""
    places = scale(np.array(ticks, dtype=float))
    words = texts or [tick_text(tick) for tick in ticks]
    plain = tuple((left, y, right, y) for y, t in zip(places, ticks, strict=True) if t != reference)
    items: list[Item] = [Segments(plain, "grid")] if plain else []
    if reference is not None and scale.holds(reference):
        y = scale.at(reference)
        items.append(Segments(((left, y, right, y),), "reference"))
    items += [Text(left - 7, y + 4, word, "tick", "end") for y, word in zip(places, words, strict=True)]
    return items


def providers(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that may be drawn (`shown`, with numbers), with name, category, href and tooltip filled in.

    Rows that went through here before are given back as they are: a page a provider draws from the same rows.
    """
    if READY in frame:
        return frame
    table = frame.reset_index(drop=True)
    shown = table["shown"].fillna(False).astype(bool) if "shown" in table else pd.Series(True, table.index)
    table = table[shown].reset_index(drop=True)
    table = table.assign(**{c: pd.to_numeric(table[c]) for c in NUMBERS if c in table})
    names = table["provider_name"] if "provider_name" in table else table["provider"]
    category = table["category"] if "category" in table else pd.Series("as_expected", table.index)
    known = category.where(category.isin(list(SHAPES)), "as_expected")
    return table.assign(
        name=names.where(names.notna(), table.get("provider")).astype(str),
        category=known.astype(str),
        href=_texts(table, "href"),
        tooltip=_texts(table, "tooltip"),
        z=table["z"].fillna(0.0) if "z" in table else 0.0,
        **{READY: True},
    )


def estimated(frame: pd.DataFrame) -> pd.DataFrame:
    """Those of `providers` that have a shrunken ratio with its interval."""
    if ESTIMATED in frame:
        return frame
    table = providers(frame)
    return table[table[["ratio", "ratio_lower", "ratio_upper"]].notna().all(axis=1)].assign(**{ESTIMATED: True})


def hidden_count(frame: pd.DataFrame) -> int:
    """Number of rows that disclosure control hides."""
    return int((~frame["shown"].fillna(False).astype(bool)).sum()) if "shown" in frame else 0


def status_mark(
    x: float, y: float, category: str, size: float, title: str, href: str = "", dot: float | None = None
) -> Mark:
    """The mark of a status: `size` is that of an open triangle, `dot` that of the dot."""
    shape = SHAPES[category]
    radius = {"dot": dot if dot is not None else size * 0.7, "dash": size * 0.8}.get(shape, size)
    return Mark(x, y, shape, category, radius * (FILLED if category in BEYOND else 1), title, href)


def spot(x: float, y: float, category: str, title: str, href: str) -> Mark:
    """The small mark of a flagged provider among very many, without a rim that would cover its neighbours."""
    role = f"spot-{SIDES[category]}" if category in BEYOND else category
    return Mark(x, y, SHAPES[category], role, 2.6, title, href)


def own_mark(mark: Mark) -> Mark:
    """The same mark in ink: this provider among all."""
    return replace(mark, role="own")


def whisker_role(category: str, stem: str = "whisker") -> str:
    """Role of an interval: the side of a flag, else plain."""
    return f"{stem}-{SIDES[category]}" if category in SIDES else stem


def limit_words(watch: float = 0.95, flag: float = 0.998) -> tuple[str, str]:
    """Names of the inner and the outer limits."""
    inner, outer = (say("limit", level=numbers.level_percent(level)) for level in (watch, flag))
    return inner, outer


def ratio_words(ratio: float, lower: float, upper: float) -> str:
    """An estimate with its interval: 1.24 (1.00–1.54)."""
    return numbers.estimate(ratio, lower, upper)


def alone(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows a chart of very many draws one by one: all beyond the outer limits, while they are few all flagged.

    The others share marks, each with their number by status, so that no provider is lost.
    """
    flagged = rows["category"].isin(FLAGGED)
    chosen = flagged if flagged.sum() <= MOST_FLAGGED else rows["category"].isin(BEYOND)
    return np.asarray(chosen.to_numpy(dtype=bool))


def tallies(cells: NDArray[np.int64], categories: pd.Series, status: Mapping[str, str], providers: str) -> pd.Series:
    """What is in each cell of several providers, in words, by cell: 48 hospitals: as expected 45, too few to say 3."""
    counts = pd.crosstab(cells, categories.to_numpy()).reindex(columns=list(SHAPES), fill_value=0)
    words = [status[name][:1].lower() + status[name][1:] for name in counts.columns]
    told = [
        f"{numbers.integer(sum(row))} {providers}: "
        + "; ".join(f"{w} {numbers.integer(k)}" for w, k in zip(words, row, strict=True) if k)
        for row in counts.to_numpy().tolist()
    ]
    return pd.Series(told, counts.index, dtype=object)


def many_segments(pieces: NDArray[np.float64], categories: pd.Series) -> list[Item]:
    """Fine lines (n, 4) of very many flagged providers, one path a side; lines with a missing end are left out."""
    side = categories.map(SIDES).to_numpy(dtype=object)
    known = np.isfinite(pieces).all(axis=1)
    return [
        Segments(tuple(map(tuple, pieces[known & (side == one)].tolist())), f"many-{one}")
        for one in ("high", "low")
        if (known & (side == one)).any()
    ]


def shared_marks(places: NDArray[np.float64], grid: float, providers: str) -> list[Mark]:
    """One small mark a square of the grid that holds any of the places (n, 2), with their number."""
    if not len(places):
        return []
    cells, counts = np.unique(np.floor(places / grid), axis=0, return_counts=True)
    return [
        Mark(px, py, "dot", "bin", 2.0, f"{numbers.integer(k)} {providers}")
        for (px, py), k in zip(((cells + 0.5) * grid).tolist(), counts.tolist(), strict=True)
    ]


def note(x: float, y: float, words: str, anchor: Anchor = "start") -> list[Item]:
    """A footnote, or nothing for no words."""
    return [Text(x, y, words, "note", anchor)] if words else []


def spread(wanted: NDArray[np.float64], gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Sorted places moved as little as possible (least squares) to be `gap` apart, between `low` and `high`.

    The isotonic regression of the places less their minimal offsets (pool adjacent violators).
    """
    offsets = np.arange(len(wanted)) * gap
    blocks: list[tuple[float, int]] = []
    for value in np.asarray(wanted, dtype=float) - offsets:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] >= mean:
            before, count = blocks.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        blocks.append((mean, size))
    level = np.repeat([b[0] for b in blocks], [b[1] for b in blocks]) if blocks else np.empty(0)
    ceiling = max(high - gap * (len(wanted) - 1), low)
    return np.asarray(np.clip(level, low, ceiling) + offsets)


def _texts(table: pd.DataFrame, column: str) -> pd.Series:
    return table[column].fillna("").astype(str) if column in table else pd.Series("", table.index, dtype=str)


def _least_gap(scale: Scale, ticks: tuple[float, ...]) -> float:
    return float(np.abs(np.diff(scale(np.array(ticks)))).min())

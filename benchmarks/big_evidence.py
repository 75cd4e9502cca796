"""What the findings of a large region rest on: methods, quarters, groups of patients, social risk, other choices.

Like the results themselves drawn from simple laws and not computed: a report costs the same.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

QUARTERS = tuple(f"{year} Q{quarter}" for year in (2022, 2023) for quarter in (1, 2, 3, 4))
GROUPS = {"sex": ("F", "M"), "deprivation": ("1", "2", "3", "4", "5"), "payer": ("public", "private", "none")}
METHODS = 7
DISSENTERS = np.array(["interval", "empirical_null", "without age"], dtype=object)
MOVED = {"higher": "higher_watch", "higher_watch": "as_expected", "lower_watch": "as_expected"}


def evidence_of(generator: np.random.Generator, estimates: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """By name of the table, for one measure. `estimates`: rows of both levels, outer ones without a parent."""
    outer = estimates[estimates["parent"].isna()].reset_index(drop=True)
    return {
        "provider_evidence": _evidence(generator, estimates),
        "provider_periods": _periods(generator, outer),
        "subgroups": _subgroups(generator, outer),
        "social_risk": _social(generator, outer),
        "sensitivity": _sensitivity(outer),
    }


def _evidence(generator: np.random.Generator, estimates: pd.DataFrame) -> pd.DataFrame:
    judged = (estimates["category"] != "too_few").to_numpy()
    agree = generator.integers(METHODS - len(DISSENTERS), METHODS + 1, len(estimates))
    expected, ratio = estimates["expected"], estimates["ratio"]
    frame = estimates[["level", "provider"]].assign(
        methods=np.where(judged, METHODS, np.nan),
        agree=np.where(judged, agree, np.nan),
        dissent=[", ".join(DISSENTERS[: METHODS - a]) if j else None for a, j in zip(agree, judged, strict=True)],
    )
    for side, sign in (("higher", 1), ("lower", -1)):
        for limit, z in (("watch", 1.96), ("flag", 3.09)):
            first = np.ceil(expected + sign * z * np.sqrt(expected))
            possible = judged & (first >= 0) & (first <= estimates["n"])
            frame[f"events_to_{side}_{limit}"] = (first - estimates["observed"]).where(possible)
    above = np.maximum(ratio, 1 / ratio)
    share = estimates.groupby("level")["ratio"].rank(pct=True)
    return frame.assign(
        e_value=above + np.sqrt(above * (above - 1)),
        e_value_limit=1.0,
        top_fifth=share**4,
        bottom_fifth=(1 - share) ** 4,
        top_tenth=share**9,
        bottom_tenth=(1 - share) ** 9,
        overlap=generator.uniform(0.4, 0.95, len(estimates)),
        difference=(ratio - 1) * expected / estimates["n"],
        effect=estimates["mode"],
        effect_sd=estimates["mode_sd"],
    )


def _split(generator: np.random.Generator, outer: pd.DataFrame, pieces: int) -> tuple[np.ndarray, np.ndarray]:
    """Cases and events of every provider shared out to equal pieces (J, pieces); sums stay."""
    n = outer["n"].to_numpy(np.int64)
    cases = generator.multinomial(n, np.full(pieces, 1 / pieces))
    events = np.zeros_like(cases)
    left, room = outer["observed"].to_numpy(np.int64), n.copy()
    for piece in range(pieces):
        events[:, piece] = generator.hypergeometric(cases[:, piece], room - cases[:, piece], left)
        left, room = left - events[:, piece], room - cases[:, piece]
    return cases, events


def _intervals(frame: pd.DataFrame) -> pd.DataFrame:
    observed, expected = frame["observed"], frame["expected"]
    lower = np.nan_to_num(stats.chi2.ppf(0.025, 2 * observed)) / 2 / expected
    upper = stats.chi2.ppf(0.975, 2 * (observed + 1)) / 2 / expected
    return frame.assign(ratio=observed / expected, lower=lower, upper=upper)


def _periods(generator: np.random.Generator, outer: pd.DataFrame) -> pd.DataFrame:
    count = len(QUARTERS)
    cases, events = _split(generator, outer, count)
    share = (outer["expected"] / outer["n"]).to_numpy()
    expected = np.maximum(cases * share[:, None], 1e-6)
    frame = pd.DataFrame(
        {
            "level": np.repeat(outer["level"].to_numpy(), count),
            "provider": np.repeat(outer["provider"].to_numpy(), count),
            "position": np.tile(np.arange(count), len(outer)),
            "period": np.tile(np.array(QUARTERS, dtype=object), len(outer)),
            "n": cases.ravel(),
            "observed": events.ravel().astype(float),
            "expected": expected.ravel(),
        }
    )
    for name, odds in (("cusum", 2.0), ("cusum_lower", 0.5)):
        steps = events * np.log(odds) - np.log1p((odds - 1) * share)[:, None] * cases
        sums = np.cumsum(steps, axis=1)
        path = sums - np.minimum(np.minimum.accumulate(sums, axis=1), 0.0)
        signal = name.replace("cusum", "signal")
        frame = frame.assign(**{name: path.ravel(), f"{name}_limit": 4.5, signal: path.ravel() > 4.5})
    return _intervals(frame)


def _subgroups(generator: np.random.Generator, outer: pd.DataFrame) -> pd.DataFrame:
    cases, events, expected = int(outer["n"].sum()), int(outer["observed"].sum()), float(outer["expected"].sum())
    parts = []
    for column, values in GROUPS.items():
        share = generator.dirichlet(np.full(len(values), 20.0))
        n = generator.multinomial(cases, share)
        observed = generator.multinomial(events, n / cases)
        for model in ("main", "social_risk"):
            row = {"model": model, "column_name": column, "value": list(values), "n": n}
            parts.append(pd.DataFrame(row | {"observed": observed.astype(float), "expected": expected * n / cases}))
    found = _intervals(pd.concat(parts, ignore_index=True))
    return found.assign(position=found.groupby("model", sort=False).cumcount())


def _social(generator: np.random.Generator, outer: pd.DataFrame) -> pd.DataFrame:
    frame = outer[["level", "provider"]].assign(
        ratio_without=outer["ratio"],
        ratio_with=outer["ratio"] * np.exp(generator.normal(0, 0.03, len(outer))),
        category_without=outer["category"],
    )
    moved = frame["category_without"].map(MOVED).fillna(frame["category_without"])
    return frame.assign(category_with=moved.where(np.arange(len(outer)) % 9 == 0, frame["category_without"]))


def _sensitivity(outer: pd.DataFrame) -> pd.DataFrame:
    count = len(outer)
    return pd.DataFrame(
        {
            "position": range(2),
            "variant": ["without shrinkage", "without the largest provider"],
            "level": "hospital",
            "providers": [count, count - 1],
            "rank_correlation": [0.91, 0.999],
            "flags_same": [count - 40, count - 1],
            "flags_changed": [40, 0],
            "note": None,
        }
    )

"""Tables behind the findings of a simulated run: methods, quarters, subgroups, social risk, sensitivity, comments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from profiling.pipeline.structure_found import structure_found
from profiling.store.tables import RESULTS

QUARTERS = tuple(f"{year} Q{quarter}" for year in (2022, 2023) for quarter in (1, 2, 3, 4))
COLUMNS: Mapping[str, tuple[str, ...]] = {"sex": ("F", "M"), "deprivation": ("1", "2", "3", "4", "5")}
COMPOSITE = {
    "name": "care", "title": "Death and length of stay together", "kind": "weighted", "level": "hospital",
    "measures": {"mortality_30d": 2.0, "length_of_stay": 1.0},
}  # fmt: skip
COMMENT = "The stroke unit moved here in March 2023.\n\nRecords of two weeks were coded late."


def evidence_frames(
    seed: int, data: pd.DataFrame, estimates: pd.DataFrame, specs: Mapping[str, Mapping[str, Any]], run_id: str
) -> dict[str, pd.DataFrame]:
    """By name of the field of RunRecord. `data`: hospital (code), risk, died, days; `estimates`: all provider rows."""
    random = np.random.default_rng([seed, 7])
    quarter = random.integers(0, len(QUARTERS), len(data))
    values = {name: np.array(kinds)[random.integers(0, len(kinds), len(data))] for name, kinds in COLUMNS.items()}
    rows = data.assign(quarter=quarter, **values)
    periods, subgroups, sensitivity = [], [], []
    for measure, spec in specs.items():
        judged = _judged(rows, spec)
        periods.append(_periods(judged, spec).assign(measure=measure))
        subgroups.append(_subgroups(judged, spec).assign(measure=measure))
        sensitivity.append(_sensitivity(estimates, measure))
    hospitals = estimates[estimates["level"] == "hospital"]
    comments = pd.DataFrame(
        {
            "level": "hospital",
            "provider": sorted(hospitals["provider"].unique())[-2:],
            "position": 0,
            "comment": COMMENT,
        }
    )
    found = {
        "provider_evidence": _evidence(random, estimates, specs),
        "provider_periods": pd.concat(periods, ignore_index=True),
        "subgroups": pd.concat(subgroups, ignore_index=True),
        "social_risk": _social(random, hospitals),
        "sensitivity": pd.concat(sensitivity, ignore_index=True),
        "provider_comments": comments,
        "composites": pd.DataFrame(
            {"position": [0], "composite": ["care"], "spec_json": [json.dumps(COMPOSITE)], "note": [None]}
        ),
        "composite_scores": _scores(hospitals),
    }
    # As the store gives them: every column of the table, missing where nothing was found.
    return {
        name: frame.assign(run_id=run_id).reindex(columns=[column.name for column in RESULTS[name].columns])
        for name, frame in found.items()
    }


def linked_checks(seed: int, data: pd.DataFrame, effects: pd.DataFrame, odds: bool, threshold: int) -> pd.DataFrame:
    """Rows of model_checks on the structure of the data and on the two ways to say its coefficients."""
    random = np.random.default_rng([seed, 11])
    each = int(data["physician"].max()) // max(int(data["hospital"].max()), 1)
    lent = np.where(
        random.random(len(data)) < 0.04, (data["physician"] + each) % (data["physician"].max() + 1), data["physician"]
    )
    rows = pd.DataFrame({"hospital": data["hospital"], "physician": lent})
    days = pd.to_datetime("2022-01-01") + pd.to_timedelta(random.integers(0, 730, len(data)), unit="D")
    rows = rows.assign(patient_id=random.integers(0, max(len(data) // 2, 1), len(data)), admitted=days)
    entries = structure_found(rows, ["hospital", "physician"], threshold)
    kept = effects[effects["term"] != "Intercept"]
    for term, estimate, error in zip(kept["term"], kept["estimate"], kept["standard_error"], strict=True):
        entries += [
            (f"naive_standard_error:{term}", error * 0.9, ""),
            (f"clustered_standard_error:{term}", error * 1.02, ""),
        ]
        if odds:
            entries.append((f"population_odds_ratio:{term}", float(np.exp(0.98 * estimate)), ""))
            entries.append((f"gee_odds_ratio:{term}", float(np.exp(0.983 * estimate)), ""))
    entries.append(("design_effect:hospital", 7.3, "of the mean"))
    entries += [("attenuation", 0.985, "")] if odds else []
    return pd.DataFrame(entries, columns=["name", "value", "note"])


def _judged(rows: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    if spec["family"] == "binomial":
        return rows.assign(observed=rows["died"], expected=1.01 / (1 + np.exp(-rows["risk"])))
    return rows.assign(observed=rows["days"], expected=1.01 * np.exp(1.5 + 0.2 * rows["risk"] + 0.125))


def _ratios(sums: pd.DataFrame, counts: bool) -> pd.DataFrame:
    o, e = sums["observed"], sums["expected"]
    low = stats.chi2.ppf(0.025, 2 * o) / 2 / e if counts else np.nan
    high = stats.chi2.ppf(0.975, 2 * (o + 1)) / 2 / e if counts else np.nan
    return sums.assign(ratio=o / e, lower=np.nan_to_num(low) if counts else low, upper=high)


def _periods(rows: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    counts = spec["family"] == "binomial"
    grouped = rows.groupby(["hospital", "quarter"])
    sums = grouped[["observed", "expected"]].sum().assign(n=grouped.size()).reset_index()
    found = _ratios(sums, counts).assign(
        level="hospital",
        provider=[f"H{code + 1:03d}" for code in sums["hospital"]],
        position=sums["quarter"],
        period=[QUARTERS[place] for place in sums["quarter"]],
    )
    charts: dict[str, Any] = dict.fromkeys(("cusum", "cusum_limit", "cusum_lower", "cusum_lower_limit"), np.nan)
    charts |= {"signal": None, "signal_lower": None}
    if counts:
        # One step a quarter: near enough to the chart by case for pages.
        for name, odds in (("cusum", 2.0), ("cusum_lower", 0.5)):
            weight = sums["observed"] * np.log(odds) - np.log1p((odds - 1) * sums["expected"] / sums["n"]) * sums["n"]
            path, last, total = [], None, 0.0
            for hospital, step in zip(sums["hospital"], weight, strict=True):
                total = max(0.0, (total if hospital == last else 0.0) + step)
                path.append(total)
                last = hospital
            charts |= {name: path, f"{name}_limit": 4.5, f"signal{name.removeprefix('cusum')}": np.array(path) > 4.5}
    return found.assign(**charts).drop(columns=["hospital", "quarter"])


def _subgroups(rows: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    parts: list[pd.DataFrame] = []
    for name in COLUMNS:
        for model, shift in (("main", 1.0), ("social_risk", 1.02)):
            grouped = rows.groupby(name)
            sums = grouped[["observed", "expected"]].sum().assign(n=grouped.size())
            sums = sums.assign(expected=sums["expected"] * shift)
            table = _ratios(sums, spec["family"] == "binomial").rename_axis("value").reset_index()
            parts.append(table.assign(column_name=name, model=model))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(position=found.groupby("model", sort=False).cumcount())


def _evidence(
    random: np.random.Generator, estimates: pd.DataFrame, specs: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    kept = estimates[
        ["measure", "level", "provider", "n", "observed", "expected", "expected_marginal", "ratio", "category"]
    ]
    counts = kept["measure"].map({name: spec["family"] == "binomial" for name, spec in specs.items()}).astype(bool)
    judged = kept["category"] != "too_few"
    frame = kept[["measure", "level", "provider"]].copy()
    agree = random.integers(4, 8, len(kept))
    frame["methods"], frame["agree"] = np.where(judged, 7.0, np.nan), np.where(judged, agree, np.nan)
    names = np.array(["interval", "empirical_null", "without age"], dtype=object)
    frame["dissent"] = [", ".join(names[: 7 - a]) if j else None for a, j in zip(agree, judged, strict=True)]
    for side, sign in (("higher", 1), ("lower", -1)):
        for limit, z in (("watch", 1.96), ("flag", 3.09)):
            at = kept["expected_marginal"] + sign * z * np.sqrt(kept["expected_marginal"])
            first = np.ceil(at) if sign > 0 else np.floor(at)
            possible = judged & counts & (first >= 0) & (first <= kept["n"])
            frame[f"events_to_{side}_{limit}"] = (first - kept["observed"]).where(possible)
    above = np.maximum(kept["ratio"], 1 / kept["ratio"])
    frame["e_value"] = above + np.sqrt(above * (above - 1))
    frame["e_value_limit"] = np.where(kept["category"].isin(["higher", "lower"]), 1 + (frame["e_value"] - 1) / 2, 1.0)
    share = kept.groupby(["measure", "level"])["ratio"].rank(pct=True)
    for name, value in (("fifth", 4.0), ("tenth", 9.0)):
        frame[f"top_{name}"], frame[f"bottom_{name}"] = share**value, (1 - share) ** value
    frame["overlap"] = random.uniform(0.4, 0.95, len(kept))
    frame["difference"] = (kept["ratio"] - 1) * kept["expected"] / kept["n"]
    return frame


def _social(random: np.random.Generator, hospitals: pd.DataFrame) -> pd.DataFrame:
    frame = hospitals[["measure", "level", "provider"]].assign(
        ratio_without=hospitals["ratio"],
        ratio_with=hospitals["ratio"] * np.exp(random.normal(0, 0.03, len(hospitals))),
        category_without=hospitals["category"],
    )
    # Two results of a measure that move one step when social risk enters.
    moved = {"higher": "higher_watch", "higher_watch": "as_expected", "lower_watch": "as_expected"}
    later = frame["category_without"].map(moved).fillna(frame["category_without"])
    place = frame.groupby("measure").cumcount()
    return frame.assign(category_with=later.where(place % 3 == 0, frame["category_without"]))


def _scores(hospitals: pd.DataFrame) -> pd.DataFrame:
    logs = np.log(hospitals["ratio"]).groupby(hospitals["provider"]).mean()
    error = hospitals["mode_sd"].groupby(hospitals["provider"]).mean()
    rank = logs.rank()
    names = hospitals.drop_duplicates("provider").set_index("provider")["provider_name"]
    frame = pd.DataFrame(
        {
            "provider_name": names[logs.index], "measures": hospitals.groupby("provider").size(),
            "value": np.exp(logs), "lower": np.exp(logs - 1.96 * error), "upper": np.exp(logs + 1.96 * error),
            "expected_rank": rank, "rank_lower": (rank - 6).clip(1), "rank_upper": (rank + 6).clip(upper=len(rank)),
            "percentile": 100 * rank / len(rank),
        }
    )  # fmt: skip
    return frame.rename_axis("provider").reset_index().assign(composite="care", level="hospital")


def _sensitivity(estimates: pd.DataFrame, measure: str) -> pd.DataFrame:
    count = int(((estimates["measure"] == measure) & (estimates["level"] == "hospital")).sum())
    variants = ("other attribution", "without shrinkage", "without the largest provider", "without small providers")
    changed = np.array([1, 4, 0, 2])
    return pd.DataFrame(
        {
            "measure": measure, "position": range(4), "variant": variants, "level": "hospital",
            "providers": [count, count, count - 1, count - 5], "rank_correlation": [0.97, 0.91, 0.999, 0.998],
            "flags_same": [count - 1, count - 4, count - 1, count - 7], "flags_changed": changed, "note": None,
        }
    )  # fmt: skip

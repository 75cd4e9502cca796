"""Two runs side by side: what changed in files and settings, who moved to another result, by how much and why.

For each outer provider the change of the raw ratio is taken apart on the log scale, over the encounters A and B of the
two runs and those C that both hold (m = mean expected outcome of a case, r = observed outcome of a case):

    outcomes   log(r_B / r_A)
    case mix   −log(m_A(C) / m_A(A)) − log(m_B(B) / m_B(C))   other patients, each valued by its own run's model
    model      −log(m_B(C) / m_A(C))                          the same patients, valued by the other model

which add up to log((O/E)_B / (O/E)_A). A rule is the cause where the former figures under the later rule already give
the later result. Only what both runs show of a provider is shown, and nothing of one whose counts differ by few.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.assessment.flags import categories, posterior_tail
from profiling.reporting.disclosure import MaskedRun
from profiling.vocabulary import COUNT_FAMILIES

KEY = ["measure", "level", "provider"]
PARTS = ("outcomes", "case_mix", "model")
FIGURES = ("n", "observed", "expected_marginal", "predicted", "oe_ratio", "ratio", "ratio_lower", "ratio_upper")
JUDGED = ("probability_by_chance", "probability_above", "z")
TOLD = ("provider_name", "category", "hidden", *FIGURES, *JUDGED)
SUMS = ("observed", "expected_marginal", "predicted")
STEPS = ("before", "left", "came", "same", "after")
UNCHANGED = 0.005  # contributions to the log ratio below it are none

Floats = npt.NDArray[np.float64]
Cases = Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]


@dataclass(frozen=True)
class Comparison:
    """What may be shown of the change from one run to another.

    `inputs`: source, file_name, before, after (SHA-256 or None). `settings`: measure, key, before, after.
    `providers`: a row a measure, level and provider of either run: names, category_before and category_after, the
    figures of both (missing where `hidden`), the contributions `PARTS` to the log ratio, `cause` (empty: not moved).
    `totals`: measure, step (of `STEPS`), n and the `SUMS`; missing where withheld.
    """

    former: MaskedRun
    later: MaskedRun
    inputs: pd.DataFrame
    settings: pd.DataFrame
    providers: pd.DataFrame
    totals: pd.DataFrame


def compare(former: MaskedRun, later: MaskedRun, cases: Cases) -> Comparison:
    """Compare two masked runs. `cases`: by measure of both, the predictions per encounter of the former and later."""
    both = [name for name in later.specs if name in former.specs]
    joined = [_joined(former, later, name) for name in both]
    parts = [contributions(*cases[name]).assign(measure=name, level=_outer(later, name)) for name in both]
    providers = pd.concat(joined, ignore_index=True) if joined else pd.DataFrame(columns=[*KEY, "hidden"])
    if parts:
        providers = providers.merge(pd.concat(parts), on=KEY, how="left", validate="one_to_one")
        providers[list(PARTS)] = providers[list(PARTS)].mask(providers["hidden"])
    withheld = former.withheld | later.withheld
    totals = [_totals(later, name, name in withheld, *cases[name]) for name in both]
    return Comparison(
        former,
        later,
        _inputs(former.inputs, later.inputs),
        _settings(former.specs, later.specs),
        _with_causes(providers, former, later) if parts else providers,
        pd.concat(totals, ignore_index=True) if totals else pd.DataFrame(columns=["measure", "step", "n", *SUMS]),
    )


def contributions(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Contributions of `PARTS` to the log raw ratio by provider, from the predictions of two runs.

    A provider without a case, an event or a case in common with itself has missing parts where they have no meaning;
    without common cases what the patients and the model change cannot be told apart and stands under case mix.
    """
    common = before["encounter_id"].isin(after["encounter_id"]), after["encounter_id"].isin(before["encounter_id"])
    whole = [_means(frame) for frame in (before, after)]
    shared = [_means(frame[kept]) for frame, kept in zip((before, after), common, strict=True)]
    index = whole[0].index.union(whole[1].index)
    (rate_a, mean_a), (rate_b, mean_b) = (
        (t["observed"].reindex(index), t["expected_marginal"].reindex(index)) for t in whole
    )
    common_a, common_b = (t["expected_marginal"].reindex(index) for t in shared)
    # Without common patients the two means of the common ones cancel: all goes to the case mix.
    common_a, common_b = common_a.fillna(mean_a), common_b.where(common_b.notna(), mean_a)
    with np.errstate(divide="ignore", invalid="ignore"):
        table = pd.DataFrame(
            {
                "outcomes": np.log(rate_b / rate_a),
                "case_mix": -np.log(common_a / mean_a) - np.log(mean_b / common_b),
                "model": -np.log(common_b / common_a),
            },
            index=index,
        )
    return table.where(np.isfinite(table)).rename_axis("provider").reset_index()


def _means(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.groupby(frame["outer_provider"].astype(str), sort=True)[["observed", "expected_marginal"]].mean()


def _outer(run: MaskedRun, measure: str) -> str:
    return str(run.specs[measure]["providers"][0]["level"])


def _joined(former: MaskedRun, later: MaskedRun, measure: str) -> pd.DataFrame:
    """The providers of one measure in either run, with the figures that both may show."""
    sides = [run.providers[run.providers["measure"] == measure] for run in (former, later)]
    narrow = [side[[*KEY, *TOLD]].assign(provider=side["provider"].astype(str)) for side in sides]
    both = narrow[0].merge(narrow[1], on=KEY, how="outer", suffixes=("_before", "_after"), sort=True)
    counts = later.specs[measure]["family"] in COUNT_FAMILIES
    hidden_before, hidden_after = (both[f"hidden_{side}"].fillna(False).astype(bool) for side in ("before", "after"))
    hidden = hidden_before | hidden_after | _few_apart(both, counts, max(former.threshold, later.threshold))
    figures = [f"{name}_{side}" for name in (*FIGURES, *JUDGED) for side in ("before", "after")]
    both[figures] = both[figures].astype(float).mask(hidden)
    both["provider_name"] = both["provider_name_after"].fillna(both["provider_name_before"])
    for side in ("before", "after"):
        both[f"category_{side}"] = both[f"category_{side}"].fillna("")
    return both.drop(
        columns=[f"{name}_{side}" for name in ("provider_name", "hidden") for side in ("before", "after")]
    ).assign(hidden=hidden)


def _few_apart(both: pd.DataFrame, counts: bool, threshold: int) -> pd.Series:
    """Where the two runs differ by a protected number of cases, events or non-events; never a single one of a level."""
    n = both["n_after"] - both["n_before"]
    events = both["observed_after"] - both["observed_before"]
    apart = pd.concat([n, events, n - events], axis=1) if counts else n.to_frame()
    size = apart.abs().round()
    few = ((size >= 1) & (size < threshold)).any(axis=1)
    for level in both.loc[few, "level"].unique():
        mine = both["level"] == level
        others = n.abs().where(mine & ~few & (n != 0))
        if int((few & mine).sum()) == 1 and others.notna().any():
            few |= others == others.min()
    return few


def _inputs(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    columns = ["source", "file_name", "sha256"]
    table = before[columns].merge(
        after[columns], on=columns[:2], how="outer", suffixes=("_before", "_after"), sort=True
    )
    return (
        table.rename(columns={"sha256_before": "before", "sha256_after": "after"})
        .astype(object)
        .where(lambda frame: frame.notna(), None)
    )


def _settings(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    rows = [
        (name, key, *(_as_text(side.get(name, {}).get(key)) for side in (before, after)))
        for name in dict.fromkeys([*before, *after])
        for key in dict.fromkeys([*before.get(name, {}), *after.get(name, {})])
        if name in before and name in after and before[name].get(key) != after[name].get(key)
    ]
    rows += [(name, "", "measured", "") for name in before if name not in after]
    rows += [(name, "", "", "measured") for name in after if name not in before]
    return pd.DataFrame(rows, columns=["measure", "key", "before", "after"])


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _with_causes(rows: pd.DataFrame, former: MaskedRun, later: MaskedRun) -> pd.DataFrame:
    """`cause` of each move: rule, the largest of `PARTS`, size, came, left, hidden; empty where nothing moved."""
    ruled = pd.concat([_under_later_rule(part, later, str(name)) for name, part in rows.groupby("measure", sort=False)])
    moved = rows["category_before"] != rows["category_after"]
    largest = rows[list(PARTS)].abs()
    told = largest.fillna(0.0).idxmax(axis=1).where(largest.max(axis=1) > UNCHANGED, "size")
    cause = told.mask(rows[list(PARTS)].isna().all(axis=1), "unknown").mask(rows["hidden"], "hidden")
    cause = cause.mask((ruled.reindex(rows.index) == rows["category_after"]) & moved & ~rows["hidden"], "rule")
    cause = cause.mask(rows["category_before"] == "", "came").mask(rows["category_after"] == "", "left")
    return rows.assign(cause=cause.where(moved, ""))


def _under_later_rule(rows: pd.DataFrame, later: MaskedRun, measure: str) -> pd.Series:
    """What the former figures would have given under the later rule."""
    spec = later.specs[measure]
    flag = spec["flag"]
    probability = rows["probability_by_chance_before"].to_numpy(dtype=float)
    if flag["rule"] == "interval":
        probability = posterior_tail(rows["probability_above_before"].to_numpy(dtype=float))
    made = categories(
        probability,
        rows["z_before"].to_numpy(dtype=float) > 0,
        rows["n_before"].to_numpy(dtype=float),
        1 - float(flag["watch"]),
        1 - float(flag["flag"]),
        int(spec.get("minimum_cases", 0)),
    )
    return pd.Series(made, index=rows.index)


def _totals(later: MaskedRun, measure: str, withheld: bool, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """n, O, E and P of the former run, of what left, came, and changed among the same encounters, and of the later."""
    gone = before[~before["encounter_id"].isin(after["encounter_id"])]
    new = after[~after["encounter_id"].isin(before["encounter_id"])]
    sums = {
        name: frame[list(SUMS)].sum().to_numpy(float)
        for name, frame in zip(("before", "left", "came", "after"), (before, gone, new, after), strict=True)
    }
    sums["same"] = sums["after"] - sums["came"] - sums["before"] + sums["left"]
    cases = {"before": len(before), "left": len(gone), "came": len(new), "same": 0, "after": len(after)}
    table = pd.DataFrame(
        [(measure, step, cases[step], *sums[step]) for step in STEPS], columns=["measure", "step", "n", *SUMS]
    )
    counts = later.specs[measure]["family"] in COUNT_FAMILIES
    protected = (
        table[["n"]].assign(events=table["observed"], others=table["n"] - table["observed"]) if counts else table[["n"]]
    )
    size = protected.abs().round()
    small = bool(((size >= 1) & (size < later.threshold)).to_numpy().any())
    figures = ["n", *SUMS]
    inner = table["step"].isin(["left", "came", "same"]) if small else pd.Series(False, table.index)
    inner |= withheld
    return table.assign(**{name: table[name].astype(float).mask(inner) for name in figures})

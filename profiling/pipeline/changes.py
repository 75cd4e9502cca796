"""Whose result changed against the run before: categories alone, which both runs publish of everybody.

By measure and level: `same`, how many have the result they had; `came` and `left`, how many only one of the runs has;
`moved`, how many have another; and of outer levels `who`: provider, former and later category of each that moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from profiling.store.runs import RunRecord

KEY = ["measure", "level", "provider"]
Changes = dict[str, dict[str, dict[str, Any]]]


def changes_between(former: RunRecord, later: RunRecord) -> Changes:
    """The changes of every measure and level that both runs have, in the order of the later run."""
    table = former.flags[[*KEY, "category"]].merge(
        later.flags[[*KEY, "category"]], on=KEY, how="outer", suffixes=("_before", "_after"), indicator=True
    )
    inner = {level for rows in (former, later) for level in _inner(rows.provider_estimates)}
    parts = {(str(measure), str(level)): part for (measure, level), part in table.groupby(["measure", "level"])}
    found: Changes = {}
    for measure, level in dict.fromkeys(zip(later.flags["measure"], later.flags["level"], strict=True)):
        part = parts[str(measure), str(level)]
        if (part["_merge"] == "both").any():
            found.setdefault(str(measure), {})[str(level)] = _of(part, named=level not in inner)
    return found


def _inner(estimates: pd.DataFrame) -> set[str]:
    return set(estimates.loc[estimates["parent"].notna(), "level"])


def _of(part: pd.DataFrame, named: bool) -> dict[str, Any]:
    known = part[part["_merge"] == "both"]
    moved = known[known["category_before"] != known["category_after"]]
    counts = {
        "same": len(known) - len(moved),
        "moved": len(moved),
        "came": int((part["_merge"] == "right_only").sum()),
        "left": int((part["_merge"] == "left_only").sum()),
    }
    if not named:
        return counts
    ordered = moved.sort_values("provider")
    columns = (ordered[name].astype(str).tolist() for name in ("provider", "category_before", "category_after"))
    return counts | {"who": [list(row) for row in zip(*columns, strict=True)]}

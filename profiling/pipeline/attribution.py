"""Who answers for a visit: the provider it is recorded with, or the one whom its patient sees most."""

from __future__ import annotations

import pandas as pd

ATTRIBUTIONS = ("attending", "most_visits")


def attributed_to(rows: pd.DataFrame, level: str, way: str) -> pd.Series:
    """The provider of each row: as recorded (attending), or the patient's most frequent one (most_visits).

    Among equals the one seen last, then the first label. Rows without a patient stay with whom they are recorded.
    """
    if way == "attending":
        return rows[level]
    known = rows.loc[rows["patient_id"].notna(), ["patient_id", level, "admitted"]]
    seen = known.groupby(["patient_id", level], sort=False)["admitted"].agg(["size", "max"]).reset_index()
    order = ["patient_id", "size", "max", level]
    best = seen.sort_values(order, ascending=[True, False, False, True], kind="stable", na_position="last")
    chosen = best.drop_duplicates("patient_id").set_index("patient_id")[level]
    seen_most = rows["patient_id"].map(chosen).astype(object)
    return seen_most.where(seen_most.notna(), rows[level].astype(object)).astype(rows[level].dtype).rename(level)

"""The providers of a run in one table: estimates with their flags, and what disclosure control asks of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.vocabulary import COUNT_FAMILIES

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
FOR_CONTROL = ("counts", "minimum", "possible")


def clean(text: object) -> str:
    """Text without control characters and without those that turn the direction of what stands beside it."""
    return UNPRINTABLE.sub("\ufffd", str(text))


def cleaned(value: object) -> object:
    """A text cleaned, anything else as it is."""
    return clean(value) if isinstance(value, str) else value


def specifications(record: RunRecord) -> dict[str, dict[str, Any]]:
    """The measures as they were run, by name, their texts cleaned."""
    return {
        str(row.measure): {key: cleaned(value) for key, value in json.loads(str(row.spec_json)).items()}
        for row in record.measures.itertuples()
    }


def joined(record: RunRecord, specs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Estimates with their flags, what suppression needs beside them, in the order of the measures."""
    key = ["measure", "level", "provider"]
    estimates = record.provider_estimates.drop(columns=["category", "run_id"], errors="ignore")
    flags = record.flags.drop(columns=["run_id", "probability_by_chance"], errors="ignore")
    full = estimates.merge(flags, on=key, how="left", validate="one_to_one")
    full["category"] = full["category"].fillna("too_few")
    full["provider_name"] = full["provider_name"].fillna(full["provider"]).map(clean)
    # A bare number is no name: hospital 102 reads better in a sentence than 102.
    bare = full["provider_name"].str.fullmatch(r"[\d\s./-]*\d[\d\s./-]*")
    levels = full["level"].str.replace("_", " ").str.capitalize()
    full.loc[bare, "provider_name"] = (levels + " " + full["provider_name"])[bare]
    full["parent_name"] = full["parent_name"].where(full["parent_name"].isna(), full["parent_name"].map(clean))
    full["counts"] = full["measure"].map({name: spec["family"] in COUNT_FAMILIES for name, spec in specs.items()})
    full["possible"] = possible_events(record, full, specs)
    full["minimum"] = full["measure"].map({name: spec.get("minimum_cases", 0) for name, spec in specs.items()})
    return full


def possible_events(
    record: RunRecord, full: pd.DataFrame, specs: Mapping[str, Mapping[str, Any]]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How many events there could have been where it is not the number of cases: trials, or without limit.

    One trial a case everywhere is as well known to a reader as the cases: its failures are cases without the event.
    """
    family = full["measure"].map({name: str(spec["family"]) for name, spec in specs.items()})
    trials = full["measure"].map({name: bool(spec.get("trials")) for name, spec in specs.items()}).astype(bool)
    if not trials.any():
        return np.where(family == "poisson", np.inf, np.nan)
    key = ["measure", "level", "provider"]
    sums = record.provider_evidence.drop_duplicates(key).set_index(key)["exposure"].astype(float)
    own = sums.reindex(pd.MultiIndex.from_frame(full[key])).to_numpy(dtype=np.float64)
    several = (
        trials
        & pd.Series(own != full["n"].to_numpy(dtype=np.float64))
        .groupby(full["measure"].to_numpy())
        .transform("any")
        .to_numpy()
    )
    return np.where(family == "poisson", np.inf, np.where(several, np.where(np.isnan(own), np.inf, own), np.nan))

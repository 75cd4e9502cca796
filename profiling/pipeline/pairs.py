"""Two providers of one level against each other, from what a run keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.errors import Problem, UsageError

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord


def worse_of(record: RunRecord, first: str, second: str) -> pd.DataFrame:
    """measure, level, probability that the first provider's true effect is the worse one, both taken as independent.

    Raises UsageError where no level of the run has both.
    """
    from profiling.assessment.rank_summary import probability_higher

    evidence, key = record.provider_evidence.dropna(subset=["effect"]), ["measure", "level"]
    sides = [evidence.loc[evidence["provider"] == name, [*key, "effect", "effect_sd"]] for name in (first, second)]
    both = sides[0].merge(sides[1], on=key, suffixes=("_first", "_second"))
    if first == second or both.empty:
        found, advice = f"no level with both {first!r} and {second!r}", "The downloads of its report name them all"
        raise UsageError(Problem(f"run {record.run_id}", found, "two providers of one level", advice))
    effect, sd = (both[[f"{name}_first", f"{name}_second"]].to_numpy(dtype=float) for name in ("effect", "effect_sd"))
    higher = np.array([probability_higher(effect[row], sd[row], 0, 1) for row in range(len(both))])
    specs = record.measures.set_index("measure")["spec_json"].map(json.loads)
    up = both["measure"].map(lambda name: specs[name]["direction"] == "higher_is_worse").to_numpy()
    return both[key].assign(probability=np.where(up, higher, 1.0 - higher))

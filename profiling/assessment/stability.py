"""The same providers flagged by every method: how many agree with the one that is published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.assessment.fixed_effect_tests import fixed_effect_tests
from profiling.assessment.fixed_effects import fixed_effects_of
from profiling.assessment.honesty import Signs, flag_stability, signs_of
from profiling.assessment.options import ProfileOptions
from profiling.assessment.profile import profile_providers
from profiling.errors import ModelError

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


def stability_of_fit(
    fit: MixedModelResult, provider: str, options: ProfileOptions | None = None, leave_out: bool = True
) -> pd.DataFrame:
    """provider, one column of signs a method, agree, methods, stability, for the rule that `options` name.

    Methods: published, funnel, interval, empirical_null, overdispersed (additive), fixed_effect where the data allow it
    and, with leave_out, the published rule without each term of the case mix (refitted). Signs at the inner limits.
    """
    chosen = options or ProfileOptions()
    rules = {
        "published": chosen,
        "funnel": replace(chosen, rule="funnel", overdispersion="none"),
        "interval": replace(chosen, rule="interval", overdispersion="none"),
        "empirical_null": replace(chosen, rule="empirical_null", overdispersion="none"),
        "overdispersed": replace(chosen, rule="funnel", overdispersion="additive"),
    }
    profiles = {name: profile_providers(fit, provider, rule) for name, rule in rules.items()}
    flags: dict[str, Signs] = {name: signs_of(profile["category"]) for name, profile in profiles.items()}
    labels = profiles["published"]["provider"].to_numpy()
    fixed = _fixed_signs(fit, provider, chosen)
    if fixed is not None:
        flags["fixed_effect"] = fixed.reindex(labels).to_numpy(dtype=np.int64)
    for term in case_mix_terms(fit) if leave_out else ():
        without = fit.update(f". ~ . - {term}")
        flags[f"without {term}"] = signs_of(profile_providers(without, provider, chosen)["category"])
    table = flag_stability(flags, "published")
    table.insert(0, "provider", labels)
    return table


def case_mix_terms(fit: MixedModelResult) -> tuple[str, ...]:
    """The terms of the fixed part, as the formula writes them, without the intercept."""
    from formulaic import Formula

    from profiling.modeling.state import source_of

    formula = Formula(source_of(fit).design.formula.fixed)
    return tuple(str(term) for term in formula if str(term) != "1")


def _fixed_signs(fit: MixedModelResult, provider: str, options: ProfileOptions) -> pd.Series | None:
    """Signs of the fixed-effect exact test by label; None where the data do not allow an intercept per provider."""
    try:
        tests = fixed_effect_tests(fixed_effects_of(fit, provider), options.watch)
    except ModelError:
        return None
    judged = tests["n"].to_numpy() >= options.minimum_cases
    return pd.Series(np.where(judged, tests["flag"], 0), index=tests["provider"])

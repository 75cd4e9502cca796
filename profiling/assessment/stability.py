"""The same providers flagged by every method: how many agree with the one that is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.assessment.honesty import flag_stability, signs_of
from profiling.assessment.options import ProfileOptions
from profiling.assessment.profile import assess
from profiling.assessment.variants import fixed_variant, refit_variants, rule_variants

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult


def stability_of_fit(
    fit: MixedModelResult, provider: str, options: ProfileOptions | None = None, leave_out: bool = True
) -> pd.DataFrame:
    """provider, one column of signs a method, agree, methods, stability, for the rule that `options` name.

    Methods: published; funnel, interval, empirical_null, overdispersed (additive) but for the published one;
    fixed_effect where the data allow it and, with leave_out, the published rule without each term of the case mix
    (refitted). Signs at the inner limits.
    """
    published = assess(fit, provider, options or ProfileOptions())
    fixed, _ = fixed_variant(fit, provider, published.options)
    refitted = refit_variants(fit, {provider: published}, leave_out, largest=False)[provider]
    variants = [*rule_variants(published), *fixed, *refitted]
    signs: dict[str, npt.ArrayLike] = {"published": signs_of(published.frame["category"])}
    signs |= {variant.name: variant.sign for variant in variants if np.isfinite(variant.sign).all()}
    table = flag_stability(signs, "published")
    table.insert(0, "provider", published.frame["provider"].to_numpy())
    return table

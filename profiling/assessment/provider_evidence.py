"""One row a provider of what its finding rests on, beside the estimates and the category of `profile_providers`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.assessment.direct import differences, directly_standardized
from profiling.assessment.fitted import Floats
from profiling.assessment.fixed_effect_tests import fixed_against_random
from profiling.assessment.honesty import case_mix_overlap, confounder_strength
from profiling.assessment.level import LevelAssessment
from profiling.assessment.limits import events_to_limits
from profiling.assessment.profile import Assessment
from profiling.assessment.rank_confidence import MOST_PROVIDERS, simultaneous_rank_sets, triple_goal
from profiling.assessment.rank_summary import posterior_ranks
from profiling.assessment.variants import Variant, stability

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

SHARES = ("top_fifth", "bottom_fifth", "top_tenth", "bottom_tenth")
DIRECT = ("direct_rate", "direct_lower", "direct_upper")


def provider_evidence(
    assessment: LevelAssessment,
    level: str,
    variants: Sequence[Variant] = (),
    fit: MixedModelResult | None = None,
    fixed: pd.DataFrame | None = None,
    joint: Floats | None = None,
) -> pd.DataFrame:
    """level, provider and what the store keeps as evidence, in the order of the published frame.

    variants: other ways of judging (`variants`); fit: for direct standardization and overlap; fixed: the table of
    `fixed_effect_tests`; joint (draws, J): draws of all effects of the level together, for ranks of crossed effects.
    """
    frame = assessment.frame
    ratios = (frame[name].to_numpy(dtype=np.float64) for name in ("ratio", "ratio_lower", "ratio_upper"))
    parts = [
        frame[["provider"]].reset_index(drop=True),
        stability(assessment, variants) if variants else _unknown(frame, ("methods", "agree", "dissent")),
        events_to_limits(assessment),
        confounder_strength(*ratios),
        _ranks(assessment, joint),
        pd.DataFrame({"effect": assessment.effect, "effect_sd": assessment.effect_sd}),
        pd.DataFrame({"rule_probability": assessment.ruling.probability}),
        _differences(frame),
    ]
    if fit is not None and isinstance(assessment, Assessment):
        parts += [_direct(assessment, fit, level), _overlap(assessment, fit)]
    if fixed is not None:
        parts.append(_disagreement(assessment, fixed))
    return pd.concat(parts, axis=1).assign(level=level)


def _unknown(frame: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: np.full(len(frame), None, dtype=object) for name in names})


def _ranks(assessment: LevelAssessment, joint: Floats | None) -> pd.DataFrame:
    """Shares of the posterior among the highest and lowest; simultaneous sets of ranks and triple-goal estimates to
    5,000 providers."""
    effect, sd, options = assessment.effect, assessment.effect_sd, assessment.options
    if not np.isfinite(effect).all() or len(effect) < 2:
        return _unknown(assessment.frame, (*SHARES, "rank_set_lower", "rank_set_upper", "triple_goal"))
    # Against a norm of its own a provider is ranked by more than its own effect, which these draws do not hold.
    alike = isinstance(assessment, Assessment) and assessment.rows.same_base
    ranks = posterior_ranks(effect, sd, options.draws, options.seed, joint=joint if alike else None)[list(SHARES)]
    if len(effect) > MOST_PROVIDERS:
        return ranks
    error = 1.0 / np.sqrt(assessment.evidence.weight)
    # The score times its error is log(O/E) to first order, and finite where no event was seen.
    sets = simultaneous_rank_sets(assessment.evidence.z * error, error, seed=options.seed)
    return ranks.assign(
        rank_set_lower=sets["rank_lower"], rank_set_upper=sets["rank_upper"], triple_goal=triple_goal(effect, sd)
    )


def _differences(frame: pd.DataFrame) -> pd.DataFrame:
    found = differences(frame).reset_index(drop=True)
    return found[["rate_difference", "difference_lower", "difference_upper"]].rename(
        columns={"rate_difference": "difference"}
    )


def _direct(assessment: Assessment, fit: MixedModelResult, level: str) -> pd.DataFrame:
    return directly_standardized(fit, level, assessment.options)[list(DIRECT)].reset_index(drop=True)


def _overlap(assessment: Assessment, fit: MixedModelResult) -> pd.DataFrame:
    score = np.asarray(fit.linear_predictor, dtype=np.float64)[assessment.rows.order]
    return case_mix_overlap(score, assessment.rows.starts)[["overlap"]]


def _disagreement(assessment: LevelAssessment, fixed: pd.DataFrame) -> pd.DataFrame:
    """Why the fixed-effect test and the posterior of the random effect come to different flags; "" where they agree."""
    found = fixed_against_random(fixed, assessment.frame, assessment.options.watch_probability)
    why = found.set_index("provider")["why"].reindex(assessment.frame["provider"])
    return pd.DataFrame({"fixed_disagreement": why.to_numpy(dtype=object)})

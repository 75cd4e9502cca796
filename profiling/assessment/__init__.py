"""Assessment: who differs from the norm, how sure that is, and whether chance would do the same."""

from profiling.kernels import prepare

prepare()

from profiling.assessment.across import judged_together
from profiling.assessment.aggregates import assess_aggregates
from profiling.assessment.cms_bootstrap import CmsBootstrap, cms_bootstrap
from profiling.assessment.composite_scores import composite_scores
from profiling.assessment.composites import (
    composite_of_draws,
    latent_composite,
    opportunity_composite,
    weighted_composite,
)
from profiling.assessment.direct import differences, directly_standardized
from profiling.assessment.fixed_effect_tests import fixed_against_random, fixed_effect_tests
from profiling.assessment.fixed_effects import FixedEffects, fixed_effects, fixed_effects_of
from profiling.assessment.flags import CATEGORIES, flag_summary
from profiling.assessment.frames import calibration, flags, funnel_limits, level_checks, model_checks, predictions
from profiling.assessment.honesty import case_mix_overlap, confounder_strength, events_to_change, flag_stability
from profiling.assessment.limits import events_to_limits
from profiling.assessment.mixture_of_fit import grid_of
from profiling.assessment.monitoring import cusum, cusum_limit, ewma, period_correlation, vlad
from profiling.assessment.options import ProfileOptions
from profiling.assessment.periods import FALSE_ALARM, halves_correlation, provider_periods
from profiling.assessment.profile import COLUMNS, Assessment, assess, profile_providers
from profiling.assessment.provider_evidence import provider_evidence
from profiling.assessment.rank_confidence import simultaneous_rank_sets, triple_goal
from profiling.assessment.rank_summary import posterior_ranks
from profiling.assessment.stability import stability_of_fit
from profiling.assessment.subgroups import subgroups
from profiling.assessment.variants import (
    Attributed,
    assess_again,
    case_mix_terms,
    fixed_variant,
    refit_variants,
    rule_variants,
    sensitivity,
)

__all__ = [
    "CATEGORIES",
    "COLUMNS",
    "FALSE_ALARM",
    "Assessment",
    "Attributed",
    "CmsBootstrap",
    "FixedEffects",
    "ProfileOptions",
    "assess",
    "assess_again",
    "assess_aggregates",
    "calibration",
    "case_mix_overlap",
    "case_mix_terms",
    "cms_bootstrap",
    "composite_of_draws",
    "composite_scores",
    "confounder_strength",
    "cusum",
    "cusum_limit",
    "differences",
    "directly_standardized",
    "events_to_change",
    "events_to_limits",
    "ewma",
    "fixed_against_random",
    "fixed_effect_tests",
    "fixed_effects",
    "fixed_effects_of",
    "fixed_variant",
    "flag_stability",
    "flag_summary",
    "flags",
    "funnel_limits",
    "grid_of",
    "halves_correlation",
    "judged_together",
    "latent_composite",
    "level_checks",
    "model_checks",
    "opportunity_composite",
    "period_correlation",
    "posterior_ranks",
    "predictions",
    "profile_providers",
    "provider_evidence",
    "provider_periods",
    "refit_variants",
    "rule_variants",
    "sensitivity",
    "simultaneous_rank_sets",
    "stability_of_fit",
    "subgroups",
    "triple_goal",
    "vlad",
    "weighted_composite",
]
